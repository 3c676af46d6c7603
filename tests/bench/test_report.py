"""The table of the benchmark: what it calls met, and how it writes numbers."""

from __future__ import annotations

import pytest

from bench.report import Row, missed, number, table


@pytest.mark.parametrize(
    ("value", "is_minimum", "verdict"),
    [
        (44.9, False, "met, and the aim"),
        (45.1, False, "met"),
        (60.0, False, "met"),
        (60.1, False, "NOT MET"),
        (60.1, True, "met, and the aim"),
        (44.9, True, "NOT MET"),
    ],
)
def test_goal_is_met_at_its_own_value_on_either_side(value: float, is_minimum: bool, verdict: str) -> None:
    must, aim = (45.0, 60.0) if is_minimum else (60.0, 45.0)
    assert Row("cached reply", value, "us", must, aim, is_minimum=is_minimum).verdict == verdict


def test_measure_without_a_goal_has_no_verdict() -> None:
    assert Row("nginx", 9.0, "us").verdict == ""


def test_only_goals_not_met_are_listed_as_missed() -> None:
    rows = [Row("a", 1.0), Row("b", 2.0, "us", 1.0), Row("c", 0.5, "us", 1.0)]
    assert [row.name for row in missed(rows)] == ["b"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "", "0"), (0.123, "ms", "0.12 ms"), (12.34, "us", "12.3 us"), (123.4, "us", "123 us"),
        (0.41, "x", "0.41x"), (0.5, "%", "0.50%"), (3.0, "s", "3 s"),
    ],
)  # fmt: skip
def test_numbers_have_the_digits_that_mean_something(value: float, unit: str, text: str) -> None:
    assert number(value, unit) == text


def test_table_has_a_line_for_each_row_and_columns_that_line_up() -> None:
    lines = table(
        [Row("a", 1.0, "us", 2.0, note="short"), Row("a longer name", 0.5, "x", 0.4, is_minimum=True)]
    ).splitlines()
    assert len(lines) == 4
    assert len({len(line) for line in lines}) == 1
    assert [cell.strip() for cell in lines[3].split("|")[1:-1]] == [
        "a longer name",
        "0.50x",
        "≥ 0.40x",
        "",
        "met",
        "",
    ]
