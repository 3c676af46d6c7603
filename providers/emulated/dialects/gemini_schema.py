"""Google's Schema objects (OpenAPI words, types in capitals) as JSON Schema."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_NUMBERS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_ALTERNATIVES = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})
_NOT_OURS = frozenset({"nullable", "example", "propertyOrdering"})
_RENAMED = {
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
    "any_of": "anyOf",
    "additional_properties": "additionalProperties",
    "property_ordering": "propertyOrdering",
    "ref": "$ref",
    "defs": "$defs",
}


def to_json_schema(schema: Any) -> dict[str, Any]:
    """The JSON Schema that says the same; one that is JSON Schema already stays as it is."""
    if not isinstance(schema, Mapping):
        return {}
    found: dict[str, Any] = {}
    is_nullable = schema.get("nullable") is True
    given: Mapping[str, Any] = schema
    for written, value in given.items():
        name = _RENAMED.get(written, written)
        if name == "type":
            kind = _type(value)
            if kind:
                found["type"] = kind
        elif name in ("properties", "$defs"):
            if isinstance(value, Mapping):
                found[name] = {key: to_json_schema(item) for key, item in value.items()}
        elif name in ("items", "additionalProperties"):
            found[name] = value if isinstance(value, bool) else to_json_schema(value)
        elif name in _ALTERNATIVES:
            if isinstance(value, list):
                found[name] = [to_json_schema(item) for item in value]
        elif name == "enum":
            if isinstance(value, list) and value:
                found[name] = _enum(value, schema)
        elif name in _NUMBERS:
            bound = _whole(value)
            if bound is not None:
                found[name] = bound
        elif name == "format":
            if isinstance(value, str) and value != "enum":
                found[name] = value
        elif name not in _NOT_OURS:
            found[name] = value
    _order(found, schema.get("propertyOrdering", schema.get("property_ordering")))
    return _nullable(found) if is_nullable else found


def _type(value: Any) -> Any:
    if isinstance(value, list):
        return [kind for kind in map(_type, value) if kind]
    if not isinstance(value, str) or value.upper() == "TYPE_UNSPECIFIED":
        return None
    return value.lower()


def _enum(values: list[Any], schema: Mapping[str, Any]) -> list[Any]:
    """A Schema writes its values as texts, whatever the type."""
    kind = _type(schema.get("type"))
    if kind in ("integer", "number"):
        numbers = [_number(value) for value in values]
        return [number for number in numbers if number is not None] or values
    return values


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def _whole(value: Any) -> int | None:
    """64-bit numbers come as texts."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:18])
    return value if type(value) is int else None


def _order(found: dict[str, Any], ordering: Any) -> None:
    properties = found.get("properties")
    if not isinstance(properties, dict) or not isinstance(ordering, list):
        return
    first = [name for name in ordering if isinstance(name, str) and name in properties]
    found["properties"] = {name: properties[name] for name in dict.fromkeys([*first, *properties])}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema:
        return schema | {"type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}
