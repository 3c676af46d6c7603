"""Single flight: identical requests in flight at the same time reach the upstream once, and share what it answers.

```
                read            frames (shared)
    upstream ----------> Flight ===============> the leader's client
                                ===============> follower, at its own position
                                ===============> follower
```
The first request with a key leads: it sends the request up and, while it is alone, reads the reply in its own
coroutine, so that a lone request pays for hardly more than a dict entry. Once there is a follower, reading moves to a
task of the flight's own (the pump): then neither a slow leader nor one that leaves holds up the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from proxies.dataplane.errors import ErrorKind, UpstreamError
from proxies.dataplane.shared_reply import FellBehind, FlightTap, Head, LeaderLeft, Seat, SharedReply

__all__ = ["FellBehind", "Flight", "FlightTap", "Head", "LeaderLeft", "Seat", "SingleFlight"]

STALL_S = 30.0
"""How long a flight waits for someone who is a whole buffer behind before it goes on without them."""


class Flight:
    """One reply on its way from the upstream to everyone who asked for it. Made by `SingleFlight.lead`.

    The leader calls `open` with the head, or `abandon` if there is none to share; then `read` until it returns None, or
    `publish` and `end` if it has the body at hand; and `release` in the end, whatever happened.
    """

    __slots__ = (
        "_cancel_leader", "_close_source", "_flights", "_has_pump_begun", "_is_leader_waiting", "_is_listed", "_key",
        "_leader", "_pump", "_reply", "_source",
    )  # fmt: skip

    def __init__(self, flights: SingleFlight, key: bytes, most_bytes: int) -> None:
        self._flights = flights
        self._key = key
        self._reply = SharedReply(most_bytes, self._nobody_is_left)
        self._leader = Seat(self._reply)
        self._is_leader_waiting = True  # for the upstream, in its own coroutine: for the head, later for a frame
        self._cancel_leader: Callable[[], object] | None = None
        self._source: AsyncIterator[bytes] | None = None
        self._close_source: Callable[[], Awaitable[None]] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._has_pump_begun = False
        self._is_listed = True

    @property
    def leader(self) -> Seat:
        return self._leader

    @property
    def has_followers(self) -> bool:
        seats = self._reply.seats
        return len(seats) > 1 or (len(seats) == 1 and seats[0] is not self._leader)

    def open(
        self,
        head: Head,
        tap: FlightTap,
        source: AsyncIterator[bytes] | None = None,
        close_source: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Shares a reply whose head is there. `source` yields its frames (None: they will be published)."""
        self._reply.head = head
        self._reply.tap = tap
        self._source = source
        self._close_source = close_source
        self._is_leader_waiting = False
        if self.has_followers:
            self._reply.wake_all()
            self._start_pump()

    def abandon(self) -> None:
        """There is no reply to share (an error, a status that is not 2xx): every follower goes up by itself."""
        self._reply.is_ended = True
        self._unlist()
        self._reply.wake_all()
        if self._cancel_leader is not None:  # its client left long ago, and it went on for the others only
            self._cancel_leader()

    async def read(self) -> bytes | None:
        """The leader's next frame, None after the last. Raises what reading from the upstream raises, LeaderLeft,
        FellBehind."""
        if self._pump is not None:
            return await self._leader.read()
        if self._reply.is_ended:
            return None
        source = self._source
        assert source is not None
        self._is_leader_waiting = True
        try:
            frame = await anext(source)
        except StopAsyncIteration:
            self.end(None)
            return None
        except BaseException as error:
            self.end(error)
            raise
        finally:
            self._is_leader_waiting = False
        self.publish(frame)
        self._leader.position += 1
        if self.has_followers:
            self._start_pump()
        if self._leader.gone is not None:
            raise self._leader.gone
        return frame

    def publish(self, frame: bytes) -> None:
        """One more frame for everyone."""
        reply = self._reply
        assert reply.tap is not None
        reply.append(frame)
        reply.tap.feed(frame)
        if not reply.is_from_start:
            self._unlist()

    def end(self, error: BaseException | None) -> None:
        """The reply is over: cleanly, or broken off by `error`, which everyone attached then gets."""
        reply = self._reply
        if reply.is_ended:
            return
        reply.is_ended = True
        if error is not None:
            reply.error = error if isinstance(error, Exception) else _given_up()
        try:
            if reply.tap is not None:
                reply.tap.end(error)
        finally:
            self._unlist()  # after the tap: whoever comes from now on finds the recording
            reply.wake_all()

    def leave(self, cancel_leader: Callable[[], object]) -> bool:
        """The leader's client is gone. True: nobody else wants the reply, the leader is to be cancelled.

        False: the flight goes on, and `read` raises LeaderLeft as soon as the reading has changed hands, which may take
        until the upstream sends something. Should everyone else leave before that, `cancel_leader` is called.
        """
        if not self.has_followers:
            self._unlist()
            return True
        self._cancel_leader = cancel_leader
        self._leader.dismiss(LeaderLeft())
        return False

    def release(self) -> bool:
        """The leader is done with the flight, for whatever reason. True: the flight closes the source itself."""
        self._cancel_leader = None
        reply = self._reply
        if not reply.is_ended:
            if self.has_followers and self._source is not None:
                self._start_pump()
            elif self._pump is None and reply.head is None:
                self.abandon()
            elif self._pump is None:
                self.end(_given_up())
        self._leader.leave()
        return self._pump is not None

    def seat(self) -> Seat:
        """A seat for one more follower."""
        seat = Seat(self._reply)
        if self._reply.head is not None and not self._is_leader_waiting:
            self._start_pump()
        return seat

    def _start_pump(self) -> None:
        if self._pump is None and self._source is not None and not self._reply.is_ended:
            self._pump = asyncio.get_running_loop().create_task(self._run(self._source))
            self._pump.add_done_callback(self._after_pump)

    async def _run(self, source: AsyncIterator[bytes]) -> None:
        self._has_pump_begun = True
        try:
            async for frame in source:
                self.publish(frame)
                if self._reply.is_overfull:
                    await self._reply.wait_for_room(self._flights.stall_s)
        except BaseException as error:  # noqa: BLE001  handed to everyone attached
            self.end(error)
        else:
            self.end(None)
        finally:
            await self._finish_source()

    async def _finish_source(self) -> None:
        if self._close_source is not None:
            await self._close_source()

    def _after_pump(self, pump: asyncio.Task[None]) -> None:
        if not self._has_pump_begun:  # a task cancelled before its first step runs none of its coroutine
            self.end(_given_up())
            self._flights.keep(asyncio.ensure_future(self._finish_source()))

    def _nobody_is_left(self) -> None:
        if self._reply.is_ended:
            return
        self._unlist()
        if self._pump is not None:
            self._pump.cancel()
        elif self._cancel_leader is not None:
            self._cancel_leader()

    def _unlist(self) -> None:
        if self._is_listed:
            self._is_listed = False
            self._flights.forget(self._key, self)


def _given_up() -> UpstreamError:
    return UpstreamError(
        ErrorKind.UPSTREAM_CUT, "The shared reply was given up before its end.", is_retryable=False, source="internal"
    )


class SingleFlight:
    """The flights of one proxy by cache key. `most_bytes`: how much of a reply is held for those who are behind."""

    __slots__ = ("_flights", "_kept", "_most_bytes", "stall_s")

    def __init__(self, most_bytes: int, stall_s: float = STALL_S) -> None:
        self._flights: dict[bytes, Flight] = {}
        self._kept: set[asyncio.Future[None]] = set()
        self._most_bytes = most_bytes
        self.stall_s = stall_s

    def follow(self, key: bytes) -> Seat | None:
        """A seat in the flight of this key; None if there is none."""
        flight = self._flights.get(key)
        return flight.seat() if flight is not None else None

    def lead(self, key: bytes) -> Flight:
        """Starts a flight. If there is one of this key already, the new one is alone: nobody will find it."""
        flight = Flight(self, key, self._most_bytes)
        self._flights.setdefault(key, flight)
        return flight

    def forget(self, key: bytes, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def keep(self, closing: asyncio.Future[None]) -> None:
        """Holds a reference until it is done: the event loop itself holds none."""
        self._kept.add(closing)
        closing.add_done_callback(self._kept.discard)

    def __len__(self) -> int:
        return len(self._flights)
