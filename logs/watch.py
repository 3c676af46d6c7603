"""Waiting for a change in a directory without looking at it: Linux' inotify, where there is one."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

# Source: inotify(7), inotify_init1(2); the numbers are those of Linux' include/uapi/linux/inotify.h.
_IN_MODIFY = 0x2
_IN_CREATE = 0x100
_READ_BYTES = 64 * 1024


class DirectoryWatch:
    """`descriptor` becomes readable when a file in the directory is written to or created, while the watch is armed.

    None where the system offers no such thing. To be made in the process that uses it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._watch: int | None = None
        self._libc: Any = None
        self.descriptor: int | None = None
        with suppress(OSError, AttributeError):
            self._libc = ctypes.CDLL(None, use_errno=True)
            descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
            self.descriptor = descriptor if descriptor >= 0 else None

    @property
    def is_armed(self) -> bool:
        return self._watch is not None

    def arm(self) -> bool:
        """Whether changes from now on are noticed."""
        if self.descriptor is not None and self._watch is None:
            path = os.fsencode(self._directory)
            watch = self._libc.inotify_add_watch(self.descriptor, path, _IN_MODIFY | _IN_CREATE)
            self._watch = watch if watch >= 0 else None
        return self.is_armed

    def disarm(self) -> None:
        """Forgets what was noticed. Writers into the directory pay nothing from now on."""
        if self._watch is not None:
            self._libc.inotify_rm_watch(self.descriptor, self._watch)
            self._watch = None
        if self.descriptor is not None:
            with suppress(BlockingIOError):
                while os.read(self.descriptor, _READ_BYTES):
                    pass

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = self._watch = None
