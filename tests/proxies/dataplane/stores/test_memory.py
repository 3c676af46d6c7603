"""The memory tier is bounded, and what is used stays."""

from __future__ import annotations

from proxies.dataplane.stores.base import Recording, StoreStats
from proxies.dataplane.stores.memory import MemoryStore


def recording(size: int = 100, **changes: object) -> Recording:
    values: dict[str, object] = {"recorded_at": 0.0, "operation": "chat"}
    return Recording(200, (), (bytes(size),), (0,), False, **(values | changes))  # type: ignore[arg-type]


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


async def test_what_was_put_is_there_at_once() -> None:
    store = MemoryStore()
    store.put(key(1), recording())
    assert store.get_now(key(1)) == await store.get(key(1)) == recording()
    assert store.get_now(key(2)) is None


async def test_the_least_recently_used_go_first() -> None:
    store = MemoryStore(most_recordings=2)
    store.put(key(1), recording())
    store.put(key(2), recording())
    store.get_now(key(1))
    store.put(key(3), recording())
    assert [store.get_now(key(number)) is not None for number in (1, 2, 3)] == [True, False, True]
    assert (await store.stats()).recordings == 2


async def test_the_bytes_are_bounded() -> None:
    store = MemoryStore(most_bytes=100_000)
    for number in range(100):
        store.put(key(number), recording(10_000))
    stats = await store.stats()
    assert stats.size_bytes <= 100_000
    assert stats.recordings == 9
    assert store.get_now(key(99)) is not None


async def test_one_too_large_for_the_store_is_not_kept_and_neither_is_what_it_replaces() -> None:
    store = MemoryStore(most_bytes=50_000)
    store.put(key(1), recording())
    store.put(key(1), recording(60_000))
    assert store.get_now(key(1)) is None
    assert await store.stats() == StoreStats(0, 0)


async def test_replacing_and_purging_free_their_bytes() -> None:
    store = MemoryStore()
    store.put(key(1), recording(100))
    once = (await store.stats()).size_bytes
    store.put(key(1), recording(100))
    assert (await store.stats()).size_bytes == once
    await store.purge()
    assert await store.stats() == StoreStats(0, 0)


async def test_candidates_are_the_newest_of_the_operation_and_epoch() -> None:
    store = MemoryStore()
    for number in range(3):
        store.put(key(number), recording(prompt_hash=str(number)))
    store.put(key(8), recording(operation="embeddings"))
    store.put(key(9), recording(epoch=1))
    assert [found.prompt_hash for found in await store.candidates("chat", 0)] == ["2", "1", "0"]
