"""An event that arrives twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from proxies.dataplane.faults.base import setting
from proxies.dataplane.faults.stream import Stream, StreamFault


@dataclass(frozen=True)
class Duplicate(StreamFault):
    """One event and at once the same one again."""

    kind = "duplicate"
    title = "Duplicated event"
    summary = "One event of the answer arrives twice."
    order = 20

    event: int = setting(3, "Which one of the events that carry text, counting from 1.", ge=1, le=1_000_000)

    async def pieces(self, stream: Stream) -> AsyncGenerator[bytes, None]:
        left = self.event
        async for piece in stream:
            yield piece
            if left and stream.tokens(piece):
                left -= 1
                if not left:
                    stream.injection.note()
                    yield stream.after(piece)
