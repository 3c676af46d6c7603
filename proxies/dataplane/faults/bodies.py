"""What damages share: a reply's body, whole or on its way, and the headers that speak of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Injection
from proxies.dataplane.headers import field_value, with_field
from proxies.dataplane.intake import is_json

Body = bytes | AsyncGenerator[bytes, None]

BODILESS = frozenset({204, 205, 304})


def has_body(reply: Reply, injection: Injection) -> bool:
    """Whether anything can follow the head: not for HEAD, not behind a status without content, not of length 0."""
    if injection.exchange.method == "HEAD" or reply.status in BODILESS:
        return False
    return reply.body != b"" and field_value(reply.headers, b"content-length") != b"0"


def length(reply: Reply) -> int | None:
    """Bytes of the body; None when nobody knows yet."""
    if isinstance(reply.body, bytes):
        return len(reply.body)
    value = field_value(reply.headers, b"content-length")
    return int(value) if value is not None else None


def set_length(reply: Reply, size: int) -> None:
    """Announces a body of `size` bytes. The list of headers may be somebody else's too: it is left alone."""
    reply.headers = with_field(reply.headers, b"content-length", b"%d" % size)


def holds_json(reply: Reply) -> bool:
    """Whether the reply says that its body is JSON."""
    return is_json(field_value(reply.headers, b"content-type"))


async def pieces(body: Body) -> AsyncGenerator[bytes, None]:
    """The body piece by piece, none empty; closes it whatever happens."""
    if isinstance(body, bytes):
        if body:
            yield body
        return
    try:
        async for piece in body:
            if piece:
                yield piece
    finally:
        await body.aclose()


async def close(body: Body) -> None:
    """Gives up a body nobody reads any more."""
    if not isinstance(body, bytes):
        await body.aclose()
