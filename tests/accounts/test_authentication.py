"""Who asks the API: the holder of a token, else who has signed in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import ApiToken, TokenScope, User
from accounts.services import token_create, user_update
from accounts.sessions import SessionStore

pytestmark = pytest.mark.django_db
ME = "/api/v1/me"


@pytest.fixture
def user() -> User:
    return User.objects.create_user("user@example.com", "correct horse battery staple")


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def strict() -> Client:
    """A browser that is held to CSRF tokens, as real ones are."""
    return Client(enforce_csrf_checks=True)


def test_a_token_is_its_user_and_needs_no_csrf_token(strict: Client, user: User) -> None:
    _, token = token_create(user=user, name="script")
    assert strict.get(ME, headers=bearer(token)).json()["email"] == user.email
    assert strict.get(ME, headers={"authorization": f"bearer  {token} "}).status_code == 401
    reply = strict.patch(ME, {"name": "Ada"}, content_type="application/json", headers=bearer(token))
    assert (reply.status_code, reply.json()["name"]) == (200, "Ada")
    assert "Set-Cookie" not in reply


def test_a_session_is_its_user_and_needs_a_csrf_token(strict: Client, user: User) -> None:
    strict.force_login(user)
    assert strict.get(ME).json()["email"] == user.email
    reply = strict.patch(ME, {"name": "Ada"}, content_type="application/json")
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "not_allowed")
    strict.get("/api/v1/setup")
    token = {"x-csrftoken": strict.cookies["csrftoken"].value}
    assert strict.patch(ME, {"name": "Ada"}, content_type="application/json", headers=token).status_code == 200


@pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
def test_nobody_is_told_to_sign_in_before_anything_else(strict: Client, method: str) -> None:
    reply = getattr(strict, method)(
        "/api/v1/tokens/1" if method == "delete" else "/api/v1/tokens" if method == "post" else ME
    )
    assert reply.status_code == 401
    assert reply.json()["error"] == {"code": "not_signed_in", "message": "Sign in first.", "fields": {}}


@pytest.mark.parametrize("token", ["rdk_unknown", "", "eyJhbGciOiJIUzI1NiJ9.e30.x", "null", "rdk_\x7f", "a b c"])
def test_a_token_nobody_knows_is_refused_even_beside_a_good_cookie(strict: Client, user: User, token: str) -> None:
    strict.force_login(user)
    reply = strict.get(ME, headers=bearer(token))
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "not_signed_in")
    assert "not known" in reply.json()["error"]["message"]


def test_a_token_ends_when_its_time_is_over(client: Client, user: User) -> None:
    row, token = token_create(user=user, name="script", expires_at=timezone.now() + timedelta(days=1))
    assert client.get(ME, headers=bearer(token)).status_code == 200
    ApiToken.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    reply = client.get(ME, headers=bearer(token))
    assert (reply.status_code, reply.json()["error"]["message"]) == (401, "This token has expired.")


def test_the_tokens_and_sessions_of_a_deactivated_user_are_gone_for_good(client: Client, user: User) -> None:
    _, token = token_create(user=user, name="script")
    client.force_login(user)
    assert client.get(ME).status_code == 200
    user_update(user=user, is_active=False)
    assert client.get(ME).status_code == 401
    assert client.get(ME, headers=bearer(token)).status_code == 401
    user_update(user=user, is_active=True)
    assert client.get(ME, headers=bearer(token)).status_code == 401


def test_a_sign_in_that_was_on_its_way_when_its_user_was_deactivated_does_not_come_back(
    client: Client, user: User
) -> None:
    user_update(user=user, is_active=False)
    store = SessionStore()
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(user.pk), settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    UserSession.objects.create(user=user, session_key=store.session_key, ip="192.0.2.7", user_agent="Lynx")
    client.cookies[settings.SESSION_COOKIE_NAME] = str(store.session_key)
    assert client.get(ME).status_code == 401
    user_update(user=user, is_active=True)
    assert client.get(ME).status_code == 401


def test_a_deactivated_user_is_refused_however_it_was_done(client: Client, user: User) -> None:
    _, token = token_create(user=user, name="script")
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get(ME, headers=bearer(token)).status_code == 401


def test_a_token_for_reading_changes_nothing(client: Client, user: User) -> None:
    _, token = token_create(user=user, name="script", scope=TokenScope.READ)
    assert client.get(ME, headers=bearer(token)).status_code == 200
    assert client.get("/api/v1/tokens", headers=bearer(token)).status_code == 200
    for method, path in (("patch", ME), ("post", "/api/v1/tokens"), ("delete", "/api/v1/tokens/1")):
        reply = getattr(client, method)(path, {"name": "x"}, content_type="application/json", headers=bearer(token))
        assert reply.status_code == 403
        assert reply.json()["error"]["message"] == "This token may only read."


def test_its_use_is_noted_once_a_minute(
    client: Client, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row, token = token_create(user=user, name="script")
    assert row.last_used_at is None
    client.get(ME, headers=bearer(token))
    row.refresh_from_db()
    first = row.last_used_at
    assert first is not None
    with django_assert_num_queries(2):  # the version of the access lists, and the token
        client.get(ME, headers=bearer(token))
    row.refresh_from_db()
    assert row.last_used_at == first
    ApiToken.objects.filter(pk=row.pk).update(last_used_at=first - timedelta(minutes=2))
    client.get(ME, headers=bearer(token))
    row.refresh_from_db()
    assert row.last_used_at is not None
    assert row.last_used_at >= first
