"""An emulated proxy needs no network: whatever is asked of it, its side opens no connection and looks up no name."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from providers.emulated.canned_grammar import read_replies
from tests.emulated.serving import EmulatedProxies
from tests.providers.emulated.asking import KEYS

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]}
MESSAGES = {"model": "claude-haiku-4-5", "max_tokens": 50, "messages": [{"role": "user", "content": "Say hello."}]}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": "Say hello."}]}]}
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]}
CLAUDE = "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0"
GEMINI = "/v1beta/models/gemini-2.5-flash"
VERTEX = "/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash"

REQUESTS: list[tuple[str, str, str, Any]] = [
    ("openai", "POST", "/v1/chat/completions", CHAT),
    ("openai", "POST", "/v1/chat/completions", {**CHAT, "stream": True}),
    ("openai", "POST", "/v1/responses", {"model": "gpt-4o-mini", "input": "Say hello."}),
    ("openai", "POST", "/v1/responses", {"model": "gpt-4o-mini", "input": "Say hello.", "stream": True}),
    ("openai", "POST", "/v1/embeddings", {"model": "text-embedding-3-small", "input": "hello"}),
    ("openai", "GET", "/v1/models", None),
    ("openai", "GET", "/v1/nowhere", None),
    ("anthropic", "POST", "/v1/messages", MESSAGES),
    ("anthropic", "POST", "/v1/messages", {**MESSAGES, "stream": True}),
    ("azure_openai", "POST", "/openai/v1/chat/completions", CHAT),
    ("azure_openai", "POST", "/openai/deployments/mine/chat/completions?api-version=2024-10-21", CHAT),
    ("azure_openai", "POST", "/openai/v1/chat/completions", {**CHAT, "stream": True}),
    ("bedrock", "POST", f"{CLAUDE}/converse", CONVERSE),
    ("bedrock", "POST", f"{CLAUDE}/converse-stream", CONVERSE),
    ("vertex_ai", "POST", f"{GEMINI}:generateContent", CONTENTS),
    ("vertex_ai", "POST", f"{GEMINI}:streamGenerateContent?alt=sse", CONTENTS),
    ("vertex_ai", "POST", f"{VERTEX}:generateContent", CONTENTS),
]


class Guard:
    """Notes every attempt, of any thread but the test's own, to connect or to look up a name, and forbids it.

    Python sees the calls of its own event loop, and not those of uvloop: the proxies must run on the former.
    """

    def __init__(self) -> None:
        self.is_watching = False
        self.attempts: list[str] = []
        self._own = threading.get_ident()
        sys.addaudithook(self._audit)  # for good: there is no way to take one off again

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if (
            self.is_watching
            and event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
            and threading.get_ident() != self._own
        ):
            self.attempts.append(f"{event} {arguments[-1] if event == 'socket.connect' else arguments[:2]}")
            raise PermissionError("no connections here")


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard()


@pytest.fixture(scope="module")
def proxies() -> Iterator[EmulatedProxies]:
    made = EmulatedProxies(asyncio.new_event_loop())
    yield made
    made.close()


@pytest.fixture
def attempts(guard: Guard, proxies: EmulatedProxies) -> Iterator[list[str]]:
    """What was attempted while the test ran."""
    guard.attempts.clear()
    guard.is_watching = True
    yield guard.attempts
    guard.is_watching = False


def send(base_url: str, provider: str, method: str, target: str, body: Any) -> httpx.Response:
    content = None if body is None else json.dumps(body)
    headers = {"content-type": "application/json", **KEYS[provider]}
    with httpx.Client(trust_env=False, timeout=30) as client:
        return client.request(method, base_url + target, content=content, headers=headers)


@pytest.mark.parametrize(("provider", "method", "target", "body"), REQUESTS)
def test_nothing_is_connected_to(
    proxies: EmulatedProxies, attempts: list[str], provider: str, method: str, target: str, body: Any
) -> None:
    reply = send(proxies.url(provider), provider, method, target, body)
    assert reply.status_code == (404 if target.endswith("nowhere") else 200), reply.text
    assert reply.content
    assert attempts == []


def test_nor_for_canned_replies_and_errors(proxies: EmulatedProxies, attempts: list[str]) -> None:
    canned = read_replies([{"match": {"prompt_contains": "fail"}, "reply": {"error": {"status": 503}}}])
    failing = {**CHAT, "messages": [{"role": "user", "content": "Please fail."}]}
    base_url = proxies.proxy("openai", canned=canned, is_strict=True).url
    assert send(base_url, "openai", "POST", "/v1/chat/completions", failing).status_code == 503
    assert send(base_url, "openai", "POST", "/v1/chat/completions", CHAT).status_code == 404
    assert attempts == []


def test_the_guard_sees_a_proxy_that_has_an_upstream(proxies: EmulatedProxies, attempts: list[str]) -> None:
    base_url = proxies.proxy("openai", upstream="http://127.0.0.1:9").url
    assert send(base_url, "openai", "POST", "/v1/chat/completions", CHAT).status_code == 502
    assert any(attempt.startswith("socket.connect") for attempt in attempts)
