"""httpx's stock transport under the rules of our own: address policy, connect override, errors with their causes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping

import httpcore
import httpx

from proxies.dataplane.connection_pool import TransportLimits
from proxies.dataplane.reply_body import NoReply
from proxies.dataplane.transport import AddressRefused, addresses_to_dial

CheckAddress = Callable[[str, int], AddressRefused | None]


class StockTransport(httpx.AsyncHTTPTransport):
    """Slower than `Transport`, and repeats nothing when a kept connection broke; else the same to its user."""

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext,
        connect_to: Mapping[tuple[str, int], tuple[str, int]],
        check_address: CheckAddress,
    ) -> None:
        super().__init__(verify=ssl_context)
        self._context = ssl_context
        self._backend = _Backend(connect_to, check_address)
        self._retired: list[httpcore.AsyncConnectionPool] = []
        self._closing: set[asyncio.Task[None]] = set()
        # httpx passes no network backend on, so its pool is replaced by one that has ours.
        self._pool = self._new_pool()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except AddressRefused:
            raise
        except httpx.ConnectError as error:
            raise httpx.ConnectError(str(error)) from _root(error)
        except httpx.RemoteProtocolError as error:
            if "without sending a response" in str(error):
                raise NoReply(str(error)) from error
            raise

    def forget_connections(self) -> None:
        """Uses none of the open connections again; exchanges on them go on. To be called in the event loop."""
        old, self._pool = self._pool, self._new_pool()
        old._max_keepalive_connections = 0  # what comes back to it is closed
        self._retired = [pool for pool in (*self._retired, old) if pool.connections]
        task = asyncio.get_running_loop().create_task(_close_idle(old))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        for pool in (*self._retired, self._pool):
            await pool.aclose()

    def _new_pool(self) -> httpcore.AsyncConnectionPool:
        limits = TransportLimits()
        return httpcore.AsyncConnectionPool(
            ssl_context=self._context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_idle,
            keepalive_expiry=limits.idle_s,
            network_backend=self._backend,
        )


class _Backend(httpcore.AsyncNetworkBackend):
    """httpcore's own connections, made to addresses that were looked up and judged here."""

    def __init__(self, connect_to: Mapping[tuple[str, int], tuple[str, int]], check_address: CheckAddress) -> None:
        self._connect_to = connect_to
        self._check_address = check_address
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                override = self._connect_to.get((host, port))
                if override is not None:
                    return await self._sockets.connect_tcp(*override)
                addresses = await addresses_to_dial(host, port, self._check_address)
                for address in addresses[:-1]:
                    try:
                        share_s = None if timeout is None else timeout / len(addresses)
                        return await self._sockets.connect_tcp(address, port, timeout=share_s)
                    except (httpcore.ConnectError, httpcore.ConnectTimeout):
                        continue
                return await self._sockets.connect_tcp(addresses[-1], port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"no connection to {host}:{port} in time") from error

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _close_idle(pool: httpcore.AsyncConnectionPool) -> None:
    for connection in pool.connections:
        if connection.is_idle():
            await connection.aclose()


def _root(error: BaseException) -> BaseException:
    """What the system or TLS said, below what httpx, httpcore (it hides causes: "from None") and anyio made of it."""
    found = error
    step: BaseException | None = error
    while step is not None:
        if isinstance(step, OSError) and (step.errno or isinstance(step, ssl.SSLError)):
            found = step
        step = step.__cause__ or step.__context__
    return found
