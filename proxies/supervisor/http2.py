"""HTTP/2 with prior knowledge to the client: a bridge from h2's events to the same ASGI app."""

from __future__ import annotations

import asyncio
import re
import urllib.parse
from typing import TYPE_CHECKING, Any, ClassVar

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from h2.connection import ConnectionInputs, ConnectionState, H2ConnectionStateMachine

from proxies.supervisor.connection import AUTHORITY, METHODS, Scope, http_date
from proxies.supervisor.http2_exchange import STREAM_WINDOW, Http2Exchange

if TYPE_CHECKING:
    from proxies.supervisor.server import ProxyServer

MAX_STREAMS = 128
CONNECTION_WINDOW = 1024 * 1024
# Rapid reset (CVE-2023-44487): this many streams may be reset within the period before the client is sent away.
MAX_RESETS = 200
RESET_PERIOD_S = 10.0
LINGER_BYTES = 8 * 1024 * 1024
LINGER_S = 3.0
MAX_UNREAD_ANSWERS = 1000  # PING and SETTINGS to acknowledge while the client reads nothing

_TARGET = re.compile(rb"/[\x21\x22\x24-\x7e]*|\*")


class _StateMachine(H2ConnectionStateMachine):
    """A connection that goes on after GOAWAY: it only says that no new streams will follow.

    The stock AWS JavaScript client sends GOAWAY right after each event-stream request; h2 would then refuse to send
    the reply. Source: @smithy/node-http-handler 4 (NodeHttp2ConnectionManager) against h2 4.4.1, seen November 2026.
    """

    _transitions = {  # noqa: RUF012
        **H2ConnectionStateMachine._transitions,
        (ConnectionState.IDLE, ConnectionInputs.RECV_GOAWAY): (None, ConnectionState.IDLE),
        (ConnectionState.SERVER_OPEN, ConnectionInputs.RECV_GOAWAY): (None, ConnectionState.SERVER_OPEN),
        (ConnectionState.IDLE, ConnectionInputs.SEND_GOAWAY): (None, ConnectionState.IDLE),
        (ConnectionState.SERVER_OPEN, ConnectionInputs.SEND_GOAWAY): (None, ConnectionState.SERVER_OPEN),
    }


class _Engine(h2.connection.H2Connection):
    def __init__(self, head_bytes: int) -> None:
        super().__init__(
            h2.config.H2Configuration(
                client_side=False,
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.state_machine = _StateMachine()
        # Given as initial values rather than by update_settings, they hold before the client has acknowledged them.
        self.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
                h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: head_bytes,
            },
        )
        # Larger than announced, so that a head that is too long can be answered rather than end the connection.
        self.decoder.max_header_list_size = 4 * head_bytes

    def clear_outbound_data_buffer(self) -> None:
        """Keep what is to be sent: h2 would drop it when GOAWAY arrives, window updates included."""


class Http2Bridge(asyncio.Protocol):
    """One HTTP/2 connection; each stream is one exchange."""

    def __init__(
        self,
        server: ProxyServer,
        transport: asyncio.Transport,
        client: tuple[str, int] | None,
        local: tuple[str, int | None] | None,
    ) -> None:
        self.server = server
        self.loop = server.loop
        self.transport = transport
        self.engine = _Engine(server.limits.head_bytes)
        self.exchanges: dict[int, Http2Exchange] = {}
        self._client = client
        self._local = local
        self._window_debt = 0  # bytes received and not yet given back to the connection's window
        self._running = 0  # apps at work, those of reset streams included
        self._is_last = False  # no new streams: either side has said GOAWAY
        self._is_deaf = False  # nothing that arrives is read any more
        self._discarded = 0
        self._linger_timer: asyncio.TimerHandle | None = None
        self._resets = 0
        self._resets_since = 0.0
        self._unread_answers = 0
        self.is_write_paused = False
        self._write_waiters: list[asyncio.Future[None]] = []
        self._idle_since = self.loop.time()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._unsent_at_check = -1

    def take_over(self, data: bytes) -> None:
        """Become the transport's protocol; `data` is what arrived so far, from the preface on."""
        self.server.connections.add(self)
        self.transport.set_protocol(self)
        self._idle_timer = self.loop.call_later(self.server.limits.keep_alive_s, self._check_idle)
        self.engine.initiate_connection()
        self.engine.increment_flow_control_window(CONNECTION_WINDOW - 65535)
        self.flush()
        if self.server.is_draining:
            self.begin_drain()
        self.data_received(data)

    # --- transport

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._idle_timer, self._linger_timer):
            if timer is not None:
                timer.cancel()
        self._depart()
        self.server.connections.discard(self)
        self.server.check_quiet()

    def eof_received(self) -> None:
        self._depart()

    def pause_writing(self) -> None:
        self.is_write_paused = True

    def resume_writing(self) -> None:
        self.is_write_paused = False
        self._unread_answers = 0
        waiters, self._write_waiters = self._write_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            self._discarded += len(data)
            if self._discarded > LINGER_BYTES:
                self.transport.abort()
            return
        engine = self.engine
        self.flush()
        try:
            events = engine.receive_data(data)
        except h2.exceptions.ProtocolError:
            self._abandon()
            return
        for event in events:
            handler = self._HANDLERS.get(type(event))
            if handler is not None:
                handler(self, event)
        self.flush()
        self._close_when_done()

    def abort(self) -> None:
        self.transport.abort()

    def flush(self) -> None:
        data = self.engine.data_to_send()
        if data and not (self._is_deaf or self.transport.is_closing()):
            self.transport.write(data)

    async def writable(self) -> None:
        """Waits until the client has taken what was sent; one that takes nothing for too long is dropped."""
        unsent = self.transport.get_write_buffer_size()
        while self.is_write_paused:  # the end of the connection resumes writing too
            waiter = self.loop.create_future()
            self._write_waiters.append(waiter)
            try:
                async with asyncio.timeout(self.server.limits.send_stall_s):
                    await waiter
            except TimeoutError:
                before, unsent = unsent, self.transport.get_write_buffer_size()
                if unsent >= before:
                    self.transport.abort()

    def _depart(self) -> None:
        for exchange in list(self.exchanges.values()):
            exchange.leave()
        self.exchanges.clear()
        self.resume_writing()

    def _abandon(self, error: h2.errors.ErrorCodes | None = None) -> None:
        """Send the client away: it broke the protocol (h2 has then prepared the GOAWAY) or abuses it."""
        if error is not None:
            self.engine.close_connection(error)
        self._depart()
        self._say_goodbye()

    def _say_goodbye(self) -> None:
        """Close for writing and wait for the client to do the same: closing on what it still sends would be a RST."""
        self.flush()
        if not (self._is_deaf or self.transport.is_closing()):
            self._is_deaf = True
            self.transport.write_eof()
            self._linger_timer = self.loop.call_later(LINGER_S, self.transport.close)

    # --- idleness and drain

    @property
    def is_answering(self) -> bool:
        return bool(self.exchanges)

    @property
    def idle_since(self) -> float | None:
        """Loop time since which no stream is open; None while one is."""
        return None if self.exchanges or self._is_deaf else self._idle_since

    def begin_drain(self) -> None:
        """Announce that no new streams will be taken; those already on their way are still answered (RFC 9113, 6.8)."""
        if not (self._is_deaf or self.transport.is_closing()):
            self.engine.close_connection(last_stream_id=2**31 - 1)
            self.flush()

    def close(self) -> None:
        if not self._is_deaf:
            self.engine.close_connection()
            self._say_goodbye()

    def _check_idle(self) -> None:
        if self.transport.is_closing():
            unsent = self.transport.get_write_buffer_size()
            if unsent == self._unsent_at_check:
                self.transport.abort()
                return
            self._unsent_at_check = unsent
        since = self.idle_since
        keep_alive_s = self.server.limits.keep_alive_s
        left = keep_alive_s if since is None else since + keep_alive_s - self.loop.time()
        if left <= 0.001 and not self.transport.is_closing():
            self.close()
            left = keep_alive_s
        self._idle_timer = self.loop.call_later(max(left, 0.001), self._check_idle)

    def _close_when_done(self) -> None:
        if self._is_last and not self.exchanges:
            self._say_goodbye()

    # --- events

    def _on_request(self, event: h2.events.RequestReceived) -> None:
        stream_id = event.stream_id
        assert stream_id is not None
        assert event.headers is not None
        if len(self.exchanges) >= MAX_STREAMS or self._running >= 2 * MAX_STREAMS:
            self.engine.reset_stream(stream_id, h2.errors.ErrorCodes.REFUSED_STREAM)
            return
        method = target = b""
        authority: bytes | None = None
        headers: list[tuple[bytes, bytes]] = []
        size = 0
        length = b"0"
        for name, value in event.headers:
            size += len(name) + len(value) + 4
            if name[:1] != b":":
                headers.append((name, value))
            elif name == b":method":
                method = value
            elif name == b":path":
                target = value
            elif name == b":authority":
                authority = value
            if name == b"content-length":
                length = value
        if authority is not None and not any(name == b"host" for name, _ in headers):
            headers.insert(0, (b"host", authority))
        verb = METHODS.get(method)
        status = None
        if len(target) > self.server.limits.head_bytes:
            status = 414
        elif size > self.server.limits.head_bytes:
            status = 431
        elif (
            verb is None
            or not _TARGET.fullmatch(target)
            or (target == b"*" and verb != "OPTIONS")
            or not AUTHORITY.fullmatch(authority or b"")
            # h2 compares the two only when DATA arrives.
            or (event.stream_ended is not None and length.strip(b"0"))
        ):
            status = 400
        if status is not None:
            self._refuse(stream_id, status)
            return
        raw_path, _, query = target.partition(b"?")
        path = raw_path.decode("ascii")
        if "%" in path:
            path = urllib.parse.unquote(path)
        exchange = Http2Exchange(self, stream_id, headers, authority, is_head=verb == "HEAD")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "2",
            "server": self._local,
            "client": self._client,
            "scheme": "http",
            "root_path": "",
            "method": verb,
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": headers,
            "extensions": {"rubberduck": exchange},
        }
        self.exchanges[stream_id] = exchange
        self.server.exchanges.add(exchange)
        self._running += 1
        exchange.task = self.loop.create_task(exchange.run(self.server.app, scope))
        exchange.task.add_done_callback(self._on_returned)

    def _on_returned(self, task: asyncio.Task[None]) -> None:
        self._running -= 1

    def _refuse(self, stream_id: int, status: int) -> None:
        headers = [(b":status", b"%d" % status), (b"content-length", b"0"), (b"date", http_date())]
        self.engine.send_headers(stream_id, headers, end_stream=True)
        self._reset(stream_id, h2.errors.ErrorCodes.NO_ERROR)

    def _on_data(self, event: h2.events.DataReceived) -> None:
        size = event.flow_controlled_length or 0
        exchange = self.exchanges.get(event.stream_id or 0)
        # The connection's window is given back at once, a stream's when the app has taken the bytes: one slow app
        # does not hold up the other streams.
        self._window_debt += size
        if self._window_debt >= CONNECTION_WINDOW // 4:
            self.engine.increment_flow_control_window(self._window_debt)
            self._window_debt = 0
        if exchange is not None and event.data:
            exchange.feed(bytes(event.data))
            exchange.window_debt += size - len(event.data)

    def _on_end(self, event: h2.events.StreamEnded) -> None:
        exchange = self.exchanges.get(event.stream_id or 0)
        if exchange is not None:
            exchange.finish_body()

    def _on_reset(self, event: h2.events.StreamReset) -> None:
        exchange = self.exchanges.pop(event.stream_id or 0, None)
        if exchange is not None:
            exchange.leave()
            self._idle_since = self.loop.time()
        now = self.loop.time()
        if now - self._resets_since > RESET_PERIOD_S:
            self._resets, self._resets_since = 0, now
        self._resets += 1
        if self._resets > MAX_RESETS and not self._is_deaf:
            self._abandon(h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)

    def _on_window(self, event: h2.events.WindowUpdated | h2.events.RemoteSettingsChanged) -> None:
        if isinstance(event, h2.events.RemoteSettingsChanged):
            self._on_ping(event)
        elif event.stream_id:
            exchange = self.exchanges.get(event.stream_id)
            if exchange is not None:
                exchange.open_window()
            return
        for exchange in self.exchanges.values():
            exchange.open_window()

    def _on_ping(self, event: h2.events.Event) -> None:
        if self.is_write_paused:
            self._unread_answers += 1
            if self._unread_answers > MAX_UNREAD_ANSWERS:
                self.transport.abort()

    def _on_goaway(self, event: h2.events.ConnectionTerminated) -> None:
        self._is_last = True

    _HANDLERS: ClassVar[dict[type[h2.events.Event], Any]] = {
        h2.events.RequestReceived: _on_request,
        h2.events.DataReceived: _on_data,
        h2.events.StreamEnded: _on_end,
        h2.events.StreamReset: _on_reset,
        h2.events.WindowUpdated: _on_window,
        h2.events.RemoteSettingsChanged: _on_window,
        h2.events.PingReceived: _on_ping,
        h2.events.ConnectionTerminated: _on_goaway,
    }

    # --- exchanges

    def on_exchange_end(self, exchange: Http2Exchange, error: h2.errors.ErrorCodes | None) -> None:
        """The reply is written (`error` None) or broken off: settle the stream, close after the last one."""
        if self.exchanges.pop(exchange.stream_id, None) is None:
            return
        self._idle_since = self.loop.time()
        if error is not None:
            self._reset(exchange.stream_id, error)
        elif not exchange.is_body_done:
            # The reply is whole and the rest of the request unwanted (RFC 9113 section 8.1).
            self._reset(exchange.stream_id, h2.errors.ErrorCodes.NO_ERROR)
        self.flush()
        self._close_when_done()

    def _reset(self, stream_id: int, error: h2.errors.ErrorCodes) -> None:
        try:
            self.engine.reset_stream(stream_id, error)
        except h2.exceptions.NoSuchStreamError:
            pass  # both sides had ended it
