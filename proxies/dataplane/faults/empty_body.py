"""Successful replies with nothing in them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import ClassVar

from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Fault, Injection, Stage
from proxies.dataplane.faults.bodies import Body, close, has_body, set_length


@dataclass(frozen=True)
class EmptyBody(Fault):
    """A reply that is still on its way is given up, for it to end at once; it is not recorded then."""

    kind: ClassVar[str] = "empty_body"
    title: ClassVar[str] = "Empty body"
    summary: ClassVar[str] = (
        "The real status and headers, but a body of no bytes. A stream ends cleanly before its first event."
    )
    stage: ClassVar[Stage] = Stage.DAMAGE
    order: ClassVar[int] = 70

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        if not has_body(reply, injection):
            return None
        if isinstance(reply.body, bytes):
            set_length(reply, 0)
            reply.body = b""
        else:
            if not injection.exchange.record.is_streaming:
                set_length(reply, 0)
            reply.body = _nothing(reply.body)
        injection.note()
        return reply


async def _nothing(body: Body) -> AsyncGenerator[bytes, None]:
    await close(body)
    return
    yield b""
