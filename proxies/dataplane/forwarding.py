"""The upstream stage: joins a call that is already on its way, or makes it, and taps the reply as it passes."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from providers.base import Header, Usage
from proxies.dataplane.decoding import Decoder, DecodingError, accepts, make_decoder
from proxies.dataplane.delivery import Reply
from proxies.dataplane.errors import ErrorKind, UpstreamError
from proxies.dataplane.exchange import Clock, Exchange
from proxies.dataplane.headers import base_url
from proxies.dataplane.limiting import Limiting
from proxies.dataplane.misses import Explainer
from proxies.dataplane.recording import RecordingTap, lifetime, recordable_headers
from proxies.dataplane.records import CacheResult, Outcome
from proxies.dataplane.replay import decoded_headers
from proxies.dataplane.single_flight import Flight, Head, LeaderLeft, Seat, SingleFlight
from proxies.dataplane.stores.tiered import TieredStore
from proxies.dataplane.taps import ReplyTaps, UsageTap, content_encoding, note_usage
from proxies.dataplane.upstream import Upstream, UpstreamReply

_STREAM_TYPES = (b"text/event-stream", b"application/vnd.amazon.eventstream")


class Forwarding:
    """Brings replies from upstream. `flights` are the calls of this worker that others may join."""

    def __init__(
        self, upstream: Upstream, flights: SingleFlight, store: TieredStore, explainer: Explainer, clock: Clock
    ) -> None:
        self._upstream = upstream
        self._flights = flights
        self._store = store
        self._explainer = explainer
        self._clock = clock

    async def __call__(self, exchange: Exchange, limiting: Limiting | None = None) -> Reply:
        """The upstream's reply. Raises UpstreamError when there is none. `limiting` is asked before the request really
        goes up, and its refusal is the reply: joining one that is on its way costs the upstream nothing."""
        decision = exchange.decision
        if not (decision.may_read and decision.may_write and exchange.runtime.config.cache.is_single_flight):
            return await self._fetch(exchange, None, limiting)
        seat = self._flights.follow(exchange.key)
        if seat is not None:
            reply = await self._follow(exchange, seat)
            if reply is not None:
                return reply
        if not (exchange.may_record or exchange.facts.is_streaming):
            return await self._fetch(exchange, None, limiting)
        flight = exchange.flight = self._flights.lead(exchange.key)
        flight.leader.on_dismissed = exchange.connection.reset
        try:
            return await self._fetch(exchange, flight, limiting)
        except BaseException:
            flight.release()
            raise

    async def _fetch(self, exchange: Exchange, flight: Flight | None, limiting: Limiting | None) -> Reply:
        refused = None if limiting is None else await limiting(exchange)
        if refused is not None:
            if flight is not None:
                flight.release()
                exchange.flight = None
            return refused
        answer = await self._upstream.send(exchange)
        try:
            return await self._pass_on(exchange, flight, answer)
        except BaseException:
            await answer.close()
            raise

    async def _pass_on(self, exchange: Exchange, flight: Flight | None, answer: UpstreamReply) -> Reply:
        headers = self._client_headers(exchange, answer)
        taps = self._taps(exchange, answer)
        exchange.reading = taps
        whole = answer.whole_body
        if flight is not None:
            if not taps.may_be_recorded:  # not a whole success, or the upstream forbids it
                flight.abandon()
                flight.release()
                exchange.flight = flight = None
            else:
                head = Head(answer.status, headers)
                flight.open(head, taps, None if whole is not None else answer, answer.close)
        if whole is None:
            body = _passing(answer, taps) if flight is None else _leading(flight, answer)
            await anext(body)  # from here on its end is dealt with, even if nobody reads it
            return Reply(answer.status, headers, body)
        if flight is None:
            taps.feed(whole)
            taps.end(None)
        else:
            flight.publish(whole)
            flight.end(None)
            flight.release()
            if exchange.has_left:
                raise LeaderLeft
        return Reply(answer.status, headers, whole)

    def _client_headers(self, exchange: Exchange, answer: UpstreamReply) -> list[Header]:
        headers = answer.headers
        provider = exchange.runtime.provider
        names = provider.rewritten_reply_headers
        if names:
            client_base_url = base_url(exchange.fields.get(b"host"), exchange.runtime.config.base_url)
            headers = [
                (name, provider.rewrite_reply_header(name.lower(), value, client_base_url))
                if name.lower() in names
                else (name, value)
                for name, value in headers
            ]
        return headers

    def _taps(self, exchange: Exchange, answer: UpstreamReply) -> ReplyTaps:
        runtime = exchange.runtime
        config = runtime.config
        lower = [(name.lower(), value) for name, value in answer.headers]
        for name, value in lower:
            if name == b"content-type" and value.startswith(_STREAM_TYPES):
                exchange.record.is_streaming = True
        if answer.status >= 400:
            exchange.record.error_kind = ErrorKind.UPSTREAM_STATUS
            exchange.record.error = f"The upstream answered {answer.status}."
        usage: UsageTap | None = None
        if answer.usage is None or answer.whole_body is None:
            reader = runtime.provider.usage_reader(exchange.call, exchange.facts, answer.status, lower)
            if reader is not None:
                usage = UsageTap(reader, content_encoding(lower))
        recording: RecordingTap | None = None
        # A stream is read no further than its client is to see it, and recorded only if that is to its end.
        may_record = exchange.may_record or (answer.whole_body is None and exchange.record.is_streaming)
        if exchange.decision.may_write and may_record and answer.is_repeatable:
            life = lifetime(answer.status, lower, config.cache, self._clock.wall())
            if life.is_storable:
                recording = RecordingTap(
                    config.limits.recording_bytes, self._clock.monotonic, exchange.upstream_started_at
                )

        def commit(tap: RecordingTap, used: Usage) -> None:
            made = tap.recording(
                status=answer.status,
                headers=lower,
                unsafe_headers=runtime.provider.unsafe_reply_headers,
                lifetime=life,
                now=self._clock.wall(),
                epoch=config.cache.epoch,
                is_streaming=exchange.record.is_streaming,
                operation=exchange.record.operation,
                model=exchange.record.model,
                prompt_hash=exchange.record.prompt_hash,
                usage=used,
                digests=self._explainer.digests(exchange),
            )
            if made is not None:
                self._store.put(exchange.key, made)

        return ReplyTaps(exchange, usage, recording, commit, self._clock.monotonic, answer.usage)

    async def _follow(self, exchange: Exchange, seat: Seat) -> Reply | None:
        """The reply somebody else is fetching already; None when there will be none to share."""
        head: Head | None = None
        try:
            head = await seat.head()
        finally:
            if head is None:
                seat.leave()
        if head is None:
            return None
        # What a recording leaves out (cookies, rate-limit numbers) is meant for the leader alone.
        headers = list(recordable_headers(head.headers, exchange.runtime.provider.unsafe_reply_headers))
        coding = content_encoding(headers)
        decoder: Decoder | None = None
        if coding is not None and not accepts(exchange.fields.get(b"accept-encoding"), coding):
            try:
                decoder = make_decoder(coding)
            except DecodingError:
                seat.leave()
                return None
            headers = decoded_headers(headers)
        seat.on_dismissed = exchange.connection.reset
        tap = seat.tap
        if isinstance(tap, ReplyTaps):
            exchange.reading = tap
        record = exchange.record
        record.cache = CacheResult.HIT
        record.outcome = Outcome.HIT
        record.is_streaming = any(
            name == b"content-type" and value.startswith(_STREAM_TYPES) for name, value in headers
        )
        body = _following(exchange, seat, decoder)
        await anext(body)
        return Reply(head.status, headers, body)


async def _passing(answer: UpstreamReply, taps: ReplyTaps) -> AsyncGenerator[bytes, None]:
    """A reply only this exchange wants."""
    ended_by: BaseException | None = GeneratorExit()
    try:
        yield b""
        async for chunk in answer:
            taps.feed(chunk)
            yield chunk
        ended_by = None
    except UpstreamError as error:
        ended_by = error
        raise
    finally:
        taps.end(ended_by)
        await answer.close()


async def _leading(flight: Flight, answer: UpstreamReply) -> AsyncGenerator[bytes, None]:
    """A reply this exchange reads, for itself and for whoever joins."""
    try:
        yield b""
        while (frame := await flight.read()) is not None:
            yield frame
    finally:
        if not flight.release():
            await answer.close()


async def _following(exchange: Exchange, seat: Seat, decoder: Decoder | None) -> AsyncGenerator[bytes, None]:
    """A reply somebody else reads."""
    try:
        yield b""
        while (frame := await seat.read()) is not None:
            if decoder is not None:
                frame = decoder.feed(frame)
            if frame:
                yield frame
        if decoder is not None and (rest := decoder.finish()):
            yield rest
        tap = seat.tap
        if isinstance(tap, ReplyTaps):
            note_usage(exchange, tap.usage)
    except DecodingError as error:
        raise UpstreamError(
            ErrorKind.PROTOCOL, "The upstream's reply is not in the coding it claims.", is_retryable=False
        ) from error
    finally:
        seat.leave()
