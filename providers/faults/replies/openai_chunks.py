"""What the editors of OpenAI's replies share: chunks of a stream choice by choice, and texts that are cut short."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from providers.faults.base import Edit
from providers.faults.replies.halves import Halves
from providers.wire import sse

REFUSAL = "I'm sorry, but I can't assist with that request."

Choice = dict[str, Any]
Wrap = Callable[[Choice], bytes]
"""The event with this choice alone."""

_WORD = re.compile(r"\s*\S+\s*$|\s*\S+")


def words(text: str) -> Iterator[str]:
    """The pieces in which a text is streamed."""
    return iter(_WORD.findall(text) or ([text] if text else []))


def half(text: str) -> str:
    """The first half of a text."""
    return text[: len(text) // 2]


def cut_short(arguments: str) -> str:
    """The arguments of a call with their end missing: not JSON any more, whatever they were."""
    kept = half(arguments.rstrip())
    return kept if kept.startswith(("{", "[")) else "{" + kept


class ChoiceState:
    """What an editor knows of one choice of a stream."""

    __slots__ = ("call", "first", "halves", "has_begun", "held", "pieces")

    def __init__(self, text: str) -> None:
        self.has_begun = False
        self.pieces = words(text)  # still to be told, of a refusal
        self.halves: Halves[bytes] = Halves()
        self.first: Callable[[], bytes] | None = None  # of the events that count: a half of itself
        self.call: Any = None  # which call of a tool is being told
        self.held: list[tuple[Choice, bytes, Wrap]] = []  # the end of its arguments, as far as it has come


class ChunkEditor(ABC):
    """Edits replies that hold choices, whole or as chunks. What no choice is changed in passes byte for byte."""

    def __init__(self, edit: Edit, text: str | None = None) -> None:
        self.has_edited = False
        self.edit = edit
        self.text = text or REFUSAL
        self._states: dict[Any, ChoiceState] = {}

    @abstractmethod
    def edit_choice(self, choice: Choice) -> bool:
        """Changes one choice of a whole reply; False when there is nothing in it to change."""

    @abstractmethod
    def edit_chunk(self, state: ChoiceState, choice: Choice, as_is: bytes, wrap: Wrap) -> Sequence[bytes]:
        """What to send in the place of one choice of a chunk. `as_is`: the event with it unchanged."""

    def end_choice(self, state: ChoiceState) -> Sequence[bytes]:
        """What is left to send for a choice when the stream has ended."""
        return ()

    def whole(self, body: bytes) -> bytes | None:
        try:
            reply = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        choices = reply.get("choices") if isinstance(reply, dict) else None
        if not isinstance(choices, list):
            return None
        changed = [self.edit_choice(choice) for choice in choices if isinstance(choice, dict)]
        if not any(changed):
            return None
        self.has_edited = True
        return orjson.dumps(reply)

    def event(self, event: bytes) -> Sequence[bytes]:
        frames = list(sse.events(event))
        if len(frames) == 1 and frames[0].data.startswith(b"[DONE]"):
            return (*self.finish(), event)
        chunk = frames[0].object() if len(frames) == 1 else {}
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not all(isinstance(choice, dict) for choice in choices):
            return (event,)
        head = {name: value for name, value in chunk.items() if name not in ("choices", "obfuscation")}
        name = frames[0].name

        def wrap(choice: Choice) -> bytes:
            return sse.encode(orjson.dumps({**head, "choices": [choice]}), name)

        sent: list[bytes] = []
        for choice in choices:
            index = choice.get("index")
            state = self._states.get(index)
            if state is None:
                state = self._states[index] = ChoiceState(self.text)
            sent += self.edit_chunk(state, choice, event if len(choices) == 1 else wrap(choice), wrap)
        return sent

    def finish(self) -> Sequence[bytes]:
        return [event for state in self._states.values() for event in self.end_choice(state)]
