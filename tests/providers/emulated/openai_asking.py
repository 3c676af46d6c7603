"""What tests of OpenAI's dialect share: bodies to send, and readers of what comes back."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter

from providers.emulated.base import EmulatedReply
from providers.wire import sse
from tests.providers.emulated.asking import Asker, whole

Model = TypeVar("Model")

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}


def chat(prompt: Any = "Say hello.", **members: Any) -> dict[str, Any]:
    """A body for chat completions."""
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": prompt}], **members}


def typed(kind: type[Model], reply: EmulatedReply) -> Model:
    """The reply read into the SDK's own type, with nothing that the type asks for missing."""
    assert reply.status == 200, whole(reply)
    return validated(kind, orjson.loads(whole(reply)))


def validated(kind: type[Model], value: Any) -> Model:
    return TypeAdapter(kind).validate_python(value)


def events(reply: EmulatedReply) -> list[Any]:
    """The data of each frame, without the end mark. Every frame holds one event."""
    assert reply.status == 200, whole(reply)
    assert not isinstance(reply.body, bytes)
    found = []
    for frame in reply.body:
        read = list(sse.events(frame.data))
        assert len(read) == 1
        assert frame.data.endswith(b"\n\n")
        if read[0].data != b"[DONE]":
            found.append(orjson.loads(read[0].data))
    return found


def refused(reply: EmulatedReply, status: int = 400) -> dict[str, Any]:
    """The error of a refusal in OpenAI's shape."""
    assert reply.status == status, whole(reply)
    error: dict[str, Any] = orjson.loads(whole(reply))["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


def form(fields: dict[str, Any], **files: tuple[str, bytes] | list[tuple[str, bytes]]) -> tuple[bytes, dict[str, str]]:
    """A multipart body and its headers. A list is sent as several parts whose name ends in `[]`."""
    parts = []
    for name, value in fields.items():
        for entry in value if isinstance(value, list) else [value]:
            shown = f"{name}[]" if isinstance(value, list) else name
            parts.append(f'Content-Disposition: form-data; name="{shown}"\r\n\r\n{entry}'.encode())
    for name, given in files.items():
        for filename, content in given if isinstance(given, list) else [given]:
            shown = f"{name}[]" if isinstance(given, list) else name
            head = f'Content-Disposition: form-data; name="{shown}"; filename="{filename}"\r\n'
            parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content)
    body = b"".join([b"--frontier\r\n" + part + b"\r\n" for part in parts]) + b"--frontier--\r\n"
    return body, {"content-type": "multipart/form-data; boundary=frontier"}


def ask_form(asker: Asker, target: str, fields: dict[str, Any], **files: Any) -> EmulatedReply:
    body, headers = form(fields, **files)
    return asker.send("POST", target, body, headers)
