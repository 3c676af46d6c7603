"""The cache store on the database: what goes in comes out, and a database in trouble means misses, nothing worse."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from django.db import connection
from model_bakery import baker

from providers.base import Usage
from proxies.dataplane.stores.base import Recording, StoreStats
from proxies.models import Proxy
from proxies.models import Recording as Row
from proxies.supervisor.recording_rows import ROWS_A_STATEMENT, _upsert
from proxies.supervisor.store_db import DatabaseStore

pytestmark = pytest.mark.django_db(transaction=True)


def recording(body: bytes = b"hello", **changes: Any) -> Recording:
    values: dict[str, Any] = {
        "status": 200,
        "headers": ((b"content-type", b"application/json"), (b"x-odd", b"\xe4\xff\"'\\")),
        "frames": (body, b"\x00\xff"),
        "delays_ms": (12, 3),
        "is_streaming": True,
        "recorded_at": 1_790_000_000.25,
        "operation": "chat.completions",
        "model": "m-1",
        "prompt_hash": "ab" * 32,
        "usage": Usage(input_tokens=3, output_tokens=0, model="m-1-2026", details={"input_audio_tokens": 2}),
        "digests": b'{"query":"2233","/a~1b/0":"0011"}',
        "expires_at": 1_790_000_100.5,
        "epoch": 4,
    }
    return Recording(**(values | changes))


def key(number: int) -> bytes:
    return number.to_bytes(8, "big") + bytes(24)


@pytest.fixture
def proxy(transactional_db: None) -> Proxy:
    return baker.make(Proxy, name="p", provider="openai", port=18001)


class Hands:
    """Makes stores that are stopped when the test is over."""

    def __init__(self, proxy_id: int) -> None:
        self.proxy_id = proxy_id
        self.made: list[DatabaseStore] = []

    def __call__(self, **settings: Any) -> DatabaseStore:
        self.made.append(DatabaseStore(self.proxy_id, **({"linger_s": 0.0} | settings)))
        return self.made[-1]


@pytest.fixture
async def make_store(proxy: Proxy) -> AsyncIterator[Hands]:
    hands = Hands(proxy.pk)
    yield hands
    for store in hands.made:
        await store.stop(5.0)


async def in_database(work: Callable[[], Any]) -> Any:
    """Runs ORM code beside the event loop, on a connection of its own."""

    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(run)


async def until(condition: Callable[[], bool]) -> None:
    """Waits for the store's thread, which nothing but the clock can be asked about."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  a thread sets no asyncio event
            await asyncio.sleep(0.005)


async def rows() -> Any:
    return await in_database(Row.objects.count)


class Locked:
    """Holds the database as a writer does that will not let go."""

    def __enter__(self) -> None:
        self._release = threading.Event()
        held = threading.Event()
        self._thread = threading.Thread(target=self._hold, args=(held,))
        self._thread.start()
        assert held.wait(10)

    def _hold(self, held: threading.Event) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            else:
                cursor.execute("BEGIN")
                cursor.execute(f"LOCK TABLE {Row._meta.db_table} IN ACCESS EXCLUSIVE MODE")
            held.set()
            self._release.wait(30)
            cursor.execute("ROLLBACK")
        connection.close()

    def __exit__(self, *exc: object) -> None:
        self._release.set()
        self._thread.join()


async def test_what_was_put_is_read_by_another_worker(make_store: Hands) -> None:
    store, other = make_store(), make_store()
    store.put(key(1), recording())
    await store.flush()
    assert await other.get(key(1)) == recording()
    assert await other.get(key(2)) is None


@pytest.mark.parametrize(
    "odd",
    [
        recording(frames=(), delays_ms=(), headers=()),
        recording(usage=Usage(), digests=b"{}", expires_at=None, model="", operation=""),
        recording(frames=(bytes(range(256)) * 100,), delays_ms=(0,)),
    ],
    ids=["no body", "nothing known", "all bytes"],
)
async def test_odd_recordings_come_back_as_they_were(make_store: Hands, odd: Recording) -> None:
    store = make_store()
    store.put(key(1), odd)
    await store.flush()
    assert await make_store().get(key(1)) == odd


async def test_text_no_database_takes_is_made_harmless(make_store: Hands) -> None:
    store = make_store()
    store.put(key(1), recording(model="a\0b\ud800", operation="x" * 200, usage=Usage(model="\0")))
    await store.flush()
    found = await make_store().get(key(1))
    assert found is not None
    assert (found.model, found.operation) == ("a\N{REPLACEMENT CHARACTER}b?", "x" * 80)
    assert found.usage.model == "\N{REPLACEMENT CHARACTER}"


async def test_a_pending_recording_is_found_before_it_is_written(make_store: Hands) -> None:
    store = make_store(linger_s=3600)
    store.put(key(1), recording())
    assert await store.get(key(1)) == recording()
    assert await rows() == 0


async def test_the_last_recording_of_a_key_wins(make_store: Hands) -> None:
    store, racing = make_store(), make_store()
    store.put(key(1), recording(b"old"))
    await store.flush()
    racing.put(key(1), recording(b"new"))
    await racing.flush()
    found = await make_store().get(key(1))
    assert found is not None
    assert found.frames[0] == b"new"
    assert await rows() == 1


async def test_recordings_are_written_without_anyone_asking(make_store: Hands) -> None:
    store = make_store(linger_s=0.01)
    for number in range(1200):  # more than one batch
        store.put(key(number), recording())
    await until(lambda: not store._pending)
    assert await rows() == 1200
    assert await store.stats() == StoreStats(1200, 1200 * recording().size_bytes)


async def test_stopping_writes_what_is_pending(make_store: Hands) -> None:
    store = make_store(linger_s=3600)
    store.put(key(1), recording())
    await store.stop(10)
    assert await rows() == 1
    assert store.dropped == 0


async def test_after_the_stop_nothing_is_taken_or_found(make_store: Hands) -> None:
    store = make_store()
    await store.stop()
    store.put(key(1), recording())
    assert await store.get(key(1)) is None
    assert store.dropped == 1
    assert store._thread is None


async def test_no_thread_is_started_before_the_first_use(make_store: Hands) -> None:
    before = threading.active_count()
    store = make_store()
    assert threading.active_count() == before
    await store.get(key(1))
    assert threading.active_count() == before + 1


async def test_past_its_bound_recordings_are_dropped_and_counted(make_store: Hands) -> None:
    store = make_store(linger_s=3600, most_unwritten_bytes=recording().size_bytes * 2)
    for number in range(3):
        store.put(key(number), recording())
    assert store.dropped == 1
    assert await store.get(key(2)) is None
    store.put(key(0), recording(b"HELLO"))  # in the place of another: there is room
    assert store.dropped == 1
    await store.flush()
    store.put(key(2), recording())
    await store.flush()
    assert await make_store().get(key(2)) == recording()


async def test_a_miss_the_index_knows_of_asks_nobody(make_store: Hands) -> None:
    store = make_store(refresh_s=3600)
    store.put(key(1), recording())
    await store.flush()
    await store.get(key(1))
    await store.flush()  # after this the index is loaded
    with Locked():
        assert await store.get(key(9)) is None
        assert store._paused_until == 0


async def test_the_index_is_loaded_in_pieces(make_store: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxies.supervisor.store_db._INDEX_ROWS", 3)
    store = make_store()
    for number in range(10):
        store.put(key(number), recording())
    await store.flush()
    reader = make_store(refresh_s=3600)
    await reader.get(key(99))
    await until(lambda: reader._index.is_loaded)
    assert all([await reader.get(key(number)) is not None for number in range(10)])
    assert not reader._index.may_hold(key(99))


async def test_what_another_host_recorded_is_found_after_a_while(make_store: Hands) -> None:
    moment = 0.0
    here, there = make_store(clock=lambda: moment, refresh_s=5), make_store()
    assert await here.get(key(1)) is None
    await here.flush()
    there.put(key(1), recording())
    await there.flush()
    assert await here.get(key(1)) is None
    assert await here.get(key(1), is_last_resort=True) == recording()
    moment = 6.0
    await here.get(key(1))
    await here.flush()
    assert await here.get(key(1)) == recording()


async def test_writers_that_take_turns_learn_of_each_other(make_store: Hands) -> None:
    moment = 0.0
    here, there = make_store(clock=lambda: moment), make_store()
    await here.get(key(99))  # loads the index
    await here.flush()
    for number in range(6):
        writer = here if number % 2 else there
        writer.put(key(number), recording(bytes([number])))
        await writer.flush()
    moment = 6.0
    await here.get(key(99))
    await here.flush()
    found = [await here.get(key(number)) for number in range(6)]
    assert [one and one.frames[0] for one in found] == [bytes([number]) for number in range(6)]
    assert await here.get(key(99)) is None


async def test_an_overfull_index_asks_the_database(make_store: Hands) -> None:
    store = make_store()
    store._index._most_keys = 2
    for number in range(4):
        store.put(key(number), recording())
    await store.flush()
    assert store._index.is_overfull
    assert await store.get(key(3)) == recording()
    assert await store.get(key(7)) is None


async def test_a_locked_database_means_misses_and_nothing_is_lost(make_store: Hands) -> None:
    store = make_store()
    with Locked():
        store.put(key(1), recording())
        await store.flush()
        assert await store.get(key(1)) == recording()  # still pending
        assert store.dropped == 0
    async with asyncio.timeout(20):
        while store._pending:
            await store.flush()
    assert await make_store().get(key(1)) == recording()


async def test_stopping_does_not_wait_for_a_database_that_stays_locked(make_store: Hands) -> None:
    store = make_store()
    with Locked():
        store.put(key(1), recording())
        await store.stop(0.1)
        assert store.dropped == 1
    assert store._thread is not None
    await asyncio.to_thread(store._thread.join, 20)
    assert not store._thread.is_alive()


async def test_a_read_that_takes_too_long_is_given_up_and_reads_pause(make_store: Hands) -> None:
    moment = 0.0
    store = make_store(read_timeout_s=0.05, pause_s=5, clock=lambda: moment)
    store.put(key(1), recording())
    await store.flush()
    hold = threading.Event()
    store._post(lambda: hold.wait(20) and None)  # as a database that does not answer
    assert await store.get(key(1), is_last_resort=True) is None
    assert await store.get(key(1), is_last_resort=True) is None  # paused: not even asked
    hold.set()
    moment = 6.0
    store._read_timeout_s = 20
    assert await store.get(key(1), is_last_resort=True) == recording()


async def test_a_broken_database_means_misses_and_one_warning(
    make_store: Hands, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxies.supervisor.recording_rows.TABLE", "nowhere")
    _upsert.cache_clear()
    store = make_store(pause_s=0)
    for number in range(3):
        store.put(key(number), recording())
        await store.flush()
    assert await store.get(key(77), is_last_resort=True) is None
    assert sum("cannot be used" in message for message in caplog.messages) == 1
    monkeypatch.undo()
    _upsert.cache_clear()
    await store.flush()
    assert await rows() == 3


async def test_a_row_that_is_refused_does_not_hold_up_the_others(make_store: Hands, proxy: Proxy) -> None:
    store = make_store()
    store.put(key(1), recording())
    store.put(key(2), recording(status=2**70))
    store.put(key(3), recording(expires_at=1e30))
    store.put(key(4), recording())
    await store.flush()
    assert await rows() == 2
    assert store.dropped == 2
    assert not store._pending


async def test_a_row_that_is_refused_among_many_does_not_hold_up_the_others(make_store: Hands) -> None:
    store = make_store(linger_s=3600)
    for number in range(2 * ROWS_A_STATEMENT + 1):
        store.put(key(number), recording(bytes([number]), status=2**70 if number == 7 else 200))
    await store.flush()
    assert store.dropped == 1
    assert await rows() == 2 * ROWS_A_STATEMENT
    reader = make_store()
    assert await reader.get(key(7)) is None
    for number in (0, ROWS_A_STATEMENT, 2 * ROWS_A_STATEMENT):
        found = await reader.get(key(number))
        assert found is not None
        assert found.frames[0] == bytes([number])


async def test_a_header_that_no_parser_lets_through_is_not_stored(make_store: Hands) -> None:
    store = make_store()
    store.put(key(1), recording(headers=((b"x-odd", b"a\0b"),)))
    await store.flush()
    assert (store.dropped, await rows()) == (1, 0)


async def test_recordings_of_a_proxy_that_is_gone_are_dropped(make_store: Hands, proxy: Proxy) -> None:
    await in_database(proxy.delete)
    store = make_store()
    store.put(key(1), recording())
    await store.flush()
    assert store.dropped == 1
    assert not store._pending


async def test_a_damaged_row_is_a_miss(make_store: Hands) -> None:
    store = make_store()
    store.put(key(1), recording())
    await store.flush()
    await in_database(lambda: Row.objects.update(frame_sizes=[1]))
    assert await make_store().get(key(1), is_last_resort=True) is None


async def test_candidates_are_the_newest_of_the_operation_and_epoch(make_store: Hands) -> None:
    store = make_store()
    for number in range(4):
        store.put(key(number), recording(recorded_at=1000.0 + number, prompt_hash=str(number)))
    store.put(key(8), recording(operation="embeddings"))
    store.put(key(9), recording(epoch=3))
    await store.flush()
    found = await store.candidates("chat.completions", 4)
    assert [candidate.prompt_hash for candidate in found] == ["3", "2", "1", "0"]
    assert orjson.loads(found[0].digests) == orjson.loads(recording().digests)
    assert found[0].recorded_at == 1003.0


async def test_purging_forgets_everything(make_store: Hands) -> None:
    store = make_store()
    store.put(key(1), recording())
    await store.flush()
    store.put(key(2), recording())
    await store.purge()
    assert await store.get(key(1), is_last_resort=True) is None
    assert await store.get(key(2), is_last_resort=True) is None
    assert await rows() == 0
