"""Speech in OpenAI's dialect: a short sound for a text.

Source: openai-python 3.54.0 `types/audio/speech_create_params.py`, and platform.openai.com/docs/guides/text-to-speech,
read November 2026.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import orjson

from providers.emulated import media, tokens
from providers.emulated.base import EmulatedReply, EmulatedRequest, Frame
from providers.emulated.desk import Desk
from providers.emulated.dialects import openai_checks as checks
from providers.emulated.dialects.openai_errors import Invalid, Shape, intercept, missing, read_object, stream_reply
from providers.wire.sse import encode

_VOICES = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse", "marin", "cedar",
)  # fmt: skip
_VOICE = checks.one_of(*_VOICES)
_CHUNK_BYTES = 4096
_MOST_CHARACTERS = 4096


def _voice(value: Any, param: str) -> None:
    if isinstance(value, dict):
        checks.require(value, "id", within=f"{param}.")
        checks.text(value["id"], f"{param}.id")
    else:
        _VOICE(value, param)


_CHECKS: Mapping[str, checks.Check] = {
    "input": checks.limited_text(_MOST_CHARACTERS),
    "instructions": checks.limited_text(_MOST_CHARACTERS),
    "model": checks.text,
    "response_format": checks.one_of("mp3", "opus", "aac", "flac", "wav", "pcm"),
    "speed": checks.decimal(0.25, 4),
    "stream_format": checks.one_of("sse", "audio"),
    "voice": _voice,
}


def answer_speech(request: EmulatedRequest, desk: Desk, *, shape: Shape, model: str | None = None) -> EmulatedReply:
    """`audio.speech`. `model`: the one the path names, if it does. Raises Invalid, Refused, CannedFailure."""
    body = read_object(request.body)
    for name in ("model", "input", "voice"):
        if body.get(name) is None and not (name == "model" and model):
            raise missing(name)
    checks.check_members(body, _CHECKS, is_lenient=shape.is_lenient)
    model = model or str(body["model"])
    shape.check_model(desk, model)
    text = body["input"]
    if not text:
        raise Invalid("Invalid 'input': string too short. Expected a string with minimum length 1, but got an empty "
                      "string instead.", "input", "string_below_min_length")  # fmt: skip
    is_repeatable = intercept(desk, "audio.speech", model, request, text)
    is_events = body.get("stream_format") == "sse"
    if is_events and model.startswith("tts-"):
        raise Invalid(
            f"stream_format 'sse' is not supported for model '{model}'.", "stream_format", "unsupported_value"
        )
    sound, kind = media.speech(body.get("response_format") or "mp3", text)
    spoken = tokens.count(text)
    pieces = [sound[place : place + _CHUNK_BYTES] for place in range(0, len(sound), _CHUNK_BYTES)]
    if not is_events:
        headers = shape.headers(request, spoken, (b"content-type", kind.encode()))
        return EmulatedReply(200, headers, [Frame(piece) for piece in pieces], is_repeatable=is_repeatable)
    events: list[dict[str, Any]] = [
        {"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()} for piece in pieces
    ]
    usage = {"input_tokens": spoken, "output_tokens": len(pieces), "total_tokens": spoken + len(pieces)}
    events.append({"type": "speech.audio.done", "usage": usage})
    frames = [Frame(encode(orjson.dumps(event)), int("audio" in event)) for event in events]
    return stream_reply(shape, request, frames, spoken, is_repeatable=is_repeatable)
