"""A machine without a network, where the system lets us have one."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator

CLONE_NEWNET = 0x40000000  # Source: clone(2)
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1  # Source: netdevice(7)


@contextlib.contextmanager
def loopback_only() -> Iterator[bool]:
    """Sockets and processes that this thread makes meanwhile reach nothing but each other: they are in a network of
    their own that has a loopback device and no route.

    Gives whether that is so: it takes root's rights. Without them everything is as usual.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as usual:
        if libc.unshare(CLONE_NEWNET):
            yield False
            return
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
            yield True
        finally:
            if libc.setns(usual.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
