"""The hint that makes the supervisor look at once instead of at its next tick: a byte to a datagram socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

# Source: unix(7): sun_path holds 108 bytes with the closing zero.
PATH_MAX_BYTES = 107
SOCKET_NAME = "wakeup.sock"


def wake_supervisor() -> None:
    """Best effort: never raises, never blocks. Without a supervisor nothing happens."""
    try:
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock,
            _address(wakeup_path()) as address,
        ):
            sock.sendto(b"!", address)
    except OSError:
        pass


def wakeup_path() -> Path:
    return Path(settings.DATA_DIR) / "run" / SOCKET_NAME


def open_wakeup_socket() -> socket.socket:
    """The supervisor's end. Replaces what a dead predecessor left. Raises OSError."""
    path = wakeup_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        with _address(path) as address:
            sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


@contextmanager
def _address(path: Path) -> Iterator[str]:
    # A path too long for a socket address is reached through a descriptor of its directory.
    if len(os.fsencode(path)) <= PATH_MAX_BYTES:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
