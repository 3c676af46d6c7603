from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.emulated.dialects.bedrock_converse import read_converse
from providers.emulated.dialects.bedrock_errors import Refusal
from providers.emulated.question import Question, ToolChoice
from tests.providers.emulated.bedrock_shapes import WEATHER, tool, user

MESSAGES = [user("Say hello.")]


def read(**body: Any) -> Question:
    return read_converse({"messages": MESSAGES, **body}, operation="converse", model="us.amazon.nova-lite-v1:0")


def refused(**body: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        read(**body)
    assert (refusal.value.status, refusal.value.type) == (400, None)
    return refusal.value.message


def test_a_question_holds_what_a_request_asks() -> None:
    question = read(
        system=[{"text": "Be brief."}, {"text": "Be kind."}, {"guardContent": {"text": {"text": "Be safe."}}}],
        inferenceConfig={"maxTokens": 30, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
        toolConfig={"tools": [WEATHER, {"systemTool": {"name": "nova_grounding"}}], "toolChoice": {"any": {}}},
        additionalModelRequestFields={"seed": 7, "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
    )
    assert [(turn.role, turn.text) for turn in question.turns] == [
        ("system", "Be brief.\nBe kind.\nBe safe."),
        ("user", "Say hello."),
    ]
    assert (question.operation, question.model) == ("converse", "us.amazon.nova-lite-v1:0")
    assert (question.max_tokens, question.temperature, question.stops, question.seed) == (30, 0.5, ("END",), 7)
    assert [found.name for found in question.tools] == ["get_weather"]
    assert question.tools[0].schema["required"] == ["city"]
    assert question.tool_choice == ToolChoice("any")
    assert not question.may_call_many
    assert question.caches == ()


def test_the_tool_that_must_be_called_is_named() -> None:
    choice = {"tool": {"name": "get_weather"}}
    assert read(toolConfig={"tools": [WEATHER], "toolChoice": choice}).tool_choice == ToolChoice(
        "named", ("get_weather",)
    )
    assert read(toolConfig={"tools": [WEATHER], "toolChoice": {"auto": {}}}).tool_choice == ToolChoice()


def test_cache_points_mark_the_turns_before_them() -> None:
    point = {"cachePoint": {"type": "default"}}
    question = read(
        system=[{"text": "Long."}, point, {"text": "Short."}],
        toolConfig={"tools": [WEATHER, point]},
        messages=[user("Much.", point)],
    )
    assert [turn.text for turn in question.turns] == ["Long.", "Short.", "Much."]
    assert question.caches == (0, 1, 3)


@pytest.mark.parametrize(
    ("fields", "budget"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, 2048),
        ({"reasoning_config": {"type": "enabled", "budget_tokens": 1024}}, 1024),
        ({"thinking": {"type": "adaptive"}}, None),
        ({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}, None),
        ({"reasoning_effort": "low"}, None),
    ],
)
def test_thinking_is_asked_for_in_each_vendor_s_way(fields: dict[str, Any], budget: int | None) -> None:
    question = read(additionalModelRequestFields=fields)
    assert (question.thinks, question.thinking_tokens) == (True, budget)
    assert not read(additionalModelRequestFields={"thinking": {"type": "disabled"}}).thinks


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


@pytest.mark.parametrize(
    "body",
    [
        {
            "outputConfig": {
                "textFormat": {
                    "type": "json_schema",
                    "structure": {"jsonSchema": {"name": "place", "schema": orjson.dumps(SCHEMA).decode()}},
                }
            }
        },
        {"additionalModelRequestFields": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}},
        {"additionalModelRequestFields": {"output_format": {"type": "json_schema", "schema": SCHEMA}}},
        {
            "additionalModelRequestFields": {
                "response_format": {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}
            }
        },
    ],
)
def test_structured_output_is_asked_for_in_each_vendor_s_way(body: dict[str, Any]) -> None:
    output = read(**body).output
    assert output is not None
    assert output.schema == SCHEMA


def test_text_may_be_asked_for_with_an_effort() -> None:
    assert read(outputConfig={"effort": "low"}).output is None


def test_any_json_may_be_asked_for() -> None:
    output = read(additionalModelRequestFields={"response_format": {"type": "json_object"}}).output
    assert output is not None
    assert output.schema is None


def test_a_prompt_of_the_prompt_management_brings_variables_instead_of_messages() -> None:
    body = {"promptVariables": {"city": {"text": "Paris"}}}
    model = "arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1"
    assert read_converse(body, operation="converse", model=model).prompt == "Paris"


def test_what_carries_a_reply_does_not_change_what_it_says() -> None:
    plain = read().digest
    assert read(requestMetadata={"team": "a"}, serviceTier={"type": "flex"}).digest == plain
    assert read(additionalModelResponseFieldPaths=["/stop_sequence"]).digest == plain
    assert read(inferenceConfig={"temperature": 0.2}).digest != plain


def test_each_fault_is_named_as_bedrock_names_it() -> None:
    constraint = "1 validation error detected: Value {} failed to satisfy constraint: Member must {}"
    assert refused(messages=None) == constraint.format("null at 'messages'", "not be null")
    assert refused(inferenceConfig={"maxTokens": 0}) == constraint.format(
        "'0' at 'inferenceConfig.maxTokens'", "have value greater than or equal to 1"
    )
    assert refused(inferenceConfig={"temperature": 1.5}) == constraint.format(
        "'1.5' at 'inferenceConfig.temperature'", "have value less than or equal to 1"
    )
    assert refused(inferenceConfig={"topP": -1}) == constraint.format(
        "'-1' at 'inferenceConfig.topP'", "have value greater than or equal to 0"
    )
    assert refused(toolConfig={"tools": []}) == constraint.format(
        "'[]' at 'toolConfig.tools'", "have length greater than or equal to 1"
    )
    assert refused(toolConfig={"toolChoice": {"auto": {}}}) == constraint.format(
        "null at 'toolConfig.tools'", "not be null"
    )
    assert refused(inferenceConfig={"maxTokens": "many"}) == (
        "The format of the value at inferenceConfig.maxTokens is invalid. Provide an integer for the field and try "
        "again."
    )
    bad = tool("get_weather") | {}
    bad = {"toolSpec": bad["toolSpec"] | {"inputSchema": {"json": {"type": "string"}}}}
    assert refused(toolConfig={"tools": [bad]}) == (
        "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: object."
    )
    assert refused(system=[{"text": " "}]) == (
        "The text field in the SystemContentBlock object at system.0 is blank. Add text to the text field, and try "
        "again."
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"inferenceConfig": [1]}, "a json object"),
        ({"system": "Be kind."}, "a list"),
        ({"system": [{"text": 1}]}, "text, guardContent, cachePoint"),
        ({"inferenceConfig": {"stopSequences": "END"}}, "a list"),
        ({"inferenceConfig": {"stopSequences": [""]}}, "length greater than or equal to 1"),
        ({"inferenceConfig": {"maxTokens": True}}, "an integer"),
        ({"inferenceConfig": {"temperature": "warm"}}, "a number"),
        ({"toolConfig": {"tools": "all"}}, "a list"),
        ({"toolConfig": {"tools": [{"other": {}}]}}, "toolSpec, systemTool, cachePoint"),
        ({"toolConfig": {"tools": [WEATHER, WEATHER]}}, "Tool names must be unique."),
        ({"toolConfig": {"tools": [tool("two words")]}}, "regular expression pattern: [a-zA-Z0-9_-]+"),
        ({"toolConfig": {"tools": [tool("x" * 65)]}}, "length less than or equal to 64"),
        ({"toolConfig": {"tools": [{"toolSpec": {}}]}}, "toolSpec.name"),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": 1}}]}}, "toolSpec.name is invalid. Provide a string"),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": "x", "description": 1}}]}}, "toolSpec.description is invalid"),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": "x"}}]}}, "Value null at 'toolConfig.tools.0.toolSpec.input"),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": "x", "inputSchema": {}}}]}}, "Provide a json object"),
        ({"toolConfig": {"tools": [WEATHER], "toolChoice": {"tool": {}}}}, "toolChoice.tool.name"),
        ({"toolConfig": {"tools": [WEATHER], "toolChoice": {"tool": {"name": 1}}}}, "Provide a string"),
        ({"inferenceConfig": {"maxTokens": 2**40}}, "value less than or equal to 2147483647"),
        ({"inferenceConfig": {"stopSequences": [1]}}, "stopSequences.0 is invalid. Provide a string"),
        ({"additionalModelResponseFieldPaths": "/a"}, "Provide a list"),
        ({"additionalModelResponseFieldPaths": [1]}, "Provide a string"),
        ({"outputConfig": {"textFormat": {"structure": {}}}}, "Value null at 'outputConfig.textFormat.type'"),
        ({"outputConfig": {"textFormat": {"type": "json_schema"}}}, "structure.jsonSchema.schema"),
        (
            {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": "all"}}},
            "Input should be a valid integer",
        ),
        (
            {
                "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}},
                "inferenceConfig": {"temperature": 0.5},
            },
            "`temperature` may only be set to 1 when thinking is enabled.",
        ),
        ({"toolConfig": {"tools": [WEATHER], "toolChoice": {"all": {}}}}, "auto, any, tool"),
        ({"toolConfig": {"tools": [WEATHER], "toolChoice": {"tool": {"name": "x"}}}}, "Tool 'x' not found"),
        ({"additionalModelResponseFieldPaths": ["stop"]}, "not a valid JSON Pointer"),
        ({"additionalModelResponseFieldPaths": ["/a"] * 11}, "length less than or equal to 10"),
        ({"additionalModelRequestFields": {"thinking": {"type": "enabled"}}}, "budget_tokens: Field required"),
        (
            {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 10}}},
            "Input should be greater than or equal to 1024",
        ),
        (
            {
                "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}},
                "inferenceConfig": {"maxTokens": 2000},
            },
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ),
        (
            {
                "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}},
                "toolConfig": {"tools": [WEATHER], "toolChoice": {"any": {}}},
            },
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
        ({"outputConfig": {"textFormat": {"type": "xml"}}}, "enum value set: [json_schema]"),
        (
            {"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{"}}}}},
            "a json object",
        ),
        (
            {
                "outputConfig": {
                    "textFormat": {
                        "type": "json_schema",
                        "structure": {"jsonSchema": {"schema": '{"not":' * 300 + "{}" + "}" * 300}},
                    }
                }
            },
            "a json object",
        ),
    ],
)
def test_a_request_that_is_not_in_order_is_refused(body: dict[str, Any], said: str) -> None:
    assert said in refused(**body)
