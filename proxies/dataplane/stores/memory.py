"""Recordings in this process' memory: bounded by bytes and by number, the least recently used ones go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from proxies.dataplane.stores.base import Recording, RecordingSummary, StoreStats

_OVERHEAD_BYTES = 1000  # of a recording's objects besides its bytes, roughly
_FRAME_OVERHEAD_BYTES = 80


class MemoryStore:
    """A store that answers at once; see `stores.base.Store`."""

    def __init__(self, most_bytes: int = 64 * 1024 * 1024, most_recordings: int = 20_000) -> None:
        self._most_bytes = most_bytes
        self._most_recordings = most_recordings
        self._recordings: OrderedDict[bytes, tuple[Recording, int]] = OrderedDict()
        self._size_bytes = 0

    def get_now(self, key: bytes) -> Recording | None:
        found = self._recordings.get(key)
        if found is None:
            return None
        self._recordings.move_to_end(key)
        return found[0]

    async def get(self, key: bytes, *, is_last_resort: bool = False) -> Recording | None:
        return self.get_now(key)

    def put(self, key: bytes, recording: Recording) -> None:
        """A recording too large for the whole store is not kept, and neither is the one it replaces."""
        self.discard(key)
        size = recording.size_bytes + _OVERHEAD_BYTES + _FRAME_OVERHEAD_BYTES * len(recording.frames)
        if size > self._most_bytes:
            return
        self._recordings[key] = (recording, size)
        self._size_bytes += size
        while self._size_bytes > self._most_bytes or len(self._recordings) > self._most_recordings:
            _, (_, freed) = self._recordings.popitem(last=False)
            self._size_bytes -= freed

    def discard(self, key: bytes) -> None:
        found = self._recordings.pop(key, None)
        if found is not None:
            self._size_bytes -= found[1]

    async def candidates(self, operation: str, epoch: int) -> Sequence[RecordingSummary]:
        return [
            RecordingSummary(found.operation, found.model, found.prompt_hash, found.recorded_at, found.digests)
            for found, _ in reversed(self._recordings.values())
            if found.operation == operation and found.epoch == epoch
        ][:100]

    async def purge(self) -> None:
        self.purge_now()

    def purge_now(self) -> None:
        self._recordings.clear()
        self._size_bytes = 0

    async def stats(self) -> StoreStats:
        return StoreStats(len(self._recordings), self._size_bytes)
