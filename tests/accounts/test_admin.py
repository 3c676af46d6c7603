"""Accounts and site settings in the admin."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Permission
from django.test import Client
from model_bakery import baker
from pytest_django import Settings

from accounts.models import SiteSettings, User
from accounts.services import site_settings_update

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


def test_the_list_of_site_settings_leads_to_the_one_row(admin_client: Client) -> None:
    reply = admin_client.get("/admin/accounts/sitesettings/")
    assert (reply.status_code, reply["Location"]) == (302, SETTINGS)
    assert admin_client.get(SETTINGS).status_code == 200


def test_site_settings_are_saved_by_the_service(admin_client: Client) -> None:
    generation = SiteSettings.load().generation
    reply = admin_client.post(SETTINGS, {"global_block": "10.0.0.1\r\n\r\n10.1.*.*\r\n", "trusted_proxies": "::1"})
    assert reply.status_code == 302
    row = SiteSettings.load()
    assert (row.global_block, row.trusted_proxies, row.global_allow) == (["10.0.0.1", "10.1.*.*"], ["::1"], [])
    assert not row.allow_private_upstreams
    assert row.generation == generation + 1


def test_a_bad_line_is_named_and_nothing_is_lost(admin_client: Client) -> None:
    SiteSettings.load()
    reply = admin_client.post(SETTINGS, {"global_block": "10.0.0.1\n10.0.0.1/8", "trusted_proxies": "::1"})
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
    reply = admin_client.post(SETTINGS, {"global_block": "10.0.0.1", "global_allow": "10.0.0.2"})
    assert reply.status_code == 302
    row = SiteSettings.load()
    assert (row.global_block, row.global_allow) == ([], ["10.0.0.2"])


def test_site_settings_changed_in_the_meantime_are_not_overwritten(admin_client: Client) -> None:
    seen = SiteSettings.load().generation
    site_settings_update({"global_block": ["10.0.0.9"]})
    reply = admin_client.post(SETTINGS, {"global_block": "", "seen_generation": str(seen)})
    assert "Somebody has changed this in the meantime" in reply.content.decode()
    assert SiteSettings.load().global_block == ["10.0.0.9"]


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
