"""One HTTP/1 request and its reply: what the app says, framed for the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from proxies.supervisor.connection import Connection, Message, head_is_sound, http_date

if TYPE_CHECKING:
    from proxies.supervisor.http1 import Http1Protocol
    from proxies.supervisor.server import ProxyServer

_JOINED_BYTES = 64 * 1024  # up to here one write of head and body is cheaper than two
_WATCHED = frozenset((b"content-length", b"transfer-encoding", b"connection", b"date"))


class Http1Exchange(Connection):
    """One request over HTTP/1 and its reply.

    Framing is the server's: `content-length` from the app means exactly that many bytes, none means chunked, one chunk
    per `send()`; a `transfer-encoding` from the app is left out, of its `connection` only `close` counts.
    """

    __slots__ = ("_expects_100", "_is_chunked", "_is_http10", "_keep_alive", "_left", "_protocol", "_sends_body")

    def __init__(
        self,
        server: ProxyServer,
        protocol: Http1Protocol,
        *,
        raw_headers: list[tuple[bytes, bytes]],
        authority: bytes | None,
        is_head: bool,
        is_http10: bool,
        expects_100: bool,
        keep_alive: bool,
    ) -> None:
        super().__init__(server, protocol.transport, raw_headers, authority)
        self._protocol = protocol
        self._sends_body = not is_head
        self._is_http10 = is_http10
        self._expects_100 = expects_100
        self._keep_alive = keep_alive
        self._is_chunked = False
        self._left: int | None = None  # bytes of content-length still to come; None: until the connection closes

    async def send(self, message: Message) -> None:
        if self._protocol.flow.write_paused and not self.is_gone:
            await self._protocol.writable()
        if self.is_gone:
            return
        if self.is_complete:
            raise RuntimeError("The reply is complete, nothing can follow it")
        if self.is_started:
            self._send_body(message)
        else:
            self._send_head(message)

    async def send_whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        if self.is_started:
            raise RuntimeError("The reply has begun, it cannot be sent as a whole")
        if self._protocol.flow.write_paused and not self.is_gone:
            await self._protocol.writable()
        if self.is_gone:
            return
        head = self._make_head(status, headers)
        framed = self._frame(body, is_last=True)
        if len(framed) <= _JOINED_BYTES:
            self.transport.write(head + framed)
        else:
            self.transport.write(head)
            self.transport.write(framed)
        self._complete()

    def cut(self) -> None:
        self._end_early(is_reset=self.is_started and self._sends_body and self._left is None and not self._is_chunked)

    def reset(self) -> None:
        self._end_early(is_reset=True)

    def _end_early(self, is_reset: bool) -> None:
        if not (self.is_gone or self.is_complete):
            self.on_left = None
            self.leave()
            self._protocol.cut(self, is_reset=is_reset)

    def _send_head(self, message: Message) -> None:
        if message["type"] != "http.response.start":
            raise RuntimeError(f"Expected http.response.start, got {message['type']}")
        self.transport.write(self._make_head(message["status"], message.get("headers", ())))

    def _make_head(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The reply's head, which is to be written now."""
        lines = [STATUS_LINE.get(status) or b"HTTP/1.1 %d \r\n" % status]
        count = 2
        has_date = False
        left: int | None = None
        # A client that is still sending is not kept: the rest of its body would have to be read first.
        keep_alive = self._keep_alive and self._body_done
        if self._server.is_draining and not self._protocol.has_more_queued():
            keep_alive = False
        for name, value in headers:
            lower = name.lower()
            if lower in _WATCHED:
                if lower == b"content-length":
                    if left is not None or not value.isdigit():
                        raise RuntimeError("A reply has one content-length, a whole number")
                    left = int(value)
                elif lower == b"date":
                    has_date = True
                else:
                    if lower == b"connection" and b"close" in value.lower():
                        keep_alive = False
                    continue
            lines += (name, b": ", value, b"\r\n")
            count += 1
        if not has_date:
            lines += (b"date: ", http_date(), b"\r\n")
            count += 1
        if status in (204, 304) or status < 200:
            self._sends_body = False
        if left is None and self._sends_body:
            if self._is_http10:
                keep_alive = False
            else:
                self._is_chunked = True
                lines.append(b"transfer-encoding: chunked\r\n")
                count += 1
        if not keep_alive:
            lines.append(b"connection: close\r\n")
            count += 1
        lines.append(b"\r\n")
        head = b"".join(lines)
        if not head_is_sound(head, count):
            raise RuntimeError("A reply header holds a line break or NUL")
        self._left = left
        self._keep_alive = keep_alive
        self.is_started = True
        return head

    def _send_body(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            raise RuntimeError(f"Expected http.response.body, got {message['type']}")
        is_last = not message.get("more_body", False)
        framed = self._frame(message.get("body", b""), is_last)
        if framed:
            self.transport.write(framed)
        if is_last:
            self._complete()

    def _frame(self, body: bytes, is_last: bool) -> bytes:
        """What of the reply's body goes out for this part of it."""
        if not self._sends_body:
            return b""
        if self._is_chunked:
            if not body:
                return b"0\r\n\r\n" if is_last else b""
            return (b"%x\r\n%b\r\n0\r\n\r\n" if is_last else b"%x\r\n%b\r\n") % (len(body), body)
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (is_last and self._left):
                raise RuntimeError("The reply's body is not as long as its content-length")
        return body

    def _complete(self) -> None:
        self.is_complete = True
        self._wake()
        self._protocol.on_exchange_end(self, self._keep_alive)

    def _on_waiting(self) -> None:
        if self._expects_100:
            self._expects_100 = False
            if not (self.is_started or self._body_done):
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._protocol.read_on()

    def _on_taken(self, size: int) -> None:
        self._protocol.read_on()
