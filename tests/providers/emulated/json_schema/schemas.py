"""Random schemas, and the judge of whether a value is valid."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry

NAMES = st.sampled_from(["city", "name", "age", "price", "tags", "x-a", "email", "a", "b", "date"])
PATTERNS = st.sampled_from(
    [
        r"^[a-z]+$", r"^\d{3}-\d{4}$", r"^[A-Z]{2,5}$", r"foo|bar", r"^(foo|ba[rz]){1,3}$", r"[0-9]+", r"^x-",
        r"^.{3,8}$", r"^[^\s@]+@[^\s@]+\.[a-z]{2,}$", r"^(?=.*[A-Z])(?=.*\d).{8,}$", r"^#[0-9a-fA-F]{6}$", r"^\w+$",
    ]
)  # fmt: skip
# Those that the judge knows without further packages.
FORMATS = st.sampled_from(["date", "email", "uuid", "ipv4", "ipv6", "regex"])
INTEGERS = st.integers(-50, 50)
COUNTS = st.integers(0, 4)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.sampled_from(["a", "b", "Paris", "x y", "", 0.5, 1.0, -2.25]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=3,
)


def of(kind: str | None = None, *, optional: dict[str, Any] | None = None, **keywords: Any) -> Any:
    given = {"type": st.just(kind)} if kind else {}
    return st.fixed_dictionaries(given | keywords, optional=optional or {})


TEXT = (
    of("string", optional={"minLength": st.integers(0, 12), "maxLength": st.integers(12, 30)})
    | of("string", pattern=PATTERNS, optional={"maxLength": st.integers(5, 30), "minLength": st.integers(0, 9)})
    | of("string", format=FORMATS)
)
NUMBER = of(
    type=st.sampled_from(["integer", "number"]),
    optional={
        "minimum": INTEGERS,
        "maximum": INTEGERS,
        "exclusiveMinimum": INTEGERS,
        "exclusiveMaximum": INTEGERS,
        "multipleOf": st.sampled_from([1, 2, 3, 7, 0.5, 0.1, 0.01, 2.5]),
    },
)
LEAVES = (
    TEXT
    | NUMBER
    | of(enum=st.lists(VALUES, min_size=1, max_size=4))
    | of(const=VALUES)
    | st.sampled_from([{}, True, {"type": ["string", "null"]}, {"type": "boolean"}, {"type": "null"}])
    | st.sampled_from([{"$ref": "#/$defs/one"}, {"$ref": "#/$defs/two"}])
)


def grown(inner: Any) -> Any:
    """Schemas that hold others."""
    some = st.lists(inner, min_size=1, max_size=3)
    plain = of(
        "object",
        properties=st.dictionaries(NAMES, inner, max_size=4),
        optional={"required": st.lists(NAMES, max_size=3, unique=True), "additionalProperties": st.booleans() | inner},
    )
    full = of(
        "object",
        properties=st.dictionaries(NAMES, inner, max_size=3),
        optional={
            "required": st.lists(NAMES, max_size=2, unique=True),
            "minProperties": COUNTS,
            "maxProperties": st.integers(3, 6),
            "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2),
            "propertyNames": TEXT,
            "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2),
            "dependentSchemas": st.dictionaries(NAMES, inner, max_size=1),
            "unevaluatedProperties": st.booleans(),
        },
    )
    array = of(
        "array",
        optional={
            "items": inner,
            "prefixItems": some,
            "minItems": COUNTS,
            "maxItems": st.integers(3, 6),
            "uniqueItems": st.booleans(),
            "contains": inner,
            "maxContains": st.integers(1, 3),
            "unevaluatedItems": st.booleans(),
        },
    )
    parts = of(anyOf=some) | of(oneOf=some) | of(allOf=some) | of(**{"not": inner})
    branch = st.fixed_dictionaries({"if": inner, "then": inner}, optional={"else": inner})
    return plain | plain | full | array | parts | branch


_TREE = st.recursive(LEAVES, grown, max_leaves=7)
SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda root, one, two: {**(root if isinstance(root, dict) else {}), "$defs": {"one": one, "two": two}},
    _TREE,
    # The judge has no end of references that lead back without anything between.
    st.recursive(TEXT | NUMBER, grown, max_leaves=3),
    of("object", properties=st.dictionaries(NAMES, LEAVES, max_size=3)),
)


def is_valid(value: Any, schema: Any) -> bool:
    """What the `jsonschema` package says, formats included, and without a look outside."""
    judge = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER, registry=Registry())
    return bool(judge.is_valid(value))
