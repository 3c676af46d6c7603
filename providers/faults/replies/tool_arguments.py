"""Arguments of a tool call that are not what the tool asked for, but still the JSON object that the wire wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BROKEN = '{"'
"""The start of arguments that never come to their end: no JSON."""


def spoil(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument in a type that no schema of it allows: a list becomes an object, anything else a list. A call
    without arguments gets one that nobody asked for."""
    if not arguments:
        return {"unexpected": [None]}
    return {name: {"value": value} if isinstance(value, list) else [value] for name, value in arguments.items()}


def cut(text: str) -> str:
    """The first half of a piece of JSON that opens an object: never whole, and never empty."""
    return text[: max(1, len(text) // 2)] if text else BROKEN
