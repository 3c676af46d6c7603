"""What an emulated provider keeps between requests: files, stored responses and the like, bounded, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any


class Shelf:
    """Objects by kind and id. Past its bounds the oldest are thrown away; nothing outlives the worker."""

    def __init__(self, max_objects: int = 10_000, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._max_objects = max_objects
        self._max_bytes = max_bytes
        self._objects: OrderedDict[tuple[str, str], tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._number = 0

    def next_number(self) -> int:
        """1, 2, 3, ...: for ids of objects that are new each time they are made."""
        self._number += 1
        return self._number

    def put(self, kind: str, key: str, value: Any, size_bytes: int = 1024) -> None:
        """Keeps an object, in the place of an older one with the same key. One that is too large is not kept."""
        self.remove(kind, key)
        if size_bytes > self._max_bytes:
            return
        self._objects[kind, key] = (value, size_bytes)
        self._bytes += size_bytes
        while len(self._objects) > self._max_objects or self._bytes > self._max_bytes:
            _, (_, freed) = self._objects.popitem(last=False)
            self._bytes -= freed

    def get(self, kind: str, key: str) -> Any:
        """The object, or None."""
        found = self._objects.get((kind, key))
        return None if found is None else found[0]

    def remove(self, kind: str, key: str) -> Any:
        """Takes the object away: it, or None."""
        found = self._objects.pop((kind, key), None)
        if found is None:
            return None
        self._bytes -= found[1]
        return found[0]

    def all(self, kind: str) -> Iterator[Any]:
        """The objects of a kind, oldest first."""
        return (value for (stored, _), (value, _) in list(self._objects.items()) if stored == kind)
