"""Keys, prompts and cookies pass through and stay nowhere: planted in every way in, and looked for everywhere."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.process.deployment import wait_until
from tests.wire.rubberduck import AZURE, CREDENTIAL, PROXY_KEY, Rubberduck, RunningProxy
from tests.wire.sdks import NEWEST, Result, run_driver
from tests.wire.standin.client import StandIn

KEY = "planted-key-5e1f"
PROMPT = "planted-prompt-90ac"
COOKIE = "planted-cookie-77d2"
# What the stand-in knows as AWS keys: the clients' pair, and the one the proxies refer to.
AWS = ("AKIASTANDIN000000001", "standin-secret-key-number-one", PROXY_KEY, "standin-secret-key-two", "standin-session")
WRONG_SECRET = "planted-wrong-secret-13b8"
SECRETS = (KEY, PROMPT, COOKIE, WRONG_SECRET, *AWS)
# Not secret, and in every record: what proves that a place is really being looked through.
MARK = "gpt-4o-mini"

# (set-up, proxy, key); the Bedrock ones bring AWS keys of their own.
_DRIVEN = (
    ("openai-python", "openai", f"sk-{KEY}"),
    ("openai-js", "openai", f"sk-{KEY}"),
    ("azure-python-deployments", "azure", KEY),
    ("azure-python-entra", "azure", KEY),
    ("anthropic-js", "anthropic", f"sk-ant-{KEY}"),
    ("google-genai-js-gemini", "vertex", f"AIza{KEY}"),
    ("google-genai-python-vertex", "vertex", f"ya29.{KEY}"),
    ("boto3", "bedrock", None),
    ("boto3-aws-headers", "bedrock", None),
    ("boto3-forward-proxy", "bedrock", None),
    ("aws-bedrock-js-bearer", "bedrock", f"bedrock-api-key-{KEY}"),
)


@pytest.fixture
def rubberduck(
    tmp_path: Path, standin: StandIn, make_database: Callable[[Path], str], worker_number: int
) -> Iterator[Rubberduck]:
    """An installation of this test's own, to be stopped and searched."""
    running = Rubberduck(tmp_path, standin, make_database(tmp_path), worker_number)
    yield running
    running.close()


def test_no_secret_stays_anywhere(rubberduck: Rubberduck, standin: StandIn, untrusted: StandIn) -> None:
    proxies = {
        "openai": rubberduck.proxy("openai", "openai"),
        "azure": rubberduck.proxy("azure", "azure_openai", "--upstream", AZURE),
        "anthropic": rubberduck.proxy("anthropic", "anthropic"),
        "vertex": rubberduck.proxy("vertex", "vertex_ai"),
        "bedrock": rubberduck.proxy("bedrock", "bedrock", "--credential", CREDENTIAL, region="us-east-1"),
        "failing": rubberduck.proxy(
            "failing", "openai", "--upstream", f"https://127.0.0.1:{untrusted.tls_port}", timeouts__silence_s=0.5
        ),
        "blocked": rubberduck.proxy("blocked", "openai", access__block=["127.0.0.1"]),
    }
    since, upstream_starts = datetime.now(UTC), standin.last_number()
    told: list[str] = [json.dumps(_drive(name, proxies[proxy], key)) for name, proxy, key in _DRIVEN]
    told += _drive_astray(proxies)
    told += [_send(proxies["openai"], request) for request in _raw_requests()]
    assert _found("\n".join(told)) == []
    arrived = "\n".join(f"{one.target} {one.headers} {one.body!r}" for one in standin.requests(after=upstream_starts))
    assert _found(arrived) == sorted(
        {*SECRETS} - {WRONG_SECRET, "standin-secret-key-number-one", "standin-secret-key-two"}
    )

    _search_the_spool(rubberduck, proxies["openai"])
    wait_until(lambda: len(rubberduck.rows(since)) > 200, "all that was asked in the log")
    _search_the_pages(rubberduck)
    _search_the_database(rubberduck)
    rubberduck.stop()
    files = {path: path.read_bytes() for path in rubberduck.deployment.directory.rglob("*") if path.is_file()}
    assert any(MARK.encode() in content for content in files.values()) or os.environ.get("DATABASE_URL")
    assert "the supervisor runs" in rubberduck.deployment.log
    found = [(path, secret) for path, content in files.items() for secret in SECRETS if secret.encode() in content]
    assert found == []


def _drive(name: str, proxy: RunningProxy, key: str | None) -> dict[str, Result]:
    """All scenarios of a driver with planted key and prompts."""
    setup = next(setup for setup in NEWEST if setup.name == name)
    results = run_driver(setup, proxy.url, salt=PROMPT, key=key)
    assert results["unary"]["ok"], results["unary"]
    return results


def _drive_astray(proxies: dict[str, RunningProxy]) -> list[str]:
    """What goes wrong on the way: an upstream nobody trusts, a client that is blocked, a secret AWS does not know."""
    setups = {setup.name: setup for setup in NEWEST}
    told = []
    for name, proxy, key, secret, status in (
        ("openai-js", "failing", f"sk-{KEY}", None, 502),
        ("openai-js", "blocked", f"sk-{KEY}", None, 403),
        ("boto3-aws-headers", "bedrock", None, WRONG_SECRET, 403),
    ):
        result = run_driver(setups[name], proxies[proxy].url, "error_429", salt=PROMPT, key=key, secret=secret)
        assert result["error_429"]["error"]["status"] == status
        told.append(json.dumps(result))
    return told


def _raw_requests() -> list[bytes]:
    """What no SDK sends: keys in queries, unknown targets, requests that are refused or broken."""
    body = json.dumps({"model": MARK, "messages": [{"role": "user", "content": PROMPT}]}).encode()
    secret = f"Authorization: Bearer {KEY}\r\nCookie: session={COOKIE}\r\nX-Api-Key: {KEY}\r\n"
    chat = "POST /v1/chat/completions"

    def request(line: str, more: str = "", content: bytes = body) -> bytes:
        head = f"{line} HTTP/1.1\r\nHost: test\r\n{secret}{more}Content-Length: {len(content)}\r\n\r\n"
        return head.encode() + content

    return [
        request(f"{chat}?key={KEY}&X-Amz-Signature={KEY}", "Content-Type: application/json\r\n"),
        request(f"POST /v1/unheard/of?token={KEY}"),
        request(
            chat, "x-rubberduck-cache: only\r\nContent-Type: application/json\r\n", body.replace(b"user", b"system")
        ),
        request(chat, f"x-rubberduck-cache: {KEY}\r\n"),
        request(chat, "Content-Type: application/json\r\n", body[:-2]),
        request(chat, "Transfer-Encoding: chunked\r\n"),
        request(chat, f"Broken header {KEY}\r\n"),
        request(chat, f"X-Large: {KEY * 6000}\r\n"),
        request(f"NONSENSE\x01{KEY}"),
        f"{chat} HTTP/1.1\r\nHost: test\r\n{secret}Transfer-Encoding: chunked\r\n\r\n{PROMPT}\r\n".encode(),
        request(chat).replace(b"Content-Length: ", b"Content-Length: 9"),  # a body that never comes
    ]


def _send(proxy: RunningProxy, request: bytes) -> str:
    """The whole answer to raw bytes, after which nothing more is sent."""
    reply = b""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as sock:
        try:
            sock.sendall(request)
            sock.shutdown(socket.SHUT_WR)
            while chunk := sock.recv(65536):
                reply += chunk
        except ConnectionError:
            pass
    return reply.decode("latin-1")


def _found(text: str) -> list[str]:
    return sorted(secret for secret in SECRETS if secret in text)


def _search_the_spool(rubberduck: Rubberduck, proxy: RunningProxy) -> None:
    """Holds the log writer, so that records stay where workers put them."""
    writer = next(entry["pid"] for entry in rubberduck.deployment.processes() if entry["port"] is None)
    spool = rubberduck.deployment.directory / "spool"

    def spooled() -> str:
        return "".join(path.read_text(errors="replace") for path in spool.rglob("*") if path.is_file())

    os.kill(writer, signal.SIGSTOP)
    try:
        for request in _raw_requests():
            _send(proxy, request)
        wait_until(lambda: MARK in spooled(), "records in the spool")
        assert _found(spooled()) == []
    finally:
        os.kill(writer, signal.SIGCONT)


def _search_the_pages(rubberduck: Rubberduck) -> None:
    """Every list in the admin and some of every kind of object, all that the API shows to the owner of the proxies, and
    what the web tells without an account."""
    code = """
import html
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from accounts.models import User
from proxies.models import Proxy
from rubberduck.api import api

client = Client(HTTP_HOST="127.0.0.1")
client.force_login(User.objects.create_superuser("staff@example.com", "a-pass-phrase-of-staff"))  # adopts the proxies
urls = ["/healthz", "/api/v1/docs", "/admin/"]
for model in admin.site._registry:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    urls.append(reverse(f"{name}_changelist"))
    urls += [reverse(f"{name}_change", args=[row.pk]) for row in model.objects.order_by("-pk")[:15]]
for path, methods in api.get_openapi_schema()["paths"].items():
    if "get" in methods and not path.partition("{proxy_id}")[2].endswith("/test"):  # which wants to know an address
        own = [path.replace("{proxy_id}", str(proxy.pk)) for proxy in Proxy.objects.all()]
        urls += [url for url in (own if "{proxy_id}" in path else [path]) if "{" not in url]
pages = {url: client.get(url, follow=True) for url in urls}
texts = {url: html.unescape(b"".join(page).decode()) for url, page in pages.items()}
result = {
    "statuses": sorted({page.status_code for page in pages.values()}),
    "marked": sum(mark in text for text in texts.values()),
    "found": [(url, secret) for url, text in texts.items() for secret in secrets if secret in text],
}
"""
    seen = rubberduck.deployment.ask(code, secrets=SECRETS, mark=MARK)
    assert seen["statuses"] == [200]
    assert seen["marked"] > 3
    assert seen["found"] == []


def _search_the_database(rubberduck: Rubberduck) -> None:
    code = """
from django.apps import apps
rows = [
    (model.__name__, repr(row)) for model in apps.get_models() for row in model._base_manager.values()
]
result = {
    "marked": len({name for name, text in rows if mark in text}),
    "found": [(name, secret) for name, text in rows for secret in secrets if secret in text],
}
"""
    seen = rubberduck.deployment.ask(code, secrets=SECRETS, mark=MARK)
    assert seen["marked"] == 2  # log and recordings
    assert seen["found"] == []
