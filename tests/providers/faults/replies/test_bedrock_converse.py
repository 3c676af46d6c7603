from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.faults.base import Edit
from providers.faults.replies.bedrock_converse import ConverseEditor
from providers.wire.event_stream import build_event, build_exception
from tests.providers.emulated.bedrock_shapes import assembled, event_faults, faults_of
from tests.providers.faults.bedrock_replies import (
    CLAUDE,
    CONVERSE,
    THOUGHTFUL,
    TOOL,
    edited,
    edited_stream,
    events,
    frames,
    genuine,
)

WHOLE, STREAM = f"/model/{CLAUDE}/converse", f"/model/{CLAUDE}/converse-stream"
BODIES = [CONVERSE, TOOL, THOUGHTFUL]


def streamed(body: dict[str, Any], edit: Edit, text: str | None = None) -> list[dict[str, Any]]:
    data, has_edited = edited_stream(STREAM, body, edit, text)
    assert has_edited
    return [{name: payload} for name, payload in events(data)]


def text_of(reply: dict[str, Any]) -> str:
    return "".join([block.get("text", "") for block in reply["output"]["message"]["content"]])


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("edit", [Edit.REFUSAL, Edit.LENGTH, Edit.EMPTY_CONTENT])
def test_every_edited_reply_fits_the_service_s_model(body: dict[str, Any], edit: Edit) -> None:
    reply = edited(WHOLE, body, edit)
    assert faults_of(reply, "Converse") == []
    assert [fault for event in streamed(body, edit) for fault in event_faults(event)] == []


@pytest.mark.parametrize("body", BODIES)
def test_a_refusal_is_all_that_is_said(body: dict[str, Any]) -> None:
    for reply in (
        edited(WHOLE, body, Edit.REFUSAL, "Certainly not."),
        assembled(streamed(body, Edit.REFUSAL, "Certainly not.")),
    ):
        assert reply["output"]["message"]["content"] == [{"text": "Certainly not."}]
        assert reply["stopReason"] == "content_filtered"
        assert reply["usage"]["outputTokens"] > 0


def test_a_refusal_without_words_of_its_own_has_some() -> None:
    assert text_of(edited(WHOLE, CONVERSE, Edit.REFUSAL)) == text_of(assembled(streamed(CONVERSE, Edit.REFUSAL))) != ""


@pytest.mark.parametrize("body", BODIES)
def test_empty_content_ends_the_turn_without_a_block(body: dict[str, Any]) -> None:
    made = streamed(body, Edit.EMPTY_CONTENT)
    assert [next(iter(event)) for event in made] == ["messageStart", "messageStop", "metadata"]
    for reply in (edited(WHOLE, body, Edit.EMPTY_CONTENT), assembled(made)):
        assert (reply["output"]["message"]["content"], reply["stopReason"]) == ([], "end_turn")


@pytest.mark.parametrize("body", [CONVERSE, THOUGHTFUL])
def test_a_reply_cut_for_its_length_is_the_first_half_of_the_text(body: dict[str, Any]) -> None:
    given = orjson.loads(genuine(WHOLE, body))
    for reply in (edited(WHOLE, body, Edit.LENGTH), assembled(streamed(body, Edit.LENGTH))):
        assert text_of(given).startswith(text_of(reply))
        assert 0.3 < len(text_of(reply)) / len(text_of(given)) < 0.7
        assert reply["stopReason"] == "max_tokens"
        thoughts = [block for block in given["output"]["message"]["content"] if "reasoningContent" in block]
        assert [block for block in reply["output"]["message"]["content"] if "reasoningContent" in block] == thoughts


def test_a_cut_tool_call_is_without_its_input() -> None:
    reply = edited(WHOLE, TOOL, Edit.LENGTH)
    assert [block["toolUse"]["input"] for block in reply["output"]["message"]["content"]] == [{}]
    said = tool_input(streamed(TOOL, Edit.LENGTH))
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(said)


def tool_input(made: list[dict[str, Any]]) -> str:
    deltas = [event["contentBlockDelta"]["delta"] for event in made if "contentBlockDelta" in event]
    return "".join([delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta])


def test_tool_arguments_are_an_object_of_other_types_or_no_json_at_all() -> None:
    (use,) = edited(WHOLE, TOOL, Edit.INVALID_TOOL_ARGUMENTS)["output"]["message"]["content"]
    assert type(use["toolUse"]["input"]["city"]) is list
    made = streamed(TOOL, Edit.INVALID_TOOL_ARGUMENTS)
    assert [fault for event in made for fault in event_faults(event)] == []
    assert tool_input(made) != ""
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(tool_input(made))
    assert made[-2]["messageStop"]["stopReason"] == "tool_use"


@pytest.mark.parametrize("pieces", [[], ["{}"], ['{"a"', ": 1}"], ["", '{"a":1}', ""]])
def test_arguments_in_any_number_of_pieces_become_no_json(pieces: list[str]) -> None:
    def block(name: str, **members: Any) -> bytes:
        return build_event(name, orjson.dumps({"contentBlockIndex": 3, **members}))

    given = [
        block("contentBlockStart", start={"toolUse": {"name": "f", "toolUseId": "t"}}),
        *[block("contentBlockDelta", delta={"toolUse": {"input": piece}}) for piece in pieces],
        block("contentBlockStop"),
    ]
    editor = ConverseEditor(Edit.INVALID_TOOL_ARGUMENTS, None)
    sent = b"".join([piece for frame in given for piece in editor.event(frame)])
    assert editor.has_edited
    said = tool_input([{name: payload} for name, payload in events(sent)])
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(said)


def test_a_reply_without_tool_calls_stays_as_it_is() -> None:
    assert edited(WHOLE, CONVERSE, Edit.INVALID_TOOL_ARGUMENTS) is None
    assert edited_stream(STREAM, CONVERSE, Edit.INVALID_TOOL_ARGUMENTS) == (genuine(STREAM, CONVERSE), False)


@pytest.mark.parametrize("edit", list(Edit))
@pytest.mark.parametrize("body", BODIES)
def test_frames_with_nothing_to_edit_pass_byte_for_byte(body: dict[str, Any], edit: Edit) -> None:
    given = frames(genuine(STREAM, body))
    data, _ = edited_stream(STREAM, body, edit)
    sent = frames(data)
    assert sent[0] == given[0]
    assert sent[-1] == given[-1]
    whole = [event for event in sent if event not in given]
    assert len(whole) <= 3


@pytest.mark.parametrize(
    "odd", [b"", b"data: {}\n\n", b"\0" * 40, build_exception("throttlingException", b'{"message":"m"}')]
)
@pytest.mark.parametrize("edit", list(Edit))
def test_what_is_no_event_passes(odd: bytes, edit: Edit) -> None:
    editor = ConverseEditor(edit, None)
    assert list(editor.event(odd)) == [odd]
    assert editor.has_edited is False


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"output":{"message":{"content":1}}}', b"<html>"])
@pytest.mark.parametrize("edit", list(Edit))
def test_a_body_of_another_shape_is_left_alone(body: bytes, edit: Edit) -> None:
    assert ConverseEditor(edit, None).whole(body) is None
