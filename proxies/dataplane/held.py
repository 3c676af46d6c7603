"""Requests over a rate limit that wait for their turn, in the order they came: one timer for each limit's line."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from proxies.dataplane.config import RateLimitConfig
from proxies.dataplane.rate_limit import Bucket, Over

_TIMER_GRAIN_S = 0.001  # uvloop's timers count whole milliseconds, and may be that much too early


class Dismissed(Exception):
    """The limits are not what they were: the request is to ask again."""


class _Held:
    """One that waits. `turn` is the reservation it was admitted with, or why it was not."""

    __slots__ = ("admitted", "deadline", "reserve", "turn")

    def __init__(self, deadline: float, reserve: Callable[[], int], turn: asyncio.Future[int | Over]) -> None:
        self.deadline = deadline
        self.reserve = reserve
        self.turn = turn
        self.admitted = 0.0


class Line:
    """The requests that wait for one bucket, under limits that do not change. It is in `bucket.line` and in `lines`
    from the first to the last of them; `monotonic` is the clock the bucket is counted by."""

    __slots__ = ("_bucket", "_has_refused", "_limits", "_lines", "_monotonic", "_timer", "_waiting")

    def __init__(
        self, bucket: Bucket, limits: RateLimitConfig, monotonic: Callable[[], float], lines: set[Line]
    ) -> None:
        self._bucket = bucket
        self._limits = limits
        self._monotonic = monotonic
        self._waiting: OrderedDict[_Held, None] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self._has_refused = False
        self._lines = lines
        bucket.line = self
        lines.add(self)

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, arrived: float, reserve: Callable[[], int]) -> int | Over:
        """Its reservation when the request was admitted, and is counted; else why not, after all the time it may wait.

        `reserve` tells what the request will probably use, by what is known when it is asked. A client that leaves (its
        task is cancelled) leaves no trace. Raises Dismissed.
        """
        held = _Held(arrived + self._limits.hold_s, reserve, asyncio.get_running_loop().create_future())
        self._waiting[held] = None
        if len(self._waiting) == 1:
            self.look()
        try:
            return await held.turn
        except asyncio.CancelledError:
            self._leave(held)
            raise

    def look(self) -> None:
        """Admits those whose turn it is, refuses those who have waited too long, and sets the timer for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        bucket, limits, waiting = self._bucket, self._limits, self._waiting
        now = self._monotonic()
        while waiting:
            held = next(iter(waiting))
            if not held.turn.done():  # else its client has left, in this very turn of the loop
                reservation = held.reserve()
                over = bucket.over(now, limits.rpm, limits.tpm, reservation)
                if over is None:
                    held.admitted = bucket.admit(now, limits.rpm, reservation)
                elif now < held.deadline:
                    delay_s = min(held.deadline - now, over.wait_s) + _TIMER_GRAIN_S
                    self._timer = asyncio.get_running_loop().call_later(delay_s, self.look)
                    return
                held.turn.set_result(reservation if over is None else over)
            del waiting[held]
        if bucket.line is self:
            bucket.line = None
        self._lines.discard(self)

    def refuse_late(self, left_s: float) -> None:
        """Has nobody wait whose turn comes later than in `left_s`, which is all the time there is. To be called by
        everybody who waits; once is enough."""
        if self._has_refused:
            return
        self._has_refused = True
        now = self._monotonic()
        for place, held in enumerate(list(self._waiting), 1):
            over = self._bucket.over(now, self._limits.rpm, self._limits.tpm, held.reserve(), place)
            if over is not None and over.wait_s > left_s:
                if not held.turn.done():
                    held.turn.set_result(over)
                del self._waiting[held]
        self.look()

    def dismiss(self) -> None:
        """Has everybody ask again, in their order."""
        for held in self._waiting:
            if not held.turn.done():
                held.turn.set_exception(Dismissed())
        self._waiting.clear()
        self.look()

    def _leave(self, held: _Held) -> None:
        turn = held.turn
        if held in self._waiting:
            is_first = next(iter(self._waiting)) is held
            del self._waiting[held]
            if is_first:
                self.look()
        elif not turn.cancelled() and turn.exception() is None and not isinstance(reservation := turn.result(), Over):
            # admitted in the very turn of the loop in which its client left
            self._bucket.take_back(held.admitted, reservation)
            if self._bucket.line is not None:
                self._bucket.line.look()
