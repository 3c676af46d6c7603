"""Estimates how many tokens of an answer a piece of a reply carries, whatever the provider's dialect."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from providers.emulated.tokens import count
from providers.wire import event_stream, json_body, sse
from proxies.dataplane.faults.events import Framing, is_event, without_comma

# Where the dialects keep what a model writes: chat completions, Responses, Messages, Converse, Gemini, Titan, Llama.
_TEXTS = frozenset(
    {
        "arguments", "completion", "content", "delta", "generation", "outputText", "output_text",
        "partial_json", "reasoning_content", "refusal", "text", "thinking", "transcript",
    }
)  # fmt: skip
_OBJECTS = frozenset({"args", "input"})  # of a tool call
_MOST_DEPTH = 12


def tokens_of_event(event: bytes, kind: Framing) -> int:
    """Of one event of a stream; 0 for one that carries nothing of the answer, else at least 1."""
    if kind is Framing.CHUNKS:
        return 1 if event else 0
    if not is_event(event, kind):
        return 0
    return sum(_news(value) for value in _values(event, kind))


def tokens_of_body(body: bytes) -> int:
    """Of a reply that is no stream."""
    value = json_body.parse(body)
    if value is not json_body.MISSING:
        return _tokens(value)
    try:
        return count(body.decode())
    except UnicodeDecodeError:  # sound, pictures
        return 0


def _values(event: bytes, kind: Framing) -> Iterator[Any]:
    if kind is Framing.SSE:
        for each in sse.events(event):
            yield each.json()
    elif kind is Framing.JSON_ARRAY:
        yield json_body.parse(without_comma(event))
    else:
        yield _unwrapped(json_body.parse(event_stream.payload(event)))


def _unwrapped(value: Any) -> Any:
    """What a frame of Bedrock's InvokeModel stream has inside: the model's own event."""
    inner = value.get("bytes") if isinstance(value, dict) else None
    if not isinstance(inner, str):
        return value
    try:
        return json_body.parse(base64.b64decode(inner))
    except (binascii.Error, ValueError):
        return value


def _news(value: Any) -> int:
    """Nothing for what sums up the events before it, as many events of the Responses API do; one for other dialects'
    sound and pictures."""
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or "." not in kind:
        return _tokens(value)
    return max(_tokens(value), 1) if kind.endswith(".delta") else 0


def _tokens(value: Any, *, is_text: bool = False, depth: int = 0) -> int:
    """Of the text that stands in the members in which models write."""
    if isinstance(value, str):
        return count(value) if is_text else 0
    if depth > _MOST_DEPTH:
        return 0
    if isinstance(value, list):
        return sum(_tokens(item, is_text=is_text, depth=depth + 1) for item in value)
    if not isinstance(value, dict):
        return 0
    total = 0
    for name, item in value.items():
        if name in _OBJECTS and item:
            total += count(item if isinstance(item, str) else str(item))
        else:
            total += _tokens(item, is_text=name in _TEXTS, depth=depth + 1)
    return total
