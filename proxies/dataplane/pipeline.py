"""The request path: every stage in its order. A stage answers early by returning a Reply, or lets the exchange go on
with None."""

from __future__ import annotations

import asyncio
import logging

from providers.base import Condition
from proxies.dataplane import intake
from proxies.dataplane.admission import check_access
from proxies.dataplane.delivery import ClientLeft, Delivery, Reply, note_client_left, refusal
from proxies.dataplane.errors import ErrorKind, UpstreamError
from proxies.dataplane.exchange import Exchange
from proxies.dataplane.faulting import Faulting
from proxies.dataplane.faults.base import Cut
from proxies.dataplane.forwarding import Forwarding
from proxies.dataplane.limiting import Limiting
from proxies.dataplane.records import Outcome
from proxies.dataplane.replaying import Replaying
from proxies.dataplane.single_flight import FellBehind, LeaderLeft

logger = logging.getLogger("rubberduck.dataplane")

_CONDITIONS = {
    ErrorKind.TIMEOUT: Condition.GATEWAY_TIMEOUT,
    ErrorKind.NO_CREDENTIALS: Condition.NO_CREDENTIALS,
    ErrorKind.BODY_TOO_LARGE: Condition.TOO_LARGE,
    ErrorKind.BODY_TIMEOUT: Condition.REQUEST_TIMEOUT,
    ErrorKind.BAD_REQUEST: Condition.BAD_REQUEST,
    ErrorKind.INTERNAL: Condition.INTERNAL,
}


class Pipeline:
    """One worker's request path."""

    def __init__(
        self,
        limiting: Limiting,
        faulting: Faulting,
        replaying: Replaying,
        forwarding: Forwarding,
        delivery: Delivery,
    ) -> None:
        self._limiting = limiting
        self._faulting = faulting
        self._replaying = replaying
        self._forwarding = forwarding
        self._delivery = delivery

    async def answer(self, exchange: Exchange) -> Reply:
        """The reply to one request. Raises UpstreamError, ClientLeft or Cut when there is none."""
        if exchange.connection.is_gone:  # left between its request and the first turn of this task
            raise ClientLeft
        reply = check_access(exchange)
        if reply is None:
            reply = intake.route(exchange)
        if reply is None:
            reply = await intake.take_body(exchange)
        if reply is not None:
            return reply
        runtime = exchange.runtime
        if runtime.limits_all and not self._limiting.admits(exchange):
            reply = await self._limiting(exchange)
            if reply is not None:
                return reply
        if runtime.may_fault:
            decision = self._faulting.decide(exchange)
            if decision is not None:
                reply = await self._faulting.carry_out(exchange, decision)
                if reply is not None:
                    return reply
        reply = await self._replaying(exchange)
        if reply is None:
            reply = await self._forwarding(exchange, self._limiting if runtime.limits_misses else None)
        return await self._faulting.damage(exchange, reply) if exchange.damages else reply

    async def run(self, exchange: Exchange) -> None:
        """Answers one request and records it, whatever happens."""
        record = exchange.record
        delivery = self._delivery
        try:
            try:
                await delivery.deliver(exchange, await self.answer(exchange))
            except UpstreamError as error:
                await self._fail(exchange, error)
        except Cut as cut:
            delivery.record(exchange)
            if cut.is_reset:
                exchange.connection.reset()
            else:
                exchange.connection.cut()
        except (ClientLeft, LeaderLeft):
            note_client_left(exchange)
        except FellBehind:
            record.outcome, record.error_kind = Outcome.CLIENT_LEFT, ErrorKind.CLIENT_LEFT
            record.error = "The client took nothing for so long that a shared reply went on without it."
            exchange.connection.cut()
        except asyncio.CancelledError:
            if not exchange.has_left:
                if record.outcome != Outcome.FAULT:  # a hang ends like this
                    record.outcome = Outcome.ERROR
                record.error_kind = ErrorKind.INTERNAL
                record.error = "The proxy was stopped before the reply was complete."
                raise
            note_client_left(exchange)
        except Exception:
            logger.exception(
                "proxy %r: %s %s failed", record.proxy_name, record.method, record.operation or "unknown operation"
            )
            await self._fail(
                exchange, UpstreamError(ErrorKind.INTERNAL, "Rubberduck failed on this request.", is_retryable=False)
            )
        finally:
            delivery.record(exchange)
            # these lead back to the exchange: with them gone it is freed at once, bodies and all
            exchange.connection.on_left = None
            exchange.flight = None
            exchange.reading = None
            exchange.damages = ()
            exchange.at_end = ()

    async def _fail(self, exchange: Exchange, error: UpstreamError) -> None:
        """Answers in the provider's shape, or cuts a reply that has begun: a clean end would look like success."""
        record = exchange.record
        if exchange.is_recorded:
            return
        if exchange.has_left:
            note_client_left(exchange)
            return
        record.outcome, record.error_kind, record.error = Outcome.ERROR, error.kind, error.message
        if exchange.has_head_gone_out:
            self._delivery.record(exchange)
            exchange.connection.cut()
            return
        await self._delivery.deliver(
            exchange, refusal(exchange, _CONDITIONS.get(error.kind, Condition.BAD_GATEWAY), error.message, error.kind)
        )
