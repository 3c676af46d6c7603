"""Makes up values that are valid against a JSON Schema and look as if a model had written them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import orjson

from providers.emulated.json_schema.building import Builder
from providers.emulated.json_schema.document import Document, Unsatisfiable, identity, mapping
from providers.emulated.json_schema.wording import BETWEEN, Prompt, topic_of

_MOST_VALUES_FOR = 8
_NOTHING: Mapping[str, int] = {}


def generate(schema: Mapping[str, Any] | bool, *, seed: bytes, hints: str = "", answer: str = "") -> Any:
    """A JSON value that is valid against the schema: draft 4 to 2020-12, OpenAPI's and Gemini's ways of writing too.

    `hints`: what the value is about, mostly the user's prompt; the same arguments give the same value.
    `answer`: the few words that answer it, for a property like `answer`. Looks nothing
    up: a `$ref` leads somewhere in the schema or nowhere. Raises Unsatisfiable if no valid value is found.
    """
    return _generate(schema, seed, Prompt(hints, answer), _NOTHING)


def values_for(schema: Mapping[str, Any] | bool, hints: str, *, seed: bytes = b"") -> list[Any]:
    """As many valid values as the hints ask for, at most 8: one for each place of "in Paris and Rome", or for each
    value of an enumeration that they list; mostly one. Raises Unsatisfiable."""
    prompt = Prompt(hints)
    name, times = _listed(schema, prompt)
    values: dict[Any, Any] = {}
    for at in range(times):
        value = _generate(schema, seed, Prompt(hints), {name: at} if times > 1 else _NOTHING, is_sparing=True)
        values.setdefault(identity(value), value)
    return list(values.values())


def _generate(schema: Any, seed: bytes, prompt: Prompt, focus: Mapping[str, int], *, is_sparing: bool = False) -> Any:
    try:
        value = Builder(schema, seed, prompt, focus, is_sparing=is_sparing).value(schema, "", 0)
        # Values that the schema gives can be such as no JSON text can hold.
        orjson.dumps(value)
    except (RecursionError, OverflowError):
        raise Unsatisfiable("the schema is nested too deeply, or its numbers are too large") from None
    except TypeError as error:
        raise Unsatisfiable(f"the value cannot be sent: {error}") from None
    return value


def _listed(schema: Any, prompt: Prompt) -> tuple[str, int]:
    """The one property for which the prompt lists several values, and how many."""
    if not prompt.text or not isinstance(schema, Mapping):
        return "", 1
    document = Document(schema)
    found: list[tuple[str, int]] = []
    for name, part in mapping(schema, "properties").items():
        reference = part.get("$ref") if isinstance(part, Mapping) else None
        if isinstance(reference, str):
            part = document.resolve(reference)
        if not isinstance(part, Mapping):
            continue
        values = part.get("enum")
        if isinstance(values, list):
            found.append((name, _count_listed(values, prompt)))
        elif part.get("type") in ("string", "STRING") and topic_of(name) == "place" and "pattern" not in part:
            found.append((name, len(prompt.places)))
    many = [(name, times) for name, times in found if times > 1]
    return (many[0][0], min(many[0][1], _MOST_VALUES_FOR)) if len(many) == 1 else ("", 1)


def _count_listed(values: list[Any], prompt: Prompt) -> int:
    """How many of the values stand one after another in the prompt, with nothing between but commas and "and"."""
    spans = []
    for value in values[:50]:
        start = prompt.find(value) if isinstance(value, str) else -1
        if start >= 0:
            spans.append((start, start + len(value.casefold())))
    spans.sort()
    gaps = [prompt.words[before[1] : after[0]] for before, after in pairwise(spans)]
    return len(spans) if gaps and all(re.fullmatch(BETWEEN, gap) for gap in gaps) else 1
