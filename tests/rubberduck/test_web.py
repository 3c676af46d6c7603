"""The web as browsers meet it: pages, headers, static files, the API's documentation, websockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import DataError, OperationalError, connection, connections
from django.test import Client
from pytest_django import Settings
from whitenoise.middleware import WhiteNoiseMiddleware

from accounts.models import User
from providers.registry import all_providers
from rubberduck.asgi import application

pytestmark = pytest.mark.django_db  # every request is asked whether the global access lists let it in


def test_every_reply_has_the_strict_policy(client: Client) -> None:
    pages = ("/", "/setup", "/admin/login/", "/healthz", "/api/v1/providers", "/nothing")
    for path in (*pages, "/static/admin/css/base.css"):  # the file last: closing it ends what the test has open
        reply = client.get(path)
        if path not in pages:
            reply.close()
        policy = reply["Content-Security-Policy"] + ";"  # the order of directives differs from process to process
        assert "default-src 'none'" in policy, path
        assert "script-src 'self';" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert reply["X-Frame-Options"] == "DENY"
        assert reply["Referrer-Policy"] == "same-origin"
        assert reply["Cross-Origin-Opener-Policy"] == "same-origin"
        assert reply["X-Content-Type-Options"] == "nosniff"


def test_the_page_is_never_cached_and_its_absence_is_said(client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.FRONTEND_DIST = tmp_path
    User.objects.create_user("user@example.com")
    reply = client.get("/")
    assert reply.status_code == 503
    assert b"make setup" in reply.content
    (tmp_path / "index.html").write_text("<!doctype html><title>Rubberduck</title>")
    reply = client.get("/")
    assert (reply.status_code, reply["Cache-Control"]) == (200, "no-cache")
    assert reply["Content-Type"] == "text/html; charset=utf-8"


def test_without_an_account_the_start_page_leads_to_where_the_first_one_is_made(client: Client) -> None:
    reply = client.get("/")
    assert (reply.status_code, reply["Location"]) == (302, "/setup")


def test_static_files_are_for_our_own_pages_and_hashed_ones_never_change(settings: Settings) -> None:
    whitenoise = WhiteNoiseMiddleware(lambda request: None)
    assert whitenoise.immutable_file_test("", "/static/assets/index-C5nkbBq3.js")
    assert whitenoise.immutable_file_test("", "/static/assets/inter-latin-wght-normal-Dx4kXJAl.woff2")
    assert not whitenoise.immutable_file_test("", "/static/theme.js")
    assert not whitenoise.immutable_file_test("", "/static/admin/css/base.css")
    assert not settings.WHITENOISE_ALLOW_ALL_ORIGINS


def test_the_admin_sends_its_own_styles(client: Client) -> None:
    reply = client.get("/static/admin/css/base.css")
    reply.close()
    assert reply.status_code == 200
    assert "Access-Control-Allow-Origin" not in reply


def test_the_documentation_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/v1/docs").content.decode()
    assert "/static/ninja/swagger-ui-bundle.js" in page
    assert "https://cdn" not in page
    assert "img-src 'self' data:" in client.get("/api/v1/docs")["Content-Security-Policy"]
    assert "/api/v1/providers" in client.get("/api/v1/openapi.json").json()["paths"]


def test_providers_are_described_with_code_for_their_clients(client: Client) -> None:
    found = {provider["id"]: provider for provider in client.get("/api/v1/providers").json()}
    assert found.keys() == all_providers().keys()
    assert {provider_id for provider_id, provider in found.items() if provider["needs_upstream"]} == {"azure_openai"}
    for provider in found.values():
        assert provider["label"]
        assert provider["example_model"]
        assert provider["snippets"]
    assert "http://127.0.0.1:8001" in found["openai"]["snippets"][0]["code"]


def test_nothing_that_the_api_says_is_kept_by_a_cache(client: Client) -> None:
    client.force_login(User.objects.create_user("user@example.com"))
    for path in ("me", "proxies/by-name/x.css", "openapi.json", "docs", "nothing"):
        assert client.get(f"/api/v1/{path}")["Cache-Control"] == "no-store", path


def test_a_foreign_host_is_refused(client: Client) -> None:
    assert client.get("/healthz", headers={"host": "evil.example.com"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/setup", "text/plain"),
        ("/_allauth/browser/v1/auth/session", "application/json"),
        ("/_allauth/browser/v1/config", "application/json"),
        ("/api/v1/me", "application/json"),
        ("/admin/", "text/plain"),
    ],
)
@pytest.mark.parametrize(("error", "status"), [(OperationalError, 503), (DataError, 500)])
def test_a_database_that_is_away_is_said_to_be(
    client: Client, settings: Settings, path: str, kind: str, error: type[Exception], status: int
) -> None:
    def fail(*args: Any) -> None:
        raise error("planted-5b17")

    client.raise_request_exception = False
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    with connection.execute_wrapper(fail):
        reply = client.get(path)
    assert reply.status_code == status
    assert reply["Content-Type"].startswith(kind)
    assert ("try again later" in reply.content.decode()) is (status == 503)
    assert b"planted" not in reply.content
    assert "default-src 'none'" in reply["Content-Security-Policy"]


@pytest.mark.parametrize("provider", ["google", "github"])
def test_nobody_comes_back_from_a_provider_that_is_not_configured(client: Client, provider: str) -> None:
    client.raise_request_exception = False
    assert client.get(f"/accounts/{provider}/login/callback/?code=1&state=x").status_code == 404


@pytest.fixture
async def _closed_connections() -> AsyncIterator[None]:
    """Channels' own communicator keeps the database connections of the threads it uses open."""
    yield
    await sync_to_async(connections.close_all)()


@pytest.mark.usefixtures("_closed_connections")
@pytest.mark.parametrize("path", ["/", "/ws/nothing"])
async def test_a_websocket_to_an_unknown_path_is_closed(path: str) -> None:
    socket = WebsocketCommunicator(application, path, headers=[(b"origin", b"http://localhost")])
    is_connected, code = await socket.connect()
    assert (is_connected, code) == (False, 4404)


@pytest.mark.usefixtures("_closed_connections")
async def test_a_websocket_from_a_foreign_page_is_refused() -> None:
    socket = WebsocketCommunicator(application, "/", headers=[(b"origin", b"https://evil.example.com")])
    is_connected, code = await socket.connect()
    assert not is_connected
    assert code != 4404
