"""The log writer's side of the spool: whole lines out of all segments, and how far they are in the log."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from logs.spool import SEGMENT_SUFFIX, STATE_NAME, read_state

logger = logging.getLogger(__name__)

LOCK_NAME = "drain.lock"
QUARANTINE_NAME = "quarantine"
QUARANTINE_MAX_BYTES = 16 * 1024**2
READ_BYTES = 1024**2  # a line that long is none of ours
LOOK_FOR_ENDED_EVERY_S = 30.0


@dataclass(slots=True)
class Batch:
    """Lines to be brought into the log, without their line feeds; `offsets`: where their segments stand after them."""

    lines: list[bytes] = field(default_factory=list)
    offsets: dict[str, int] = field(default_factory=dict)
    torn: list[bytes] = field(default_factory=list)  # beginnings of lines whose ends will never come
    ended: list[str] = field(default_factory=list)  # segments of which nothing is left

    def __bool__(self) -> bool:
        return bool(self.offsets or self.ended)


class SpoolReader:
    """Reads the spools of one directory. `pending_bytes`, as of the last `batch`, `dropped` and `quarantined` count.

    What was read is read again by the next reader unless it was committed. A segment that a living worker appends to is
    never deleted.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.directory = directory
        self._clock = clock
        self._lock: int | None = None
        self._offsets: dict[str, int] = {}
        self._last_worker = ""
        self._next_look = 0.0
        self.pending_bytes = 0
        self.dropped = 0
        self.quarantined = 0

    def take(self) -> bool:
        """Makes this the only reader; False: there is another. To be called before anything else. Raises OSError."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return False
            raise
        self._lock = descriptor
        state = read_state(self.directory)
        self._offsets = state.get("offsets", {})
        counters = state.get("counters", {})
        self.dropped, self.quarantined = counters.get("dropped", 0), counters.get("quarantined", 0)
        return True

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def batch(self, max_lines: int, *, is_thorough: bool = False) -> Batch:
        """The next lines, at most `max_lines`, from all workers in turn; falsy when there is nothing to do.

        Whether a quiet worker has ended is looked for now and then, or now if `is_thorough`. Raises OSError.
        """
        now = self._clock()
        looks = is_thorough or now >= self._next_look
        if looks:
            self._next_look = now + LOOK_FOR_ENDED_EVERY_S
        sizes = self._scan()
        offsets = self._offsets
        if not offsets.keys() <= sizes.keys():
            offsets = self._offsets = {name: offset for name, offset in offsets.items() if name in sizes}
        self.pending_bytes = sum(max(0, size - offsets.get(name, 0)) for name, size in sizes.items())
        batch = Batch()
        if not (self.pending_bytes or looks):
            return batch
        workers = _by_worker(sorted(sizes))
        for worker in _starting_after(self._last_worker, workers):
            names = workers[worker]
            for name in names:
                offset = self._offsets.get(name, 0)
                has_unread = sizes[name] > offset
                if has_unread or looks or name != names[-1]:  # those before the last have probably ended
                    self._read(name, offset, max_lines, batch)
                if len(batch.lines) >= max_lines:
                    break
            if len(batch.lines) >= max_lines:
                self._last_worker = worker
                break
        return batch

    def commit(self, batch: Batch, *, dropped: int = 0, refused: Iterable[bytes] = ()) -> None:
        """Notes that a batch is dealt with; `refused` lines go into quarantine. Deletes what ended. Never raises."""
        bad = [*batch.torn, *refused]
        if bad:
            self._quarantine(bad)
        self.dropped += dropped
        self.quarantined += len(bad)
        self._offsets.update(batch.offsets)
        is_saved = self._save()
        for name in batch.ended:
            self._delete(name)
        if batch.ended and not is_saved:  # on a full disk, there is room now
            self._save()

    # --- segments

    def _scan(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        try:
            with os.scandir(self.directory) as entries:
                for entry in entries:
                    if entry.name.endswith(SEGMENT_SUFFIX):
                        try:
                            sizes[entry.name] = entry.stat().st_size
                        except FileNotFoundError:
                            pass
        except FileNotFoundError:
            pass
        return sizes

    def _read(self, name: str, offset: int, max_lines: int, batch: Batch) -> None:
        """Adds lines of one segment to `batch`, which takes at least one more."""
        try:
            descriptor = os.open(self.directory / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            # Asked before reading: what a worker that has ended wrote is all there.
            has_ended = _can_lock(descriptor)
            start = offset
            while len(batch.lines) < max_lines:
                data = os.pread(descriptor, READ_BYTES, offset)
                lines, has_all = _whole_lines(data, max_lines - len(batch.lines))
                batch.lines += lines
                offset += sum(map(len, lines)) + len(lines)
                if has_all and len(data) < READ_BYTES:
                    break
                if not lines:  # a line longer than any of ours: skip what was read of it
                    batch.torn.append(data)
                    offset += len(data)
            rest = os.fstat(descriptor).st_size - offset
            if has_ended and 0 < rest < READ_BYTES and b"\n" not in (torn := os.pread(descriptor, rest, offset)):
                batch.torn.append(torn)
                offset += rest
                rest = 0
            if offset != start:
                batch.offsets[name] = offset
            if has_ended and rest == 0:
                batch.ended.append(name)
        finally:
            os.close(descriptor)

    def _delete(self, name: str) -> None:
        path = self.directory / name
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            # Locked while it is deleted: a worker that has just opened an empty segment notices.
            if _can_lock(descriptor) and os.fstat(descriptor).st_size == self._offsets.get(name, 0):
                path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("the drained segment %s cannot be deleted: %s", name, error.strerror)
        finally:
            os.close(descriptor)

    # --- what is kept

    def _save(self) -> bool:
        counters = {"dropped": self.dropped, "quarantined": self.quarantined}
        content = orjson.dumps({"offsets": self._offsets, "counters": counters})
        path = self.directory / STATE_NAME
        draft = path.with_suffix(".new")
        try:
            # No fsync, on purpose: after a power cut lines may be read again, and their ids are known then.
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                written = os.write(descriptor, content)
            finally:
                os.close(descriptor)
            if written != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            draft.replace(path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            logger.warning("cannot save how far the spool is drained: %s", error.strerror)
            return False
        return True

    def _quarantine(self, lines: list[bytes]) -> None:
        """Keeps lines for people to look at; renamed to `0-0-0-0.jsonl` the file is drained again."""
        path = self.directory / QUARANTINE_NAME
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                room = QUARANTINE_MAX_BYTES - os.fstat(descriptor).st_size
                for line in lines:
                    room -= len(line) + 1
                    if room < 0:
                        break
                    os.write(descriptor, line + b"\n")
            finally:
                os.close(descriptor)
        except OSError as error:
            logger.warning("%d bad lines of the spool cannot be kept: %s", len(lines), error.strerror)


def _whole_lines(data: bytes, max_lines: int) -> tuple[list[bytes], bool]:
    """The complete lines, at most `max_lines`, and whether these are all."""
    lines = data.split(b"\n", max_lines)
    rest = lines.pop()
    return lines, b"\n" not in rest


def _can_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _by_worker(names: Iterable[str]) -> dict[str, list[str]]:
    """Segment names by proxy and pid, in their order."""
    workers: dict[str, list[str]] = {}
    for name in names:
        worker = name.partition("-")[2].rpartition("-")[0]
        workers.setdefault(worker, []).append(name)
    return workers


def _starting_after(last: str, workers: Iterable[str]) -> list[str]:
    """All of them, beginning behind `last`: a busy one does not keep the others waiting."""
    order = list(workers)
    if last not in order:
        return order
    cut = order.index(last) + 1
    return order[cut:] + order[:cut]
