"""Bedrock's refusals: the wordings its services share, and the reply that carries them.

Source: the wordings as users quote them in public issue reports; read November 2026.
"""

from __future__ import annotations

from typing import Any

import orjson

from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.wire.bedrock_errors import USUAL
from providers.wire.json_body import MISSING, parse

JSON = (b"content-type", b"application/json")
MAX_DEPTH = 200
"""Deeper JSON is refused: a reply to it could not be written."""


class Refusal(Exception):
    """A request that Bedrock would not take; `bedrock.py` makes the reply of it."""

    def __init__(self, message: str, status: int = 400, type: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type


def error_reply(
    request: EmulatedRequest, status: int, message: str | None = None, *, type: str | None = None,
    code: str | None = None,
) -> EmulatedReply:  # fmt: skip
    """`{"message"}` with its type in a header; below the paths of other vendors also what their clients look for."""
    usual_type, usual_message = USUAL.get(status) or USUAL[400 if status < 500 else 500]
    kind = type or usual_type
    said = usual_message if message is None else message
    body: dict[str, Any] = {"message": said}
    path = request.call.path
    if path.startswith(b"/anthropic/"):
        body |= {"type": "error", "error": {"type": kind, "message": said}, "request_id": request.request_id}
    elif path.startswith(b"/openai/"):
        body["error"] = {"message": said, "type": kind, "param": None, "code": code}
    elif kind == "ModelErrorException":
        body |= {"originalStatusCode": 500, "resourceName": request.call.model or ""}
    if code is not None:
        body["code"] = code
    return EmulatedReply(status, [*headers(request), (b"x-amzn-errortype", _field(kind))], orjson.dumps(body))


def headers(request: EmulatedRequest) -> list[tuple[bytes, bytes]]:
    """What every JSON reply begins with."""
    return [JSON, (b"x-amzn-requestid", request.request_id.encode())]


def parse_object(data: bytes, complaint: Refusal) -> dict[str, Any]:
    """The body as an object; nothing at all is an empty one. Raises `complaint` for anything else."""
    body = parse(data) if data else {}
    if body is MISSING or type(body) is not dict or is_deep(data, body):
        raise complaint
    return body


def is_deep(data: bytes, body: Any) -> bool:
    """Whether the JSON value, read from `data`, is nested past MAX_DEPTH."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    level = [body]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for value in level
            for inner in (value.values() if type(value) is dict else value)
            if type(inner) in (dict, list)
        ]
        if not level:
            return False
    return True


def not_json() -> Refusal:
    """Source: restJson1 services answer a body they cannot read with this type."""
    return Refusal("The request body is not valid JSON.", type="SerializationException")


def constraint(path: str, value: Any, rule: str) -> Refusal:
    """A value outside of what the service's model allows: rule "Member must not be null"."""
    shown = "null" if value is None else f"'{_shown(value)}'"
    return Refusal(f"1 validation error detected: Value {shown} at '{path}' failed to satisfy constraint: {rule}")


def wrong_format(path: str, kind: str) -> Refusal:
    """A value of the wrong type: kind "a string", "a list", "an integer"."""
    return Refusal(f"The format of the value at {path} is invalid. Provide {kind} for the field and try again.")


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text[:100]


def _field(text: str) -> bytes:
    """A header's value: what a canned reply names may hold anything."""
    return "".join(character for character in text if 32 <= ord(character) < 127).encode()
