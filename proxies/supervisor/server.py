"""A proxy's HTTP server: serves an inherited listening socket and drains it without losing a request."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import select
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvloop
from uvicorn.config import Config
from uvicorn.server import ServerState

from proxies.supervisor.connection import ASGIApp, Connection
from proxies.supervisor.http1 import Http1Protocol

if TYPE_CHECKING:
    from proxies.supervisor.http2 import Http2Bridge

# A Linux socket option the socket module does not name, and a classic BPF program, one (code, jt, jf, k) a line, that
# sees packets from the TCP header on. Only SYN is dropped: handshakes under way complete, and the accepted sockets
# inherit the filter.
# Source: include/uapi/asm-generic/socket.h and include/uapi/linux/bpf_common.h, read November 2026.
SO_ATTACH_FILTER = 26
DROP_SYN = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x45, 0, 1, 0x02),  # SYN set? go on; else skip one
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # take
)

ACCEPT_MOMENT_S = 0.1  # how long a draining listener takes newcomers, and then the handshakes under way
IDLE_GRACE_S = 1.0  # how long a draining server lets a silent connection ask once more
TICK_S = 0.05
STOP_S = 5.0  # how long apps may take over being cancelled
WARM_UP_S = 10.0


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What a client may take: bytes of a request's head, seconds of its silence, and how long a drain may last.

    `send_stall_s`: how long it may take nothing of a reply that waits for it. As long as an upstream may be silent: a
    program that was stopped in a debugger shall find its stream again.
    """

    head_bytes: int = 65536
    head_s: float = 10.0
    body_idle_s: float = 60.0
    keep_alive_s: float = 75.0
    send_stall_s: float = 600.0
    backlog: int = 4096
    drain_s: float = 30.0


class ProxyServer:
    """Serves one ASGI app on one listening socket, HTTP/1 and (unless told otherwise) HTTP/2 by prior knowledge.

    Building one takes no loop and starts no thread, so that a parent can do it before it forks.
    """

    def __init__(self, app: ASGIApp, *, limits: ServerLimits = ServerLimits(), provides_http2: bool = True) -> None:
        self.app = app
        self.limits = limits
        self.provides_http2 = provides_http2
        self.config = Config(
            app,
            loop="none",
            http=Http1Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
        self.config.load()
        self.uvicorn_state = ServerState()
        self.is_draining = False
        self.connections: set[Http1Protocol | Http2Bridge] = set()
        self.exchanges: set[Connection] = set()
        self.loop: asyncio.AbstractEventLoop
        self._listener: socket.socket | None = None
        self._acceptor: asyncio.AbstractServer | None = None
        self._quiet: asyncio.Future[None] | None = None

    @property
    def in_flight(self) -> int:
        """Exchanges being answered: the app has been called and has not returned."""
        return len(self.exchanges)

    async def start(self, sock: socket.socket) -> None:
        """Serve `sock`, which is bound and listening; it is closed by `drain()` or `stop()`."""
        self.loop = asyncio.get_running_loop()
        self._listener = sock
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            # Accepted sockets inherit these: a vanished client is noticed within two minutes, without a timer of ours.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)
        self._acceptor = await self.loop.create_server(
            lambda: Http1Protocol(self), sock=sock, backlog=self.limits.backlog
        )

    async def drain(self, limit_s: float | None = None) -> int:
        """Answer everything that was accepted, then close; returns how many exchanges were cut at the limit.

        The other holders of the listening socket close their copies first: it accepts nobody from here on.
        """
        deadline = self.loop.time() + (self.limits.drain_s if limit_s is None else limit_s)
        self.is_draining = True
        for connection in list(self.connections):
            connection.begin_drain()
        for exchange in list(self.exchanges):
            if exchange.on_drain is not None:
                exchange.on_drain(max(0.0, deadline - self.loop.time()))
        await asyncio.sleep(min(ACCEPT_MOMENT_S, max(0.0, deadline - self.loop.time())))
        await self._empty_backlog(deadline)
        closes_idle_at = self.loop.time() + IDLE_GRACE_S
        while (self.connections or self.exchanges) and (now := self.loop.time()) < deadline:
            if now >= closes_idle_at:
                self._close_idle(now - IDLE_GRACE_S)
            await self._wait_quiet(min(TICK_S, deadline - now))
        unsent = [c for c in self.connections if not c.is_answering and c.transport.get_write_buffer_size()]
        cut = self.in_flight + len(unsent)
        await self.stop()
        return cut

    async def stop(self) -> None:
        """Cut everything now: listener, connections, and the apps still answering."""
        self.is_draining = True
        self._close_listener()
        for exchange in list(self.exchanges):  # first, so that the app does not take it for the client's leaving
            if exchange.task is not None:
                exchange.task.cancel()
        for connection in list(self.connections):
            connection.abort()
        if self.connections or self.exchanges:
            await self._wait_quiet(STOP_S)
        # The loop closes a listener's descriptor one turn later.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    # --- for the protocols

    def forget(self, exchange: Connection) -> None:
        self.exchanges.discard(exchange)
        self.check_quiet()

    def check_quiet(self) -> None:
        quiet = self._quiet
        if quiet is not None and not self.connections and not self.exchanges and not quiet.done():
            quiet.set_result(None)

    # --- drain

    async def _wait_quiet(self, timeout_s: float) -> None:
        self._quiet = self.loop.create_future()
        await asyncio.wait((self._quiet,), timeout=timeout_s)
        self._quiet = None

    async def _empty_backlog(self, deadline: float) -> None:
        """Turn new clients away, so that they retry, and accept those who are already connected; then close."""
        listener = self._listener
        if listener is None or listener.fileno() < 0:
            return
        _drop_newcomers(listener)
        poller = select.poll()
        poller.register(listener.fileno(), select.POLLIN)
        until = self.loop.time() + ACCEPT_MOMENT_S
        while (now := self.loop.time()) < deadline and (now < until or poller.poll(0)):  # noqa: ASYNC110  # the kernel's queue
            await asyncio.sleep(TICK_S / 5)
        self._close_listener()

    def _close_listener(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
            self._acceptor = self._listener = None

    def _close_idle(self, since: float) -> None:
        """Close the connections on which nothing has happened since then and no byte is waiting to be read."""
        idle = {}
        poller = select.poll()
        for connection in self.connections:
            idle_since = connection.idle_since
            if idle_since is not None and idle_since <= since and not connection.transport.is_closing():
                descriptor = connection.transport.get_extra_info("socket").fileno()
                idle[descriptor] = connection
                poller.register(descriptor, select.POLLIN)
        for descriptor, _ in poller.poll(0):
            del idle[descriptor]
        for connection in idle.values():
            connection.close()


def _drop_newcomers(listener: socket.socket) -> None:
    """Make the kernel drop new handshakes; best effort, without it newcomers are refused a little later."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in DROP_SYN))
    program = struct.pack("@HP", len(DROP_SYN), ctypes.addressof(code))
    try:
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    except OSError:
        pass


def warm_up(app: ASGIApp) -> None:
    """Take one `GET /` through the whole stack, so that a forked worker's first request finds everything loaded.

    Blocks for some milliseconds. Raises RuntimeError when a descriptor or thread is left behind: a fork would share it.
    """
    gc.collect()
    before = _process_state()
    loop = uvloop.new_event_loop()
    try:
        loop.run_until_complete(_warm_up(app))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
    gc.collect()
    left = sorted(_process_state() - before)
    if left:
        raise RuntimeError(f"Warming up left something behind: {left}")


async def _warm_up(app: ASGIApp) -> None:
    server = ProxyServer(app)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        await server.start(listener)
        client.sendall(b"GET / HTTP/1.1\r\nHost: warm-up\r\nConnection: close\r\n\r\n")
        client.setblocking(False)
        async with asyncio.timeout(WARM_UP_S):
            while await server.loop.sock_recv(client, 65536):
                pass
        await server.stop()


def _process_state() -> set[str]:
    """Open descriptors, each with what it is, and threads."""
    state = {f"thread {thread}" for thread in os.listdir("/proc/self/task")}
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            state.add(f"{descriptor} {os.readlink(f'/proc/self/fd/{descriptor}')}")
        except OSError:  # the descriptor of this very listing
            continue
    return state
