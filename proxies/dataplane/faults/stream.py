"""What all faults of streams have in common: they take a reply's body event by event and give another one.

```
upstream -> taps -> body -> whole events -> the fault's own pieces -> the client
```
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

from proxies.dataplane.delivery import Reply
from proxies.dataplane.exchange import Exchange
from proxies.dataplane.faults.base import Fault, Injection, Stage
from proxies.dataplane.faults.events import Framing, framing, is_event, whole_events, without_comma
from proxies.dataplane.faults.tokens import tokens_of_event

Body = bytes | AsyncGenerator[bytes, None]


class MadeBody(AsyncGenerator[bytes, None]):
    """A body that `work` makes of other ones, `sources`: closing it closes all, even if nothing was read of it."""

    __slots__ = ("_sources", "_work")

    def __init__(self, work: AsyncGenerator[bytes, None], *sources: Body) -> None:
        self._work = work
        self._sources = sources

    def __anext__(self) -> Any:
        return self._work.__anext__()

    async def asend(self, value: None) -> bytes:
        return await self._work.asend(value)

    async def athrow(self, *error: Any) -> bytes:
        return await self._work.athrow(*error)

    async def aclose(self) -> None:
        async with contextlib.AsyncExitStack() as closing:
            for source in reversed(self._sources):
                if not isinstance(source, bytes):
                    closing.push_async_callback(source.aclose)
            await self._work.aclose()


def content_type(reply: Reply) -> bytes:
    """The reply's content type, as it says it; empty when it says none."""
    return next((value for name, value in reply.headers if name.lower() == b"content-type"), b"")


def framing_of(reply: Reply, exchange: Exchange) -> Framing | None:
    """How this reply marks its events; None for a reply that is no stream."""
    kind = framing(content_type(reply), is_streaming=exchange.facts.is_streaming)
    if kind is Framing.JSON_ARRAY:
        operation = exchange.call.operation
        if operation is None or operation.streams != "always":  # a stream was asked for, and was not to be had
            return None
        if isinstance(reply.body, bytes) and not reply.body.lstrip().startswith(b"["):
            return None
    return kind


def replace_body(reply: Reply, work: AsyncGenerator[bytes, None], *between: Body, keeps_length: bool = False) -> Reply:
    """The reply with the body `work` makes of the one it has, by way of those `between`. `keeps_length`: it is as long
    as that."""
    reply.body = MadeBody(work, *between, reply.body)
    if not keeps_length:
        reply.headers = [header for header in reply.headers if header[0].lower() != b"content-length"]
    return reply


class Stream:
    """A reply's events, and what there is to know of them."""

    __slots__ = ("content_type", "events", "injection", "kind")

    def __init__(self, reply: Reply, kind: Framing, injection: Injection) -> None:
        self.events = whole_events(reply.body, kind)
        self.content_type = content_type(reply)
        self.kind = kind
        self.injection = injection

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.events

    def is_event(self, piece: bytes) -> bool:
        """Whether it counts: comments, and the brackets of a JSON array, do not."""
        return is_event(piece, self.kind)

    def is_end(self, piece: bytes) -> bool:
        """Whether it closes a JSON array: no event can come after it."""
        return self.kind is Framing.JSON_ARRAY and without_comma(piece).startswith(b"]")

    def tokens(self, piece: bytes) -> int:
        """How many tokens of the answer it carries, about; 0 for none."""
        return tokens_of_event(piece, self.kind)

    def after(self, piece: bytes) -> bytes:
        """The event, fit to stand behind itself."""
        if self.kind is not Framing.JSON_ARRAY:
            return piece
        return b",\r\n" + without_comma(piece)

    def exchanged(self, first: bytes, second: bytes) -> tuple[bytes, bytes]:
        """The two events in the other order."""
        if self.kind is not Framing.JSON_ARRAY:
            return second, first
        one, other = without_comma(first), without_comma(second)
        return first.removesuffix(one) + other, second.removesuffix(other) + one


@dataclass(frozen=True)
class StreamFault(Fault):
    """A fault of streams: overrides `pieces`."""

    stage = Stage.DAMAGE
    streams = True

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        kind = framing_of(reply, injection.exchange)
        if kind is None:
            return None
        stream = Stream(reply, kind, injection)
        return replace_body(reply, self.pieces(stream), stream.events)

    def pieces(self, stream: Stream) -> AsyncGenerator[bytes, None]:
        """What the client gets. What is no event to it (see `Stream.is_event`) is passed on."""
        raise NotImplementedError
