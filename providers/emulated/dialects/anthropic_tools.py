"""Reads the tools of an Anthropic request, and how it wants them used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from providers.emulated.dialects import anthropic_fields as fields
from providers.emulated.dialects.anthropic_content import Marks
from providers.emulated.dialects.anthropic_errors import ErrorShape
from providers.emulated.question import AUTO, Tool, ToolChoice

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_KNOWN = re.compile(r"[a-z][a-z0-9_]*_\d{8}|mcp_toolset|tool_search_tool_(?:bm25|regex)")


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


_TEXT = {"type": "string"}
_VIEW = {"type": "string", "enum": ["view"]}
# Tools whose schema the service knows but which the client runs; all others with a dated type run at the service.
# Source: anthropic-sdk-python 2.12.0 `types/tool_bash_20250124_param.py` and its siblings, read November 2026.
_CLIENT_TOOLS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "bash": ("Run commands in a bash shell", _object(command=_TEXT)),
    "text_editor": ("View and edit text files", _object(command=_VIEW, path=_TEXT)),
    "memory": ("View and edit memory files", _object(command=_VIEW, path=_TEXT)),
    "computer": ("Use a computer", _object(action={"type": "string", "enum": ["screenshot"]})),
}


def read_tools(shape: ErrorShape, tools: Any, marks: Marks) -> tuple[list[Tool], set[str]]:
    """The tools that the client would run, and the names of all."""
    found: list[Tool] = []
    names: set[str] = set()
    for number, given in enumerate(fields.sequence(shape, tools, "tools")):
        place = f"tools.{number}"
        given = fields.mapping(shape, given, place)
        kind = given.get("type")
        if kind is None or kind == "custom":
            tool = _custom_tool(shape, given, f"{place}.custom")
            found.append(tool)
            name = tool.name
        else:
            kind = fields.text(shape, kind, f"{place}.type")
            if not _KNOWN.fullmatch(kind):
                expected = "'bash_20250124', 'custom', 'text_editor_20250728', 'web_search_20260318'"
                raise fields.invalid(
                    shape,
                    f"{place}: Input tag '{kind[:80]}' found using 'type' does not match any of the expected tags: "
                    f"{expected}",
                )
            name = _known_tool(shape, given, kind, f"{place}.{kind}", found)
        if name in names:
            raise fields.invalid(shape, "tools: Tool names must be unique.")
        names.add(name)
        marks.take(given, place, 0)
    return found, names


def _custom_tool(shape: ErrorShape, given: Mapping[str, Any], place: str) -> Tool:
    name = fields.text(shape, fields.required(shape, given, "name", place + "."), f"{place}.name")
    if not _NAME.fullmatch(name):
        raise fields.invalid(shape, f"{place}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    schema = fields.required(shape, given, "input_schema", place + ".")
    schema = fields.mapping(shape, schema, f"{place}.input_schema")
    if fields.required(shape, schema, "type", f"{place}.input_schema.") != "object":
        raise fields.invalid(shape, f"{place}.input_schema.type: Input should be 'object'")
    description = given.get("description")
    if description is not None:
        fields.text(shape, description, f"{place}.description")
    return Tool(name, description or "", schema)


def _known_tool(shape: ErrorShape, given: Mapping[str, Any], kind: str, place: str, found: list[Tool]) -> str:
    """The name of a tool the service knows; one the client would run joins `found`."""
    family = kind.rpartition("_")[0]
    if family.endswith("toolset"):
        return f"{kind} {given.get('mcp_server_name', '')}"
    name = fields.text(shape, fields.required(shape, given, "name", place + "."), f"{place}.name")
    known = _CLIENT_TOOLS.get(family)
    if known is not None:
        found.append(Tool(name, *known))
    return name


def read_tool_choice(shape: ErrorShape, given: Any, names: set[str]) -> tuple[ToolChoice, bool]:
    """The choice, and whether several calls at once are welcome."""
    given = fields.mapping(shape, given, "tool_choice")
    kind = fields.tag(shape, given, "tool_choice", ("any", "auto", "none", "tool"))
    if not names and kind != "none":
        raise fields.invalid(shape, "tool_choice may only be specified while providing tools.")
    may_call_many = True
    if given.get("disable_parallel_tool_use") is not None:
        place = f"tool_choice.{kind}.disable_parallel_tool_use"
        may_call_many = not fields.boolean(shape, given["disable_parallel_tool_use"], place)
    if kind == "auto":
        return AUTO, may_call_many
    if kind == "none":
        return ToolChoice("none"), may_call_many
    if kind == "tool":
        name = fields.text(shape, fields.required(shape, given, "name", "tool_choice.tool."), "tool_choice.tool.name")
        if name not in names:
            raise fields.invalid(shape, f"Tool '{name}' not found in provided tools")
        return ToolChoice("named", (name,)), may_call_many
    return ToolChoice("any"), may_call_many
