"""The requests of daphne, which by itself would keep all that a stranger sends in memory, for as long as they send."""

from __future__ import annotations

import json
from typing import Any, Final

from daphne import http_protocol

from rubberduck.api_errors import MEANINGS, error_body

MAX_REQUEST_BYTES: Final = 16 * 1024 * 1024  # what is read at all; what is accepted is much less
ARRIVES_WITHIN_S: Final = 120.0  # from a request's first line to its last byte
_REASONS: Final = {408: "Request Timeout", 413: "Content Too Large"}


_daphne: Any = http_protocol  # daphne and twisted have hardly any types


class BoundedRequest(_daphne.WebRequest):  # type: ignore[misc]
    """Ends the connection of a request that is too large or too slow. Source: twisted 26.10, web.http.Request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arrived = 0
        self._is_ended = False
        self._deadline = self.channel.callLater(ARRIVES_WITHIN_S, lambda: self._end(408))

    def gotLength(self, length: int | None) -> None:
        """The length that the head names; None: it will show."""
        super().gotLength(length)
        if length is not None and length > MAX_REQUEST_BYTES:
            self._end(413)

    def handleContentChunk(self, data: bytes) -> None:
        self._arrived += len(data)
        if self._arrived <= MAX_REQUEST_BYTES:
            super().handleContentChunk(data)
        else:
            self._end(413)

    def process(self) -> Any:
        """The whole request is there. daphne would believe what a client says of where the web lies."""
        self._forget_deadline()
        if self._is_ended:
            return None
        self.requestHeaders.removeHeader(b"daphne-root-path")
        return super().process()

    def connectionLost(self, reason: Any) -> None:
        self._forget_deadline()
        super().connectionLost(reason)

    def _forget_deadline(self) -> None:
        if self._deadline.active():
            self._deadline.cancel()

    def _end(self, status: int) -> None:
        """Answers before the request is complete, and hangs up."""
        self._forget_deadline()
        if self._is_ended or self.channel is None:
            return
        self._is_ended = True
        code, message = MEANINGS.get(status, ("refused", "The request came too slowly."))
        body = json.dumps(error_body(code, message)).encode()
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\nConnection: close\r\n"
        transport = self.channel.transport
        transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self.channel.loseConnection()


def bound_requests() -> None:
    """Makes daphne, which has no setting for it, use these. Source: daphne 4.2, HTTPFactory.buildProtocol."""
    _daphne.WebRequest = BoundedRequest
