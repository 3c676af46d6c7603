from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.dialects.openai_errors import Invalid
from providers.emulated.dialects.openai_responses_input import (
    ITEM_TYPES,
    InputReader,
    listed_items,
    match_calls,
    open_sealed,
    seal,
)
from providers.emulated.question import ToolResult, ToolUse, Turn


def read(*items: Any) -> list[Turn]:
    return InputReader(lambda given: None).read(list(items))


def test_a_text_is_the_users() -> None:
    assert InputReader(lambda given: None).read("hello") == [Turn("user", "hello")]


@pytest.mark.parametrize(
    ("role", "expected"),
    [("user", "user"), ("assistant", "assistant"), ("system", "system"), ("developer", "system")],
)
def test_messages_have_roles(role: str, expected: Any) -> None:
    assert read({"role": role, "content": "hello"}) == [Turn(expected, "hello")]


def test_parts_are_joined_and_attachments_named() -> None:
    content = [
        {"type": "input_text", "text": "Look:"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
        {"type": "input_file", "file_id": "file_1"},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "input_text", "text": "What is it?"},
    ]
    assert read({"type": "message", "role": "user", "content": content}) == [
        Turn("user", "Look:\nWhat is it?", ("image", "document", "audio"))
    ]


def test_calls_and_their_outputs_are_grouped() -> None:
    def call(number: int) -> dict[str, Any]:
        return {"type": "function_call", "call_id": f"call_{number}", "name": f"f{number}", "arguments": "{}"}

    def output(number: int) -> dict[str, Any]:
        return {"type": "function_call_output", "call_id": f"call_{number}", "output": f"result {number}"}

    turns = read(
        {"role": "user", "content": "go"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        call(1), call(2), output(1), output(2),
    )  # fmt: skip
    match_calls(turns)
    assert turns == [
        Turn("user", "go"),
        Turn("assistant", "I look.", tool_uses=(ToolUse("call_1", "f1", "{}"), ToolUse("call_2", "f2", "{}"))),
        Turn("tool", tool_results=(ToolResult("call_1", "f1", "result 1"), ToolResult("call_2", "f2", "result 2"))),
    ]


def test_an_output_may_be_parts() -> None:
    output = [{"type": "input_text", "text": "18"}, {"type": "input_text", "text": "degrees"}]
    (turn,) = read({"type": "function_call_output", "call_id": "call_1", "output": output})
    assert turn.tool_results[0].text == "18\ndegrees"


def test_items_of_hosted_tools_are_passed_over() -> None:
    known = [kind for kind in ITEM_TYPES if kind.endswith("_call") and not kind.startswith(("function", "custom"))]
    assert known
    assert read(*[{"type": kind} for kind in known]) == []


@pytest.mark.parametrize(
    ("item", "param", "message"),
    [
        (1, "input[0]", "Invalid type for 'input[0]': expected an input item, but got an integer instead."),
        (
            {"content": "x"},
            "input[0]",
            "Invalid value: ''. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
        ),
        ({"role": "user"}, "input[0].content", "Missing required parameter: 'input[0].content'."),
        (
            {"role": "user", "content": [{"type": "text", "text": "x"}]},
            "input[0].content[0].type",
            "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', 'input_audio', 'output_text', "
            "'refusal', 'input_file', 'computer_screenshot', 'summary_text', and 'encrypted_content'.",
        ),
        (
            {"role": "assistant", "content": [{"type": "input_text", "text": "x"}]},
            "input[0].content[0]",
            "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
        ),
        (
            {"type": "function_call", "id": "call_1", "call_id": "call_1", "name": "f", "arguments": "{}"},
            "input[0].id",
            "Invalid 'input[0].id': 'call_1'. Expected an ID that begins with 'fc'.",
        ),
        ({"type": "reasoning"}, "input[0].summary", "Missing required parameter: 'input[0].summary'."),
        (
            {"type": "function_call_output", "call_id": "call_1"},
            "input[0].output",
            "Missing required parameter: 'input[0].output'.",
        ),
        (
            {"type": "function_call", "name": "f"},
            "input[0].arguments",
            "Missing required parameter: 'input[0].arguments'.",
        ),
    ],
)
def test_a_wrong_item_is_refused_in_the_words_of_the_api(item: Any, param: str, message: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(item)
    assert (refusal.value.param, refusal.value.message) == (param, message)


def test_an_unknown_type_is_refused_with_all_that_are_known() -> None:
    with pytest.raises(Invalid, match=r"'additional_tools', .*, and 'web_search_call'") as refusal:
        read({"type": "bogus"})
    assert refusal.value.param == "input[0]"


def test_a_reference_is_read_as_what_it_stands_for() -> None:
    kept = {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi."}]}
    reader = InputReader({"msg_1": kept}.get)
    given = [{"id": "msg_1"}, {"role": "user", "content": "Go on."}]
    assert reader.read(given) == [Turn("assistant", "Hi."), Turn("user", "Go on.")]
    assert reader.resolve(given) == [kept, given[1]]


def test_listed_items_have_ids_and_whole_parts() -> None:
    listed = listed_items(
        [
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Hi."}], "id": "msg_given"},
            {"type": "function_call_output", "call_id": "call_1", "output": "1"},
        ],
        lambda prefix, index: f"{prefix}_{index}",
    )
    assert [item["id"] for item in listed] == ["msg_0", "msg_given", "fc_2"]
    assert listed[0]["content"] == [{"type": "input_text", "text": "hello"}]
    assert listed[1]["content"] == [{"type": "output_text", "text": "Hi.", "annotations": [], "logprobs": []}]
    assert listed[2]["status"] == "completed"


def test_what_is_sealed_can_be_opened_again() -> None:
    assert open_sealed(seal("Grüße 🦆")) == "Grüße 🦆"


@pytest.mark.parametrize("sealed", ["", "abc", "gAAAAAB*", "gAAAAABé", "gAAAAAB_w=="])
def test_what_is_not_sealed_is_refused(sealed: str) -> None:
    with pytest.raises(Invalid) as refusal:
        open_sealed(sealed)
    assert refusal.value.code == "invalid_encrypted_content"
