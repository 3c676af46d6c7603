"""Values made for schemas: those that SDKs send, random ones and hostile ones."""

from __future__ import annotations

import datetime
import enum
import json
import uuid
from typing import Annotated, Any, Literal

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from providers.emulated.json_schema import Unsatisfiable, generate, values_for
from tests.providers.emulated.json_schema.schemas import SCHEMAS, is_valid

SEED = bytes(range(32))
PROMPTS = ["", "What is the weather in Paris and Rome for 3 days?", "add 7 to 12", "x"]


def make(schema: Any, hints: str = "", seed: bytes = SEED) -> Any:
    return generate(schema, seed=seed, hints=hints)


def attempt(schema: Any, hints: str) -> tuple[Any, str]:
    """The value, or the reason why there is none."""
    try:
        return make(schema, hints), ""
    except Unsatisfiable as refusal:
        return None, str(refusal)


# --- random schemas


@settings(max_examples=300, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(SCHEMAS, st.sampled_from(PROMPTS))
def test_a_value_for_a_random_schema_is_valid_and_the_same_again(schema: dict[str, Any], prompt: str) -> None:
    value, reason = attempt(schema, prompt)
    assert reason.startswith("$") or is_valid(value, schema)
    assert orjson.loads(orjson.dumps(value)) == value
    assert attempt(schema, prompt) == (value, reason)


@settings(max_examples=200, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(SCHEMAS, st.sampled_from(PROMPTS))
def test_all_values_for_a_prompt_are_valid(schema: dict[str, Any], prompt: str) -> None:
    assume(not attempt(schema, prompt)[1])
    values = values_for(schema, prompt)
    assert 1 <= len(values) <= 4
    assert all(is_valid(value, schema) for value in values)


# --- what SDKs send


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Address(BaseModel):
    street: str
    city: str
    zip_code: Annotated[str, Field(pattern=r"^\d{5}$")]


class Node(BaseModel):
    value: int
    children: list[Node]
    parent: Node | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=1, le=9)]


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    address: Address
    others: Annotated[list[Address], Field(min_length=2, max_length=3)]
    nickname: str | None
    either: int | str | Address
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    color: Color
    level: Literal["low", "high", 3]
    counts: dict[str, int]
    by_color: dict[Color, Annotated[float, Field(gt=0, lt=1)]]
    when: datetime.datetime
    day: datetime.date
    clock: datetime.time
    span: datetime.timedelta
    key: uuid.UUID
    pair: tuple[int, str]
    tags: Annotated[set[str], Field(min_length=3)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{3}-[0-9]{4}$")]
    tree: Node
    price: Annotated[float, Field(ge=0, multiple_of=0.01)]
    odd: Annotated[int, Field(gt=10, lt=20, multiple_of=7)]
    short: Annotated[str, Field(min_length=3, max_length=5)]
    note: str = "as it is"
    anything: Any


@pytest.mark.parametrize("model", [Everything, Node, Address, Cat], ids=lambda model: model.__name__)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_pydantic_model_takes_the_value_made_for_its_schema(model: type[BaseModel], prompt: str) -> None:
    schema = model.model_json_schema()
    value = make(schema, prompt)
    assert is_valid(value, schema)
    assert isinstance(model.model_validate_json(orjson.dumps(value)), model)


@pytest.mark.parametrize(
    "kind",
    [
        list[int], dict[str, list[Node]], int | None, Literal["a", "b"], set[int], tuple[int, ...], bool, bytes,
        datetime.datetime, uuid.UUID, Annotated[str, Field(min_length=40)], list[Literal[1, 2]], Color,
        Annotated[list[set[bool]], Field(min_length=2)], None, float, Annotated[float, Field(gt=1, lt=1.0001)],
    ],
    ids=str,
)  # fmt: skip
def test_pydantic_takes_the_value_made_for_a_type(kind: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    value = make(adapter.json_schema())
    assert is_valid(value, adapter.json_schema())
    assert adapter.validate_json(orjson.dumps(value)) is not None or value is None


ZOD = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "kind": {"anyOf": [{"type": "string", "const": "a"}, {"type": "string", "const": "b"}]},
        "self": {"$ref": "#/properties/items/items"},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"n": {"type": "number", "exclusiveMinimum": 0}, "s": {"type": ["string", "null"]}},
                "required": ["n", "s"],
                "additionalProperties": False,
            },
        },
        "map": {"type": "object", "additionalProperties": {"type": "boolean"}},
        "pair": {"type": "array", "minItems": 2, "maxItems": 2, "items": [{"type": "string"}, {"type": "number"}]},
        "both": {
            "allOf": [
                {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]},
                {"type": "object", "properties": {"y": {"type": "string"}}, "required": ["y"]},
            ]
        },
    },
    "required": ["id", "kind", "self", "items", "map", "pair", "both"],
    "additionalProperties": False,
    "$schema": "http://json-schema.org/draft-07/schema#",
}


def test_a_schema_as_zod_writes_it_gets_a_value() -> None:
    value = make(ZOD)
    assert list(value) == list(ZOD["properties"])
    assert uuid.UUID(value["id"])
    assert value["kind"] == "a"
    assert isinstance(value["self"]["n"], int | float)
    assert [type(one) for one in value["pair"]] == [str, int] or isinstance(value["pair"][1], float)
    assert set(value["both"]) == {"x", "y"}


def test_a_strict_schema_gets_every_property() -> None:
    # Source: OpenAI's guide to structured outputs, its examples of a math tutor and of a linked list.
    schema = {
        "type": "object",
        "properties": {
            "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}},
            "final_answer": {"type": "string"},
            "linked_list": {"$ref": "#/$defs/node"},
        },
        "$defs": {
            "step": {
                "type": "object",
                "properties": {"explanation": {"type": "string"}, "output": {"type": "string"}},
                "required": ["explanation", "output"],
                "additionalProperties": False,
            },
            "node": {
                "type": "object",
                "properties": {
                    "value": {"type": "number"},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                },
                "required": ["value", "next"],
                "additionalProperties": False,
            },
        },
        "required": ["steps", "final_answer", "linked_list"],
        "additionalProperties": False,
    }
    value = make(schema, "solve 8x + 31 = 2")
    assert is_valid(value, schema)
    assert len(value["steps"]) == 2
    assert value["linked_list"]["next"]["next"] is None


def test_a_schema_as_gemini_takes_it_gets_a_value() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "recipe": {"type": "STRING", "nullable": True},
            "unit": {"type": "STRING", "format": "enum", "enum": ["C", "F"]},
            "names": {"type": "ARRAY", "items": {"type": "STRING"}, "minItems": "3", "maxItems": "3"},
            "size": {"type": "INTEGER", "format": "int32", "minimum": 2},
            "any": {"anyOf": [{"type": "NUMBER"}, {"type": "BOOLEAN"}]},
        },
        "required": ["recipe", "unit", "names", "size", "any"],
        "propertyOrdering": ["size", "unit", "names", "any", "recipe"],
    }
    value = make(schema)
    assert list(value) == ["size", "unit", "names", "any", "recipe"]
    assert isinstance(value["recipe"], str)
    assert value["unit"] == "C"
    assert len(value["names"]) == 3
    assert value["size"] >= 2


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 1, "exclusiveMaximum": True},
        {"type": "object", "required": ["a"], "dependencies": {"a": ["b"], "b": {"required": ["c"]}}},
        {"definitions": {"a/b~c": {"type": "integer"}}, "$ref": "#/definitions/a~1b~0c"},
        {"$id": "https://example.com/root", "$ref": "item", "$defs": {"i": {"$id": "item", "const": 7}}},
        {"$ref": "#here", "$defs": {"i": {"$anchor": "here", "const": 8}}},
        {"type": "array", "items": [{"type": "string"}], "additionalItems": {"type": "integer"}, "minItems": 3},
    ],
    ids=["draft-4-bounds", "dependencies", "escaped-pointer", "id", "anchor", "additional-items"],
)
def test_words_of_all_drafts_are_understood(schema: dict[str, Any]) -> None:
    value = make(schema)
    if isinstance(value, dict):
        assert set(value) >= {"a", "b", "c"}
    elif isinstance(value, list):
        assert [type(one) for one in value] == [str, int, int]
    else:
        assert 0 < value < 1 or value in (1, 7, 8)


# --- plausible


WEATHER = {
    "type": "object",
    "properties": {
        "location": {"type": "string", "description": "City and state, e.g. San Francisco, CA"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
    },
    "required": ["location"],
}


def test_values_are_taken_from_the_prompt() -> None:
    value = make(WEATHER, "What is the weather in San Francisco, CA in Fahrenheit for 5 days?")
    assert value == {"location": "San Francisco, CA", "unit": "fahrenheit", "days": 5}


def test_a_prompt_that_says_nothing_gives_usual_values() -> None:
    assert make(WEATHER) == {"location": "Paris", "unit": "celsius", "days": 3}


def test_numbers_of_the_prompt_are_taken_one_after_another() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "integer"}}, "required": ["a"]}
    assert make(schema, "What is 2.5 plus 40?") == {"a": 2.5, "b": 40}


def test_a_query_is_the_prompt() -> None:
    schema = {"type": "object", "properties": {"query": {"type": "string", "maxLength": 20}}, "required": ["query"]}
    assert make(schema, "Find me three good books about ducks") == {"query": "Find me three good"}


def test_a_property_with_a_default_is_left_to_it_unless_the_prompt_names_a_value() -> None:
    properties = {"limit": {"type": "integer", "default": 5}, "order": {"enum": ["up", "down"], "default": "up"}}
    schema = {"type": "object", "properties": properties}
    assert make(schema) == {}
    assert make(schema, "sort it down") == {"order": "down"}


def test_examples_of_the_schema_are_used_when_they_are_valid() -> None:
    assert make({"type": "string", "examples": ["mallard"]}) == "mallard"
    assert make({"type": "string", "maxLength": 3, "examples": ["mallard"]}) != "mallard"
    assert make({"type": "integer", "default": 42}) == 42


def test_a_prompt_that_names_several_places_gives_several_values() -> None:
    found = [value["location"] for value in values_for(WEATHER, "Compare the weather in Paris, New York and Rome.")]
    assert found == ["Paris", "New York", "Rome"]


def test_at_most_eight_values_are_given() -> None:
    places = "Paris, Rome, Oslo, Lima, Cairo, Quito, Delhi, Seoul, Dakar and Bern"
    assert len(values_for(WEATHER, f"weather in {places}")) == 8


def test_listed_values_of_an_enumeration_give_several_values() -> None:
    schema = {"type": "object", "properties": {"color": {"enum": ["red", "green", "blue"]}}, "required": ["color"]}
    assert values_for(schema, "mix blue and green") == [{"color": "blue"}, {"color": "green"}]
    assert len(values_for(schema, "is blue nicer than, say, red?")) == 1


def test_a_prompt_that_names_one_place_gives_one_value() -> None:
    assert [value["location"] for value in values_for(WEATHER, "weather in Oslo")] == ["Oslo"]


def test_another_seed_gives_other_keys() -> None:
    schema = {"type": "string", "format": "uuid"}
    assert make(schema, seed=b"a" * 32) != make(schema, seed=b"b" * 32)


# --- hostile


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    return schema


def anyof_nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "maxLength": 0, "minLength": 1}
    for _ in range(depth):
        schema = {"anyOf": [schema, schema], "oneOf": [schema, schema]}
    return schema


HOSTILE: dict[str, Any] = {
    "false": False,
    "refers to itself": {"$ref": "#"},
    "needs itself": {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    "needs itself twice": {"type": "array", "items": {"$ref": "#"}, "minItems": 2},
    "remote": {"$ref": "https://example.com/schema.json"},
    "nowhere": {"$ref": "#/$defs/none"},
    "endless array": {"type": "array", "minItems": 10**9},
    "endless unique array": {"type": "array", "minItems": 10**9, "uniqueItems": True},
    "endless arrays": {"type": "array", "minItems": 999, "items": {"type": "array", "minItems": 999}},
    "endless object": {"type": "object", "minProperties": 10**9},
    "endless text": {"type": "string", "minLength": 10**12},
    "endless pattern": {"type": "string", "pattern": "^(((a{1000}){1000}){1000}){1000}$"},
    "broken pattern": {"type": "string", "pattern": "^[a"},
    "deep pattern": {"type": "string", "pattern": "(" * 500 + "a" + ")" * 500},
    "deep": nested(400),
    "deep choices": anyof_nested(12),
    "deep allOf": {"allOf": [nested(100)] * 50},
    "contradiction": {"type": "integer", "minimum": 5, "maximum": 4},
    "contradicting types": {"allOf": [{"type": "string"}, {"type": "integer"}]},
    "too few booleans": {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True, "minItems": 3},
    "huge number": {"type": "integer", "minimum": 10**40},
    "half a character": {"const": "\ud800"},
}


@pytest.mark.parametrize("schema", HOSTILE.values(), ids=HOSTILE)
def test_what_cannot_be_is_refused_with_a_reason(schema: Any) -> None:
    with pytest.raises(Unsatisfiable) as refusal:
        make(schema, "in Paris")
    assert len(str(refusal.value)) > 5


def test_the_reason_says_where() -> None:
    inner = {"type": "object", "properties": {"b": {"type": "array", "items": False, "minItems": 1}}, "required": ["b"]}
    with pytest.raises(Unsatisfiable, match=r"^\$\.a\.b\[0\]: the schema is false"):
        make({"type": "object", "properties": {"a": inner}, "required": ["a"]})


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"^(a|a)*b$", r"^(.*a){12}$", r"(x+x+)+y"])
def test_patterns_that_make_others_hang_are_no_trouble(pattern: str) -> None:
    value = make({"type": "string", "pattern": pattern, "minLength": 25})
    assert len(value) >= 25
    name = "a" * 40 + "!"
    schema = {"type": "object", "properties": {name: {"type": "integer"}}, "required": [name]}
    made = make(schema | {"patternProperties": {pattern: {"type": "integer"}}})
    assert isinstance(made[name], int)


KEYWORDS = [
    "type", "properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties",
    "maxProperties", "enum", "const", "anyOf", "oneOf", "allOf", "not", "if", "then", "else", "$ref", "$defs", "items",
    "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "minimum",
    "maximum", "exclusiveMinimum", "multipleOf", "minLength", "maxLength", "pattern", "format", "dependentRequired",
    "dependentSchemas", "dependencies", "unevaluatedProperties", "unevaluatedItems", "nullable", "propertyOrdering",
    "default", "examples", "example", "$id", "$anchor", "$dynamicRef", "title", "description",
]  # fmt: skip
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from(["string", "object", "array", "OBJECT", "#", "#/$defs/a", "a", -1, 10**30]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from([*KEYWORDS, "a", "b"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=400, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(KEYWORDS), JUNK, max_size=6), st.text(max_size=20))
def test_junk_in_any_keyword_gives_a_value_or_a_reason(schema: dict[str, Any], prompt: str) -> None:
    value, reason = attempt(schema, prompt)
    assert reason.startswith("$") or json.dumps(value)


def test_an_address_is_taken_from_the_prompt() -> None:
    assert make({"type": "string", "format": "email"}, "write to ducks@pond.org") == "ducks@pond.org"
    assert make({"type": "string", "format": "email"}, "write to the ducks") == "ada@example.com"
    schema = {"type": "object", "properties": {"email": {"type": "string", "format": "email"}}}
    assert make(schema, "write to d@pond.org.") == {"email": "d@pond.org"}
