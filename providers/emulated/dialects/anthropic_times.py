"""Moments as Anthropic writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def written(moment_s: float) -> str:
    """RFC 3339 in UTC with microseconds, from seconds since the epoch."""
    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def written_to_the_second(moment_s: int) -> str:
    """RFC 3339 in UTC, from whole seconds since the epoch."""
    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
