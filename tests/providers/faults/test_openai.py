"""OpenAI's errors, word for word, number for number."""

from __future__ import annotations

import re
from typing import Any, Literal

import openai
import orjson
import pytest

from providers.base import ErrorReply
from providers.faults.base import Edit, Quota, Reason
from providers.faults.openai import FAULTS
from providers.registry import get_provider
from providers.wire import sse
from tests.providers.emulated.asking import Asker
from tests.providers.faults.openai_replies import CHAT, REQUEST_ID, RESPONSES, asked, frames

ASKER = Asker("openai")
ASKED = asked(ASKER, model="gpt-4o")
EDGE = (502, 504, *range(520, 530))
WAITS = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:(\d+)ms)?")


def told(reply: ErrorReply) -> dict[str, Any]:
    error: dict[str, Any] = orjson.loads(reply.body)["error"]
    assert list(error) == ["message", "type", "param", "code"]
    return error


def seconds(text: str) -> float:
    """A Go duration."""
    found = WAITS.fullmatch(text)
    assert found is not None, text
    hours, minutes, rest, milliseconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest + milliseconds / 1000


# status, type, code, param, and words of the message. Source: developers.openai.com error codes, public issue reports.
GENUINE: dict[Reason, tuple[int, str, str | None, str | None, str]] = {
    Reason.RATE_LIMIT: (429, "requests", "rate_limit_exceeded", None, "on requests per min (RPM): Limit 500, Used 500"),
    Reason.THROTTLING: (429, "requests", "rate_limit_exceeded", None, "Please try again in 120ms."),
    Reason.TOKEN_LIMIT: (
        429, "tokens", "rate_limit_exceeded", None,
        "on tokens per min (TPM): Limit 30000, Used 29937, Requested 385. Please try again in 644ms.",
    ),
    Reason.QUOTA: (429, "insufficient_quota", "insufficient_quota", None, "You exceeded your current quota"),
    Reason.OVERLOADED: (503, "service_unavailable_error", "server_is_overloaded", None, "overloaded"),
    Reason.SERVER_ERROR: (500, "server_error", None, None, "The server had an error while processing your request."),
    Reason.UNAVAILABLE: (503, "server_error", None, None, "The engine is currently overloaded"),
    Reason.TIMEOUT: (408, "internal_error", "request_timeout", None, "Timed out generating response."),
    Reason.INVALID_KEY: (401, "invalid_request_error", "invalid_api_key", None, "Incorrect API key provided: sk-*"),
    Reason.PERMISSION_DENIED: (
        403, "invalid_request_error", "model_not_found", None, "does not have access to model `gpt-4o`",
    ),
    Reason.MODEL_NOT_FOUND: (404, "invalid_request_error", "model_not_found", None, "The model `gpt-4o` does not"),
    Reason.CONTEXT_LENGTH: (
        400, "invalid_request_error", "context_length_exceeded", "messages",
        "maximum context length is 128000 tokens. However, your messages resulted in 130023 tokens.",
    ),
    Reason.CONTENT_FILTER: (400, "invalid_request_error", "content_policy_violation", None, "our safety system"),
    Reason.INVALID_REQUEST: (400, "invalid_request_error", None, None, "malformed"),
    Reason.REQUEST_TOO_LARGE: (413, "server_error", None, None, "Maximum content size limit (26214400) exceeded"),
}  # fmt: skip


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_genuine_reply(reason: Reason) -> None:
    status, kind, code, param, words = GENUINE[reason]
    reply = FAULTS.error(ASKED, reason=reason)
    error = told(reply)
    assert (reply.status, error["type"], error["code"], error["param"]) == (status, kind, code, param)
    assert words in error["message"]
    head = dict(reply.headers)
    assert head[b"content-type"] == b"application/json"
    assert head[b"x-request-id"] == b"req_" + REQUEST_ID.replace("-", "").encode()
    assert (b"openai-processing-ms" in head) == (status != 401)
    assert (b"retry-after" in head) == (kind in ("requests", "tokens"))


@pytest.mark.parametrize("status", [status for status in range(400, 600) if status not in EDGE])
def test_every_status_has_a_reply_in_openais_shape(status: int) -> None:
    reply = FAULTS.error(ASKED, status=status)
    error = told(reply)
    assert reply.status == status
    assert error["message"]
    assert dict(reply.headers)[b"x-request-id"]
    if status not in (401, 403, 404, 405, 408, 413, 415, 429):
        assert error["type"] == ("invalid_request_error" if status < 500 else "server_error")


@pytest.mark.parametrize("status", EDGE)
def test_the_edge_answers_with_a_page_and_knows_no_request(status: int) -> None:
    reply = FAULTS.error(ASKED, status=status)
    head = dict(reply.headers)
    assert (reply.status, head[b"content-type"], head[b"server"]) == (status, b"text/html", b"cloudflare")
    assert b"x-request-id" not in head
    assert re.fullmatch(rb"[0-9a-f]{16}-IAD", head[b"cf-ray"])
    assert reply.body.startswith(b"<html>")
    assert b"%d " % status in reply.body
    assert b"openai" not in reply.body


@pytest.mark.parametrize("status", EDGE)
def test_words_of_ones_own_come_in_openais_shape_whatever_the_status(status: int) -> None:
    assert told(FAULTS.error(ASKED, status=status, message="mine"))["message"] == "mine"
    assert told(FAULTS.error(ASKED, status=status, code="mine"))["code"] == "mine"
    reply = FAULTS.error(ASKED, status=status, reason=Reason.OVERLOADED)
    assert (reply.status, told(reply)["code"]) == (status, "server_is_overloaded")


@pytest.mark.parametrize("reason", Reason)
def test_status_message_and_code_replace_the_usual_ones(reason: Reason) -> None:
    reply = FAULTS.error(ASKED, reason=reason, status=418, message="mine", code="own")
    error = told(reply)
    assert (reply.status, error["message"], error["code"], error["type"]) == (418, "mine", "own", GENUINE[reason][1])


@pytest.mark.parametrize("reason", [Reason.RATE_LIMIT, Reason.TOKEN_LIMIT])
@pytest.mark.parametrize("wait_s", [0, 0.001, 0.05, 0.12, 1, 2.5, 7, 20, 45, 60, 61, 432, 3600, 86_400])
def test_the_wait_is_the_same_in_words_headers_and_numbers(reason: Reason, wait_s: float) -> None:
    reply = FAULTS.error(ASKED, reason=reason, retry_after_s=wait_s)
    head = {name: value.decode() for name, value in reply.headers}
    assert int(head[b"retry-after-ms"]) == pytest.approx(wait_s * 1000)
    assert 0 <= int(head[b"retry-after"]) - wait_s < 1
    found = re.search(
        r"on (requests|tokens) per (min|day) \((RPM|RPD|TPM|TPD)\): Limit (\d+), Used (\d+), Requested (\d+)\. "
        r"Please try again in (\S+)\. ",
        told(reply)["message"],
    )
    assert found is not None
    unit, period, initials, limit, used, requested, wait = found.groups()
    assert initials == f"{unit[0].upper()}P{period[0].upper()}"
    assert seconds(wait) == pytest.approx(wait_s)
    assert int(limit) == int(head[f"x-ratelimit-limit-{unit}".encode()])
    left = int(head[f"x-ratelimit-remaining-{unit}".encode()])
    assert int(used) == int(limit) - left
    assert left < int(requested)
    refill = (60 if period == "min" else 86_400) / int(limit)
    if wait_s:
        assert (int(requested) - left) * refill == pytest.approx(wait_s, rel=0.35, abs=0.01)
    assert seconds(head[f"x-ratelimit-reset-{unit}".encode()]) == pytest.approx(int(used) * refill, rel=0.01)


@pytest.mark.parametrize("status", [400, 401, 429, 500, 502, 503])
def test_a_wait_that_is_asked_for_is_told_with_any_status(status: int) -> None:
    head = dict(FAULTS.error(ASKED, status=status, retry_after_s=1.5).headers)
    assert (head[b"retry-after"], head[b"retry-after-ms"]) == (b"2", b"1500")
    plain = dict(FAULTS.error(ASKED, status=status).headers)
    assert (b"retry-after" in plain) == (status == 429)


def test_a_reply_goes_to_whom_the_request_names() -> None:
    headers = {b"openai-organization": b"org-mine", b"openai-project": b"proj_mine"}
    reply = FAULTS.error(asked(ASKER, model="gpt-4o", headers=headers), reason=Reason.RATE_LIMIT)
    assert "in organization org-mine on" in told(reply)["message"]
    assert dict(reply.headers)[b"openai-project"] == b"proj_mine"


def test_nothing_of_the_key_that_came_is_shown() -> None:
    headers = {b"authorization": b"Bearer sk-proj-secretsecretsecret"}
    reply = FAULTS.error(asked(ASKER, headers=headers), reason=Reason.INVALID_KEY)
    assert b"secret" not in reply.body


def test_what_is_too_long_is_said_as_each_api_says_it() -> None:
    responses = told(FAULTS.error(asked(ASKER, RESPONSES), reason=Reason.CONTEXT_LENGTH))
    assert responses["message"].startswith("Your input exceeds the context window of this model.")
    assert (responses["param"], responses["code"]) == ("input", "context_length_exceeded")
    embeddings = told(FAULTS.error(asked(ASKER, "/v1/embeddings"), reason=Reason.CONTEXT_LENGTH))
    assert "maximum context length is 8192 tokens, however you requested 9216 tokens" in embeddings["message"]


def test_without_a_model_nothing_is_said_of_one() -> None:
    plain = asked(ASKER, "/v1/files")
    assert told(FAULTS.error(plain, reason=Reason.PERMISSION_DENIED))["message"].startswith("You have insufficient")
    assert told(FAULTS.error(plain, status=404))["message"] == "The requested resource was not found."
    assert told(FAULTS.error(plain, reason=Reason.RATE_LIMIT))["message"].startswith("Rate limit reached for requests")
    assert "Not allowed to POST on /v1/chat/completions." in told(FAULTS.error(ASKED, status=405))["message"]


@pytest.mark.parametrize("exceeded", ["requests", "tokens"])
def test_a_request_over_the_proxys_own_limit_hears_the_limits_numbers(exceeded: Literal["requests", "tokens"]) -> None:
    quota = Quota(3, 0, 41.5, 1000, 10, 58.2)
    reply = FAULTS.limited(ASKED, quota, exceeded, 20.0)
    head = dict(reply.headers)
    error = told(reply)
    assert (reply.status, error["type"], error["code"]) == (429, exceeded, "rate_limit_exceeded")
    numbers = "Limit 3, Used 3, Requested 1." if exceeded == "requests" else "Limit 1000, Used 990, Requested 343."
    assert numbers in error["message"]
    assert "Please try again in 20s." in error["message"]
    assert head[b"retry-after"] == b"20"
    assert {name: value for name, value in head.items() if name.startswith(b"x-ratelimit")} == dict(
        FAULTS.quota_headers(quota, 0.0)
    )


def test_quota_headers_say_what_there_is_of_each_limit() -> None:
    both = dict(FAULTS.quota_headers(Quota(500, 499, 0.12, 30_000, 29_976, 360.0), 0.0))
    assert both == {
        b"x-ratelimit-limit-requests": b"500",
        b"x-ratelimit-remaining-requests": b"499",
        b"x-ratelimit-reset-requests": b"120ms",
        b"x-ratelimit-limit-tokens": b"30000",
        b"x-ratelimit-remaining-tokens": b"29976",
        b"x-ratelimit-reset-tokens": b"6m0s",
    }
    assert set(both) <= get_provider("openai").unsafe_reply_headers  # no recording repeats them
    assert [name for name, _ in FAULTS.quota_headers(Quota(limit_requests=5), 0.0)] == [
        b"x-ratelimit-limit-requests", b"x-ratelimit-remaining-requests", b"x-ratelimit-reset-requests",
    ]  # fmt: skip
    assert FAULTS.quota_headers(Quota(), 0.0) == []


# --- streams


@pytest.mark.parametrize("reason", [None, *Reason])
def test_an_error_in_a_stream_is_the_error_of_a_reply(reason: Reason | None) -> None:
    expected = told(FAULTS.error(ASKED, reason=reason or Reason.SERVER_ERROR))
    (chat,) = sse.events(FAULTS.stream_error(ASKED, b"text/event-stream", reason=reason))
    assert chat.name == ""
    assert orjson.loads(chat.data) == {"error": expected}
    (event,) = sse.events(
        FAULTS.stream_error(asked(ASKER, RESPONSES, model="gpt-4o"), b"text/event-stream", reason=reason)
    )
    data = orjson.loads(event.data)
    assert event.name == data["type"] == "error"
    assert data["sequence_number"] == 0
    if reason is not Reason.CONTEXT_LENGTH:
        assert data["error"] == expected


@pytest.mark.parametrize("status", [400, 429, 500, 502, 503, 529])
def test_an_error_in_a_stream_has_words_for_any_status(status: int) -> None:
    (event,) = sse.events(FAULTS.stream_error(ASKED, b"text/event-stream", status=status))
    assert orjson.loads(event.data)["error"]["type"]
    (event,) = sse.events(FAULTS.stream_error(ASKED, b"text/event-stream", status=status, message="mine"))
    assert orjson.loads(event.data)["error"]["message"] == "mine"


def test_an_error_takes_the_number_of_the_event_it_is() -> None:
    (event,) = sse.events(FAULTS.stream_error(asked(ASKER, RESPONSES, events_sent=7), b"text/event-stream"))
    assert orjson.loads(event.data)["sequence_number"] == 7


def test_typed_streams_tell_errors_by_name() -> None:
    (event,) = sse.events(FAULTS.stream_error(asked(ASKER, "/v1/images/generations"), b"text/event-stream"))
    assert (event.name, orjson.loads(event.data)["type"]) == ("error", "error")


STREAMS: list[tuple[str, dict[str, Any]]] = [
    (CHAT, {"model": "gpt-4o", "messages": [{"role": "user", "content": "Write: data: [DONE] response.completed"}]}),
    (RESPONSES, {"model": "gpt-4o", "input": 'Write: data: [DONE] "type":"response.completed"'}),
    ("/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "Hello"}),
    ("/v1/images/generations", {"model": "gpt-image-1", "prompt": "A duck", "partial_images": 2}),
    ("/v1/audio/speech", {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Quack", "stream_format": "sse"}),
]


@pytest.mark.parametrize(("target", "body"), STREAMS, ids=[target for target, _ in STREAMS])
def test_the_last_event_of_every_stream_ends_it_and_no_other(target: str, body: dict[str, Any]) -> None:
    request = asked(ASKER, target)
    *before, last = frames(ASKER, target, body)
    assert before
    assert FAULTS.is_terminator(request, last)
    assert [event for event in before if FAULTS.is_terminator(request, event)] == []


@pytest.mark.parametrize("kind", ["response.incomplete", "response.failed", "transcript.text.done"])
def test_other_ends_are_ends_too(kind: str) -> None:
    assert FAULTS.is_terminator(ASKED, b'data: {"type":"%b","response":{}}\n\n' % kind.encode())
    assert FAULTS.is_terminator(ASKED, b"event: %b\ndata: {}\n\n" % kind.encode())
    assert not FAULTS.is_terminator(ASKED, b": ping\n\n")


def test_replies_that_hold_no_answer_have_no_editor() -> None:
    for target in ("/v1/embeddings", "/v1/nothing"):
        for edit in Edit:
            assert FAULTS.editor(asked(ASKER, target), edit, b"application/json") is None


def test_the_sdk_reads_the_errors_members() -> None:
    reply = FAULTS.error(ASKED, reason=Reason.CONTEXT_LENGTH)
    error = openai.APIError("m", request=None, body=told(reply))  # type: ignore[arg-type]
    assert (error.code, error.param, error.type) == ("context_length_exceeded", "messages", "invalid_request_error")
