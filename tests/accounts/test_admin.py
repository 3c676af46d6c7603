"""Accounts and site settings in the admin."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Permission
from django.test import Client
from model_bakery import baker
from pytest_django import Settings

from accounts.models import ApiToken, SiteSettings, User
from accounts.services import email_mark_verified, site_settings_update, token_create

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


# --- nobody is locked out here either

GITHUB = {"github": {"APPS": [{"client_id": "id", "secret": "secret"}]}}


def connect(user: User, provider: str = "github") -> SocialAccount:
    return SocialAccount.objects.create(user=user, provider=provider, uid=str(user.pk))


def test_the_last_of_the_staff_keeps_the_password(admin_client: Client, admin_user: User, settings: Settings) -> None:
    path = f"/admin/accounts/user/{admin_user.pk}/password/"
    form = {"usable_password": "false", "unset-password": "yes"}
    assert "the only way in of the last staff account" in admin_client.post(path, form).content.decode()
    admin_user.refresh_from_db()
    assert admin_user.has_usable_password()
    connect(admin_user)
    assert admin_client.post(path, form).status_code == 200, "GitHub is not configured"
    settings.SOCIALACCOUNT_PROVIDERS = GITHUB
    assert admin_client.post(path, form).status_code == 302
    admin_user.refresh_from_db()
    assert not admin_user.has_usable_password()


def test_the_password_of_somebody_else_can_be_taken_away_and_set(admin_client: Client) -> None:
    user = User.objects.create_user("user@example.com", PASSWORD)
    path = f"/admin/accounts/user/{user.pk}/password/"
    assert admin_client.post(path, {"usable_password": "false", "unset-password": "yes"}).status_code == 302
    assert not User.objects.get(pk=user.pk).has_usable_password()
    assert admin_client.post(path, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)


def test_the_last_way_in_of_the_staff_is_not_taken_away(
    admin_client: Client, admin_user: User, settings: Settings
) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = GITHUB
    account = connect(admin_user)
    settings.SITE_OVERRIDES = {"allow_password_login": False}
    path = f"/admin/socialaccount/socialaccount/{account.pk}/delete/"
    assert admin_client.post(path, {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": account.pk, "post": "yes"}
    admin_client.post("/admin/socialaccount/socialaccount/", action)
    assert SocialAccount.objects.filter(pk=account.pk).exists()
    other = connect(User.objects.create_superuser("other@example.com"))
    assert admin_client.post(path, {"post": "yes"}).status_code == 302
    assert list(SocialAccount.objects.all()) == [other]


def test_with_a_password_a_connection_is_not_the_last_way_in(admin_client: Client, admin_user: User) -> None:
    account = connect(admin_user)
    path = f"/admin/socialaccount/socialaccount/{account.pk}/delete/"
    assert admin_client.post(path, {"post": "yes"}).status_code == 302


def test_staff_who_cannot_sign_in_do_not_count(admin_client: Client, admin_user: User) -> None:
    User.objects.create_superuser("invited@example.com")  # who has not chosen a password yet
    path = f"/admin/accounts/user/{admin_user.pk}/"
    page = admin_client.post(f"{path}change/", {"email": admin_user.email, "is_superuser": "on", "is_active": "on"})
    assert "the last staff account" in page.content.decode()
    assert admin_client.post(f"{path}delete/", {"post": "yes"}).status_code == 403


# --- nobody comes in by another's account


@pytest.mark.parametrize("name", ["account/emailaddress", "socialaccount/socialaccount"])
def test_addresses_and_connections_are_not_written_here(admin_client: Client, admin_user: User, name: str) -> None:
    EmailAddress.objects.get_or_create(user=admin_user, email=admin_user.email)
    connect(admin_user)
    pk = EmailAddress.objects.get().pk if name.startswith("account/") else SocialAccount.objects.get().pk
    assert admin_user.email in admin_client.get(f"/admin/{name}/?q=example").content.decode()
    form = {"user": admin_user.pk, "email": "evil@example.com", "uid": "evil", "provider": "github", "verified": "on"}
    assert admin_client.post(f"/admin/{name}/add/", form).status_code == 403
    assert admin_client.get(f"/admin/{name}/{pk}/change/").status_code == 200
    assert admin_client.post(f"/admin/{name}/{pk}/change/", form).status_code == 403
    assert not EmailAddress.objects.filter(email="evil@example.com").exists()
    assert not SocialAccount.objects.filter(uid="evil").exists()


def test_limited_staff_does_not_disconnect_staff(client: Client, admin_user: User) -> None:
    limited = User.objects.create_user("limited@example.com", is_staff=True)
    limited.user_permissions.add(
        *Permission.objects.filter(codename__in=["view_socialaccount", "delete_socialaccount"])
    )
    client.force_login(limited)
    for user, status in ((admin_user, 403), (User.objects.create_user("user@example.com"), 302)):
        path = f"/admin/socialaccount/socialaccount/{connect(user).pk}/delete/"
        assert client.post(path, {"post": "yes"}).status_code == status


def test_an_address_for_which_no_mail_arrives_is_vouched_for(admin_client: Client) -> None:
    users = [User.objects.create_user(f"{name}@example.com") for name in "ab"]
    addresses = [EmailAddress.objects.create(user=user, email=user.email, primary=True) for user in users]
    form = {"action": "make_verified", "_selected_action": [address.pk for address in addresses]}
    assert admin_client.post("/admin/account/emailaddress/", form).status_code == 302
    assert EmailAddress.objects.filter(verified=True, user__in=users).count() == 2
    admin_client.post("/admin/account/emailaddress/", {**form, "action": "delete_selected", "post": "yes"})
    assert EmailAddress.objects.filter(user__in=users).count() == 2
    assert admin_client.post(f"/admin/accounts/user/{users[0].pk}/delete/", {"post": "yes"}).status_code == 302
    assert not EmailAddress.objects.filter(pk=addresses[0].pk).exists()


def test_an_address_that_is_changed_here_takes_the_place_of_the_old_one(admin_client: Client) -> None:
    user = User.objects.create_user("old@example.com", PASSWORD)
    email_mark_verified(user=user)
    path = f"/admin/accounts/user/{user.pk}/change/"
    assert admin_client.post(path, {"email": "New@Example.com", "is_active": "on"}).status_code == 302
    assert list(EmailAddress.objects.filter(user=user).values_list("email", "verified", "primary")) == [
        ("new@example.com", True, True)
    ]
    taken = User.objects.create_user("taken@example.com")
    for email in ("TAKEN@example.com", "second@example.com"):
        EmailAddress.objects.update_or_create(user=taken, email=email.lower(), defaults={"verified": True})
        page = admin_client.post(path, {"email": email, "is_active": "on"}).content.decode()
        assert "There is an account with this address already." in page
    user.refresh_from_db()
    assert user.email == "new@example.com"


def test_who_keeps_the_old_address_keeps_nothing(client: Client, admin_client: Client) -> None:
    user = User.objects.create_user("old@example.com", PASSWORD)
    email_mark_verified(user=user)
    admin_client.post(f"/admin/accounts/user/{user.pk}/change/", {"email": "new@example.com", "is_active": "on"})
    for email, status in (("old@example.com", 400), ("new@example.com", 200)):
        body = {"email": email, "password": PASSWORD}
        reply = client.post("/_allauth/app/v1/auth/login", body, content_type="application/json")
        assert reply.status_code == status, email
