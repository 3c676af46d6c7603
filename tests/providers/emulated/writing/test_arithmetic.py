"""Sums are found and worked out, without ever running what a prompt says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.emulated.writing.arithmetic import expression, find_sum


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("What is 2+2?", "4"),
        ("12 times 7", "84"),
        ("17 * (3 + 4) - 2", "117"),
        ("(2+3)*4)", "20"),
        ("2 - 3 - 4", "-5"),
        ("-3 - -4", "1"),
        ("10/4", "2.5"),
        ("1/3", "0.3333333333"),
        ("2^10", "1024"),
        ("2**3**2", "512"),
        ("0.1 + 0.2", "0.3"),
        ("1,000 + 1", "1001"),
        ("the sum of 2 and 3", "5"),
        ("the product of 4 and 5", "20"),
        ("add 2 and 3", "5"),
        ("subtract 2 from 10", "8"),
        ("divide 9 by 2", "4.5"),
        ("the square root of 16", "4"),
        ("5 squared", "25"),
        ("15% of 80", "12"),
        ("7 mod 3", "1"),
    ],
)
def test_a_sum_is_worked_out(text: str, value: str) -> None:
    found = find_sum(text)
    assert found is not None
    assert found[1] == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no numbers",
        "in 2024",
        "on 2024-01-02",
        "call 555-123-4567",
        "1/0",
        "9^9^9^9",
        "2^1000",
        "the square root of -4",
    ],
)
def test_what_is_no_sum_or_has_no_value_is_left_alone(text: str) -> None:
    assert find_sum(text) is None


def test_a_sum_is_written_for_a_calculator() -> None:
    assert expression("What is 12 times 7?") == "12 * 7"
    assert expression("What is 1,000 x 2^3?") == "1000 * 2 ** 3"
    assert expression("What is a duck?") is None


@given(st.text("0123456789+-*/x^(). ,%times", max_size=80))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_any_text_is_a_sum_or_is_not(text: str) -> None:
    found = find_sum(text)
    assert found is None or float(found[1]) is not None


@pytest.mark.parametrize(
    "text", ["Who won the 2010-2011 season?", "On a scale of 1-5, how good is it?", "a 16/9 screen", "from 1990-1995"]
)
def test_a_range_is_no_sum(text: str) -> None:
    assert find_sum(text) is None


@pytest.mark.parametrize(("text", "value"), [("7-5", "2"), ("What is 7-5?", "2"), ("calculate 8/4", "2")])
def test_a_difference_that_is_asked_for_is_one(text: str, value: str) -> None:
    assert find_sum(text) == (text.split()[-1].strip("?"), value)


@pytest.mark.parametrize(
    ("text", "written", "value"),
    [
        ("What is 1/3 of 9?", "1/3 * 9", "3"),
        ("What's half of 10?", "1/2 * 10", "5"),
        ("two thirds of 12", "2/3 * 12", "8"),
        ("a quarter of 10", "1/4 * 10", "2.5"),
    ],
)
def test_a_part_of_a_number_is_a_product(text: str, written: str, value: str) -> None:
    assert find_sum(text) == (written, value)


@pytest.mark.parametrize("text", ["1/0 of 9", "half of it", "the third of May"])
def test_other_parts_are_no_sums(text: str) -> None:
    assert find_sum(text) is None
