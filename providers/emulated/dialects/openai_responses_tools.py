"""Tools in OpenAI's Responses API: what they may hold, and which of them a model may or must call.

Source: openai-python 3.54.0 `types/responses/tool_param.py` and its neighbours, and refusals of the API quoted in
public issue reports and test suites, read November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from providers.emulated.dialects.openai_checks import array, boolean, mapping, text
from providers.emulated.dialects.openai_errors import Invalid, missing, unsupported_value, wrong_type
from providers.emulated.dialects.openai_strict import check_strict
from providers.emulated.question import AUTO, Tool, ToolChoice

_TEXT_INPUT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_HOSTED_TOOLS: Mapping[str, tuple[str, ...]] = {
    "apply_patch": (),
    "code_interpreter": ("container",),
    "computer": (),
    "computer_use_preview": ("display_height", "display_width", "environment"),
    "file_search": ("vector_store_ids",),
    "image_generation": (),
    "local_shell": (),
    "mcp": ("server_label",),
    "namespace": ("name", "tools"),
    "programmatic_tool_calling": (),
    "shell": (),
    "tool_search": (),
    "web_search": (),
    "web_search_2025_08_26": (),
    "web_search_preview": (),
    "web_search_preview_2025_03_11": (),
}
"""The tools OpenAI runs itself -> members they must have. They are taken, and never used."""


def read_tools(body: Mapping[str, Any]) -> tuple[list[Tool], frozenset[str]]:
    """The tools a model may call, and the names of those that take plain text (`custom`) among them."""
    tools = []
    plain = []
    for tool in body.get("tools") or ():
        if tool["type"] == "function":
            tools.append(Tool(tool["name"], tool.get("description") or "", tool.get("parameters") or {}))
        elif tool["type"] == "custom":
            tools.append(Tool(tool["name"], tool.get("description") or "", _TEXT_INPUT))
            plain.append(tool["name"])
    return tools, frozenset(plain)


def read_tool_choice(body: Mapping[str, Any], tools: list[Tool]) -> ToolChoice:
    """Which of the tools may or must be called. A choice of a tool that OpenAI runs itself counts as `auto`.

    Takes away from `tools` those that are not allowed. Raises Invalid for a choice of one that is not on offer.
    """
    choice = body.get("tool_choice")
    if choice is None or choice == "auto":
        return AUTO
    if choice == "none":
        return ToolChoice("none")
    offered = body.get("tools") or ()
    if choice == "required":
        if not offered:
            raise Invalid("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
        return ToolChoice("any") if tools else AUTO
    kind = choice["type"]
    if kind == "allowed_tools":
        names = tuple([tool["name"] for tool in choice["tools"] if isinstance(tool.get("name"), str)])
        tools[:] = [tool for tool in tools if tool.name in names]
        is_required = tools and choice.get("mode") == "required"
        return ToolChoice("named", tuple([tool.name for tool in tools])) if is_required else AUTO
    if kind in ("function", "custom"):
        if any(tool.name == choice["name"] for tool in tools):
            return ToolChoice("named", (choice["name"],))
    elif any(tool["type"] == kind for tool in offered):
        return AUTO
    raise Invalid(f"Tool choice '{kind}' not found in 'tools' parameter.", "tool_choice")


def check_name(value: Any, param: str) -> None:
    """Names of functions and of schemas. Raises Invalid."""
    text(value, param)
    if len(value) > 64 or not _NAME.fullmatch(value):
        raise Invalid(
            f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern "
            "'^[a-zA-Z0-9_-]+$'.",
            param,
            "invalid_value",
        )


def check_tool(tool: Any, param: str) -> None:
    """One entry of `tools`. Raises Invalid."""
    if not isinstance(tool, dict):
        raise wrong_type(param, "an object", tool)
    kind = tool.get("type")
    if kind is None:
        raise missing(f"{param}.type")
    if kind in ("function", "custom"):
        if "name" not in tool:
            raise missing(f"{param}.name")
        check_name(tool["name"], f"{param}.name")
        if tool.get("description") is not None:
            text(tool["description"], f"{param}.description")
        if kind == "function":
            _check_function(tool, param)
        return
    if not isinstance(kind, str) or kind not in _HOSTED_TOOLS:
        raise unsupported_value(f"{param}.type", kind, ("function", "custom", *_HOSTED_TOOLS))
    for name in _HOSTED_TOOLS[kind]:
        if name not in tool:
            raise missing(f"{param}.{name}")


def _check_function(tool: Mapping[str, Any], param: str) -> None:
    parameters = tool.get("parameters")
    strict = tool.get("strict")
    if strict is not None:
        boolean(strict, f"{param}.strict")
    if parameters is None:
        return
    mapping(parameters, f"{param}.parameters")
    if strict:
        check_strict(parameters, f"function '{tool['name']}'", f"{param}.parameters", "invalid_function_parameters")


def check_tool_choice(choice: Any, param: str) -> None:
    """The member `tool_choice`. Raises Invalid."""
    if isinstance(choice, str):
        if choice not in ("none", "auto", "required"):
            raise unsupported_value(param, choice, ("none", "auto", "required"))
        return
    if not isinstance(choice, dict):
        raise wrong_type(param, "one of one of 'none', 'auto', or 'required' or object", choice)
    kind = choice.get("type")
    if kind is None:
        raise missing(f"{param}.type")
    text(kind, f"{param}.type")
    if kind in ("function", "custom"):
        if "name" not in choice:
            raise missing(f"{param}.name")
        text(choice["name"], f"{param}.name")
    elif kind == "allowed_tools":
        if "tools" not in choice:
            raise missing(f"{param}.tools")
        array("an array of objects", mapping)(choice["tools"], f"{param}.tools")
