"""The dice: the same for the same, uniform, and independent of each other."""

from __future__ import annotations

from proxies.dataplane.faults.draws import SHARED, amounts, draw
from tests.proxies.dataplane.faults.deciding import is_likely

TIMES = 10_000


def test_a_draw_depends_on_each_of_its_four_parts_and_on_nothing_else() -> None:
    first = draw(7, 1, "storm", "delay")
    assert draw(7, 1, "storm", "delay") == first
    assert len({first, draw(8, 1, "storm", "delay"), draw(7, 2, "storm", "delay"), draw(7, 1, "rain", "delay")}) == 4
    assert draw(7, 1, "storm") != draw(7, 1, SHARED, "storm") != first
    assert draw(1, 11, "1") != draw(11, 1, "1") != draw(1, 1, "11")


def test_draws_stay_the_same_from_release_to_release() -> None:
    assert [draw(0, 1, SHARED), draw(1, 2, "storm"), draw(1, 2, "storm", "delay")] == [
        0.6468382162734461,
        0.9365305711200569,
        0.19963279956185653,
    ]


def test_draws_fill_their_range_evenly() -> None:
    draws = [draw(1, number, "storm") for number in range(1, TIMES + 1)]
    assert all(0 <= drawn < 1 for drawn in draws)
    assert all(is_likely(sum(drawn < end / 10 for drawn in draws), TIMES, end / 10) for end in range(1, 10))
    tenths = [sum(tenth <= drawn * 10 < tenth + 1 for drawn in draws) for tenth in range(10)]
    assert all(is_likely(count, TIMES, 0.1) for count in tenths)


def test_draws_of_two_rules_of_neighbouring_numbers_and_of_two_seeds_know_nothing_of_each_other() -> None:
    def both(one: int, two: int, rule: str, other: str, seed: int = 1) -> int:
        return sum(
            draw(1, number + one, rule) < 0.5 and draw(seed, number + two, other) < 0.5 for number in range(TIMES)
        )

    pairs = [both(0, 0, "a", "b"), both(0, 1, "a", "a"), both(0, 0, "a", "a", seed=2), both(0, 0, "a", SHARED)]
    assert all(is_likely(count, TIMES, 0.25) for count in pairs)


def test_amounts_are_draws_by_name() -> None:
    amount = amounts(1, 2, "storm")
    assert amount("delay") == draw(1, 2, "storm", "delay")
    assert amount("jitter 1") != amount("jitter 2")


def test_the_binomial_test_refuses_what_chance_does_not_do() -> None:
    assert is_likely(1000, TIMES, 0.1)
    assert not is_likely(1150, TIMES, 0.1)
    assert not is_likely(850, TIMES, 0.1)
