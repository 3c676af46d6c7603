from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.dialects import openai_checks as checks
from providers.emulated.dialects.openai_errors import Invalid

CASES: list[tuple[checks.Check, list[Any], list[tuple[Any, str]]]] = [
    (checks.boolean, [True, False], [(1, "invalid_type"), ("true", "invalid_type")]),
    (checks.text, ["", "x"], [(1, "invalid_type"), ([], "invalid_type")]),
    (checks.mapping, [{}], [([], "invalid_type")]),
    (
        checks.integer(1, 3),
        [1, 3],
        [(0, "integer_below_min_value"), (4, "integer_above_max_value"), (1.5, "invalid_type"), (True, "invalid_type")],
    ),
    (
        checks.decimal(0, 1),
        [0, 0.5, 1],
        [(-0.1, "decimal_below_min_value"), (2, "decimal_above_max_value"), (False, "invalid_type")],
    ),
    (checks.one_of("a", "b"), ["a"], [("c", "invalid_value"), (1, "invalid_type"), (["a"], "invalid_type")]),
    (
        checks.array("an array of strings", checks.text, 1, 2),
        [["x"], ["x", "y"]],
        [([], "empty_array"), (["x"] * 3, "array_above_max_length"), ([1], "invalid_type"), ("x", "invalid_type")],
    ),
    (checks.limited_text(2), ["", "xy"], [("xyz", "string_above_max_length")]),
    (
        checks.metadata,
        [{}, {"a": "b"}],
        [
            ({"a": 1}, "invalid_type"),
            ({str(number): "" for number in range(17)}, "object_above_max_properties"),
            ({"a": "x" * 513}, "string_above_max_length"),
        ],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number in range(len(CASES))])
def test_a_check_lets_through_what_is_right_only(
    case: tuple[checks.Check, list[Any], list[tuple[Any, str]]],
) -> None:
    check, right, wrong = case
    for value in right:
        check(value, "p")
    for value, code in wrong:
        with pytest.raises(Invalid) as caught:
            check(value, "p")
        assert caught.value.code == code
        assert caught.value.param is not None
        assert caught.value.param.startswith("p")


def test_unknown_members_are_refused_unless_lenient() -> None:
    table = {"known": checks.text}
    checks.check_members({"known": None}, table)
    checks.check_members({"other": 1}, table, is_lenient=True)
    with pytest.raises(Invalid, match="Unknown parameter: 'other'"):
        checks.check_members({"other": 1}, table)
    with pytest.raises(Invalid, match="Unrecognized request argument supplied: other"):
        checks.check_members({"other": 1}, table, unknown=checks.unrecognized_argument)


def test_required_members_must_be_there() -> None:
    checks.require({"a": None}, "a")
    with pytest.raises(Invalid) as caught:
        checks.require({"a": 1}, "a", "b", within="tools[0].")
    assert caught.value.param == "tools[0].b"
