from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.dialects.openai_chat_messages import read_messages
from providers.emulated.dialects.openai_errors import Invalid
from providers.emulated.question import ToolResult, ToolUse, Turn

CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "fine"}
ASKING = {"role": "user", "content": "Hi"}


def test_every_role_becomes_a_turn() -> None:
    turns = read_messages(
        [
            {"role": "developer", "content": "Be kind."},
            {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
            {"role": "user", "content": "Hi", "name": "me"},
            {"role": "assistant", "content": "Hello"},
        ]
    )
    assert turns == [
        Turn("system", "Be kind."),
        Turn("system", "Be brief."),
        Turn("user", "Hi"),
        Turn("assistant", "Hello"),
    ]


def test_parts_are_text_and_attachments_in_order() -> None:
    parts = [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "text", "text": "What is it?"},
    ]
    turn = read_messages([{"role": "user", "content": parts}])[0]
    assert turn == Turn("user", "Look:\nWhat is it?", ("image", "audio", "document"))


def test_results_that_follow_each_other_are_one_turn() -> None:
    second = {**CALL, "id": "call_2"}
    turns = read_messages(
        [ASKING, {**CALLING, "tool_calls": [CALL, second]}, RESULT, {**RESULT, "tool_call_id": "call_2"}, ASKING]
    )
    assert turns[1].tool_uses == (ToolUse("call_1", "f", "{}"), ToolUse("call_2", "f", "{}"))
    assert turns[2] == Turn("tool", tool_results=(ToolResult("call_1", "f", "fine"), ToolResult("call_2", "f", "fine")))
    assert len(turns) == 4


def test_legacy_calls_and_custom_calls_are_read() -> None:
    turns = read_messages(
        [
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "fine"},
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "run", "input": "x"}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "ran"}]},
            {"role": "assistant", "refusal": "No."},
        ]
    )
    assert turns[0].tool_uses == (ToolUse("", "f", "{}"),)
    assert turns[1].tool_results == (ToolResult("", "f", "fine"),)
    assert turns[2].tool_uses == (ToolUse("c", "run", "x"),)
    assert turns[3].tool_results == (ToolResult("c", "run", "ran"),)
    assert turns[4].text == "No."


REFUSALS: list[tuple[list[Any], str, str | None]] = [
    ([RESULT], "must be a response to a preceeding message with 'tool_calls'", "messages.[0].role"),
    ([CALLING], "did not have response messages: call_1", "messages"),
    ([CALLING, ASKING], "did not have response messages: call_1", "messages.[1].role"),
    (
        [CALLING, {**RESULT, "tool_call_id": "other"}],
        "'tool_call_id' of 'other' not found in 'tool_calls' of previous message",
        "messages.[1].tool_call_id",
    ),
    ([{"content": "Hi"}], "Missing required parameter: 'messages[0].role'", "messages[0].role"),
    ([{"role": "robot", "content": "Hi"}], "Invalid value: 'robot'", "messages[0].role"),
    ([{"role": ["user"], "content": "Hi"}], "Invalid type for 'messages[0].role'", "messages[0].role"),
    (["Hi"], "Invalid type for 'messages[0]': expected an object, but got a string instead", "messages[0]"),
    ([{"role": "user"}], "Missing required parameter: 'messages[0].content'", "messages[0].content"),
    (
        [{"role": "user", "content": None}],
        "Invalid value for 'content': expected a string, got null",
        "messages.[0].content",
    ),
    (
        [{"role": "assistant", "content": None}],
        "Invalid value for 'content': expected a string, got null",
        "messages.[0].content",
    ),
    (
        [{"role": "user", "content": {"text": "Hi"}}],
        "Invalid type for 'messages[0].content': expected one of a string or array of objects, but got an object",
        "messages[0].content",
    ),
    (
        [{"role": "user", "content": ["Hi"]}],
        "Invalid type for 'messages[0].content[0]': expected an object, but got a string",
        "messages[0].content[0]",
    ),
    ([{"role": "user", "content": [{"type": "smell"}]}], "Invalid value: 'smell'", "messages[0].content[0].type"),
    ([{"role": "user", "content": [{"text": "x"}]}], "'messages[0].content[0].type'", "messages[0].content[0].type"),
    (
        [{"role": "user", "content": [{"type": "image_url", "image_url": "https://x"}]}],
        "expected an object, but got a string",
        "messages[0].content[0].image_url",
    ),
    (
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "iVBORw0KGgo="}}]}],
        "Invalid image URL: 'messages[0].content[0].image_url.url'. Expected a base64-encoded data URL with an image",
        "messages[0].content[0].image_url.url",
    ),
    (
        [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}],
        "expected to be either text or refusal",
        "messages.[0]",
    ),
    (
        [{"role": "assistant", "tool_calls": []}],
        "Invalid 'messages[0].tool_calls': empty array",
        "messages[0].tool_calls",
    ),
    (
        [{"role": "assistant", "tool_calls": [{"type": "function"}]}],
        "Missing required parameter: 'messages[0].tool_calls[0].id'",
        "messages[0].tool_calls[0].id",
    ),
    ([{"role": "function", "content": "x"}], "'messages[0].name'", "messages[0].name"),
]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case[1][:50])
def test_an_order_that_makes_no_sense_is_refused(case: tuple[list[Any], str, str | None]) -> None:
    messages, message, param = case
    with pytest.raises(Invalid) as caught:
        read_messages(messages)
    assert message in caught.value.message
    assert caught.value.param == param
