"""Replies whose content-length is not that of their body."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import ClassVar

from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Cut, Fault, Injection, Stage, setting
from proxies.dataplane.faults.bodies import Body, has_body, length, pieces, set_length

MOST = 2**31


@dataclass(frozen=True)
class WrongLength(Fault):
    """Too much: the whole body, then the end of the connection while the client still waits. Too little: the body ends
    where the length says, and so does the connection."""

    kind: ClassVar[str] = "wrong_length"
    title: ClassVar[str] = "Wrong content-length"
    summary: ClassVar[str] = (
        "The content-length is larger or smaller than the body. Larger: the whole body arrives, then the connection "
        "closes with bytes outstanding. Smaller: the body ends early where the length says so. Whole replies only."
    )
    stage: ClassVar[Stage] = Stage.DAMAGE
    order: ClassVar[int] = 80
    streams: ClassVar[bool | None] = False

    difference: int = setting(
        10, "Bytes by which the content-length is larger (or, below 0, smaller) than the body.", ge=-MOST, le=MOST
    )

    def check(self) -> str | None:
        return "difference: use a whole number other than 0" if self.difference == 0 else None

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        size = length(reply)
        if size is None or not has_body(reply, injection):
            return None
        said = max(size + self.difference, 0)
        set_length(reply, said)
        if self.difference > 0:
            reply.body = _unfinished(reply.body)
        else:
            reply.headers.append((b"connection", b"close"))
            if isinstance(reply.body, bytes):
                reply.body = reply.body[:said]
            else:
                reply.body = _beginning(reply.body, said)
        injection.note()
        return reply


async def _unfinished(body: Body) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(pieces(body)) as parts:
        async for part in parts:
            yield part
    raise Cut


async def _beginning(body: Body, size: int) -> AsyncGenerator[bytes, None]:
    """The first `size` bytes. The rest is read, so that it can be recorded, and dropped."""
    async with contextlib.aclosing(pieces(body)) as parts:
        async for part in parts:
            if size:
                kept = part[:size]
                size -= len(kept)
                yield kept
