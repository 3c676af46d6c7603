"""Tools and tool choices."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest
from anthropic.types.tool_param import ToolParam
from anthropic.types.tool_union_param import ToolUnionParam

from tests.providers.emulated.anthropic_asking import WEATHER, body, read, refused


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"tools": {}}, "tools: Input should be a valid list"),
        ({"tools": ["x"]}, "tools.0: Input should be an object"),
        ({"tools": [{"input_schema": {"type": "object"}}]}, "tools.0.custom.name: Field required"),
        ({"tools": [{"name": "a"}]}, "tools.0.custom.input_schema: Field required"),
        ({"tools": [{"name": "a", "input_schema": {}}]}, "tools.0.custom.input_schema.type: Field required"),
        (
            {"tools": [{"name": "a", "input_schema": {"type": "array"}}]},
            "tools.0.custom.input_schema.type: Input should be 'object'",
        ),
        (
            {"tools": [{**WEATHER, "name": "get weather"}]},
            "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
        ),
        ({"tools": [{**WEATHER, "description": 5}]}, "tools.0.custom.description: Input should be a valid string"),
        ({"tools": [WEATHER, WEATHER]}, "tools: Tool names must be unique."),
        ({"tools": [{"type": "bash_20250124"}]}, "tools.0.bash_20250124.name: Field required"),
        ({"tools": [WEATHER], "tool_choice": {}}, "tool_choice.type: Field required"),
        ({"tools": [WEATHER], "tool_choice": "auto"}, "tool_choice: Input should be an object"),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "required"}},
            "tool_choice: Input tag 'required' found using 'type' does not match any of the expected tags: 'any', "
            "'auto', 'none', 'tool'",
        ),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool"}}, "tool_choice.tool.name: Field required"),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "other"}},
            "Tool 'other' not found in provided tools",
        ),
        ({"tool_choice": {"type": "any"}}, "tool_choice may only be specified while providing tools."),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "auto", "disable_parallel_tool_use": 1}},
            "tool_choice.auto.disable_parallel_tool_use: Input should be a valid boolean",
        ),
    ],
)
def test_what_the_service_refuses_is_refused_in_its_words(more: dict[str, Any], message: str) -> None:
    assert refused(body(**more)) == message


def test_a_function_is_no_kind_of_tool() -> None:
    message = refused(body(tools=[{"type": "function", "function": WEATHER}]))
    assert message.startswith("tools.0: Input tag 'function' found using 'type' does not match any of the expected")


def test_every_kind_of_the_newest_sdk_is_taken_and_what_the_service_runs_is_not_used() -> None:
    seen = set()
    for param in get_args(ToolUnionParam):
        kind = get_args(get_type_hints(param)["type"])[0]
        given: dict[str, Any] = {"type": kind, "name": "a_tool"}
        if param is ToolParam:
            kind, given = "custom", WEATHER
        tools = read(body(tools=[given])).question.tools
        is_ours = kind.startswith(("bash", "custom", "memory", "text_editor"))
        assert [tool.name for tool in tools] == ([given["name"]] if is_ours else []), kind
        seen.add(kind)
    assert {"bash_20250124", "web_search_20260318", "custom"} <= seen


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, ("auto", (), True)),
        ({"type": "none"}, ("none", (), True)),
        ({"type": "any", "disable_parallel_tool_use": True}, ("any", (), False)),
        ({"type": "tool", "name": "get_weather"}, ("named", ("get_weather",), True)),
    ],
)
def test_the_choice_is_passed_on(choice: dict[str, Any], expected: tuple[str, tuple[str, ...], bool]) -> None:
    question = read(body(tools=[WEATHER], tool_choice=choice)).question
    assert (question.tool_choice.mode, question.tool_choice.names, question.may_call_many) == expected
    assert question.tools[0].schema == WEATHER["input_schema"]


def test_a_choice_among_tools_of_the_service_only_leaves_nothing_to_call() -> None:
    search = {"type": "web_search_20260318", "name": "web_search"}
    question = read(body(tools=[search], tool_choice={"type": "any"})).question
    assert (question.tools, question.tool_choice.mode) == ([], "auto")
