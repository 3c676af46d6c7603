"""What an exchange cost: tokens to US dollars, over the prices that come with `genai-prices`.

The prices are data inside that package: nothing here touches the network, and no price is written in this code.
Unknown stays unknown: a cost is None, never 0, when the model is not in the data, the usage is incomplete, or something
was charged for that the data has no price for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache

from genai_prices import types as library
from genai_prices.data_snapshot import get_snapshot
from genai_prices.data_units import unit_data

from providers.base import Provider, Usage
from providers.registry import all_providers

# "auto" is the caller's word for "you choose"; the other tiers are always told by name.
_STANDARD_TIERS = frozenset({"", "auto", "default", "on_demand", "standard"})
_TIER_KEYS = ("service_tier", "speed", "processing")
# Chat models charge image tokens as input tokens, and have no separate price for them.
_PRICED_AS_PARENT = frozenset({"input_image_tokens", "output_image_tokens"})


def price(
    provider_id: str, operation: str, reply_model: str | None, request_model: str | None, usage: Usage, *, at: datetime
) -> Decimal | None:
    """The cost of an exchange that reached the provider; None if it is not known.

    The model the reply names decides; the requested one is asked when the prices do not know that (or there is none).
    `at` is when the request was made (prices change), aware. Operations the provider never charges for cost 0.
    """
    provider = all_providers().get(provider_id)
    if provider is None:
        return None
    if operation in _free_operations(provider):
        return Decimal(0)
    for model in (reply_model, request_model):
        if model and _find(provider.price_provider, model) is not None:
            return cost_usd(provider.price_provider, model, usage, at=at)
    return None


def cost_usd(price_provider: str, model: str, usage: Usage, *, at: datetime) -> Decimal | None:
    """The price of `usage` of one model, None if it is not known.

    `price_provider`: the library's name for the provider. A service tier other than the standard one is priced only
    where the data has prices for it: a guess would be wrong by a factor of two.
    """
    found = _find(price_provider, model)
    if found is None:
        return None
    provider, info = found
    context = _tier_context(provider, info, usage.service_tier, at)
    if context is None:
        return None
    prices = info.get_prices(at, context)
    quantities = _quantities(prices, usage)
    if quantities is None:
        return None
    try:
        calculation = info.calc_price(
            library.Usage(**quantities), provider, genai_request_timestamp=at, price_context=context
        )
    except ValueError:  # the parts do not add up: more cached tokens than input tokens, say
        return None
    return calculation.total_price


def _quantities(prices: library.ModelPrice, usage: Usage) -> dict[str, float] | None:
    """The library's names for what was used, or None when that is not all known or not all priced."""
    quantities: dict[str, float] = {}
    for name, amount in usage.details.items():
        unit = unit_data.get(name)
        if unit is None:
            return None
        if getattr(prices, unit["price_key"]) is None and name not in _PRICED_AS_PARENT:
            return None
        quantities[name] = amount
    if usage.input_tokens is None and usage.output_tokens is None:
        seconds = quantities.get("input_audio_seconds")
        return None if seconds is None else {**quantities, "audio_seconds": seconds}
    if usage.input_tokens is None or usage.output_tokens is None or prices.input_mtok is None:
        return None
    if usage.output_tokens and prices.output_mtok is None:
        return None
    quantities["input_tokens"] = usage.input_tokens
    quantities["output_tokens"] = usage.output_tokens
    quantities["cache_read_tokens"] = usage.cached_tokens or 0
    quantities["cache_write_tokens"] = usage.cache_write_tokens or 0
    return quantities


def _tier_context(
    provider: library.Provider, info: library.ModelInfo, tier: str | None, at: datetime
) -> Mapping[str, str] | None:
    """What selects the tier's prices; empty for the standard ones, None when the data has no prices for the tier."""
    if tier is None or tier.lower() in _STANDARD_TIERS:
        return {}
    # The library ignores the tier of a model that it found under another provider.
    if any(info is model for model in provider.models):
        for key in _TIER_KEYS:
            for variant in info.price_variants or ():
                is_active = variant.constraint is None or variant.constraint.active(at)
                if is_active and variant.when == {key: tier.lower()}:
                    return {key: tier.lower()}
    return None


@cache
def _free_operations(provider: Provider) -> frozenset[str]:
    return frozenset(operation.name for operation in provider.operations if operation.is_free)


@lru_cache(maxsize=4096)
def _find(price_provider: str, model: str) -> tuple[library.Provider, library.ModelInfo] | None:
    snapshot = get_snapshot()
    try:
        provider = snapshot.find_provider(None, price_provider, None)
    except LookupError:
        return None
    info = provider.find_model(model, all_providers=snapshot.providers)
    return None if info is None else (provider, info)
