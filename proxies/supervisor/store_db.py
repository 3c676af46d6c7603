"""The cache store on the Recording table: one thread with one connection, which the event loop never waits for.

```
   event loop                                thread
   put ---> pending (bounded) ------------>  batches, one upsert each, retried with back-off
   get ---> pending? index says no? -------> one query, given up after a time-out
```
A database that is locked, slow or gone means misses, and recordings that are dropped once too much is pending.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from django.db import DataError, Error, IntegrityError, connection, transaction

from proxies.dataplane.stores.base import Recording, RecordingSummary, StoreStats
from proxies.supervisor.key_index import KeyIndex
from proxies.supervisor.recording_rows import (
    SELECT,
    SELECT_SUMMARIES,
    TABLE,
    to_recording,
    to_summary,
    write_recordings,
)

log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

_BATCH_ROWS = 500
_BATCH_BYTES = 8 * 1024 * 1024
_INDEX_ROWS = 5000  # per query, so that reads get their turn in between
_INDEX_OVERLAP = 1000  # ids of rows that another transaction may have committed late
_MOST_CANDIDATES = 100
_LOCK_WAIT_MS = 1000
_CHECKPOINT_PAGES = 16_000  # 64 MB
_WARN_EVERY_S = 60.0
_FIRST_RETRY_S = 0.5
_LONGEST_RETRY_S = 30.0

_REFUSALS: Final = (IntegrityError, DataError, TypeError, ValueError, OverflowError)  # a row at fault, not the database


class DatabaseStore:
    """Recordings of one proxy in the database; see `stores.base.Store`. Starts its thread when it is first used."""

    def __init__(
        self,
        proxy_id: int,
        *,
        most_unwritten_bytes: int = 64 * 1024 * 1024,
        read_timeout_s: float = 2.0,
        pause_s: float = 5.0,
        linger_s: float = 1.0,
        refresh_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`pause_s`: no reads for so long after one that failed; `linger_s`: how long the first recording of a batch
        waits for others; `refresh_s`: how often misses look for what other hosts have recorded."""
        self._proxy_id = proxy_id
        self._most_unwritten_bytes = most_unwritten_bytes
        self._read_timeout_s = read_timeout_s
        self._pause_s = pause_s
        self._linger_s = linger_s
        self._refresh_s = refresh_s
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()  # guards the four below
        self._pending: dict[bytes, Recording] = {}
        self._pending_bytes = 0
        self._is_write_due = False
        self.dropped = 0  # recordings that never reached the database
        self._index = KeyIndex()
        self._index_id = 0
        self._is_loading = False
        self._next_refresh = 0.0
        self._paused_until = 0.0
        self._next_warning = 0.0
        self._is_stopping = False
        self._has_ended = False
        self._write_at: float | None = None  # the thread's own: when the next batch goes out
        self._retry_s = _FIRST_RETRY_S

    # on the event loop

    async def get(self, key: bytes, *, is_last_resort: bool = False) -> Recording | None:
        found = self._pending.get(key)
        if found is not None:
            return found
        now = self._clock()
        if now < self._paused_until:
            return None
        if now >= self._next_refresh:
            self._next_refresh = now + self._refresh_s
            self._post(self._refresh_index)
        if not is_last_resort and not self._index.may_hold(key):
            return None
        return await self._ask(lambda: self._read(key), None)

    def put(self, key: bytes, recording: Recording) -> None:
        size = recording.size_bytes
        with self._lock:
            replaced = self._pending.get(key)
            freed = replaced.size_bytes if replaced is not None else 0
            if self._is_stopping or self._pending_bytes - freed + size > self._most_unwritten_bytes:
                self.dropped += 1
                return
            self._pending[key] = recording
            self._pending_bytes += size - freed
            must_post, self._is_write_due = not self._is_write_due, True
        self._index.add(key)
        if must_post:
            self._post(self._schedule_write)

    async def candidates(self, operation: str, epoch: int) -> Sequence[RecordingSummary]:
        return await self._ask(lambda: self._read_candidates(operation, epoch), [])

    async def purge(self) -> None:
        with self._lock:
            self._pending.clear()
            self._pending_bytes = 0
        self._index.clear()
        await self._ask(self._delete_all, None)

    async def stats(self) -> StoreStats:
        return await self._ask(self._read_stats, StoreStats(0, 0))

    async def flush(self) -> None:
        """Waits until everything put so far is written, or has failed once. For shutting down, and for tests."""
        if self._thread is not None:
            await self._wait_for(self._write_all, None)

    async def stop(self, limit_s: float = 5.0) -> None:
        """Writes what is pending, for at most `limit_s`, and ends the thread. The store then drops what it is given."""
        with self._lock:
            self._is_stopping = True
        if self._thread is None:
            self._has_ended = True
            return
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        self._post(lambda: self._end(loop, ended))
        timer = loop.call_later(limit_s, _settle, ended, None)
        await ended
        timer.cancel()
        with self._lock:
            self.dropped += len(self._pending)
            self._pending.clear()
            self._pending_bytes = 0

    async def _ask(self, job: Callable[[], _Answer], default: _Answer) -> _Answer:
        if self._clock() < self._paused_until:
            return default
        return await self._wait_for(job, default, self._read_timeout_s)

    async def _wait_for(self, job: Callable[[], _Answer], default: _Answer, timeout_s: float | None = None) -> _Answer:
        if self._is_stopping:
            return default
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Answer] = loop.create_future()

        def run() -> None:
            if answer.done():  # nobody waits any more
                return
            value = default
            try:
                value = job()
            except (Error, ValueError, TypeError, KeyError) as error:  # the last three: a row that is damaged
                self._failed("read", error)
            finally:
                _settle_soon(loop, answer, value)

        self._post(run)
        timer = loop.call_later(timeout_s, self._give_up, answer, default) if timeout_s is not None else None
        try:
            return await answer
        finally:
            if timer is not None:
                timer.cancel()

    def _give_up(self, answer: asyncio.Future[_Answer], default: _Answer) -> None:
        if not answer.done():
            self._failed("read", TimeoutError(f"no answer in {self._read_timeout_s} s"))
            answer.set_result(default)

    def _post(self, job: Callable[[], None]) -> None:
        if self._has_ended:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"recordings-{self._proxy_id}", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    # in the thread

    def _run(self) -> None:
        try:
            while not self._has_ended:
                try:
                    if self._write_at is None:
                        job = self._jobs.get()
                    else:
                        job = self._jobs.get(timeout=max(0.0, self._write_at - time.monotonic()))
                except queue.Empty:
                    job = self._write_all
                try:
                    job()
                except Exception:  # the thread's border: whatever it is, the next job gets its turn
                    log.exception("A job of the recordings thread failed.")
                    if self._write_at is not None:
                        self._write_at = time.monotonic() + _LONGEST_RETRY_S
        finally:
            connection.close()

    def _end(self, loop: asyncio.AbstractEventLoop, ended: asyncio.Future[None]) -> None:
        deadline = time.monotonic() + _LONGEST_RETRY_S
        self._write_all()
        while self._write_at is not None and not ended.done() and time.monotonic() < deadline:
            time.sleep(min(0.1, self._retry_s))
            self._write_all()
        self._has_ended = True
        _settle_soon(loop, ended, None)

    def _schedule_write(self) -> None:
        if self._write_at is None:
            self._write_at = time.monotonic() + self._linger_s

    def _write_all(self) -> None:
        """Writes batch after batch until nothing is pending, or one fails: then `_write_at` says when to try again."""
        while True:
            with self._lock:
                batch: list[tuple[bytes, Recording]] = []
                size = 0
                for item in islice(self._pending.items(), _BATCH_ROWS):
                    batch.append(item)
                    size += item[1].size_bytes
                    if size > _BATCH_BYTES:
                        break
                if not batch:
                    self._is_write_due = False
                    self._write_at = None
                    return
            try:
                self._write(batch)
            except Error as error:
                self._failed("write", error)
                self._write_at = time.monotonic() + self._retry_s
                self._retry_s = min(self._retry_s * 2, _LONGEST_RETRY_S)
                return
            self._retry_s = _FIRST_RETRY_S
            with self._lock:
                for key, recording in batch:
                    if self._pending.get(key) is recording:
                        del self._pending[key]
                        self._pending_bytes -= recording.size_bytes

    def _write(self, batch: list[tuple[bytes, Recording]]) -> None:
        """Writes all or raises Error; what the database refuses for what it is (its proxy is gone, say) is dropped."""
        try:
            self._upsert(batch)
        except _REFUSALS:
            for item in batch:
                try:
                    self._upsert([item])
                except _REFUSALS:
                    self.dropped += 1

    def _upsert(self, batch: list[tuple[bytes, Recording]]) -> None:
        self._connect()
        if connection.vendor != "sqlite":
            with transaction.atomic():
                write_recordings(self._proxy_id, batch)
            return
        with transaction.atomic():
            before = self._newest()
            write_recordings(self._proxy_id, batch)
            after = self._newest()
        # SQLite has one writer at a time: these ids are ours, and need not be read to be known.
        if self._index_id == before:
            self._index_id = after

    def _query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        self._connect()
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def _read(self, key: bytes) -> Recording | None:
        rows = self._query(SELECT, self._proxy_id, key.hex())
        return to_recording(rows[0]) if rows else None

    def _read_candidates(self, operation: str, epoch: int) -> list[RecordingSummary]:
        rows = self._query(SELECT_SUMMARIES, self._proxy_id, epoch, operation, _MOST_CANDIDATES)
        return [to_summary(row) for row in rows]

    def _read_stats(self) -> StoreStats:
        [(count, size)] = self._query(
            f"SELECT COUNT(*), COALESCE(SUM(size_bytes), 0) FROM {TABLE} WHERE proxy_id = %s", self._proxy_id
        )
        return StoreStats(count, int(size))

    def _delete_all(self) -> None:
        self._connect()
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {TABLE} WHERE proxy_id = %s", (self._proxy_id,))

    def _refresh_index(self) -> None:
        """Learns of the rows that are new since the last time; at the first time of all."""
        try:
            newest = self._newest()
            if not self._index.is_loaded:
                if not self._is_loading:
                    self._is_loading = True
                    self._load_index("", newest)
                return
            # The sum hides the proxy's index: a few new ids are looked at, not all the proxy's rows.
            rows = self._query(
                f"SELECT key FROM {TABLE} WHERE id > %s AND id <= %s AND proxy_id + 0 = %s",
                self._index_id - _INDEX_OVERLAP,
                newest,
                self._proxy_id,
            )
            self._index.add_hexadecimal(key for (key,) in rows)
            self._index_id = newest
        except (Error, ValueError) as error:
            self._failed("read", error)

    def _newest(self) -> int:
        return self._query(f"SELECT MAX(id) FROM {TABLE}")[0][0] or 0

    def _load_index(self, after: str, newest: int) -> None:
        try:
            rows = self._query(
                f"SELECT key FROM {TABLE} WHERE proxy_id = %s AND key > %s ORDER BY key LIMIT %s",
                self._proxy_id,
                after,
                _INDEX_ROWS,
            )
            self._index.add_hexadecimal(key for (key,) in rows)
        except (Error, ValueError) as error:
            self._is_loading = False
            self._failed("read", error)
            return
        if len(rows) == _INDEX_ROWS and not self._index.is_overfull:
            self._jobs.put(lambda: self._load_index(rows[-1][0], newest))
            return
        self._index_id = newest
        self._is_loading = False
        self._index.is_loaded = True

    def _connect(self) -> None:
        """Opens the connection if it is closed, and makes it give up on locks early: reads wait behind a write that
        waits."""
        if connection.connection is not None:
            return
        connection.ensure_connection()
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute(f"PRAGMA busy_timeout = {_LOCK_WAIT_MS}")
                # Left to the log writer, which commits as often: a worker has better things to do. The bound is for
                # when there is none.
                cursor.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            else:
                cursor.execute(f"SET lock_timeout = {_LOCK_WAIT_MS}")
                cursor.execute(f"SET statement_timeout = {10 * _LOCK_WAIT_MS}")

    # in both

    def _failed(self, what: str, error: Exception) -> None:
        now = self._clock()
        if what == "read":
            self._paused_until = now + self._pause_s
        if threading.current_thread() is self._thread:
            connection.close()  # it may be broken; the next job opens another
        if now >= self._next_warning:
            self._next_warning = now + _WARN_EVERY_S
            log.warning("Recordings of proxy %s: the database cannot be used (%s: %s).", self._proxy_id, what, error)


def _settle(future: asyncio.Future[_Answer], value: _Answer) -> None:
    if not future.done():
        future.set_result(value)


def _settle_soon(loop: asyncio.AbstractEventLoop, future: asyncio.Future[_Answer], value: _Answer) -> None:
    try:
        loop.call_soon_threadsafe(_settle, future, value)
    except RuntimeError:  # the loop is closed: nobody waits
        pass
