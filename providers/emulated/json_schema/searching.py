"""Finds a value for schemas whose keywords act on one another: puts candidates together and checks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from providers.emulated.json_schema.document import Exhausted, Schema, Unsatisfiable, identity, kind_of
from providers.emulated.json_schema.formats import texts_of
from providers.emulated.json_schema.merging import Merged, Merger
from providers.emulated.json_schema.patterns import pattern_of
from providers.emulated.json_schema.wording import fitted, from_prompt, word

if TYPE_CHECKING:
    from providers.emulated.json_schema.building import Builder

MOST_VALUES = 100_000
MOST_ALIKE = 2
DEEPEST = 60
USEFUL_DEPTH = 5
LONGEST_TEXT = 1_000_000
_MOST_MISSES = 1_500
_MOST_WAYS = 300


class Searcher:
    """The slow half of a builder."""

    def __init__(self, builder: Builder, merger: Merger) -> None:
        self._builder = builder
        self._merger = merger
        self._misses = 0

    def search(self, asked: list[Schema], name: str, depth: int, variation: int) -> Any:
        """A value that all the schemas allow, found by trying. Raises Unsatisfiable."""
        failure: Unsatisfiable | None = None
        for at, merged in enumerate(self._merger.ways(asked)):
            if at >= _MOST_WAYS:
                break
            self._builder.values += 5
            entered = list(merged.references)
            if any(self._builder.active.get(reference, 0) >= MOST_ALIKE for reference in entered):
                failure = failure or Unsatisfiable(f"$ref {entered[0][:200]!r} refers to itself without end")
                continue
            again = any(self._builder.active.get(reference) for reference in entered)
            for reference in entered:
                self._builder.active[reference] = self._builder.active.get(reference, 0) + 1
            try:
                for value in self._candidates(merged, name, depth + again, variation):
                    if all(self._builder.checker.is_valid(value, schema) for schema in asked):
                        return value
                    self._miss()
            except Exhausted:
                raise
            except Unsatisfiable as one:
                failure = failure or one
            finally:
                for reference in entered:
                    self._builder.active[reference] -= 1
        raise failure or Unsatisfiable("its keywords contradict each other")

    def _miss(self) -> None:
        self._misses += 1
        self._builder.values += 10
        if self._misses > _MOST_MISSES or self._builder.values > MOST_VALUES:
            raise Exhausted("no valid value was found in reasonable time")

    def _candidates(self, merged: Merged, name: str, depth: int, variation: int) -> Iterator[Any]:
        if depth > DEEPEST:
            raise Unsatisfiable(f"the value would be more than {DEEPEST} levels deep")
        if merged.literals is not None:
            values = self._builder.literals([value for value in merged.literals if kind_of(value) in merged.kinds])
            for at in range(len(values)):
                yield values[(variation + at) % len(values)]
            return
        if variation == 0:
            yield from [value for value in merged.preferred if kind_of(value) in merged.kinds]
        failure: Unsatisfiable | None = None
        kinds = merged.ordered_kinds()
        for kind in kinds:
            try:
                if kind == "object":
                    yield from self._objects(merged, depth, variation)
                elif kind == "array":
                    yield from self._arrays(merged, name, depth, variation)
                elif kind == "string":
                    yield from self._texts(merged, name, variation)
                elif kind == "boolean":
                    yield from (variation % 2 == 0, variation % 2 == 1)
                elif kind == "null":
                    yield None
                elif kind == "integer" or "integer" not in kinds:
                    is_whole = "fraction" not in kinds
                    yield from self._builder.amounts(
                        merged.low, merged.high, merged.steps, name, variation, is_whole=is_whole
                    )
            except Exhausted:
                raise
            except Unsatisfiable as one:
                failure = failure or one
        if failure is not None:
            raise failure

    def _texts(self, merged: Merged, name: str, variation: int) -> Iterator[str]:
        low, high = merged.least.get("Length", 0), merged.most.get("Length")
        if high is not None and high < low:
            raise Unsatisfiable(f"minLength {low} is more than maxLength {high}")
        if low > LONGEST_TEXT:
            raise Unsatisfiable(f"a text of {low} characters is too long")
        said = from_prompt(name, self._builder.prompt, variation)
        if said is not None:
            yield said if merged.patterns or merged.formats else fitted(said, low, high, variation)
        usual = word(name, 0, self._builder.shift)
        letters = "".join([letter for letter in usual.split()[-1] if letter.isalnum() and letter.isascii()])
        for more in range(12 if merged.has_denial else 4):
            turn = variation + more
            for form in merged.formats:
                yield from texts_of(form, turn, self._builder.seed, low)
            for source in merged.patterns:
                yield from pattern_of(source).texts(letters, low, high, turn)
            yield fitted(word(name, turn, self._builder.shift), low, high, turn)
        yield from [text for text in ("", "a", "1", "A", "-", "example") if low <= len(text)]

    def _objects(self, merged: Merged, depth: int, variation: int) -> Iterator[dict[str, Any]]:
        failure: Unsatisfiable | None = None
        for mode in ("useful", "lean", "full"):
            for more in range(3 if merged.has_denial or merged.dependents else 1):
                try:
                    yield self._object(merged, mode, depth, variation + more)
                except Exhausted:
                    raise
                except Unsatisfiable as one:
                    failure = failure or one
        if failure is not None:
            raise failure

    def _object(self, merged: Merged, mode: str, depth: int, variation: int) -> dict[str, Any]:
        least, most = merged.least.get("Properties", 0), merged.most.get("Properties")
        if least > MOST_VALUES:
            raise Unsatisfiable(f"an object of {least} properties is too large")
        told = dict.fromkeys([name for properties, _, _ in merged.objects for name in properties])
        names = dict.fromkeys([name for name in merged.ordering if name in told]) | told
        dependents = {name for name, _ in merged.dependents}
        built: dict[str, Any] = {}
        wanted: list[str] = []
        for name in names | merged.required:
            if name in merged.required:
                wanted.append(name)
            elif name not in merged.forbidden and mode != "lean":
                parts = merged.property_schemas(name, _matches)
                is_open = name not in dependents and all(self._builder.is_useful(part, depth) for part in parts)
                if mode == "full" or is_open:
                    wanted.append(name)
        room = None if most is None else most - len(merged.required)
        place = 0
        for name in wanted:
            is_optional = name not in merged.required
            if is_optional and room is not None and room <= 0:
                continue
            turn = variation >> place if variation else 0
            if depth == 0 and name in self._builder.focus:
                turn = self._builder.focus[name]
            if self._put(built, merged, name, depth, turn, is_optional=is_optional):
                place = min(place + 1, 20)
                if is_optional and room is not None:
                    room -= 1
        for name in names:
            if len(built) >= least:
                break
            if name not in built and name not in merged.forbidden:
                self._put(built, merged, name, depth, variation, is_optional=True)
        wished = least
        if not built and mode == "useful" and depth < USEFUL_DEPTH and any(_is_map(one) for one in merged.objects):
            wished = max(1, least)
        self._fill(built, merged, depth, variation, wished if most is None else min(wished, most))
        if len(built) < least:
            raise Unsatisfiable(f"fewer than {least} properties are possible")
        return built

    def _put(
        self, built: dict[str, Any], merged: Merged, name: str, depth: int, variation: int, *, is_optional: bool
    ) -> bool:
        if name in merged.forbidden:
            if is_optional:
                return False
            raise Unsatisfiable(f"property {name[:80]!r} is required and forbidden")
        try:
            built[name] = self._part(merged.property_schemas(name, _matches), name, depth + 1, variation)
        except Exhausted:
            raise
        except Unsatisfiable as failure:
            if is_optional:
                return False
            raise failure.under(name) from None
        return True

    def _part(self, asked: list[Schema], name: str, depth: int, variation: int) -> Any:
        if len(asked) == 1:
            return self._builder.value(asked[0], name, depth, variation)
        if not asked:
            return self._builder.value(True, name, depth, variation)
        return self.search(asked, name, depth, variation)

    def _fill(self, built: dict[str, Any], merged: Merged, depth: int, variation: int, wished: int) -> None:
        """Adds properties that no keyword names until there are as many as wished."""
        misses = 0
        for name in self._free_names(merged, wished):
            if len(built) >= wished or misses > 20:
                return
            if name in built or name in merged.forbidden:
                continue
            fits = all(self._builder.checker.is_valid(name, schema) for schema in merged.names)
            if not fits or not self._put(built, merged, name, depth, variation + len(built), is_optional=True):
                misses += 1

    def _free_names(self, merged: Merged, wished: int) -> Iterator[str]:
        if merged.names:
            for at in range(2 * wished + 2):
                try:
                    yield self.search([{"type": "string"}, *merged.names], "name", 0, at)
                except Exhausted:
                    raise
                except Unsatisfiable:
                    break
        for _, patterns, _ in merged.objects:
            for source in patterns:
                for at in range(2 * wished + 2):
                    yield from pattern_of(source).texts("example", 0, None, at)
        yield from ("first", "second", "third")
        for at in range(4, wished + 24):
            yield f"item_{at}"

    def _arrays(self, merged: Merged, name: str, depth: int, variation: int) -> Iterator[list[Any]]:
        least, most = merged.least.get("Items", 0), merged.most.get("Items")
        if most is not None and most < least:
            raise Unsatisfiable(f"minItems {least} is more than maxItems {most}")
        if least > MOST_VALUES or any(need > MOST_VALUES for _, need, _ in merged.contains):
            raise Unsatisfiable("an array of so many items is too long")
        first = max([len(first) for first, _ in merged.arrays], default=0)
        parts = merged.item_schemas(first)
        useful = max(self._builder.useful_items(parts[0], name, depth) if len(parts) == 1 else 1, first)
        needed = sum(need for _, need, _ in merged.contains)
        lengths = [max(useful, least, needed), max(least, first), least, max(least, needed), least + 1]
        lengths += [first, first + needed, least + needed, 0]
        failure: Unsatisfiable | None = None
        for length in dict.fromkeys(lengths):
            if length < least:
                continue
            for more in range(2 if merged.has_denial else 1):
                try:
                    yield self._array(
                        merged, name, depth, variation + more, length if most is None else min(length, most)
                    )
                except Exhausted:
                    raise
                except Unsatisfiable as one:
                    failure = failure or one
        if failure is not None:
            raise failure

    def _array(self, merged: Merged, name: str, depth: int, variation: int, length: int) -> list[Any]:
        owed = [need for _, need, _ in merged.contains]
        built: list[Any] = []
        known: set[Any] = set()
        for at in range(length):
            asked = merged.item_schemas(at)
            item: Any = None
            is_made = False
            for place, (schema, _, _) in enumerate(merged.contains):
                if owed[place] > 0 and not is_made:
                    try:
                        item = self._item([*asked, schema], name, depth, variation + at, known, merged)
                        is_made = True
                    except Exhausted:
                        raise
                    except Unsatisfiable:
                        continue
            if not is_made:
                spent = [schema for schema, _, high in merged.contains if high is not None]
                try:
                    others = [*asked, *[{"not": schema} for schema in spent]]
                    item = self._item(others, name, depth, variation + at, known, merged)
                except Exhausted:
                    raise
                except Unsatisfiable as failure:
                    if at >= merged.least.get("Items", 0) and not any(need > 0 for need in owed):
                        break
                    raise failure.under(at) from None
            for place, (schema, _, _) in enumerate(merged.contains):
                owed[place] -= self._builder.checker.is_valid(item, schema)
            if merged.is_unique:
                known.add(identity(item))
            built.append(item)
        return built

    def _item(self, asked: list[Schema], name: str, depth: int, variation: int, known: set[Any], merged: Merged) -> Any:
        """An item, with `uniqueItems` one that is not known yet."""
        if not merged.is_unique:
            return self._part(asked, name, depth + 1, variation)
        for more in (*range(12), 16, 32, 64, 128, 256):
            item = self._part(asked, name, depth + 1, variation + more)
            if identity(item) not in known:
                return item
        raise Unsatisfiable("no further item differs from the others")


def _is_map(told: tuple[Mapping[str, Any], Mapping[str, Any], Schema | None]) -> bool:
    return bool(told[1]) or (isinstance(told[2], Mapping) and bool(told[2]))


def _matches(source: str, name: str) -> bool:
    return pattern_of(source).matches(name)
