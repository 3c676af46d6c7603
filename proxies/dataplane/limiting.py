"""The rate limit stage: whether a request is within the proxy's limits, and what it is told when it is not."""

from __future__ import annotations

import os
from collections import OrderedDict
from functools import partial

from providers.faults.base import Asked
from providers.faults.registry import get_faults
from proxies.dataplane.cache_key import BodyForm
from proxies.dataplane.config import LimitScope, OverLimit, ProxyConfig, RateLimitConfig
from proxies.dataplane.credential_hash import credential_hash
from proxies.dataplane.delivery import Reply
from proxies.dataplane.exchange import Clock, Exchange
from proxies.dataplane.held import Dismissed, Line
from proxies.dataplane.rate_limit import Bucket, Over
from proxies.dataplane.records import Outcome
from proxies.dataplane.token_estimates import TokenEstimates

MAX_BUCKETS = 100_000
"""Clients or credentials counted at a time; past that, the one that was silent longest is forgotten."""

_MULTIPART = BodyForm.MULTIPART
_PROXY, _CLIENT = LimitScope.PROXY, LimitScope.CLIENT


class Limiting:
    """One worker's rate limit. What was counted outlives a change of the configuration, unless from then on other
    requests are counted together."""

    def __init__(self, config: ProxyConfig, clock: Clock) -> None:
        self._clock = clock
        self._monotonic = clock.monotonic
        self._limits = config.rate_limit
        self._buckets: OrderedDict[str | bytes, Bucket] = OrderedDict()  # by client or credential; last asked, last
        self._last_key: str | bytes | None = None  # of the bucket that was asked last
        self._last_bucket = Bucket()
        self._lines: set[Line] = set()
        self._estimates = TokenEstimates()
        self._secret = os.urandom(32)

    def swap(self, config: ProxyConfig) -> None:
        """Takes effect for every request from now on, those that wait included."""
        before, self._limits = self._limits, config.rate_limit
        if self._limits.scope != before.scope:
            self._buckets.clear()
            self._last_key = None
        if self._limits != before:
            for line in list(self._lines):
                line.dismiss()

    def admits(self, exchange: Exchange) -> bool:
        """Whether a request is within the limit, and nobody waits before it: then it is counted. Else it is to be
        awaited what becomes of it: this costs a coroutine only where there is something to wait for or to refuse."""
        limits = self._limits
        rpm, tpm = limits.rpm, limits.tpm
        now = self._monotonic()
        record = exchange.record
        key = record.client_ip if limits.scope is _CLIENT else self._key(exchange)
        bucket = self._last_bucket if key == self._last_key else self._bucket(key, now)
        reservation = 0
        if tpm is not None:
            if bucket.unreserved is not None:
                self._reserve(bucket)
            # Within half of its tokens one request at a time goes without a reservation: most are answered from the
            # cache before anybody asks for it.
            if (
                (bucket.tokens.at_most + bucket.reserved + record.request_bytes) * 2 <= tpm
                and bucket.line is None
                and exchange.body_key is not None
                and not limits.shows_quota
                and (rpm is None or bucket.requests.at_most < rpm or bucket.requests.used(now) < rpm)
            ):
                bucket.unreserved = exchange
                exchange.bucket = bucket
                if rpm is not None:
                    bucket.requests.add(now)
                return True
            reservation = self._reservation(exchange)
        if bucket.line is not None and (rpm is not None or reservation):
            return False
        # Far from its limits, a bucket need not look at what is over by now.
        if (
            (rpm is not None and bucket.requests.at_most >= rpm)
            or (tpm is not None and bucket.tokens.at_most + bucket.reserved + reservation > tpm)
        ) and bucket.over(now, rpm, tpm, reservation) is not None:
            return False
        bucket.admit(now, rpm, reservation)
        if tpm is not None:
            exchange.bucket = bucket
            exchange.reservation = reservation
        if limits.shows_quota:
            self._show_quota(exchange, bucket, now)
        return True

    async def __call__(self, exchange: Exchange) -> Reply | None:
        """The provider's 429 for a request over the limit; None for one within it, possibly after a wait."""
        arrived = self._monotonic()
        connection = exchange.connection
        record = exchange.record
        while not self.admits(exchange):
            limits = self._limits
            rpm, tpm = limits.rpm, limits.tpm
            now = self._monotonic()
            bucket = self._bucket(self._key(exchange), now)
            if limits.over_limit != OverLimit.HOLD or connection.is_draining:
                over = bucket.over(now, rpm, tpm, 0 if tpm is None else self._reservation(exchange))
                if over is None:  # it fits, but others wait before it, and the proxy is stopping
                    over = Over("requests", 0.0)
                return self._refuse(exchange, bucket, limits, over)
            line = bucket.line or Line(bucket, limits, self._monotonic, self._lines)
            record.rate_limit = "limited"  # until its turn has come: its client may not wait for that
            connection.on_drain = line.refuse_late
            try:
                turn = await line.wait(arrived, _no_tokens if tpm is None else partial(self._reservation, exchange))
            except Dismissed:
                record.rate_limit = "passed"
                continue
            finally:
                connection.on_drain = None
            if isinstance(turn, Over):
                return self._refuse(exchange, bucket, limits, turn)
            record.rate_limit = "passed"
            if tpm is not None:
                exchange.bucket = bucket
                exchange.reservation = turn
            if limits.shows_quota:
                self._show_quota(exchange, bucket, self._monotonic())
            break
        return None

    def _show_quota(self, exchange: Exchange, bucket: Bucket, now: float) -> None:
        quota = bucket.quota(now, self._limits.rpm, self._limits.tpm)
        exchange.reply_headers = get_faults(exchange.runtime.provider.id).quota_headers(quota, self._clock.wall())

    def _reservation(self, exchange: Exchange) -> int:
        key = exchange.body_key
        if key is None:
            return self._estimates.before(exchange.call.operation, _declared_bytes(exchange), False, None)
        return self._estimates.before(
            exchange.call.operation,
            exchange.record.request_bytes,
            key.form is _MULTIPART,
            exchange.facts.max_output_tokens,
        )

    def _reserve(self, bucket: Bucket) -> None:
        """Reserves for the request that went without, now that another one asks."""
        exchange, bucket.unreserved = bucket.unreserved, None
        if exchange is not None:
            exchange.reservation = self._reservation(exchange)
            bucket.reserve(exchange.reservation)

    def settle(self, exchange: Exchange, bucket: Bucket) -> None:
        """Counts what a reply has used, in the place of what was reserved for it. To be called once, at its end."""
        key = exchange.body_key
        tokens = self._estimates.after(
            exchange.call.operation, exchange.record, key is not None and key.form is _MULTIPART
        )
        if bucket.unreserved is exchange:
            bucket.unreserved = None
            if tokens:
                bucket.tokens.add(self._monotonic(), tokens)
            return
        bucket.settle(self._monotonic(), exchange.reservation, tokens)
        if bucket.line is not None:
            bucket.line.look()

    def _key(self, exchange: Exchange) -> str | bytes:
        """What a request is counted by."""
        scope = self._limits.scope
        if scope == _PROXY:
            return ""
        if scope == _CLIENT:
            return exchange.record.client_ip
        return credential_hash(exchange.fields, exchange.query, self._secret)

    def _bucket(self, key: str | bytes, now: float) -> Bucket:
        buckets = self._buckets
        bucket = buckets.get(key)
        if bucket is None:
            self._forget(now)
            bucket = buckets[key] = Bucket()
        else:
            buckets.move_to_end(key)
        self._last_key, self._last_bucket = key, bucket
        return bucket

    def _forget(self, now: float) -> None:
        """Makes room for one more bucket: with every new one up to two old ones are looked at."""
        buckets = self._buckets
        for _ in range(min(2, len(buckets))):
            key, bucket = next(iter(buckets.items()))
            if bucket.is_idle(now):
                del buckets[key]
            elif bucket.in_flight or bucket.line is not None or bucket.unreserved is not None:
                buckets.move_to_end(key)
            else:
                break
        if len(buckets) >= MAX_BUCKETS:
            buckets.popitem(last=False)

    def _refuse(self, exchange: Exchange, bucket: Bucket, limits: RateLimitConfig, over: Over) -> Reply:
        record = exchange.record
        record.outcome, record.rate_limit = Outcome.LIMITED, "limited"
        asked = Asked(
            call=exchange.call,
            request_id=record.id,
            now=self._clock.wall(),
            model=record.model,
            is_streaming=exchange.facts.is_streaming,
            query=exchange.query,
            headers=exchange.fields,
        )
        quota = bucket.quota(self._monotonic(), limits.rpm, limits.tpm)
        faults = get_faults(exchange.runtime.provider.id)
        made = faults.limited(asked, quota, over.exceeded, over.wait_s)
        return Reply(made.status, [*made.headers, (b"content-length", b"%d" % len(made.body))], made.body)


def _no_tokens() -> int:
    return 0


def _declared_bytes(exchange: Exchange) -> int:
    """The length of a body that streams through, as its client says; 0 when it does not."""
    declared = exchange.fields.get(b"content-length", b"")
    return int(declared) if declared.isdigit() else 0
