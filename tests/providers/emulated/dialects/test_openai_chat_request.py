from __future__ import annotations

from typing import Any, get_type_hints

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsBase

from tests.providers.emulated.asking import Asker, whole
from tests.providers.emulated.openai_asking import WEATHER, chat, refused

CHAT = "/v1/chat/completions"
STRICT = {**WEATHER["function"], "strict": True}


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


# Body, message, param, code.
REFUSALS: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    (without(chat(), "model"), "you must provide a model parameter", None, None),
    (
        without(chat(), "messages"),
        "Missing required parameter: 'messages'.",
        "messages",
        "missing_required_parameter",
    ),
    (
        chat() | {"messages": "Hi"},
        "Invalid type for 'messages': expected an array of objects, but got a string instead.",
        "messages",
        "invalid_type",
    ),
    (
        chat() | {"messages": []},
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        "messages",
        "empty_array",
    ),
    (chat(top_k=3), "Unrecognized request argument supplied: top_k", None, None),
    (
        chat(temperature="hot"),
        "Invalid type for 'temperature': expected a decimal, but got a string instead.",
        "temperature",
        "invalid_type",
    ),
    (
        chat(temperature=3),
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
        "temperature",
        "decimal_above_max_value",
    ),
    (
        chat(max_tokens=0),
        "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.",
        "max_tokens",
        "integer_below_min_value",
    ),
    (
        chat(stop=list("abcde")),
        "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 "
        "instead.",
        "stop",
        "array_above_max_length",
    ),
    (
        chat(max_tokens=5, max_completion_tokens=5),
        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
        "max_tokens",
        "invalid_parameter_combination",
    ),
    (
        chat(model="o3", max_tokens=5),
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "max_tokens",
        "unsupported_parameter",
    ),
    (
        chat(model="gpt-5-mini", temperature=0.2),
        "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is "
        "supported.",
        "temperature",
        "unsupported_value",
    ),
    (
        chat(model="o1", logprobs=True),
        "Unsupported parameter: 'logprobs' is not supported with this model.",
        "logprobs",
        "unsupported_parameter",
    ),
    (
        chat(reasoning_effort="low"),
        "Unrecognized request argument supplied: reasoning_effort",
        None,
        None,
    ),
    (
        chat(stream_options={"include_usage": True}),
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        "stream_options",
        None,
    ),
    (
        chat(response_format={"type": "json_object"}),
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        "messages",
        None,
    ),
    (
        chat(response_format={"type": "json_schema"}),
        "Missing required parameter: 'response_format.json_schema'.",
        "response_format.json_schema",
        "missing_required_parameter",
    ),
    (
        chat(response_format={"type": "yaml"}),
        "Invalid value: 'yaml'. Supported values are: 'json_object', 'json_schema', and 'text'.",
        "response_format.type",
        "invalid_value",
    ),
    (
        chat(
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "a", "strict": True, "schema": {"type": "object", "properties": {}}},
            }
        ),
        "Invalid schema for response_format 'a': In context=(), 'additionalProperties' is required to be supplied and "
        "to be false.",
        "response_format",
        None,
    ),
    (
        chat(tools=[{"type": "function", "function": {**STRICT, "parameters": {"type": "object"}}}]),
        "Invalid schema for function 'get_weather': In context=(), 'additionalProperties' is required to be supplied "
        "and to be false.",
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    (
        chat(tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "string"}}}]),
        "Invalid schema for function 'f': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"string\"'.",
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    (
        chat(tools=[{"type": "function", "function": {"name": "get weather"}}]),
        "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]+$'.",
        "tools[0].function.name",
        "invalid_value",
    ),
    (
        chat(tools=[{"function": {"name": "f"}}]),
        "Missing required parameter: 'tools[0].type'.",
        "tools[0].type",
        "missing_required_parameter",
    ),
    (
        chat(tool_choice="auto"),
        "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        "tool_choice",
        None,
    ),
    (
        chat(tools=[WEATHER], tool_choice="maybe"),
        "Invalid value: 'maybe'. Supported values are: 'none', 'auto', and 'required'.",
        "tool_choice",
        "invalid_value",
    ),
    (
        chat(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "other"}}),
        "Tool choice 'other' not found in 'tools' parameter.",
        "tool_choice",
        None,
    ),
    (
        chat(parallel_tool_calls=False),
        "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
        "parallel_tool_calls",
        None,
    ),
    (
        chat(top_logprobs=2),
        "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
        "top_logprobs",
        None,
    ),
    (
        chat(modalities=["text", "audio"]),
        "Missing required parameter: 'audio'.",
        "audio",
        "missing_required_parameter",
    ),
    (
        chat(modalities=["text", "audio"], audio={"voice": "alloy", "format": "mp3"}, stream=True),
        "Unsupported value: 'audio.format' does not support 'mp3' when stream=true. Supported values are: 'pcm16'.",
        "audio.format",
        "unsupported_value",
    ),
    (
        chat(logit_bias={"50256": 200}),
        "Invalid 'logit_bias.50256': decimal above maximum value. Expected a value <= 100, but got 200 instead.",
        "logit_bias.50256",
        "decimal_above_max_value",
    ),
    (
        chat(moderation={}),
        "Missing required parameter: 'moderation.model'.",
        "moderation.model",
        "missing_required_parameter",
    ),
    (
        chat(model="gpt-5", top_p=0.5),
        "Unsupported parameter: 'top_p' is not supported with this model.",
        "top_p",
        "unsupported_parameter",
    ),
    (
        chat(max_tokens=20_480),
        "max_tokens is too large: 20480. This model supports at most 16384 completion tokens, whereas you provided "
        "20480.",
        "max_tokens",
        "invalid_value",
    ),
    (
        chat(metadata={"a": "b"}),
        "The 'metadata' parameter is only allowed when 'store' is enabled.",
        "metadata",
        None,
    ),
    (
        chat(service_tier="gold"),
        "Invalid value: 'gold'. Supported values are: 'auto', 'default', 'flex', 'scale', 'priority', and 'fast'.",
        "service_tier",
        "invalid_value",
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: f"{case[2]} {case[3]}")
def test_it_is_refused_in_openais_words(asker: Asker, case: tuple[dict[str, Any], str, str | None, str | None]) -> None:
    body, message, param, code = case
    error = refused(asker.send("POST", CHAT, body))
    assert error == {"message": message, "type": "invalid_request_error", "param": param, "code": code}


def test_models_that_do_not_chat_are_not_found(asker: Asker) -> None:
    for model in ("gpt-3.5-turbo-instruct", "text-embedding-3-small", "davinci-002"):
        error = refused(asker.send("POST", CHAT, chat(model=model)), 404)
        assert error["param"] == "model"
        assert "not a chat model" in error["message"]


def test_every_parameter_of_the_sdk_is_known(asker: Asker) -> None:
    for name in get_type_hints(CompletionCreateParamsBase):
        reply = whole(asker.send("POST", CHAT, chat() | {name: None}))
        assert b"Unrecognized request argument" not in reply, name


ACCEPTED: list[dict[str, Any]] = [
    chat(metadata={"a": "b"}, store=True),
    chat(metadata={}, user="me", seed=4, top_p=0.5, presence_penalty=1.5, frequency_penalty=-2),
    chat(temperature=None, stop=None, tools=None, n=None, response_format=None),
    chat(prediction={"type": "content", "content": "x"}, web_search_options={}, verbosity="low"),
    chat(response_format={"type": "text"}, logit_bias={"1": -100}, prompt_cache_key="k", safety_identifier="me"),
    chat(model="o3", temperature=1, max_completion_tokens=100, reasoning_effort="high"),
    chat(model="gpt-5.1", temperature=0.2, reasoning_effort="none"),
    chat(model="gpt-5-chat-latest", temperature=0.2, max_tokens=10),
    chat(model="my-own-model", stop="x", stream=False),
    chat(tools=[{"type": "function", "function": {"name": "no_arguments"}}], parallel_tool_calls=False),
    chat(tools=[{"type": "function", "function": STRICT}], tool_choice="none"),
    chat(response_format={"type": "json_schema", "json_schema": {"name": "anything"}}),
]


@pytest.mark.parametrize("body", ACCEPTED, ids=lambda body: ",".join(body))
def test_it_is_accepted(asker: Asker, body: dict[str, Any]) -> None:
    assert asker.json("POST", CHAT, body)["object"] == "chat.completion"
