"""The cache stage: decides what the cache may do, answers from a recording, or says loudly that there is none."""

from __future__ import annotations

import asyncio
import random

from providers.base import Condition
from proxies.dataplane.cache import BadControl, decide
from proxies.dataplane.delivery import Reply, refusal
from proxies.dataplane.errors import ErrorKind
from proxies.dataplane.exchange import Clock, Exchange
from proxies.dataplane.misses import Explainer
from proxies.dataplane.records import CacheResult, Outcome
from proxies.dataplane.replay import make_replay
from proxies.dataplane.stores.base import Recording
from proxies.dataplane.stores.tiered import TieredStore
from proxies.dataplane.taps import note_usage


class Replaying:
    """Answers from recordings. `store` holds those of this worker's proxy."""

    def __init__(self, store: TieredStore, explainer: Explainer, clock: Clock) -> None:
        self._store = store
        self._explainer = explainer
        self._clock = clock

    async def __call__(self, exchange: Exchange) -> Reply | None:
        """A recorded reply, or a refusal; None when the request is to go upstream."""
        fields = exchange.fields
        config = exchange.runtime.config.cache
        operation = exchange.call.operation
        body_key = exchange.body_key
        try:
            decision = decide(
                config,
                operation,
                exchange.facts,
                fields.get(b"x-rubberduck-cache"),
                fields.get(b"cache-control"),
                is_body_whole=body_key is not None,
            )
        except BadControl as error:
            return refusal(exchange, Condition.BAD_REQUEST, str(error), ErrorKind.BAD_REQUEST)
        exchange.decision = decision
        record = exchange.record
        record.cache = decision.result
        record.outcome = _OUTCOMES[decision.result]
        if body_key is not None and exchange.origin is not None and (decision.may_read or decision.may_write):
            key = exchange.key = exchange.runtime.keys.key(
                origin=exchange.origin,
                method=exchange.method,
                call=exchange.call,
                query=exchange.query,
                headers=exchange.headers,
                body=body_key,
            )
            if decision.may_read:
                recording = self._store.get_now(key)
                if recording is None:
                    recording = await self._store.get(key, is_last_resort=not decision.may_forward)
                if recording is not None and recording.is_fresh(self._clock.wall(), config.ttl_s):
                    reply = await self._replay(exchange, recording)
                    if reply is not None:
                        return reply
        if decision.may_forward:
            return None
        message = await self._explainer.explain(exchange, self._store, decision.reason)
        record.outcome = Outcome.ERROR
        reply = refusal(exchange, Condition.NO_RECORDING, message, ErrorKind.NO_RECORDING, code="no_recording")
        record.error = "Nothing is recorded for this request."  # the message names members of the request's body
        return reply

    async def _replay(self, exchange: Exchange, recording: Recording) -> Reply | None:
        replay = make_replay(
            recording, exchange.fields.get(b"accept-encoding"), exchange.runtime.config.cache.pace, random.random
        )
        if replay is None:
            return None
        record = exchange.record
        record.cache = CacheResult.HIT
        record.outcome = Outcome.HIT
        record.is_streaming = recording.is_streaming
        note_usage(exchange, recording.usage)
        if replay.delay_before_head_s:
            await asyncio.sleep(replay.delay_before_head_s)
        return Reply(
            replay.status, replay.headers, replay.paced_frames(asyncio.sleep) if replay.body is None else replay.body
        )


_OUTCOMES = {
    CacheResult.HIT: Outcome.HIT,
    CacheResult.MISS: Outcome.MISS,
    CacheResult.REFRESH: Outcome.MISS,
    CacheResult.BYPASS: Outcome.BYPASS,
    CacheResult.OFF: Outcome.BYPASS,
}
