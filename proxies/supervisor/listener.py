"""Listening sockets, owned by the supervisor and inherited by workers; conflicts in words."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from pathlib import Path

BACKLOG = 4096  # clients wait here while a crashed worker is replaced


class BindError(Exception):
    """An address cannot be listened on. `code`: port_taken, not_permitted or bad_address; the text says it in words."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


def listen(bind: str, port: int, *, with_holder: bool = True) -> socket.socket:
    """A listening, non-blocking TCP socket. `bind`: an IP address or "localhost"; "::" takes IPv4 clients too.

    `with_holder`: look up who holds a taken port (about 10 ms). Raises BindError.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if bind == "localhost" else bind.strip("[]"))
    except ValueError:
        raise BindError("bad_address", f"{bind!r} is not an IP address to listen on") from None
    try:
        sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    except OSError as error:
        raise BindError("bad_address", f"this machine cannot listen on {bind}: {_words(error)}") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.version == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not address.is_unspecified))
        sock.bind((str(address), port))
        sock.listen(BACKLOG)  # with SO_REUSEADDR a conflict may show only here
        sock.setblocking(False)
    except (OSError, OverflowError) as error:
        sock.close()
        raise _bind_error(error, bind, port, with_holder=with_holder) from error
    return sock


def _bind_error(error: OSError | OverflowError, bind: str, port: int, *, with_holder: bool) -> BindError:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        holder = holder_of(port) if with_holder else None
        by = f" (pid {holder[0]}, {holder[1]})" if holder else ""
        return BindError("port_taken", f"port {port} on {bind} is in use by another program{by}")
    if code in (errno.EACCES, errno.EPERM):
        hint = "ports below 1024 need more rights" if port < 1024 else "the system forbids it"
        return BindError("not_permitted", f"not permitted to listen on port {port} on {bind}: {hint}")
    if code == errno.EADDRNOTAVAIL:
        return BindError("bad_address", f"{bind} is not an address of this machine")
    return BindError("bad_address", f"cannot listen on port {port} on {bind}: {_words(error)}")


def _words(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def holder_of(port: int) -> tuple[int, str] | None:
    """The process listening on `port` (any address) as (pid, name); None if unknown. Linux; elsewhere always None."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    targets = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(os.readlink(fd) in targets for fd in (process / "fd").iterdir()):
                return int(process.name), (process / "comm").read_text().strip()
        except OSError:  # it ended, or it is another user's
            continue
    return None


def _listening_inodes(port: int) -> set[str]:
    # Source: Documentation/networking/proc_net_tcp.rst of Linux: local address, state 0A (LISTEN), inode.
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes
