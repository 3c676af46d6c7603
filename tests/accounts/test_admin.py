"""Accounts and site settings in the admin."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Permission
from django.test import Client
from model_bakery import baker
from pytest_django import Settings

from accounts.models import ApiToken, SiteSettings, User
from accounts.services import site_settings_update, token_create

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


def test_staff_signs_in_with_the_address(client: Client) -> None:
    User.objects.create_superuser("root@example.com", PASSWORD)
    reply = client.post("/admin/login/?next=/admin/", {"username": "ROOT@example.com", "password": PASSWORD})
    assert (reply.status_code, reply["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_an_account_added_here_counts_as_verified(admin_client: Client) -> None:
    form = {"email": "New@Example.com", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    reply = admin_client.post("/admin/accounts/user/add/", form)
    assert reply.status_code == 302
    user = User.objects.get(email="new@example.com")
    assert user.check_password(PASSWORD)
    assert not user.is_staff
    assert EmailAddress.objects.get(user=user).verified
    reply = admin_client.post("/admin/accounts/user/add/", {**form, "email": "NEW@example.com"})
    assert "already exists" in reply.content.decode()


@pytest.mark.parametrize("path", ["", "add/"])
def test_the_pages_of_users_show(admin_client: Client, path: str) -> None:
    assert admin_client.get(f"/admin/accounts/user/{path}").status_code == 200


def test_a_user_can_be_changed(admin_client: Client, admin_user: User) -> None:
    page = admin_client.get(f"/admin/accounts/user/{admin_user.pk}/change/")
    assert page.status_code == 200
    assert "ReadOnlyPasswordHash" not in page.content.decode()


SETTINGS = "/admin/accounts/sitesettings/1/change/"
WAYS_IN = {"allow_password_login": "on", "allow_social_login": "on"}


def test_the_list_of_site_settings_leads_to_the_one_row(admin_client: Client) -> None:
    reply = admin_client.get("/admin/accounts/sitesettings/")
    assert (reply.status_code, reply["Location"]) == (302, SETTINGS)
    assert admin_client.get(SETTINGS).status_code == 200


def test_site_settings_are_saved_by_the_service(admin_client: Client) -> None:
    generation = SiteSettings.load().generation
    lists = {"global_block": "10.0.0.1\r\n\r\n10.1.*.*\r\n", "trusted_proxies": "::1", "allowed_domains": "Example.com"}
    reply = admin_client.post(SETTINGS, {**WAYS_IN, **lists, "retention_days": "30"})
    assert reply.status_code == 302
    row = SiteSettings.load()
    assert (row.global_block, row.trusted_proxies, row.global_allow) == (["10.0.0.1", "10.1.*.*"], ["::1"], [])
    assert (row.allowed_domains, row.retention_days, row.allow_private_upstreams) == (["example.com"], 30, False)
    assert row.generation == generation + 1


def test_a_bad_line_is_named_and_nothing_is_lost(admin_client: Client) -> None:
    SiteSettings.load()
    reply = admin_client.post(SETTINGS, {**WAYS_IN, "global_block": "10.0.0.1\n10.0.0.1/8", "trusted_proxies": "::1"})
    page = reply.content.decode()
    assert reply.status_code == 200
    assert "line 2: &#x27;10.0.0.1/8&#x27; is an address inside a range" in page
    assert "10.0.0.1\n10.0.0.1/8" in page.replace("\r", "")
    assert SiteSettings.load().trusted_proxies == []


def test_what_the_environment_decides_is_locked(admin_client: Client, settings: Settings) -> None:
    SiteSettings.load()
    settings.SITE_OVERRIDES = {"global_block": ["10.9.9.9"]}
    page = admin_client.get(SETTINGS).content.decode()
    assert "RUBBERDUCK_GLOBAL_BLOCK decides" in page
    assert "10.9.9.9" in page
    reply = admin_client.post(SETTINGS, {**WAYS_IN, "global_block": "10.0.0.1", "global_allow": "127.0.0.0/8"})
    assert reply.status_code == 302
    row = SiteSettings.load()
    assert (row.global_block, row.global_allow) == ([], ["127.0.0.0/8"])


def test_site_settings_changed_in_the_meantime_are_not_overwritten(admin_client: Client) -> None:
    seen = SiteSettings.load().generation
    site_settings_update({"global_block": ["10.0.0.9"]})
    reply = admin_client.post(SETTINGS, {**WAYS_IN, "global_block": "", "seen_generation": str(seen)})
    assert "Somebody has changed this in the meantime" in reply.content.decode()
    assert SiteSettings.load().global_block == ["10.0.0.9"]


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"allow_social_login": "on"}, "You could not sign in any more"),
        ({**WAYS_IN, "global_block": "127.0.0.1"}, "Your own address would be refused: 127.0.0.1, block 127.0.0.1."),
        ({**WAYS_IN, "global_allow": "10.0.0.0/8"}, "127.0.0.1, not in the allow list"),
    ],
)
def test_nobody_locks_themselves_out(admin_client: Client, form: dict[str, str], reason: str) -> None:
    before = SiteSettings.load().generation
    reply = admin_client.post(SETTINGS, form)
    assert (reply.status_code, reason in reply.content.decode()) == (200, True)
    assert SiteSettings.load().generation == before


def test_those_who_may_only_look_see_the_site_settings(client: Client) -> None:
    SiteSettings.load()
    looker = User.objects.create_user("look@example.com", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_sitesettings"))
    client.force_login(looker)
    assert client.get(SETTINGS).status_code == 200


def test_who_may_not_delete_proxies_may_not_delete_their_owner(client: Client) -> None:
    keeper = User.objects.create_user("keep@example.com", is_staff=True)
    keeper.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "delete_user"]))
    owner = User.objects.create_user("owner@example.com")
    baker.make("proxies.Proxy", owner=owner, port=9999)
    client.force_login(keeper)
    path = f"/admin/accounts/user/{owner.pk}/delete/"
    assert "Cannot delete user" in client.get(path).content.decode()
    assert client.post(path, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=owner.pk).exists()


def test_no_secret_of_a_sign_in_provider_is_kept_in_a_table(admin_client: Client) -> None:
    index = admin_client.get("/admin/").content.decode()
    assert "Social accounts" in index
    assert "Social application" not in index


def test_no_task_can_be_planned_here(admin_client: Client) -> None:
    assert "django_q" not in admin_client.get("/admin/").content.decode()
    for name in ("schedule", "ormq", "success", "failure"):
        assert admin_client.get(f"/admin/django_q/{name}/").status_code == 404
        assert admin_client.post(f"/admin/django_q/{name}/add/", {"func": "os.system"}).status_code == 404


def test_the_last_of_the_staff_stays(admin_client: Client, admin_user: User) -> None:
    path = f"/admin/accounts/user/{admin_user.pk}/"
    boxes = {"is_superuser": "on", "is_active": "on", "is_staff": "on"}
    for left_out in boxes:
        form = {name: value for name, value in boxes.items() if name != left_out}
        page = admin_client.post(f"{path}change/", {"email": admin_user.email, **form})
        assert "the last staff account" in page.content.decode(), left_out
    assert admin_client.post(f"{path}delete/", {"post": "yes"}).status_code == 403
    admin_client.post("/admin/accounts/user/", {"action": "delete_selected", "_selected_action": admin_user.pk})
    admin_user.refresh_from_db()
    assert admin_user.is_staff
    assert admin_user.is_active


def test_limited_rights_cannot_be_made_more_of(client: Client, admin_user: User) -> None:
    limited = User.objects.create_user("limited@example.com", PASSWORD, is_staff=True)
    limited.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "change_user", "delete_user"]))
    client.force_login(limited)
    form = {"email": limited.email, "name": "Me", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    assert client.post(f"/admin/accounts/user/{limited.pk}/change/", form).status_code == 302
    limited.refresh_from_db()
    assert (limited.name, limited.is_superuser) == ("Me", False)
    for path in ("change/", "password/", "delete/"):
        reply = client.post(f"/admin/accounts/user/{admin_user.pk}/{path}", {"password1": PASSWORD, "post": "yes"})
        assert reply.status_code == 403, path
    assert User.objects.filter(pk=admin_user.pk).exists()


def test_whom_staff_deactivates_has_no_token_left(admin_client: Client) -> None:
    user = User.objects.create_user("user@example.com", PASSWORD)
    token_create(user=user, name="script")
    reply = admin_client.post(f"/admin/accounts/user/{user.pk}/change/", {"email": user.email, "name": ""})
    assert reply.status_code == 302
    assert not User.objects.get(pk=user.pk).is_active
    assert not ApiToken.objects.exists()


def test_tokens_can_be_seen_and_taken_away_but_not_made(admin_client: Client) -> None:
    row, token = token_create(user=User.objects.create_user("user@example.com"), name="script")
    page = admin_client.get("/admin/accounts/apitoken/").content.decode()
    assert row.hint in page
    for secret in (token, row.digest):
        assert secret not in page
        assert secret not in admin_client.get(f"/admin/accounts/apitoken/{row.pk}/change/").content.decode()
    assert admin_client.get("/admin/accounts/apitoken/add/").status_code == 403
    assert admin_client.post(f"/admin/accounts/apitoken/{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ApiToken.objects.exists()
