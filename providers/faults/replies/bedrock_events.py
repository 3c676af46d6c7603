"""Edits of one message in Converse's words, event by event: for ConverseStream, and for Nova's own streams, which tell
the same events in other frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Any

from providers.faults.base import Edit
from providers.faults.replies.bedrock_words import REFUSAL, half
from providers.faults.replies.tool_arguments import BROKEN, cut
from providers.wire.json_body import mapping

BLOCK_EVENTS = frozenset({"contentBlockStart", "contentBlockDelta", "contentBlockStop"})
MESSAGE_EVENTS = BLOCK_EVENTS | {"messageStart", "messageStop", "metadata"}


class Event:
    """One event: its name, its JSON object, and the bytes it came in, None for one that did not come.

    `is_edited`: the object is no longer what is in the bytes.
    """

    __slots__ = ("frame", "is_edited", "name", "payload")

    def __init__(self, name: str, payload: dict[str, Any], frame: bytes | None = None) -> None:
        self.name = name
        self.payload = payload
        self.frame = frame
        self.is_edited = frame is None

    @property
    def index(self) -> int:
        """The number of the content block it belongs to."""
        found = self.payload.get("contentBlockIndex")
        return found if isinstance(found, int) else 0

    @property
    def delta(self) -> dict[str, Any]:
        found = self.payload.get("delta")
        return found if isinstance(found, dict) else {}

    def edit(self, **members: Any) -> Event:
        """Itself, with other members."""
        self.payload = self.payload | members
        self.is_edited = True
        return self


class Edits(ABC):
    """One kind of edit on one stream."""

    has_edited = False

    @abstractmethod
    def event(self, event: Event) -> Sequence[Event]:
        """What is sent in the place of `event`."""

    def stop(self, event: Event, reason: str) -> Event:
        """The `messageStop` of an edited message."""
        self.has_edited = True
        return event.edit(stopReason=reason)


def edits(edit: Edit, text: str | None) -> Edits:
    """The edits of a stream. `text`: the words of a refusal."""
    if edit is Edit.REFUSAL:
        return _Refusal(text)
    if edit is Edit.LENGTH:
        return _Length()
    return _ToolArguments() if edit is Edit.INVALID_TOOL_ARGUMENTS else _Empty()


class _Refusal(Edits):
    """One block with the refusal in the place of all."""

    def __init__(self, text: str | None) -> None:
        self._said = [
            Event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text or REFUSAL}}),
            Event("contentBlockStop", {"contentBlockIndex": 0}),
        ]

    def event(self, event: Event) -> Sequence[Event]:
        if event.name in BLOCK_EVENTS:
            return self._say()
        if event.name == "messageStop":
            return [*self._say(), self.stop(event, "content_filtered")]
        return [event]

    def _say(self) -> list[Event]:
        said, self._said = self._said, []
        self.has_edited = True
        return said


class _Empty(Edits):
    """No blocks at all."""

    def event(self, event: Event) -> Sequence[Event]:
        if event.name in BLOCK_EVENTS:
            self.has_edited = True
            return []
        if event.name == "messageStop":
            return [self.stop(event, "end_turn")]
        return [event]


class _Length(Edits):
    """The first block that is no reasoning loses its second half, and nothing comes after it.

    How long a block is shows at its end only, so of every two deltas that come one is let out: the first half is out
    when the last has come.
    """

    def __init__(self) -> None:
        self._cut: int | None = None  # the index of the block that is cut
        self._thoughts: set[int] = set()
        self._waiting: deque[Event] = deque()
        self._has_come = 0
        self._is_over = False

    def event(self, event: Event) -> Sequence[Event]:
        if event.name == "messageStop":
            return [event if self._cut is None else self.stop(event, "max_tokens")]
        if event.name not in BLOCK_EVENTS:
            return [event]
        index = event.index
        if event.name == "contentBlockDelta" and "reasoningContent" in event.delta and index != self._cut:
            self._thoughts.add(index)
        if index in self._thoughts and self._cut is None:
            return [event]
        if self._cut is None:
            if event.name == "contentBlockStop":
                return [event]
            self._cut = index
        if index != self._cut or self._is_over:
            return []
        if event.name == "contentBlockStart":
            return [event]
        if event.name == "contentBlockStop":
            self._is_over = True
            return [*self._rest(), event]
        self._has_come += 1
        self._waiting.append(event)
        return [self._waiting.popleft()] if self._has_come % 2 == 0 else []

    def _rest(self) -> list[Event]:
        if self._has_come != 1:
            return []
        return [_with_text(self._waiting[0], half(_text(self._waiting[0])))]


class _ToolArguments(Edits):
    """Tool calls whose JSON breaks off: the first piece of it is cut, the rest left out."""

    def __init__(self) -> None:
        self._is_said: dict[int, bool] = {}  # by an open tool call's index

    def event(self, event: Event) -> Sequence[Event]:
        index = event.index
        if event.name == "contentBlockStart" and "toolUse" in mapping(event.payload, "start"):
            self._is_said[index] = False
            return [event]
        if index not in self._is_said or event.name not in BLOCK_EVENTS:
            return [event]
        self.has_edited = True
        if event.name == "contentBlockDelta":
            said = _text(event)
            if not said:
                return [event]
            if self._is_said[index]:
                return []
            self._is_said[index] = True
            return [_with_text(event, cut(said))]
        if self._is_said.pop(index):
            return [event]
        delta = {"toolUse": {"input": BROKEN}}
        return [Event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta}), event]


def _text(event: Event) -> str:
    """What a delta of text or of tool input adds."""
    delta = event.delta
    found = mapping(delta, "toolUse").get("input") if "toolUse" in delta else delta.get("text")
    return found if isinstance(found, str) else ""


def _with_text(event: Event, text: str) -> Event:
    delta = event.delta
    use = delta.get("toolUse")
    changed = {"toolUse": use | {"input": text}} if isinstance(use, dict) else {"text": text}
    return event.edit(delta=delta | changed)
