"""Passwords, tokens and keys go in and are found nowhere: not in the database, the console, mails, pages or answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.accounts.provider import Provider
from tests.accounts.serving import Web, database_of_its_own, totp_code

SECRET_KEY = "planted-secret-key-" + "7" * 32
PASSWORD = "planted-password-one-41c0"
NEW_PASSWORD = "planted-password-two-93d7"
WRONG_PASSWORD = "planted-wrong-password-5f"
OTHERS_PASSWORD = "planted-others-password-8a"
WRONG_TOKEN = "rdk_planted-wrong-token-17"
CLIENT_SECRET = "planted-client-secret-aa"
COOKIE = "planted-cookie-c3"
SENT_ASTRAY = "planted-astray-d4"
SECRETS = [
    *(SECRET_KEY, PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, OTHERS_PASSWORD),
    *(WRONG_TOKEN, CLIENT_SECRET, COOKIE, SENT_ASTRAY),
]
FIRST, OTHER = "first@example.com", "other@example.com"
# Not secret: what proves that a place is really being looked through.
MARK = FIRST


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    for url in database_of_its_own(os.environ.get("DATABASE_URL", ""), f"secrets_{worker}"):
        web = Web(tmp_path, Provider(url="http://127.0.0.1:9"), url)
        web.environment |= {
            "RUBBERDUCK_SECRET_KEY": SECRET_KEY,
            "RUBBERDUCK_GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
            "RUBBERDUCK_GITHUB_CLIENT_SECRET": CLIENT_SECRET,
            "RUBBERDUCK_ALLOW_REGISTRATION": "1",
        }
        try:
            web.start()
            yield web
        finally:
            web.close()


class Told:
    """A browser that remembers all it was told. `secret`: what one answer alone may tell, and has told."""

    def __init__(self, web: Web) -> None:
        self.texts: list[str] = []
        self.http = httpx.Client(
            base_url=web.url, timeout=60, trust_env=False, headers={"origin": web.url, "x-forwarded-for": "10.1.2.3"}
        )

    def send(self, method: str, path: str, *, keep: bool = True, **options: Any) -> httpx.Response:
        token = {"x-csrftoken": self.http.cookies.get("csrftoken", "")}
        reply = self.http.request(method, path, **{**options, "headers": token | options.get("headers", {})})
        assert reply.status_code < 500 or path == "/readyz", (path, reply.text)  # there is no supervisor
        if keep:
            self.texts.append(f"{reply.headers} {reply.text}")
        return reply

    def allauth(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self.send("POST", f"/_allauth/browser/v1/{path}", json=body)


def test_no_secret_stays_anywhere(web: Web) -> None:
    told = Told(web)
    with told.http:
        _go_astray(told)
        made = _live(web, told)
        _go_astray(told)
        pages = _look_at_everything(web, told)
    secrets = [*SECRETS, *made]
    assert len(secrets) == len(SECRETS) + 3
    everything = "\n".join(told.texts)
    assert MARK in everything
    assert pages > 20
    assert [secret for secret in secrets if secret in everything] == []

    mails = b"".join(path.read_bytes() for path in web.mail_dir.glob("*")).decode()
    assert MARK in mails
    assert [secret for secret in secrets if secret in mails] == []

    stored = web.ask("""
from django.apps import apps
result = [f"{model.__name__} {row!r}" for model in apps.get_models() for row in model._base_manager.values()]
""")
    assert any(MARK in row for row in stored)
    # The secret of the second factor is stored encrypted, sessions and what they hold as they are.
    assert [(row, secret) for row in stored for secret in secrets if secret in row] == []

    web.close()
    assert WRONG_PASSWORD not in web.log
    files = {path: path.read_bytes() for path in web.mail_dir.parent.rglob("*") if path.is_file()}
    assert web.log_file in files
    assert [(path, secret) for path, content in files.items() for secret in secrets if secret.encode() in content] == []


def _go_astray(told: Told) -> None:
    """Everything that is refused, with something secret in it."""
    told.send("GET", "/_allauth/browser/v1/config")
    bearer = {"authorization": f"Bearer {WRONG_TOKEN}"}
    for path in ("/api/v1/me", "/api/v1/nothing", "/api/v1/proxies/77", "/nothing"):
        told.send("GET", f"{path}?token={SENT_ASTRAY}", headers=bearer | {"cookie": f"session={COOKIE}"})
    told.send("POST", "/api/v1/setup", json={"email": "x", "password": WRONG_PASSWORD, "code": SENT_ASTRAY})
    told.send("POST", "/api/v1/setup", content=f'{{"password": "{WRONG_PASSWORD}'.encode())
    told.send("POST", "/api/v1/users", json={"email": OTHER, "password": WRONG_PASSWORD, "pin": SENT_ASTRAY})
    told.send("POST", "/api/v1/tokens", json={"name": ["x"], "token": SENT_ASTRAY})
    told.send("PATCH", "/api/v1/settings", json={"secret_key": SENT_ASTRAY, "global_block": [7]})
    told.allauth("auth/login", {"email": FIRST, "password": WRONG_PASSWORD})
    told.allauth("auth/password/reset", {"key": SENT_ASTRAY, "password": WRONG_PASSWORD})
    told.send("POST", "/admin/login/", data={"username": FIRST, "password": WRONG_PASSWORD})
    told.send("GET", f"/accounts/google/login/callback/?code={SENT_ASTRAY}&state={COOKIE}")


def _live(web: Web, told: Told) -> list[str]:
    """A first account, another, a token, a second factor, a changed password; the secrets that were made on the way."""
    told.send("GET", "/api/v1/setup")
    web.log_file.write_text("")  # the code for the first account stands on the console, as it should
    account = {"email": FIRST, "password": PASSWORD}
    # Behind a proxy that is trusted the web asks for the code; on this machine alone it does not.
    del told.http.headers["x-forwarded-for"]
    assert told.send("POST", "/api/v1/setup", json=account).status_code == 201
    made = told.send("POST", "/api/v1/tokens", json={"name": "script"}, keep=False).json()["token"]
    told.send("GET", "/api/v1/me", headers={"authorization": f"Bearer {made}"})
    told.send("GET", f"/api/v1/proxies?search={made}", headers={"authorization": f"Bearer {made}"})
    other = {"email": OTHER, "password": OTHERS_PASSWORD}
    assert told.send("POST", "/api/v1/users", json=other).status_code == 201
    assert told.allauth("auth/reauthenticate", {"password": PASSWORD}).status_code == 200
    totp = told.send("GET", "/_allauth/browser/v1/account/authenticators/totp", keep=False).json()["meta"]["secret"]
    reply = told.allauth("account/authenticators/totp", {"code": totp_code(totp)})
    if reply.status_code == 400:  # the moment of the code passed on the way
        reply = told.allauth("account/authenticators/totp", {"code": totp_code(totp)})
    assert reply.status_code == 200, reply.text
    codes = told.send("GET", "/_allauth/browser/v1/account/authenticators/recovery-codes", keep=False).json()
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert told.allauth("account/password/change", change).status_code == 200
    return [made, totp, codes["data"]["unused_codes"][0]]


def _look_at_everything(web: Web, told: Told) -> int:
    """Every page of the admin and every answer of the API that staff can see; how many."""
    pages: list[str] = web.ask("""
from django.contrib import admin
from django.urls import reverse
result = ["/", "/admin/", "/healthz", "/readyz", "/setup"]
for model in admin.site._registry:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    result.append(reverse(f"{name}_changelist"))
    result += [reverse(f"{name}_change", args=[row.pk]) for row in model.objects.all()]
""")
    paths = told.send("GET", "/api/v1/openapi.json").json()["paths"]
    pages += [path for path, methods in paths.items() if "get" in methods and "{" not in path]
    assert "/api/v1/settings" in pages
    statuses = {page: told.send("GET", page).status_code for page in pages}
    assert {page: status for page, status in statuses.items() if status not in (200, 302, 503)} == {}
    return len(pages)
