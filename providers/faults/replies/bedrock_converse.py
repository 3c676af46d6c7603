"""Edits Converse replies, whole or as the frames of ConverseStream.

Source: bedrock-runtime service-2.json (botocore 1.44.5), ConverseResponse, ConverseStreamOutput and StopReason; read
November 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from providers.faults.base import Edit
from providers.faults.replies.bedrock_events import MESSAGE_EVENTS, Event, edits
from providers.faults.replies.bedrock_words import REFUSAL, half
from providers.faults.replies.tool_arguments import spoil
from providers.wire import event_stream
from providers.wire.event_stream import FrameError
from providers.wire.json_body import mapping, parse

_LEAST_BYTES = 16


class ConverseEditor:
    """Edits one reply of Converse or ConverseStream."""

    def __init__(self, edit: Edit, text: str | None) -> None:
        self._edit = edit
        self._text = text
        self._edits = edits(edit, text)
        self.has_edited = False

    def whole(self, body: bytes) -> bytes | None:
        reply = parse(body)
        if not isinstance(reply, dict) or not edit_message(reply, self._edit, self._text):
            return None
        self.has_edited = True
        return orjson.dumps(reply)

    def event(self, event: bytes) -> Sequence[bytes]:
        read = read_frame(event)
        if read is None or read[0] not in MESSAGE_EVENTS:
            return [event]
        name, payload = read
        made = self._edits.event(Event(name, payload, event))
        self.has_edited = self._edits.has_edited
        return [_frame(one) for one in made]

    def finish(self) -> Sequence[bytes]:
        return []


def read_frame(frame: bytes) -> tuple[str, dict[str, Any]] | None:
    """The kind of a whole event frame and its JSON object; None for exceptions and whatever else it may be."""
    if len(frame) < _LEAST_BYTES:
        return None
    try:
        read = event_stream.parse(frame)
    except FrameError:
        return None
    payload = parse(read.payload) if read.message_type == "event" else None
    return (read.event_type, payload) if isinstance(payload, dict) else None


def _frame(event: Event) -> bytes:
    if event.frame is None:
        return event_stream.build_event(event.name, orjson.dumps(event.payload | {"p": "abcdefgh"}))
    return event_stream.with_payload(event.frame, orjson.dumps(event.payload)) if event.is_edited else event.frame


def edit_message(reply: dict[str, Any], edit: Edit, text: str | None) -> bool:
    """Edits a whole reply in place; False when there is nothing in it to edit."""
    message = mapping(reply, "output", "message")
    content = message.get("content")
    if not isinstance(content, list):
        return False
    blocks = [block for block in content if isinstance(block, dict)]
    if edit is Edit.REFUSAL:
        made, reason = [{"text": text or REFUSAL}], "content_filtered"
    elif edit is Edit.EMPTY_CONTENT:
        made, reason = [], "end_turn"
    elif edit is Edit.LENGTH:
        made, reason = _shortened(blocks), "max_tokens"
        if not made:
            return False
    else:
        uses = [use for block in blocks if isinstance(use := block.get("toolUse"), dict)]
        for use in uses:
            use["input"] = spoil(mapping(use, "input"))
        return bool(uses)
    content[:] = made
    reply["stopReason"] = reason
    return True


def _shortened(blocks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks up to the first that is no reasoning, of that one half; empty when there is none."""
    for place, block in enumerate(blocks):
        if isinstance(block.get("text"), str):
            return [*blocks[:place], block | {"text": half(block["text"])}]
        if isinstance(block.get("toolUse"), dict):  # what was cut of its input is no JSON, so none of it is told
            return [*blocks[:place], {"toolUse": block["toolUse"] | {"input": {}}}]
    return []
