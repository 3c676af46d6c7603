"""Takes a request in: where it goes, how its credentials travel, and its body: whole if it must be read, else as a
stream."""

from __future__ import annotations

from collections.abc import AsyncIterator

from providers.base import Condition, CredentialAction, OriginUnknown
from proxies.dataplane.delivery import ClientLeft, Reply, refusal
from proxies.dataplane.errors import ErrorKind, UpstreamError
from proxies.dataplane.exchange import Exchange


def route(exchange: Exchange) -> Reply | None:
    """Settles origin and credentials from the request's head."""
    runtime = exchange.runtime
    config = runtime.config
    provider = runtime.provider
    try:
        origin = provider.origin(exchange.call, exchange.headers, config.upstream, default_region=config.region)
    except OriginUnknown as error:
        return refusal(exchange, Condition.BAD_REQUEST, str(error), ErrorKind.NO_UPSTREAM)
    exchange.origin = origin
    exchange.plan = provider.credentials(exchange.call, exchange.headers, origin, is_http2=exchange.connection.is_http2)
    return None


async def take_body(exchange: Exchange) -> Reply | None:
    """Reads the body when something must look at it, else leaves it streaming. Raises ClientLeft."""
    fields = exchange.fields
    declared = fields.get(b"content-length")
    if declared is None and b"transfer-encoding" not in fields and not exchange.connection.is_http2:
        read_body(exchange)
        return None
    limits = exchange.runtime.config.limits
    size = int(declared) if declared is not None else None
    if size is not None and size > limits.max_bytes:
        return too_large(exchange, limits.max_bytes)
    must_sign = exchange.plan.action is CredentialAction.SIGN
    operation = exchange.call.operation
    must_read = must_sign or (
        operation is not None and (operation.is_cacheable or is_json(fields.get(b"content-type")))
    )
    most = limits.hash_bytes if must_read else 0
    if size is not None and size > most:
        if must_sign:
            return _unsignable(exchange, most)
        exchange.body = stream_body(exchange, [])
        return None
    record = exchange.record
    chunks: list[bytes] = []
    has_more = True
    while has_more and record.request_bytes <= most:
        message = await exchange.receive()
        if message["type"] == "http.disconnect":
            return _disconnected(exchange)
        chunk = message.get("body", b"")
        record.request_bytes += len(chunk)
        chunks.append(chunk)
        has_more = message.get("more_body", False)
    if record.request_bytes > limits.max_bytes:
        return too_large(exchange, limits.max_bytes)
    if has_more:
        if must_sign:
            return _unsignable(exchange, most)
        exchange.body = stream_body(exchange, chunks)
        return None
    exchange.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    if record.request_bytes <= most:
        read_body(exchange)
    elif must_sign:
        return _unsignable(exchange, most)
    return None


def read_body(exchange: Exchange) -> None:
    """Reads what the whole body says: model, streaming, temperature, and its hash."""
    assert isinstance(exchange.body, bytes)
    fields = exchange.fields
    key, facts = exchange.runtime.keys.read_body(
        exchange.call, exchange.body, fields.get(b"content-type"), fields.get(b"content-encoding")
    )
    exchange.body_key = key
    exchange.facts = facts
    record = exchange.record
    record.is_streaming = facts.is_streaming
    if exchange.body:
        record.prompt_hash = key.prompt_hash
    if facts.model is not None:
        record.model = facts.model[:300]


_UNSIGNABLE = (
    "This request must be signed towards AWS, and a signature covers the whole body: bodies over {} bytes cannot be "
    "re-signed. Use a bearer key, or sign for the real host."
)


def _unsignable(exchange: Exchange, limit: int) -> Reply:
    return refusal(exchange, Condition.TOO_LARGE, _UNSIGNABLE.format(limit), ErrorKind.BODY_TOO_LARGE)


def too_large(exchange: Exchange, limit: int) -> Reply:
    return refusal(
        exchange,
        Condition.TOO_LARGE,
        f"The request body is larger than this proxy takes ({limit} bytes).",
        ErrorKind.BODY_TOO_LARGE,
    )


def _disconnected(exchange: Exchange) -> Reply:
    if exchange.connection.body_timed_out:
        return refusal(
            exchange, Condition.REQUEST_TIMEOUT, "The request body stopped arriving.", ErrorKind.BODY_TIMEOUT
        )
    raise ClientLeft


async def stream_body(exchange: Exchange, taken: list[bytes]) -> AsyncIterator[bytes]:
    """The body as it arrives, after the chunks already taken. Raises UpstreamError with source "client" if it stops or
    grows too large, ClientLeft."""
    limit = exchange.runtime.config.limits.max_bytes
    record = exchange.record
    taken.reverse()
    while taken:  # counted already, and let go of as they pass
        yield taken.pop()
    while True:
        message = await exchange.receive()
        if message["type"] == "http.disconnect":
            if exchange.connection.body_timed_out:
                raise UpstreamError(
                    ErrorKind.BODY_TIMEOUT, "The request body stopped arriving.", is_retryable=False, source="client"
                )
            raise ClientLeft
        chunk = message.get("body", b"")
        record.request_bytes += len(chunk)
        if record.request_bytes > limit:
            raise UpstreamError(
                ErrorKind.BODY_TOO_LARGE,
                f"The request body is larger than this proxy takes ({limit} bytes).",
                is_retryable=False,
                source="client",
            )
        if chunk:
            yield chunk
        if not message.get("more_body"):
            return


def is_json(content_type: bytes | None) -> bool:
    """Whether a content type says JSON."""
    if content_type is None:
        return False
    kind = content_type.split(b";", 1)[0].strip().lower()
    return kind == b"application/json" or kind.endswith(b"+json")
