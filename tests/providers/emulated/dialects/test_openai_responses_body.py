from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.dialects.openai_errors import Invalid
from providers.emulated.dialects.openai_responses_body import check_body, read_output_format, require_model, thinks
from tests.providers.emulated.asking import Asker
from tests.providers.emulated.responses_asking import ask, refusal, refused

# Source: refusals of the API quoted in public issue reports and test suites, read November 2026.
_REFUSALS: list[tuple[dict[str, Any], str | None, str | None, str]] = [
    (
        {"max_output_tokens": 15},
        "max_output_tokens",
        "integer_below_min_value",
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 15 instead.",
    ),
    (
        {"input": 7},
        "input",
        "invalid_type",
        "Invalid type for 'input': expected one of a string or array of input items, but got an integer instead.",
    ),
    (
        {"input": None},
        "input",
        "invalid_type",
        "Invalid type for 'input': expected a string, but got an object instead.",
    ),
    (
        {"input": []},
        None,
        "missing_required_parameter",
        "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must be provided.",
    ),
    ({"bogus": 1}, "bogus", "unknown_parameter", "Unknown parameter: 'bogus'."),
    (
        {"truncation": "x"},
        "truncation",
        "invalid_value",
        "Invalid value: 'x'. Supported values are: 'auto' and 'disabled'.",
    ),
    (
        {"tools": "x"},
        "tools",
        "invalid_type",
        "Invalid type for 'tools': expected an array of tools, but got a string instead.",
    ),
    (
        {"include": ["bogus.thing"]},
        "include[0]",
        "invalid_value",
        "Invalid value: 'bogus.thing'. Supported values are: 'file_search_call.results', 'web_search_call.results', "
        "'web_search_call.action.sources', 'message.input_image.image_url', 'computer_call_output.output.image_url', "
        "'code_interpreter_call.outputs', 'reasoning.encrypted_content', and 'message.output_text.logprobs'.",
    ),
    (
        {"text": {"format": {"type": "xml"}}},
        "text.format.type",
        "invalid_value",
        "Invalid value: 'xml'. Supported values are: 'json_object', 'text', and 'json_schema'.",
    ),
    (
        {"text": {"format": {"type": "json_schema", "schema": {}}}},
        "text.format.name",
        "missing_required_parameter",
        "Missing required parameter: 'text.format.name'.",
    ),
    ({"text": {"zzz": 1}}, "text.zzz", "unknown_parameter", "Unknown parameter: 'text.zzz'."),
    (
        {"text": {"format": {"type": "json_object"}}},
        "input",
        None,
        "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
    ),
    (
        {"model": "o4-mini", "temperature": 0.5},
        "temperature",
        None,
        "Unsupported parameter: 'temperature' is not supported with this model.",
    ),
    (
        {"model": "o4-mini", "top_logprobs": 1},
        "include",
        "unsupported_parameter",
        "logprobs are not supported with reasoning models.",
    ),
    (
        {"reasoning": {"effort": "low"}},
        "reasoning.effort",
        "unsupported_parameter",
        "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
    ),
    (
        {"conversation": "conv_x", "previous_response_id": "resp_x"},
        None,
        "mutually_exclusive_parameters",
        "Mutually exclusive parameters: ''. Ensure you are only providing one of: 'pre..._id' or 'conversation'.",
    ),
    (
        {"previous_response_id": "resp_x"},
        "previous_response_id",
        "previous_response_not_found",
        "Previous response with id 'resp_x' not found.",
    ),
    (
        {"model": ""},
        "model",
        "model_not_found",
        "The requested model '' does not exist.",
    ),
]


@pytest.mark.parametrize(("body", "param", "code", "message"), _REFUSALS, ids=lambda value: str(value)[:40])
def test_a_wrong_body_is_refused_in_the_words_of_the_api(
    body: dict[str, Any], param: str | None, code: str | None, message: str
) -> None:
    assert refused(Asker("openai"), body) == (param, code, message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"conversation": "conv_x"}, "Conversation with id 'conv_x' not found."),
        ({"prompt": {"id": "pmpt_x"}}, "Prompt with id 'pmpt_x' not found."),
    ],
)
def test_what_is_not_there_is_not_found(body: dict[str, Any], message: str) -> None:
    status, error = refusal(Asker("openai"), "POST", "/v1/responses", {"model": "gpt-4o", "input": "hello"} | body)
    assert (status, error["message"], error["param"]) == (404, message, None)


@pytest.mark.parametrize("name", ["model", "input"])
def test_what_is_required_is_missed(name: str) -> None:
    body = {"model": "gpt-4o", "input": "hello"}
    del body[name]
    _, error = refusal(Asker("openai"), "POST", "/v1/responses", body)
    assert (error["param"], error["message"]) == (name, f"Missing required parameter: '{name}'.")


@pytest.mark.parametrize(
    ("name", "moved"), [("messages", "input"), ("response_format", "text.format"), ("max_tokens", "max_output_tokens")]
)
def test_members_of_chat_completions_are_sent_to_their_new_places(name: str, moved: str) -> None:
    with pytest.raises(Invalid, match=f"has moved to '{moved}'"):
        check_body({"model": "gpt-4o", name: []}, is_lenient=False)


def test_a_null_counts_as_absent() -> None:
    body = dict.fromkeys(("tools", "text", "reasoning", "temperature", "store", "metadata", "include"))
    found = ask(Asker("openai"), {"input": "Say hello."} | body)
    assert (found["store"], found["metadata"], found["tools"]) == (True, {}, [])


def test_a_lenient_service_ignores_what_it_does_not_know() -> None:
    check_body({"model": "x", "bogus": 1, "messages": []}, is_lenient=True)
    with pytest.raises(Invalid):
        check_body({"model": "x", "stream": "yes"}, is_lenient=True)


@pytest.mark.parametrize(
    ("model", "reasoning", "is_thinking"),
    [
        ("o4-mini", None, True),
        ("gpt-5", {"effort": "minimal"}, False),
        ("gpt-5.1", None, False),
        ("gpt-5.1", {"effort": "high"}, True),
        ("gpt-4o", None, False),
        ("my-deployment", None, False),
        ("my-deployment", {"effort": "low"}, True),
        ("my-deployment", {"summary": "auto"}, True),
    ],
)
def test_a_model_reasons_if_it_can_and_is_not_told_not_to(
    model: str, reasoning: dict[str, str] | None, is_thinking: bool
) -> None:
    assert thinks({"reasoning": reasoning}, model) is is_thinking


def test_a_model_that_may_reason_takes_a_temperature_when_it_does_not() -> None:
    assert thinks({"temperature": 0.5}, "gpt-5.1") is False
    with pytest.raises(Invalid, match="'temperature' is not supported"):
        thinks({"temperature": 0.5, "reasoning": {"effort": "low"}}, "gpt-5.1")


def test_the_output_format_is_a_schema_any_object_or_prose() -> None:
    schema = {"type": "object"}
    named = read_output_format({"text": {"format": {"type": "json_schema", "name": "a", "schema": schema}}})
    assert named is not None
    assert named.schema == schema
    anything = read_output_format({"text": {"format": {"type": "json_object"}}})
    assert anything is not None
    assert anything.schema is None
    assert read_output_format({"text": {"verbosity": "low"}}) is None
    assert read_output_format({}) is None


def test_a_model_is_a_text() -> None:
    assert require_model({"model": "gpt-4o"}) == "gpt-4o"
    with pytest.raises(Invalid, match="expected a string, but got an object instead"):
        require_model({"model": None})
