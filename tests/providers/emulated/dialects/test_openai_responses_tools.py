from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.dialects.openai_errors import Invalid
from providers.emulated.dialects.openai_responses_tools import (
    check_tool,
    check_tool_choice,
    read_tool_choice,
    read_tools,
)
from providers.emulated.question import ToolChoice
from tests.providers.emulated.asking import Asker
from tests.providers.emulated.responses_asking import WEATHER, ask, refused

_SEARCH = {"type": "web_search"}
_CODE = {"type": "custom", "name": "run_code"}


def test_functions_and_custom_tools_are_offered_and_hosted_ones_are_not() -> None:
    tools, plain = read_tools({"tools": [WEATHER, _CODE, _SEARCH]})
    assert [tool.name for tool in tools] == ["get_weather", "run_code"]
    assert plain == {"run_code"}
    assert tools[0].schema == WEATHER["parameters"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice()),
        ("auto", ToolChoice()),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("any")),
        ({"type": "function", "name": "get_weather"}, ToolChoice("named", ("get_weather",))),
        ({"type": "custom", "name": "run_code"}, ToolChoice("named", ("run_code",))),
        ({"type": "web_search"}, ToolChoice()),
    ],
)
def test_a_choice_is_read(choice: Any, expected: ToolChoice) -> None:
    body = {"tools": [WEATHER, _CODE, _SEARCH], "tool_choice": choice}
    assert read_tool_choice(body, read_tools(body)[0]) == expected


@pytest.mark.parametrize(
    ("mode", "expected"), [("auto", ToolChoice()), ("required", ToolChoice("named", ("run_code",)))]
)
def test_only_allowed_tools_are_offered(mode: str, expected: ToolChoice) -> None:
    allowed = [{"type": "custom", "name": "run_code"}, {"type": "web_search"}, {"type": "function", "name": 1}]
    body = {"tools": [WEATHER, _CODE], "tool_choice": {"type": "allowed_tools", "mode": mode, "tools": allowed}}
    tools, _ = read_tools(body)
    assert read_tool_choice(body, tools) == expected
    assert [tool.name for tool in tools] == ["run_code"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"tool_choice": "required"}, "Tool choice 'required' must be specified with 'tools' parameter."),
        (
            {"tool_choice": {"type": "function", "name": "other"}, "tools": [WEATHER]},
            "Tool choice 'function' not found in 'tools' parameter.",
        ),
        ({"tool_choice": {"type": "mcp"}, "tools": [WEATHER]}, "Tool choice 'mcp' not found in 'tools' parameter."),
    ],
)
def test_a_choice_of_what_is_not_on_offer_is_refused(body: dict[str, Any], message: str) -> None:
    assert refused(Asker("openai"), body) == ("tool_choice", None, message)


@pytest.mark.parametrize(
    ("tool", "param"),
    [
        ({}, "tools[0].type"),
        ({"type": "function"}, "tools[0].name"),
        ({"type": "function", "function": {"name": "f"}}, "tools[0].name"),
        ({"type": "function", "name": "a b"}, "tools[0].name"),
        ({"type": "function", "name": "f", "parameters": "x"}, "tools[0].parameters"),
        ({"type": "function", "name": "f", "strict": 1}, "tools[0].strict"),
        ({"type": "function", "name": "f", "strict": True, "parameters": {"type": "object"}}, "tools[0].parameters"),
        ({"type": "bogus"}, "tools[0].type"),
        ({"type": "file_search"}, "tools[0].vector_store_ids"),
        ({"type": "code_interpreter"}, "tools[0].container"),
        ("x", "tools[0]"),
    ],
)
def test_a_wrong_tool_is_refused(tool: Any, param: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_tool(tool, "tools[0]")
    assert refusal.value.param == param


@pytest.mark.parametrize("choice", [1, "maybe", {}, {"type": "function"}, {"type": "allowed_tools"}, {"type": 1}])
def test_a_wrong_choice_is_refused(choice: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        check_tool_choice(choice, "tool_choice")
    assert (refusal.value.param or "").startswith("tool_choice")


def test_hosted_tools_are_shown_as_they_were_given_and_functions_in_full() -> None:
    function = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
    search = {"type": "web_search", "search_context_size": "low"}
    found = ask(Asker("openai"), {"input": "Say hello.", "tools": [function, search]})
    assert found["tools"] == [function | {"description": None, "strict": True}, search]
