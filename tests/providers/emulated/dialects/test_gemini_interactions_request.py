from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.emulated.base import EmulatedRequest, Refused
from providers.emulated.desk import Desk
from providers.emulated.dialects.gemini_interactions_request import Interaction, read_interaction
from providers.emulated.question import OutputFormat, Tool, ToolChoice, ToolResult, ToolUse, Turn
from providers.vertex_ai import PROVIDER
from tests.providers.emulated.asking import whole


def read(**body: Any) -> Interaction:
    call = PROVIDER.match("POST", b"/v1beta/interactions")
    raw = orjson.dumps({"model": "gemini-3-flash-preview", "input": "Hi", **body})
    request = EmulatedRequest("POST", call, b"", {}, raw, 1.0, "01997a00-0000-7000-8000-000000000001")
    return read_interaction(request, Desk())


TEXT = {"type": "text", "text": "Hi"}


@pytest.mark.parametrize(
    ("given", "turns"),
    [
        ("Hi", [Turn("user", "Hi")]),
        (TEXT, [Turn("user", "Hi")]),
        ([TEXT, {"type": "image", "data": "AAAA", "mime_type": "image/png"}], [Turn("user", "Hi", ("image",))]),
        (
            [{"type": "user_input", "content": [TEXT]}, {"type": "model_output", "content": "Ho"}],
            [Turn("user", "Hi"), Turn("assistant", "Ho")],
        ),
        (
            [{"role": "user", "content": "Hi"}, {"role": "model", "content": [TEXT]}],
            [Turn("user", "Hi"), Turn("assistant", "Hi")],
        ),
        (
            [
                {"type": "user_input", "content": TEXT},
                {"type": "thought", "signature": "AAAA"},
                {"type": "function_call", "id": "1", "name": "f", "arguments": {"a": 1}},
                {"type": "function_call", "id": "2", "name": "g"},
                {"type": "function_result", "call_id": "1", "name": "f", "result": "fine"},
                {"type": "function_result", "call_id": "2", "result": [TEXT], "is_error": True},
            ],
            [
                Turn("user", "Hi"),
                Turn("assistant", tool_uses=(ToolUse("1", "f", '{"a":1}'), ToolUse("2", "g", "{}"))),
                Turn("tool", tool_results=(ToolResult("1", "f", "fine"), ToolResult("2", "", "Hi", True))),
            ],
        ),
    ],
)
def test_every_kind_of_input_is_a_conversation(given: Any, turns: list[Turn]) -> None:
    assert read(input=given).question.turns == turns


def test_the_instruction_comes_first() -> None:
    assert read(system_instruction="Be kind.").question.turns[0] == Turn("system", "Be kind.")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", ToolChoice()),
        ("any", ToolChoice("any")),
        ("none", ToolChoice("none")),
        ({"allowed_tools": {"mode": "any", "tools": ["f"]}}, ToolChoice("named", ("f",))),
    ],
)
def test_tools_are_offered(choice: Any, expected: ToolChoice) -> None:
    tools = [
        {"type": "google_search"},
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
    ]
    question = read(tools=tools, generation_config={"tool_choice": choice}).question
    assert question.tools == [Tool("f", "d", {"type": "object"})]
    assert question.tool_choice == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, None),
        ({"response_mime_type": "application/json"}, OutputFormat()),
        ({"response_format": {"type": "text", "mime_type": "text/plain"}}, None),
        ({"response_format": {"type": "text", "mime_type": "application/json"}}, OutputFormat()),
        ({"response_format": [{"type": "text", "schema": {"type": "INTEGER"}}]}, OutputFormat({"type": "integer"})),
        ({"response_format": {"type": "integer"}}, OutputFormat({"type": "integer"})),
    ],
)
def test_the_format_is_the_output(more: dict[str, Any], expected: OutputFormat | None) -> None:
    assert read(**more).question.output == expected


def test_the_configuration_is_the_questions() -> None:
    config = {
        "temperature": 1,
        "max_output_tokens": 5,
        "stop_sequences": ["x"],
        "seed": 2,
        "thinking_summaries": "auto",
    }
    asked = read(generation_config=config, stream=True, store=False)
    question = asked.question
    assert (question.temperature, question.max_tokens, question.stops, question.seed) == (1.0, 5, ("x",), 2)
    assert question.thinks
    assert (asked.is_streaming, asked.is_stored) == (True, False)
    assert question.digest == read(generation_config=config, store=False).question.digest


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": None}, "Either model or agent must be specified."),
        ({"model": None, "agent": "deep-research"}, "interactions with models only"),
        ({"input": None}, "The input must not be empty."),
        ({"input": []}, "The input must not be empty."),
        ({"input": [1]}, "The input must be a string"),
        ({"input": [{}]}, "must have a type"),
        ({"input": [{"type": "text"}]}, "must have a text"),
        ({"input": [{"type": "function_result"}]}, "must have a call_id"),
        ({"tools": {}}, "tools must be a list"),
        ({"tools": [{"type": "function"}]}, "must have a name"),
        ({"generation_config": []}, "generation_config must be an object"),
        ({"generation_config": {"temperature": 3}}, "temperature must be a number in the range"),
        ({"generation_config": {"max_output_tokens": 0}}, "max_output_tokens must be positive"),
        ({"generation_config": {"max_output_tokens": "5"}}, "max_output_tokens must be an integer"),
        ({"generation_config": {"stop_sequences": "x"}}, "stop_sequences must be a list of strings"),
        ({"system_instruction": 1}, "system_instruction must be a string"),
        ({"response_format": {"type": "image"}}, "interactions with text only"),
        ({"previous_interaction_id": 1}, "The previous interaction was not found."),
    ],
)
def test_what_cannot_be_answered_is_refused(body: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as refused:
        read(**body)
    assert message in orjson.loads(whole(refused.value.reply))["error"]["message"]
