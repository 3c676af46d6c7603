"""Replies to give again: a request that came before in the same words costs no more than the making of a new head."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, overload

from providers.emulated.base import EmulatedReply, EmulatedRequest, Emulator, respond

if TYPE_CHECKING:
    from providers.emulated.desk import Desk

_Default = TypeVar("_Default")
_Key = tuple[str, bytes, bytes, bytes]

ENTRY_BYTES = 1024  # what an entry costs besides its bytes
_FRAME_BYTES = 128
_MOST_MARKS = 8192


class SeenHeaders(Mapping[bytes, bytes]):
    """A request's headers that note which of them were asked for, there or not: they decided the reply."""

    __slots__ = ("_fields", "seen", "were_listed")

    def __init__(self, fields: Mapping[bytes, bytes]) -> None:
        self._fields = fields
        self.seen: dict[bytes, bytes | None] = {}
        self.were_listed = False

    def __getitem__(self, name: bytes) -> bytes:
        self.seen[name] = self._fields.get(name)
        return self._fields[name]

    @overload
    def get(self, name: bytes, /) -> bytes | None: ...

    @overload
    def get(self, name: bytes, /, default: _Default) -> bytes | _Default: ...

    def get(self, name: bytes, /, default: _Default | None = None) -> bytes | _Default | None:
        value = self.seen[name] = self._fields.get(name)
        return default if value is None else value

    def __contains__(self, name: object) -> bool:
        if isinstance(name, bytes):
            self.seen[name] = self._fields.get(name)
        return name in self._fields

    def __iter__(self) -> Iterator[bytes]:
        self.were_listed = True
        return iter(self._fields)

    def __len__(self) -> int:
        self.were_listed = True
        return len(self._fields)


@dataclass(slots=True)
class _Repeat:
    reply: EmulatedReply
    seen: Mapping[bytes, bytes | None]
    size_bytes: int


class Repeats:
    """Replies by the requests they were made for, bounded: the ones not asked for longest are forgotten.

    One reply for a method, path, query and body, with the headers it went by. It is kept when its request comes for the
    second time: most come once, and keeping them all would only cost memory.
    """

    def __init__(self, max_replies: int = 1024, max_bytes: int = 4 * 1024 * 1024) -> None:
        self._max_replies = max_replies
        self._max_bytes = max_bytes
        self._replies: OrderedDict[_Key, _Repeat] = OrderedDict()
        self._bytes = 0
        self._came: set[int] = set()  # hashes of requests that came once

    def __len__(self) -> int:
        return len(self._replies)

    def find(self, key: _Key, request: EmulatedRequest) -> EmulatedReply | None:
        """The reply to the request, its head made for it."""
        found = self._replies.get(key)
        if found is None:
            return None
        fields = request.headers
        for name, value in found.seen.items():
            if fields.get(name) != value:
                return None
        self._replies.move_to_end(key)
        made = found.reply
        assert made.make_headers is not None
        return EmulatedReply(
            made.status, made.make_headers(request), made.body, made.tokens, made.delay_s, usage=made.usage
        )

    def has_come(self, key: _Key) -> bool:
        """Whether the request came before, as far as we know; from now on it has."""
        mark = hash(key)
        if mark in self._came:
            return True
        if len(self._came) >= _MOST_MARKS:
            self._came.clear()
        self._came.add(mark)
        return False

    def keep(self, key: _Key, seen: Mapping[bytes, bytes | None], reply: EmulatedReply) -> None:
        """For a reply that can make its head again, and depends on nothing but the request: the key and `seen`."""
        size = ENTRY_BYTES + len(key[-1]) + _size(reply)
        if size > self._max_bytes // 16:
            return
        self._forget(key)
        self._replies[key] = _Repeat(reply, seen, size)
        self._bytes += size
        while len(self._replies) > self._max_replies or self._bytes > self._max_bytes:
            self._forget(next(iter(self._replies)))

    def clear(self) -> None:
        self._replies.clear()
        self._bytes = 0

    def _forget(self, key: _Key) -> None:
        found = self._replies.pop(key, None)
        if found is not None:
            self._bytes -= found.size_bytes


def _size(reply: EmulatedReply) -> int:
    if isinstance(reply.body, bytes):
        return len(reply.body)
    return sum([_FRAME_BYTES + len(frame.data) for frame in reply.body])


def respond_again(emulator: Emulator, request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """`respond`, which makes a reply that only the request decides no more often than it must."""
    repeats = desk.repeats
    key = (request.method, request.call.path, request.query, request.body)
    found = repeats.find(key, request)
    if found is not None:
        return found
    if not repeats.has_come(key):
        return respond(emulator, request, desk)
    headers = request.headers = SeenHeaders(request.headers)
    touches = desk.touches
    reply = respond(emulator, request, desk)
    if reply.make_headers is not None and reply.is_repeatable and desk.touches == touches and not headers.were_listed:
        repeats.keep(key, headers.seen, reply)
    return reply
