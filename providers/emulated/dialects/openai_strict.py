"""What OpenAI asks of a JSON Schema that it promises to keep to (`strict`): the cheap ones of its checks.

Source: platform.openai.com/docs/guides/structured-outputs (supported schemas), and refusals quoted in public issue
reports, read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.emulated.dialects.openai_errors import Invalid

_MOST_LEVELS = 40


def check_strict(schema: Mapping[str, Any], what: str, param: str, code: str | None) -> None:
    """Raises Invalid for a schema that strict mode refuses. `what`: "function 'add'", "response_format 'answer'"."""
    kind = schema.get("type")
    if kind != "object":
        shown = "None" if kind is None else f'"{kind}"'
        raise Invalid(
            f"Invalid schema for {what}: schema must be a JSON Schema of 'type: \"object\"', got 'type: {shown}'.",
            param,
            code,
        )
    fault = _fault(schema, (), 0)
    if fault is not None:
        raise Invalid(f"Invalid schema for {what}: {fault}", param, code)


def _fault(schema: Any, context: tuple[str, ...], level: int) -> str | None:
    if not isinstance(schema, dict) or level > _MOST_LEVELS:
        return None
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        if schema.get("additionalProperties") is not False:
            return f"In context={context}, 'additionalProperties' is required to be supplied and to be false."
        if isinstance(properties, dict) and properties:
            required = schema.get("required")
            listed = required if isinstance(required, list) else []
            absent = [name for name in properties if name not in listed]
            if absent:
                return (
                    f"In context={context}, 'required' is required to be supplied and to be an array including every "
                    f"key in properties. Missing '{absent[0]}'."
                )
    for member in ("properties", "$defs", "definitions"):
        inner = schema.get(member)
        if isinstance(inner, dict):
            for name, value in inner.items():
                fault = _fault(value, (*context, member, name), level + 1)
                if fault is not None:
                    return fault
    branches = schema.get("anyOf")
    if isinstance(branches, list):
        for number, value in enumerate(branches):
            fault = _fault(value, (*context, "anyOf", str(number)), level + 1)
            if fault is not None:
                return fault
    return _fault(schema.get("items"), (*context, "items"), level + 1)
