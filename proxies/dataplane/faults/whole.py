"""Waits for replies that are no streams, so that faults can look at all of one before its head goes out."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from proxies.dataplane.delivery import Reply
from proxies.dataplane.errors import UpstreamError
from proxies.dataplane.faults.bodies import holds_json

MOST_BYTES = 8 * 1024 * 1024
"""A longer one is not waited for: its faults have to do with a body that is still on its way."""


async def make_whole(reply: Reply) -> Reply:
    """The reply with its body in one piece, if it is JSON, not too long, and ends well. One that its upstream breaks
    off breaks off for the client too, at the same place.

    Other replies (sound, files) are of use before their end: they stay as they are.
    """
    body = reply.body
    if isinstance(body, bytes) or not holds_json(reply):
        return reply
    parts: list[bytes] = []
    size = 0
    try:
        async for part in body:
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                return Reply(reply.status, reply.headers, _resumed(parts, body))
    except UpstreamError as error:
        return Reply(reply.status, reply.headers, _resumed(parts, body, error))
    except BaseException:
        await body.aclose()
        raise
    return Reply(reply.status, reply.headers, b"".join(parts))


async def _resumed(
    parts: list[bytes], rest: AsyncGenerator[bytes, None], error: UpstreamError | None = None
) -> AsyncGenerator[bytes, None]:
    parts.reverse()
    while parts:
        yield parts.pop()
    if error is not None:
        raise error
    async for part in rest:
        yield part
