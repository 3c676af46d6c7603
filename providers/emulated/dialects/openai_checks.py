"""Checks of request members in OpenAI's dialect, in the words of its own refusals.

Source: error bodies of the API as quoted in public issue reports, read November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from providers.emulated.dialects.openai_errors import Invalid, missing, unsupported_value, wrong_type

Check = Callable[[Any, str], None]
"""Takes a value that is not null and the path to it; raises Invalid."""


def unknown_parameter(name: str) -> Invalid:
    """What newer operations say to a member they do not know."""
    return Invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")


def unrecognized_argument(name: str) -> Invalid:
    """What chat completions and older operations say to it."""
    return Invalid(f"Unrecognized request argument supplied: {name}")


def check_members(
    body: Mapping[str, Any],
    checks: Mapping[str, Check],
    *,
    is_lenient: bool = False,
    unknown: Callable[[str], Invalid] = unknown_parameter,
) -> None:
    """Every member of a body. A null counts as absent. `is_lenient`: unknown ones are ignored. Raises Invalid."""
    for name, value in body.items():
        check = checks.get(name)
        if check is None:
            if not is_lenient:
                raise unknown(name)
        elif value is not None:
            check(value, name)


def require(body: Mapping[str, Any], *names: str, within: str = "") -> None:
    """Raises Invalid for the first of these members that is absent. `within`: the path to `body`, with its dot."""
    for name in names:
        if name not in body:
            raise missing(within + name)


def anything(value: Any, param: str) -> None:
    """Accepts whatever it is."""


def boolean(value: Any, param: str) -> None:
    if not isinstance(value, bool):
        raise wrong_type(param, "a boolean", value)


def text(value: Any, param: str) -> None:
    if not isinstance(value, str):
        raise wrong_type(param, "a string", value)


def mapping(value: Any, param: str) -> None:
    if not isinstance(value, dict):
        raise wrong_type(param, "an object", value)


def integer(minimum: int | None = None, maximum: int | None = None) -> Check:
    """A whole number within bounds, both included."""

    def check(value: Any, param: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong_type(param, "an integer", value)
        _within(value, param, "integer", minimum, maximum)

    return check


def decimal(minimum: float | None = None, maximum: float | None = None) -> Check:
    """A number within bounds, both included."""

    def check(value: Any, param: str) -> None:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise wrong_type(param, "a decimal", value)
        _within(value, param, "decimal", minimum, maximum)

    return check


def _within(value: float, param: str, kind: str, minimum: float | None, maximum: float | None) -> None:
    if maximum is not None and value > maximum:
        raise Invalid(
            f"Invalid '{param}': {kind} above maximum value. Expected a value <= {maximum}, but got {value} instead.",
            param,
            f"{kind}_above_max_value",
        )
    if minimum is not None and value < minimum:
        raise Invalid(
            f"Invalid '{param}': {kind} below minimum value. Expected a value >= {minimum}, but got {value} instead.",
            param,
            f"{kind}_below_min_value",
        )


def one_of(*names: str) -> Check:
    """One of these texts."""
    allowed = frozenset(names)

    def check(value: Any, param: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(param, f"one of {_or(names)}", value)
        if value not in allowed:
            raise unsupported_value(param, value, names)

    return check


def array(expected: str, item: Check = anything, minimum: int | None = None, maximum: int | None = None) -> Check:
    """A list. `expected`: what the refusal calls it, "an array of strings"."""

    def check(value: Any, param: str) -> None:
        if not isinstance(value, list):
            raise wrong_type(param, expected, value)
        check_length(value, param, minimum, maximum)
        if item is not anything:
            for index, entry in enumerate(value):
                item(entry, f"{param}[{index}]")

    return check


def check_length(value: list[Any], param: str, minimum: int | None, maximum: int | None) -> None:
    """Raises Invalid for a list that is too short or too long."""
    if minimum and not value:
        raise Invalid(
            f"Invalid '{param}': empty array. Expected an array with minimum length {minimum}, "
            "but got an empty array instead.",
            param,
            "empty_array",
        )
    if maximum is not None and len(value) > maximum:
        raise Invalid(
            f"Invalid '{param}': array too long. Expected an array with maximum length {maximum}, "
            f"but got an array with length {len(value)} instead.",
            param,
            "array_above_max_length",
        )


def check_text_length(value: str, param: str, maximum: int) -> None:
    """Raises Invalid for a text that is too long."""
    if len(value) > maximum:
        raise Invalid(
            f"Invalid '{param}': string too long. Expected a string with maximum length {maximum}, "
            f"but got a string with length {len(value)} instead.",
            param,
            "string_above_max_length",
        )


def limited_text(maximum: int) -> Check:
    """A text of at most so many characters."""

    def check(value: Any, param: str) -> None:
        text(value, param)
        check_text_length(value, param, maximum)

    return check


def metadata(value: Any, param: str) -> None:
    """Up to 16 pairs of texts: keys of 64 characters, values of 512."""
    mapping(value, param)
    if len(value) > 16:
        raise Invalid(
            f"Invalid '{param}': too many properties. Expected an object with at most 16 properties, "
            f"but got an object with {len(value)} properties instead.",
            param,
            "object_above_max_properties",
        )
    for name, entry in value.items():
        text(entry, f"{param}.{name}")
        check_text_length(entry, f"{param}.{name}", 512)


def _or(names: tuple[str, ...]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def model_of(body: Mapping[str, Any]) -> str:
    """The model of a body that must name one, in the words of the older calls. Raises Invalid."""
    if not body.get("model"):
        raise Invalid("you must provide a model parameter")
    text(body["model"], "model")
    return str(body["model"])
