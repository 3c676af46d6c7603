"""Sampling, the form of the output, thinking."""

from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.question import OutputFormat
from tests.providers.emulated.anthropic_asking import WEATHER, body, read, refused

CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (body(temperature=1.5), "temperature: range: 0..1"),
        (body(temperature="hot"), "temperature: Input should be a valid number"),
        (body(top_p=-0.1), "top_p: range: 0..1"),
        (body(top_k=1.5), "top_k: Input should be a valid integer"),
        (body(stop_sequences="x"), "stop_sequences: Input should be a valid list"),
        (body(stop_sequences=[" "]), "stop_sequences: each stop sequence must contain non-whitespace"),
        (
            body(output_config={"effort": "most"}),
            "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
        ),
        (body(output_config={"format": {"type": "json_schema"}}), "output_config.format.schema: Field required"),
        (
            body(output_format={"type": "json", "schema": CLOSED}),
            "output_format.type: Input should be 'json_schema'",
        ),
        (
            body(output_config={"format": {"type": "json_schema", "schema": {**CLOSED, "additionalProperties": True}}}),
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
        ),
        (body(thinking={}), "thinking.type: Field required"),
        (
            body(thinking={"type": "on"}),
            "thinking: Input tag 'on' found using 'type' does not match any of the expected tags: 'adaptive', "
            "'between_tools', 'disabled', 'enabled'",
        ),
        (body(thinking={"type": "enabled"}), "thinking.enabled.budget_tokens: Field required"),
        (
            body(thinking={"type": "enabled", "budget_tokens": 1000}),
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        (
            body(thinking={"type": "enabled", "budget_tokens": 2000}, temperature=0.5, max_tokens=3000),
            "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-"
            "extended-thinking",
        ),
        (
            body(
                thinking={"type": "enabled", "budget_tokens": 2000},
                max_tokens=3000,
                tools=[WEATHER],
                tool_choice={"type": "any"},
            ),
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
    ],
)
def test_what_the_service_refuses_is_refused_in_its_words(given: dict[str, Any], message: str) -> None:
    assert refused(given) == message


def test_a_thinking_budget_must_leave_room_for_an_answer() -> None:
    message = refused(body(max_tokens=1024, thinking={"type": "enabled", "budget_tokens": 1024}))
    assert message.startswith("`max_tokens` must be greater than `thinking.budget_tokens`.")


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_the_newest_version_knows_no_sampling_parameters_even_at_their_defaults(name: str) -> None:
    assert refused(body(**{name: 1}), version="2026-10-21") == f"{name}: Extra inputs are not permitted"
    assert refused(body(**{name: 1}), version="2023-06-01") == ""


def test_both_names_of_the_output_format_ask_for_it() -> None:
    form = {"type": "json_schema", "schema": CLOSED}
    assert read(body(output_config={"format": form})).question.output == OutputFormat(CLOSED)
    assert read(body(output_format=form)).question.output == OutputFormat(CLOSED)
    assert read(body(output_config={"effort": "low"})).question.output is None


def test_a_tool_loop_with_thinking_must_keep_the_thinking() -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "abc"}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12 degrees"}

    def looped(*blocks: dict[str, Any]) -> dict[str, Any]:
        turns = [("user", "Weather?"), ("assistant", [*blocks]), ("user", [result])]
        messages = [{"role": role, "content": content} for role, content in turns]
        return body(messages=messages, max_tokens=3000, thinking={"type": "enabled", "budget_tokens": 1024})

    assert refused(looped(use)).startswith(
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` "
    )
    assert refused(looped(thought, use)) == ""


@pytest.mark.parametrize(
    ("thinking", "expected"),
    [
        ({"type": "disabled"}, (False, None, True)),
        ({"type": "between_tools"}, (False, None, True)),
        ({"type": "adaptive"}, (True, None, True)),
        ({"type": "adaptive", "display": "omitted"}, (True, None, False)),
        ({"type": "enabled", "budget_tokens": 1024, "display": "summarized"}, (True, 1024, True)),
    ],
)
def test_each_kind_of_thinking_is_told(thinking: dict[str, Any], expected: tuple[bool, int | None, bool]) -> None:
    request = read(body(thinking=thinking, max_tokens=2000))
    assert (request.question.thinks, request.question.thinking_tokens, request.shows_thinking) == expected


@pytest.mark.parametrize(
    "part",
    [
        {"properties": {"b": {"type": "object"}}},
        {"properties": {"b": {"type": "array", "items": {"type": "object"}}}},
        {"properties": {"b": {"anyOf": [{"type": "string"}, {"type": "object"}]}}},
        {"$defs": {"b": {"type": "object", "properties": {}}}},
    ],
)
def test_an_open_object_anywhere_in_the_schema_is_refused(part: dict[str, Any]) -> None:
    given = body(output_config={"format": {"type": "json_schema", "schema": {**CLOSED, **part}}})
    assert refused(given).endswith("'additionalProperties' must be explicitly set to false")
