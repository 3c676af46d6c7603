"""Waiting in the middle of a reply, for as long as somebody is there to wait."""

from __future__ import annotations

import asyncio

from proxies.dataplane.delivery import ClientLeft
from proxies.dataplane.exchange import Exchange
from proxies.dataplane.faults.base import Cut
from proxies.dataplane.shared_reply import resolve

LOOK_S = 15.0
"""How often a wait looks whether its connection is still there: one that others dismissed from a shared reply is reset,
and nobody is told."""


async def pause(exchange: Exchange, seconds: float | None) -> None:
    """Waits, for ever if `seconds` is None.

    Ends at once when the client leaves: the task is cancelled, or ClientLeft is raised where others go on waiting for
    the same reply. A wait for ever ends in Cut when the server drains.
    """
    connection = exchange.connection
    if exchange.has_left or connection.is_gone:
        raise ClientLeft
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    until = None if seconds is None else loop.time() + seconds
    tell = connection.on_left

    def leave() -> None:
        if tell is not None:
            tell()
        resolve(waiter)

    connection.on_left = leave
    if until is None:
        connection.on_drain = lambda left_s: resolve(waiter)
    try:
        while until is None or loop.time() < until:
            if until is None and connection.is_draining:
                raise Cut
            waiter = loop.create_future()
            looks_at = loop.time() + LOOK_S
            timer = loop.call_at(looks_at if until is None else min(until, looks_at), resolve, waiter)
            try:
                await waiter
            finally:
                timer.cancel()
            if exchange.has_left or connection.is_gone:
                raise ClientLeft
    finally:
        connection.on_drain = None
        if connection.on_left is leave:
            connection.on_left = tell
