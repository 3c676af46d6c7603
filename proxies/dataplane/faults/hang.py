"""A request that is never answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from proxies.dataplane.delivery import Reply
from proxies.dataplane.exchange import Exchange
from proxies.dataplane.faults.base import Cut, Fault, Injection, Stage, setting
from proxies.dataplane.shared_reply import resolve

MAX_S = 86400.0


@dataclass(frozen=True)
class Hang(Fault):
    """Ends when the client leaves, which cancels the exchange's task, and when the proxy stops. Until then it keeps
    nothing of the request."""

    kind: ClassVar[str] = "hang"
    title: ClassVar[str] = "Hang"
    summary: ClassVar[str] = (
        "Nothing is answered until the client gives up. With a longest time, the connection is closed without a reply "
        "after it."
    )
    stage: ClassVar[Stage] = Stage.REPLACE

    max_seconds: float | None = setting(
        None,
        "Seconds after which the connection is closed without a reply. Left out: never, the client has to leave.",
        gt=0,
        le=MAX_S,
        example=120.0,
    )

    async def replace(self, injection: Injection) -> Reply:
        try:
            async with asyncio.timeout(self.max_seconds):
                await _drop_request(injection.exchange)
                await _until_drain(injection.exchange)
        except TimeoutError:
            pass
        raise Cut


async def _until_drain(exchange: Exchange) -> None:
    """For ever, unless the server drains: nobody waits for what never ends."""
    connection = exchange.connection
    end = asyncio.get_running_loop().create_future()
    connection.on_drain = lambda left_s: resolve(end)
    try:
        if not connection.is_draining:
            await end
    finally:
        connection.on_drain = None


async def _drop_request(exchange: Exchange) -> None:
    """Lets go of the request's body. One that is still arriving is taken and thrown away: left unread, it would fill
    the connection's buffers, and the client's leaving behind it would go unnoticed."""
    body = exchange.body
    exchange.body = b""
    exchange.body_key = None
    if not isinstance(body, bytes):
        async for _ in body:
            pass
