"""The official Anthropic SDKs meet the errors of a proxy: the classes, ids, words and retries are those of the genuine
replies."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic

from providers.faults.base import Reason
from tests.emulated.serving import EmulatedProxies, EmulatedProxy
from tests.faults.plain_server import PlainServer

ROOT = Path(__file__).resolve().parents[2]
HELLO: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Say hello."}],
}


class Told(NamedTuple):
    """What the SDK makes of an error. `attempts`: requests it sends with two retries allowed."""

    name: str
    status: int
    type: str | None
    code: str | None
    attempts: int


REASONS: dict[Reason, tuple[Told, str]] = {
    Reason.RATE_LIMIT: (Told("RateLimitError", 429, "rate_limit_error", None, 3), "rate limit of 50 requests per min"),
    Reason.TOKEN_LIMIT: (Told("RateLimitError", 429, "rate_limit_error", None, 3), "rate limit of 30,000 input tokens"),
    Reason.THROTTLING: (Told("RateLimitError", 429, "rate_limit_error", None, 3), "rate limit of 50 requests per min"),
    Reason.QUOTA: (
        Told("EnforcedSpendLimitReachedError", 429, "rate_limit_error", "enforced_spend_limit_reached", 1),
        "You have reached your API usage limits",
    ),
    Reason.OVERLOADED: (Told("OverloadedError", 529, "overloaded_error", None, 3), "Overloaded"),
    Reason.SERVER_ERROR: (Told("InternalServerError", 500, "api_error", None, 3), "Internal server error"),
    Reason.UNAVAILABLE: (Told("ServiceUnavailableError", 503, "api_error", None, 3), "temporarily unavailable"),
    Reason.TIMEOUT: (Told("GatewayTimeoutError", 504, "timeout_error", None, 3), "Request timed out"),
    Reason.INVALID_KEY: (Told("AuthenticationError", 401, "authentication_error", None, 1), "Invalid bearer token"),
    Reason.PERMISSION_DENIED: (
        Told("PermissionDeniedError", 403, "permission_error", None, 1),
        "does not have permission to use the specified resource",
    ),
    Reason.MODEL_NOT_FOUND: (Told("NotFoundError", 404, "not_found_error", None, 1), "model: claude-haiku-4-5"),
    Reason.CONTEXT_LENGTH: (Told("BadRequestError", 400, "invalid_request_error", None, 1), "prompt is too long"),
    Reason.CONTENT_FILTER: (
        Told("BadRequestError", 400, "invalid_request_error", None, 1),
        "Output blocked by content filtering policy",
    ),
    Reason.INVALID_REQUEST: (Told("BadRequestError", 400, "invalid_request_error", None, 1), "Field required"),
    Reason.REQUEST_TOO_LARGE: (
        Told("ContentTooLargeError", 413, "request_too_large", None, 1),
        "Request exceeds the maximum size",
    ),
}
# Classes of the statuses that have one of their own; all others are the first or the last.
CLASSES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    402: "PaymentRequiredError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    408: "RequestTimeoutError",
    409: "ConflictError",
    412: "PreconditionFailedError",
    413: "ContentTooLargeError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    431: "RequestHeaderFieldsTooLargeError",
    499: "ClientClosedRequestError",
    501: "HTTPNotImplementedError",
    503: "ServiceUnavailableError",
    504: "GatewayTimeoutError",
    529: "OverloadedError",
}
STATUSES = (*CLASSES, 405, 418, 425, 451, 500, 502, 507, 520, 524, 530, 599)

# Replies of the genuine service: docs.claude.com/en/api/errors and public issue reports, read November 2026.
_ID = "req_011CVQe1dLrGNMJyE1ghG1av"
_HEADERS = {"content-type": "application/json", "request-id": _ID}


def _genuine(kind: str, message: str, **more: Any) -> str:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message, **more}, "request_id": _ID})


GENUINE: dict[Reason, tuple[int, dict[str, str], str]] = {
    Reason.RATE_LIMIT: (
        429,
        {**_HEADERS, "retry-after": "2", "x-should-retry": "true"},
        _genuine("rate_limit_error", "This request would exceed your organization's rate limit of 50 requests ..."),
    ),
    Reason.QUOTA: (
        429,
        {**_HEADERS, "x-should-retry": "false"},
        _genuine(
            "rate_limit_error",
            "You have reached your API usage limits: ...",
            details={"error_code": "enforced_spend_limit_reached"},
        ),
    ),
    Reason.OVERLOADED: (529, _HEADERS, _genuine("overloaded_error", "Overloaded")),
    Reason.SERVER_ERROR: (500, _HEADERS, _genuine("api_error", "Internal server error")),
    Reason.TIMEOUT: (504, _HEADERS, _genuine("timeout_error", "Request timed out")),
    Reason.INVALID_KEY: (401, _HEADERS, _genuine("authentication_error", "invalid x-api-key")),
    Reason.PERMISSION_DENIED: (403, _HEADERS, _genuine("permission_error", "Your API key does not have ...")),
    Reason.MODEL_NOT_FOUND: (404, _HEADERS, _genuine("not_found_error", "model: claude-haiku-4-5")),
    Reason.CONTEXT_LENGTH: (
        400,
        _HEADERS,
        _genuine("invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
    ),
    Reason.CONTENT_FILTER: (
        400,
        _HEADERS,
        _genuine("invalid_request_error", "Output blocked by content filtering policy"),
    ),
    Reason.REQUEST_TOO_LARGE: (
        413,
        {"content-type": "application/json", "server": "cloudflare"},
        '{"error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}',
    ),
}


# Stop reason and kinds of blocks of an answer that calls a tool, when it is no good.
ANSWERS: dict[str, tuple[str, list[str]]] = {
    "refusal": ("refusal", []),
    "length_stop": ("max_tokens", ["tool_use"]),
    "empty_content": ("end_turn", []),
    "invalid_tool_arguments": ("tool_use", ["tool_use"]),
}


class Hasty(Anthropic):
    """The SDK with its own waits, which it writes down and does not wait."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(base_url=url, api_key="sk-ant-test", **options)
        self.waits: list[float] = []

    def _calculate_retry_timeout(self, *given: Any, **named: Any) -> float:
        self.waits.append(super()._calculate_retry_timeout(*given, **named))
        return 0.0


@pytest.fixture(scope="module")
def proxy(emulated: EmulatedProxies) -> EmulatedProxy:
    return emulated.proxy("anthropic")


def ask(client: Anthropic, **more: Any) -> anthropic.APIStatusError:
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(**HELLO, **more)
    return caught.value


def told(error: anthropic.APIStatusError, attempts: int) -> Told:
    return Told(type(error).__name__, error.status_code, error.type, error.error_code, attempts)


# --- named failures


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_raises_the_class_of_the_genuine_reply(proxy: EmulatedProxy, reason: Reason) -> None:
    expected, words = REASONS[reason]
    proxy.swap(faults=[{"fault": "error", "reason": str(reason)}])
    before = len(proxy.records.all)
    with Hasty(proxy.url) as client:
        error = ask(client)
    rows = proxy.records.all[before:]
    assert told(error, len(rows)) == expected
    assert [row["client_attempt"] for row in rows] == list(range(expected.attempts))
    assert {(row["outcome"], row["fault"], row["status"]) for row in rows} == {("fault", "error", expected.status)}
    assert words in (error.api_message or "")
    body = error.response.json()
    if reason is Reason.REQUEST_TOO_LARGE:  # the edge's: the service never saw it
        assert error.request_id is None
    else:
        assert re.fullmatch(r"req_011C[0-9a-zA-Z]{20}", error.request_id or "")
        assert body["request_id"] == error.request_id


@pytest.mark.parametrize("reason", GENUINE)
def test_the_genuine_bytes_from_a_plain_server_end_the_same(reason: Reason) -> None:
    with PlainServer(*GENUINE[reason]) as server, Hasty(server.url) as client:
        error = ask(client)
    assert told(error, server.requests) == REASONS[reason][0]


@pytest.mark.parametrize("reason", [Reason.OVERLOADED, Reason.QUOTA, Reason.MODEL_NOT_FOUND])
def test_a_stream_that_has_not_begun_fails_alike(proxy: EmulatedProxy, reason: Reason) -> None:
    proxy.swap(faults=[{"fault": "error", "reason": str(reason)}])
    before = len(proxy.records.all)
    with Hasty(proxy.url) as client:
        error = ask(client, stream=True)
        assert told(error, len(proxy.records.all) - before) == REASONS[reason][0]
        with pytest.raises(type(error)), client.messages.stream(**HELLO):
            pass


def test_the_asynchronous_client_raises_the_same(proxy: EmulatedProxy) -> None:
    proxy.swap(faults=[{"fault": "error", "reason": "quota"}])

    async def attempt() -> anthropic.APIStatusError:
        async with AsyncAnthropic(base_url=proxy.url, api_key="k") as client:
            with pytest.raises(anthropic.APIStatusError) as caught:
                await client.messages.create(**HELLO)
            return caught.value

    assert told(asyncio.run(attempt()), 1) == REASONS[Reason.QUOTA][0]


# --- statuses


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_raises_its_class_and_is_retried_as_ever(proxy: EmulatedProxy, status: int) -> None:
    proxy.swap(faults=[{"fault": "error", "status": status}])
    before = len(proxy.records.all)
    with Hasty(proxy.url) as client:
        error = ask(client)
    expected = CLASSES.get(status, "InternalServerError" if status >= 500 else "APIStatusError")
    assert (type(error).__name__, error.status_code) == (expected, status)
    is_retried = status in (408, 409, 429) or status >= 500
    assert len(proxy.records.all) - before == (3 if is_retried else 1)


@pytest.mark.parametrize(("status", "title"), [(502, "Bad gateway"), (520, "unknown error"), (524, "timeout occurred")])
def test_what_never_reached_the_service_is_a_page_of_the_edge(proxy: EmulatedProxy, status: int, title: str) -> None:
    proxy.swap(faults=[{"fault": "error", "status": status}])
    with Hasty(proxy.url, max_retries=0) as client:
        error = ask(client)
    assert error.response.headers["content-type"].startswith("text/html")
    assert error.response.headers["server"] == "cloudflare"
    assert error.request_id is None
    assert title in error.message


def test_words_code_and_status_can_be_given(proxy: EmulatedProxy) -> None:
    given = {"fault": "error", "reason": "overloaded", "status": 502, "message": "Sorry.", "code": "too_many_ducks"}
    proxy.swap(faults=[given])
    with Hasty(proxy.url, max_retries=0) as client:
        error = ask(client)
    assert told(error, 1) == Told("InternalServerError", 502, "overloaded_error", "too_many_ducks", 1)
    assert error.api_message == "Sorry."
    proxy.swap(faults=[{"fault": "error", "status": 400, "code": "billing_error"}])
    with Hasty(proxy.url) as client:
        assert told(ask(client), 1) == Told("BadRequestError", 400, "billing_error", None, 1)


def test_a_key_in_its_own_header_is_named_as_such(proxy: EmulatedProxy) -> None:
    proxy.swap(faults=[{"fault": "error", "reason": "invalid_key"}])
    own = {"x-api-key": "sk-ant-test", "authorization": anthropic.omit}
    with Anthropic(base_url=proxy.url, api_key="k", default_headers=own) as client:  # type: ignore[arg-type]
        assert ask(client).api_message == "invalid x-api-key"


# --- waiting


@pytest.mark.parametrize(("told_s", "seen"), [(7, 7.0), (0.2, 1.0), (90, 90.0)])
def test_the_sdk_waits_as_long_as_it_is_told(proxy: EmulatedProxy, told_s: float, seen: float) -> None:
    proxy.swap(faults=[{"fault": "error", "reason": "overloaded", "retry_after": told_s}])
    before = len(proxy.records.all)
    with Hasty(proxy.url) as client:
        ask(client)
    assert client.waits == [seen, seen]
    assert {row["retry_after_ms"] for row in proxy.records.all[before:]} == {seen * 1000}


def test_a_rate_limit_tells_its_numbers_and_they_agree(proxy: EmulatedProxy) -> None:
    proxy.swap(faults=[{"fault": "error", "reason": "rate_limit"}])
    with Hasty(proxy.url) as client:
        headers = ask(client).response.headers
    limits = {name.removeprefix("anthropic-ratelimit-"): headers[name] for name in headers if "-ratelimit-" in name}
    assert len(limits) == 12
    assert (limits["requests-limit"], limits["requests-remaining"]) == ("50", "0")
    for what in ("limit", "remaining"):
        assert int(limits[f"tokens-{what}"]) == int(limits[f"input-tokens-{what}"]) + int(
            limits[f"output-tokens-{what}"]
        )
    now = datetime.now(UTC).timestamp()
    resets = [datetime.fromisoformat(value).timestamp() for name, value in limits.items() if name.endswith("-reset")]
    assert all(now - 60 < reset <= now + 62 for reset in resets)
    assert client.waits == [2.0, 2.0]


def test_an_account_without_money_is_told_no_wait(proxy: EmulatedProxy) -> None:
    proxy.swap(faults=[{"fault": "error", "reason": "quota"}])
    with Hasty(proxy.url) as client:
        error = ask(client)
    assert "retry-after" not in error.response.headers
    assert re.search(r"regain access on \d{4}-\d\d-01 at 00:00 UTC", error.api_message or "")


def test_two_failures_and_a_success_are_one_call(proxy: EmulatedProxy) -> None:
    steps = [{"fault": "error", "reason": "overloaded", "times": 2}, {"fault": "pass"}]
    proxy.swap(faults=[{"script": steps}])
    before = len(proxy.records.all)
    with Hasty(proxy.url) as client:
        assert client.messages.create(**HELLO).stop_reason == "end_turn"
    assert [row["status"] for row in proxy.records.all[before:]] == [529, 529, 200]


# --- the proxy's own limit


def test_the_proxys_own_limit_is_a_rate_limit_error_with_its_numbers(emulated: EmulatedProxies) -> None:
    limited = emulated.proxy("anthropic", rate_limit={"rpm": 1, "tpm": 90_000, "shows_quota": True})
    with Hasty(limited.url) as client:
        first = client.messages.with_raw_response.create(**HELLO)
        error = ask(client)
    assert first.headers["anthropic-ratelimit-requests-limit"] == "1"
    assert first.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert first.headers["anthropic-ratelimit-tokens-limit"] == "90000"
    assert told(error, 1)[:4] == ("RateLimitError", 429, "rate_limit_error", None)
    assert "rate limit of 1 requests per minute" in (error.api_message or "")
    headers = error.response.headers
    assert headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert error.request_id == headers["request-id"] == error.response.json()["request_id"]
    assert all(1 <= wait <= 60 for wait in client.waits)
    rows = limited.records.all
    assert [row["outcome"] for row in rows] == ["bypass", "limited", "limited", "limited"]
    assert [row["retry_after_ms"] for row in rows[1:3]] == [wait * 1000 for wait in client.waits]


# --- inside a stream


@pytest.mark.parametrize(
    ("rule", "kind", "words"),
    [
        ({}, "overloaded_error", "Overloaded"),
        ({"reason": "server_error"}, "api_error", "Internal server error"),
        ({"status": 504, "message": "Too slow."}, "timeout_error", "Too slow."),
    ],
)
def test_an_error_in_a_stream_is_a_status_error_without_its_status(
    proxy: EmulatedProxy, rule: dict[str, Any], kind: str, words: str
) -> None:
    proxy.swap(faults=[{"fault": "stream_error", "events": 3, **rule}])
    before = len(proxy.records.all)
    seen: list[str] = []
    with Hasty(proxy.url) as client, pytest.raises(anthropic.APIStatusError) as caught:
        seen.extend(event.type for event in client.messages.create(**HELLO, stream=True))
    error = caught.value
    assert type(error) is anthropic.APIStatusError
    assert (error.status_code, error.type, error.api_message) == (200, kind, words)
    assert error.body["request_id"].startswith("req_011C")  # type: ignore[index]
    assert seen[0] == "message_start"
    assert len(proxy.records.all) - before == 1


# --- JavaScript


def test_the_javascript_sdk_raises_the_classes_of_the_genuine_replies(emulated: EmulatedProxies) -> None:
    rules = [
        {"fault": "error", "reason": str(reason), "match": {"header": {"x-case": str(reason)}}} for reason in Reason
    ]
    rules.append(
        {
            "fault": "error", "reason": "overloaded", "retry_after": 1, "when": {"first": 1},
            "match": {"header": {"x-case": "waiting"}},
        }
    )  # fmt: skip
    rules.append({"fault": "stream_error", "events": 2, "match": {"header": {"x-case": "streaming"}}})
    rules += [{"fault": kind, "match": {"header": {"x-case": kind}}} for kind in ANSWERS]
    proxy = emulated.proxy("anthropic", faults=rules)
    modules = ROOT / "tests" / "wire" / "node_modules"
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "anthropic_errors.mjs"), proxy.url, *Reason],
        env={**os.environ, "SDK_NODE_MODULES": os.environ.get("SDK_NODE_MODULES", str(modules))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {line["name"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}
    rows = proxy.records.all
    assert len(rows) == found.pop("requests")
    assert found.pop("waiting") == {"text": True, "waits": [1000]}
    in_stream = found.pop("streaming")
    assert in_stream == {"class": "APIError", "status": None, "type": "overloaded_error"}
    for kind, (reason, blocks) in ANSWERS.items():
        assert found.pop(kind) == [reason, blocks], kind
    assert set(found) == {str(reason) for reason in Reason}
    for reason, (expected, words) in REASONS.items():
        seen = found[reason]
        assert seen["class"] == expected.name, reason
        assert (seen["status"], seen["type"], seen["code"], seen["attempts"]) == expected[1:], reason
        assert words in seen["message"], reason
        assert bool(seen["requestID"]) == (reason is not Reason.REQUEST_TOO_LARGE)
