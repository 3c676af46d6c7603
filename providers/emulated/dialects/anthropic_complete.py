"""The legacy Text Completions dialect of Anthropic: a prompt of human and assistant turns in one text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from providers.emulated.answer import Answer, Stop, alphanumeric
from providers.emulated.base import Frame, digest_of
from providers.emulated.dialects import anthropic_fields as fields
from providers.emulated.dialects.anthropic_errors import ErrorShape
from providers.emulated.question import Question, Turn

_HUMAN = "\n\nHuman:"
_ASSISTANT = "\n\nAssistant:"


def read_completion_request(body: Mapping[str, Any], *, shape: ErrorShape, operation: str) -> Question:
    """What a completions body asks. Source: anthropic-sdk-python 0.125.0 `types/completion_create_params.py`."""
    model = fields.filled_text(shape, fields.required(shape, body, "model", ""), "model")
    prompt = fields.text(shape, fields.required(shape, body, "prompt", ""), "prompt")
    limit = fields.required(shape, body, "max_tokens_to_sample", "")
    limit = fields.integer(shape, limit, "max_tokens_to_sample", 1)
    if not prompt.startswith(_HUMAN):
        raise fields.invalid(shape, 'prompt must start with "\n\nHuman:" turn')
    if _ASSISTANT not in prompt:
        raise fields.invalid(shape, 'prompt must end with "\n\nAssistant:" turn')
    stops = fields.sequence(shape, body.get("stop_sequences") or [], "stop_sequences")
    for number, stop in enumerate(stops):
        fields.filled_text(shape, stop, f"stop_sequences.{number}")
    for name in ("temperature", "top_p"):
        if body.get(name) is not None and not 0 <= fields.number(shape, body[name], name) <= 1:
            raise fields.invalid(shape, f"{name}: range: 0..1")
    if body.get("stream") is not None:
        fields.boolean(shape, body["stream"], "stream")
    try:
        digest = digest_of(body)
    except TypeError:  # orjson reads deeper nesting than it writes
        raise fields.invalid(shape, "The request body is not valid JSON: nested too deeply") from None
    question = Question(operation, model, digest, _turns(prompt), max_tokens=limit, stops=tuple(stops), caches=())
    if body.get("temperature") is not None:
        question.temperature = float(body["temperature"])
    return question


def _turns(prompt: str) -> list[Turn]:
    turns = []
    for part in prompt.split(_HUMAN)[1:]:
        said, *answers = part.split(_ASSISTANT)
        turns.append(Turn("user", said.strip()))
        turns += [Turn("assistant", answer.strip()) for answer in answers if answer.strip()]
    return turns


def completion_reply(answer: Answer, model: str) -> dict[str, Any]:
    return _completion(answer, model, answer.text, is_last=True)


def _completion(answer: Answer, model: str, text: str, *, is_last: bool) -> dict[str, Any]:
    reason = "max_tokens" if answer.stop is Stop.LENGTH else "stop_sequence"
    stop = None if answer.stop is Stop.LENGTH else answer.stop_sequence or _HUMAN
    completion_id = f"compl_01{alphanumeric(answer.digest, 'completion', 22)}"
    return {
        "type": "completion",
        "id": completion_id,
        "completion": text,
        "stop_reason": reason if is_last else None,
        "model": model,
        "stop": stop if is_last else None,
        "log_id": completion_id,
    }


def completion_frames(answer: Answer, model: str) -> list[Frame]:
    """The completion as server-sent events."""
    frames = []
    for piece in answer.pieces:
        data = orjson.dumps(_completion(answer, model, piece.text, is_last=False))
        frames.append(Frame(b"event: completion\ndata: %b\n\n" % data, 1, piece.delay_s))
        if len(frames) == 1:
            frames.append(Frame(b'event: ping\ndata: {"type": "ping"}\n\n'))
    last = orjson.dumps(_completion(answer, model, "", is_last=True))
    return [*frames, Frame(b"event: completion\ndata: %b\n\n" % last)]
