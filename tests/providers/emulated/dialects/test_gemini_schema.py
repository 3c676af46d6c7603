from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.dialects.gemini_schema import to_json_schema


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "STRING"}, {"type": "string"}),
        ({"type": "TYPE_UNSPECIFIED", "description": "d"}, {"description": "d"}),
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "STRING", "format": "enum", "enum": ["a"], "nullable": True},
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
        ),
        (
            {"type": "INTEGER", "enum": ["1", "2"], "format": "int64"},
            {"type": "integer", "enum": [1, 2], "format": "int64"},
        ),
        ({"type": "NUMBER", "enum": ["1.5", "x", "inf"]}, {"type": "number", "enum": [1.5]}),
        (
            {"type": "ARRAY", "items": {"type": "NUMBER"}, "minItems": "2", "max_items": 3},
            {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3},
        ),
        ({"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        (
            {"ref": "#/$defs/a", "defs": {"a": {"type": "BOOLEAN"}}},
            {"$ref": "#/$defs/a", "$defs": {"a": {"type": "boolean"}}},
        ),
        ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
        (
            {"allOf": [{"type": "OBJECT"}], "oneOf": 1, "exclusiveMinimum": 3},
            {"allOf": [{"type": "object"}], "exclusiveMinimum": 3},
        ),
        ({"additionalProperties": False}, {"additionalProperties": False}),
        ({"additional_properties": {"type": "STRING"}}, {"additionalProperties": {"type": "string"}}),
        ({"example": 1, "const": 2, "minItems": "x", "enum": [], "items": 3}, {"const": 2, "items": {}}),
    ],
)
def test_googles_schema_is_json_schema(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert to_json_schema(given) == expected


def test_properties_come_in_the_order_asked_for() -> None:
    made = to_json_schema(
        {
            "type": "OBJECT",
            "properties": {"a": {"type": "STRING"}, "b": {"type": "STRING"}, "c": {"type": "STRING"}},
            "propertyOrdering": ["c", "a", "ducks"],
            "required": ["a"],
        }
    )
    assert list(made["properties"]) == ["c", "a", "b"]
    assert made["required"] == ["a"]


@pytest.mark.parametrize("value", [None, 1, "x", [1]])
def test_what_is_no_schema_allows_anything(value: Any) -> None:
    assert to_json_schema(value) == {}
