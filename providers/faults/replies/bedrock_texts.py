"""Edits of the bodies and streams of InvokeModel that hold one text: Titan, Llama, Mistral, DeepSeek, Command R and the
first Claudes.

Source: AWS "Inference request parameters and response fields for foundation models", read November 2026.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from providers.faults.base import Edit
from providers.faults.replies.bedrock_events import Edits, Event
from providers.faults.replies.bedrock_words import REFUSAL, half
from providers.faults.replies.tool_arguments import cut, spoil
from providers.wire.json_body import mapping


@dataclass(frozen=True, slots=True)
class TextFamily:
    """Replies of one shape, and their events, which are partial replies. `holder`: the list whose first entry holds
    what follows, "" when the reply itself does. `text`: where in there the text is. `stop`: the member that says why
    the text ended, null or missing in all events but the last; then its words for each reason."""

    holder: str
    text: tuple[str, ...]
    stop: str
    end: str
    length: str
    refusal: str

    def held(self, reply: Mapping[str, Any]) -> dict[str, Any] | None:
        found = reply.get(self.holder) if self.holder else [reply]
        first = found[0] if isinstance(found, list) and found else None
        return first if isinstance(first, dict) else None

    def read(self, held: dict[str, Any]) -> str | None:
        """The text; None when there is none at all."""
        found = mapping(held, *self.text[:-1]).get(self.text[-1])
        return found if isinstance(found, str) else None

    def write(self, held: dict[str, Any], text: str) -> None:
        for name in self.text[:-1]:
            held = held[name]
        held[self.text[-1]] = text

    def reason(self, edit: Edit) -> str:
        return {Edit.REFUSAL: self.refusal, Edit.LENGTH: self.length}.get(edit, self.end)


_TITAN = TextFamily("results", ("outputText",), "completionReason", "FINISH", "LENGTH", "CONTENT_FILTERED")
_TITAN_EVENT = TextFamily("", ("outputText",), "completionReason", "FINISH", "LENGTH", "CONTENT_FILTERED")
_LLAMA = TextFamily("", ("generation",), "stop_reason", "stop", "length", "stop")
_CLAUDE = TextFamily("", ("completion",), "stop_reason", "stop_sequence", "max_tokens", "stop_sequence")
_MISTRAL = TextFamily("outputs", ("text",), "stop_reason", "stop", "length", "stop")
_DEEPSEEK = TextFamily("choices", ("text",), "stop_reason", "stop", "length", "stop")
_MISTRAL_CHAT = TextFamily("choices", ("message", "content"), "stop_reason", "stop", "length", "stop")
_COMMAND_R = TextFamily("", ("text",), "finish_reason", "COMPLETE", "MAX_TOKENS", "ERROR_TOXIC")


def text_family(reply: Mapping[str, Any]) -> TextFamily | None:
    """The family of a reply or of an event of one, by what is in it."""
    for member, family in _BY_MEMBER.items():
        if member in reply:
            return family
    choice = _DEEPSEEK.held(reply)
    if choice is None or "stop_reason" not in choice:
        return None
    return _DEEPSEEK if "text" in choice else _MISTRAL_CHAT if "message" in choice else None


_BY_MEMBER: Mapping[str, TextFamily] = {
    "results": _TITAN,
    "outputText": _TITAN_EVENT,
    "generation": _LLAMA,
    "completion": _CLAUDE,
    "outputs": _MISTRAL,
    "generation_id": _COMMAND_R,
    "is_finished": _COMMAND_R,
}


def edit_text(family: TextFamily, reply: dict[str, Any], edit: Edit, text: str | None) -> bool:
    """Edits a whole reply in place; False when there is nothing in it to edit."""
    if edit is Edit.INVALID_TOOL_ARGUMENTS:
        return _spoil_calls(reply)
    held = family.held(reply)
    said = family.read(held) if held is not None else None
    if held is None or said is None or (edit is Edit.LENGTH and not said):
        return False
    made = {Edit.REFUSAL: text or REFUSAL, Edit.LENGTH: half(said)}.get(edit, "")
    family.write(held, made)
    _end(family, reply, held, edit, made)
    return True


def _end(family: TextFamily, reply: dict[str, Any], held: dict[str, Any], edit: Edit, said: str) -> None:
    """Makes the rest of a reply, or of the last event of one, agree with what was said."""
    held[family.stop] = family.reason(edit)
    if "stop" in held and edit is Edit.LENGTH:
        held["stop"] = None
    _drop_calls(reply)
    if family is _COMMAND_R:
        again = reply.get("response")
        for told in (reply, again):
            if isinstance(told, dict) and "generation_id" in told:
                told["text"] = said
                told["finish_reason"] = held[family.stop]
                for turn in _places(told):
                    if turn.get("role") == "CHATBOT":
                        turn["message"] = said


class TextEdits(Edits):
    """Edits of the stream of such a reply."""

    def __init__(self, edit: Edit, text: str | None) -> None:
        self._edit = edit
        self._refusal = text or REFUSAL
        self._said = ""
        self._waiting: deque[Event] = deque()
        self._has_come = 0

    def event(self, event: Event) -> Sequence[Event]:
        reply = event.payload
        family = text_family(reply)
        held = family.held(reply) if family is not None else None
        if family is None or held is None:
            return [event]
        if self._edit is Edit.INVALID_TOOL_ARGUMENTS:
            if not _spoil_calls(reply):
                return [event]
            self.has_edited = True
            return [event.edit()]
        text = family.read(held)
        if held.get(family.stop) is None:
            return self._piece(event, family, held, text)
        return self._last(event, family, held, text)

    def _piece(self, event: Event, family: TextFamily, held: dict[str, Any], text: str | None) -> list[Event]:
        """An event that is not the last: of every two with text that come one is let out, the first half of all."""
        if self._edit is Edit.LENGTH:
            if not text:
                return [] if any("tool_calls" in place for place in _places(event.payload)) else [event]
            self._has_come += 1
            self._waiting.append(event)
            if self._has_come % 2:
                return []
            released = self._waiting.popleft()
            self._said += _read(family, released)
            return [released]
        self.has_edited = True
        if self._edit is Edit.EMPTY_CONTENT or self._said or text is None:
            return []
        self._said = self._refusal
        family.write(held, self._refusal)
        _drop_calls(event.payload)
        return [event.edit()]

    def _last(self, event: Event, family: TextFamily, held: dict[str, Any], text: str | None) -> list[Event]:
        made: list[Event] = []
        more = ""
        if self._edit is Edit.REFUSAL and not self._said:
            more = self._refusal
        elif self._edit is Edit.LENGTH:
            if self._has_come == 1:
                only = self._waiting[0]
                choice = family.held(only.payload)
                if choice is not None:
                    self._said = half(_read(family, only))
                    family.write(choice, self._said)
                    made.append(only.edit())
            elif not self._has_come:
                more = half(text or "")
                if not more:
                    return [event]
        if text is not None:
            family.write(held, more)
        _end(family, event.payload, held, self._edit, self._said + more)
        self.has_edited = True
        return [*made, event.edit()]


def _read(family: TextFamily, event: Event) -> str:
    held = family.held(event.payload)
    return (family.read(held) if held is not None else None) or ""


def _places(reply: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Where tool calls may be: the reply, the message of its choice, what Command R tells again."""
    if isinstance(reply, dict):
        yield reply
    choices = reply.get("choices")
    if isinstance(choices, list) and choices and isinstance(message := mapping(choices[0]).get("message"), dict):
        yield message
    history = reply.get("chat_history")
    if isinstance(history, list) and history and isinstance(history[-1], dict):
        yield history[-1]
    if isinstance(response := reply.get("response"), dict):
        yield from _places(response)


def _drop_calls(reply: Mapping[str, Any]) -> None:
    for place in _places(reply):
        place.pop("tool_calls", None)


def _spoil_calls(reply: Mapping[str, Any]) -> bool:
    """Whether there were tool calls: arguments told as text lose their end, those told as an object their types."""
    found = False
    for place in _places(reply):
        calls = place.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and isinstance(function.get("arguments"), str):
                function["arguments"] = cut(function["arguments"])
                found = True
            elif isinstance(call, dict) and "parameters" in call:
                call["parameters"] = spoil(mapping(call, "parameters"))
                found = True
    return found
