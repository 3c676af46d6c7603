"""What OpenAI-shaped request bodies say: model, streaming, temperature, how long the answer may be."""

from __future__ import annotations

from typing import Any

from providers.base import BodyFacts, Call
from providers.wire.json_body import count, number, text

_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")


def read_openai_body(call: Call, body: Any) -> BodyFacts:
    """Facts of a JSON body (any value), or of a multipart one given as field -> str, where `true` and numbers are text.

    The body's model wins over the path's: on Azure the path holds a deployment's name.
    """
    if not isinstance(body, dict):
        return BodyFacts(model=call.model)
    operation = call.operation
    streams = operation is not None and operation.streams == "body"
    asked = body.get("stream")
    temperature = body.get("temperature")
    return BodyFacts(
        model=text(body.get("model")) or call.model,
        is_streaming=streams and (asked is True or asked == "true" or body.get("stream_format") == "sse"),
        temperature=_decimal(temperature) if isinstance(temperature, str) else number(temperature),
        may_cache=body.get("background") is not True and body.get("conversation") is None,
        max_output_tokens=_most(body),
    )


def _most(body: dict[str, Any]) -> int | None:
    """The most tokens an answer may have, all choices together."""
    for name in _LIMITS:
        most = count(body.get(name))
        if most is not None:
            return most * (count(body.get("n")) or 1)
    return None


def _decimal(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
