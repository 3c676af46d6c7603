"""A reply at a slow model's pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Fault, Injection, Stage, setting
from proxies.dataplane.faults.pause import pause
from proxies.dataplane.faults.stream import Stream, framing_of, replace_body
from proxies.dataplane.faults.tokens import tokens_of_body

DEFAULT_TOKENS_PER_SECOND = 10.0


@dataclass(frozen=True)
class Slow(Fault):
    """Holds back what comes too early; what comes later than the pace asks passes at once."""

    kind = "slow"
    title = "Slow reply"
    summary = (
        "A stream begins after its time to first token and goes on at so many tokens a second; any other reply comes "
        "when such a stream would end."
    )
    stage = Stage.DAMAGE
    order = 50

    ttft: float | None = setting(
        None, "Seconds to the first token: how long after the request the reply begins.", ge=0, le=3600, example=2
    )
    tokens_per_second: float | None = setting(
        None,
        "How fast it goes on. Left out: as fast as it comes, or, without a time to first token, "
        f"{DEFAULT_TOKENS_PER_SECOND:g}.",
        gt=0,
        le=1_000_000,
        example=20,
    )
    jitter: float = setting(
        0.0,
        "By how much each wait may be longer or shorter: 0 for not at all, 1 for anything from nothing to twice.",
        ge=0,
        le=1,
        example=0.3,
    )

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        pace = Pace(self, injection)
        kind = framing_of(reply, injection.exchange)
        body = reply.body
        tokens = 0
        if kind is not None:
            stream = Stream(reply, kind, injection)
            replace_body(reply, _paced(stream, pace), stream.events, keeps_length=True)
        elif isinstance(body, bytes):
            told = injection.exchange.record.output_tokens
            tokens = tokens_of_body(body) if told is None else told
        else:
            replace_body(reply, _held(body, pace, injection), keeps_length=True)
        begins = reply.before_head

        async def wait() -> None:
            if begins is not None:
                await begins()
            await pace.wait(tokens)

        reply.before_head = wait
        return reply


class Pace:
    """When the pieces of one reply may go out. Nothing is made up for: the pace goes on from where a late one came."""

    __slots__ = ("_due", "_injection", "_jitter", "_loop", "_rate", "_waits")

    def __init__(self, settings: Slow, injection: Injection) -> None:
        self._rate = settings.tokens_per_second
        if self._rate is None and settings.ttft is None:
            self._rate = DEFAULT_TOKENS_PER_SECOND
        self._jitter = settings.jitter
        self._injection = injection
        self._waits = 0
        self._loop = asyncio.get_running_loop()
        # By the time a reply from upstream is here, some of its time to first token has passed. Event loops run by the
        # same clock as exchanges.
        began_at = injection.exchange.upstream_started_at or self._loop.time()
        self._due = began_at + self._varied(settings.ttft or 0.0)

    def _varied(self, seconds: float) -> float:
        if not (self._jitter and seconds):
            return seconds
        self._waits += 1
        return seconds * (1 + self._jitter * (2 * self._injection.draw(f"wait {self._waits}") - 1))

    async def wait(self, tokens: int = 0) -> None:
        """Until that many tokens more may be there: in the beginning, until the time to first token is over."""
        if self._rate is not None and tokens:
            self._due += self._varied(tokens / self._rate)
        now = self._loop.time()
        if self._due > now:
            self._injection.note()
            await pause(self._injection.exchange, self._due - now)
        else:
            self._due = now


async def _paced(stream: Stream, pace: Pace) -> AsyncGenerator[bytes, None]:
    """A stream; its first token is due with its head."""
    has_begun = False
    async for piece in stream:
        tokens = stream.tokens(piece)
        if tokens:
            await pace.wait(tokens if has_begun else 0)
            has_begun = True
        yield piece


async def _held(body: AsyncGenerator[bytes, None], pace: Pace, injection: Injection) -> AsyncGenerator[bytes, None]:
    """Another reply whose end is yet to come: its last piece waits for all of its tokens, which are known by then."""
    held = b""
    async for chunk in body:
        if held:
            yield held
        held = chunk
    await pace.wait(injection.exchange.record.output_tokens or 0)
    yield held
