"""The newest SDK sends nothing that we would refuse."""

from __future__ import annotations

import inspect
import re

import pytest
from google.genai import models, types
from pydantic import BaseModel

from providers.emulated.dialects import gemini_fields as fields
from providers.emulated.dialects.google_json import Message


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
