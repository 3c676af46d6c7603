from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.emulated.base import EmulatedRequest, Refused
from providers.emulated.desk import Desk
from providers.emulated.dialects.gemini_fields import GENERATE_CONTENT
from providers.emulated.dialects.gemini_question import FILES, Asked, ask
from providers.emulated.dialects.google_json import read_body
from providers.emulated.question import AUTO, OutputFormat, Tool, ToolChoice, ToolResult, ToolUse, Turn
from providers.vertex_ai import PROVIDER
from tests.providers.emulated.asking import whole
from tests.providers.emulated.google_asking import FLASH, GEMINI, says


def asked(body: dict[str, Any], desk: Desk | None = None, verb: str = "generateContent") -> Asked:
    call = PROVIDER.match("POST", f"{GEMINI}{FLASH}:{verb}".encode())
    raw = orjson.dumps(body)
    request = EmulatedRequest("POST", call, b"", {}, raw, 1.0, "01997a00-0000-7000-8000-000000000001")
    return ask(request, read_body(request, GENERATE_CONTENT), desk or Desk())


def test_contents_are_turns() -> None:
    question = asked(
        {
            "systemInstruction": {"parts": [{"text": "Be kind."}, {"text": "Be brief."}]},
            "contents": [
                {
                    "parts": [
                        {"text": "One"},
                        {"text": "Two"},
                        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                    ]
                },
                {"role": "model", "parts": [{"text": "hidden", "thought": True}, {"text": "Th"}, {"text": "ree"}]},
                {
                    "role": "user",
                    "parts": [
                        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"}},
                        {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/c.pdf"}},
                        {"text": "What?"},
                    ],
                },
            ],
        }
    ).question
    assert question.turns == [
        Turn("system", "Be kind.\nBe brief."),
        Turn("user", "One\nTwo", ("image",)),
        Turn("assistant", "Three"),
        Turn("user", "What?", ("video", "document")),
    ]
    assert question.model == FLASH
    assert question.operation == "generate_content"
    assert question.caches == "auto"


def test_code_that_was_run_is_text() -> None:
    parts = [{"executableCode": {"language": "PYTHON", "code": "1+1"}}, {"codeExecutionResult": {"output": "2"}}]
    question = asked({"contents": [says("Hi")["contents"][0], {"role": "model", "parts": parts}]}).question
    assert question.turns[1] == Turn("assistant", "1+12")


def test_calls_and_responses_are_tool_uses_and_results() -> None:
    body = {
        "contents": [
            says("Hi")["contents"][0],
            {
                "role": "model",
                "parts": [
                    {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}},
                    {"function_call": {"name": "g"}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "1", "name": "f", "response": {"output": "fine"}}},
                    {"functionResponse": {"name": "g", "response": {"error": {"code": 1}}}},
                ],
            },
        ]
    }
    question = asked(body).question
    assert question.turns[1:] == [
        Turn("assistant", tool_uses=(ToolUse("1", "f", '{"a":1}'), ToolUse("", "g", "{}"))),
        Turn("tool", tool_results=(ToolResult("1", "f", "fine"), ToolResult("", "g", '{"code":1}', True))),
    ]
    assert question.has_tool_result


@pytest.mark.parametrize(
    ("response", "text"),
    [({"result": "a"}, "a"), ({"result": [1]}, "[1]"), ({"a": 1, "output": 2}, '{"a":1,"output":2}'), ({}, "{}")],
)
def test_a_response_is_unwrapped_by_convention(response: dict[str, Any], text: str) -> None:
    contents = [
        says("Hi")["contents"][0],
        {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
        {"role": "function", "parts": [{"functionResponse": {"name": "f", "response": response}}]},
    ]
    assert asked({"contents": contents}).question.turns[-1].tool_results[0].text == text


def test_functions_are_tools_in_either_kind_of_schema() -> None:
    question = asked(
        says(
            "Hi",
            tools=[
                {
                    "functionDeclarations": [
                        {"name": "f", "description": "d", "parameters": {"type": "OBJECT", "properties": {}}},
                        {"name": "g", "parametersJsonSchema": {"type": "object"}},
                    ]
                },
                {"googleSearch": {}},
                {"functionDeclarations": {"name": "h"}},
            ],
        )
    ).question
    assert question.tools == [
        Tool("f", "d", {"type": "object", "properties": {}}),
        Tool("g", "", {"type": "object"}),
        Tool("h"),
    ]
    assert question.tool_choice == AUTO


@pytest.mark.parametrize(
    ("config", "choice"),
    [
        ({"mode": "AUTO"}, ToolChoice()),
        ({"mode": "NONE"}, ToolChoice("none")),
        ({"mode": "any"}, ToolChoice("any")),
        ({"mode": "ANY", "allowedFunctionNames": ["f"]}, ToolChoice("named", ("f",))),
        ({"mode": "VALIDATED"}, ToolChoice()),
    ],
)
def test_the_mode_is_the_choice(config: dict[str, Any], choice: ToolChoice) -> None:
    tools = [{"functionDeclarations": [{"name": "f"}]}]
    body = says("Hi", tools=tools, toolConfig={"functionCallingConfig": config})
    assert asked(body).question.tool_choice == choice


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, None),
        ({"responseMimeType": "text/plain"}, None),
        ({"responseMimeType": "application/json"}, OutputFormat()),
        (
            {"responseMimeType": "application/json", "responseSchema": {"type": "INTEGER"}},
            OutputFormat({"type": "integer"}),
        ),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "integer"}},
            OutputFormat({"type": "integer"}),
        ),
        ({"responseFormat": [{"text": {"schema": {"type": "integer"}}}]}, OutputFormat({"type": "integer"})),
        ({"responseFormat": {"text": {"mimeType": "APPLICATION_JSON"}}}, OutputFormat()),
        ({"responseFormat": [{"image": {}}, {"text": {"mimeType": "text/plain"}}]}, None),
    ],
)
def test_a_schema_is_the_output_format(config: dict[str, Any], expected: OutputFormat | None) -> None:
    assert asked(says("Hi", generationConfig=config)).question.output == expected


def test_the_configuration_is_the_questions() -> None:
    found = asked(
        says(
            "Hi",
            generation_config={
                "max_output_tokens": "7",
                "stop_sequences": ["x"],
                "temperature": 0.5,
                "seed": 3,
                "candidate_count": 2,
                "response_logprobs": True,
                "logprobs": 4,
                "response_modalities": ["text", "IMAGE"],
                "image_config": {"aspectRatio": "1:1"},
                "thinking_config": {"include_thoughts": True, "thinking_budget": 64},
            },
        )
    )
    question = found.question
    assert (question.max_tokens, question.stops, question.temperature, question.seed) == (7, ("x",), 0.5, 3)
    assert (question.thinks, question.thinking_tokens) == (True, 64)
    assert (found.candidates, found.logprobs, found.modalities) == (2, 4, ["TEXT", "IMAGE"])
    assert found.image == {"aspectRatio": "1:1"}


def test_thoughts_that_are_not_shown_are_not_asked_for() -> None:
    body = says("Hi", generationConfig={"thinkingConfig": {"thinkingBudget": -1}})
    assert asked(body).question.thinks is False
    assert asked(body).question.thinking_tokens is None


def test_streamed_and_whole_ask_the_same() -> None:
    assert asked(says("Hi")).question.digest == asked(says("Hi"), verb="streamGenerateContent").question.digest
    assert asked(says("Hi")).question.digest != asked(says("Ho")).question.digest


def test_a_file_must_have_been_uploaded() -> None:
    uri = "https://generativelanguage.googleapis.com/v1beta/files/abc"
    body = {"contents": [{"parts": [{"fileData": {"fileUri": uri, "mimeType": "image/png"}}, {"text": "What?"}]}]}
    with pytest.raises(Refused) as refused:
        asked(body)
    assert b"You do not have permission to access the File abc or it may not exist." in whole(refused.value.reply)
    desk = Desk()
    desk.shelf.put(FILES, "abc", object())
    assert asked(body, desk).question.turns == [Turn("user", "What?", ("image",))]
    assert asked(body, desk).is_repeatable is False
