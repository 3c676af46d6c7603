"""One supervisor per data directory: a lock that the kernel releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path


class AlreadyRunning(Exception):
    """Another supervisor has the data directory (or, on PostgreSQL, this host's proxies); the text says which."""


class DataDirectoryLock:
    """Held from `take` to the end of this process. Children must close what they inherit of it."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "supervisor.lock"
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises AlreadyRunning."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            by = f" (pid {holder})" if holder else ""
            raise AlreadyRunning(f"another supervisor{by} already runs for {self._path.parent}") from None
        self._descriptor = descriptor
        with suppress(OSError):  # on a full disk the lock holds without our name in it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
