"""Asks the emulated Anthropic API, and reads what it says with the official SDK's own types."""

from __future__ import annotations

from typing import Any

import orjson
from anthropic import BaseModel
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from providers.emulated.answer import Answer, Piece, Stop
from providers.emulated.base import EmulatedReply, Refused
from providers.emulated.dialects.anthropic_errors import ErrorShape
from providers.emulated.dialects.anthropic_messages import MessageRequest, read_message_request
from providers.emulated.question import ToolUse
from providers.wire.sse import events
from tests.providers.emulated.asking import Asker, whole

WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
NEWEST = {"anthropic-version": "2026-10-21"}
_EVENTS: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


class PlainShape(ErrorShape):
    """A cloud that gives errors as plain text: its status and message."""

    id_mark = "test_"

    def refuse(self, status: int, message: str, *, type: str | None = None, details: Any = None) -> Refused:
        return Refused(EmulatedReply(status, [], message.encode()))


def body(text: Any = "Say hello.", **more: Any) -> dict[str, Any]:
    """A Messages body. `text`: the content of its one message, unless `messages` are given."""
    return {
        "model": "claude-haiku-4-5",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": text}],
        **more,
    }


def read(given: dict[str, Any], **more: Any) -> MessageRequest:
    return read_message_request(given, shape=PlainShape(), operation="messages", **more)


def refused(given: dict[str, Any], **more: Any) -> str:
    """Why a body is refused with 400; "" if it is not."""
    try:
        read(given, **more)
    except Refused as refusal:
        return whole(refusal.reply).decode() if refusal.reply.status == 400 else f"status {refusal.reply.status}"
    return ""


def an_answer(text: str = "Hello there!", **more: Any) -> Answer:
    """An answer with these words, each a piece."""
    words = text.split(" ") if text else []
    pieces = [Piece(word if not number else f" {word}") for number, word in enumerate(words)]
    facts: dict[str, Any] = {
        "digest": bytes(range(32)),
        "pieces": pieces,
        "thinking_pieces": [],
        "tool_uses": [],
        "stop": Stop.END,
        "stop_sequence": None,
        "input_tokens": 12,
        "output_tokens": len(pieces) + 5,
    }
    return Answer(**(facts | more))


def a_use(arguments: str = '{"city":"Paris"}', name: str = "get_weather") -> ToolUse:
    return ToolUse("abcdefghijklmnopqrstuvwx", name, arguments)


def stream(asker: Asker, given: dict[str, Any], headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """The events of a streamed reply, each valid by the SDK's types and named by what it is."""
    reply = asker.send("POST", "/v1/messages", {**given, "stream": True}, headers)
    assert reply.status == 200, whole(reply)
    found = []
    for event in events(whole(reply)):
        data = orjson.loads(event.data)
        assert event.name == data["type"]
        if event.name != "ping":
            check(_EVENTS.validate_python(data), data)
        found.append(data)
    return found


def check(model: BaseModel, data: dict[str, Any]) -> None:
    """Nothing in the data that the SDK's type does not know, all the way down."""
    known = {field.alias or name for name, field in type(model).model_fields.items()}
    assert set(data) <= known, f"{type(model).__name__} knows no {set(data) - known}"
    for name, value in data.items():
        found = getattr(model, name, None)
        if isinstance(found, BaseModel) and isinstance(value, dict):
            check(found, value)
        if isinstance(found, list) and isinstance(value, list):
            for one, other in zip(found, value, strict=True):
                if isinstance(one, BaseModel):
                    check(one, other)


def checked(kind: type[BaseModel], data: dict[str, Any]) -> Any:
    """The data as the SDK's type, strictly."""
    model = kind.model_validate(data)
    check(model, data)
    return model


def message(asker: Asker, given: dict[str, Any], headers: dict[str, str] | None = None) -> Message:
    """A whole reply."""
    found: Message = checked(Message, asker.json("POST", "/v1/messages", given, headers))
    return found


def error(reply: EmulatedReply) -> tuple[int, str, str]:
    """Status, type and message of an error reply, its form checked."""
    data = orjson.loads(whole(reply))
    assert set(data) == {"type", "error", "request_id"}
    assert data["type"] == "error"
    assert data["request_id"].startswith("req_")
    assert len(data["request_id"]) == 28
    assert dict(reply.headers)[b"request-id"].decode() == data["request_id"]
    return reply.status, data["error"]["type"], data["error"]["message"]
