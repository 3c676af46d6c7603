"""What an emulated provider keeps between requests: files, stored responses and the like, bounded, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any


class Shelf:
    """Objects by kind and id; nothing outlives the worker.

    Past `max_objects` of a kind its oldest is thrown away, past `max_bytes` of all kinds the oldest of the kind that
    takes most: many small responses do not cost a file its place.
    """

    def __init__(self, max_objects: int = 10_000, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._max_objects = max_objects
        self._max_bytes = max_bytes
        self._kinds: dict[str, OrderedDict[str, tuple[Any, int]]] = {}
        self._bytes: dict[str, int] = {}
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
        objects = self._kinds.setdefault(kind, OrderedDict())
        objects[key] = (value, size_bytes)
        self._bytes[kind] = self._bytes.get(kind, 0) + size_bytes
        while len(objects) > self._max_objects:
            self._throw_away(kind)
        while sum(self._bytes.values()) > self._max_bytes:
            self._throw_away(max(self._bytes, key=self._bytes.__getitem__))

    def get(self, kind: str, key: str) -> Any:
        """The object, or None."""
        objects = self._kinds.get(kind)
        found = None if objects is None else objects.get(key)
        return None if found is None else found[0]

    def remove(self, kind: str, key: str) -> Any:
        """Takes the object away: it, or None."""
        objects = self._kinds.get(kind)
        if objects is None or key not in objects:
            return None
        value, freed = objects.pop(key)
        self._bytes[kind] -= freed
        return value

    def all(self, kind: str) -> Iterator[Any]:
        """The objects of a kind, oldest first."""
        objects = self._kinds.get(kind)
        return iter([] if objects is None else [value for value, _ in objects.values()])

    def _throw_away(self, kind: str) -> None:
        _, (_, freed) = self._kinds[kind].popitem(last=False)
        self._bytes[kind] -= freed
