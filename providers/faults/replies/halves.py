"""The first half of something whose end nobody knows yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

_MOST_HELD = 2000

Event = TypeVar("Event")


class Halves(Generic[Event]):
    """Lets the first half of a number of events pass while they come, however many there will be.

        in   1  2  3  4  5  6  end
        out     1     2     3

    Holds at most 2000 of them: of more than twice as many, no more pass.
    """

    __slots__ = ("_held", "_is_full", "count")

    def __init__(self) -> None:
        self.count = 0
        self._held: deque[Event] = deque()
        self._is_full = False

    def add(self, event: Event) -> Sequence[Event]:
        """One more event; what passes now."""
        self.count += 1
        self._is_full = self._is_full or len(self._held) >= _MOST_HELD
        if not self._is_full:
            self._held.append(event)
        if self.count % 2 or not self._held:
            return ()
        return (self._held.popleft(),)

    def next(self) -> Event | None:
        """The one that would pass next, if the end comes before its turn; None: there is none."""
        return self._held.popleft() if self._held else None
