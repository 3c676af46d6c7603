"""The reply of one exchange with an upstream, as it arrives."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from proxies.dataplane.connection import Connection


class NoReply(httpx.RemoteProtocolError):
    """The upstream closed the connection before one byte of a reply."""


class ReplyBody(httpx.AsyncByteStream):
    """The body of one reply, de-chunked, content-encoding untouched; iterate once.

    Yields what each socket read brought as one piece, so events sent apart arrive apart. Raises httpx.ReadTimeout,
    httpx.ReadError or httpx.RemoteProtocolError when the body stops before its end, after all that did arrive.
    The connection goes back to its pool when the last byte has *arrived*; a reply that is complete needs no `aclose()`.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection: Connection | None = connection  # None once the exchange is over
        self.status = 0  # 0 until the head is complete
        self.reason = b""
        self.http_version = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.chunks: deque[bytes] = deque()
        self.buffered = 0
        self.is_complete = False
        self.close_delimited = False
        self.error: BaseException | None = None
        self.waiter: asyncio.Future[None] | None = None
        self.is_unanswered = False  # failed before one byte of a reply
        self.is_unread = False  # and the upstream cannot have read the whole request

    @property
    def body_complete(self) -> bytes | None:
        """All that is left of the body if its end has arrived (else None): no need to iterate or close.

        True of most unary replies as soon as the head is there. Reading it consumes nothing.
        """
        if not self.is_complete:
            return None
        chunks = self.chunks
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def __aiter__(self) -> ReplyBody:
        return self

    async def __anext__(self) -> bytes:
        while True:
            if self.chunks:
                chunk = self.chunks.popleft()
                self.buffered -= len(chunk)
                connection = self.connection
                if connection is not None and connection.is_reading_paused:
                    connection.resume_if_drained(self)
                return chunk
            if self.error is not None:
                raise self.error
            if self.is_complete:
                raise StopAsyncIteration
            await self.wait()

    async def wait(self) -> None:
        """Sleeps until something arrives or fails; cancelling it leaves the exchange as it is."""
        connection = self.connection
        if connection is None:
            return
        self.waiter = connection.loop.create_future()
        connection.arm_for_reading()
        try:
            await self.waiter
        finally:
            self.waiter = None
            connection.disarm(self)

    def wake(self) -> None:
        waiter = self.waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def aclose(self) -> None:
        """Ends the exchange; an incomplete one drops its connection at once, so that the upstream notices."""
        self.abort()

    def abort(self) -> None:
        """`aclose()` for callers that cannot await."""
        if self.connection is not None:
            self.connection.fail(httpx.ReadError("the reply was closed before its end"))
        self.chunks.clear()


class TransportResponse(httpx.Response):
    """An httpx.Response that parses its headers only when asked; `raw_headers` are the (name, value) pairs as sent.

    It skips httpx' constructor, which costs 3 us, and so sets what that would set; a test compares the two.
    """

    def __init__(
        self,
        status: int,
        raw_headers: list[tuple[bytes, bytes]],
        stream: httpx.AsyncByteStream,
        extensions: dict[str, Any],
    ) -> None:
        self.status_code = status
        self.raw_headers = raw_headers
        self.stream = stream
        self.extensions = extensions
        self._request = None
        self.next_request = None
        self.history = []
        self.is_closed = False
        self.is_stream_consumed = False
        self.default_encoding = "utf-8"
        self._num_bytes_downloaded = 0

    @classmethod
    def of(cls, body: ReplyBody) -> TransportResponse:
        """The reply whose head has come."""
        extensions: dict[str, Any] = {"http_version": body.http_version, "reason_phrase": body.reason}
        if body.close_delimited:
            extensions["close_delimited"] = True
        return cls(body.status, body.headers, body, extensions)

    @cached_property
    def headers(self) -> httpx.Headers:  # type: ignore[override]  # httpx has a plain attribute here
        return httpx.Headers(self.raw_headers)
