from __future__ import annotations

from typing import Any

import pytest

from tests.providers.emulated.google_asking import BOTH, GEMINI, VERTEX, generate, refusal, says

CALL = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
RESPONSE = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "x"}}}]}
USER = {"role": "user", "parts": [{"text": "Hi"}]}
MODEL = {"role": "model", "parts": [{"text": "Ho"}]}
TOOLS = [{"functionDeclarations": [{"name": "f"}]}]
UNEQUAL = "Please ensure that the number of function response parts is equal to the number of function call parts"


@pytest.mark.parametrize(
    ("base", "body", "message"),
    [
        (GEMINI, {}, "* GenerateContentRequest.contents: contents is not specified\n"),
        (GEMINI, {"contents": []}, "* GenerateContentRequest.contents: contents is not specified\n"),
        (VERTEX, {}, "Unable to submit request because at least one contents field is required."),
        (
            GEMINI,
            {"contents": [USER, {"role": "model"}]},
            "* GenerateContentRequest.contents[1].parts: contents.parts must not be empty.\n",
        ),
        (
            VERTEX,
            {"contents": [{"role": "user"}]},
            "Unable to submit request because it must include at least one parts",
        ),
        (
            GEMINI,
            {"contents": [{"role": "user", "parts": [{"text": "a"}, {}]}]},
            "* GenerateContentRequest.contents[0].parts[1].data: required oneof field 'data' must have one initialized",
        ),
        (
            VERTEX,
            {"contents": [{"role": "user", "parts": [{}]}]},
            "Unable to submit request because it must have a text",
        ),
        (
            GEMINI,
            {"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]},
            "Please use a valid role: user, model.",
        ),
        (VERTEX, {"contents": [{"parts": [{"text": "a"}]}]}, "Please use a valid role: user, model."),
    ],
)
def test_contents_are_checked(base: str, body: dict[str, Any], message: str) -> None:
    assert refusal(body, base).startswith(message)


def test_gemini_does_without_a_role() -> None:
    assert generate({"contents": [{"parts": [{"text": "a"}]}]})["candidates"]


@pytest.mark.parametrize("base", BOTH)
@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([RESPONSE], "Please ensure that function response turn comes immediately after a function call turn."),
        ([USER, RESPONSE], "Please ensure that function response turn comes immediately after a function call turn."),
        ([CALL, RESPONSE], "Please ensure that function call turn comes immediately after a user turn or after a"),
        ([USER, CALL, USER], UNEQUAL),
        ([USER, CALL, CALL, RESPONSE], UNEQUAL),
        ([USER, CALL, RESPONSE, RESPONSE, USER], UNEQUAL),
        ([USER, CALL, RESPONSE, RESPONSE], UNEQUAL),
    ],
)
def test_calls_and_responses_must_match(base: str, contents: list[Any], message: str) -> None:
    assert refusal({"contents": contents}, base).startswith(message)


@pytest.mark.parametrize(
    "contents",
    [
        [USER, CALL, RESPONSE],
        [USER, CALL, CALL, RESPONSE, RESPONSE],
        [USER, MODEL, CALL, RESPONSE, MODEL, USER],
        [USER, CALL, RESPONSE, CALL, RESPONSE],
        [USER, MODEL, USER, USER],
        [MODEL, USER],
    ],
)
def test_conversations_in_order_are_taken(contents: list[Any]) -> None:
    assert generate({"contents": contents, "tools": TOOLS})["candidates"]


@pytest.mark.parametrize(
    ("name", "value", "gemini"),
    [
        ("temperature", 2.5, "temperature: temperature must be in the range [0.0, 2.0]."),
        ("topP", -0.1, "top_p: top_p must be in the range [0.0, 1.0]."),
        ("candidateCount", 0, "candidate_count: candidate_count must be in the range [1, 8]."),
        ("maxOutputTokens", 0, "max_output_tokens: max_output_tokens must be positive."),
    ],
)
def test_numbers_have_ranges(name: str, value: float, gemini: str) -> None:
    body = says("Hi", generationConfig={name: value})
    assert refusal(body) == f"* GenerateContentRequest.generation_config.{gemini}\n"
    assert refusal(body, VERTEX).startswith(f"Unable to submit request because it has a {name} value of {value} but")


def test_five_stop_sequences_are_the_most() -> None:
    assert generate(says("Hi", generationConfig={"stopSequences": [*"vwxyz"]}))["candidates"]
    assert refusal(says("Hi", generationConfig={"stopSequences": [*"uvwxyz"]}), VERTEX) == (
        "Unable to submit request because it has a stopSequences value of 6 but the supported range is from 1 "
        "(inclusive) to 6 (exclusive). Update the value and try again."
    )


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"responseMimeType": "image/png"}, "allowed mimetypes are `text/plain`, `application/json`"),
        (
            {"responseMimeType": "application/json", "responseSchema": {}, "responseJsonSchema": {}},
            "only one of `response_schema` and `response_json_schema` can be set",
        ),
        ({"responseSchema": {"type": "STRING"}}, "`response_mime_type` must be"),
        ({"stopSequences": [*"abcdef"]}, "the number of stop_sequences must not exceed 5."),
        (
            {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}},
            "You can only set only one of thinking budget and thinking level.",
        ),
        ({"thinkingConfig": {"thinkingBudget": 10**6}}, "The thinking budget 1000000 is invalid."),
        (
            {"thinkingConfig": {"thinkingBudget": 0, "includeThoughts": True}},
            "include_thoughts is only enabled when thinking is enabled",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(config: dict[str, Any], message: str) -> None:
    assert message in refusal(says("Hi", generationConfig=config))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"tools": [{"functionDeclarations": [{"name": "a b"}]}]},
            "tools[0].function_declarations[0].name: Invalid function",
        ),
        (
            {"tools": [{"functionDeclarations": [{"name": "f"}, {"name": "f"}]}]},
            "Duplicate function declaration found: f",
        ),
        ({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "is set without function_declarations"),
        (
            {"tools": TOOLS, "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["g"]}}},
            "allowed_function_names should be a subset of the provided function_declarations",
        ),
        (
            {"tools": TOOLS, "toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["f"]}}},
            "allowed_function_names may be set only when the mode is ANY",
        ),
        (
            {"tools": TOOLS, "generationConfig": {"responseMimeType": "application/json"}},
            "Function calling with a response mime type: 'application/json' is unsupported",
        ),
        (
            {"tools": [{"googleSearch": {}}], "generationConfig": {"responseMimeType": "application/json"}},
            "Tool use with a response mime type: 'application/json' is unsupported",
        ),
    ],
)
def test_tools_are_checked(more: dict[str, Any], message: str) -> None:
    assert message in refusal(says("Hi", **more))


def test_gemini_3_answers_in_json_with_tools_on_offer() -> None:
    body = says("Hi", tools=TOOLS, generationConfig={"responseMimeType": "application/json"})
    assert generate(body, model="gemini-3-pro-preview")["candidates"]


def test_gemini_3_wants_its_signature_back() -> None:
    message = refusal({"contents": [USER, CALL, RESPONSE], "tools": TOOLS}, model="gemini-3-pro-preview")
    assert message.startswith("Function call is missing a thought_signature in functionCall parts.")
    assert "`default_api:f` , position 2." in message


@pytest.mark.parametrize(
    "contents",
    [
        [USER, {"role": "model", "parts": [CALL["parts"][0] | {"thoughtSignature": "AAAA"}]}, RESPONSE],
        [USER, CALL, RESPONSE, MODEL, USER],
        [
            USER,
            {"role": "model", "parts": [CALL["parts"][0] | {"thoughtSignature": "AAAA"}, CALL["parts"][0]]},
            {"role": "user", "parts": RESPONSE["parts"] * 2},
        ],
    ],
)
def test_gemini_3_wants_one_signature_for_each_step_of_this_turn(contents: list[Any]) -> None:
    assert generate({"contents": contents, "tools": TOOLS}, model="gemini-3-pro-preview")["candidates"]
