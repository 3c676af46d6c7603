"""Replies that break off in the middle of their body."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import ClassVar

from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Cut, Fault, Injection, Stage, setting
from proxies.dataplane.faults.bodies import Body, has_body, length, pieces
from proxies.dataplane.faults.events import whole_events
from proxies.dataplane.faults.stream import framing_of, replace_body

HALF = 0.5


@dataclass(frozen=True)
class Truncate(Fault):
    """The head is the real one, its content-length included; at least one byte of the body never comes.

    Of a body whose length nobody knows yet (a stream), `fraction` is of its second event: the reply breaks off in the
    middle of it.
    """

    kind: ClassVar[str] = "truncate"
    title: ClassVar[str] = "Truncated body"
    summary: ClassVar[str] = (
        "The real headers, content-length included, but only a part of the body; then the connection is closed (over "
        "HTTP/2 the stream is reset). At least one byte is always missing."
    )
    stage: ClassVar[Stage] = Stage.DAMAGE
    order: ClassVar[int] = 80
    drops_upstream: ClassVar[bool] = True

    fraction: float | None = setting(
        None,
        "How much of the body arrives, from 0 to 1; half of it when neither this nor bytes is set. A stream, whose "
        "length nobody knows, breaks off at that point of its second event.",
        ge=0,
        le=1,
        example=0.5,
    )
    bytes: int | None = setting(
        None, "How many bytes of the body arrive, in the place of a fraction.", ge=0, le=2**40, example=100
    )

    def check(self) -> str | None:
        if self.fraction is not None and self.bytes is not None:
            return "bytes: use fraction or bytes, not both"
        return None

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        if not has_body(reply, injection):
            return None
        fraction = HALF if self.fraction is None else self.fraction
        size = length(reply)
        most = self.bytes
        if most is None and size is not None:
            most = int(size * fraction)
        if most is not None and size is not None:
            most = min(most, size - 1)
        kind = framing_of(reply, injection.exchange) if most is None else None
        body = reply.body if kind is None else whole_events(reply.body, kind)
        return replace_body(reply, _broken_off(body, most, fraction, injection), body, keeps_length=True)


async def _broken_off(
    body: Body, most: int | None, fraction: float, injection: Injection
) -> AsyncGenerator[bytes, None]:
    """At most `most` bytes, and never the last one, which is why a byte is held back; then Cut."""
    held = b""
    is_first = True
    async with contextlib.aclosing(pieces(body)) as parts:
        if most != 0:
            async for part in parts:
                if most is None and not is_first:
                    most = len(held) + int(len(part) * fraction)
                is_first = False
                whole = held + part
                kept = whole[:-1] if most is None else whole[: min(most, len(whole) - 1)]
                if kept:
                    yield kept
                if most is not None:
                    most -= len(kept)
                    if most <= 0 or len(kept) < len(whole) - 1:
                        break
                held = whole[-1:]
    injection.note()
    raise Cut
