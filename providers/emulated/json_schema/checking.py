"""Tells whether a value is valid against a schema, in bounded time and without looking anywhere else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from providers.emulated.json_schema.document import (
    REFERENCES,
    Document,
    Exhausted,
    Schema,
    count,
    identity,
    is_schema,
    kind_of,
    kinds_of,
    mapping,
    number,
    same,
    schemas,
    texts,
)
from providers.emulated.json_schema.formats import WIDTHS, has_format
from providers.emulated.json_schema.patterns import pattern_of

_MOST_STEPS = 100_000
_DEEPEST = 250


class _Evaluated:
    """Which properties and array places some subschema has spoken for."""

    __slots__ = ("names", "places")

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.places: set[int] = set()

    def add(self, other: _Evaluated) -> None:
        self.names |= other.names
        self.places |= other.places


class Checker:
    """Checks values against schemas of one document. Formats count; keywords that hold junk do not."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._steps = 0
        self._depth = 0
        self._running: set[tuple[int, int]] = set()

    def is_valid(self, value: Any, schema: Schema) -> bool:
        """Raises Unsatisfiable if the schema is broken or it takes too long."""
        depth = self._depth
        try:
            return self._check(value, schema, None)
        finally:
            self._depth = depth

    def _check(self, value: Any, schema: Schema, seen: _Evaluated | None) -> bool:
        if not isinstance(schema, Mapping):
            return schema is not False
        self._steps += 1
        self._depth += 1
        if self._steps > _MOST_STEPS or self._depth > _DEEPEST:
            raise Exhausted("the schema takes too long to check" if self._depth <= _DEEPEST else "too deep a schema")
        kind = kind_of(value)
        kinds = kinds_of(schema)
        if kinds is not None and kind not in kinds:
            found = False
        else:
            own = _Evaluated() if "unevaluatedProperties" in schema or "unevaluatedItems" in schema else seen
            found = self._check_here(value, kind, schema) and self._check_parts(value, schema, own)
            if found:
                if kind == "object":
                    found = self._check_object(value, schema, own)
                elif kind == "array":
                    found = self._check_array(value, schema, own)
            if found and seen is not None and own is not None and own is not seen:
                seen.add(own)
        self._depth -= 1
        return found

    def _check_here(self, value: Any, kind: str, schema: Mapping[str, Any]) -> bool:
        if "const" in schema and not same(value, schema["const"]):
            return False
        allowed = schema.get("enum")
        if isinstance(allowed, list) and allowed and not any(same(value, one) for one in allowed):
            return False
        if kind == "string":
            return _fits_text(value, schema)
        if kind in ("integer", "fraction"):
            return fits_number(value, schema)
        return True

    def _check_parts(self, value: Any, schema: Mapping[str, Any], seen: _Evaluated | None) -> bool:
        for keyword in REFERENCES:
            reference = schema.get(keyword)
            if isinstance(reference, str):
                target = self._document.resolve(reference)
                mark = (id(target), id(value))
                if mark not in self._running:
                    self._running.add(mark)
                    found = self._check(value, target, seen)
                    self._running.discard(mark)
                    if not found:
                        return False
        if not all(self._check(value, part, seen) for part in schemas(schema, "allOf")):
            return False
        branches = schemas(schema, "anyOf")
        # Every branch that holds speaks for properties.
        held = [self._try(value, branch, seen) for branch in branches]
        if held and not any(held):
            return False
        branches = schemas(schema, "oneOf")
        if branches and sum([self._try(value, branch, seen) for branch in branches]) != 1:
            return False
        if is_schema(schema.get("not")) and self._check(value, schema["not"], None):
            return False
        if is_schema(schema.get("if")):
            then = schema.get("then" if self._try(value, schema["if"], seen) else "else")
            return not is_schema(then) or self._check(value, then, seen)
        return True

    def _try(self, value: Any, schema: Schema, seen: _Evaluated | None) -> bool:
        if seen is None:
            return self._check(value, schema, None)
        own = _Evaluated()
        found = self._check(value, schema, own)
        if found:
            seen.add(own)
        return found

    def _check_object(self, value: Mapping[str, Any], schema: Mapping[str, Any], seen: _Evaluated | None) -> bool:
        low, high = count(schema, "minProperties"), count(schema, "maxProperties")
        if (low is not None and len(value) < low) or (high is not None and len(value) > high):
            return False
        if not all(name in value for name in texts(schema, "required")):
            return False
        properties, patterns = mapping(schema, "properties"), mapping(schema, "patternProperties")
        rest = schema.get("additionalProperties")
        names = schema.get("propertyNames")
        for name, inner in value.items():
            told = name in properties
            if told and not self._check(inner, properties[name], None):
                return False
            for source, part in patterns.items():
                if pattern_of(source).matches(name):
                    told = True
                    if not self._check(inner, part, None):
                        return False
            if not told and is_schema(rest):
                told = True
                if not self._check(inner, rest, None):
                    return False
            if told and seen is not None:
                seen.names.add(name)
            if is_schema(names) and not self._check(name, names, None):
                return False
        return self._check_dependents(value, schema, seen) and self._check_unevaluated(value, schema, seen)

    def _check_dependents(self, value: Mapping[str, Any], schema: Mapping[str, Any], seen: _Evaluated | None) -> bool:
        for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
            for name, dependent in mapping(schema, keyword).items():
                if name not in value:
                    continue
                if isinstance(dependent, list):
                    if not all(other in value for other in dependent if isinstance(other, str)):
                        return False
                elif not self._check(value, dependent, seen):
                    return False
        return True

    def _check_unevaluated(self, value: Mapping[str, Any], schema: Mapping[str, Any], seen: _Evaluated | None) -> bool:
        rest = schema.get("unevaluatedProperties")
        if is_schema(rest) and seen is not None:
            for name, inner in value.items():
                if name not in seen.names and not self._check(inner, rest, None):
                    return False
            seen.names.update(value)
        return True

    def _check_array(self, value: list[Any], schema: Mapping[str, Any], seen: _Evaluated | None) -> bool:
        low, high = count(schema, "minItems"), count(schema, "maxItems")
        if (low is not None and len(value) < low) or (high is not None and len(value) > high):
            return False
        if schema.get("uniqueItems") is True and len({identity(one) for one in value}) < len(value):
            return False
        first, rest = places(schema)
        for at, inner in enumerate(value):
            if at < len(first):
                told, part = True, first[at]
            else:
                told, part = is_schema(rest), rest
            if told and not self._check(inner, part, None):
                return False
            if told and seen is not None:
                seen.places.add(at)
        if is_schema(schema.get("contains")):
            held = [at for at, inner in enumerate(value) if self._check(inner, schema["contains"], None)]
            least, most = count(schema, "minContains"), count(schema, "maxContains")
            if len(held) < (1 if least is None else least) or (most is not None and len(held) > most):
                return False
            if seen is not None:
                seen.places.update(held)
        left = schema.get("unevaluatedItems")
        if is_schema(left) and seen is not None:
            if not all(self._check(inner, left, None) for at, inner in enumerate(value) if at not in seen.places):
                return False
            seen.places.update(range(len(value)))
        return True


def places(schema: Mapping[str, Any]) -> tuple[list[Schema], Schema | None]:
    """The schemas of an array's first places, and that of the rest (None: anything), in old words and new."""
    if isinstance(schema.get("prefixItems"), list):
        return schema["prefixItems"], schema.get("items") if is_schema(schema.get("items")) else None
    items = schema.get("items")
    if isinstance(items, list):
        return items, schema.get("additionalItems")
    return [], items if is_schema(items) else None


def _fits_text(value: str, schema: Mapping[str, Any]) -> bool:
    low, high = count(schema, "minLength"), count(schema, "maxLength")
    if (low is not None and len(value) < low) or (high is not None and len(value) > high):
        return False
    form = schema.get("format")
    if isinstance(form, str) and not has_format(value, form):
        return False
    source = schema.get("pattern")
    return not isinstance(source, str) or pattern_of(source).matches(value)


def fits_number(value: float, schema: Mapping[str, Any]) -> bool:
    """Whether a number respects the bounds, the step and the format of the schema."""
    low, high = number(schema, "minimum"), number(schema, "maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        return False
    above, below = number(schema, "exclusiveMinimum"), number(schema, "exclusiveMaximum")
    if (above is not None and value <= above) or (below is not None and value >= below):
        return False
    # In draft 4 they are booleans.
    if schema.get("exclusiveMinimum") is True and low is not None and value <= low:
        return False
    if schema.get("exclusiveMaximum") is True and high is not None and value >= high:
        return False
    width = WIDTHS.get(schema["format"]) if isinstance(schema.get("format"), str) else None
    if width is not None and not width[0] <= value <= width[1]:
        return False
    step = number(schema, "multipleOf")
    return step is None or step <= 0 or is_multiple(value, step)


def is_multiple(value: float, step: float) -> bool:
    """Whether the value is a multiple both as decimals and as floats, because validators differ."""
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    if not math.isfinite(value) or Fraction(str(value)) % Fraction(str(step)) != 0:
        return False
    try:
        return (value / step).is_integer()
    except OverflowError:
        return False
