"""Explains a replay miss: what was asked, which recording comes nearest, and where it differs."""

from __future__ import annotations

from proxies.dataplane.exchange import Exchange
from proxies.dataplane.nearest import Digester, Digests, describe_miss, find_nearest
from proxies.dataplane.stores.tiered import TieredStore


class Explainer:
    """`digest_key` belongs to this installation: recordings keep digests made with it, never a value."""

    def __init__(self, digest_key: bytes) -> None:
        self._digester = Digester(digest_key)

    def digests(self, exchange: Exchange) -> Digests:
        """The request's digests by JSON pointer; needs the whole body."""
        keys = exchange.runtime.keys
        fields = exchange.fields
        body = exchange.body
        assert isinstance(body, bytes)
        key = exchange.body_key
        if key is None or key.parsed is None:  # known from an equal body before
            key = keys.normalise(exchange.call, body, fields.get(b"content-type"), fields.get(b"content-encoding"))
        return self._digester.digests(
            exchange.call.path,
            keys.query(exchange.query),
            keys.meaningful_headers(exchange.headers),
            key.parsed,
            key.digest,
        )

    async def explain(self, exchange: Exchange, store: TieredStore, reason: str) -> str:
        """The message of a `no_recording` error. `reason`: why nothing was forwarded."""
        record = exchange.record
        nearest = None
        count = 0
        if record.operation and exchange.body_key is not None:
            candidates = await store.candidates(record.operation, exchange.runtime.config.cache.epoch)
            count = len(candidates)
            nearest = find_nearest(self.digests(exchange), candidates)
        return describe_miss(
            operation=record.operation,
            model=record.model,
            prompt_hash=record.prompt_hash,
            reason=reason,
            nearest=nearest,
            candidates=count,
        )
