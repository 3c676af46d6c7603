"""Reads members of an Anthropic request, and refuses them in the words of the genuine service.

Source: error replies of api.anthropic.com quoted in public issue trackers, read November 2026: a path of members joined
by dots, a colon, and pydantic's message.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from providers.emulated.dialects.anthropic_errors import ErrorShape

MISSING: Final = object()


def invalid(shape: ErrorShape, message: str) -> Exception:
    """The refusal of a request with 400."""
    return shape.refuse(400, message)


def required(shape: ErrorShape, value: Mapping[str, Any], name: str, place: str) -> Any:
    """The member, whatever it is."""
    found = value.get(name, MISSING)
    if found is MISSING:
        raise invalid(shape, f"{place}{name}: Field required")
    return found


def text(shape: ErrorShape, value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise invalid(shape, f"{place}: Input should be a valid string")
    return value


def filled_text(shape: ErrorShape, value: Any, place: str) -> str:
    if not text(shape, value, place):
        raise invalid(shape, f"{place}: String should have at least 1 character")
    return str(value)


def mapping(shape: ErrorShape, value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(shape, f"{place}: Input should be an object")
    return value


def sequence(shape: ErrorShape, value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise invalid(shape, f"{place}: Input should be a valid list")
    return value


def boolean(shape: ErrorShape, value: Any, place: str) -> bool:
    if not isinstance(value, bool):
        raise invalid(shape, f"{place}: Input should be a valid boolean")
    return value


def integer(shape: ErrorShape, value: Any, place: str, least: int) -> int:
    """A whole number; one written as 5.0 counts."""
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise invalid(shape, f"{place}: Input should be a valid integer")
    if value < least:
        raise invalid(shape, f"{place}: Input should be greater than or equal to {least}")
    return value


def number(shape: ErrorShape, value: Any, place: str) -> float:
    if type(value) not in (int, float):
        raise invalid(shape, f"{place}: Input should be a valid number")
    return float(value)


def one_of(shape: ErrorShape, value: Any, place: str, allowed: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise invalid(shape, f"{place}: Input should be {_listed(allowed)}")
    return value


def tag(shape: ErrorShape, value: Mapping[str, Any], place: str, allowed: Collection[str]) -> str:
    """The `type` of an object that may be one of several."""
    found = value.get("type", MISSING)
    if found is MISSING:
        raise invalid(shape, f"{place}.type: Field required")
    if not isinstance(found, str) or found not in allowed:
        expected = ", ".join(f"'{name}'" for name in sorted(allowed))
        shown = found if isinstance(found, str) else str(found)[:80]
        problem = f"Input tag '{shown}' found using 'type' does not match any of the expected tags: {expected}"
        raise invalid(shape, f"{place}: {problem}")
    return found


def _listed(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
