"""Sends an exchange upstream and brings back the head of the reply; the one place that knows HTTP client errors."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx

from providers.base import CredentialAction, Header, Usage
from proxies.dataplane.errors import ErrorKind, UpstreamError
from proxies.dataplane.exchange import Clock, Exchange
from proxies.dataplane.headers import HOP_BY_HOP, NOT_FORWARDED, forwardable
from proxies.dataplane.reply_body import NoReply, TransportResponse
from proxies.dataplane.signing import CredentialSource, sign
from proxies.dataplane.transport import AddressRefused, OwnAddress, TransportRequest


class UpstreamReply:
    """The head of an upstream's reply, and its body as it comes. `headers`: end-to-end fields only, as received.

    `is_repeatable`: False when the transport knows that the same request will be answered otherwise the next time.
    `usage`: what the transport knows that a successful reply will have used when all of it has come, else None.

    Iterating gives the body's bytes, content-encoding untouched, one chunk per arrival; raises UpstreamError if it
    breaks off.
    """

    __slots__ = ("_frames", "_response", "headers", "is_repeatable", "status", "usage", "whole_body")

    def __init__(self, response: httpx.Response, headers: list[Header]) -> None:
        self._response = response
        self.status = response.status_code
        self.headers = headers
        self.is_repeatable: bool = response.extensions.get("is_repeatable", True)
        self.usage: Usage | None = response.extensions.get("usage")
        # the body, if all of it came together with the head; then there is nothing to iterate
        self.whole_body: bytes | None = getattr(response.stream, "body_complete", None)
        self._frames: AsyncIterator[bytes] = response.stream.__aiter__()  # type: ignore[union-attr]

    def __aiter__(self) -> UpstreamReply:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._frames)
        except httpx.TransportError as error:
            raise _cut(error) from error

    async def close(self) -> None:
        """Gives the connection back, or cuts it at once when the body has not been read to its end."""
        await self._response.stream.aclose()  # type: ignore[union-attr]


class Upstream:
    """The far side of one worker. `transport` is shared by all exchanges; `credentials` resolves the proxy's
    reference."""

    def __init__(self, transport: httpx.AsyncBaseTransport, credentials: CredentialSource, clock: Clock) -> None:
        self._transport = transport
        self._credentials = credentials
        self._clock = clock

    async def send(self, exchange: Exchange) -> UpstreamReply:
        """Sends the request of `exchange` to its origin. Raises UpstreamError."""
        origin = exchange.origin
        assert origin is not None
        runtime = exchange.runtime
        record = exchange.record
        call = exchange.call
        target = runtime.provider.upstream_path(call, origin)
        if exchange.query:
            target = target + b"?" + exchange.query
        plan = exchange.plan
        raw_headers = exchange.connection.raw_headers
        headers = forwardable(raw_headers, NOT_FORWARDED | plan.drop if plan.drop else NOT_FORWARDED)
        body = exchange.body
        if plan.action is not CredentialAction.PASS:
            credentials = await self._credentials.resolve(plan, runtime.config.credential)
            assert isinstance(body, bytes)  # the pipeline buffers what must be signed
            headers = sign(
                plan, credentials, method=exchange.method, origin=origin, target=target, headers=headers, body=body,
                now=datetime.fromtimestamp(self._clock.wall(), UTC),
            )  # fmt: skip
        destination = runtime.destination(origin)
        headers.insert(0, destination.host)
        if not isinstance(body, bytes):
            if b"content-length" not in exchange.fields:
                headers.append((b"Transfer-Encoding", b"chunked"))
            stream: httpx.AsyncByteStream = StreamedBody(body)
        else:
            if body and b"content-length" not in exchange.fields:  # came chunked, or over HTTP/2 without a length
                headers.append((b"Content-Length", str(len(body)).encode()))
            stream = httpx.ByteStream(body)
        request = TransportRequest(
            exchange.method,
            destination.url,
            headers,
            stream,
            {
                "target": target,
                "timeout": runtime.timeout,
                "request_id": record.id,
                "client_fields": exchange.fields,
            },
        )
        record.attempts += 1
        record.endpoint = destination.endpoint
        exchange.upstream_started_at = self._clock.monotonic()
        try:
            response = await self._transport.handle_async_request(request)
        except httpx.TransportError as error:
            raise _unanswered(error, origin.authority) from error
        reply_headers = response.raw_headers if isinstance(response, TransportResponse) else response.headers.raw
        return UpstreamReply(response, forwardable(reply_headers, HOP_BY_HOP))


class StreamedBody(httpx.AsyncByteStream):
    """A request body on its way through. What its source raises (UpstreamError with source "client") reaches the
    sender."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._source


def _unanswered(error: httpx.TransportError, authority: str) -> UpstreamError:
    """What went wrong before a reply's head, in our own words."""
    if isinstance(error, AddressRefused):
        kind = ErrorKind.LOOP if isinstance(error, OwnAddress) else ErrorKind.ADDRESS_REFUSED
        return UpstreamError(kind, f"The upstream {authority} may not be used: {error}.", is_retryable=False)
    if isinstance(error, httpx.TimeoutException):
        words = {
            httpx.ConnectTimeout: "did not accept a connection in time",
            httpx.WriteTimeout: "did not take the request in time",
            httpx.PoolTimeout: "has too many connections open already",
        }.get(type(error), "did not answer in time")
        return UpstreamError(ErrorKind.TIMEOUT, f"The upstream {authority} {words}.", is_retryable=True)
    if isinstance(error, httpx.ConnectError):
        cause = error.__cause__
        if isinstance(cause, ssl.SSLError):
            return UpstreamError(
                ErrorKind.TLS,
                f"No trusted TLS connection to the upstream {authority}: {tls_words(cause)}.",
                is_retryable=False,
            )
        return UpstreamError(
            ErrorKind.UNREACHABLE,
            f"The upstream {authority} cannot be reached: {connect_words(cause or error)}.",
            is_retryable=True,
        )
    if isinstance(error, httpx.LocalProtocolError):
        return UpstreamError(
            ErrorKind.BAD_REQUEST, "The request cannot be sent on as it is.", is_retryable=False, source="client"
        )
    if isinstance(error, httpx.ProtocolError) and not isinstance(error, NoReply):
        return UpstreamError(ErrorKind.PROTOCOL, f"The upstream {authority} did not answer in HTTP.", is_retryable=True)
    return UpstreamError(
        ErrorKind.NO_ANSWER, f"The upstream {authority} closed the connection without an answer.", is_retryable=True
    )


def tls_words(error: ssl.SSLError) -> str:
    """What TLS objects to, without OpenSSL's own notation."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed ({error.verify_message})"
    return (error.reason or "handshake failed").lower().replace("_", " ")


def connect_words(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return "its name does not resolve"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()  # asyncio's own text names the address
    return "no connection"


def _cut(error: httpx.TransportError) -> UpstreamError:
    if isinstance(error, httpx.TimeoutException):
        return UpstreamError(
            ErrorKind.TIMEOUT, "The upstream fell silent in the middle of its reply.", is_retryable=False
        )
    return UpstreamError(
        ErrorKind.UPSTREAM_CUT, "The upstream broke off in the middle of its reply.", is_retryable=False
    )
