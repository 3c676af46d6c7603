"""The open connections to one upstream address, and who waits for one."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

import httpx

from proxies.dataplane.connection import Connection


@dataclass(frozen=True, slots=True)
class TransportLimits:
    """Bounds of one transport; those on connections hold per upstream address (scheme, host, port)."""

    max_connections: int = 1000  # idle and busy; past it requests wait for the pool time-out
    max_idle: int = 256
    idle_s: float = 60.0  # then an idle connection is closed
    max_head_bytes: int = 64 * 1024
    buffer_bytes: int = 64 * 1024  # unread reply bytes past which the socket is not read


class ConnectionPool:
    """The connections to one upstream address. Every operation costs the same however many there are."""

    def __init__(self, is_tls: bool, host: str, port: int, limits: TransportLimits) -> None:
        self.is_tls = is_tls
        self.host = host
        self.port = port
        self.max_connections = limits.max_connections
        self.max_idle = limits.max_idle
        self.idle_s = limits.idle_s
        self.max_head_bytes = limits.max_head_bytes
        self.buffer_bytes = limits.buffer_bytes
        self.connections: set[Connection] = set()  # open ones, busy and idle
        self.idle: dict[Connection, None] = {}  # last used last
        self.opening = 0
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()

    def may_open(self) -> bool:
        return len(self.connections) + self.opening < self.max_connections

    def is_used(self) -> bool:
        return bool(self.connections or self.opening or self._waiters)

    def release(self, connection: Connection) -> None:
        """Takes back a connection: the longest waiting request gets it."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        if len(self.idle) >= self.max_idle:
            connection.close()
        else:
            self.idle[connection] = None

    def drop(self, connection: Connection) -> None:
        """Forgets a closed connection: the longest waiting request may open one."""
        self.connections.discard(connection)
        self.idle.pop(connection, None)
        self.pass_on_permit()

    def pass_on_permit(self) -> None:
        """A place became free."""
        while self._waiters and self.may_open():
            waiter = self._waiters.popleft()
            if not waiter.done():
                self.opening += 1  # held for the waiter until it starts to open
                waiter.set_result(None)
                return

    async def wait(self, timeout_s: float | None) -> Connection | None:
        """A released connection, or None: a place to open one in, counted in `opening`. Raises httpx.PoolTimeout."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        self._waiters.append(waiter)
        timer = None if timeout_s is None else loop.call_later(timeout_s, self._expire, waiter, timeout_s)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.give_back(waiter.result())
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def give_back(self, connection: Connection | None) -> None:
        """Undoes a `wait()` whose result nobody uses."""
        if connection is None:
            self.opening -= 1
            self.pass_on_permit()
        elif not connection.is_closed:
            self.release(connection)

    def _expire(self, waiter: asyncio.Future[Connection | None], timeout_s: float) -> None:
        if not waiter.done():
            message = (
                f"all {self.max_connections} connections to {self.host}:{self.port} stayed busy for {timeout_s:g} s"
            )
            waiter.set_exception(httpx.PoolTimeout(message))

    def retire(self) -> None:
        """Keeps no connection from here on: the idle ones are closed, the busy ones when they are done."""
        self.max_idle = 0
        for connection in list(self.idle):
            connection.close()

    def close(self) -> list[Connection]:
        """Fails every exchange and waiter; returns the connections that were open."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(httpx.ConnectError("the transport was closed"))
        connections = list(self.connections)
        for connection in connections:
            connection.fail(httpx.ReadError("the transport was closed"))
        return connections
