"""Memory first, then what lasts; and never an older recording over a newer one."""

from __future__ import annotations

from dataclasses import replace

from proxies.dataplane.stores.base import Recording, StoreStats
from proxies.dataplane.stores.memory import MemoryStore
from proxies.dataplane.stores.tiered import TieredStore

KEY = b"k" * 32
OLD = Recording(200, (), (b"old",), (0,), False, 1.0, operation="chat", prompt_hash="old")
NEW = replace(OLD, frames=(b"new",), recorded_at=2.0, prompt_hash="new")


class Lasting(MemoryStore):
    """A second tier that remembers how it was asked, and lets something happen meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bool] = []
        self.meanwhile = lambda: None

    async def get(self, key: bytes, *, is_last_resort: bool = False) -> Recording | None:
        self.asked.append(is_last_resort)
        found = self.get_now(key)
        self.meanwhile()
        return found


def tiers() -> tuple[MemoryStore, Lasting, TieredStore]:
    memory, lasting = MemoryStore(), Lasting()
    return memory, lasting, TieredStore(memory, lasting)


async def test_what_was_put_is_in_both_tiers() -> None:
    memory, lasting, store = tiers()
    store.put(KEY, NEW)
    assert store.get_now(KEY) == memory.get_now(KEY) == lasting.get_now(KEY) == NEW
    assert lasting.asked == []


async def test_what_lasts_comes_back_into_memory() -> None:
    memory, lasting, store = tiers()
    lasting.put(KEY, OLD)
    assert store.get_now(KEY) is None
    assert await store.get(KEY, is_last_resort=True) == OLD
    assert lasting.asked == [True]
    assert store.get_now(KEY) == memory.get_now(KEY) == OLD


async def test_a_recording_put_while_looking_is_not_overwritten_by_an_older_one() -> None:
    _, lasting, store = tiers()
    lasting.put(KEY, OLD)
    lasting.meanwhile = lambda: store.put(KEY, NEW)
    assert await store.get(KEY) == NEW
    assert store.get_now(KEY) == NEW


async def test_a_recording_put_while_nothing_was_found_is_found() -> None:
    _, lasting, store = tiers()
    lasting.meanwhile = lambda: store.put(KEY, NEW)
    assert await store.get(KEY) == NEW


async def test_candidates_come_from_both_tiers_once() -> None:
    memory, lasting, store = tiers()
    lasting.put(b"1", OLD)
    store.put(b"2", NEW)
    assert [found.prompt_hash for found in await store.candidates("chat", 0)] == ["new", "old"]
    memory.purge_now()
    assert [found.prompt_hash for found in await store.candidates("chat", 0)] == ["new", "old"]


async def test_without_a_lasting_tier_memory_is_all() -> None:
    store = TieredStore(MemoryStore())
    store.put(KEY, NEW)
    assert store.get_now(KEY) == NEW
    assert await store.get(b"x" * 32) is None
    assert (await store.stats()).recordings == 1
    assert len(await store.candidates("chat", 0)) == 1


async def test_purging_empties_both_tiers() -> None:
    _, lasting, store = tiers()
    store.put(KEY, NEW)
    await store.purge()
    assert store.get_now(KEY) is None
    assert await store.stats() == await lasting.stats() == StoreStats(0, 0)
