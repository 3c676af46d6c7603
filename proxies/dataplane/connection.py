"""One keep-alive HTTP/1.1 connection to an upstream."""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
from collections.abc import AsyncIterable
from math import inf
from typing import Any, Protocol, cast

import httptools
import httpx

from proxies.dataplane.reply_body import NoReply, ReplyBody

# A timer may fire this much early: uvloop rounds delays to milliseconds.
_CLOCK_GRAIN_S = 0.001
_HTTP_VERSIONS = {"1.1": b"HTTP/1.1", "1.0": b"HTTP/1.0"}


class _Malformed(Exception):
    """A reply that parses but may not be understood; stops the parser from inside a callback."""


class ConnectionOwner(Protocol):
    """Who keeps connections while they are idle."""

    max_head_bytes: int
    buffer_bytes: int
    idle_s: float

    def release(self, connection: Connection) -> None:
        """Takes back a connection whose exchange ended cleanly."""

    def drop(self, connection: Connection) -> None:
        """Forgets a connection that is closed or closing; called once."""


class Connection(asyncio.Protocol):
    """The wire side: at most one exchange at a time, one timer for all its time-outs.

    The timer is never cancelled by an exchange; it looks at `deadline` when it fires. A busy connection so pays one
    clock reading per wait, an idle one wakes the worker once, when it is to be closed.
    """

    transport: asyncio.Transport

    def __init__(self, owner: ConnectionOwner, loop: asyncio.AbstractEventLoop) -> None:
        self.owner = owner
        self.loop = loop
        self.stream: ReplyBody | None = None
        self.exchanges = 0
        self.is_closed = False  # closing or closed: never to be used again
        self.is_lost = False  # the socket is gone
        self.is_reusable = False
        self.is_reading_paused = False
        self.deadline = inf
        self.read_timeout_s: float | None = None
        self.write_timeout_s: float | None = None
        self._parser: Any = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] | None = None
        self._fresh: list[bytes] = []
        self._reason = b""
        self._coding = b""
        self._overhead = 0  # bytes since the last body byte
        self._read_bytes = 0
        self._is_informational = False
        self._is_head_request = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = inf
        self._write_paused = False
        self._unsent = 0
        self._drained: asyncio.Future[None] | None = None
        self._upload: asyncio.Task[None] | None = None

    # -- sending ------------------------------------------------------------------------------------------------------

    def start(
        self,
        head: bytes,
        body: bytes | AsyncIterable[bytes],
        length: int | None,
        is_head: bool,
        timeouts: dict[str, float | None],
    ) -> ReplyBody:
        """Sends a request and returns its reply, still without status; `await reply.wait()` until it has one.

        `length` is what the head promises for a streamed body, None for chunked. A streamed body is sent by a task that
        may outlive the reply's head and ends with the exchange at the latest.
        """
        self.stream = stream = ReplyBody(self)
        self.exchanges += 1
        self._overhead = 0
        self._is_head_request = is_head
        self.read_timeout_s = timeouts.get("read")
        self.write_timeout_s = timeouts.get("write")
        if isinstance(body, bytes):
            if len(body) <= 65536:
                self.transport.write(head + body)
            else:
                self.transport.write(head)
                self.transport.write(body)
        else:
            self.transport.write(head)
            self._upload = self.loop.create_task(self._send(stream, body, length))
            self._upload.add_done_callback(self._upload_done)
        return stream

    async def _send(self, stream: ReplyBody, body: AsyncIterable[bytes], length: int | None) -> None:
        write = self.transport.write
        sent = 0
        async for piece in body:
            if not piece:
                continue
            # An upstream that refuses early answers and resets: its answer must be read before a write meets the reset.
            # asyncio polls sockets after the first turn, and reads them in the second.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if self.stream is not stream:
                return
            sent += len(piece)
            if length is None:
                write(b"%x\r\n%b\r\n" % (len(piece), piece))
            elif sent > length:
                raise httpx.LocalProtocolError("the request body is longer than its content-length")
            else:
                write(piece)
            if self._write_paused:
                self._drained = self.loop.create_future()
                await self._drained
        if length is None:
            write(b"0\r\n\r\n")
        elif sent < length:
            raise httpx.LocalProtocolError("the request body is shorter than its content-length")

    def _upload_done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if task is not self._upload:  # the exchange ended without it
            return
        self._upload = None
        if error is not None:
            self.fail(error)
        elif self.stream is not None and self.stream.waiter is not None:
            self.arm_for_reading()

    def pause_writing(self) -> None:
        self._write_paused = True
        self._unsent = self.transport.get_write_buffer_size()
        self._arm(self.write_timeout_s)

    def resume_writing(self) -> None:
        self._write_paused = False
        self.deadline = inf
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        if self.stream is not None and self.stream.waiter is not None:
            self.arm_for_reading()

    # -- time ---------------------------------------------------------------------------------------------------------

    def arm_for_reading(self) -> None:
        """Someone starts to wait for bytes; silence counts only once the request is out."""
        if self._write_paused:
            return
        if self._upload is not None:
            self.deadline = inf
        else:
            self._arm(self.read_timeout_s)

    def disarm(self, stream: ReplyBody) -> None:
        """Nobody waits any more: a reader who takes its time is not the upstream's silence."""
        if self.stream is stream and not self._write_paused:
            self.deadline = inf

    def _arm(self, timeout_s: float | None) -> None:
        if timeout_s is None:
            self.deadline = inf
            return
        self.deadline = deadline = self.loop.time() + timeout_s
        if deadline < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = deadline
            self._timer = self.loop.call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._timer_at = inf
        remaining_s = self.deadline - self.loop.time()
        if remaining_s == inf:
            return
        if remaining_s > _CLOCK_GRAIN_S:
            self._arm(remaining_s)
        elif self.stream is None:
            self.close()
        elif not self._write_paused:
            self.fail(httpx.ReadTimeout(f"the upstream was silent for {self.read_timeout_s:g} s"))
        elif (unsent := self.transport.get_write_buffer_size()) < self._unsent:
            self._unsent = unsent
            self._arm(self.write_timeout_s)
        else:
            self.fail(httpx.WriteTimeout(f"the upstream took no bytes for {self.write_timeout_s:g} s"))

    # -- receiving ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance

    def data_received(self, data: bytes) -> None:
        stream = self.stream
        if stream is None:  # bytes nobody asked for
            self.close()
            return
        self._read_bytes = len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            self.is_reusable = False
            if not stream.is_complete:
                self._take_fresh(stream)
                cause = exc.__context__ if isinstance(exc.__context__, _Malformed) else exc
                self.fail(httpx.RemoteProtocolError(f"the upstream's reply is not valid HTTP: {cause}"))
                return
        if self._fresh:
            self._take_fresh(stream)
            self._overhead = 0
        elif not stream.is_complete:
            # a head still growing, or chunk extensions and trailers: bounded, whatever they are
            self._overhead += len(data)
            if self._overhead > self.owner.max_head_bytes:
                self.fail(httpx.RemoteProtocolError("the upstream's reply head is too large"))
                return
            if stream.waiter is not None:
                self.arm_for_reading()
        if stream.is_complete:
            self._finish(stream)
        elif stream.buffered > self.owner.buffer_bytes and not self.is_reading_paused:
            self.is_reading_paused = True
            self.transport.pause_reading()
        if stream.status:
            stream.wake()

    def _take_fresh(self, stream: ReplyBody) -> None:
        fresh = self._fresh
        if fresh:
            chunk = fresh[0] if len(fresh) == 1 else b"".join(fresh)
            fresh.clear()
            stream.chunks.append(chunk)
            stream.buffered += len(chunk)

    def _finish(self, stream: ReplyBody) -> None:
        """The last byte arrived: the connection is free (or done for) before anyone has read the reply."""
        stream.connection = None
        self.stream = None
        if not self.is_reusable or self._upload is not None or self.is_closed:
            self.close()
            return
        if self.is_reading_paused:  # an idle connection must be able to hear its end
            self.is_reading_paused = False
            self.transport.resume_reading()
        self._arm(self.owner.idle_s)
        self.owner.release(self)

    def resume_if_drained(self, stream: ReplyBody) -> None:
        """Reads on once the reader has caught up to half the buffer."""
        if stream.buffered <= self.owner.buffer_bytes // 2:
            self.is_reading_paused = False
            self.transport.resume_reading()

    # -- what httptools calls, inside feed_data ------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.stream is not None and self.stream.is_complete:
            self.is_reusable = False  # a second reply to one request
        self._headers = []
        self._reason = b""
        self._coding = b""

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._headers is not None:  # None: a trailer
            self._headers.append((name, value))
            if len(name) == 17 and name.lower() == b"transfer-encoding":
                self._coding += value.strip().lower() + b","

    def on_headers_complete(self) -> None:
        stream = self.stream
        headers = self._headers
        self._headers = None
        if stream is None or headers is None or stream.is_complete:
            return
        parser = self._parser
        status = parser.get_status_code()
        if status < 200:
            if status < 100 or status == 101:
                raise _Malformed(f"status {status} was not asked for")
            self._is_informational = True
            return
        version = _HTTP_VERSIONS.get(parser.get_http_version())
        if version is None:
            raise _Malformed("unknown HTTP version")
        limit = self.owner.max_head_bytes
        if self._overhead + self._read_bytes > limit and sum(len(n) + len(v) + 4 for n, v in headers) > limit:
            raise _Malformed("its head is too large")
        self.is_reusable = parser.should_keep_alive()
        if self._is_head_request:
            # llhttp cannot be told that no body follows: it would take the next reply for it
            self.is_reusable = False
            stream.is_complete = True
        elif self._coding:
            if self._coding != b"chunked," and status not in (204, 304):
                raise _Malformed("a transfer coding other than chunked")
        elif not self.is_reusable and status not in (204, 304):
            stream.close_delimited = all(name.lower() != b"content-length" for name, _ in headers)
        stream.headers = headers
        stream.reason = self._reason
        stream.http_version = version
        stream.status = status

    def on_body(self, body: bytes) -> None:
        if self.stream is not None and not self.stream.is_complete:
            self._fresh.append(body)

    def on_message_complete(self) -> None:
        if self._is_informational:
            self._is_informational = False
        elif self.stream is not None:
            self.stream.is_complete = True

    # -- the end ------------------------------------------------------------------------------------------------------

    def eof_received(self) -> None:
        stream = self.stream
        if stream is None:
            self.close()
        elif stream.status and stream.close_delimited:
            stream.is_complete = True
            self.is_reusable = False
            self._finish(stream)
            stream.wake()
        elif stream.status:
            self.fail(httpx.RemoteProtocolError("the upstream closed the connection before the end of the body"))
        else:
            self._note_silence(stream, is_unread=self._unacknowledged() > 0)
            self.fail(NoReply("the upstream closed the connection without a reply"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        stream = self.stream
        if stream is not None:
            error: httpx.TransportError
            if isinstance(exc, BrokenPipeError):
                error = httpx.WriteError("the upstream closed the connection while the request was being sent")
            elif exc is None:
                error = NoReply("the upstream closed the connection without a reply")
            else:
                error = httpx.ReadError(f"the connection to the upstream broke: {exc}")
            error.__cause__ = exc
            if not stream.status:
                self._note_silence(stream, is_unread=isinstance(exc, BrokenPipeError))
            self.fail(error)
        else:
            self.close()
        self._parser = None  # parser and connection refer to each other

    def _note_silence(self, stream: ReplyBody, is_unread: bool) -> None:
        stream.is_unanswered = self._overhead == 0
        stream.is_unread = is_unread

    def _unacknowledged(self) -> int:
        """Bytes the upstream's kernel has not confirmed, or that are still here; asked at its end of stream.

        An end of stream confirms all that was received before it. What it leaves unconfirmed was not read by a process
        that has closed its side: the request can be sent again, whatever its method. Under TLS this is asked only at
        the upstream's close-notify; after a bare end our own close-notify might be what is unconfirmed.
        """
        if self.transport.get_write_buffer_size():
            return 1
        sock = self.transport.get_extra_info("socket")
        try:
            return int.from_bytes(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"), sys.byteorder)
        except OSError:
            return 0

    def fail(self, error: BaseException) -> None:
        """Ends the connection and its exchange, whose reader meets the error after all that has arrived."""
        stream = self.stream
        if stream is not None:
            self.stream = None
            stream.connection = None
            stream.error = error
            stream.wake()
        self.close()

    def close(self) -> None:
        """Drops the connection now, unsent bytes included; idempotent."""
        if self.is_closed:
            return
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.cancel()
        if not self.is_lost:
            self.transport.abort()
        self.owner.drop(self)
