"""Interactions, Google's newer way to ask: answers as steps, whole or as typed events.

Source: google-genai 3.4.0 `_gaos/types/interactions/` and the streaming guide of the Gemini API, read November 2026.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import orjson

from providers.emulated.answer import Answer, Stop, alphanumeric, created_at
from providers.emulated.base import EmulatedReply, EmulatedRequest, Frame
from providers.emulated.desk import Desk
from providers.emulated.dialects.gemini_content import signature
from providers.emulated.dialects.gemini_interactions_request import (
    INTERACTIONS,
    Interaction,
    Stored,
    read_interaction,
)
from providers.emulated.dialects.google_errors import EVENTS, headers, json_reply, refuse
from providers.emulated.dialects.google_times import timestamp
from providers.emulated.question import ToolUse, Turn


def create_interaction(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """Raises Refused, CannedFailure."""
    asked = read_interaction(request, desk)
    answer = desk.answer(asked.question)
    shape = _shape(asked, answer)
    if asked.is_stored:
        _store(desk, asked, answer, shape)
    is_repeatable = answer.is_repeatable and asked.is_repeatable
    if asked.is_streaming:
        frames = _frames(asked, answer, shape)
        fields = headers(request, EVENTS)
        return EmulatedReply(200, fields, frames, delay_s=answer.delay_s, is_repeatable=is_repeatable)
    reply = json_reply(request, shape, is_repeatable=is_repeatable)
    reply.tokens = answer.output_tokens
    reply.delay_s = answer.whole_delay_s
    return reply


def get_interaction(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    stored = _find(request, desk)
    shape = dict(stored.shape)
    query = parse_qs(request.query.decode("latin-1"))
    if query.get("include_input", query.get("includeInput")) == ["true"]:
        shape["input"] = stored.input
    if query.get("stream") == ["true"]:
        raise refuse(request, "Rubberduck's emulation of this provider does not stream stored interactions again.")
    return json_reply(request, shape, is_repeatable=False)


def delete_interaction(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    desk.shelf.remove(INTERACTIONS, _find(request, desk).shape["id"])
    return json_reply(request, {}, is_repeatable=False)


def cancel_interaction(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """Every interaction is finished as soon as it is made."""
    _find(request, desk)
    raise refuse(request, "Only interactions that are in progress in the background can be cancelled.")


def _find(request: EmulatedRequest, desk: Desk) -> Stored:
    name = request.call.path.partition(b"/interactions/")[2].partition(b"/")[0].decode("latin-1")
    stored = desk.shelf.get(INTERACTIONS, name)
    if not isinstance(stored, Stored):
        raise refuse(request, f"The interaction {name[:64]} was not found.", 404)
    return stored


def _store(desk: Desk, asked: Interaction, answer: Answer, shape: dict[str, Any]) -> None:
    turns = [*asked.question.turns, Turn("assistant", answer.text, tool_uses=tuple(_named(answer)))]
    size = 1024 + 2 * sum([len(turn.text) for turn in turns])
    desk.shelf.put(INTERACTIONS, shape["id"], Stored(shape, asked.input, turns), size)


def _named(answer: Answer) -> list[ToolUse]:
    return [ToolUse(use.id[:8], use.name, use.arguments) for use in answer.tool_uses]


def _shape(asked: Interaction, answer: Answer) -> dict[str, Any]:
    """The whole interaction."""
    shape = _head(asked, _status(answer))
    shape["steps"] = _steps(answer)
    shape["usage"] = _usage(answer)
    if asked.previous:
        shape["previous_interaction_id"] = asked.previous
    return shape


def _head(asked: Interaction, status: str) -> dict[str, Any]:
    digest = asked.question.digest
    made_at = timestamp(created_at(digest))[:19] + "Z"
    return {
        "id": "v1_" + alphanumeric(digest, "interaction" + asked.previous, 40),
        "object": "interaction",
        "model": asked.question.model,
        "status": status,
        "created": made_at,
        "updated": made_at,
        "service_tier": "standard",
    }


def _status(answer: Answer) -> str:
    if answer.tool_uses:
        return "requires_action"
    return "incomplete" if answer.stop is Stop.LENGTH else "completed"


def _steps(answer: Answer) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    if answer.thinking_pieces:
        summary = [{"type": "text", "text": answer.thinking}]
        steps.append({"type": "thought", "signature": signature(answer.digest), "summary": summary})
    if answer.pieces:
        steps.append({"type": "model_output", "content": [{"type": "text", "text": answer.text}]})
    for use in _named(answer):
        steps.append({"type": "function_call", "id": use.id, "name": use.name, "arguments": _arguments(use)})
    return steps


def _arguments(use: ToolUse) -> dict[str, Any]:
    try:
        value = orjson.loads(use.arguments or "{}")
    except orjson.JSONDecodeError:
        return {"arguments": use.arguments}
    return value if isinstance(value, dict) else {"arguments": value}


def _usage(answer: Answer) -> dict[str, Any]:
    written = answer.output_tokens - answer.reasoning_tokens
    return {
        "total_tokens": answer.input_tokens + answer.output_tokens,
        "total_input_tokens": answer.input_tokens,
        "input_tokens_by_modality": [{"modality": "text", "tokens": answer.input_tokens}],
        "total_cached_tokens": answer.cached_tokens,
        "total_output_tokens": written,
        "output_tokens_by_modality": [{"modality": "text", "tokens": written}],
        "total_tool_use_tokens": 0,
        "total_thought_tokens": answer.reasoning_tokens,
    }


def _frames(asked: Interaction, answer: Answer, shape: dict[str, Any]) -> list[Frame]:
    """The events: created, each step's start, deltas and stop, completed."""
    begun = {name: shape[name] for name in ("id", "object", "model", "created", "updated")}
    frames = [
        _event("interaction.created", {"interaction": begun | {"status": "in_progress"}}),
        _event("interaction.status_update", {"interaction_id": shape["id"], "status": "in_progress"}),
    ]
    index = 0
    if answer.thinking_pieces:
        deltas: list[tuple[dict[str, Any], int, float]] = [
            ({"type": "thought_summary", "content": {"type": "text", "text": piece}}, 1, 0.0)
            for piece in answer.thinking_pieces
        ]
        deltas.append(({"type": "thought_signature", "signature": signature(answer.digest)}, 0, 0.0))
        frames += _step(index, {"type": "thought"}, deltas)
        index += 1
    if answer.pieces:
        texts = [({"type": "text", "text": piece.text}, 1, piece.delay_s) for piece in answer.pieces]
        frames += _step(index, {"type": "model_output"}, texts)
        index += 1
    rest = answer.output_tokens - answer.reasoning_tokens - len(answer.pieces)
    for use in _named(answer):
        arguments = orjson.dumps(_arguments(use)).decode()
        tokens = max(1, rest // len(answer.tool_uses))
        start = {"type": "function_call", "id": use.id, "name": use.name, "arguments": {}}
        frames += _step(index, start, [({"type": "arguments_delta", "arguments": arguments}, tokens, 0.0)])
        index += 1
    ended = begun | {"status": shape["status"], "service_tier": "standard", "usage": shape["usage"]}
    frames.append(_event("interaction.completed", {"interaction": ended}))
    frames.append(Frame(b"event: done\ndata: [DONE]\n\n"))
    return frames


def _step(index: int, step: dict[str, Any], deltas: list[tuple[dict[str, Any], int, float]]) -> list[Frame]:
    """The events of one step. A delta comes with its tokens and a wait of its own."""
    before = b'event: step.delta\ndata: {"index":%d,"delta":' % index
    after = b',"event_type":"step.delta"}\n\n'
    dumps = orjson.dumps
    return [
        _event("step.start", {"index": index, "step": step}),
        *[Frame(before + dumps(delta) + after, tokens, delay_s) for delta, tokens, delay_s in deltas],
        _event("step.stop", {"index": index}),
    ]


def _event(name: str, body: dict[str, Any]) -> Frame:
    data = orjson.dumps(body | {"event_type": name})
    return Frame(b"event: " + name.encode() + b"\ndata: " + data + b"\n\n")
