from __future__ import annotations

from dataclasses import replace
from typing import Any

import botocore.session
import orjson
import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.parsers import EventStreamJSONParser, RestJSONParser
from hypothesis import given
from hypothesis import strategies as st

from providers.base import ErrorReply
from providers.bedrock import PROVIDER
from providers.faults.base import Asked, Edit, Quota, Reason
from providers.faults.bedrock import FAULTS
from providers.wire.event_stream import CONTENT_TYPE
from tests.providers.emulated.asking import Asker, whole
from tests.providers.faults.bedrock_replies import CLAUDE, CONVERSE, REQUEST_ID, asked, frames, genuine

CONVERSES, INVOKES = asked(f"/model/{CLAUDE}/converse"), asked(f"/model/{CLAUDE}/invoke")
CONVERSE_STREAM, INVOKE_STREAM = f"/model/{CLAUDE}/converse-stream", f"/model/{CLAUDE}/invoke-with-response-stream"
OPENAI, ANTHROPIC = asked("/openai/v1/chat/completions"), asked("/anthropic/v1/messages")
MODEL = botocore.session.get_session().get_service_model("bedrock-runtime")
STREAM_SHAPES = {
    CONVERSE_STREAM: MODEL.operation_model("ConverseStream").get_event_stream_output(),
    INVOKE_STREAM: MODEL.operation_model("InvokeModelWithResponseStream").get_event_stream_output(),
}


def header(reply: ErrorReply, name: bytes) -> bytes | None:
    return dict(reply.headers).get(name)


def body(reply: ErrorReply) -> Any:
    return orjson.loads(reply.body)


def parsed(reply: ErrorReply) -> dict[str, Any]:
    """A reply as botocore reads it."""
    given = {
        "status_code": reply.status,
        "headers": {name.decode(): value.decode() for name, value in reply.headers},
        "body": reply.body,
    }
    read: dict[str, Any] = RestJSONParser().parse(given, MODEL.operation_model("Converse").output_shape)
    return read


# --- errors


@given(st.integers(400, 599), st.one_of(st.none(), st.sampled_from(Reason)))
def test_every_status_has_a_reply_that_botocore_reads(status: int, reason: Reason | None) -> None:
    reply = FAULTS.error(CONVERSES, status=status, reason=reason)
    read = parsed(reply)
    assert reply.status == status
    assert read["Error"]["Code"]
    assert read["Error"]["Message"]
    assert header(reply, b"content-type") == b"application/json"
    assert header(reply, b"x-amzn-requestid") == REQUEST_ID.encode()
    assert all(name == name.lower() and b"\n" not in value for name, value in reply.headers)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_brings_a_status_and_a_type(reason: Reason) -> None:
    reply = FAULTS.error(INVOKES, reason=reason)
    code = parsed(reply)["Error"]["Code"]
    assert code.endswith("Exception")
    shape = {shape.name: shape for shape in MODEL.error_shapes}.get(code)
    if shape is None:
        assert reason in (Reason.INVALID_KEY, Reason.REQUEST_TOO_LARGE)
    else:
        assert reply.status == shape.metadata["error"]["httpStatusCode"]


def test_a_type_of_one_s_own_brings_its_usual_words() -> None:
    reply = FAULTS.error(CONVERSES, status=429, code="ModelNotReadyException")
    assert parsed(reply)["Error"] == {
        "Code": "ModelNotReadyException",
        "Message": "The model is not ready for inference. Try your request again.",
    }
    assert parsed(FAULTS.error(CONVERSES, status=400, code="Odd", message="m"))["Error"] == {
        "Code": "Odd",
        "Message": "m",
    }


def test_a_status_without_a_type_says_none() -> None:
    reply = FAULTS.error(CONVERSES, status=529)
    assert header(reply, b"x-amzn-errortype") is None
    assert parsed(reply)["Error"]["Code"] == "529"


def test_words_of_one_s_own_take_the_place_of_the_usual_ones() -> None:
    assert body(FAULTS.error(INVOKES, reason=Reason.OVERLOADED, message="Nein.")) == {"message": "Nein."}


def test_converse_says_which_words_are_the_model_s() -> None:
    words = "Input is too long for requested model."
    assert body(FAULTS.error(INVOKES, reason=Reason.CONTEXT_LENGTH))["message"] == words
    told = body(FAULTS.error(CONVERSES, reason=Reason.CONTEXT_LENGTH))["message"]
    assert told == f"The model returned the following errors: {words}"


def test_a_wrong_key_is_refused_as_the_kind_of_key_it_is() -> None:
    bearer = replace(CONVERSES, headers={b"authorization": b"Bearer bedrock-api-key-x"})
    signed = replace(CONVERSES, headers={b"authorization": b"AWS4-HMAC-SHA256 Credential=AK/20261121/us-east-1/..."})
    reply = FAULTS.error(bearer, reason=Reason.INVALID_KEY)
    assert body(reply) == {"Message": "Authentication failed: Please make sure your API Key is valid."}
    assert parsed(reply)["Error"]["Code"] == "AccessDeniedException"
    assert parsed(FAULTS.error(signed, reason=Reason.INVALID_KEY))["Error"]["Code"] == "UnrecognizedClientException"


def test_nothing_is_said_of_a_wait_unless_asked_for() -> None:
    reply = FAULTS.error(CONVERSES, reason=Reason.RATE_LIMIT)
    assert header(reply, b"retry-after") is header(reply, b"x-amz-retry-after") is None


@pytest.mark.parametrize(
    ("wait", "milliseconds", "seconds"),
    [(0, b"0", b"0"), (0.05, b"50", b"1"), (1, b"1000", b"1"), (1.0004, b"1000", b"1"), (2.5, b"2500", b"3")],
)
def test_a_wait_is_told_in_milliseconds_and_in_whole_seconds(wait: float, milliseconds: bytes, seconds: bytes) -> None:
    reply = FAULTS.error(CONVERSES, status=503, retry_after_s=wait)
    assert header(reply, b"x-amz-retry-after") == milliseconds
    assert header(reply, b"retry-after") == seconds


@pytest.mark.parametrize(("what", "kind"), [(OPENAI, "invalid_request_error"), (ANTHROPIC, "authentication_error")])
def test_below_another_vendor_s_paths_errors_are_in_its_words(what: Asked, kind: str) -> None:
    reply = FAULTS.error(what, reason=Reason.INVALID_KEY, retry_after_s=2)
    assert reply.status == 401
    error = body(reply)["error"]
    assert (error["type"], error["message"]) == (kind, "Invalid bearer token")
    assert error.get("code") in (None, "invalid_api_key")
    names = [name for name, _ in reply.headers]
    assert names == [b"content-type", b"x-amzn-requestid", b"x-amzn-errortype", b"x-amz-retry-after", b"retry-after"]


@pytest.mark.parametrize("what", [OPENAI, ANTHROPIC])
@pytest.mark.parametrize("status", [400, 418, 429, 500, 502, 503, 520, 529])
def test_below_another_vendor_s_paths_every_error_is_json_with_a_message(what: Asked, status: int) -> None:
    reply = FAULTS.error(what, status=status)
    assert reply.status == status
    assert header(reply, b"content-type") == b"application/json"
    told = body(reply)
    assert (told.get("error") or told)["message"]


def test_a_path_that_nobody_knows_fails_like_the_others() -> None:
    reply = FAULTS.error(Asked(PROVIDER.match("GET", b"/nothing"), REQUEST_ID, 0.0), status=500)
    assert parsed(reply)["Error"]["Code"] == "InternalServerException"


# --- the rate limit


@pytest.mark.parametrize(("exceeded", "what"), [("requests", "requests"), ("tokens", "tokens")])
def test_over_the_limit_is_throttled_with_the_wait(exceeded: Any, what: str) -> None:
    reply = FAULTS.limited(CONVERSES, Quota(limit_requests=3), exceeded, 12.3)
    assert reply.status == 429
    assert parsed(reply)["Error"] == {
        "Code": "ThrottlingException",
        "Message": f"Too many {what}, please wait before trying again.",
    }
    assert (header(reply, b"x-amz-retry-after"), header(reply, b"retry-after")) == (b"12300", b"13")


def test_nothing_is_said_of_what_is_left() -> None:
    assert FAULTS.quota_headers(Quota(limit_requests=3, remaining_requests=1), 0.0) == ()


# --- inside streams


def exception(path: str, **what: Any) -> dict[str, str]:
    """The error of a stream as botocore reads it."""
    buffer = EventStreamBuffer()
    buffer.add_data(FAULTS.stream_error(asked(path), CONTENT_TYPE, **what))
    (event,) = list(buffer)
    found: dict[str, str] = EventStreamJSONParser().parse(event.to_response_dict(), STREAM_SHAPES[path])["Error"]
    return found


@pytest.mark.parametrize("path", [CONVERSE_STREAM, INVOKE_STREAM])
@pytest.mark.parametrize("reason", [None, *Reason])
@pytest.mark.parametrize("status", [None, 400, 403, 408, 418, 424, 429, 500, 503, 529])
def test_every_exception_is_one_that_the_stream_s_model_knows(
    path: str, reason: Reason | None, status: int | None
) -> None:
    error = exception(path, status=status, reason=reason)
    assert error["Code"] in STREAM_SHAPES[path].members
    assert error["Message"]


def test_a_stream_that_breaks_by_itself_is_the_model_s_fault() -> None:
    assert exception(CONVERSE_STREAM)["Code"] == "modelStreamErrorException"
    assert exception(CONVERSE_STREAM, message="Nein.")["Message"] == "Nein."


def test_a_model_that_takes_too_long_is_told_where_there_is_a_word_for_it() -> None:
    assert exception(INVOKE_STREAM, reason=Reason.TIMEOUT)["Code"] == "modelTimeoutException"
    assert exception(CONVERSE_STREAM, reason=Reason.TIMEOUT)["Code"] == "modelStreamErrorException"


@pytest.mark.parametrize("what", [OPENAI, ANTHROPIC])
def test_server_sent_events_break_as_their_vendor_s_do(what: Asked) -> None:
    event = FAULTS.stream_error(what, b"text/event-stream; charset=utf-8", status=429)
    assert event.endswith(b"\n\n")
    assert b'"error"' in event


# --- the end of a stream


def test_the_end_of_converse_is_its_stop_and_its_metadata() -> None:
    found = [
        FAULTS.is_terminator(asked(CONVERSE_STREAM), frame) for frame in frames(genuine(CONVERSE_STREAM, CONVERSE))
    ]
    assert found == [False] * (len(found) - 2) + [True, True]


@pytest.mark.parametrize("event", [b"", b"data: [DONE]\n\n", b"\0" * 64])
def test_what_is_no_frame_ends_nothing(event: bytes) -> None:
    assert not FAULTS.is_terminator(asked(CONVERSE_STREAM), event)


def test_an_exception_ends_nothing() -> None:
    frame = FAULTS.stream_error(asked(CONVERSE_STREAM), CONTENT_TYPE, status=500)
    assert not FAULTS.is_terminator(asked(CONVERSE_STREAM), frame)


def test_another_vendor_s_stream_ends_as_there() -> None:
    assert FAULTS.is_terminator(OPENAI, b"data: [DONE]\n\n")
    assert FAULTS.is_terminator(ANTHROPIC, b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    assert not FAULTS.is_terminator(ANTHROPIC, b'event: ping\ndata: {"type":"ping"}\n\n')


# --- editors


@pytest.mark.parametrize("edit", list(Edit))
def test_calls_that_say_nothing_have_no_editor(edit: Edit) -> None:
    for path in (f"/model/{CLAUDE}/count-tokens", "/rerank", "/guardrail/a/version/1/apply", "/nothing"):
        assert FAULTS.editor(asked(path), edit, b"application/json") is None


def test_another_vendor_s_replies_are_edited_as_there() -> None:
    messages = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 100}
    for what, model, member in (
        (OPENAI, "openai.gpt-oss-20b-1:0", "choices"),
        (ANTHROPIC, "anthropic.claude-haiku-4-5-20251001-v1:0", "content"),
    ):
        given = whole(Asker("bedrock").send("POST", what.call.path.decode(), {"model": model, **messages}))
        editor = FAULTS.editor(what, Edit.REFUSAL, b"application/json", "Certainly not.")
        assert editor is not None
        made = editor.whole(given)
        assert made is not None
        assert b"Certainly not." in orjson.dumps(orjson.loads(made)[member])
