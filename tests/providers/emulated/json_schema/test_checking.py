"""Our own judgement of values against that of a well-known validator."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.emulated.json_schema.checking import Checker, is_multiple
from providers.emulated.json_schema.document import Document, Exhausted
from tests.providers.emulated.json_schema.schemas import SCHEMAS, VALUES, is_valid


@settings(max_examples=600, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(SCHEMAS, VALUES | st.dictionaries(st.sampled_from(["city", "a", "b", "x-a"]), VALUES) | st.lists(VALUES))
def test_a_value_is_valid_when_the_other_validator_says_so(schema: dict[str, Any], value: Any) -> None:
    assert Checker(Document(schema)).is_valid(value, schema) == is_valid(value, schema)


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (True, {"const": 1}),
        (0, {"enum": [False]}),
        ([1, True, [1], [True]], {"not": {"uniqueItems": True}}),
        (3, {"type": "integer", "exclusiveMinimum": True, "minimum": 3}),
        ("2026-13-01", {"format": "date"}),
        ("2026-01-01T12:00:00", {"format": "date-time"}),
        (200, {"format": "int8"}),
        ({"a": 1}, {"dependencies": {"a": ["b"]}}),
    ],
    ids=str,
)
def test_these_are_not_valid(value: Any, schema: Any) -> None:
    assert not Checker(Document(schema)).is_valid(value, schema)


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (1.0, {"const": 1, "type": "integer"}),
        ("x", {"type": "STRING"}),
        (None, {"type": "string", "nullable": True}),
        ("2026-01-01T12:00:00.5+02:00", {"format": "date-time"}),
        ([1, "a"], {"items": [{"type": "integer"}], "additionalItems": {"type": "string"}}),
        ("anything", {"format": "unheard-of", "minLength": "junk", "enum": "junk"}),
    ],
    ids=str,
)
def test_these_are_valid(value: Any, schema: Any) -> None:
    assert Checker(Document(schema)).is_valid(value, schema)


def test_a_schema_that_multiplies_itself_is_given_up() -> None:
    schema: Any = {"$defs": {"0": {"type": "integer"}}}
    for at in range(1, 40):
        schema["$defs"][str(at)] = {
            "allOf": [{"$ref": f"#/$defs/{at - 1}"}, {"not": {"not": {"$ref": f"#/$defs/{at - 1}"}}}]
        }
    with pytest.raises(Exhausted):
        Checker(Document(schema)).is_valid(5, {"$ref": "#/$defs/39"})


@pytest.mark.parametrize(
    ("value", "step", "expected"), [(0.3, 0.1, False), (0.5, 0.1, True), (9, 3, True), (9, 2, False)]
)
def test_multiples_are_multiples_for_every_validator(value: float, step: float, expected: bool) -> None:
    assert is_multiple(value, step) == expected
