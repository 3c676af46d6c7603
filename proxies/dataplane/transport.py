"""The way to the upstreams: an httpx transport over pools of keep-alive HTTP/1.1 connections."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterable, Callable, Mapping
from functools import cached_property, partial
from typing import Any

import certifi
import httpx

from proxies.dataplane.connection import Connection
from proxies.dataplane.connection_pool import ConnectionPool, TransportLimits
from proxies.dataplane.reply_body import TransportResponse

# Methods whose repetition changes nothing. Source: RFC 9110 section 9.2.2, read November 2026.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MANY_POOLS = 64  # from here on a new upstream address sweeps out the unused ones


class AddressRefused(httpx.ConnectError):
    """No address of the upstream may be connected to; the text is the checker's reason."""


class OwnAddress(AddressRefused):
    """The upstream's address is where this very proxy listens."""


def make_ssl_context(ca_file: str | None = None) -> ssl.SSLContext:
    """A verifying client context over certifi's store, plus the certificates of a PEM file."""
    context = ssl.create_default_context(cafile=certifi.where())
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


class TransportRequest(httpx.Request):
    """An httpx.Request of (name, value) pairs that go out as they are; it makes httpx.Headers of them only when asked.

    It skips httpx' constructor, which costs as much as sending, and so sets what that would set; a test compares the
    two. `method` is in upper case.
    """

    def __init__(
        self,
        method: str,
        url: httpx.URL,
        raw_headers: list[tuple[bytes, bytes]],
        stream: httpx.AsyncByteStream | httpx.ByteStream,
        extensions: dict[str, Any],
    ) -> None:
        self.method = method
        self.url = url
        self.raw_headers = raw_headers
        self.stream = stream
        self.extensions = extensions

    @cached_property
    def headers(self) -> httpx.Headers:  # type: ignore[override]  # httpx has a plain attribute here
        return httpx.Headers(self.raw_headers)


async def addresses_to_dial(
    host: str, port: int, check_address: Callable[[str, int], AddressRefused | None] | None
) -> list[str]:
    """The IP addresses of an upstream that may be dialled, at least one; a name is looked up each time.

    Raises AddressRefused, or httpx.ConnectError.
    """
    try:
        ipaddress.ip_address(host)
        addresses = [host]
    except ValueError:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:  # UnicodeError: labels that IDNA forbids
            raise httpx.ConnectError(f"cannot resolve {host}: {exc}") from exc
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if check_address is None:
        return addresses
    allowed = []
    reason = None
    for address in addresses:
        refusal = check_address(address, port)
        if refusal is None:
            allowed.append(address)
        else:
            reason = reason or refusal
    if not allowed:
        raise reason or AddressRefused(f"{host} has no address")
    return allowed


class Transport(httpx.AsyncBaseTransport):
    """Sends requests as they are written and hands replies on as they arrive; errors are httpx exceptions.

    Call `handle_async_request` directly: httpx.AsyncClient works, but costs more than the transport itself.
    Belongs to the event loop that first uses it. Needs no loop, and opens nothing, when made.
    """

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext | None = None,
        limits: TransportLimits = TransportLimits(),  # noqa: B008  # frozen
        connect_to: Mapping[tuple[str, int], tuple[str, int]] | None = None,
        check_address: Callable[[str, int], AddressRefused | None] | None = None,
    ) -> None:
        """`ssl_context` None: `make_ssl_context()`, made by the first https request.

        `connect_to` maps (host, port) to the address really dialled, for tests; TLS still asks for and verifies the
        host, and `check_address` is not asked. `check_address` gets each IP address before it is dialled, as text (IPv6
        with its zone, IPv4-mapped as such), with the port, and returns the error to raise, or None.
        """
        self._ssl_context = ssl_context
        self._limits = limits
        self._connect_to = dict(connect_to or {})
        self._check_address = check_address
        self._pools: dict[tuple[str, bytes, int | None], ConnectionPool] = {}
        self._retired: list[ConnectionPool] = []  # forgotten, but not yet empty
        self._is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> TransportResponse:
        """The reply's head; its body follows in `response.stream` (`ReplyBody`), if it is not complete already.

        Extensions read: `target` (bytes, sent instead of the URL's path and query) and `timeout` (httpx' dict: connect,
        read, write, pool; seconds or None; read is silence, not the whole reply). Headers go out as given; Host and
        framing are added if absent. A body of bytes (httpx.ByteStream) is sent with the head; any other is iterated by
        a task while the reply is awaited and, if the upstream answers early, while it is read. What the iterable raises
        is raised here, or where the reply is read.

        One repetition, on a new connection: when a kept connection broke before one byte of a reply, the body is bytes,
        and either the method is idempotent or the upstream provably did not read the request. Cancelling drops the
        connection.
        """
        url = request.url
        key = (url.scheme, url.raw_host, url.port)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._add_pool(key)
        extensions = request.extensions
        timeouts: dict[str, float | None] = extensions.get("timeout") or {}
        method = request.method
        head, body, length = _serialise(request, method, extensions.get("target") or url.raw_path)
        is_repetition = False
        while True:
            if pool.idle and not is_repetition:
                connection = pool.idle.popitem()[0]
            else:
                connection = await self._acquire(pool, timeouts, is_repetition)
            reply = connection.start(head, body, length, method == "HEAD", timeouts)
            try:
                while not reply.status and reply.error is None:
                    await reply.wait()
            except BaseException:
                reply.abort()
                raise
            if reply.status:
                return TransportResponse.of(reply)
            if (
                reply.is_unanswered
                and connection.exchanges > 1
                and (reply.is_unread or method in _IDEMPOTENT)
                and isinstance(body, bytes)
                and not is_repetition
            ):
                is_repetition = True
                continue
            assert reply.error is not None  # for the type checker: the loop above ended
            raise reply.error

    def _add_pool(self, key: tuple[str, bytes, int | None]) -> ConnectionPool:
        scheme, raw_host, port = key
        if self._is_closed:
            raise httpx.ConnectError("the transport was closed")
        if scheme not in _DEFAULT_PORTS:
            raise httpx.UnsupportedProtocol(f"an upstream URL starts with http:// or https://, not {scheme!r}")
        if not raw_host:
            raise httpx.UnsupportedProtocol("the upstream URL has no host")
        if len(self._pools) >= _MANY_POOLS:
            self._pools = {other: pool for other, pool in self._pools.items() if pool.is_used()}
        pool = ConnectionPool(scheme == "https", raw_host.decode("ascii"), port or _DEFAULT_PORTS[scheme], self._limits)
        self._pools[key] = pool
        return pool

    async def _acquire(self, pool: ConnectionPool, timeouts: dict[str, float | None], must_be_new: bool) -> Connection:
        if must_be_new and pool.idle and not pool.may_open():
            next(iter(pool.idle)).close()
        while True:
            if pool.may_open():
                pool.opening += 1
                break
            waited = await pool.wait(timeouts.get("pool"))
            if waited is None:
                break
            if must_be_new:
                waited.close()
            elif not waited.is_closed:  # its end may have come between release and now
                return waited
        try:
            connection = await self._open(pool, timeouts.get("connect"))
        except BaseException:
            pool.opening -= 1
            pool.pass_on_permit()
            raise
        pool.opening -= 1
        if self._is_closed:
            connection.close()
            raise httpx.ConnectError("the transport was closed")
        if connection.is_closed:
            pool.pass_on_permit()
            raise httpx.RemoteProtocolError("the upstream closed the new connection, or spoke first")
        pool.connections.add(connection)
        return connection

    # -- connecting ---------------------------------------------------------------------------------------------------

    async def _open(self, pool: ConnectionPool, timeout_s: float | None) -> Connection:
        loop = asyncio.get_running_loop()
        deadline = None if timeout_s is None else loop.time() + timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                return await self._dial(pool, loop, deadline)
        except TimeoutError as exc:
            raise httpx.ConnectTimeout(f"no connection to {pool.host}:{pool.port} within {timeout_s:g} s") from exc

    async def _dial(self, pool: ConnectionPool, loop: asyncio.AbstractEventLoop, deadline: float | None) -> Connection:
        """Tries the upstream's addresses in order, each with an equal share of the time that is left."""
        name = f"{pool.host}:{pool.port}"
        override = self._connect_to.get((pool.host, pool.port))
        port = pool.port if override is None else override[1]
        addresses = await addresses_to_dial(pool.host, port, self._check_address) if override is None else [override[0]]
        options: dict[str, Any] = {}
        if pool.is_tls:
            if self._ssl_context is None:
                self._ssl_context = make_ssl_context()
            options = {"ssl": self._ssl_context, "server_hostname": pool.host}
        error: OSError | None = None
        for tried, address in enumerate(addresses):
            share = None if deadline is None else loop.time() + (deadline - loop.time()) / (len(addresses) - tried)
            try:
                async with asyncio.timeout_at(share if tried + 1 < len(addresses) else None):
                    _, connection = await loop.create_connection(
                        partial(Connection, pool, loop), address, port, **options
                    )
            except ssl.SSLError as exc:
                why = getattr(exc, "verify_message", "") or exc.reason or "handshake failed"
                raise httpx.ConnectError(f"TLS with {name} failed: {why}") from exc
            except OSError as exc:
                error = exc
                continue
            _keep_alive(connection.transport)
            return connection
        raise httpx.ConnectError(f"cannot connect to {name}: {error}") from error

    # -- the end ------------------------------------------------------------------------------------------------------

    def forget_connections(self) -> None:
        """Uses none of the open connections again; exchanges on them go on. Addresses are looked up and checked
        anew."""
        for pool in self._pools.values():
            pool.retire()
        self._retired = [pool for pool in (*self._retired, *self._pools.values()) if pool.is_used()]
        self._pools.clear()

    async def aclose(self) -> None:
        """Closes every connection, failing the exchanges on them; requests after it raise httpx.ConnectError."""
        self._is_closed = True
        closing = [connection for pool in (*self._retired, *self._pools.values()) for connection in pool.close()]
        self._retired.clear()
        self._pools.clear()
        for _ in range(10):  # loop turns; TLS over asyncio needs three
            if all(connection.is_lost for connection in closing):
                break
            await asyncio.sleep(0)

    def stats(self) -> dict[str, Any]:
        """`{"open": n, "idle": n, "upstreams": {"https://host:443": {"open": n, "idle": n}}}`, but those opening."""
        upstreams = {
            f"{'https' if pool.is_tls else 'http'}://{pool.host}:{pool.port}": {
                "open": len(pool.connections),
                "idle": len(pool.idle),
            }
            for pool in self._pools.values()
            if pool.connections
        }
        return {
            "open": sum(counts["open"] for counts in upstreams.values()),
            "idle": sum(counts["idle"] for counts in upstreams.values()),
            "upstreams": upstreams,
        }


def _keep_alive(transport: asyncio.Transport) -> None:
    """Probes every minute: NAT gateways forget silent flows, and a model may think for minutes."""
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 60)


def _serialise(
    request: httpx.Request, method: str, target: bytes
) -> tuple[bytes, bytes | AsyncIterable[bytes], int | None]:
    """The head, the body, and the length the head promises (None: chunked). Raises httpx.LocalProtocolError."""
    raw_headers = request.raw_headers if isinstance(request, TransportRequest) else request.headers.raw
    lines = [b"%b: %b\r\n" % pair for pair in raw_headers]
    head = b"%b %b HTTP/1.1\r\n%b" % (method.encode("ascii"), target, b"".join(lines))
    breaks = len(lines) + 1
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head or b" " in target or " " in method:
        raise httpx.LocalProtocolError("the request's target or a header holds a line break, NUL or stray space")
    lower = head.lower()
    added = b"" if b"\r\nhost:" in lower else b"Host: %b\r\n" % request.url.netloc
    stream = request.stream
    body = b"".join(stream) if isinstance(stream, httpx.ByteStream) else stream
    if not isinstance(body, (bytes, AsyncIterable)):
        raise httpx.LocalProtocolError("the request body is neither bytes nor an async iterable")
    length: int | None = None
    at = lower.find(b"\r\ncontent-length:")
    coding_at = lower.find(b"\r\ntransfer-encoding:")
    if at >= 0:
        digits = lower[at + 17 : lower.index(b"\r", at + 17)].strip()
        if coding_at >= 0 or not digits.isdigit() or lower.find(b"\r\ncontent-length:", at + 17) >= 0:
            raise httpx.LocalProtocolError("the request's framing headers contradict each other")
        length = int(digits)
        if isinstance(body, bytes) and length != len(body):
            raise httpx.LocalProtocolError("the request body is not as long as its content-length")
    elif coding_at >= 0:
        if lower[coding_at + 20 : lower.index(b"\r", coding_at + 20)].strip() != b"chunked":
            raise httpx.LocalProtocolError("the request has a transfer coding other than chunked")
        if isinstance(body, bytes):
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    elif not isinstance(body, bytes):
        added += b"Transfer-Encoding: chunked\r\n"
    elif body or method in ("POST", "PUT", "PATCH"):
        added += b"Content-Length: %d\r\n" % len(body)
    return head + added + b"\r\n", body, length
