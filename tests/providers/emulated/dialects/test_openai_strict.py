from __future__ import annotations

from typing import Any

import pytest
from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel

from providers.emulated.dialects.openai_errors import Invalid
from providers.emulated.dialects.openai_strict import check_strict


class Leg(BaseModel):
    length: float
    name: str | None


class Animal(BaseModel):
    name: str
    legs: list[Leg]
    parent: Animal | None = None


def check(schema: dict[str, Any]) -> None:
    check_strict(schema, "function 'f'", "tools[0].function.parameters", "invalid_function_parameters")


def test_the_schemas_that_the_sdk_makes_are_accepted() -> None:
    schema = to_strict_json_schema(Animal)
    check(schema)
    assert schema["$defs"]


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({}, "got 'type: None'"),
    ({"type": "array"}, "got 'type: \"array\"'"),
    ({"type": "object"}, "In context=(), 'additionalProperties' is required"),
    ({**closed(a={}), "required": []}, "In context=(), 'required' is required to be supplied and to be an array"),
    (closed(a={"type": "object"}), "In context=('properties', 'a'), 'additionalProperties' is required"),
    (closed(a={"type": "array", "items": {"type": "object"}}), "In context=('properties', 'a', 'items')"),
    (closed(a={"anyOf": [{"type": "string"}, {"type": "object"}]}), "In context=('properties', 'a', 'anyOf', '1')"),
    ({**closed(), "$defs": {"x": {"type": "object"}}}, "In context=('$defs', 'x')"),
]


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case[1])
def test_a_loose_schema_is_refused(case: tuple[dict[str, Any], str]) -> None:
    schema, message = case
    with pytest.raises(Invalid) as caught:
        check(schema)
    assert caught.value.message.startswith("Invalid schema for function 'f': ")
    assert message in caught.value.message
    assert caught.value.code == "invalid_function_parameters"


def test_odd_values_in_a_schema_do_no_harm() -> None:
    odd = closed(a={"anyOf": 1, "items": [1], "properties": None, "$defs": []}, b=True, c=None)
    check(odd)
    deep: Any = {"type": "string"}
    for _ in range(200):
        deep = closed(a=deep)
    check(deep)
    assert odd["properties"]["b"] is True
