"""HTTP/1.1 and 1.0 to the client: uvicorn's httptools protocol, with limits, strict framing and a choice of endings."""

from __future__ import annotations

import asyncio
import socket
import struct
import urllib.parse
from collections import deque
from typing import TYPE_CHECKING

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.utils import get_local_addr

from proxies.supervisor.connection import AUTHORITY, METHODS, Scope, client_of, http_date
from proxies.supervisor.http1_exchange import Http1Exchange
from proxies.supervisor.http2 import Http2Bridge

if TYPE_CHECKING:
    from proxies.supervisor.server import ProxyServer

# RFC 9113 section 3.4: the first 24 bytes of a client that speaks HTTP/2 without asking.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
RST_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: closing sends RST
MAX_PIPELINED = 16
# After the last word the client may still be sending: what it sends is read and thrown away for a while, because
# closing on unread bytes sends a RST, which makes some clients (Node's) forget the reply they were given.
LINGER_BYTES = 8 * 1024 * 1024
LINGER_S = 3.0
LINGER_QUIET_S = 0.5  # when the whole request has been read, so that more is not to be expected
# A chunked body may cost this many bytes of framing for each byte it carries; 1-byte chunks need 6.
MAX_FRAMING = 16

_WATCHED = frozenset((b"host", b"transfer-encoding", b"expect"))
_REASONS = {
    400: b"Bad Request",
    408: b"Request Timeout",
    414: b"URI Too Long",
    431: b"Request Header Fields Too Large",
}


class _Refused(Exception):
    """Stops the parser at a request that will not be served."""


class _BodyParser:
    """Parses the body httptools skips when a request asks for an upgrade; ignores whatever follows it.

    httptools tells llhttp that an upgraded message has no body, so the head is replayed without its `upgrade`.
    """

    def __init__(self, protocol: Http1Protocol, raw_headers: list[tuple[bytes, bytes]]) -> None:
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._head = b"POST / HTTP/1.1\r\nconnection: close\r\n"
        for name, value in raw_headers:
            if name.lower() in (b"content-length", b"transfer-encoding"):
                self._head += name + b": " + value + b"\r\n"

    def start(self) -> None:
        self.parser.feed_data(self._head + b"\r\n")


class Http1Protocol(HttpToolsProtocol):
    """One HTTP/1 connection.

    Bytes are parsed as they come; one exchange at a time is answered, later ones wait in `_queue`. After a request that
    is refused, or a reply that says `connection: close`, the protocol is deaf: what follows is discarded, never parsed.
    """

    def __init__(self, server: ProxyServer) -> None:
        super().__init__(server.config, server.uvicorn_state, {}, server.loop)
        self._server = server
        self._limits = server.limits
        self._current: Http1Exchange | None = None  # the one whose reply is being written
        self._newest: Http1Exchange | None = None  # the one whose body is being parsed
        self._queue: deque[tuple[Http1Exchange, Scope]] = deque()
        self._peeked: bytes | None = b"" if server.provides_http2 else None
        self._refusal: int | None = None
        self._pending_refusal: int | None = None
        self._is_deaf = False
        self._discarded = 0
        self._in_head = False
        self._in_body = False
        self._is_upgrade = False
        self._raw: list[tuple[bytes, bytes]] = []
        self._hosts = 0
        self._host_seen = b""
        self._transfer_encoding: bytes | None = None
        self._expects_100 = False
        self._read_size = 0
        # How long the unfinished head is, at least and at most: its first read may have held other things before it.
        self._head_fed = 0
        self._head_most = 0
        self._measures_head = False
        self._body_fed = 0
        self._body_bytes = 0
        self._idle_since = 0.0
        self._unsent_at_check = -1
        self._head_timer: asyncio.TimerHandle | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._linger_timer: asyncio.TimerHandle | None = None

    # --- connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.flow = FlowControl(transport)
        self.server = get_local_addr(transport)
        self.client = client_of(transport)
        self._server.connections.add(self)
        self._idle_since = self.loop.time()
        self._idle_timer = self.loop.call_later(self._limits.keep_alive_s, self._check_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head_timer, self._idle_timer, self._linger_timer):
            if timer is not None:
                timer.cancel()
        self._depart()
        self._current = self._newest = None
        self.parser = None  # type: ignore[assignment]  # ends the circle of parser and protocol, as uvicorn does
        self._server.connections.discard(self)
        self._server.check_quiet()

    def eof_received(self) -> None:
        self._depart()

    def _depart(self) -> None:
        self._is_deaf = True
        self._queue.clear()
        if self._current is not None:
            self._current.leave()
        self.flow.resume_writing()

    def abort(self) -> None:
        self.transport.abort()

    def begin_drain(self) -> None:
        """Nothing to announce: replies carry `connection: close` from now on."""

    @property
    def is_answering(self) -> bool:
        return self._current is not None

    @property
    def idle_since(self) -> float | None:
        """Loop time since which nothing is going on; None while a request is arriving or being answered."""
        if self._current is not None or self._in_head or self._peeked or self._is_deaf:
            return None
        return self._idle_since

    def close(self) -> None:
        self.transport.close()

    def _check_idle(self) -> None:
        keep_alive_s = self._limits.keep_alive_s
        since = self.idle_since
        left = keep_alive_s if since is None else since + keep_alive_s - self.loop.time()
        if self.transport.is_closing():
            unsent = self.transport.get_write_buffer_size()
            if unsent == self._unsent_at_check:
                self.transport.abort()  # closed for a while, and the client reads nothing
                return
            self._unsent_at_check = unsent
        elif left <= 0.001:
            self.transport.close()
            left = keep_alive_s
        self._idle_timer = self.loop.call_later(max(left, 0.001), self._check_idle)

    def _check_head(self) -> None:
        self._head_timer = None
        if self._is_deaf or not (self._in_head or self._peeked):
            return
        if self._current is not None:
            self._await_head()
        else:
            self._refuse(408)

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self._limits.head_s, self._check_head)

    # --- bytes in

    def data_received(self, data: bytes) -> None:
        if self._peeked is not None:
            data = self._peek(data)
            if not data:
                return
        if self._is_deaf:
            self._discard(len(data))
            return
        size = self._read_size = len(data)
        if self._in_body:
            self._head_fed = -size
        if self._head_most + size > self._limits.head_bytes:
            self._measures_head = True
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._read_skipped_body(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self._refuse(self._refusal or 400)
            return
        if self._in_head:
            self._check_open_head(size)
        else:
            self._head_fed = self._head_most = 0
            if self._in_body:
                self._check_framing(size)

    def _peek(self, data: bytes) -> bytes:
        """The first bytes to parse as HTTP/1; none while they may still be, or have proved to be, HTTP/2's preface."""
        data = (self._peeked or b"") + data
        if not PREFACE.startswith(data[: len(PREFACE)]):
            self._peeked = None
            return data
        self._peeked = data
        if len(data) < len(PREFACE):
            self._await_head()
            return b""
        for timer in (self._head_timer, self._idle_timer):
            if timer is not None:
                timer.cancel()
        self._server.connections.discard(self)
        Http2Bridge(self._server, self.transport, self.client, self.server).take_over(data)
        self.parser = None  # type: ignore[assignment]  # ends the circle of parser and protocol, as uvicorn does
        return b""

    def _check_open_head(self, size: int) -> None:
        self._head_fed += size
        self._head_most += size
        if self._head_fed > self._limits.head_bytes:
            is_target = not self._raw and len(self.url) * 2 > self._limits.head_bytes
            self._refuse(414 if is_target else 431)
        else:
            self._await_head()

    def _check_framing(self, size: int) -> None:
        self._body_fed += size
        if self._body_fed > 2 * self._limits.head_bytes + (MAX_FRAMING + 1) * self._body_bytes:
            self._refuse(400)

    def _read_skipped_body(self, data: bytes) -> None:
        body = _BodyParser(self, self._raw)
        self.parser = body.parser
        self._is_upgrade = False
        body.start()
        if data:
            self.data_received(data)

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded > LINGER_BYTES:
            if self._current is None:
                self.transport.close()
            else:
                self.flow.pause_reading()

    # --- parser callbacks

    def on_message_begin(self) -> None:
        self._in_head = True
        self.url = b""
        self._raw = []
        self.headers = []
        self._hosts = 0
        self._transfer_encoding = None
        self._expects_100 = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # else it is a trailer of a chunked body: nobody downstream has a use for it
            # Blanks around a value are not part of it, and llhttp leaves those at its end.
            self._raw.append((name, value.rstrip(b" \t")))

    def _read_headers(self) -> None:
        """Fills `headers`, and checks and notes those the protocol itself goes by."""
        self.headers = headers = [(name.lower(), value) for name, value in self._raw]
        for name, value in headers:
            if name not in _WATCHED:
                continue
            if name == b"host":
                self._hosts += 1
                if value != self._host_seen:
                    if not AUTHORITY.fullmatch(value):
                        self._stop_parsing(400)
                    self._host_seen = value
            elif name == b"expect":
                self._expects_100 = value.lower() == b"100-continue"
            else:
                before = self._transfer_encoding
                self._transfer_encoding = value.lower() if before is None else before + b"," + value.lower()

    def on_headers_complete(self) -> None:
        parser = self.parser
        self._in_head = False
        self._in_body = True
        self._head_fed = -self._read_size
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        if self._measures_head:
            self._measure_head()
        self._read_headers()
        version: str = parser.get_http_version()
        method = METHODS.get(parser.get_method())
        if method is None or (self._hosts != 1 if version == "1.1" else version != "1.0" or self._hosts > 1):
            self._stop_parsing(400)
        if self._transfer_encoding is not None and (self._transfer_encoding != b"chunked" or version == "1.0"):
            self._stop_parsing(400)
        url, authority = self.url, None
        if url[:1] != b"/":
            url, authority = self._split_target(url, method)
        if b"#" in url:
            self._stop_parsing(400)
        raw_path, _, query = url.partition(b"?")
        path = raw_path.decode("ascii")
        if "%" in path:
            path = urllib.parse.unquote(path)
        is_upgrade = self._is_upgrade = parser.should_upgrade()
        exchange = self._newest = Http1Exchange(
            self._server,
            self,
            raw_headers=self._raw,
            authority=authority,
            is_head=method == "HEAD",
            is_http10=version == "1.0",
            expects_100=self._expects_100 and version == "1.1",
            keep_alive=version == "1.1" and not is_upgrade and parser.should_keep_alive(),
        )
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": "http",
            "root_path": "",
            "method": method,
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": self.headers,
            "extensions": {"rubberduck": exchange},
        }
        self._body_fed = self._body_bytes = 0
        if self._current is None:
            self._start(exchange, scope)
        else:
            self._queue.append((exchange, scope))
            if len(self._queue) >= MAX_PIPELINED:
                self.flow.pause_reading()

    def on_body(self, body: bytes) -> None:
        exchange = self._newest
        assert exchange is not None
        self._body_bytes += len(body)
        exchange.feed(body)
        if exchange.buffered > HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        if self._is_upgrade:
            return
        self._in_body = False
        if self._newest is not None:
            self._newest.finish_body()

    def _split_target(self, url: bytes, method: str | None) -> tuple[bytes, bytes | None]:
        """Path and query of an absolute-form or asterisk-form target, and the authority of the former."""
        if url == b"*" and method == "OPTIONS":
            return url, None
        _, separator, rest = url.partition(b"://")
        if not separator:
            self._stop_parsing(400)
        end = min((i for i in (rest.find(b"/"), rest.find(b"?"), rest.find(b"#")) if i >= 0), default=len(rest))
        authority, target = rest[:end], rest[end:]
        if not AUTHORITY.fullmatch(authority):
            self._stop_parsing(400)
        return (target if target[:1] == b"/" else b"/" + target), authority

    def _measure_head(self) -> None:
        self._measures_head = False
        limit = self._limits.head_bytes
        if len(self.url) > limit:
            self._stop_parsing(414)
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self._raw) > limit:
            self._stop_parsing(431)

    def _stop_parsing(self, status: int) -> None:
        self._refusal = status
        self._newest = None
        raise _Refused

    # --- exchanges

    def _start(self, exchange: Http1Exchange, scope: Scope) -> None:
        self._current = exchange
        self._server.exchanges.add(exchange)
        exchange.task = self.loop.create_task(exchange.run(self._server.app, scope))

    def read_on(self) -> None:
        """Read again unless enough is waiting to be taken."""
        if (
            self.flow.read_paused
            and len(self._queue) < MAX_PIPELINED
            and (self._newest is None or self._newest.buffered <= HIGH_WATER_LIMIT)
            and not self.transport.is_closing()
        ):
            self.flow.resume_reading()

    def has_more_queued(self) -> bool:
        return bool(self._queue)

    def on_exchange_end(self, exchange: Http1Exchange, keep_alive: bool) -> None:
        """The reply is written, or the exchange was cut: go on to the next request, or close."""
        if self._current is exchange:
            self._current = None
        if self._newest is exchange and not self._in_body:
            self._newest = None
        self._idle_since = self.loop.time()
        if self.transport.is_closing():
            return
        if not keep_alive:
            self._say_goodbye()
        elif self._queue:
            self._start(*self._queue.popleft())
            self.read_on()
        elif self._pending_refusal is not None:
            self._write_refusal(self._pending_refusal)
        else:
            self.read_on()

    def _refuse(self, status: int) -> None:
        """Answer a request that is malformed, too large or too slow, after the replies that come before it."""
        self._is_deaf = True
        broken = self._newest if self._in_body else None
        self._in_head = self._in_body = False
        if broken is not None and self._queue and self._queue[-1][0] is broken:
            self._queue.pop()
        elif broken is not None and broken is self._current:
            self._current = None
            broken.leave()
            if broken.is_started:
                self._say_goodbye()
                return
        if self._current is not None:
            self._pending_refusal = status
        else:
            self._write_refusal(status)

    def _write_refusal(self, status: int) -> None:
        reason = _REASONS[status]
        head = b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\ndate: %b\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head % (http_date(), len(reason)) + reason)
        self._say_goodbye()

    def _say_goodbye(self) -> None:
        """Close for writing, then wait a while for the client to do the same."""
        wait_s = LINGER_S if self._is_deaf or self._in_body or self._queue else LINGER_QUIET_S
        self._is_deaf = True
        self._queue.clear()
        if self.transport.is_closing() or self._linger_timer is not None:
            return
        self._in_head = self._in_body = False
        self.transport.write_eof()
        self._linger_timer = self.loop.call_later(wait_s, self.transport.close)
        self.flow.resume_reading()

    def cut(self, exchange: Http1Exchange, *, is_reset: bool) -> None:
        if self._current is exchange:
            self._current = None
        if is_reset:
            self._is_deaf = True
            self._queue.clear()
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)
            self.transport.abort()
        else:
            self._say_goodbye()

    async def writable(self) -> None:
        """Waits until the client has taken what was sent; one that takes nothing for too long is dropped."""
        unsent = self.transport.get_write_buffer_size()
        while self.flow.write_paused:
            try:
                async with asyncio.timeout(self._limits.send_stall_s):
                    await self.flow.drain()
            except TimeoutError:
                before, unsent = unsent, self.transport.get_write_buffer_size()
                if unsent >= before:
                    self.transport.abort()
                    await self.flow.drain()  # until the connection's end has been noticed
