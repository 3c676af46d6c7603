"""Usage in Anthropic-shaped replies: Messages bodies and streams, at Anthropic itself and on the clouds that resell it.

Source: anthropic-sdk-python 2.12.0 `types/usage.py`, `types/message_delta_usage.py`, read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from providers.base import Header, Usage, UsageReader
from providers.wire.json_body import JsonReader, count, is_not_error, mapping, media_type, text
from providers.wire.sse import SseReader

_LOOK_BACK_EVENTS = 16
_ANY_GEO = (None, "", "global", "not_available")


def usage_reader(flavor: str, headers: Sequence[Header], *, is_streaming: bool) -> UsageReader:
    """The reader for a 2xx reply of a flavor ("messages", "count_tokens", "plain").

    What is no event stream should be JSON, whatever its content type says, and is not whole if it is not.
    """
    kind = media_type(headers)
    if kind == b"text/event-stream" or (not kind and is_streaming):
        return MessageStream()
    return JsonReader(count_tokens_usage if flavor == "count_tokens" else message_usage, _is_message)


def message_usage(body: Any) -> Usage:
    """Usage of a Messages reply: its own `input_tokens` leaves cache reads and writes out, ours does not."""
    body = mapping(body)
    return stream_usage(body, {})


def stream_usage(message: Mapping[str, Any], delta: Mapping[str, Any]) -> Usage:
    """Usage of a stream: `message` of message_start, and `usage` of the last message_delta: cumulative, so it wins."""
    usage = {**mapping(message, "usage"), **{name: value for name, value in delta.items() if value is not None}}
    plain = count(usage.get("input_tokens"))
    cached = count(usage.get("cache_read_input_tokens"))
    written = count(usage.get("cache_creation_input_tokens"))
    details: dict[str, Any] = {
        "cache_write_1h_tokens": mapping(usage, "cache_creation").get("ephemeral_1h_input_tokens"),
        "web_searches": mapping(usage, "server_tool_use").get("web_search_requests"),
        # Inference kept in one country costs more, by a factor the price library does not know.
        "inference_geo": 0 if usage.get("inference_geo") in _ANY_GEO else 1,
    }
    return Usage(
        input_tokens=None if plain is None else plain + (cached or 0) + (written or 0),
        output_tokens=count(usage.get("output_tokens")),
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=count(mapping(usage, "output_tokens_details").get("thinking_tokens")),
        model=text(message.get("model")),
        service_tier="fast" if usage.get("speed") == "fast" else text(usage.get("service_tier")),
        details={name: value for name, value in details.items() if count(value)},
    )


def count_tokens_usage(body: Any) -> Usage:
    """Usage of a reply that only counts: the count stands for the input, nothing was written."""
    tokens = count(mapping(body).get("input_tokens"))
    return Usage(input_tokens=tokens, output_tokens=None if tokens is None else 0)


def _is_message(body: Any) -> bool:
    return is_not_error(body) and mapping(body).get("type") != "error"


class MessageStream(SseReader):
    """Messages: input in `message_start`, output in the last `message_delta`; the end is `message_stop`."""

    __slots__ = ()

    def read(self) -> tuple[Usage, bool]:
        started: Mapping[str, Any] = {}
        for event in islice(self.first(), _LOOK_BACK_EVENTS):
            body = event.object()
            if body.get("type") == "message_start":
                started = mapping(body, "message")
                break
        delta: Mapping[str, Any] = {}
        has_end = False
        for position, event in enumerate(islice(self.last(), _LOOK_BACK_EVENTS)):
            body = event.object()
            if position == 0:
                has_end = body.get("type") == "message_stop"
            if body.get("type") == "message_delta":
                delta = mapping(body, "usage")
                break
        usage = stream_usage(started, delta)
        # Without a message_delta there is only the guess that opens the stream.
        return usage if delta else replace(usage, output_tokens=None), has_end
