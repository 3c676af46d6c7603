"""A reply that several clients get: its frames as far as they have come, and a seat for each client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from providers.base import Header


class FlightTap(Protocol):
    """What looks at a reply as it passes: called for each frame and once at the end, whoever does the reading."""

    def feed(self, frame: bytes) -> None: ...

    def end(self, error: BaseException | None) -> None:
        """The reply is over: cleanly (None) or broken off. Whatever is to be stored of it is stored on return."""
        ...


class LeaderLeft(Exception):
    """Raised by the leader's `read`: its client has left, and the flight goes on without it."""


class FellBehind(Exception):
    """Raised by `read`: this client took nothing for so long that the others went on without it. Cut its connection."""


class Head:
    """Status and end-to-end headers of the shared reply, as the leader got them."""

    __slots__ = ("headers", "status")

    def __init__(self, status: int, headers: Sequence[Header]) -> None:
        self.status = status
        self.headers = headers


class SharedReply:
    """Holds up to `most_bytes` of frames for those who are behind. `on_empty` is called when the last seat is left."""

    __slots__ = (
        "_most_bytes", "_on_empty", "_room", "dropped", "error", "frames", "head", "held_bytes", "is_ended",
        "is_from_start", "seats", "tap",
    )  # fmt: skip

    def __init__(self, most_bytes: int, on_empty: Callable[[], None]) -> None:
        self._most_bytes = most_bytes
        self._on_empty = on_empty
        self._room: asyncio.Future[None] | None = None  # somebody waits for those behind to catch up
        self.head: Head | None = None
        self.tap: FlightTap | None = None
        self.frames: list[bytes] = []
        self.dropped = 0  # how many frames have been let go of at the front
        self.held_bytes = 0
        self.is_from_start = True  # newcomers can still be given the whole reply
        self.is_ended = False
        self.error: Exception | None = None
        self.seats: list[Seat] = []

    @property
    def is_overfull(self) -> bool:
        return self.held_bytes > self._most_bytes

    def append(self, frame: bytes) -> None:
        self.held_bytes += len(frame)
        self.frames.append(frame)
        if self.held_bytes > self._most_bytes:
            self.is_from_start = False
            self.trim()
        self.wake_all()

    def trim(self) -> None:
        """Lets go of the frames everyone has had."""
        if self.is_from_start:
            return
        least = min([seat.position for seat in self.seats], default=self.dropped + len(self.frames))
        count = least - self.dropped
        if count > 0:
            self.held_bytes -= sum(map(len, self.frames[:count]))
            del self.frames[:count]
            self.dropped += count

    async def wait_for_room(self, stall_s: float) -> None:
        """Waits while someone is a whole buffer behind; takes the seats of those who take nothing for `stall_s`."""
        loop = asyncio.get_running_loop()
        self.trim()
        stalled_since = loop.time()
        while self.held_bytes > self._most_bytes:
            before = self.dropped
            self._room = loop.create_future()
            timer = loop.call_at(stalled_since + stall_s, resolve, self._room)
            try:
                await self._room
            finally:
                timer.cancel()
                self._room = None
            self.trim()
            if self.dropped != before:
                stalled_since = loop.time()
            elif loop.time() >= stalled_since + stall_s:
                for seat in [seat for seat in self.seats if seat.position <= self.dropped]:
                    seat.dismiss(FellBehind())
                self.trim()

    def wake_all(self) -> None:
        for seat in self.seats:
            seat.wake()

    def remove(self, seat: Seat) -> None:
        if seat in self.seats:
            self.seats.remove(seat)
            self.note_move()
            if not self.seats:
                on_empty, self._on_empty = self._on_empty, _nothing  # it leads back here: kept, both would be garbage
                on_empty()

    def note_move(self) -> None:
        """Somebody has taken a frame or left: there may be room now."""
        if self._room is not None:
            resolve(self._room)


class Seat:
    """One client's place in a shared reply. Whoever took it calls `leave` in the end.

    `on_dismissed` is called when the seat is taken away: its client may be in the middle of a send that never ends.
    """

    __slots__ = ("_reply", "_waiter", "gone", "on_dismissed", "position")

    def __init__(self, reply: SharedReply) -> None:
        self._reply = reply
        self._waiter: asyncio.Future[None] | None = None
        self.gone: Exception | None = None  # why the seat was taken away
        self.on_dismissed: Callable[[], None] | None = None
        self.position = 0  # how many frames this client has had
        reply.seats.append(self)

    @property
    def tap(self) -> FlightTap | None:
        """What reads the reply for everyone, once the head is there."""
        return self._reply.tap

    async def head(self) -> Head | None:
        """The head of the reply as soon as it is there; None if there is nothing to share: go up yourself."""
        reply = self._reply
        while reply.head is None and not reply.is_ended:
            await self._wait()
        return reply.head

    async def read(self) -> bytes | None:
        """The next frame, None after the last. Raises what broke the reply off, or FellBehind."""
        reply = self._reply
        while True:
            if self.gone is not None:
                raise self.gone
            index = self.position - reply.dropped
            if index < len(reply.frames):
                frame = reply.frames[index]
                self.position += 1
                reply.note_move()
                return frame
            if reply.is_ended:
                if reply.error is not None:
                    raise reply.error.with_traceback(None)
                return None
            await self._wait()

    def leave(self) -> None:
        """Done, or the client is gone. When the last one leaves an unfinished reply, the upstream call is cancelled."""
        self._reply.remove(self)

    def dismiss(self, reason: Exception) -> None:
        """Takes the seat away; `read` raises `reason`."""
        self.gone = reason
        self.leave()
        self.wake()
        if self.on_dismissed is not None:
            self.on_dismissed()

    def wake(self) -> None:
        if self._waiter is not None:
            resolve(self._waiter)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


def _nothing() -> None:
    pass


def resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
