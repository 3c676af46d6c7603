"""Processes that outlived their supervisor: how they are remembered, and how the next supervisor ends them."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from proxies.supervisor.listener import holder_of
from proxies.supervisor.process import is_alive

logger = logging.getLogger(__name__)

LEAVE_PORT_S = 2.0  # a worker whose supervisor died closes its listener within this, unless it hangs


@dataclass(frozen=True, slots=True)
class Recorded:
    """A process of ours on disk. `port` None: it serves no proxy."""

    pid: int
    started: str
    port: int | None


class RunRecord:
    """The running processes in a file of the data directory, for the next supervisor to read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, processes: Iterable[Recorded]) -> None:
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps([asdict(process) for process in processes]))
        partial.replace(self._path)

    def read(self) -> list[Recorded]:
        """Empty when there is none, or none that can be read: then the end of file on their channels must do."""
        try:
            return [Recorded(**entry) for entry in json.loads(self._path.read_text())]
        except (OSError, ValueError, TypeError):
            return []


class Orphans:
    """A dead predecessor's processes. They drain by themselves; who hangs, or holds a port for too long, is killed."""

    def __init__(self, recorded: Iterable[Recorded], *, now: float, drain_s: float) -> None:
        self._alive = {entry.pid: entry for entry in recorded if is_alive(entry.pid, entry.started)}
        self._gone_by = now + drain_s + LEAVE_PORT_S
        self._off_ports_by = now + LEAVE_PORT_S
        for entry in self._alive.values():
            if entry.port is None:  # what it does is safe to repeat, and two of them are not wanted
                self._kill(entry)

    def settle(self, now: float) -> bool:
        """Ends who must end now. True once none of them holds a port, so that proxies may be started."""
        self._alive = {pid: entry for pid, entry in self._alive.items() if is_alive(pid, entry.started)}
        holds_port = False
        for entry in self._alive.values():
            if now >= self._gone_by:
                self._kill(entry)
            elif entry.port is not None and _holds(entry):
                holds_port = True
                if now >= self._off_ports_by:
                    self._kill(entry)
        return not holds_port

    @property
    def alive(self) -> list[Recorded]:
        """Those that were alive at the last look."""
        return list(self._alive.values())

    def __bool__(self) -> bool:
        return bool(self._alive)

    def _kill(self, entry: Recorded) -> None:
        logger.warning("ending process %d, left behind by an earlier supervisor", entry.pid)
        try:
            os.kill(entry.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _holds(entry: Recorded) -> bool:
    holder = holder_of(entry.port) if entry.port is not None else None
    return holder is not None and holder[0] == entry.pid
