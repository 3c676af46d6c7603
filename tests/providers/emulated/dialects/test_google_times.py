from __future__ import annotations

import pytest

from providers.emulated.dialects.google_times import moment, timestamp


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_790_000_000.25, "2026-09-21T14:13:20.250000Z"),
        (1e9, "2001-09-09T01:46:40.000000Z"),
    ],
)
def test_a_moment_is_written_and_read(seconds: float, text: str) -> None:
    assert timestamp(seconds) == text
    assert moment(text) == seconds


def test_offsets_are_reckoned() -> None:
    assert moment("1970-01-01T01:00:00+01:00") == 0


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "9999-12-31T23:59:59-01:00"]
)
def test_what_is_no_moment_is_none(text: str) -> None:
    assert moment(text) is None
