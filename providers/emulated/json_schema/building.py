"""Makes one value for a schema: simple schemas straight away, the others by trying and checking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from providers.emulated.json_schema.checking import Checker, fits_number
from providers.emulated.json_schema.document import (
    Document,
    Exhausted,
    Schema,
    Unsatisfiable,
    count,
    is_schema,
    kind_of,
    kinds_of,
    mapping,
    number,
    schemas,
    texts,
    words,
)
from providers.emulated.json_schema.formats import WIDTHS, texts_of
from providers.emulated.json_schema.merging import Merged, Merger, preferred
from providers.emulated.json_schema.quantities import Bound, numbers, said_number, within
from providers.emulated.json_schema.reading import amount, feeling, listed
from providers.emulated.json_schema.searching import (
    DEEPEST,
    LONGEST_TEXT,
    MOST_ALIKE,
    MOST_VALUES,
    USEFUL_DEPTH,
    Searcher,
)
from providers.emulated.json_schema.wording import (
    Prompt,
    fitted,
    from_prompt,
    number_for,
    of_format,
    topic_of,
    word,
)

_USEFUL_VALUES = 300
# What is made of the whole prompt says nothing that is asked for.
_WHOLE_PROMPT = words("prompt title sentence sentiment name")

_ANNOTATIONS = words(
    "title description default examples example deprecated readOnly writeOnly $comment $schema $id id $defs "
    "definitions $anchor $vocabulary propertyOrdering contentMediaType contentEncoding discriminator xml "
    "externalDocs strict"
)
# What needs more than a look at one keyword at a time.
_INVOLVED = words(
    "allOf oneOf not if dependentRequired dependentSchemas dependencies patternProperties propertyNames minProperties "
    "maxProperties unevaluatedProperties unevaluatedItems contains prefixItems additionalItems uniqueItems pattern "
    "multipleOf $dynamicRef $recursiveRef"
)
_WITH_REFERENCE = _ANNOTATIONS | {"$ref"}
_WITH_BRANCHES = _ANNOTATIONS | {"anyOf"}
_WITH_VALUES = _ANNOTATIONS | {"enum", "const", "type", "nullable"}


class Builder:
    """Builds values for one document. `focus`: variations of properties of the root, by name. `is_sparing`: optional
    properties of an object with required ones are left out unless the prompt says what they are."""

    def __init__(
        self, root: Schema, seed: bytes, prompt: Prompt, focus: Mapping[str, int], *, is_sparing: bool = False
    ) -> None:
        self._is_sparing = is_sparing
        self._document = Document(root)
        self.checker = Checker(self._document)
        self.seed = seed
        self.shift = seed[0] if seed else 0
        self.prompt = prompt
        self.focus = focus
        self.values = 0
        # How many times each reference is being followed right now.
        self.active: dict[str, int] = {}
        self._searcher = Searcher(self, Merger(self._document, prefers=self._preferred))

    def value(self, schema: Schema, name: str, depth: int, variation: int = 0) -> Any:
        """A valid value. `name`: of the property it is for. Raises Unsatisfiable."""
        self.values += 1
        if self.values > MOST_VALUES:
            raise Exhausted(f"no value of at most {MOST_VALUES} parts was found")
        if depth > DEEPEST:
            raise Unsatisfiable(f"the value would be more than {DEEPEST} levels deep")
        if not isinstance(schema, Mapping):
            if schema is False:
                raise Unsatisfiable("the schema is false: no value is valid")
            return word(name, variation, self.shift)
        if not _INVOLVED.isdisjoint(schema):
            return self._searcher.search([schema], name, depth, variation)
        if "$ref" in schema:
            if isinstance(schema["$ref"], str) and _WITH_REFERENCE.issuperset(schema):
                return self._referred(schema["$ref"], name, depth, variation)
            return self._searcher.search([schema], name, depth, variation)
        if "anyOf" in schema:
            branches = schemas(schema, "anyOf")
            if branches and _WITH_BRANCHES.issuperset(schema):
                return self._any_of(branches, name, depth, variation)
            return self._searcher.search([schema], name, depth, variation)
        if "enum" in schema or "const" in schema:
            values = [schema["const"]] if "const" in schema else schema["enum"]
            has_both = "const" in schema and "enum" in schema
            if not isinstance(values, list) or has_both or not _WITH_VALUES.issuperset(schema):
                return self._searcher.search([schema], name, depth, variation)
            kinds = kinds_of(schema)
            if kinds is not None:
                values = [value for value in values if kind_of(value) in kinds]
            if values:
                return self.literals(values)[variation % len(values)]
            return self._searcher.search([schema], name, depth, variation)
        return self._simple(schema, name, depth, variation)

    def _simple(self, schema: Mapping[str, Any], name: str, depth: int, variation: int) -> Any:
        kind = schema.get("type")
        if not isinstance(kind, str):
            return self._searcher.search([schema], name, depth, variation)
        kind = kind.lower()
        if kind == "string":
            return self._text(schema, name, variation)
        if variation == 0 and ("default" in schema or "examples" in schema or "example" in schema):
            for value in preferred(schema):
                if self.checker.is_valid(value, schema):
                    return value
        if kind == "object":
            return self._plain_object(schema, depth, variation)
        if kind in ("integer", "number"):
            return self._number(schema, name, variation, is_whole=kind == "integer")
        if kind == "boolean":
            return variation % 2 == 0
        if kind == "array":
            return self._plain_array(schema, name, depth, variation)
        if kind == "null":
            return None
        return self._searcher.search([schema], name, depth, variation)

    # --- simple schemas

    def _referred(self, reference: str, name: str, depth: int, variation: int) -> Any:
        active = self.active.get(reference, 0)
        if active >= MOST_ALIKE:
            raise Unsatisfiable(f"$ref {reference[:200]!r} refers to itself without end")
        self.active[reference] = active + 1
        try:
            return self.value(self._document.resolve(reference), name, depth + (active > 0), variation)
        finally:
            self.active[reference] = active

    def _any_of(self, branches: list[Schema], name: str, depth: int, variation: int) -> Any:
        failure: Unsatisfiable | None = None
        order = self._preferred(branches)
        turn = variation % len(order) if _is_null(branches[order[-1]]) and len(order) > 2 else 0
        for at in order[turn:] + order[:turn]:
            try:
                return self.value(branches[at], name, depth, variation)
            except Exhausted:
                raise
            except Unsatisfiable as one:
                failure = failure or one
        raise failure or Unsatisfiable("anyOf has no branches")

    def _preferred(self, branches: list[Schema]) -> list[int]:
        """The places of the branches: what leads on to the same schema again last, null before that."""
        ranks = [self._rank(branch) for branch in branches]
        return sorted(range(len(branches)), key=ranks.__getitem__)

    def _rank(self, branch: Schema) -> int:
        if not isinstance(branch, Mapping):
            return 2
        reference = branch.get("$ref")
        if isinstance(reference, str) and self.active.get(reference, 0) >= MOST_ALIKE:
            return 3
        return int(_is_null(branch))

    def literals(self, values: list[Any]) -> list[Any]:
        """The values, those that the prompt mentions first."""
        if len(values) < 2 or len(values) > 200 or not self.prompt.text:
            return values
        said = {value.casefold(): at for at, value in enumerate(values) if isinstance(value, str)}
        if "positive" in said and "negative" in said:
            felt = said.get(feeling(self.prompt.text), 0)
            return [values[felt], *values[:felt], *values[felt + 1 :]]
        found = [(self.prompt.find(value), at) for value, at in said.items()]
        mentioned = [at for start, at in sorted(found) if start >= 0]
        if len(mentioned) > 1:
            # Of all that is on offer, what is spoken of again is meant.
            mentioned.sort(key=lambda at: -self.prompt.words.count(values[at].casefold()))
        order = dict.fromkeys([*mentioned, *range(len(values))])
        return [values[at] for at in order] if mentioned else values

    def _plain_object(self, schema: Mapping[str, Any], depth: int, variation: int) -> dict[str, Any]:
        properties = mapping(schema, "properties")
        required = texts(schema, "required")
        built: dict[str, Any] = {}
        place = 0
        for name in self._ordered(properties, schema):
            part = properties[name]
            is_optional = name not in required
            if is_optional and not (
                self.is_useful(part, depth) and (not self._is_sparing or not required or self._is_said(name, part))
            ):
                continue
            turn = variation >> place if variation else 0
            if depth == 0 and name in self.focus:
                turn = self.focus[name]
            try:
                built[name] = self.value(part, name, depth + 1, turn)
                place = min(place + 1, 20)
            except Exhausted:
                raise
            except Unsatisfiable as failure:
                if not is_optional:
                    raise failure.under(name) from None
        rest = schema.get("additionalProperties")
        for name in required:
            if name not in properties:
                try:
                    built[name] = self.value(rest if is_schema(rest) else True, name, depth + 1, variation)
                except Unsatisfiable as failure:
                    raise failure.under(name) from None
        if not built and isinstance(rest, Mapping) and rest and depth < USEFUL_DEPTH:
            # A mapping from any names to values.
            for at, name in enumerate(("first", "second")):
                try:
                    built[name] = self.value(rest, "", depth + 1, variation + at)
                except Exhausted:
                    raise
                except Unsatisfiable:
                    break
        return built

    def _ordered(self, properties: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
        order = texts(schema, "propertyOrdering")
        return [*[name for name in order if name in properties], *[name for name in properties if name not in order]]

    def is_useful(self, part: Schema, depth: int) -> bool:
        """Whether an optional property is worth a value: not what has a default, what nests or what is too much."""
        if depth > USEFUL_DEPTH or self.values > _USEFUL_VALUES or not isinstance(part, Mapping):
            return False
        if "default" in part:
            return self._count_mentioned(part.get("enum")) > 0
        reference = part.get("$ref")
        return not (isinstance(reference, str) and self.active.get(reference))

    def _is_said(self, name: str, part: Schema) -> bool:
        """Whether the prompt says what an optional property is."""
        if not isinstance(part, Mapping) or not self.prompt.text:
            return False
        branches = [branch for branch in schemas(part, "anyOf") if not _is_null(branch)]
        if branches and isinstance(branches[0], Mapping):
            part = branches[0]
        if isinstance(part.get("enum"), list):
            return self._count_mentioned(part["enum"]) > 0
        kind = part.get("type")
        if isinstance(kind, str):
            kind = kind.lower()
        if kind in ("integer", "number"):
            return amount(name, self.prompt.text) is not None or self.prompt.has_number_left
        if kind in ("string", ["string", "null"]):
            return topic_of(name) not in _WHOLE_PROMPT and from_prompt(name, self.prompt, 0) is not None
        if kind == "array":
            return self.prompt.mentions(name) or (topic_of(name) == "place" and len(self.prompt.places) > 0)
        return self.prompt.mentions(name)

    def _plain_array(self, schema: Mapping[str, Any], name: str, depth: int, variation: int) -> list[Any]:
        items = schema.get("items", True)
        if not is_schema(items):
            found: list[Any] = self._searcher.search([schema], name, depth, variation)
            return found
        least, most = count(schema, "minItems") or 0, count(schema, "maxItems")
        if most is not None and most < least:
            raise Unsatisfiable(f"minItems {least} is more than maxItems {most}")
        if least > MOST_VALUES:
            raise Unsatisfiable(f"an array of {least} items is too long")
        wanted = max(least, self.useful_items(items, name, depth))
        built: list[Any] = []
        for at in range(wanted if most is None else min(wanted, most)):
            try:
                built.append(self.value(items, name, depth + 1, variation + at))
            except Exhausted:
                raise
            except Unsatisfiable as failure:
                if at < least:
                    raise failure.under(at) from None
                break
        return built

    def useful_items(self, items: Schema, name: str, depth: int) -> int:
        if depth > USEFUL_DEPTH or self.values > _USEFUL_VALUES or items is False:
            return 0
        if not isinstance(items, Mapping):
            return 1
        reference = items.get("$ref")
        if isinstance(reference, str) and self.active.get(reference):
            return 1
        if items.get("type") == "string":
            topic, said = topic_of(name), listed(name, self.prompt.text)
            if said:
                return min(len(said), 8)
            if topic == "place" or (topic == "name" and self.prompt.people):
                return min(max(len(self.prompt.places if topic == "place" else self.prompt.people), 1), 8)
        values = items.get("enum")
        if items.get("type") == "object" and isinstance(items.get("properties"), Mapping):
            first = next(iter(items["properties"]), "")
            if topic_of(first) == "name" and len(self.prompt.people) > 1:
                return min(len(self.prompt.people), 8)
        if isinstance(values, list):
            return min(max(self._count_mentioned(values), 1), 8)
        if items.get("type") in ("integer", "number"):
            return min(max(len(self.prompt.numbers), 2), 8)
        return 2

    def _count_mentioned(self, values: Any) -> int:
        """How many of an enumeration's values the prompt mentions."""
        if not isinstance(values, list) or not self.prompt.text:
            return 0
        return sum(isinstance(value, str) and self.prompt.mentions(value) for value in values[:50])

    def _text(self, schema: Mapping[str, Any], name: str, variation: int) -> str:
        low, high = count(schema, "minLength") or 0, count(schema, "maxLength")
        if high is not None and high < low:
            raise Unsatisfiable(f"minLength {low} is more than maxLength {high}")
        if low > LONGEST_TEXT:
            raise Unsatisfiable(f"a text of {low} characters is too long")
        form = schema.get("format")
        if isinstance(form, str) and form not in ("enum", "password", "binary"):
            if low == 0 and high is None:
                return self._formed(schema, form, name, variation)
            formed: str = self._searcher.search([schema], name, 0, variation)
            return formed
        said = from_prompt(name, self.prompt, variation)
        if said is None and variation == 0 and ("default" in schema or "examples" in schema or "example" in schema):
            for value in preferred(schema):
                if isinstance(value, str) and self.checker.is_valid(value, schema):
                    return value
        text = said if said is not None else word(name, variation, self.shift)
        return text if low <= len(text) and (high is None or len(text) <= high) else fitted(text, low, high, variation)

    def _formed(self, schema: Mapping[str, Any], form: str, name: str, variation: int) -> str:
        said = from_prompt(name, self.prompt, variation)
        written = of_format(form, self.prompt, variation)
        shown = [said, written, *preferred(schema)] if variation == 0 else [said, written]
        for value in shown:
            if isinstance(value, str) and self.checker.is_valid(value, {"type": "string", "format": form}):
                return value
        made = texts_of(form, variation, self.seed, 0)
        return made[0] if made else word(name, variation, self.shift)

    def _number(self, schema: Mapping[str, Any], name: str, variation: int, *, is_whole: bool) -> float:
        low, high = number(schema, "minimum"), number(schema, "maximum")
        bottom, top = (None if low is None else (low, False)), (None if high is None else (high, False))
        if "exclusiveMinimum" in schema or "exclusiveMaximum" in schema or schema.get("format") in WIDTHS:
            merged = Merged()
            merged.add(schema)
            bottom, top = merged.low, merged.high
        for value in self.amounts(bottom, top, [], name, variation, is_whole=is_whole):
            if fits_number(value, schema):
                return value
        raise Unsatisfiable("no number lies within the bounds")

    def amounts(
        self, low: Bound, high: Bound, steps: list[float], name: str, variation: int, *, is_whole: bool
    ) -> Iterator[float]:
        least = low[0] if low else -(2.0**53)
        most = high[0] if high else 2.0**53
        said = said_number(self.prompt, name, variation, least, most, is_whole=is_whole) if self.prompt.text else None
        if said is not None and within(said, low, high) and not steps:
            yield said
        usual = number_for(name)
        if usual is None:
            usual = 1 if is_whole or steps else 1.5
        yield from numbers(low, high, steps, usual, variation, is_whole=is_whole)


def _is_null(schema: Schema) -> bool:
    if not isinstance(schema, Mapping):
        return False
    kind = schema.get("type")
    return (isinstance(kind, str) and kind.lower() == "null") or ("const" in schema and schema["const"] is None)
