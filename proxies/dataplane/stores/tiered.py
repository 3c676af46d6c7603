"""Two tiers of recordings: this process' memory in front of a store that lasts."""

from __future__ import annotations

from collections.abc import Sequence

from proxies.dataplane.stores.base import Recording, RecordingSummary, Store, StoreStats
from proxies.dataplane.stores.memory import MemoryStore


class TieredStore:
    """What the pipeline reads and writes. `lasting` None: memory only."""

    def __init__(self, memory: MemoryStore, lasting: Store | None = None) -> None:
        self._memory = memory
        self._lasting = lasting
        self.get_now = memory.get_now  # the hot path: a hit costs no coroutine

    async def get(self, key: bytes, *, is_last_resort: bool = False) -> Recording | None:
        """Looks further than `get_now`, which has found nothing."""
        if self._lasting is None:
            return None
        recording = await self._lasting.get(key, is_last_resort=is_last_resort)
        newer = self._memory.get_now(key)
        if newer is not None:  # put while we were looking
            return newer
        if recording is not None:
            self._memory.put(key, recording)
        return recording

    def put(self, key: bytes, recording: Recording) -> None:
        self._memory.put(key, recording)
        if self._lasting is not None:
            self._lasting.put(key, recording)

    async def candidates(self, operation: str, epoch: int) -> Sequence[RecordingSummary]:
        found = await self._memory.candidates(operation, epoch)
        if self._lasting is None:
            return found
        known = {(summary.recorded_at, summary.prompt_hash) for summary in found}
        others = await self._lasting.candidates(operation, epoch)
        return [*found, *(summary for summary in others if (summary.recorded_at, summary.prompt_hash) not in known)]

    async def purge(self) -> None:
        self._memory.purge_now()
        if self._lasting is not None:
            await self._lasting.purge()

    async def stats(self) -> StoreStats:
        return await (self._lasting or self._memory).stats()
