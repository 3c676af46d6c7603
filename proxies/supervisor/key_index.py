"""Which cache keys the database may hold: a set in memory that spares most misses a query."""

from __future__ import annotations

from collections.abc import Iterable

MOST_KEYS = 250_000  # about 20 MB; past that every miss asks the database


class KeyIndex:
    """Keys by their first 64 bits. May say yes for a key that is not there, never no for one it was told of.

    Used from two threads: every method is one operation on a set.
    """

    def __init__(self, most_keys: int = MOST_KEYS) -> None:
        self._most_keys = most_keys
        self._known: set[int] = set()
        self.is_loaded = False
        self.is_overfull = False

    def may_hold(self, key: bytes) -> bool:
        return self.is_overfull or not self.is_loaded or int.from_bytes(key[:8]) in self._known

    def add(self, key: bytes) -> None:
        self.add_all((int.from_bytes(key[:8]),))

    def add_hexadecimal(self, keys: Iterable[str]) -> None:
        self.add_all(int(key[:16], 16) for key in keys)

    def add_all(self, numbers: Iterable[int]) -> None:
        if self.is_overfull:
            return
        self._known.update(numbers)
        if len(self._known) > self._most_keys:
            self.is_overfull = True
            self._known = set()

    def clear(self) -> None:
        self._known = set()
        self.is_overfull = False
