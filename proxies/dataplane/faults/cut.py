"""A stream that breaks off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from proxies.dataplane.faults.base import Cut, setting
from proxies.dataplane.faults.reset import reset_after_arrival
from proxies.dataplane.faults.stream import Stream, StreamFault

DEFAULT_EVENTS = 3


@dataclass(frozen=True)
class CutStream(StreamFault):
    """The connection ends without the end of the reply; the call upstream is cancelled."""

    kind = "cut"
    title = "Stream cut"
    summary = (
        "The stream breaks off after some events or some seconds: the connection is closed, or reset, and the end of "
        "the reply never comes."
    )
    order = 57
    drops_upstream = True

    events: int | None = setting(
        None,
        f"How many events still arrive. Without it and without seconds: {DEFAULT_EVENTS}.",
        ge=0,
        le=1_000_000,
        example=5,
    )
    seconds: float | None = setting(
        None, "Cut so long after the head of the reply, whatever has arrived by then.", ge=0, le=3600, example=1.5
    )
    reset: bool = setting(False, "Whether the connection is reset (TCP RST) rather than closed.")

    def check(self) -> str | None:
        if self.events is not None and self.seconds is not None:
            return "seconds: say after how many events or after how many seconds, not both"
        return None

    async def pieces(self, stream: Stream) -> AsyncGenerator[bytes, None]:
        events = self.events
        if events is None and self.seconds is None:
            events = DEFAULT_EVENTS
        loop = asyncio.get_running_loop()
        cuts_at = None if self.seconds is None else loop.time() + self.seconds
        count = 0
        source = stream.events
        while (events is None or count < events) and (cuts_at is None or loop.time() < cuts_at):
            try:
                async with asyncio.timeout_at(cuts_at):
                    piece = await anext(source)
            except StopAsyncIteration:
                return
            except TimeoutError:
                break
            yield piece
            count += stream.is_event(piece)
        stream.injection.note()
        if self.reset:
            await reset_after_arrival()
        raise Cut
