from __future__ import annotations

import orjson
import pytest

from providers.emulated.base import EmulatedRequest
from providers.emulated.dialects.bedrock_errors import (
    MAX_DEPTH,
    Refusal,
    constraint,
    error_reply,
    is_deep,
    not_json,
    parse_object,
)
from providers.registry import get_provider
from tests.providers.emulated.asking import header
from tests.providers.emulated.bedrock_shapes import CLAUDE, service


def request(path: str = f"{CLAUDE}/converse") -> EmulatedRequest:
    call = get_provider("bedrock").match("POST", path.encode())
    return EmulatedRequest("POST", call, b"", {}, b"", 0.0, "01997a00-0000-7000-8000-000000000001")


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_a_type_and_a_message(status: int) -> None:
    reply = error_reply(request(), status)
    assert reply.status == status
    assert (header(reply, "x-amzn-errortype") or "").endswith("Exception")
    assert header(reply, "x-amzn-requestid") == "01997a00-0000-7000-8000-000000000001"
    assert isinstance(reply.body, bytes)
    assert orjson.loads(reply.body)["message"]


@pytest.mark.parametrize("status", [400, 403, 404, 408, 424, 429, 500, 503])
def test_the_usual_types_are_the_service_s_own(status: int) -> None:
    kind = header(error_reply(request(), status), "x-amzn-errortype")
    shapes = {shape.name: shape for shape in service("bedrock-runtime").error_shapes}
    assert kind in shapes
    assert shapes[kind].metadata["error"]["httpStatusCode"] == status


def test_a_canned_error_says_what_it_was_told_to() -> None:
    reply = error_reply(request(), 429, "Later.", type="Odd\r\nException", code="slow")
    assert header(reply, "x-amzn-errortype") == "OddException"
    assert isinstance(reply.body, bytes)
    assert orjson.loads(reply.body) == {"message": "Later.", "code": "slow"}


def test_other_vendors_clients_find_the_message_where_they_look() -> None:
    openai = error_reply(request("/openai/v1/chat/completions"), 400, "No.").body
    claude = error_reply(request("/anthropic/v1/messages"), 400, "No.").body
    assert isinstance(openai, bytes)
    assert isinstance(claude, bytes)
    assert orjson.loads(openai)["error"]["message"] == "No."
    assert orjson.loads(claude)["type"] == "error"
    assert orjson.loads(claude)["error"] == {"type": "ValidationException", "message": "No."}


@pytest.mark.parametrize("data", [b"[]", b"1", b"{", b"\xff", b"NaN", b'{"a":' * 400 + b"1" + b"}" * 400])
def test_what_is_no_object_or_too_deep_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_object(data, not_json())
    assert refusal.value.type == "SerializationException"


def test_no_body_is_an_empty_object() -> None:
    assert parse_object(b"", not_json()) == {}


def test_depth_is_measured_by_nesting_and_not_by_size() -> None:
    wide = orjson.dumps([[[]]] * (2 * MAX_DEPTH))
    assert not is_deep(wide, orjson.loads(wide))
    deep = b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH
    assert is_deep(b"[" + deep + b"]", [orjson.loads(deep)])
    assert not is_deep(deep[1:-1] + b"[]" * 3, orjson.loads(deep[1:-1]))


def test_a_long_value_is_shown_in_part() -> None:
    assert len(constraint("a.b", "x" * 1000, "Member must be short").message) < 250
