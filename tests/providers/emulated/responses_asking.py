"""Asks the Responses API of an emulated OpenAI, and holds its replies against the SDK's own types."""

from __future__ import annotations

from typing import Any

import orjson
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from providers.emulated.base import EmulatedReply
from tests.providers.emulated.asking import Asker, whole

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


def ask(asker: Asker, body: dict[str, Any]) -> dict[str, Any]:
    """A finished response that is what the SDK says it must be. `model` is one that does not reason by default."""
    found = asker.json("POST", "/v1/responses", {"model": "gpt-4o-mini"} | body)
    Response.model_validate(found)
    return found


def events_of(reply: EmulatedReply) -> list[dict[str, Any]]:
    """The events of a stream, each what the SDK says it must be, numbered in order."""
    assert reply.status == 200, whole(reply)
    assert not isinstance(reply.body, bytes)
    found = []
    for number, frame in enumerate(reply.body):
        name, data, end, rest = frame.data.split(b"\n")
        assert (end, rest) == (b"", b"")
        event = orjson.loads(data.removeprefix(b"data: "))
        _EVENT.validate_python(event)
        assert name.decode() == f"event: {event['type']}"
        assert event["sequence_number"] == number
        found.append(event)
    return found


def stream(asker: Asker, body: dict[str, Any]) -> list[dict[str, Any]]:
    return events_of(asker.send("POST", "/v1/responses", {"model": "gpt-4o-mini", "stream": True} | body))


def refusal(asker: Asker, method: str, target: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    """The status and the error of a request that is refused."""
    reply = asker.send(method, target, body)
    error = orjson.loads(whole(reply))["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert reply.status >= 400
    return reply.status, error


def refused(asker: Asker, body: dict[str, Any]) -> tuple[str | None, str | None, str]:
    """`param`, `code` and `message` of a body that is refused with 400."""
    status, error = refusal(asker, "POST", "/v1/responses", {"model": "gpt-4o-mini", "input": "Say hello."} | body)
    assert status == 400
    assert error["type"] == "invalid_request_error"
    return error["param"], error["code"], error["message"]
