"""Connections that are reset: before a reply, or behind its head."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import ClassVar, NoReturn

from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Cut, Fault, Injection, Stage
from proxies.dataplane.faults.bodies import Body, close, has_body

ARRIVAL_S = 0.05
"""How long what was written may take to arrive before a reset: it may cost the client all it has not read yet."""


async def reset_after_arrival() -> NoReturn:
    """Resets a reply that has begun, once the client has had a moment to read what there is of it. Raises Cut."""
    await asyncio.sleep(ARRIVAL_S)
    raise Cut(is_reset=True)


@dataclass(frozen=True)
class Reset(Fault):
    """TCP RST; over HTTP/2, RST_STREAM with INTERNAL_ERROR."""

    kind: ClassVar[str] = "reset"
    title: ClassVar[str] = "Connection reset"
    summary: ClassVar[str] = (
        "The connection is reset (TCP RST) in the place of a reply. Over HTTP/2 the stream is reset, the connection "
        "lives on."
    )
    stage: ClassVar[Stage] = Stage.REPLACE

    async def replace(self, injection: Injection) -> Reply:
        raise Cut(is_reset=True)


@dataclass(frozen=True)
class ResetAfterHeaders(Fault):
    """The head is the real one, the body never begins."""

    kind: ClassVar[str] = "reset_after_headers"
    title: ClassVar[str] = "Reset after the headers"
    summary: ClassVar[str] = (
        "Status and headers of the real reply arrive, then the connection is reset (TCP RST; over HTTP/2 the stream) "
        "before the first byte of the body."
    )
    stage: ClassVar[Stage] = Stage.DAMAGE
    order: ClassVar[int] = 90
    drops_upstream: ClassVar[bool] = True

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        if not has_body(reply, injection):
            return None
        reply.body = _reset(reply.body, injection)
        return reply


async def _reset(body: Body, injection: Injection) -> AsyncGenerator[bytes, None]:
    await close(body)
    injection.note()
    await reset_after_arrival()
    yield b""
