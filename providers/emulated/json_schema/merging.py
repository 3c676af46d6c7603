"""Brings schemas that a value must all satisfy together, one way of choosing their branches after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from providers.emulated.json_schema.checking import places
from providers.emulated.json_schema.document import (
    EVERY_KIND,
    REFERENCES,
    Document,
    Exhausted,
    Schema,
    Unsatisfiable,
    count,
    identity,
    is_schema,
    kinds_of,
    mapping,
    number,
    schemas,
    texts,
)
from providers.emulated.json_schema.formats import WIDTHS

_DEEPEST = 40
_MOST_PARTS = 8_000
_BY_KEYWORD = (
    ("object", ("properties", "required", "additionalProperties", "patternProperties", "propertyNames",
                "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "dependencies",
                "unevaluatedProperties")),
    ("array", ("items", "prefixItems", "minItems", "maxItems", "contains", "uniqueItems", "unevaluatedItems")),
    ("string", ("minLength", "maxLength", "pattern", "format")),
    ("integer", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)  # fmt: skip


_SAYS_NOTHING = frozenset({"title", "description", "default", "examples", "$comment"})


class Alternatives:
    """A choice still to be made: lists of schemas, of which one list is to hold."""

    __slots__ = ("lists",)

    def __init__(self, lists: list[list[Schema]]) -> None:
        self.lists = lists


class Merged:
    """What several schemas together ask of one value. `likely`: kinds that their keywords speak of."""

    def __init__(self) -> None:
        self.kinds: frozenset[str] = EVERY_KIND
        self.order: list[str] = []
        self.likely: list[str] = []
        self.literals: list[Any] | None = None
        self.preferred: list[Any] = []
        self.low: tuple[float, bool] | None = None
        self.high: tuple[float, bool] | None = None
        self.steps: list[float] = []
        self.least: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.patterns: list[str] = []
        self.formats: list[str] = []
        self.required: dict[str, None] = {}
        self.forbidden: set[str] = set()
        self.objects: list[tuple[Mapping[str, Any], Mapping[str, Any], Schema | None]] = []
        self.names: list[Schema] = []
        self.dependents: list[tuple[str, Schema]] = []
        self.arrays: list[tuple[list[Schema], Schema | None]] = []
        self.contains: list[tuple[Schema, int, int | None]] = []
        self.is_unique = False
        self.left_properties: list[Schema] = []
        self.left_items: list[Schema] = []
        self.references: dict[str, None] = {}
        self.ordering: list[str] = []
        self.has_denial = False

    def copy(self) -> Merged:
        other = Merged.__new__(Merged)
        for name, value in self.__dict__.items():
            other.__dict__[name] = value.copy() if isinstance(value, list | dict | set) else value
        return other

    @property
    def is_impossible(self) -> bool:
        if not self.kinds or self.literals == []:
            return True
        return any(self.most.get(what, low) < low for what, low in self.least.items()) and len(self.kinds) == 1

    def ordered_kinds(self) -> list[str]:
        """The kinds that are possible, the likeliest first; null last."""
        order = [*self.order, *self.likely, "string", "integer", "object", "boolean", "array", "fraction", "null"]
        kinds = [kind for kind in dict.fromkeys(order) if kind in self.kinds]
        if len(kinds) > 1 and kinds[0] == "null":
            kinds = [*kinds[1:], "null"]
        return kinds

    def add(self, schema: Mapping[str, Any]) -> None:
        """Adds what the schema itself says, its parts (`allOf`, ...) left aside."""
        kinds = kinds_of(schema)
        if kinds is not None:
            self.kinds &= kinds
            named = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            for name in named:
                self.order += sorted(kinds_of({"type": name}) or (), reverse=True)
        self.likely += [kind for kind, keywords in _BY_KEYWORD if any(keyword in schema for keyword in keywords)]
        if "const" in schema:
            self._limit([schema["const"]])
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            self._limit(schema["enum"])
        self.preferred += preferred(schema)
        self._add_number(schema)
        for what in ("Length", "Items", "Properties"):
            low, high = count(schema, f"min{what}"), count(schema, f"max{what}")
            if low is not None:
                self.least[what] = max(low, self.least.get(what, 0))
            if high is not None:
                self.most[what] = min(high, self.most.get(what, high))
        if isinstance(schema.get("pattern"), str):
            self.patterns.append(schema["pattern"])
        if isinstance(schema.get("format"), str):
            self.formats.append(schema["format"])
        self._add_object(schema)
        self._add_array(schema)

    def _limit(self, values: list[Any]) -> None:
        if self.literals is None:
            self.literals = list(values)
        else:
            allowed = {identity(value) for value in values}
            self.literals = [value for value in self.literals if identity(value) in allowed]

    def _add_number(self, schema: Mapping[str, Any]) -> None:
        low, high = number(schema, "minimum"), number(schema, "maximum")
        above, below = number(schema, "exclusiveMinimum"), number(schema, "exclusiveMaximum")
        for bound, is_open in ((low, schema.get("exclusiveMinimum") is True), (above, True)):
            if bound is not None and (self.low is None or (bound, is_open) > self.low):
                self.low = (bound, is_open)
        for bound, is_open in ((high, schema.get("exclusiveMaximum") is True), (below, True)):
            if bound is not None and (self.high is None or (bound, not is_open) < (self.high[0], not self.high[1])):
                self.high = (bound, is_open)
        form = schema.get("format")
        if isinstance(form, str) and form in WIDTHS:
            least, most = WIDTHS[form]
            if self.low is None or self.low[0] < least:
                self.low = (least, False)
            if self.high is None or self.high[0] > most:
                self.high = (most, False)
        step = number(schema, "multipleOf")
        if step is not None and step > 0:
            self.steps.append(step)

    def _add_object(self, schema: Mapping[str, Any]) -> None:
        for name in texts(schema, "required"):
            self.required[name] = None
        if not self.ordering:
            self.ordering = texts(schema, "propertyOrdering")
        rest = schema.get("additionalProperties")
        properties, patterns = mapping(schema, "properties"), mapping(schema, "patternProperties")
        if properties or patterns or is_schema(rest):
            self.objects.append((properties, patterns, rest if is_schema(rest) else None))
        if is_schema(schema.get("propertyNames")):
            self.names.append(schema["propertyNames"])
        for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
            for name, dependent in mapping(schema, keyword).items():
                self.dependents.append((name, {"required": dependent} if isinstance(dependent, list) else dependent))
        if is_schema(schema.get("unevaluatedProperties")):
            self.left_properties.append(schema["unevaluatedProperties"])

    def _add_array(self, schema: Mapping[str, Any]) -> None:
        first, rest = places(schema)
        if first or is_schema(rest):
            self.arrays.append((first, rest if is_schema(rest) else None))
        if is_schema(schema.get("contains")):
            least = count(schema, "minContains")
            self.contains.append((schema["contains"], 1 if least is None else least, count(schema, "maxContains")))
        if schema.get("uniqueItems") is True:
            self.is_unique = True
        if is_schema(schema.get("unevaluatedItems")):
            self.left_items.append(schema["unevaluatedItems"])

    def property_schemas(self, name: str, matches: Any) -> list[Schema]:
        """What the value of a property must satisfy. `matches(pattern, name)` tells pattern properties."""
        found: list[Schema] = []
        is_told = False
        for properties, patterns, rest in self.objects:
            own = [properties[name]] if name in properties else []
            own += [part for source, part in patterns.items() if matches(source, name)]
            if not own and rest is not None:
                own = [rest]
            is_told = is_told or bool(own)
            found += own
        return found if is_told else found + self.left_properties

    def item_schemas(self, at: int) -> list[Schema]:
        """What the item at this place must satisfy."""
        found: list[Schema] = []
        is_told = False
        for first, rest in self.arrays:
            if at < len(first):
                found.append(first[at])
                is_told = True
            elif rest is not None:
                found.append(rest)
                is_told = True
        if is_told or not self.left_items:
            return found
        # What `contains` finds is spoken for.
        return [self.contains[0][0]] if self.contains else self.left_items


def preferred(schema: Mapping[str, Any]) -> list[Any]:
    """The values that the schema itself shows."""
    shown = [schema["default"]] if schema.get("default") is not None else []
    examples = schema.get("examples")
    if isinstance(examples, list):
        shown += examples[:3]
    if "example" in schema:
        shown.append(schema["example"])
    return shown


class Merger:
    """Walks through the ways of choosing branches."""

    def __init__(self, document: Document, *, prefers: Any) -> None:
        """`prefers(branches)`: the places of the branches, the one to try first at the front."""
        self._document = document
        self._prefers = prefers
        self._parts = 0

    def ways(self, asked: list[Schema]) -> Iterator[Merged]:
        """What the schemas ask together, one way after another, the preferred first. Raises Unsatisfiable."""
        return self._ways(list(reversed(asked)), Merged(), 0)

    def _ways(self, waiting: list[Any], merged: Merged, depth: int) -> Iterator[Merged]:
        if depth > _DEEPEST:
            raise Unsatisfiable("too many choices inside of one another")
        while True:
            if not waiting:
                due = [schema for name, schema in merged.dependents if name in merged.required]
                if not due:
                    break
                merged.dependents = [one for one in merged.dependents if one[0] not in merged.required]
                waiting = due
            part = waiting.pop()
            self._parts += 1
            if self._parts > _MOST_PARTS:
                raise Exhausted("the schema's keywords can be combined in too many ways")
            if isinstance(part, Alternatives):
                for chosen in part.lists:
                    yield from self._ways([*waiting, *reversed(chosen)], merged.copy(), depth + 1)
                return
            if part is False:
                return
            if isinstance(part, Mapping):
                merged.add(part)
                if merged.is_impossible or not self._split(part, waiting, merged):
                    return
        yield merged

    def _split(self, schema: Mapping[str, Any], waiting: list[Any], merged: Merged) -> bool:
        """Puts the schema's parts on the pile. False: it cannot hold."""
        branches = schemas(schema, "anyOf")
        if branches:
            waiting.append(Alternatives([[branches[at]] for at in self._prefers(branches)]))
        branches = schemas(schema, "oneOf")
        if branches:
            merged.has_denial = merged.has_denial or len(branches) > 1
            waiting.append(
                Alternatives(
                    [
                        [branches[at], *[{"not": other} for place, other in enumerate(branches) if place != at]]
                        for at in self._prefers(branches)
                    ]
                )
            )
        if is_schema(schema.get("if")):
            then, otherwise = schema.get("then", True), schema.get("else", True)
            waiting.append(Alternatives([[schema["if"], then], [{"not": schema["if"]}, otherwise]]))
        if is_schema(schema.get("not")) and not self._deny(schema["not"], waiting, merged):
            return False
        for keyword in REFERENCES:
            reference = schema.get(keyword)
            if isinstance(reference, str) and reference not in merged.references:
                merged.references[reference] = None
                waiting.append(self._document.resolve(reference))
        waiting.extend(reversed(schemas(schema, "allOf")))
        return True

    def _deny(self, denied: Schema, waiting: list[Any], merged: Merged) -> bool:
        """Says what can be said without trying; the rest shows when a value is checked."""
        merged.has_denial = True
        if not isinstance(denied, Mapping):
            return denied is False
        said = [keyword for keyword in denied if keyword not in _SAYS_NOTHING]
        if not said:
            return False
        if len(said) > 1:
            # Any one of its keywords must fail.
            if "$ref" in said or len(said) > 6:
                return True
            lists: list[list[Schema]] = []
            kinds = kinds_of(denied)
            # That it is another kind of thing comes last: the value that is wanted is mostly of the same kind.
            for keyword in sorted(said, key=lambda keyword: (keyword == "type", keyword != "required")):
                if keyword == "type" and kinds is not None:
                    lists.append([{"not": {"type": denied["type"]}}])
                elif keyword not in ("then", "else", "additionalItems", "minContains", "maxContains", "items",
                                     "additionalProperties", "patternProperties", "if", "unevaluatedProperties",
                                     "exclusiveMinimum", "exclusiveMaximum", "unevaluatedItems"):  # fmt: skip
                    lists.append([{"not": {keyword: denied[keyword]}}, *([{"type": denied["type"]}] if kinds else [])])
            # Or none that is known here: a value may still turn out right.
            lists.append([])
            waiting.append(Alternatives(lists))
            return True
        return self._deny_one(said[0], denied, waiting, merged)

    def _deny_one(self, keyword: str, denied: Mapping[str, Any], waiting: list[Any], merged: Merged) -> bool:
        value = denied[keyword]
        if keyword == "type":
            kinds = kinds_of(denied)
            merged.kinds -= kinds or frozenset()
        elif keyword == "required":
            names = texts(denied, "required")
            if len(names) == 1:
                merged.forbidden.add(names[0])
            elif names:
                waiting.append(Alternatives([[{"not": {"required": [name]}}] for name in names]))
        elif keyword == "not" and is_schema(value):
            waiting.append(value)
        elif keyword in ("anyOf", "oneOf") and schemas(denied, keyword):
            waiting.extend([{"not": branch} for branch in schemas(denied, keyword)])
        elif keyword == "allOf" and schemas(denied, keyword):
            waiting.append(Alternatives([[{"not": part}] for part in schemas(denied, keyword)]))
        elif keyword == "properties" and isinstance(value, Mapping) and value:
            lists: list[list[Schema]] = [
                [{"type": "object", "required": [name], "properties": {name: {"not": part}}}]
                for name, part in list(value.items())[:8]
            ]
            waiting.append(Alternatives([*lists, []]))
        elif keyword == "$ref" and isinstance(value, str) and f"not {value}" not in merged.references:
            merged.references[f"not {value}"] = None
            waiting.append({"not": self._document.resolve(value)})
        elif keyword == "minimum" and number(denied, keyword) is not None:
            waiting.append(Alternatives([[{"exclusiveMaximum": value}], []]))
        elif keyword == "maximum" and number(denied, keyword) is not None:
            waiting.append(Alternatives([[{"exclusiveMinimum": value}], []]))
        elif keyword in ("minLength", "minItems", "minProperties") and (least := count(denied, keyword)):
            waiting.append(Alternatives([[{f"max{keyword[3:]}": least - 1}], []]))
        elif keyword in ("maxLength", "maxItems", "maxProperties") and (most := count(denied, keyword)) is not None:
            waiting.append(Alternatives([[{f"min{keyword[3:]}": most + 1}], []]))
        return True
