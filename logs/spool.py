"""The worker's side of the spool: every record is one line, appended to a file by one write.

    <directory>/<milliseconds>-<proxy id>-<pid>-<number>.jsonl    a segment: the records of one worker, oldest first
    <directory>/state.json                                        how far each segment is in the log; see `logs.drain`

A worker holds a lock on the segment it appends to, which the kernel releases when the worker dies: a segment that can
be locked is complete.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from proxies.dataplane.records import RequestRecord

logger = logging.getLogger(__name__)

SEGMENT_SUFFIX = ".jsonl"
STATE_NAME = "state.json"
SEGMENT_BYTES = 1024**2
LOOK_EVERY_S = 1.0  # while the cap is reached
WARN_EVERY_S = 10.0
_NONE = -1
_numbers = itertools.count()  # no name is used twice: offsets are kept by name
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Spool:
    """A `RecordSink` on files: what `write` took survives the death of this process. Never raises.

    To be made for each process; the first segment is opened by the first record. `max_bytes` caps what all spools of
    `directory` hold that is not yet in the log; it is looked at once a segment, so each worker may exceed it by one. A
    record that cannot be written is dropped and counted, by a line `{"dropped": n}` among the records as soon as there
    is room for that.
    """

    def __init__(
        self,
        directory: Path,
        proxy_id: int,
        *,
        max_bytes: int,
        segment_bytes: int = SEGMENT_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._proxy_id = proxy_id
        self._max_bytes = max_bytes
        self._segment_bytes = min(segment_bytes, max(1, max_bytes // 8))
        self._clock = clock
        self._descriptor = _NONE
        self._end = 0  # of the segment
        self._limit = 0  # up to here `write` may append without a further thought
        self._is_over_cap = False
        self._next_look = 0.0
        self._dropped = 0  # and not yet noted in the spool
        self._unwarned = 0
        self._next_warning = 0.0

    def write(self, record: RequestRecord) -> None:
        line = record.line()
        end = self._end + len(line)
        if end > self._limit:
            if not self._make_room(len(line)):
                return
            end = self._end + len(line)
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            self._fail(error)
            return
        if written == len(line):
            self._end = end
        else:
            self._take_back()

    def close(self) -> None:
        """Leaves the segment to the log writer. Another record would open the next one."""
        if self._dropped:
            try:
                self._note_dropped()
            except OSError:
                logger.warning("proxy %d: %d dropped records could not be counted", self._proxy_id, self._dropped)
        self._close_segment()

    # --- off the hot path

    def _make_room(self, size: int) -> bool:
        """Whether a line of `size` may be written now; if not, it is dropped."""
        now = self._clock()
        is_full = self._descriptor == _NONE or (self._end > 0 and self._end + size > self._segment_bytes)
        try:
            if now >= self._next_look or (is_full and not self._is_over_cap):
                self._next_look = now + LOOK_EVERY_S
                self._is_over_cap = pending_bytes(self._directory) + self._segment_bytes > self._max_bytes
                if self._is_over_cap and self._dropped:
                    self._note_dropped()
            if self._is_over_cap:
                self._drop("the spool is full: the log writer cannot keep up, or the database is away")
                return False
            if is_full:
                self._close_segment()
                self._open_segment()
            if self._dropped:
                self._note_dropped()
        except OSError as error:
            self._fail(error)
            return False
        self._limit = self._segment_bytes
        return True

    def _open_segment(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        begun = f"{time.time_ns() // 1_000_000:013d}-{self._proxy_id}-{os.getpid()}"
        while self._descriptor == _NONE:
            path = self._directory / f"{begun}-{next(_numbers):06d}{SEGMENT_SUFFIX}"
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            except FileExistsError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_ours = os.fstat(descriptor).st_nlink > 0
            except BlockingIOError:
                is_ours = False
            except OSError:
                os.close(descriptor)
                raise
            if is_ours:
                self._descriptor = descriptor
            else:  # the log writer came between the two calls, found an empty segment that nobody held, and deleted it
                os.close(descriptor)
        self._end = self._limit = 0

    def _close_segment(self) -> None:
        if self._descriptor != _NONE:
            os.close(self._descriptor)
            self._descriptor = _NONE
        self._end = self._limit = 0

    def _note_dropped(self) -> None:
        """Counts what was dropped where the log writer finds it, also past the cap. Raises OSError."""
        if self._descriptor == _NONE:
            self._open_segment()
        line = orjson.dumps({"dropped": self._dropped}) + b"\n"
        if os.write(self._descriptor, line) != len(line):
            self._cut_segment()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._end += len(line)
        self._dropped = 0

    def _take_back(self) -> None:
        """Undoes a write that ended early."""
        if self._cut_segment():
            self._drop(os.strerror(errno.ENOSPC))
        else:
            self._warn("a line was written only in part")  # the log writer counts it, when it finds its torn end

    def _cut_segment(self) -> bool:
        """Removes what stands past the last whole line. If even that fails the segment ends here, torn."""
        try:
            os.ftruncate(self._descriptor, self._end)
        except OSError:
            self._close_segment()
            return False
        return True

    def _fail(self, error: OSError) -> None:
        if error.errno not in _NO_ROOM:  # another segment may fare better
            self._close_segment()
        self._drop(error.strerror or str(error))

    def _drop(self, why: str) -> None:
        self._dropped += 1
        self._limit = 0  # the next record asks for room again
        self._warn(why)

    def _warn(self, why: str) -> None:
        self._unwarned += 1
        now = self._clock()
        if now >= self._next_warning:
            self._next_warning = now + WARN_EVERY_S
            logger.warning("proxy %d: log records lost: %d (%s)", self._proxy_id, self._unwarned, why)
            self._unwarned = 0


def pending_bytes(directory: Path) -> int:
    """What the spools hold that is not yet in the log. Raises OSError."""
    offsets = read_state(directory).get("offsets", {})
    try:
        with os.scandir(directory) as entries:
            return sum(
                max(0, _size(entry) - offsets.get(entry.name, 0))
                for entry in entries
                if entry.name.endswith(SEGMENT_SUFFIX)
            )
    except FileNotFoundError:
        return 0


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:  # drained and deleted just now
        return 0


def read_state(directory: Path) -> dict[str, dict[str, int]]:
    """`{"offsets": {segment name: bytes in the log}, "counters": {name: number}}`; empty if there is no such file."""
    try:
        state = orjson.loads((directory / STATE_NAME).read_bytes())
        offsets, counters = state["offsets"], state["counters"]
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    if all(type(number) is int for part in (offsets, counters) for number in part.values()):
        return {"offsets": offsets, "counters": counters}
    return {}
