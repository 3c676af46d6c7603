"""Google's paths and bodies, for the tests of its dialects."""

from __future__ import annotations

from typing import Any

import orjson

from providers.emulated.base import EmulatedReply
from tests.providers.emulated.asking import Asker, whole

LOCATION = "/v1beta1/projects/p/locations/us-central1"
VERTEX = LOCATION + "/publishers/google/models/"
EXPRESS = "/v1beta1/publishers/google/models/"
GEMINI = "/v1beta/models/"
FLASH = "gemini-2.5-flash"
BOTH = (VERTEX, GEMINI)


def says(text: str, **more: Any) -> dict[str, Any]:
    """A request of one turn; `more` are further fields of it."""
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}


def generate(body: Any, base: str = GEMINI, model: str = FLASH, asker: Asker | None = None) -> dict[str, Any]:
    """The body of generateContent's reply, which succeeds."""
    made: dict[str, Any] = (asker or Asker("vertex_ai")).json("POST", f"{base}{model}:generateContent", body)
    return made


def stream(body: Any, base: str = GEMINI, model: str = FLASH) -> list[dict[str, Any]]:
    """The chunks of streamGenerateContent with `alt=sse`."""
    reply = Asker("vertex_ai").send("POST", f"{base}{model}:streamGenerateContent?alt=sse", body)
    assert reply.status == 200, whole(reply)
    frames = whole(reply).decode().split("\r\n\r\n")
    assert frames.pop() == ""
    return [orjson.loads(frame.removeprefix("data: ")) for frame in frames]


def refusal(body: Any, base: str = GEMINI, model: str = FLASH, status: int = 400) -> str:
    """The message of generateContent's refusal."""
    reply = Asker("vertex_ai").send("POST", f"{base}{model}:generateContent", body)
    return message_of(reply, status)


def message_of(reply: EmulatedReply, status: int) -> str:
    assert reply.status == status, whole(reply)
    found = orjson.loads(whole(reply))
    error = (found[0] if isinstance(found, list) else found)["error"]
    return str(error["message"])
