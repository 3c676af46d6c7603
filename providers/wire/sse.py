"""Server-sent events: the frames of a stream, and the base of every usage reader for one.

Source: WHATWG HTML, "Server-sent events", section 9.2.6, read November 2026. Frames may be cut anywhere, end in LF,
CRLF or CR, and hold comments and several `data:` lines.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from providers.base import Usage
from providers.wire import json_body
from providers.wire.window import Window


@dataclass(slots=True)
class Event:
    """One frame. `name` is the `event:` field ("" if absent), `data` its `data:` lines joined by LF.

    `is_partial`: the frame's beginning was too long ago to be held; `name` is known if the frame gave one, `data` is
    the end of it.
    """

    name: str
    data: bytes
    is_partial: bool = False

    def json(self) -> Any:
        """The data parsed, or json_body.MISSING."""
        return json_body.parse(self.data)

    def object(self, *members: str) -> dict[str, Any]:
        """The data parsed if it is a JSON object, else an empty one.

        Of a partial frame, those `members` that can still be found.
        """
        if self.is_partial:
            found = ((name, json_body.find_member(self.data, name)) for name in members)
            return {name: value for name, value in found if value is not json_body.MISSING}
        value = self.json()
        return value if isinstance(value, dict) else {}


def events(data: bytes) -> Iterator[Event]:
    """The frames in a piece of a stream, oldest first. Frames without data are skipped, an unterminated one not."""
    for block in _unix(data).split(b"\n\n"):
        event = _event(block)
        if event is not None:
            yield event


def last_events(data: bytes) -> Iterator[Event]:
    """The same frames newest first, without looking at older ones than asked for."""
    data = _unix(data)
    end = len(data)
    while end > 0:
        start = data.rfind(b"\n\n", 0, end)
        event = _event(data[start + 2 if start >= 0 else 0 : end])
        if event is not None:
            yield event
        end = start


def encode(data: bytes, name: str = "") -> bytes:
    """One frame. `data` must not contain line ends."""
    head = f"event: {name}\n".encode() if name else b""
    return b"%bdata: %b\n\n" % (head, data)


def carries_error(data: bytes) -> bool:
    """Whether a piece of a stream holds an error frame: `event: error`, data with an `error` or `"type": "error"`."""
    if not _may_carry_error(data):
        return False
    for event in events(data):
        if event.name == "error":
            return True
        body = event.object()
        if body.get("error") or body.get("type") == "error":
            return True
    return False


_NULL = re.compile(rb"\s*:\s*null")


def _may_carry_error(data: bytes) -> bool:
    """A quick no for nearly every stream: a regular expression over all of it costs ten times as much."""
    if b"event: error" in data or b"event:error" in data:
        return True
    found = data.find(b'"error"')
    while found >= 0:
        if not _NULL.match(data, found + 7):
            return True
        found = data.find(b'"error"', found + 7)
    return False


class SseReader(Window, ABC):
    """Usage of a streamed reply: forwards cost an append per chunk, frames are parsed once at the end, newest first."""

    __slots__ = ("is_whole",)

    def __init__(self) -> None:
        super().__init__()
        self.is_whole = False

    @abstractmethod
    def read(self) -> tuple[Usage, bool]:
        """The usage seen, and whether the stream has the end its dialect always sends. Looks at `first` and `last`."""

    def finish(self) -> Usage:
        usage, has_end = self.read()
        self.is_whole = has_end and not carries_error(self.tail()) and not (self.has_gap and carries_error(self.head()))
        return usage

    def first(self) -> Iterator[Event]:
        """Frames from the beginning on, as far as they are held."""
        return events(self.head())

    def last(self) -> Iterator[Event]:
        """Frames from the end back, as far as they are held; the oldest may be partial."""
        if not self.has_gap:
            yield from last_events(self.tail())
            return
        tail = _unix(self.tail())
        boundary = tail.find(b"\n\n")
        if boundary >= 0:
            yield from last_events(tail[boundary + 2 :])
        opened = _event(_unix(self.mark()))
        yield Event(opened.name if opened else "", tail[: max(boundary, 0)] or tail, is_partial=True)

    def opened(self) -> bytes:
        """How the partial frame began, up to a KiB."""
        return self.mark()


def _unix(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _event(block: bytes) -> Event | None:
    name = ""
    parts: list[bytes] = []
    for line in block.split(b"\n"):
        if line.startswith(b"data:"):
            parts.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode("utf-8", "replace")
    if not parts:
        return None
    return Event(name, parts[0] if len(parts) == 1 else b"\n".join(parts))
