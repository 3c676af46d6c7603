"""An upstream that a test plays by hand, byte by byte, on a raw socket."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable

import httpx

PATIENCE_S = 20.0  # after which a test that waits for something that never comes fails


def call(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> asyncio.Task[httpx.Response]:
    """Starts a call; it writes before the loop looks at sockets again."""

    async def patient() -> httpx.Response:
        async with asyncio.timeout(PATIENCE_S):
            return await transport.handle_async_request(request)

    return asyncio.create_task(patient())


class Peer:
    """The upstream's side of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.received = b""

    async def recv(self) -> bytes:
        """What arrives next; b"" at the end, a reset included."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await asyncio.get_running_loop().sock_recv(self.sock, 1 << 20)
            except ConnectionResetError:
                return b""

    async def read_until(self, end: bytes) -> bytes:
        while end not in self.received:
            data = await self.recv()
            assert data, f"the connection ended after {self.received!r}"
            self.received += data
        found, _, self.received = self.received.partition(end)
        return found + end

    async def read_exactly(self, size: int) -> bytes:
        parts, have = [self.received], len(self.received)
        while have < size:
            data = await self.recv()
            assert data, f"the connection ended after {have} of {size} bytes"
            parts.append(data)
            have += len(data)
        everything = b"".join(parts)
        self.received = everything[size:]
        return everything[:size]

    async def read_request(self) -> tuple[bytes, bytes]:
        """Head and body of the next request (content-length or none)."""
        head = await self.read_until(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
        return head, await self.read_exactly(int(length[1]) if length else 0)

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def at_end(self) -> bool:
        """Waits for the client to close; True if it sent nothing before."""
        return await self.recv() == b""

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """Closes with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class RawUpstream:
    """A listening socket; `accepted` counts the connections a test took."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.listener = socket.create_server((host, 0), backlog=512, family=socket.AF_INET)
        self.listener.setblocking(False)
        self.port: int = self.listener.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self.peers: list[Peer] = []

    async def accept(self) -> Peer:
        async with asyncio.timeout(PATIENCE_S):
            sock, _ = await asyncio.get_running_loop().sock_accept(self.listener)
        sock.setblocking(False)
        peer = Peer(sock)
        self.peers.append(peer)
        return peer

    def has_caller(self) -> bool:
        """Whether a connection nobody accepted is waiting; takes it."""
        try:
            sock, _ = self.listener.accept()
        except BlockingIOError:
            return False
        sock.close()
        return True

    def close(self) -> None:
        self.listener.close()
        for peer in self.peers:
            peer.close()


@contextlib.asynccontextmanager
async def raw_upstream() -> AsyncIterator[RawUpstream]:
    upstream = RawUpstream()
    try:
        yield upstream
    finally:
        upstream.close()


async def eventually(is_so: Callable[[], bool]) -> None:
    """Lets the loop turn until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110  # what we watch for has no event of its own
            await asyncio.sleep(0)


async def send_until_stalled(peer: Peer, block: bytes, most: int, pause_s: float = 0.3) -> int:
    """Sends `block` again and again until the socket takes nothing for a while; returns the bytes it took."""
    sent = 0
    while sent < most:
        try:
            sent += peer.sock.send(block)
        except OSError as exc:
            if exc.errno not in (errno.EAGAIN, errno.EWOULDBLOCK):
                raise
            before = sent
            await asyncio.sleep(pause_s)
            try:
                sent += peer.sock.send(block)
            except BlockingIOError:
                if sent == before:
                    return sent
        await asyncio.sleep(0)
    return sent
