"""Two events that arrive in the wrong order."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from proxies.dataplane.faults.base import setting
from proxies.dataplane.faults.stream import Stream, StreamFault


@dataclass(frozen=True)
class Reorder(StreamFault):
    """One event changes places with the one behind it."""

    kind = "reorder"
    title = "Reordered events"
    summary = "One event of the answer arrives after the event that follows it."
    order = 21

    event: int = setting(
        3, "Which one of the events that carry text comes too late, counting from 1.", ge=1, le=1_000_000
    )

    async def pieces(self, stream: Stream) -> AsyncGenerator[bytes, None]:
        left = self.event
        held = b""
        async for piece in stream:
            if held and stream.is_event(piece):
                stream.injection.note()
                for one in stream.exchanged(held, piece):
                    yield one
                held = b""
                continue
            if held and stream.is_end(piece):
                yield held
                held = b""
            if left and stream.tokens(piece):
                left -= 1
                if not left:
                    held = piece
                    continue
            yield piece
        if held:
            yield held
