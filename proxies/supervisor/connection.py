"""What an exchange is to the server: its body on the way in, its end, and the handle the app may pull."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.utils import get_remote_addr

if TYPE_CHECKING:
    from proxies.supervisor.server import ProxyServer

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = logging.getLogger(__name__)

# The request methods llhttp knows for HTTP; its parser also takes those of RTSP and ICE, which are no business of ours.
# Source: llhttp 9 constants (METHODS_HTTP), read November 2026.
# fmt: off
METHODS = {
    name.encode(): name
    for name in (
        "DELETE", "GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND",
        "PROPPATCH", "SEARCH", "UNLOCK", "BIND", "REBIND", "UNBIND", "ACL", "REPORT", "MKACTIVITY", "CHECKOUT", "MERGE",
        "M-SEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "PATCH", "PURGE", "MKCALENDAR", "LINK", "UNLINK", "QUERY",
    )
}
# fmt: on
# RFC 3986 section 3.2, loosely: what may stand in an authority. Everything else would be a header injection upstream.
AUTHORITY = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:%@\[\]-]*")


class _Clock:
    """The `date` header, written anew at most once a second and only when somebody asks."""

    __slots__ = ("_second", "_value")

    def __init__(self) -> None:
        self._second = 0
        self._value = b""

    def date(self) -> bytes:
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._value = formatdate(now, usegmt=True).encode()
        return self._value


http_date = _Clock().date


class Connection(ABC):
    """One exchange as the app sees it beyond ASGI, found at `scope["extensions"]["rubberduck"]`.

    `raw_headers` holds (name, value) as received; over HTTP/2 it is the scope's list, `host` made from `:authority`.
    `authority` is HTTP/2's `:authority` or the authority of an absolute-form target; None when the request had neither.
    `on_left` is called once if the client goes away before the reply is complete; `cut()` and `reset()` do not call it.
    `on_drain` is called when a drain begins, with the seconds it may last: an exchange that would not end by then finds
    an end of its own.
    `body_timed_out` turns True when the client fell silent in the middle of its body: `receive()` then returns
    `http.disconnect`, and a reply can still be sent.
    """

    __slots__ = (
        "_body_done",
        "_chunks",
        "_is_delivered",
        "_server",
        "_waiter",
        "authority",
        "body_timed_out",
        "buffered",
        "is_complete",
        "is_gone",
        "is_started",
        "on_drain",
        "on_left",
        "raw_headers",
        "task",
        "transport",
    )
    is_http2 = False

    def __init__(
        self,
        server: ProxyServer,
        transport: asyncio.Transport,
        raw_headers: list[tuple[bytes, bytes]],
        authority: bytes | None,
    ) -> None:
        self._server = server
        self.transport = transport
        self.raw_headers = raw_headers
        self.authority = authority
        self.body_timed_out = False
        self.buffered = 0  # bytes of body received and not yet taken by the app
        self.is_started = False  # the reply's head has been written
        self.is_complete = False  # the reply's last byte has been written
        self.is_gone = False  # nothing more can reach the client: it left, or the exchange was cut
        self.on_left: Callable[[], None] | None = None
        self.on_drain: Callable[[float], None] | None = None
        self.task: asyncio.Task[None] | None = None
        self._chunks: list[bytes] = []
        self._body_done = False
        self._is_delivered = False
        self._waiter: asyncio.Future[None] | None = None

    # --- for the app

    @property
    def is_draining(self) -> bool:
        """Whether the server takes no more requests, and waits for those that it has."""
        return self._server.is_draining

    @abstractmethod
    async def send(self, message: Message) -> None:
        """ASGI send: blocks while the client is slow, does nothing once it is gone."""

    async def send_whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """A whole reply at once: what `send` would do with its two messages, for less."""
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    @abstractmethod
    def cut(self) -> None:
        """Deliver what was written, then end without completing the reply. The app then returns."""

    @abstractmethod
    def reset(self) -> None:
        """End at once, with a TCP RST or a RST_STREAM; what was written may be lost. The app then returns."""

    async def receive(self) -> Message:
        """ASGI receive. One caller at a time."""
        while True:
            if self.is_gone or self.is_complete or self.body_timed_out:
                return {"type": "http.disconnect"}
            if self._chunks or (self._body_done and not self._is_delivered):
                break
            self._on_waiting()
            waiter = self._waiter = self._server.loop.create_future()
            if self._body_done:
                await waiter
                continue
            timer = self._server.loop.call_later(self._server.limits.body_idle_s, self._time_out_body)
            try:
                await waiter
            finally:
                timer.cancel()
        chunks = self._chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._chunks = []
        taken, self.buffered = self.buffered, 0
        self._is_delivered = self._body_done
        if taken:
            self._on_taken(taken)
        return {"type": "http.request", "body": body, "more_body": not self._body_done}

    # --- for the protocols

    @property
    def is_body_done(self) -> bool:
        """Whether the client's body has been received to its end."""
        return self._body_done

    def feed(self, body: bytes) -> None:
        self._chunks.append(body)
        self.buffered += len(body)
        self._wake()

    def finish_body(self) -> None:
        self._body_done = True
        self._wake()

    def leave(self) -> None:
        """Nothing more reaches the client: `receive()` learns it, and `on_left` unless the app ended it itself."""
        self.is_gone = True
        self._wake()
        on_left, self.on_left = self.on_left, None
        if on_left is not None and not self.is_complete:
            on_left()

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Let the app answer; an app that does not finish its reply leaves a cut exchange, never a clean end."""
        try:
            await app(scope, self.receive, self.send)
        except Exception:
            logger.exception("The app failed on %s", scope["method"])
            await self._end_badly()
        except asyncio.CancelledError:
            self.cut()
            raise
        else:
            if not (self.is_complete or self.is_gone):
                if not self.body_timed_out:
                    logger.error("The app returned without completing its reply to %s", scope["method"])
                await self._end_badly()
        finally:
            self._server.forget(self)

    async def _end_badly(self) -> None:
        if self.is_started:
            self.cut()
            return
        status, text = (408, b"Request Timeout") if self.body_timed_out else (500, b"Internal Server Error")
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": text})

    def _time_out_body(self) -> None:
        self.body_timed_out = True
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def _on_waiting(self) -> None:  # noqa: B027  # HTTP/2 has nothing to do here
        """The app waits for bytes or for the client to leave."""

    @abstractmethod
    def _on_taken(self, size: int) -> None:
        """The app took `size` bytes of body."""


def client_of(transport: asyncio.Transport) -> tuple[str, int] | None:
    """Address and port of the client; an IPv4 one as such, whatever socket it came by."""
    address = get_remote_addr(transport)
    if address is not None and address[0].startswith("::ffff:") and "." in address[0]:
        return address[0][7:], address[1]
    return address


def head_is_sound(head: bytes, lines: int) -> bool:
    """Whether a reply's head has exactly `lines` CRLF line ends: no header value smuggles in another line."""
    return head.count(b"\n") == lines and head.count(b"\r") == lines and b"\0" not in head
