"""Costs, checked by hand against the vendors' published prices."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from providers.base import Usage
from providers.pricing import cost_usd, price

AT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("provider", "model", "usage", "dollars"),
    [
        # 600 x 0.15 + 400 x 0.075 + 100 x 0.60, per million
        ("openai", "gpt-4o-mini", Usage(1000, 100, cached_tokens=400), "0.00018"),
        ("openai", "gpt-4o-mini-2024-07-18", Usage(1000, 100, cached_tokens=400, reasoning_tokens=50), "0.00018"),
        # 1000 x 3 + 200 x 3.75 + 300 x 0.30 + 100 x 15
        ("anthropic", "claude-sonnet-4-5", Usage(1500, 100, 300, 200), "0.00534"),
        # 800 x 5 + 200 x 10 + 100 x 25, and two searches at 10 a thousand
        (
            "anthropic",
            "claude-opus-4-6",
            Usage(1000, 100, 0, 200, details={"cache_write_1h_tokens": 200, "web_searches": 2}),
            "0.0285",
        ),
        ("openai", "text-embedding-3-small", Usage(1000, 0), "0.00002"),
        # 50 x 2.50 + 50 x 32 + 20 x 10 + 80 x 64
        (
            "openai",
            "gpt-audio",
            Usage(100, 100, details={"input_audio_tokens": 50, "output_audio_tokens": 80}),
            "0.007045",
        ),
        # 50 x 5 + 50 x 10 + 1000 x 40
        (
            "openai",
            "gpt-image-1",
            Usage(100, 1000, details={"input_image_tokens": 50, "output_image_tokens": 1000}),
            "0.04075",
        ),
        # an hour at 0.006 a minute
        ("openai", "whisper-1", Usage(details={"input_audio_seconds": 3600.0}), "0.36"),
        # 1000 x 2.50 + 100 x 10
        ("azure", "gpt-4o-2024-08-06", Usage(1000, 100), "0.0035"),
        ("openai", "gpt-4o-mini", Usage(0, 0), "0"),
    ],
)
def test_tokens_become_dollars(provider: str, model: str, usage: Usage, dollars: str) -> None:
    assert cost_usd(provider, model, usage, at=AT) == Decimal(dollars)


def test_a_long_prompt_has_its_own_price() -> None:
    short = cost_usd("google", "gemini-2.5-pro", Usage(200_000, 0), at=AT)
    long = cost_usd("google", "gemini-2.5-pro", Usage(200_001, 0), at=AT)
    assert (short, long) == (Decimal("0.25"), Decimal("0.5000025"))


@pytest.mark.parametrize(
    ("tier", "dollars"),
    [
        (None, "0.00225"),
        ("default", "0.00225"),
        ("auto", "0.00225"),
        ("flex", "0.001125"),
        ("priority", "0.0045"),
        ("batch", "0.001125"),
    ],
)
def test_a_known_tier_has_its_own_price(tier: str | None, dollars: str) -> None:
    assert cost_usd("openai", "gpt-5", Usage(1000, 100, service_tier=tier), at=AT) == Decimal(dollars)


@pytest.mark.parametrize(
    ("provider", "model", "usage"),
    [
        ("openai", "no-such-model", Usage(1, 1)),
        ("openai", "", Usage(1, 1)),
        ("nobody", "gpt-4o-mini", Usage(1, 1)),
        ("azure", "my-deployment", Usage(1, 1)),
        ("openai", "gpt-4o-mini", Usage()),
        ("openai", "gpt-4o-mini", Usage(10, None)),
        ("openai", "gpt-4o-mini", Usage(None, 10)),
        ("openai", "gpt-4o-mini", Usage(10, 10, cached_tokens=400)),
        ("openai", "gpt-4o-mini", Usage(10, 10, service_tier="flex")),
        ("openai", "gpt-5", Usage(10, 10, service_tier="ultrafast")),
        ("azure", "gpt-4o", Usage(10, 10, service_tier="priority")),
        ("openai", "whisper-1", Usage(10, 10)),
        ("openai", "tts-1", Usage(10, 10)),
        ("openai", "text-embedding-3-small", Usage(10, 10)),
        ("openai", "gpt-4o-audio-preview", Usage(10, 10, details={"output_audio_tokens": 5})),
        ("openai", "gpt-5", Usage(10, 10, details={"image_generation_tokens": 5})),
    ],
)
def test_what_cannot_be_priced_is_unknown_never_zero(provider: str, model: str, usage: Usage) -> None:
    assert cost_usd(provider, model, usage, at=AT) is None


def test_the_replys_model_decides_and_the_requested_one_helps_out() -> None:
    usage = Usage(1_000_000, 0)
    for reply_model, request_model, dollars in [
        ("gpt-4o-mini-2024-07-18", "gpt-4o", "0.15"),
        (None, "gpt-4o-mini", "0.15"),
        ("in-house-name", "gpt-4o-mini", "0.15"),
    ]:
        assert price("openai", "chat.completions", reply_model, request_model, usage, at=AT) == Decimal(dollars)
    assert price("openai", "chat.completions", None, None, usage, at=AT) is None
    assert price("azure_openai", "chat.completions", "gpt-4o-mini", "my-dep", usage, at=AT) == Decimal("0.15")


def test_a_model_without_enough_usage_is_not_priced_as_another() -> None:
    assert price("openai", "chat.completions", "whisper-1", "gpt-4o-mini", Usage(10, 10), at=AT) is None


def test_free_operations_cost_nothing_whatever_they_count() -> None:
    assert price("anthropic", "messages.count_tokens", None, "claude-x", Usage(9, 0), at=AT) == 0
    assert price("openai", "moderations", "omni-moderation-latest", None, Usage(), at=AT) == 0
    assert price("openai", "models.list", None, None, Usage(), at=AT) == 0


def test_an_unknown_operation_or_provider_is_unknown() -> None:
    assert price("openai", "", None, None, Usage(), at=AT) is None
    assert price("gone", "chat.completions", "gpt-4o", None, Usage(1, 1), at=AT) is None


def test_prices_change_with_the_date() -> None:
    early = cost_usd("openai", "gpt-5", Usage(10, 10, service_tier="flex"), at=datetime(2026, 1, 1, tzinfo=UTC))
    assert early is None


def test_pricing_never_opens_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("pricing opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    assert cost_usd("openai", "gpt-4.1", Usage(1_000_000, 0), at=AT) == Decimal("2")
