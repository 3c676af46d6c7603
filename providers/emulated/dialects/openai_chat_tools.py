"""Reads the tools of chat completions, and the choice among them.

Source: openai-python 3.54.0 `types/chat/chat_completion_tool_union_param.py` and its neighbours, and refusals quoted in
public issue reports, read November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from providers.emulated.dialects import openai_checks as checks
from providers.emulated.dialects.openai_errors import Invalid, missing
from providers.emulated.dialects.openai_strict import check_strict
from providers.emulated.question import AUTO, Tool, ToolChoice

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CUSTOM_SCHEMA = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}


def read_tools(body: Mapping[str, Any]) -> tuple[list[Tool], frozenset[str], bool]:
    """The tools on offer, the names of those that take plain text, and whether they came as `functions`. Raises
    Invalid."""
    offered = body.get("tools")
    functions = body.get("functions")
    if offered is None and functions is None:
        return [], frozenset(), False
    if offered is None:
        return [_read_function(entry, f"functions[{number}]") for number, entry in enumerate(functions or ())], (
            frozenset()
        ), True  # fmt: skip
    if functions is not None:
        raise Invalid("'tools' and 'functions' cannot be used together.", "functions")
    tools = []
    custom = set()
    for number, entry in enumerate(offered):
        param = f"tools[{number}]"
        checks.mapping(entry, param)
        kind = entry.get("type")
        if kind is None:
            raise missing(f"{param}.type")
        if kind == "custom":
            given = required_object(entry, "custom", param)
            name = read_name(given, f"{param}.custom")
            custom.add(name)
            tools.append(Tool(name, _optional_text(given, "description", f"{param}.custom"), _CUSTOM_SCHEMA))
        elif kind == "function":
            tools.append(_read_function(required_object(entry, "function", param), f"{param}.function"))
        else:
            _TOOL_KIND(kind, f"{param}.type")
    return tools, frozenset(custom), False


_TOOL_KIND = checks.one_of("function", "custom")


def _read_function(entry: Any, param: str) -> Tool:
    checks.mapping(entry, param)
    name = read_name(entry, param)
    schema = entry.get("parameters")
    if schema is None:
        schema = {}
    checks.mapping(schema, f"{param}.parameters")
    strict = entry.get("strict")
    if schema and schema.get("type") != "object":
        shown = f'"{schema["type"]}"' if "type" in schema else "None"
        raise Invalid(
            f"Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"', "
            f"got 'type: {shown}'.",
            f"{param}.parameters",
            "invalid_function_parameters",
        )
    if strict is not None:
        checks.boolean(strict, f"{param}.strict")
        if strict and schema:
            check_strict(schema, f"function '{name}'", f"{param}.parameters", "invalid_function_parameters")
    return Tool(name, _optional_text(entry, "description", param), schema)


def read_name(entry: Mapping[str, Any], param: str) -> str:
    """The `name` of what stands at `param`. Raises Invalid."""
    name = entry.get("name")
    if name is None:
        raise missing(f"{param}.name")
    checks.text(name, f"{param}.name")
    if not _NAME.fullmatch(name):
        checks.check_text_length(name, f"{param}.name", 64)
        raise Invalid(
            f"Invalid '{param}.name': string does not match pattern. Expected a string that matches the pattern "
            "'^[a-zA-Z0-9_-]+$'.",
            f"{param}.name",
            "invalid_value",
        )
    return str(name)


def _optional_text(entry: Mapping[str, Any], name: str, param: str) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    checks.text(value, f"{param}.{name}")
    return str(value)


def required_object(entry: Mapping[str, Any], name: str, param: str) -> Mapping[str, Any]:
    """The object `name` in what stands at `param`. Raises Invalid."""
    value = entry.get(name)
    if value is None:
        raise missing(f"{param}.{name}")
    checks.mapping(value, f"{param}.{name}")
    found: Mapping[str, Any] = value
    return found


def read_tool_choice(body: Mapping[str, Any], tools: list[Tool]) -> tuple[ToolChoice, list[Tool]]:
    """The choice, and the tools that it leaves. `tools`: those on offer. Raises Invalid."""
    param = "tool_choice" if body.get("tool_choice") is not None else "function_call"
    choice = body[param]
    source = "tools" if param == "tool_choice" else "functions"
    if isinstance(choice, str):
        modes = _MODES if param == "tool_choice" else _FUNCTION_MODES
        checks.one_of(*modes)(choice, param)
        if not tools and choice != "none":
            raise Invalid(
                f"Invalid value for '{param}': '{param}' is only allowed when '{source}' are specified.", param
            )
        return modes[choice], tools
    checks.mapping(choice, param)
    if not tools:
        raise Invalid(f"Invalid value for '{param}': '{param}' is only allowed when '{source}' are specified.", param)
    if param == "function_call":
        return _named(choice, tools, param, source), tools
    kind = choice.get("type")
    if kind is None:
        raise missing("tool_choice.type")
    _CHOICE_KIND(kind, "tool_choice.type")
    if kind != "allowed_tools":
        return _named(required_object(choice, kind, param), tools, f"{param}.{kind}", source), tools
    allowed = required_object(choice, kind, param)
    mode = allowed.get("mode")
    _ALLOWED_MODE(mode, "tool_choice.allowed_tools.mode")
    listed = allowed.get("tools")
    _ALLOWED_TOOLS(listed, "tool_choice.allowed_tools.tools")
    names = set()
    for number, entry in enumerate(listed or ()):
        where = f"tool_choice.allowed_tools.tools[{number}]"
        inner = entry.get(entry.get("type")) if isinstance(entry.get("type"), str) else None
        found = _named(inner if isinstance(inner, dict) else entry, tools, where, source)
        names.add(found.names[0])
    return _MODES[str(mode)], [tool for tool in tools if tool.name in names]


_MODES = {"none": ToolChoice("none"), "auto": AUTO, "required": ToolChoice("any")}
_FUNCTION_MODES = {"none": ToolChoice("none"), "auto": AUTO}
_CHOICE_KIND = checks.one_of("allowed_tools", "function", "custom")
_ALLOWED_MODE = checks.one_of("auto", "required")
_ALLOWED_TOOLS = checks.array("an array of objects", checks.mapping, minimum=1)


def _named(choice: Mapping[str, Any], tools: list[Tool], param: str, source: str) -> ToolChoice:
    name = choice.get("name")
    if name is None:
        raise missing(f"{param}.name")
    checks.text(name, f"{param}.name")
    if not any(tool.name == name for tool in tools):
        raise Invalid(f"Tool choice '{name}' not found in '{source}' parameter.", param.partition(".")[0])
    return ToolChoice("named", (name,))
