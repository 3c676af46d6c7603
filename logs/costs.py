"""What a logged exchange cost, and what a replay saved: Decimal US dollars with ten places."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from logs.models import RequestLog
from providers.base import EMULATED, Usage
from providers.pricing import price
from providers.registry import all_providers
from proxies.dataplane.errors import ErrorKind
from proxies.dataplane.records import CacheResult, Outcome

logger = logging.getLogger(__name__)

_PLACE = Decimal("1E-10")
_TOO_MUCH = Decimal(10) ** 10  # for the column
_NOTHING = Decimal(0)
_REFUSED = frozenset({Outcome.BLOCKED, Outcome.LIMITED})
# Errors on the way to the upstream that came before a byte of the request did.
_NOT_SENT = frozenset(
    {
        ErrorKind.UNREACHABLE,
        ErrorKind.TLS,
        ErrorKind.ADDRESS_REFUSED,
        ErrorKind.LOOP,
        ErrorKind.NO_CREDENTIALS,
    }
)


def set_costs(row: RequestLog, *, reply_model: str, service_tier: str, details: Mapping[str, float]) -> None:
    """Fills in the costs of a row whose other fields are complete; None where they are not known.

    What a recording or an emulated upstream answered costs nothing, and avoids what the provider would have charged.
    A fault in the place of a reply costs nothing either; a reply damaged on its way was paid for all the same.
    """
    if row.cache == CacheResult.HIT:
        row.cost_usd = _NOTHING
        row.cost_avoided_usd = _price(row, reply_model, service_tier, details)
    elif _bought_nothing(row):
        row.cost_usd = _NOTHING
    elif row.endpoint == EMULATED.endpoint:
        row.cost_usd = _NOTHING
        row.cost_avoided_usd = _price(row, reply_model, service_tier, details)
    else:
        row.cost_usd = _price(row, reply_model, service_tier, details)


def _bought_nothing(row: RequestLog) -> bool:
    if row.outcome in _REFUSED or not row.attempts or row.error_kind in _NOT_SENT:
        return True
    if row.error_kind == ErrorKind.UPSTREAM_STATUS:
        provider = all_providers().get(row.provider)
        return provider is not None and row.status not in provider.charged_errors
    return False


def _price(row: RequestLog, reply_model: str, service_tier: str, details: Mapping[str, float]) -> Decimal | None:
    tokens = (row.input_tokens, row.output_tokens, row.cached_tokens, row.cache_write_tokens, row.reasoning_tokens)
    # Prices change at full minutes at most, and replays of one recording cost the same.
    minute = row.started_at.replace(second=0, microsecond=0)
    return _cached_price(
        row.provider,
        row.operation,
        reply_model,
        row.model,
        tokens,
        service_tier,
        tuple(details.items()) if details else (),
        minute,
    )


@lru_cache(maxsize=8192)
def _cached_price(
    provider: str,
    operation: str,
    reply_model: str,
    model: str,
    tokens: tuple[int | None, ...],
    service_tier: str,
    details: tuple[tuple[str, float], ...],
    at: datetime,
) -> Decimal | None:
    total_in, total_out, cached, written, reasoning = tokens
    usage = Usage(
        total_in, total_out, cached, written, reasoning, reply_model or None, service_tier or None, dict(details)
    )
    try:
        amount = price(provider, operation, reply_model or None, model or None, usage, at=at)
    except Exception:
        # The border to a library that is given whatever upstreams say: its surprise costs a price, not the record.
        logger.exception("pricing %s %s failed", provider, operation)
        return None
    if amount is None or not _NOTHING <= amount < _TOO_MUCH:
        return None
    return amount.quantize(_PLACE)
