"""Cuts a reply's body into whole events, framing and all: what joins them again is the same body, byte for byte."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from enum import StrEnum
from typing import Protocol

from providers.wire import event_stream
from providers.wire.event_stream import FrameError, FrameSplitter
from proxies.dataplane.errors import UpstreamError

MOST_EVENT_BYTES = 16 * 1024 * 1024
"""An event longer than this is not waited for: it and all that follows pass in the pieces they came in."""

_SLICE_BYTES = 64 * 1024


class Framing(StrEnum):
    """How a stream marks its events."""

    SSE = "sse"  # up to and with the blank line
    AWS = "aws"  # frames of `application/vnd.amazon.eventstream`
    JSON_ARRAY = "json_array"  # the elements of one array, each with the bracket or comma before it
    CHUNKS = "chunks"  # not at all: the pieces in which the body comes


def framing(content_type: bytes, *, is_streaming: bool) -> Framing | None:
    """How the body of a reply of this type marks its events; None for a reply that is no stream.

    `is_streaming`: whether a stream was asked for. Gemini answers that with a JSON array unless told otherwise; sound
    comes as it is.
    """
    media = content_type.partition(b";")[0].strip().lower()
    if media == b"text/event-stream":
        return Framing.SSE
    if media == event_stream.CONTENT_TYPE:
        return Framing.AWS
    if not is_streaming:
        return None
    return Framing.JSON_ARRAY if media == b"application/json" else Framing.CHUNKS


_DATA = re.compile(rb"(?:\A|[\r\n])data[:\r\n]")


def is_event(piece: bytes, kind: Framing) -> bool:
    """Whether a piece is something a client would call an event: a comment, say, is none."""
    if kind is Framing.SSE:
        return _DATA.search(piece) is not None
    if kind is Framing.JSON_ARRAY:
        return without_comma(piece) not in (b"", b"]")
    return bool(piece)


def without_comma(piece: bytes) -> bytes:
    """The element of a JSON array alone, or the closing bracket."""
    return piece.lstrip(b"[, \t\r\n")


async def whole_events(body: bytes | AsyncGenerator[bytes, None], kind: Framing) -> AsyncGenerator[bytes, None]:
    """The body, whose chunks may be cut anywhere, event by event as they come whole; what is left in the end, too.

    Raises what `body` raises, after what had come of the last event. Holds one event at most. Does not close `body`.
    """
    splitter = _SPLITTERS[kind]() if kind in _SPLITTERS else None
    if isinstance(body, bytes):
        body = _sliced(body, len(body) if splitter is None else _SLICE_BYTES)
    try:
        async for chunk in body:
            if splitter is None:
                yield chunk
                continue
            try:
                found = splitter.feed(chunk)
            except FrameError:  # no event stream, whatever its type says
                found = (splitter.rest(),)
                splitter = None
            else:
                if splitter.pending_bytes > MOST_EVENT_BYTES:
                    found = (*found, splitter.rest())
                    splitter = None
            for event in found:
                yield event
    except UpstreamError:
        if splitter is not None and splitter.pending_bytes:
            yield splitter.rest()
        raise
    if splitter is not None and splitter.pending_bytes:
        yield splitter.rest()


async def _sliced(body: bytes, size: int) -> AsyncGenerator[bytes, None]:
    """A few events at a time: a body can hold millions of them."""
    for at in range(0, len(body), size or 1):
        yield body[at : at + size]


class _Splitter(Protocol):
    @property
    def pending_bytes(self) -> int: ...

    def feed(self, chunk: bytes) -> Sequence[bytes]: ...

    def rest(self) -> bytes: ...


class _Held:
    """What was fed and is not yet an event; `_seen` bytes of it need not be looked at again."""

    __slots__ = ("_held", "_seen")

    def __init__(self) -> None:
        self._held = bytearray()
        self._seen = 0

    @property
    def pending_bytes(self) -> int:
        return len(self._held)

    def rest(self) -> bytes:
        return bytes(self._held)


# Two line ends in a row. After LF CR there may still come the LF that makes it one line end; a CR CR is taken at once,
# an LF that follows it then stands before the next event, where it does no harm.
_BLANK_LINE = re.compile(rb"\n\n|\n\r\n|\r\r\n?|\n\r(?=[^\n])")


class _SseSplitter(_Held):
    """Server-sent events. Source: WHATWG HTML, "Server-sent events", section 9.2.5, read November 2026."""

    __slots__ = ()

    def feed(self, chunk: bytes) -> Sequence[bytes]:
        held = self._held
        held += chunk
        events = []
        at = 0
        for match in _BLANK_LINE.finditer(held, self._seen):
            events.append(bytes(held[at : match.end()]))
            at = match.end()
        del held[:at]
        self._seen = max(len(held) - 3, 0)
        return events


_NOT_SPACE = re.compile(rb"[^ \t\r\n]")
_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')


class _JsonArraySplitter(_Held):
    """The elements of one JSON array, which are objects. Anything else passes as it comes."""

    __slots__ = ("_depth", "_is_array", "_is_in_string")

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._is_array: bool | None = None  # None: nothing has come but white space
        self._is_in_string = False

    def feed(self, chunk: bytes) -> Sequence[bytes]:
        held = self._held
        held += chunk
        if self._is_array is None:
            first = _NOT_SPACE.search(held, self._seen)
            if first is None:
                self._seen = len(held)
                return ()
            self._is_array = first[0] == b"["
        if self._is_array is False:
            everything = bytes(held)
            held.clear()
            return (everything,)
        events = []
        at, position = 0, self._seen
        while (found := (_INSIDE if self._is_in_string else _OUTSIDE).search(held, position)) is not None:
            mark = found[0]
            position = found.end()
            if mark == b"\\":
                if position == len(held):  # what it escapes is yet to come
                    position -= 1
                    break
                position += 1
            elif mark == b'"':
                self._is_in_string = not self._is_in_string
            else:
                self._depth += 1 if mark in b"{[" else -1
                if self._depth < 2 and mark in b"}]":
                    events.append(bytes(held[at:position]))
                    at = position
        else:
            position = len(held)
        del held[:at]
        self._seen = position - at
        return events


_SPLITTERS: dict[Framing, type[_Splitter]] = {
    Framing.SSE: _SseSplitter,
    Framing.AWS: FrameSplitter,
    Framing.JSON_ARRAY: _JsonArraySplitter,
}
