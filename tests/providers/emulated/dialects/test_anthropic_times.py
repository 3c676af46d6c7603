"""Moments as Anthropic writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from providers.emulated.dialects.anthropic_times import written, written_to_the_second


def test_moments_are_in_utc_and_can_be_read_back() -> None:
    assert written(1_790_000_000.25) == "2026-09-21T14:13:20.250000Z"
    assert written_to_the_second(1_790_000_000) == "2026-09-21T14:13:20Z"
    assert datetime.fromisoformat(written(0)) == datetime(1970, 1, 1, tzinfo=UTC)
