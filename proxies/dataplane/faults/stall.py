"""A reply that stops in the middle, the connection open."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Fault, Injection, Stage, setting
from proxies.dataplane.faults.bodies import length, pieces
from proxies.dataplane.faults.pause import pause
from proxies.dataplane.faults.stream import Stream, framing_of, replace_body


@dataclass(frozen=True)
class Stall(Fault):
    """Nothing is lost: whoever waits long enough gets the rest."""

    kind = "stall"
    title = "Stalled reply"
    summary = (
        "After some events of a stream, or half way through any other reply, nothing comes for a while, or until the "
        "client leaves; then the rest does."
    )
    stage = Stage.DAMAGE
    order = 55

    events: int = setting(1, "How many events of a stream arrive before it stalls.", ge=0, le=1_000_000)
    seconds: float | None = setting(
        None, "How long nothing comes. Left out: until the client leaves.", gt=0, le=86_400, example=30
    )

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        kind = framing_of(reply, injection.exchange)
        if kind is not None:
            stream = Stream(reply, kind, injection)
            return replace_body(reply, self._events(stream), stream.events, keeps_length=True)
        size = length(reply)
        if size == 0:
            return None
        half = None if size is None else size // 2
        return replace_body(reply, self._halves(pieces(reply.body), half, injection), keeps_length=True)

    async def _events(self, stream: Stream) -> AsyncGenerator[bytes, None]:
        left = self.events
        if left == 0:
            await self._stall(stream.injection)
        async for piece in stream:
            yield piece
            if left and stream.is_event(piece):
                left -= 1
                if left == 0:
                    await self._stall(stream.injection)

    async def _halves(
        self, body: AsyncGenerator[bytes, None], half: int | None, injection: Injection
    ) -> AsyncGenerator[bytes, None]:
        """Stalls after `half` the bytes; after the first piece if nobody knows how many there will be."""
        has_stalled = False
        async for piece in body:
            left = len(piece) if half is None else half
            if has_stalled or len(piece) < left:
                yield piece
            else:
                if left:
                    yield piece[:left]
                await self._stall(injection)
                has_stalled = True
                if piece[left:]:
                    yield piece[left:]
            if half is not None:
                half -= len(piece)

    async def _stall(self, injection: Injection) -> None:
        injection.note()
        await pause(injection.exchange, self.seconds)
