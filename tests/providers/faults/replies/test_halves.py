"""The first half of events of which nobody knows how many will come."""

from __future__ import annotations

import pytest

from providers.faults.replies.halves import Halves


@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_half_of_the_events_pass_while_they_come(count: int) -> None:
    halves: Halves[int] = Halves()
    passed = [one for number in range(count) for one in halves.add(number)]
    assert passed == list(range(count // 2))
    assert halves.count == count
    assert halves.next() == (count // 2 if count else None)


def test_what_waits_is_bounded() -> None:
    halves: Halves[int] = Halves()
    passed = [one for number in range(10_000) for one in halves.add(number)]
    assert passed == list(range(len(passed)))
    assert 2000 < len(passed) <= 5000
    assert halves.next() is None
