"""Moments as Google writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def timestamp(seconds: float) -> str:
    """Seconds since the epoch as `2026-11-21T14:46:00.250000Z`."""
    return (_BEGINNING + timedelta(seconds=seconds)).isoformat(timespec="microseconds")[:-6] + "Z"


def moment(text: str) -> float | None:
    """The opposite of `timestamp`, of any offset; None for a text that is no moment."""
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is None:
            return None
        return (read.astimezone(UTC) - _BEGINNING).total_seconds()
    except (ValueError, OverflowError):  # the latter: a time zone leads out of the years there are
        return None
