"""The exact sliding minute of one rate limit: which requests and tokens count at a moment, and when one more fits.

Pure: a moment is a reading of one clock in seconds, and never less than the one before. What is counted at t counts in
[t, t + 60 s) and no longer, so no half-open minute ever holds more than the limit.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Literal, NamedTuple

from providers.faults.base import Quota

if TYPE_CHECKING:
    from proxies.dataplane.exchange import Exchange
    from proxies.dataplane.held import Line

WINDOW_S = 60.0

_TIDY_AT = 1024
"""So many entries are kept before the first look for those that are over; then twice as many as were left."""
_MOST_EXACT = 65_536
"""Token counts of one minute that are kept each by itself; past that, those of one millisecond are kept as one."""


class Over(NamedTuple):
    """One request too many: by which limit, and how long until it fits if nothing else comes."""

    exceeded: Literal["requests", "tokens"]
    wait_s: float


class RequestWindow:
    """The requests of the last minute: eight bytes each. `at_most`: no fewer than count; those that are over may be
    among them."""

    __slots__ = ("_ends", "_head", "_tidies_at", "at_most")

    def __init__(self) -> None:
        self._ends = array("d")  # when each stops to count, in order; those before `_head` have
        self._head = 0
        self._tidies_at = _TIDY_AT
        self.at_most = 0

    def used(self, now: float) -> int:
        """How many requests count."""
        ends, head = self._ends, self._head
        size = len(ends)
        if head < size and ends[head] <= now:
            head = bisect_right(ends, now, head)
            if head * 2 >= size:
                del ends[:head]
                size -= head
                head = 0
            self._head = head
        self.at_most = size - head
        return self.at_most

    def add(self, now: float) -> float:
        """Counts one request. Returns what `take_back` takes."""
        end = now + WINDOW_S
        self._ends.append(end)
        self.at_most += 1
        if self.at_most >= self._tidies_at:
            self._tidies_at = max(_TIDY_AT, 2 * self.used(now))
        return end

    def take_back(self, end: float) -> None:
        """Takes a request out again that was never made; nothing if its minute is over."""
        index = bisect_left(self._ends, end, self._head)
        if index < len(self._ends) and self._ends[index] == end:
            del self._ends[index]
            self.at_most -= 1

    def wait(self, now: float, too_many: int) -> float:
        """Seconds until `too_many` of those that count no longer do. Ask for `used` first."""
        return self._ends[self._head + too_many - 1] - now

    def reset(self, now: float) -> float:
        """Seconds until none counts. Ask for `used` first."""
        return self._ends[-1] - now if len(self._ends) > self._head else 0.0


class TokenWindow:
    """The tokens of the last minute: sixteen bytes for every reply. `at_most`: no fewer than count; those that are over
    may be among them."""

    __slots__ = ("_ends", "_gone", "_head", "_tidies_at", "_total", "_totals", "at_most")

    def __init__(self) -> None:
        self._ends = array("d")
        self._totals = array("q")  # all tokens ever counted, up to and including each
        self._total = 0  # the last of them
        self._gone = 0  # those of them that count no longer
        self._head = 0
        self._tidies_at = _TIDY_AT
        self.at_most = 0

    def used(self, now: float) -> int:
        """How many tokens count."""
        ends, totals, head = self._ends, self._totals, self._head
        size = len(ends)
        if head < size and ends[head] <= now:
            head = bisect_right(ends, now, head)
            self._gone = totals[head - 1]
            if head * 2 >= size:
                del ends[:head]
                del totals[:head]
                head = 0
            self._head = head
            self.at_most = self._total - self._gone
        return self.at_most

    def add(self, now: float, tokens: int) -> None:
        """Counts the tokens of one reply."""
        ends, totals = self._ends, self._totals
        end = now + WINDOW_S
        size = len(ends)
        if size >= self._tidies_at:
            self.used(now)
            size = len(ends)
            self._tidies_at = max(_TIDY_AT, 2 * size)
        if size - self._head >= _MOST_EXACT:
            end = math.ceil(end * 1000) / 1000  # up to a millisecond too long: never more than the limit
        self._total += tokens
        self.at_most += tokens
        if size and ends[-1] >= end:
            totals[-1] = self._total
        else:
            ends.append(end)
            totals.append(self._total)

    def wait(self, now: float, too_many: int) -> float:
        """Seconds until `too_many` of those that count no longer do. Ask for `used` first."""
        return self._ends[bisect_left(self._totals, self._gone + too_many, self._head)] - now

    def reset(self, now: float) -> float:
        """Seconds until none counts. Ask for `used` first."""
        return self._ends[-1] - now if len(self._ends) > self._head else 0.0

    def __len__(self) -> int:
        """How many counts are kept."""
        return len(self._ends)


class Bucket:
    """What one limit's requests come to: those of the last minute, their tokens, and the tokens reserved for replies
    that are on their way.

    A reservation is what a request will probably use. It is held until its reply has ended, and from then on what the
    reply did use counts for a minute. A request without a reservation uses no tokens, and their limit is not its own.
    """

    __slots__ = ("in_flight", "line", "requests", "reserved", "tokens", "unreserved")

    def __init__(self) -> None:
        self.requests = RequestWindow()
        self.tokens = TokenWindow()
        self.reserved = 0
        self.in_flight = 0  # replies with a reservation
        self.line: Line | None = None  # those that wait for their turn
        self.unreserved: Exchange | None = None  # on its way without a reservation, until another one asks

    def over(self, now: float, rpm: int | None, tpm: int | None, reservation: int, place: int = 1) -> Over | None:
        """Why one more request does not fit now; None when it does. `place`: it is the n-th of those who ask.

        With nothing counted and nothing reserved every request fits. The wait takes what is in flight to end as
        reserved, not before now: it is exact when nothing is, and 60 s where only that could make room.
        """
        over: Over | None = None
        if rpm is not None:
            used = self.requests.used(now)
            too_many_requests = used - rpm + place
            if too_many_requests > 0:
                wait_s = self.requests.wait(now, too_many_requests) if too_many_requests <= used else WINDOW_S
                over = Over("requests", wait_s)
        if tpm is not None and reservation:
            used = self.tokens.used(now)
            too_many = used + self.reserved + (reservation if reservation < tpm else tpm) - tpm
            if too_many > 0:
                wait_s = self.tokens.wait(now, too_many) if too_many <= used else WINDOW_S
                if over is None or wait_s > over.wait_s:
                    over = Over("tokens", wait_s)
        return over

    def admit(self, now: float, rpm: int | None, reservation: int) -> float:
        """Counts one request, if requests are limited, and reserves tokens for it. Returns what `take_back` takes."""
        self.reserve(reservation)
        return 0.0 if rpm is None else self.requests.add(now)

    def reserve(self, reservation: int) -> None:
        """Reserves tokens for a request that is on its way; nothing for one that uses none."""
        if reservation:
            self.reserved += reservation
            self.in_flight += 1

    def settle(self, now: float, reservation: int, tokens: int) -> None:
        """A reply ended: what it used counts in the place of what was reserved for it."""
        if reservation:
            self.reserved -= reservation
            self.in_flight -= 1
        if tokens > 0:
            self.tokens.add(now, tokens)

    def take_back(self, admitted: float, reservation: int) -> None:
        """Undoes `admit` for a request that went no further."""
        self.settle(0.0, reservation, 0)
        self.requests.take_back(admitted)

    def is_idle(self, now: float) -> bool:
        """Whether a new bucket would be the same."""
        return (
            not self.in_flight
            and self.line is None
            and self.unreserved is None
            and not self.requests.used(now)
            and not self.tokens.used(now)
        )

    def quota(self, now: float, rpm: int | None, tpm: int | None) -> Quota:
        """What is left, for the client to read."""
        requests, tokens = self.requests.used(now), self.tokens.used(now)
        return Quota(
            rpm,
            max(0, (rpm or 0) - requests),
            self.requests.reset(now),
            tpm,
            max(0, (tpm or 0) - tokens - self.reserved),
            WINDOW_S if self.in_flight else self.tokens.reset(now),
        )
