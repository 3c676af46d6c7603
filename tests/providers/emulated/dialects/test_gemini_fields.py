"""The newest SDK sends nothing that we would refuse."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from google.genai import models, types
from pydantic import BaseModel

from providers.emulated.dialects import gemini_fields as fields
from providers.emulated.dialects.google_json import Message
from tests.providers.emulated.google_asking import refusal, says


@pytest.mark.parametrize(
    ("message", "type_"),
    [
        (fields.CONTENT, types.Content),
        (fields.PART, types.Part),
        (fields.BLOB, types.Blob),
        (fields.FILE_DATA, types.FileData),
        (fields.FUNCTION_CALL, types.FunctionCall),
        (fields.FUNCTION_RESPONSE, types.FunctionResponse),
        (fields.FUNCTION_DECLARATION, types.FunctionDeclaration),
        (fields.TOOL, types.Tool),
        (fields.TOOL_CONFIG, types.ToolConfig),
        (fields.FUNCTION_CALLING_CONFIG, types.FunctionCallingConfig),
        (fields.THINKING_CONFIG, types.ThinkingConfig),
        (fields.GENERATION_CONFIG, types.GenerationConfig),
        (fields.SAFETY_SETTING, types.SafetySetting),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_every_field_of_the_sdks_type_is_known(message: Message, type_: type[BaseModel]) -> None:
    known = {field.alias or name for name, field in type_.model_fields.items()}
    assert known - message.fields.keys() == set()


@pytest.mark.parametrize("service", ["mldev", "vertex"])
def test_everything_the_sdks_converter_writes_is_known(service: str) -> None:
    source = inspect.getsource(getattr(models, f"_GenerateContentConfig_to_{service}"))
    written = re.findall(r"setv\(\s*(parent_object|to_object),\s*\['([A-Za-z]+)'\]", source)
    top = {name for holder, name in written if holder == "parent_object"}
    config = {name for holder, name in written if holder == "to_object"}
    assert {"systemInstruction", "tools", "cachedContent"} <= top
    assert {"temperature", "responseSchema", "imageConfig"} <= config
    assert top - fields.GENERATE_CONTENT.fields.keys() == set()
    assert config - fields.GENERATION_CONFIG.fields.keys() == set()


@pytest.mark.parametrize(
    ("enumeration", "message", "name"),
    [
        (types.HarmCategory, fields.SAFETY_SETTING, "category"),
        (types.HarmBlockThreshold, fields.SAFETY_SETTING, "threshold"),
        (types.FunctionCallingConfigMode, fields.FUNCTION_CALLING_CONFIG, "mode"),
        (types.ThinkingLevel, fields.THINKING_CONFIG, "thinkingLevel"),
    ],
)
def test_every_value_of_the_sdks_enumerations_is_taken(
    enumeration: type[types.HarmCategory], message: Message, name: str
) -> None:
    assert [message({name: value.value})[name] for value in enumeration] == [value.value for value in enumeration]


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "BANANA"}, "type"),
        ({"type": "OBJECT", "properties": {"a": {"type": "STRING"}, "b": {"type": "x"}}}, "properties[1].value.type"),
        ({"type": "array", "items": {"anyOf": [{"type": ""}]}}, "items.any_of[0].type"),
        ({"type": True}, "type"),
    ],
)
def test_a_type_that_there_is_not_is_refused(schema: dict[str, Any], place: str) -> None:
    shown = orjson.dumps(next(iter(_types_not_known(schema)))).decode()
    config = {"responseMimeType": "application/json", "responseSchema": schema}
    kind = "type.googleapis.com/google.ai.generativelanguage.v1beta.Type"
    assert refusal(says("Hi", generationConfig=config)) == (
        f"Invalid value at 'generation_config.response_schema.{place}' ({kind}), {shown}"
    )


def _types_not_known(schema: Any) -> Iterator[Any]:
    if isinstance(schema, dict):
        if schema.get("type") not in ("OBJECT", "STRING", "array", None) and not isinstance(schema["type"], dict):
            yield schema["type"]
        for value in schema.values():
            yield from _types_not_known(value)
    if isinstance(schema, list):
        for value in schema:
            yield from _types_not_known(value)


@pytest.mark.parametrize("kind", ["object", "OBJECT", "Object", 6, ["object", "null"], "TYPE_UNSPECIFIED", None])
def test_a_type_is_taken_in_any_case_and_by_its_number(kind: Any) -> None:
    assert fields.schema({"type": kind, "properties": {"a": {}}}) == {"type": kind, "properties": {"a": {}}}
