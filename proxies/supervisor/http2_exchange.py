"""One HTTP/2 stream: a request and its reply, within the client's flow control."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import h2.errors

from proxies.supervisor.connection import Connection, Message, head_is_sound, http_date

if TYPE_CHECKING:
    from proxies.supervisor.http2 import Http2Bridge

STREAM_WINDOW = 256 * 1024  # bytes of body a client may send ahead of the app
# RFC 9113 section 8.2.2: what must not be sent over HTTP/2.
_CONNECTION_HEADERS = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))


class Http2Exchange(Connection):
    """One stream: a request and its reply."""

    __slots__ = ("_bridge", "_left", "_sends_body", "_window_waiter", "stream_id", "window_debt")
    is_http2 = True

    def __init__(
        self,
        bridge: Http2Bridge,
        stream_id: int,
        headers: list[tuple[bytes, bytes]],
        authority: bytes | None,
        *,
        is_head: bool,
    ) -> None:
        super().__init__(bridge.server, bridge.transport, headers, authority)
        self.stream_id = stream_id
        self.window_debt = 0  # bytes taken or padding, not yet given back to the stream's window
        self._bridge = bridge
        self._sends_body = not is_head
        self._left: int | None = None  # bytes of content-length still to come
        self._window_waiter: asyncio.Future[None] | None = None

    async def send(self, message: Message) -> None:
        if not self.is_gone and self._bridge.is_write_paused:
            await self._bridge.writable()
        if self.is_gone:
            return
        if self.is_complete:
            raise RuntimeError("The reply is complete, nothing can follow it")
        if self.is_started:
            await self._send_body(message)
        else:
            self._send_head(message)

    def cut(self) -> None:
        self.reset()

    def reset(self) -> None:
        if not (self.is_gone or self.is_complete):
            self.on_left = None
            self.leave()
            # INTERNAL_ERROR: clients take NO_ERROR and CANCEL for a clean end.
            self._bridge.on_exchange_end(self, h2.errors.ErrorCodes.INTERNAL_ERROR)

    def leave(self) -> None:
        super().leave()
        self.open_window()

    def _give_up(self) -> None:
        """The client keeps its window shut: to the app it has left."""
        on_left, self.on_left = self.on_left, None
        self.reset()
        if on_left is not None:
            on_left()

    def open_window(self) -> None:
        waiter = self._window_waiter
        if waiter is not None:
            self._window_waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def _send_head(self, message: Message) -> None:
        if message["type"] != "http.response.start":
            raise RuntimeError(f"Expected http.response.start, got {message['type']}")
        status: int = message["status"]
        headers = [(b":status", b"%d" % status)]
        has_date = False
        left: int | None = None
        for name, value in message.get("headers", ()):
            lower = name.lower()
            if lower in _CONNECTION_HEADERS:
                continue
            headers.append((lower, value))
            if lower == b"date":
                has_date = True
            elif lower == b"content-length":
                if left is not None or not value.isdigit():
                    raise RuntimeError("A reply has one content-length, a whole number")
                left = int(value)
        if not has_date:
            headers.append((b"date", http_date()))
        if not head_is_sound(b"".join([name + value for name, value in headers]), 0):
            raise RuntimeError("A reply header holds a line break or NUL")
        if status in (204, 304):
            self._sends_body = False
        self._left = left if self._sends_body else None
        self.is_started = True
        # A bodiless reply may name the length it would have: clients that compare do not when the head is the end.
        self._bridge.engine.send_headers(self.stream_id, headers, end_stream=not self._sends_body)
        self._bridge.flush()

    async def _send_body(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            raise RuntimeError(f"Expected http.response.body, got {message['type']}")
        is_last = not message.get("more_body", False)
        if not self._sends_body:
            if is_last:
                self._complete()
            return
        body = memoryview(message.get("body", b""))
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (is_last and self._left):
                raise RuntimeError("The reply's body is not as long as its content-length")
        engine = self._bridge.engine
        while body:
            room = min(engine.local_flow_control_window(self.stream_id), engine.max_outbound_frame_size)
            if room <= 0:
                waiter = self._window_waiter = self._server.loop.create_future()
                try:
                    async with asyncio.timeout(self._server.limits.send_stall_s):
                        await waiter
                except TimeoutError:
                    self._give_up()
            elif self._bridge.is_write_paused:
                await self._bridge.writable()
            else:
                piece, body = body[:room], body[room:]
                engine.send_data(self.stream_id, piece, end_stream=is_last and not body)
                self._bridge.flush()
                if is_last and not body:
                    self._complete()
                    return
            if self.is_gone:
                return
        if is_last:
            engine.send_data(self.stream_id, b"", end_stream=True)
            self._complete()

    def _complete(self) -> None:
        self.is_complete = True
        self._wake()
        self._bridge.on_exchange_end(self, None)

    def _on_taken(self, size: int) -> None:
        self.window_debt += size
        if self.window_debt >= STREAM_WINDOW // 4 and not self._body_done and not self.is_gone:
            self._bridge.engine.increment_flow_control_window(self.window_debt, self.stream_id)
            self.window_debt = 0
            self._bridge.flush()
