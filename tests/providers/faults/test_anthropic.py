"""How Anthropic fails, as plain values: every status and every reason, quota headers, terminators."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from providers.base import ErrorReply
from providers.faults.anthropic import FAULTS
from providers.faults.base import Asked, Edit, Quota, Reason
from providers.registry import get_provider
from providers.wire import sse

NOW = datetime(2026, 12, 31, 23, 59, 30, 500_000, UTC).timestamp()
ID = "0195f3a0-1111-7222-8333-444455556666"


def asked(path: bytes = b"/v1/messages", method: str = "POST", **more: Any) -> Asked:
    return Asked(get_provider("anthropic").match(method, path), ID, NOW, model="claude-haiku-4-5", **more)


def fields(reply: ErrorReply) -> dict[bytes, bytes]:
    return dict(reply.headers)


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_a_reply_an_sdk_can_read(status: int) -> None:
    reply = FAULTS.error(asked(), status=status)
    headers = fields(reply)
    assert reply.status == status
    assert all(name == name.lower() for name in headers)
    assert b"content-length" not in headers
    if headers[b"content-type"].startswith(b"text/html"):
        assert str(status).encode() in reply.body
        assert status in (502, *range(520, 528), 530)
        return
    body = orjson.loads(reply.body)
    assert body["error"]["type"]
    assert body["error"]["message"]
    if status != 413:
        assert body["type"] == "error"
        assert body["request_id"].encode() == headers[b"request-id"]
        is_retried = status in (408, 409, 429) or status >= 500
        assert headers[b"x-should-retry"] == (b"true" if is_retried else b"false")
    assert (b"retry-after" in headers) == (status == 429)


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("status", [None, 400, 429, 503])
def test_every_reason_can_have_any_status(reason: Reason, status: int | None) -> None:
    reply = FAULTS.error(asked(), reason=reason, status=status, message="Words.", retry_after_s=3.2)
    assert status in (None, reply.status)
    assert orjson.loads(reply.body)["error"]["message"] == "Words."
    assert fields(reply)[b"retry-after"] == b"4"


@pytest.mark.parametrize(
    ("status", "kind", "words", "code"),
    [
        (None, "rate_limit_error", "monthly API usage threshold", "enforced_spend_limit_reached"),
        (400, "invalid_request_error", "You have reached your specified API usage limits.", None),
        (402, "billing_error", "Your credit balance is too low", None),
    ],
)
def test_nothing_left_to_spend_is_said_in_three_ways(
    status: int | None, kind: str, words: str, code: str | None
) -> None:
    error = orjson.loads(FAULTS.error(asked(), reason=Reason.QUOTA, status=status).body)["error"]
    assert error["type"] == kind
    assert words in error["message"]
    assert error.get("details", {}).get("error_code") == code
    if status != 402:
        assert "You will regain access on 2027-01-01 at 00:00 UTC." in error["message"]


def test_the_same_request_has_one_id_and_another_another() -> None:
    first, again = (FAULTS.error(asked(), status=500) for _ in range(2))
    other = FAULTS.error(Asked(asked().call, ID.replace("6666", "7777"), NOW), status=500)
    assert first == again
    assert fields(first)[b"request-id"] != fields(other)[b"request-id"]


def test_quota_headers_tell_what_is_left_and_when_all_is_there_again() -> None:
    both = Quota(60, 12, 29.2, 100_000, 0, 60)
    assert dict(FAULTS.quota_headers(both, NOW)) == {
        b"anthropic-ratelimit-requests-limit": b"60",
        b"anthropic-ratelimit-requests-remaining": b"12",
        b"anthropic-ratelimit-requests-reset": b"2027-01-01T00:00:00Z",
        b"anthropic-ratelimit-tokens-limit": b"100000",
        b"anthropic-ratelimit-tokens-remaining": b"0",
        b"anthropic-ratelimit-tokens-reset": b"2027-01-01T00:00:31Z",
    }
    names = {name for name, _ in FAULTS.quota_headers(both, NOW)}
    assert names <= get_provider("anthropic").unsafe_reply_headers  # no recording repeats them
    assert len(FAULTS.quota_headers(Quota(limit_requests=60), NOW)) == 3
    assert len(FAULTS.quota_headers(Quota(limit_tokens=60), NOW)) == 3
    assert FAULTS.quota_headers(Quota(), NOW) == []


@pytest.mark.parametrize(("exceeded", "words"), [("requests", "of 3 requests"), ("tokens", "of 9,000 tokens")])
def test_the_proxys_own_limit_is_told_with_its_numbers(exceeded: Any, words: str) -> None:
    reply = FAULTS.limited(asked(), Quota(3, 0, 41, 9000, 0, 12), exceeded, 12.3)
    headers = fields(reply)
    assert reply.status == 429
    assert f"rate limit {words} per minute" in orjson.loads(reply.body)["error"]["message"]
    assert headers[b"retry-after"] == b"13"
    assert {name for name, _ in FAULTS.quota_headers(Quota(3, 0, 41, 9000, 0, 12), NOW)} <= headers.keys()
    assert headers[b"x-should-retry"] == b"true"


def test_a_wait_of_nothing_is_told_as_a_second() -> None:
    reply = FAULTS.limited(asked(), Quota(3, 0, 1), "requests", 0.0)
    assert fields(reply)[b"retry-after"] == b"1"


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, "overloaded_error"),
        ({"status": 429}, "rate_limit_error"),
        ({"reason": Reason.CONTENT_FILTER}, "invalid_request_error"),
    ],
)
def test_an_error_in_a_stream_is_one_event(given: dict[str, Any], kind: str) -> None:
    data = FAULTS.stream_error(asked(is_streaming=True), b"text/event-stream; charset=utf-8", **given)
    (event,) = sse.events(data)
    assert data.endswith(b"\n\n")
    assert event.name == "error"
    assert event.json()["type"] == "error"
    assert event.json()["error"]["type"] == kind
    assert re.fullmatch(r"req_011C\w{20}", event.json()["request_id"])


@pytest.mark.parametrize(
    ("event", "ends"),
    [
        (b'event: message_stop\ndata: {"type":"message_stop"}\n\n', True),
        (b'event: message_stop\r\ndata: {"type": "message_stop"}\r\n\r\n', True),
        (b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n', False),
        (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"message_stop"}}\n\n',
            False,
        ),
        (b'event: completion\ndata: {"type":"completion","completion":"","stop_reason":"stop_sequence"}\n\n', True),
        (b'event: completion\ndata: {"type":"completion","completion":" a","stop_reason":null}\n\n', False),
        (b": a comment\n\n", False),
        (b"event: message_stop\n\n", False),
    ],
)
def test_what_ends_a_stream_is_recognised(event: bytes, ends: bool) -> None:
    assert FAULTS.is_terminator(asked(), event) is ends


def test_only_answers_can_be_edited() -> None:
    for edit in Edit:
        assert FAULTS.editor(asked(), edit, b"application/json") is not None
        for path in (b"/v1/messages/count_tokens", b"/v1/files", b"/v1/unheard-of"):
            assert FAULTS.editor(asked(path), edit, b"application/json") is None
    completions = asked(b"/v1/complete")
    assert FAULTS.editor(completions, Edit.LENGTH, b"application/json") is not None
    assert FAULTS.editor(completions, Edit.INVALID_TOOL_ARGUMENTS, b"application/json") is None
