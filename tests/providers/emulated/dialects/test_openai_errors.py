from __future__ import annotations

import orjson
import pytest

from providers.emulated.base import EmulatedRequest
from providers.emulated.dialects.openai_errors import (
    Invalid,
    Shape,
    digest,
    dump,
    missing,
    read_object,
    unsupported_value,
    wrong_type,
)
from providers.openai import PROVIDER
from providers.wire.openai_errors import UNPARSABLE


def request() -> EmulatedRequest:
    call = PROVIDER.match("POST", b"/v1/chat/completions")
    return EmulatedRequest("POST", call, b"", {}, b"", 1.0, "01997a00-0000-7000-8000-00000000abcd")


def test_values_are_called_what_openai_calls_them() -> None:
    kinds = {
        "a string": "x", "an integer": 1, "a decimal": 1.5, "a boolean": True, "an array": [], "an object": {},
        "null": None,
    }  # fmt: skip
    for kind, value in kinds.items():
        assert wrong_type("p", "x", value).message == f"Invalid type for 'p': expected x, but got {kind} instead."


def test_supported_values_are_listed_as_in_a_sentence() -> None:
    assert unsupported_value("p", "x", ["a"]).message == "Invalid value: 'x'. Supported values are: 'a'."
    assert unsupported_value("p", "x", ["a", "b"]).message.endswith("'a' and 'b'.")
    assert unsupported_value("p", "x", ["a", "b", "c"]).message.endswith("'a', 'b', and 'c'.")


def test_only_objects_are_read() -> None:
    assert read_object(b'{"a": 1}') == {"a": 1}
    for body in (b"", b"[]", b"1", b"{", b"NaN", b"\xff"):
        with pytest.raises(Invalid, match="We could not parse") as caught:
            read_object(body)
        assert caught.value.message == UNPARSABLE


def test_what_is_nested_too_deeply_to_be_written_is_refused_or_written_otherwise() -> None:
    deep = orjson.loads(b'{"a":' * 300 + b"1" + b"}" * 300)
    with pytest.raises(Invalid):
        digest(deep)
    assert orjson.loads(dump(deep)) == deep


def test_the_digest_is_the_same_streamed_or_not() -> None:
    assert digest({"a": 1, "stream": True, "stream_options": {}}) == digest({"a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest({"a": 1}, "x") != digest({"a": 1})


def test_an_error_is_a_body_and_a_head() -> None:
    reply = Shape().error(request(), missing("messages"))
    assert reply.status == 400
    assert isinstance(reply.body, bytes)
    assert orjson.loads(reply.body)["error"]["code"] == "missing_required_parameter"
    head = dict(reply.headers)
    assert head[b"x-request-id"] == b"req_01997a00000070008000" + b"00000000abcd"
    assert head[b"openai-version"] == b"2020-10-01"


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_its_usual_error(status: int) -> None:
    reply = Shape().usual_error(request(), status, None, None, None)
    assert isinstance(reply.body, bytes)
    error = orjson.loads(reply.body)["error"]
    assert reply.status == status
    assert error["message"]
    assert error["type"]
    assert (b"retry-after" in dict(reply.headers)) == (status == 429)


def test_a_given_message_type_and_code_are_kept() -> None:
    reply = Shape().usual_error(request(), 429, "No more", "insufficient_quota", "insufficient_quota")
    assert isinstance(reply.body, bytes)
    assert orjson.loads(reply.body)["error"] == {
        "message": "No more",
        "type": "insufficient_quota",
        "param": None,
        "code": "insufficient_quota",
    }


def test_the_remaining_tokens_are_never_negative() -> None:
    head = dict(Shape().headers(request(), 10**9))
    assert head[b"x-ratelimit-remaining-tokens"] == b"0"
