"""A JSON Schema as a document: where its references lead, and what its keywords say once junk is left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urljoin

Schema = Any
"""A mapping, True or False; anything else is junk and allows everything."""

_MAX_WALKED = 100_000


class Unsatisfiable(ValueError):
    """No value was found for a schema. The text says where in the value and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path: list[str | int] = []

    def under(self, step: str | int) -> Unsatisfiable:
        """The same, one level further out: `step` is the property or the place in the array."""
        self.path.append(step)
        return self

    def __str__(self) -> str:
        steps = [f"[{step}]" if isinstance(step, int) else f".{step[:80]}" for step in reversed(self.path)]
        if len(steps) > 8:
            steps = [*steps[:4], "...", *steps[-2:]]
        return f"${''.join(steps)}: {self.reason}"


class Exhausted(Unsatisfiable):
    """The search for a value was given up: looking elsewhere does not help."""


# A number is whole or a fraction here, so that types can be intersected as sets.
_NUMBER = frozenset({"integer", "fraction"})
EVERY_KIND = frozenset({"object", "array", "string", "integer", "fraction", "boolean", "null"})
_KINDS = {name: frozenset({name}) for name in ("object", "array", "string", "integer", "boolean", "null")} | {
    "number": _NUMBER,
    # Names that are no types of JSON Schema, and that people write.
    "float": _NUMBER,
    "double": _NUMBER,
    "int": frozenset({"integer"}),
    "str": frozenset({"string"}),
    "bool": frozenset({"boolean"}),
    "list": frozenset({"array"}),
    "dict": frozenset({"object"}),
    "map": frozenset({"object"}),
}
_KINDS |= {name.upper(): kinds for name, kinds in _KINDS.items()}
_NULL = frozenset({"null"})


def kinds_of(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """The kinds of value that `type` allows, in whatever case it is written; None: any. `nullable` adds null."""
    named = schema.get("type")
    if isinstance(named, str):
        kinds = _KINDS.get(named) or _KINDS.get(named.lower())
    elif isinstance(named, list):
        known = [_KINDS.get(name) or _KINDS.get(name.lower()) for name in named if isinstance(name, str)]
        kinds = frozenset().union(*[kind for kind in known if kind]) or None
    else:
        return None
    if kinds is not None and schema.get("nullable") is True:
        return kinds | _NULL
    return kinds


def kind_of(value: Any) -> str:
    """Which kind a JSON value is."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "fraction"
    if value is None:
        return "null"
    return "object" if isinstance(value, Mapping) else "array"


def count(schema: Mapping[str, Any], keyword: str) -> int | None:
    """A number of things (`minItems`, ...), None if there is none. Google's clients write them as texts."""
    value = schema.get(keyword)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value >= 0 and value != math.inf else None


def number(schema: Mapping[str, Any], keyword: str) -> int | float | None:
    """A finite number (`minimum`, ...), None if there is none."""
    value = schema.get(keyword)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def mapping(schema: Mapping[str, Any], keyword: str) -> Mapping[str, Any]:
    """The keyword's mapping with text keys, empty if there is none."""
    value = schema.get(keyword)
    return value if isinstance(value, Mapping) else {}


def texts(schema: Mapping[str, Any], keyword: str) -> list[str]:
    """The texts in the keyword's list, empty if there is none."""
    value = schema.get(keyword)
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def is_schema(value: Any) -> bool:
    return isinstance(value, Mapping | bool)


def schemas(schema: Mapping[str, Any], keyword: str) -> list[Schema]:
    """The schemas in the keyword's list, empty if there is none."""
    value = schema.get(keyword)
    return [one for one in value if is_schema(one)] if isinstance(value, list) else []


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal: 1 is 1.0, and is not true."""
    return bool(left == right) and bool(identity(left) == identity(right))


def identity(value: Any) -> Any:
    """Something hashable that equal JSON values share."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, Mapping):
        return ("object", frozenset([(key, identity(inner)) for key, inner in value.items()]))
    if isinstance(value, list | tuple):
        return ("array", tuple([identity(inner) for inner in value]))
    return value


REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


class Document:
    """A root schema and what its references mean. Never looks outside of it."""

    def __init__(self, root: Schema) -> None:
        self.root = root
        self._found: dict[str, Schema] = {}
        self._named: dict[str, Schema] | None = None

    def resolve(self, reference: str) -> Schema:
        """The schema that a `$ref` means. Raises Unsatisfiable."""
        found = self._found.get(reference)
        if found is None:
            found = self._found[reference] = self._look_up(reference)
        return found

    def _look_up(self, reference: str) -> Schema:
        place, _, fragment = reference.partition("#")
        start = self.root
        if place:
            start = self._names().get(place)
            if start is None:
                start = self._names().get(_joined(self._base(), place))
        if fragment and not fragment.startswith("/"):
            start = self._names().get(f"#{fragment}")
            fragment = ""
        found = _follow(start, fragment)
        if not is_schema(found):
            raise Unsatisfiable(f"$ref {reference[:200]!r} leads to nothing in the schema")
        return found

    def _base(self) -> str:
        base = self.root.get("$id") if isinstance(self.root, Mapping) else None
        return base if isinstance(base, str) else ""

    def _names(self) -> dict[str, Schema]:
        """Schemas by `$id`, as written and as an absolute address, and by `#anchor`."""
        if self._named is not None:
            return self._named
        self._named = {}
        waiting: list[tuple[Any, str]] = [(self.root, "")]
        for _ in range(_MAX_WALKED):
            if not waiting:
                break
            node, base = waiting.pop()
            if isinstance(node, list):
                waiting.extend([(inner, base) for inner in node])
            elif isinstance(node, Mapping):
                for keyword in ("$id", "id"):
                    own = node.get(keyword)
                    if isinstance(own, str) and own:
                        base = _joined(base, own)
                        self._named.setdefault(own, node)
                        self._named.setdefault(base, node)
                for keyword in ("$anchor", "$dynamicAnchor"):
                    own = node.get(keyword)
                    if isinstance(own, str):
                        self._named.setdefault(f"#{own}", node)
                waiting.extend([(inner, base) for inner in node.values() if isinstance(inner, Mapping | list)])
        return self._named


def _joined(base: str, place: str) -> str:
    try:
        return urljoin(base, place).rstrip("#")
    except ValueError:
        return place


def _follow(node: Any, pointer: str) -> Any:
    """What a JSON pointer in a URI fragment leads to, None if nothing.

    Source: RFC 6901, sections 3 to 6.
    """
    if not pointer:
        return node
    for step in unquote(pointer)[1:].split("/"):
        if isinstance(node, Mapping):
            node = node.get(step.replace("~1", "/").replace("~0", "~"))
        elif isinstance(node, list) and step.isascii() and step.isdigit() and len(step) < 8 and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node
