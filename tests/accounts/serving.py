"""The real web server for tests of signing in, browsers and programs that talk to it, and the mails it sends."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import itertools
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.accounts.provider import CLIENTS, Provider

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0  # the longest a start may take on a busy machine
PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def new_address(name: str = "ada", domain: str = "example.com") -> str:
    """An address no other test uses."""
    return f"{name}-{next(_numbers)}@{domain}"


class Web:
    """An installation with a running web server, and a process beside it to look into its database."""

    def __init__(self, directory: Path, provider: Provider, database_url: str) -> None:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port: int = sock.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.mail_dir = directory / "mails"
        self.log_file = directory / "log"
        self.provider = provider
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "tests.accounts.served_settings",
            "PROVIDER_URL": provider.url,
            "RUBBERDUCK_ENV_FILE": "",
            "RUBBERDUCK_DATA_DIR": str(directory),
            "RUBBERDUCK_WEB_BIND": f"127.0.0.1:{self.port}",
            # So that every browser can have an address, and rate limits, of its own.
            "RUBBERDUCK_TRUSTED_PROXIES": "127.0.0.1",
            "RUBBERDUCK_MAIL_FROM": "Duck <duck@example.net>",
            "EMAIL_URL": self.mail_dir.as_uri(),
            "DATABASE_URL": database_url,
        }
        for name, (client_id, secret) in CLIENTS.items():
            self.environment[f"RUBBERDUCK_{name.upper()}_CLIENT_ID"] = client_id
            self.environment[f"RUBBERDUCK_{name.upper()}_CLIENT_SECRET"] = secret
        self._console = subprocess.Popen(
            [sys.executable, "-m", "tests.process.console"],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.ask("from django.core.management import call_command\ncall_command('migrate', verbosity=0)\nresult = None")
        with self.log_file.open("ab") as log:
            self._server = subprocess.Popen(
                [
                    *(sys.executable, "-m", "daphne", "--bind", "127.0.0.1", "--port", str(self.port)),
                    *("--verbosity", "0", "rubberduck.asgi:application"),
                ],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                assert time.monotonic() < deadline, self.log
                time.sleep(0.05)

    def close(self) -> None:
        for process in (self._server, self._console):
            if process is not None:
                process.kill()
                process.wait()
        for pipe in (self._console.stdin, self._console.stdout):
            assert pipe is not None
            pipe.close()

    @property
    def log(self) -> str:
        return self.log_file.read_text() if self.log_file.exists() else ""

    def ask(self, code: str, **values: Any) -> Any:
        """Runs `code` with Django set up, `values` as its variables; what it assigns to `result`."""
        assert self._console.stdin is not None
        assert self._console.stdout is not None
        self._console.stdin.write(json.dumps({"code": code, "values": values}).encode() + b"\n")
        self._console.stdin.flush()
        answer = json.loads(self._console.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def set_site(self, **changes: Any) -> None:
        """Stores site settings, behind the server's back; the rest gets the defaults."""
        code = """
from accounts.models import SiteSettings
SiteSettings.objects.all().delete()
SiteSettings.objects.create(pk=1, **changes)
result = None
"""
        self.ask(code, changes=changes)

    def forget_attempts(self) -> None:
        """As if so much time had passed that no rate limit and no used one-time code is remembered."""
        self.ask("from django.core.cache import cache\ncache.clear()\nresult = None")

    def age_sessions(self, seconds: float) -> None:
        """As if so much time had passed since what the stored sessions remember."""
        code = """
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

def age(value):
    if isinstance(value, dict):
        return {
            name: part - seconds if name in ("at", "initiated_at") and part else age(part)
            for name, part in value.items()
        }
    return [age(part) for part in value] if isinstance(value, list) else value

for row in Session.objects.all():
    row.session_data = SessionStore().encode(age(row.get_decoded()))
    row.save()
result = None
"""
        self.ask(code, seconds=seconds)

    def add_account(self, address: str, password: str | None = PASSWORD, **fields: Any) -> str:
        """An account with a verified address; the address."""
        code = """
from accounts.models import User
from accounts.services import email_mark_verified
email_mark_verified(user=User.objects.create_user(address, password, **fields))
result = None
"""
        self.ask(code, address=address, password=password, fields=fields)
        return address

    def accounts(self, address: str) -> list[dict[str, Any]]:
        """The accounts with this address: `email`, `name`, `verified` addresses."""
        code = """
from accounts.models import User
result = [
    {"email": user.email, "name": user.name, "is_staff": user.is_staff,
     "verified": sorted(user.emailaddress_set.filter(verified=True).values_list("email", flat=True))}
    for user in User.objects.filter(email=address)
]
"""
        found: list[dict[str, Any]] = self.ask(code, address=address)
        return found

    # --- mails

    def mails(self, address: str) -> list[EmailMessage]:
        """What was sent to the address, oldest first."""
        found: list[EmailMessage] = []
        for path in sorted(self.mail_dir.glob("*"), key=lambda path: path.stat().st_mtime_ns):
            for text in re.split(rb"^-{79}$", path.read_bytes(), flags=re.MULTILINE):
                if text.strip():
                    message = email.message_from_bytes(text.strip(), policy=email.policy.default)
                    assert isinstance(message, EmailMessage)
                    if message["to"] == address:
                        found.append(message)
        return found

    def code(self, address: str) -> str:
        """The code in the newest mail to the address."""
        match = re.search(r"^([A-Z]{4}-[A-Z]{4})$", plain_text(self.mails(address)[-1]), re.MULTILINE)
        assert match, plain_text(self.mails(address)[-1])
        return match[1]


def plain_text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return body.get_content()


def page(message: EmailMessage) -> str:
    body = message.get_body(("html",))
    assert body is not None
    return body.get_content()


@dataclass(frozen=True)
class Reply:
    status: int
    body: dict[str, Any]

    @property
    def errors(self) -> list[tuple[str | None, str]]:
        """Parameter and code of each."""
        return [(error.get("param"), error["code"]) for error in self.body.get("errors", [])]

    @property
    def pending(self) -> list[str]:
        """The flows that wait for an answer."""
        return [flow["id"] for flow in self.body["data"]["flows"] if flow.get("is_pending")]

    @property
    def flows(self) -> set[str]:
        return {flow["id"] for flow in self.body["data"]["flows"]}


class Browser:
    """Keeps cookies and sends CSRF tokens and its origin, as the pages do. `ip`: where the server sees it."""

    def __init__(self, web: Web, ip: str | None = None) -> None:
        number = next(_numbers)
        self.web = web
        self.ip = ip or f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        headers = {"x-forwarded-for": self.ip, "user-agent": "Netscape 4", "origin": web.url}
        self.http = httpx.Client(base_url=web.url, headers=headers, timeout=PATIENCE_S, trust_env=False)

    def __enter__(self) -> Browser:
        self.config = self.get("config").body["data"]
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    @property
    def csrf_token(self) -> str:
        return self.http.cookies.get("csrftoken", "")

    def call(self, method: str, path: str, **body: Any) -> Reply:
        """Of allauth's API for browsers."""
        return _reply(
            self.http.request(
                method,
                f"/_allauth/browser/v1/{path}",
                json=body if method != "GET" else None,
                headers={"x-csrftoken": self.csrf_token},
            )
        )

    def get(self, path: str) -> Reply:
        return self.call("GET", path)

    def post(self, path: str, **body: Any) -> Reply:
        return self.call("POST", path, **body)

    def log_in(self, address: str, password: str = PASSWORD) -> Reply:
        return self.post("auth/login", email=address, password=password)

    def is_signed_in(self) -> bool:
        return self.get("auth/session").status == 200

    def reauthenticate(self, password: str = PASSWORD) -> None:
        assert self.post("auth/reauthenticate", password=password).status == 200

    def follow(self, form: Mapping[str, str]) -> str:
        """Posts the form that leads to a provider, and goes where it is sent until it is back; the address there."""
        token = {"csrfmiddlewaretoken": self.csrf_token}
        reply = self.http.post("/_allauth/browser/v1/auth/provider/redirect", data={**form, **token})
        for _ in range(5):
            if reply.status_code != 302:
                break
            place = reply.headers["location"]
            if place.startswith(("/welcome", f"{self.web.url}/welcome")):
                return place.removeprefix(self.web.url)
            reply = self.http.get(place, headers={"origin": ""})
        raise AssertionError(f"{reply.status_code} {reply.url} {reply.text[:300]}")

    def go_through(self, provider: str, process: str = "login") -> str:
        return self.follow({"provider": provider, "process": process, "callback_url": "/welcome"})

    def admin_log_in(self, address: str, password: str = PASSWORD, code: str = "") -> httpx.Response:
        place = "/admin/login/?next=/admin/"
        self.http.get(place)
        form = {"username": address, "password": password, "code": code, "next": "/admin/"}
        return self.http.post(place, data={**form, "csrfmiddlewaretoken": self.csrf_token})


class Program:
    """A client of allauth's API for programs: no cookies, a session token in a header."""

    def __init__(self, web: Web) -> None:
        number = next(_numbers)
        self.token = ""
        headers = {"x-forwarded-for": f"10.{128 + (number >> 16 & 127)}.{number >> 8 & 255}.{number & 255}"}
        self.http = httpx.Client(base_url=web.url, headers=headers, timeout=PATIENCE_S, trust_env=False)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, headers: Mapping[str, str] | None = None, **body: Any) -> Reply:
        token = {"x-session-token": self.token} if self.token else {}
        reply = _reply(
            self.http.request(
                method, f"/_allauth/app/v1/{path}", json=body or None, headers=token if headers is None else headers
            )
        )
        self.token = reply.body.get("meta", {}).get("session_token", self.token)
        return reply


def _reply(reply: httpx.Response) -> Reply:
    try:
        return Reply(reply.status_code, reply.json())
    except ValueError:
        return Reply(reply.status_code, {"text": reply.text})


def totp_code(secret: str, periods_ahead: int = 0) -> str:
    """What an authenticator app shows now."""
    counter = int(time.time()) // 30 + periods_ahead
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF) % 10**6:06}"


def database_of_its_own(url: str, name: str) -> Iterator[str]:
    """The URL of an empty database on the PostgreSQL server of `url`, gone afterwards; "" (SQLite) without one."""
    if not url.startswith("postgres"):
        yield ""
        return
    base, _, query = url.partition("?")
    with psycopg.connect(url, autocommit=True) as connection:
        drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
        connection.execute(drop)  # type: ignore[call-overload]
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        yield f"{base.rpartition('/')[0]}/{name}{f'?{query}' if query else ''}"
        connection.execute(drop)  # type: ignore[call-overload]
