"""Edits of Gemini's interactions, whole or event by event: refused, cut off, empty, with spoilt function arguments.

Source: google-genai 3.4.0 `_gaos/types/interactions/`, read November 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from providers.faults.base import Edit
from providers.faults.replies.halves import Halves
from providers.faults.replies.tool_arguments import cut, spoil
from providers.wire import sse
from providers.wire.json_body import count, mapping, parse

_REFUSAL = "I'm not able to help with that, as I'm only a language model."
_STEPS = frozenset({"step.start", "step.delta", "step.stop"})
_COMPLETED = "interaction.completed"

Event = dict[str, Any]


class InteractionEditor:
    """A ReplyEditor for JSON and server-sent events. A refusal is nothing but its words: there is no status for it."""

    def __init__(self, edit: Edit, text: str | None = None) -> None:
        self.has_edited = False
        self._edit = edit
        self._words = (_REFUSAL if text is None else text) if edit is Edit.REFUSAL else ""
        self._has_said = False
        self._halves: Halves[Event] = Halves()
        self._open: Any = None  # the index of the step that was begun and not ended
        self._broken: set[Any] = set()  # the function calls, by index, whose arguments have broken off

    def whole(self, body: bytes) -> bytes | None:
        reply = parse(body)
        if not isinstance(reply, dict) or not isinstance(reply.get("steps"), list):
            return None
        steps = [step for step in reply["steps"] if isinstance(step, dict)]
        if self._edit is Edit.INVALID_TOOL_ARGUMENTS:
            for step in steps:
                if step.get("type") == "function_call":
                    step["arguments"] = spoil(mapping(step, "arguments"))
                    self.has_edited = True
        elif self._edit is Edit.LENGTH:
            self.has_edited = _halve(steps)
            reply["steps"] = steps
        else:
            said = [{"type": "text", "text": self._words}]
            reply["steps"] = [{"type": "model_output", "content": said}] if self._words else []
            self.has_edited = True
        if not self.has_edited:
            return None
        self._end(reply)
        return orjson.dumps(reply)

    def event(self, event: bytes) -> Sequence[bytes]:
        parsed = next(sse.events(event), None)
        body = parsed.object() if parsed is not None else {}
        kind = str(body.get("event_type"))
        if kind not in _STEPS and kind != _COMPLETED:
            return (event,)
        sent = self._step(kind, body) if kind in _STEPS else self._completed(body)
        if len(sent) == 1 and sent[0] is body:
            return (_frame(body),) if kind == _COMPLETED and self.has_edited else (event,)
        return [_frame(one) for one in sent]

    def finish(self) -> Sequence[bytes]:
        return ()

    def _step(self, kind: str, event: Event) -> Sequence[Event]:
        if self._edit is Edit.INVALID_TOOL_ARGUMENTS:
            return self._spoilt(kind, event)
        self.has_edited = True
        if self._edit is Edit.LENGTH:
            return [self._pass(one) for one in self._halves.add(event)]
        return self._say()

    def _pass(self, event: Event) -> Event:
        if event["event_type"] == "step.start":
            self._open = event.get("index", 0)
        elif event["event_type"] == "step.stop":
            self._open = None
        return event

    def _completed(self, event: Event) -> Sequence[Event]:
        sent: list[Event] = []
        if self._edit in (Edit.REFUSAL, Edit.EMPTY_CONTENT):
            sent += self._say()
            self.has_edited = True
        elif self._open is not None:
            sent.append({"event_type": "step.stop", "index": self._open})
        interaction = event.get("interaction")
        if self.has_edited and isinstance(interaction, dict):
            self._end(interaction)
        return [*sent, event]

    def _say(self) -> Sequence[Event]:
        """The step that says the words, once."""
        if self._has_said or not self._words:
            return ()
        self._has_said = True
        return (
            {"event_type": "step.start", "index": 0, "step": {"type": "model_output"}},
            {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": self._words}},
            {"event_type": "step.stop", "index": 0},
        )

    def _spoilt(self, kind: str, event: Event) -> Sequence[Event]:
        delta = mapping(event, "delta")
        said = delta.get("arguments")
        if kind != "step.delta" or delta.get("type") != "arguments_delta" or not isinstance(said, str):
            return (event,)
        self.has_edited = True
        if event.get("index") in self._broken:
            return ()
        self._broken.add(event.get("index"))
        return (event | {"delta": {**delta, "arguments": cut(said)}},)

    def _end(self, interaction: Event) -> None:
        """Makes status and usage those of the edited answer."""
        if self._edit is Edit.INVALID_TOOL_ARGUMENTS:
            return
        interaction["status"] = "incomplete" if self._edit is Edit.LENGTH else "completed"
        usage = mapping(interaction, "usage")
        if not usage:
            return
        written = count(usage.get("total_output_tokens")) or 0
        thoughts = count(usage.get("total_thought_tokens")) or 0
        if self._edit is Edit.LENGTH:
            tokens = max(1, written // 2)
        else:
            tokens, thoughts = (len(self._words) // 4 + 1 if self._words else 0), 0
        interaction["usage"] = {
            **usage,
            "total_output_tokens": tokens,
            "total_thought_tokens": thoughts,
            "total_tokens": (count(usage.get("total_input_tokens")) or 0) + tokens + thoughts,
            "output_tokens_by_modality": [{"modality": "text", "tokens": tokens}],
        }


def _frame(body: Event) -> bytes:
    return sse.encode(orjson.dumps(body), str(body["event_type"]))


def _halve(steps: list[Event]) -> bool:
    """Keeps the first half of the text and what is before it. Whether there was anything to cut."""
    parts = [
        (place, part)
        for place, step in enumerate(steps)
        if step.get("type") == "model_output"
        for part in step.get("content") or ()
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    ]
    if not parts:
        was_there = bool(steps)
        del steps[len(steps) // 2 :]
        return was_there
    left = sum(len(part["text"]) for _, part in parts) // 2
    for place, part in parts:
        part["text"] = part["text"][:left]
        left -= len(part["text"])
        if not left:
            del steps[place + 1 :]
            break
    return True
