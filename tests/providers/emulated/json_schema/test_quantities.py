"""Numbers within bounds."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from providers.emulated.json_schema.checking import is_multiple
from providers.emulated.json_schema.quantities import numbers, within

BOUNDS = st.none() | st.tuples(st.integers(-1000, 1000) | st.floats(-1e6, 1e6), st.booleans())
STEPS = st.lists(st.sampled_from([1, 2, 3, 7, 0.5, 0.25, 0.1, 0.01]), max_size=2)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(BOUNDS, BOUNDS, STEPS, st.booleans(), st.integers(0, 5))
def test_a_number_is_found_wherever_there_is_room(low: Any, high: Any, steps: Any, is_whole: bool, turn: int) -> None:
    assume(low is None or high is None or high[0] - low[0] > 50)
    found = [
        number
        for number in numbers(low, high, steps, 10, turn, is_whole=is_whole)
        if within(number, low, high) and all(is_multiple(number, step) for step in steps)
    ]
    assert found
    assert not is_whole or all(float(number).is_integer() for number in found)


def test_the_number_that_is_wanted_comes_first_and_the_nearest_one_if_it_is_out_of_bounds() -> None:
    assert next(numbers(None, None, [], 21, 0, is_whole=True)) == 21
    assert next(numbers((30, False), None, [], 21, 0, is_whole=True)) == 30
    assert next(numbers(None, (20, True), [], 21, 0, is_whole=True)) == 19
    assert next(numbers(None, None, [5], 21, 0, is_whole=True)) == 20


def test_variations_run_through_all_numbers_there_are() -> None:
    assert {next(numbers((1, False), (4, False), [], 3, turn, is_whole=True)) for turn in range(4)} == {1, 2, 3, 4}
