"""The events of a streamed Anthropic message: the same content, ids and usage as the whole one.

Anthropic and Vertex AI frame them as server-sent events, Bedrock as chunks of an event stream.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from providers.emulated import tokens
from providers.emulated.answer import Answer
from providers.emulated.base import Frame
from providers.emulated.dialects.anthropic_messages import (
    STOP_REASONS,
    MessageRequest,
    message_id,
    message_usage,
    signature,
    stop_details,
    tool_input,
    tool_use_id,
)


class Event(NamedTuple):
    """One event. `data`: its JSON, whose `type` is `name`; `tokens` and `delay_s` as in Frame."""

    name: str
    data: bytes
    tokens: int = 0
    delay_s: float = 0.0


PING = Event("ping", b'{"type":"ping"}')
_NAMES = ("start", "delta", "stop")
_HEADS = {
    name: f"event: {name}\ndata: ".encode()
    for name in ("ping", *(f"{what}_{when}" for what in ("message", "content_block") for when in _NAMES))
}
_STOP = Event("message_stop", b'{"type":"message_stop"}')


def message_events(answer: Answer, request: MessageRequest) -> list[Event]:
    """All events, in order."""
    events = [_start(answer, request)]
    index = 0
    if answer.thinking_pieces:
        _open(events, index, b'{"type":"thinking","thinking":"","signature":""}')
        if request.shows_thinking:
            head = b'{"type":"content_block_delta","index":%d,"delta":{"type":"thinking_delta","thinking":' % index
            for said in answer.thinking_pieces:
                events.append(Event("content_block_delta", head + orjson.dumps(said) + b"}}", 1))
        seal = b'{"type":"content_block_delta","index":%d,"delta":{"type":"signature_delta","signature":"%b"}}'
        hidden = 0 if request.shows_thinking else len(answer.thinking_pieces)
        events.append(Event("content_block_delta", seal % (index, signature(answer).encode()), hidden))
        index = _close(events, index)
    if answer.pieces:
        _open(events, index, b'{"type":"text","text":""}')
        head = b'{"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":' % index
        for piece in answer.pieces:
            events.append(Event("content_block_delta", head + orjson.dumps(piece.text) + b"}}", 1, piece.delay_s))
        index = _close(events, index)
    for use in answer.tool_uses:
        block = {"type": "tool_use", "id": tool_use_id(use, request), "name": use.name, "input": {}}
        _open(events, index, orjson.dumps(block))
        head = b'{"type":"content_block_delta","index":%d,"delta":{"type":"input_json_delta","partial_json":' % index
        events.append(Event("content_block_delta", head + b'""}}'))
        given = tool_input(use)
        for part in tokens.pieces(use.arguments) if given else ():
            events.append(Event("content_block_delta", head + orjson.dumps(part) + b"}}", 1))
        index = _close(events, index)
    events.append(_delta(answer, request))
    events.append(_STOP)
    return events


def sse_frames(events: list[Event]) -> list[Frame]:
    """The events as server-sent ones."""
    return [Frame(_HEADS[name] + data + b"\n\n", count, delay_s) for name, data, count, delay_s in events]


def _start(answer: Answer, request: MessageRequest) -> Event:
    message: dict[str, Any] = {
        "model": request.model,
        "id": message_id(answer, request),
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": message_usage(answer, request, min(1, answer.output_tokens)),
    }
    return Event("message_start", b'{"type":"message_start","message":%b}' % orjson.dumps(message))


def _open(events: list[Event], index: int, block: bytes) -> None:
    events.append(
        Event("content_block_start", b'{"type":"content_block_start","index":%d,"content_block":%b}' % (index, block))
    )
    if not index:
        events.append(PING)


def _close(events: list[Event], index: int) -> int:
    """The next block's index."""
    events.append(Event("content_block_stop", b'{"type":"content_block_stop","index":%d}' % index))
    return index + 1


def _delta(answer: Answer, request: MessageRequest) -> Event:
    whole = message_usage(answer, request, answer.output_tokens)
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    usage = {name: whole[name] for name in names}
    if "output_tokens_details" in whole:
        usage["output_tokens_details"] = whole["output_tokens_details"]
    delta = {
        "stop_reason": STOP_REASONS[answer.stop],
        "stop_sequence": answer.stop_sequence,
        "stop_details": stop_details(answer),
    }
    data = {"type": "message_delta", "delta": delta, "usage": usage}
    return Event("message_delta", orjson.dumps(data))
