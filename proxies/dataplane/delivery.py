"""Sends a reply to the client with back-pressure, and writes the exchange's record before the last byte of it goes
out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING

from providers.base import Condition, Header
from providers.wire.retries import told_wait_ms
from proxies.dataplane.errors import ErrorKind
from proxies.dataplane.exchange import Clock, Exchange
from proxies.dataplane.records import Outcome, RecordSink

if TYPE_CHECKING:  # a refusal is a reply
    from proxies.dataplane.limiting import Limiting


class ClientLeft(Exception):
    """The client went away before its exchange was complete."""


_ALREADY_DECIDED = frozenset({Outcome.BLOCKED, Outcome.LIMITED, Outcome.FAULT})


class Reply:
    """A reply on its way to the client: end-to-end headers (any case), the whole body or its chunks as they arrive.

    `before_head`: awaited before the head goes out; None for nothing.
    """

    __slots__ = ("before_head", "body", "headers", "status")

    def __init__(self, status: int, headers: list[Header], body: bytes | AsyncGenerator[bytes, None]) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.before_head: Callable[[], Awaitable[None]] | None = None


class Delivery:
    """The last two stages of every exchange: send and record."""

    def __init__(self, sink: RecordSink, clock: Clock, limiting: Limiting) -> None:
        self._sink = sink
        self._clock = clock
        self._limiting = limiting

    async def deliver(self, exchange: Exchange, reply: Reply) -> None:
        """Sends `reply`. Returns when the server has taken the last byte; raises what the reply's body raises,
        ClientLeft."""
        body = reply.body
        if exchange.has_left:
            if not isinstance(body, bytes):
                await body.aclose()
            raise ClientLeft
        if reply.before_head is not None:
            try:
                await reply.before_head()
            except BaseException:
                if not isinstance(body, bytes):
                    await body.aclose()
                raise
        record = exchange.record
        record.status = reply.status
        if reply.status >= 400:
            record.retry_after_ms = told_wait_ms(reply.headers, self._clock.wall())
            if record.outcome not in _ALREADY_DECIDED:
                record.outcome = Outcome.ERROR
        given = reply.headers
        if exchange.reply_headers and reply.status < 400:
            said = {name for name, _ in exchange.reply_headers}
            given = [*(header for header in given if header[0].lower() not in said), *exchange.reply_headers]
        headers = [
            *given,
            (b"x-rubberduck-request-id", record.id.encode()),
            (b"x-rubberduck-outcome", record.outcome.encode()),
            (b"x-rubberduck-cache", record.cache.encode()),
        ]
        if record.fault:
            headers.append((b"x-rubberduck-fault", record.fault.encode()))
        record.first_byte_ms = (self._clock.monotonic() - exchange.started_at) * 1000
        if isinstance(body, bytes):
            record.reply_bytes = len(body)
            self.record(exchange)
            await exchange.connection.send_whole(reply.status, headers, body)
            return
        send = exchange.send
        length = next((value for name, value in reply.headers if name.lower() == b"content-length"), None)
        remaining = int(length) if length is not None else None
        last = b""
        try:
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            exchange.has_head_gone_out = True
            async for chunk in body:
                if remaining is not None:
                    remaining -= len(chunk)
                    if remaining <= 0:  # these bytes end the reply: the record comes first
                        record.reply_bytes += len(chunk)
                        last += chunk
                        continue
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                record.reply_bytes += len(chunk)
        finally:
            await body.aclose()
        if exchange.has_left:
            raise ClientLeft
        self.record(exchange)
        await send({"type": "http.response.body", "body": last})

    def record(self, exchange: Exchange) -> None:
        """Writes the record of `exchange`, once, whoever asks first."""
        if exchange.is_recorded:
            return
        exchange.is_recorded = True
        for settle in exchange.at_end:
            settle(exchange.record)
        if exchange.bucket is not None:
            self._limiting.settle(exchange, exchange.bucket)
        exchange.record.latency_ms = (self._clock.monotonic() - exchange.started_at) * 1000
        self._sink.write(exchange.record)


def note_client_left(exchange: Exchange) -> None:
    """The outcome of an exchange whose client is gone, unless something before that decided it, or it has had all."""
    if exchange.record.outcome not in _ALREADY_DECIDED and not exchange.has_had_all:
        exchange.record.outcome = Outcome.CLIENT_LEFT


def refusal(
    exchange: Exchange, condition: Condition, message: str, kind: ErrorKind | None = None, *, code: str | None = None
) -> Reply:
    """The provider-shaped reply for `condition`; `kind` and `message` also go into the record."""
    record = exchange.record
    if kind is not None:
        record.error_kind = kind.value
        record.error = message
    made = exchange.runtime.provider.error(
        condition,
        message,
        request_id=record.id,
        call=exchange.call,
        is_streaming=exchange.facts.is_streaming,
        model=record.model or None,
        code=code,
        query=exchange.query,
    )
    headers = [*made.headers, (b"content-length", str(len(made.body)).encode())]
    return Reply(made.status, headers, made.body)
