"""How Vertex AI and the Gemini API fail, as plain values: every status and every reason on every kind of path."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.base import ErrorReply
from providers.faults.base import Asked, Edit, Quota, Reason
from providers.faults.vertex_ai import FAULTS
from providers.registry import get_provider
from providers.wire import sse

ID = "0195f3a0-1111-7222-8333-444455556666"
IN_PROJECT = b"/v1/projects/p/locations/us-east5"
GEMINI = b"/v1beta/models/gemini-2.5-flash:generateContent"
STREAM = b"/v1beta/models/gemini-2.5-flash:streamGenerateContent"
VERTEX = IN_PROJECT + b"/publishers/google/models/gemini-2.5-flash:generateContent"
CLAUDE = IN_PROJECT + b"/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict"
CLAUDE_STREAM = IN_PROJECT + b"/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict"
MISTRAL = IN_PROJECT + b"/publishers/mistralai/models/mistral-small:rawPredict"
CHAT = b"/v1beta/openai/chat/completions"
INTERACTIONS = b"/v1beta/interactions"
PATHS = (GEMINI, STREAM, VERTEX, CLAUDE, CLAUDE_STREAM, MISTRAL, CHAT, INTERACTIONS, b"/v1beta/unheard-of")


def asked(path: bytes = GEMINI, **more: Any) -> Asked:
    call = get_provider("vertex_ai").match("POST", path)
    return Asked(call, ID, 1_800_000_000.0, model=call.model or "gemini-2.5-flash", **more)


def fields(reply: ErrorReply) -> dict[bytes, bytes]:
    return dict(reply.headers)


def error_of(reply: ErrorReply) -> dict[str, Any]:
    body = orjson.loads(reply.body)
    error: dict[str, Any] = (body[0] if isinstance(body, list) else body)["error"]
    return error


@pytest.mark.parametrize("path", PATHS)
def test_every_status_has_a_reply_an_sdk_can_read(path: bytes) -> None:
    for status in range(400, 600):
        reply = FAULTS.error(asked(path), status=status)
        assert reply.status == status
        assert b"retry-after" not in fields(reply)
        if fields(reply)[b"content-type"].startswith(b"text/html"):
            assert f"Error {status} (".encode() in reply.body
            assert status in (408, 411, 413, 414, 502)
        else:
            assert error_of(reply)["message"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_reply_under_any_status(path: bytes, reason: Reason) -> None:
    usual = FAULTS.error(asked(path), reason=reason)
    other = FAULTS.error(asked(path), reason=reason, status=477)
    assert 400 <= usual.status < 600
    assert other.status == 477
    assert error_of(other)["message"] == error_of(usual)["message"]
    told = FAULTS.error(asked(path), reason=reason, message="Words.", retry_after_s=2.5)
    assert error_of(told)["message"].startswith("Words.")
    assert fields(told)[b"retry-after"] == b"3"


@pytest.mark.parametrize(
    ("path", "query", "is_array"),
    [
        (GEMINI, b"", False),
        (STREAM, b"", True),
        (STREAM, b"alt=sse", False),
        (STREAM, b"%24alt=sse&key=k", False),
        (CLAUDE, b"", False),
        (CLAUDE_STREAM, b"", True),
        (CHAT, b"", True),
    ],
)
def test_an_error_stands_in_an_array_where_the_reply_would_have(path: bytes, query: bytes, is_array: bool) -> None:
    reply = FAULTS.error(asked(path, query=query), status=503)
    assert isinstance(orjson.loads(reply.body), list) == is_array


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        (GEMINI, {}, 400),
        (VERTEX, {}, 401),
        (VERTEX, {"headers": {b"x-goog-api-key": b"k"}}, 400),
        (VERTEX, {"query": b"alt=sse&key=k"}, 400),
        (CLAUDE, {}, 401),
    ],
)
def test_an_invalid_key_is_told_from_an_invalid_token(path: bytes, given: dict[str, Any], status: int) -> None:
    reply = FAULTS.error(asked(path, **given), reason=Reason.INVALID_KEY)
    assert reply.status == status
    assert error_of(reply)["details"][0]["reason"] == ("API_KEY_INVALID" if status == 400 else "ACCESS_TOKEN_EXPIRED")
    assert (b"www-authenticate" in fields(reply)) == (status == 401)


def test_the_gemini_api_names_the_limit_and_the_wait() -> None:
    reply = FAULTS.limited(asked(), Quota(limit_requests=3), "requests", 12.3)
    error = error_of(reply)
    help_, quota, retry = error["details"]
    assert help_["@type"].endswith("Help")
    assert quota["violations"][0]["quotaValue"] == "3"
    assert quota["violations"][0]["quotaId"] == "GenerateRequestsPerMinutePerProjectPerModel-PaidTier"
    assert quota["violations"][0]["quotaDimensions"]["model"] == "gemini-2.5-flash"
    assert retry == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "13s"}
    assert "limit: 3, model: gemini-2.5-flash" in error["message"]
    assert error["message"].endswith("Please retry in 12.3s.")
    assert fields(reply)[b"retry-after"] == b"13"


@pytest.mark.parametrize(
    ("path", "exceeded", "metric", "model"),
    [
        (VERTEX, "requests", "generate_content_requests_per_minute_per_project_per_base_model", "gemini-2.5-flash"),
        (VERTEX, "tokens", "generate_content_input_tokens_per_minute_per_base_model", "gemini-2.5-flash"),
        (CLAUDE, "requests", "online_prediction_requests_per_base_model", "anthropic-claude-sonnet-4-5"),
        (CLAUDE, "tokens", "online_prediction_input_tokens_per_minute_per_base_model", "anthropic-claude-sonnet-4-5"),
    ],
)
def test_vertex_names_the_metric_and_the_base_model(path: bytes, exceeded: Any, metric: str, model: str) -> None:
    reply = FAULTS.limited(asked(path), Quota(3, 0, 1, 100, 0, 1), exceeded, 0.0)
    words = f"Quota exceeded for aiplatform.googleapis.com/{metric} with base model: {model}."
    assert reply.status == 429
    assert error_of(reply)["message"].startswith(words)
    assert fields(reply)[b"retry-after"] == b"1"


def test_nobody_is_told_a_quota() -> None:
    assert FAULTS.quota_headers(Quota(3, 2, 1.0, 100, 50, 1.0), 0.0) == ()


@pytest.mark.parametrize(
    ("path", "name", "code"),
    [
        (GEMINI, "", 503),
        (VERTEX, "", 503),
        (CHAT, "", 503),
        (CLAUDE_STREAM, "error", None),
        (INTERACTIONS, "error", "unavailable"),
    ],
)
def test_an_error_in_a_stream_is_one_event_of_its_dialect(path: bytes, name: str, code: Any) -> None:
    (event,) = sse.events(FAULTS.stream_error(asked(path, is_streaming=True), b"text/event-stream"))
    assert event.name == name
    error = event.json()["error"]
    assert error["message"]
    assert error.get("code") == code


@pytest.mark.parametrize(
    ("path", "event", "ends"),
    [
        (STREAM, b'data: {"candidates":[{"content":{},"finishReason":"STOP"}]}\r\n\r\n', True),
        (STREAM, b'data: {"candidates":[{"content":{"parts":[{"text":"finishReason"}]}}]}\r\n\r\n', False),
        (STREAM, b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\r\n\r\n', True),
        (STREAM, b',\r\n{"candidates":[{"finishReason":"STOP"}]}', True),
        (STREAM, b'[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}', False),
        (STREAM, b"finishReason", False),
        (CLAUDE_STREAM, b'event: message_stop\ndata: {"type":"message_stop"}\n\n', True),
        (CLAUDE_STREAM, b'event: ping\ndata: {"type":"ping"}\n\n', False),
        (CHAT, b"data: [DONE]\n\n", True),
        (CHAT, b'data: {"choices":[]}\n\n', False),
        (MISTRAL, b"data: [DONE]\n\n", True),
        (INTERACTIONS, b'event: interaction.completed\ndata: {"interaction":{}}\n\n', True),
        (INTERACTIONS, b"event: done\ndata: [DONE]\n\n", True),
        (INTERACTIONS, b'event: step.stop\ndata: {"index":0}\n\n', False),
    ],
)
def test_what_ends_a_stream_is_recognised(path: bytes, event: bytes, ends: bool) -> None:
    assert FAULTS.is_terminator(asked(path), event) is ends


@pytest.mark.parametrize("edit", Edit)
def test_only_answers_can_be_edited(edit: Edit) -> None:
    for path in (GEMINI, STREAM, VERTEX, CLAUDE, CLAUDE_STREAM, MISTRAL, CHAT, INTERACTIONS):
        assert FAULTS.editor(asked(path), edit, b"application/json") is not None
    counting = IN_PROJECT + b"/publishers/anthropic/models/count-tokens:rawPredict"
    for path in (counting, b"/v1beta/models/gemini-embedding-001:embedContent", b"/v1beta/unheard-of"):
        assert FAULTS.editor(asked(path), edit, b"application/json") is None
