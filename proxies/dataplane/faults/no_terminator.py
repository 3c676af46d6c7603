"""A stream that ends without saying so."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from proxies.dataplane.faults.stream import Stream, StreamFault


@dataclass(frozen=True)
class NoTerminator(StreamFault):
    """The events that say that all has been said are missing; everything else arrives."""

    kind = "no_terminator"
    title = "Missing terminator"
    summary = (
        "The event that ends a stream in the provider's dialect (`[DONE]`, `message_stop`, `response.completed`, "
        "`messageStop`) never comes; the connection ends cleanly."
    )
    order = 30

    async def pieces(self, stream: Stream) -> AsyncGenerator[bytes, None]:
        injection = stream.injection
        asked, is_terminator = injection.asked, injection.dialect.is_terminator
        async for piece in stream:
            if is_terminator(asked, piece):
                injection.note()
            else:
                yield piece
