"""The fault stage: has the engine decide, waits, replaces the reply, and later damages the one on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from types import TracebackType

from providers.base import Condition
from proxies.dataplane.config import ProxyConfig
from proxies.dataplane.delivery import Reply, refusal
from proxies.dataplane.errors import ErrorKind
from proxies.dataplane.exchange import Clock, Exchange
from proxies.dataplane.faults.base import Fault, Injection, Stage
from proxies.dataplane.faults.engine import Chosen, Decision, FaultEngine
from proxies.dataplane.faults.header import FAULT_HEADER, InvalidFaultHeader, read_header
from proxies.dataplane.faults.plain import make_plain
from proxies.dataplane.faults.stream import framing_of
from proxies.dataplane.faults.whole import make_whole
from proxies.dataplane.records import Outcome, RequestRecord

_HEADER = FAULT_HEADER.encode()


class Faulting:
    """One worker's fault stage."""

    def __init__(self, config: ProxyConfig, clock: Clock) -> None:
        self._clock = clock
        self._engine = FaultEngine(config.faults, clock)
        self.swap(config)

    def swap(self, config: ProxyConfig) -> None:
        """Takes effect for every request from now on."""
        self._may_act = config.faults.may_act
        self._allows_header = config.faults.allows_header
        self._engine.swap(config.faults)

    def decide(self, exchange: Exchange) -> Decision | Reply | None:
        """Decides for one exchange, once: what `carry_out` then does; None: nothing happens to it."""
        if not self._may_act:  # switched off since this request came in
            return None
        record = exchange.record
        engine = self._engine
        if self._allows_header and (value := exchange.fields.get(_HEADER)) is not None:
            try:
                asked = read_header(value)
            except InvalidFaultHeader as error:
                record.decision = engine.take_number()
                reply = refusal(exchange, Condition.BAD_REQUEST, str(error), ErrorKind.BAD_REQUEST)
                record.error = f"The {FAULT_HEADER} header asks for something there is not."  # never its own text
                return reply
            if asked is not None:
                record.decision = engine.take_number()
                return self._obey(asked, exchange.facts.is_streaming)
        needed = engine.needed_fields.get((record.operation, record.model, exchange.facts.is_streaming))
        if needed is not None and exchange.fields.keys().isdisjoint(needed):
            record.decision = engine.number = engine.number + 1
            return None
        decision = engine.decide(
            record.operation,
            record.model,
            exchange.facts.is_streaming,
            record.path,
            exchange.fields,
            record.client_ip,
            record.prompt_hash,
        )
        record.decision = engine.number
        return decision

    async def carry_out(self, exchange: Exchange, decision: Decision | Reply) -> Reply | None:
        """Waits out the delays. A reply in the place of the real one, or None; then what is to be done to the real one
        is in `exchange.damages`. Raises Cut."""
        return decision if isinstance(decision, Reply) else await self._carry_out(exchange, decision)

    def _obey(self, faults: tuple[Fault, ...], is_streaming: bool) -> Decision | None:
        """The decision that is nothing but what was asked for."""
        chosen = [
            Chosen(fault, self._engine.amounts(f"header:{place}"))  # no rule has a colon in its id
            for place, fault in enumerate(faults, 1)
            if fault.streams is None or fault.streams is is_streaming
        ]
        if not chosen:
            return None
        of_stage = {stage: [one for one in chosen if one.fault.stage is stage] for stage in Stage}
        return Decision(of_stage[Stage.DELAY], next(iter(of_stage[Stage.REPLACE]), None), of_stage[Stage.DAMAGE])

    async def _carry_out(self, exchange: Exchange, decision: Decision) -> Reply | None:
        record = exchange.record
        if decision.delays:
            record.fault = _kinds([one.fault for one in decision.delays])
            await asyncio.sleep(sum(one.fault.wait_s(one.draw) for one in decision.delays))
        now = self._clock.wall()
        chosen = decision.replacement
        if chosen is not None:
            record.outcome = Outcome.FAULT
            record.fault = _kinds([*(one.fault for one in decision.delays), chosen.fault])
            return await chosen.fault.replace(Injection(chosen.fault, exchange, chosen.draw, now))
        if decision.damages:
            damages = sorted(decision.damages, key=lambda one: one.fault.order)
            exchange.damages = [Injection(one.fault, exchange, one.draw, now) for one in damages]
            if any(one.fault.drops_upstream for one in damages):
                exchange.may_record = False
        return None

    async def damage(self, exchange: Exchange, reply: Reply) -> Reply:
        """The reply after the faults in `exchange.damages`. An error stays as it is."""
        if reply.status >= 400 or exchange.method == "HEAD":
            return reply
        source = reply.body
        if framing_of(reply, exchange) is None:
            reply = await make_whole(reply)
            if not isinstance(source, bytes) and not isinstance(reply.body, bytes) and reply.body is not source:
                reply.body = _Closing(reply.body, source)
        damaged = make_plain(reply)
        if damaged is None:
            return reply
        holding = []
        try:
            for injection in exchange.damages:
                changed = injection.fault.damage(damaged, injection)
                if changed is not None:
                    damaged = changed
                    holding.append(injection)
        except BaseException:
            if not isinstance(source, bytes):
                await source.aclose()
            raise
        if not holding:
            return reply
        if not isinstance(source, bytes):
            damaged.body = _Closing(damaged.body, source)
        _note(exchange, holding)
        return damaged


def _note(exchange: Exchange, holding: list[Injection]) -> None:
    """Puts faults that took hold into the record, and sees to it that those which never came about leave it again."""
    record = exchange.record
    outcome, before = record.outcome, record.fault

    def named(injections: list[Injection]) -> str:
        return ",".join([*([before] if before else []), *(one.fault.kind for one in injections)])

    def settle(record: RequestRecord) -> None:
        happened = [injection for injection in holding if injection.has_happened]
        record.fault = named(happened)
        if happened:
            record.outcome = Outcome.FAULT
        elif record.outcome == Outcome.FAULT:
            has_missed_some = exchange.has_left and not exchange.has_had_all
            record.outcome = Outcome.CLIENT_LEFT if has_missed_some else outcome

    record.outcome, record.fault = Outcome.FAULT, named(holding)
    exchange.at_end = (*exchange.at_end, settle)


def _kinds(faults: list[Fault]) -> str:
    return ",".join([fault.kind for fault in faults])


class _Closing(AsyncGenerator[bytes, None]):
    """A damaged body that closes the one it was made of, even if nobody ever asks for its first chunk."""

    def __init__(self, body: bytes | AsyncGenerator[bytes, None], source: AsyncGenerator[bytes, None]) -> None:
        self._body = _single(body) if isinstance(body, bytes) else body
        self._source = source

    async def __anext__(self) -> bytes:
        return await self._body.__anext__()

    async def asend(self, value: None) -> bytes:
        return await self._body.asend(value)

    async def athrow(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
    ) -> bytes:
        return await self._body.athrow(typ, val, tb)  # type: ignore[arg-type]

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        finally:
            await self._source.aclose()


async def _single(body: bytes) -> AsyncGenerator[bytes, None]:
    if body:
        yield body
