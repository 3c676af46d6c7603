"""The REST API of accounts: sign-in options, me, tokens; for staff, site settings and users."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import ApiToken, SiteSettings, User
from accounts.selectors import effective_site_settings
from accounts.services import site_settings_update, token_create
from accounts.site_fields import SITE_FIELDS

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"
API = "/api/v1"
GITHUB = {"github": {"APPS": [{"client_id": "id", "secret": "planted"}]}}


@pytest.fixture
def staff() -> User:
    return User.objects.create_superuser("staff@example.com", PASSWORD)


@pytest.fixture
def user() -> User:
    return User.objects.create_user("user@example.com", PASSWORD, name="Ursula")


@pytest.fixture
def as_staff(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
    reply: HttpResponse = getattr(client, method)(
        f"{API}{path}", body, content_type="application/json", headers=headers
    )
    return reply


def refusal(reply: Any) -> tuple[int, str, list[str]]:
    error = reply.json()["error"]
    return reply.status_code, error["code"], list(error["fields"])


# --- sign-in options


def test_the_options_follow_the_site_settings_at_once(client: Client, staff: User, settings: Settings) -> None:
    def options() -> dict[str, Any]:
        found: dict[str, Any] = client.get(f"{API}/auth-options").json()
        return found

    closed = {"password": True, "social": [], "registration": "closed", "setup_needed": False}
    assert options() == closed
    settings.SOCIALACCOUNT_PROVIDERS = GITHUB
    assert options() == closed | {"social": [{"id": "github", "name": "GitHub"}]}
    site_settings_update({"allow_social_login": False, "allowed_domains": ["example.com"]})
    assert options() == closed | {"registration": "listed"}
    site_settings_update({"allow_registration": True})
    assert options()["registration"] == "open"
    settings.SITE_OVERRIDES = {"allow_registration": False, "allow_password_login": False}
    assert options() == closed | {"password": False, "registration": "listed"}


# --- me


def test_people_see_and_rename_themselves(as_user: Client, user: User) -> None:
    me = as_user.get(f"{API}/me").json()
    assert (me["id"], me["email"], me["name"], me["is_staff"], me["has_password"]) == (
        *(user.pk, user.email, "Ursula", False, True),
    )
    assert send(as_user, "patch", "/me", {"name": " Ada "}).json()["name"] == "Ada"
    assert send(as_user, "patch", "/me", {}).json()["name"] == "Ada"
    assert refusal(send(as_user, "patch", "/me", {"is_staff": True})) == (400, "invalid", ["is_staff"])
    assert refusal(send(as_user, "patch", "/me", {"name": "x" * 151})) == (400, "invalid", ["name"])
    assert refusal(send(as_user, "patch", "/me", {"name": "a\x00b"})) == (400, "invalid", ["name"])
    user.refresh_from_db()
    assert (user.name, user.is_staff) == ("Ada", False)


# --- tokens


def test_a_token_is_shown_once_and_listed_without_it(as_user: Client) -> None:
    made = send(as_user, "post", "/tokens", {"name": "ci", "scope": "read"})
    assert made.status_code == 201
    token = made.json()["token"]
    (listed,) = as_user.get(f"{API}/tokens").json()
    assert listed == {name: value for name, value in made.json().items() if name != "token"}
    assert (listed["name"], listed["scope"], listed["hint"]) == ("ci", "read", token[:12])
    assert token not in as_user.get(f"{API}/tokens").content.decode()
    assert send(as_user, "delete", f"/tokens/{listed['id']}").status_code == 204
    assert as_user.get(f"{API}/tokens").json() == []
    assert Client().get(f"{API}/me", headers={"authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "a", "scope": "admin"}, "scope"),
        ({"name": "a", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "a", "expires_at": "2101-01-01T00:00:00"}, "expires_at"),
        ({"name": "a", "expires_at": "9999-12-31T23:59:59-23:00"}, "expires_at"),
        ({"name": "a", "expires_at": "0001-01-01T00:00:00+23:00"}, "expires_at"),
        ({"name": "a", "user": 1}, "user"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(as_user: Client, body: dict[str, Any], field: str) -> None:
    assert refusal(send(as_user, "post", "/tokens", body)) == (400, "invalid", [field])
    assert not ApiToken.objects.exists()


def test_the_token_of_another_is_not_there(as_user: Client, staff: User) -> None:
    row, _ = token_create(user=staff, name="theirs")
    assert as_user.get(f"{API}/tokens").json() == []
    for token_id in (row.pk, 2**70):
        assert refusal(send(as_user, "delete", f"/tokens/{token_id}")) == (404, "not_found", [])
    assert ApiToken.objects.filter(pk=row.pk).exists()


def test_a_token_made_with_a_token_does_not_outlive_it(user: User, client: Client) -> None:
    ends = timezone.now() + timedelta(days=2)
    first, token = token_create(user=user, name="first", expires_at=ends)
    bearer = {"authorization": f"Bearer {token}"}
    assert refusal(send(client, "post", "/tokens", {"name": "b"}, **bearer)) == (400, "invalid", ["expires_at"])
    later = {"name": "b", "expires_at": (ends + timedelta(days=1)).isoformat()}
    assert refusal(send(client, "post", "/tokens", later, **bearer)) == (400, "invalid", ["expires_at"])
    sooner = {"name": "b", "expires_at": (ends - timedelta(days=1)).isoformat()}
    second = send(client, "post", "/tokens", sooner, **bearer).json()["token"]
    assert client.get(f"{API}/me", headers={"authorization": f"Bearer {second}"}).status_code == 200
    assert send(client, "delete", f"/tokens/{first.pk}", **bearer).status_code == 204
    assert client.get(f"{API}/me", headers={"authorization": f"Bearer {second}"}).status_code == 401


def test_tokens_are_not_made_without_end(as_user: Client, user: User) -> None:
    rows = [ApiToken(user=user, name="x", hint="x", digest=str(number)) for number in range(200)]
    ApiToken.objects.bulk_create(rows)
    assert refusal(send(as_user, "post", "/tokens", {"name": "one more"})) == (400, "invalid", ["name"])


# --- site settings


def test_staff_change_site_settings(as_staff: Client) -> None:
    before = as_staff.get(f"{API}/settings").json()
    assert before["allow_registration"] is False
    assert (before["retention_days"], before["locked"]) == (None, {})
    changes = {"allow_registration": True, "allowed_emails": ["Ada@Example.com"], "retention_days": 30}
    reply = send(as_staff, "patch", "/settings", changes)
    assert reply.status_code == 200
    after = reply.json()
    assert (after["allow_registration"], after["allowed_emails"], after["retention_days"]) == (
        *(True, ["ada@example.com"], 30),
    )
    assert after["applied"] == "stopped"  # there is no supervisor
    assert after["generation"] == SiteSettings.load().generation
    assert send(as_staff, "patch", "/settings", {"retention_days": None}).json()["retention_days"] is None
    assert effective_site_settings().allow_registration


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"global_block": ["10.0.0.1/8"]}, "global_block"),
        ({"allowed_emails": ["nobody"]}, "allowed_emails"),
        ({"allow_registration": None}, "allow_registration"),
        ({"retention_days": 0}, "retention_days"),
        ({"generation": 7}, "generation"),
        ({"secret_key": "x"}, "secret_key"),
    ],
)
def test_bad_site_settings_are_refused_with_their_field(as_staff: Client, changes: dict[str, Any], field: str) -> None:
    assert refusal(send(as_staff, "patch", "/settings", {"allow_social_login": False, **changes})) == (
        *(400, "invalid", [field]),
    )
    assert effective_site_settings().allow_social_login


def test_what_the_environment_decides_is_said_and_refused(as_staff: Client, settings: Settings) -> None:
    settings.SITE_OVERRIDES = {"allow_registration": True}
    shown = as_staff.get(f"{API}/settings").json()
    assert (shown["allow_registration"], shown["locked"]) == (
        *(True, {"allow_registration": "RUBBERDUCK_ALLOW_REGISTRATION"}),
    )
    reply = send(as_staff, "patch", "/settings", {"allow_registration": False})
    assert refusal(reply) == (400, "invalid", ["allow_registration"])
    assert "RUBBERDUCK_ALLOW_REGISTRATION is set" in reply.json()["error"]["message"]


@pytest.mark.parametrize("name", SITE_FIELDS)
def test_each_setting_can_be_locked_and_says_by_which_variable(as_staff: Client, settings: Settings, name: str) -> None:
    SiteSettings.load()
    stored = as_staff.get(f"{API}/settings").json()[name]
    others = {"retention_days": 30, "global_block": ["10.0.0.1"], "global_allow": ["127.0.0.1"]}
    decided = not stored if isinstance(stored, bool) else others.get(name, ["::1"])
    settings.SITE_OVERRIDES = {name: decided}
    shown = as_staff.get(f"{API}/settings").json()
    variable = f"RUBBERDUCK_{name.upper()}"
    assert (shown[name], shown["locked"]) == (decided, {name: variable})
    reply = send(as_staff, "patch", "/settings", {name: stored})
    assert refusal(reply) == (400, "invalid", [name])
    assert reply.json()["error"]["fields"][name] == f"The environment decides this: {variable} is set."
    page = as_staff.get("/admin/accounts/sitesettings/1/change/").content.decode()
    assert f"{variable} decides" in page
    assert len(re.findall(r"<(?:input|textarea)[^>]* disabled", page)) == 1


def test_nobody_locks_themselves_out(as_staff: Client, staff: User) -> None:
    reply = send(as_staff, "patch", "/settings", {"allow_password_login": False})
    assert refusal(reply) == (400, "last_staff", ["allow_password_login"])
    reply = send(as_staff, "patch", "/settings", {"global_block": ["127.0.0.0/8"]})
    assert refusal(reply) == (400, "last_staff", ["global_block"])
    assert "127.0.0.1, block 127.0.0.0/8" in reply.json()["error"]["fields"]["global_block"]
    assert SiteSettings.load().global_block == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/settings"),
        ("patch", "/settings"),
        ("get", "/users"),
        ("post", "/users"),
        ("get", "/users/1"),
        ("patch", "/users/1"),
    ],
)
def test_settings_and_users_are_for_staff(as_user: Client, method: str, path: str) -> None:
    body = {"email": "new@example.com"} if method == "post" else {}
    assert refusal(send(as_user, method, path, body or None if method == "get" else body)) == (403, "not_allowed", [])
    assert refusal(send(Client(), method, path, body or None))[:2] == (401, "not_signed_in")


def test_staff_with_few_rights_have_few_rights_here(client: Client, staff: User) -> None:
    looker = User.objects.create_user("look@example.com", is_staff=True)
    looker.user_permissions.add(
        *Permission.objects.filter(codename__in=["view_sitesettings", "add_user", "change_user"])
    )
    client.force_login(looker)
    assert client.get(f"{API}/settings").status_code == 200
    assert refusal(send(client, "patch", "/settings", {"allow_registration": True}))[0] == 403
    assert send(client, "post", "/users", {"email": "a@example.com"}).status_code == 201
    assert refusal(send(client, "post", "/users", {"email": "b@example.com", "is_staff": True}))[0] == 403
    assert refusal(send(client, "patch", f"/users/{looker.pk}", {"is_staff": True}))[0] == 403
    assert refusal(send(client, "patch", f"/users/{staff.pk}", {"is_active": False}))[0] == 403
    assert not User.objects.get(email="a@example.com").is_staff


# --- users


def test_staff_see_all_accounts_by_pages(as_staff: Client, staff: User, user: User) -> None:
    first = as_staff.get(f"{API}/users?limit=1").json()
    assert ([one["email"] for one in first["users"]], first["next"]) == ([staff.email], staff.pk)
    second = as_staff.get(f"{API}/users?limit=1&after={first['next']}").json()
    assert ([one["email"] for one in second["users"]], second["next"]) == ([user.email], None)
    found = as_staff.get(f"{API}/users?search=URSULA").json()["users"]
    assert [one["id"] for one in found] == [user.pk]
    assert "password" not in found[0]
    assert as_staff.get(f"{API}/users/{user.pk}").json() == found[0]
    assert refusal(as_staff.get(f"{API}/users/{2**70}")) == (404, "not_found", [])
    assert as_staff.get(f"{API}/users?search=%00").status_code == 200


def test_staff_make_accounts_with_and_without_a_password(as_staff: Client) -> None:
    made = send(as_staff, "post", "/users", {"email": " New@Example.com", "name": "New", "is_staff": True})
    assert made.status_code == 201
    user = User.objects.get(pk=made.json()["id"])
    assert (user.email, user.is_staff, user.is_superuser, user.has_usable_password()) == (
        *("new@example.com", True, True, False),
    )
    assert EmailAddress.objects.get(user=user).verified
    assert send(as_staff, "post", "/users", {"email": "b@example.com", "password": PASSWORD}).status_code == 201
    assert User.objects.get(email="b@example.com").check_password(PASSWORD)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "USER@example.com"}, "email"),
        ({"email": "user"}, "email"),
        ({"email": "a\x00@example.com"}, "email"),
        ({"email": "a@example.com", "password": "12345678"}, "password"),
        ({"email": "a@example.com", "password": "x" * 1025}, "password"),
        ({"email": "a@example.com", "is_superuser": True}, "is_superuser"),
    ],
)
@pytest.mark.usefixtures("user")
def test_an_account_that_makes_no_sense_is_refused(as_staff: Client, body: dict[str, Any], field: str) -> None:
    reply = send(as_staff, "post", "/users", body)
    assert refusal(reply) == (400, "invalid", [field])
    assert "12345678" not in reply.content.decode()
    assert User.objects.count() == 2


def test_the_last_of_the_staff_stays(as_staff: Client, staff: User, user: User) -> None:
    for change in ({"is_active": False}, {"is_staff": False}):
        assert refusal(send(as_staff, "patch", f"/users/{staff.pk}", change)) == (400, "last_staff", list(change))
    assert send(as_staff, "patch", f"/users/{user.pk}", {"is_staff": True}).json()["is_staff"]
    assert send(as_staff, "patch", f"/users/{staff.pk}", {"is_staff": False}).status_code == 200
    assert send(as_staff, "get", "/users").status_code == 403
    staff.refresh_from_db()
    assert (staff.is_staff, staff.is_superuser) == (False, False)


def test_a_token_of_staff_does_what_staff_does(client: Client, staff: User) -> None:
    _, token = token_create(user=staff, name="ops")
    bearer = {"authorization": f"Bearer {token}"}
    assert send(client, "patch", "/settings", {"allow_registration": True}, **bearer).status_code == 200
    _, reading = token_create(user=staff, name="monitor", scope="read")
    bearer = {"authorization": f"Bearer {reading}"}
    assert client.get(f"{API}/settings", headers=bearer).json()["allow_registration"]
    assert send(client, "patch", "/settings", {"allow_registration": False}, **bearer).status_code == 403
