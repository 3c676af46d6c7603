"""Edits of Anthropic's messages on plain bytes: what a proxy with emulated replies never sees."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.faults.base import Edit
from providers.faults.replies.anthropic_messages import SseEditor, message_edit
from providers.wire import sse

START = {"type": "message_start", "message": {"id": "msg_1", "content": [], "usage": {"output_tokens": 1}}}
STOP = {"type": "message_stop"}


def end(reason: str = "end_turn", tokens: int = 40) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": tokens}}


def block(index: int, opened: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": opened},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def texts(*parts: str) -> list[dict[str, Any]]:
    return [{"type": "text_delta", "text": part} for part in parts]


def inputs(*parts: str) -> list[dict[str, Any]]:
    return [{"type": "input_json_delta", "partial_json": part} for part in parts]


TEXT = {"type": "text", "text": ""}
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}


def edited(edit: Edit, events: list[dict[str, Any]], text: str | None = None) -> tuple[list[Any], SseEditor]:
    editor = SseEditor(message_edit(edit, text))
    frames = [sse.encode(orjson.dumps(event), event["type"]) for event in events]
    sent = b"".join(part for frame in frames for part in editor.event(frame)) + b"".join(editor.finish())
    for event in sse.events(sent):
        assert event.name == event.json()["type"]
    return [event.json() for event in sse.events(sent)], editor


def test_events_without_anything_to_change_pass_byte_for_byte() -> None:
    editor = SseEditor(message_edit(Edit.INVALID_TOOL_ARGUMENTS))
    for frame in (
        b'event: ping\r\ndata: {"type": "ping"}\r\n\r\n',
        b": comment\n\n",
        b"data: no json\n\n",
        b"data: 3\n\n",
    ):
        assert editor.event(frame) == (frame,)
    assert not editor.has_edited


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"type":"error","error":{}}', b'{"input_tokens":3}'])
@pytest.mark.parametrize("edit", Edit)
def test_what_is_no_message_is_left_alone(edit: Edit, body: bytes) -> None:
    editor = SseEditor(message_edit(edit))
    assert editor.whole(body) is None
    assert not editor.has_edited


def test_a_single_delta_is_cut_in_half() -> None:
    sent, editor = edited(Edit.LENGTH, [START, *block(0, TEXT, *texts("All in one piece")), end(tokens=10), STOP])
    assert editor.has_edited
    assert [event["type"] for event in sent] == [
        "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
        "message_stop",
    ]  # fmt: skip
    assert sent[2]["delta"]["text"] == "All in o"
    assert sent[4]["delta"]["stop_reason"] == "max_tokens"
    assert 0 < sent[4]["usage"]["output_tokens"] < 10


def test_many_deltas_end_half_way_and_later_blocks_are_gone() -> None:
    parts = [f"{number} " for number in range(20)]
    events = [START, *block(0, TEXT, *texts(*parts)), *block(1, TOOL, *inputs('{"a":', "1}")), end("tool_use"), STOP]
    sent, _ = edited(Edit.LENGTH, events)
    said = [event["delta"]["text"] for event in sent if event["type"] == "content_block_delta"]
    assert said == parts[:12]
    assert [event["type"] for event in sent[-3:]] == ["content_block_stop", "message_delta", "message_stop"]


def test_an_empty_answer_cannot_be_cut_off() -> None:
    events = [START, end(), STOP]
    sent, editor = edited(Edit.LENGTH, events)
    assert sent == events
    assert not editor.has_edited


def test_a_whole_answer_is_cut_in_the_middle_of_all_its_text() -> None:
    content = [{"type": "text", "text": "0123"}, {"type": "text", "text": "456789"}, {**TOOL, "input": {"a": 1}}]
    message = {"type": "message", "content": content, "stop_reason": "tool_use", "usage": {"output_tokens": 21}}
    made = orjson.loads(SseEditor(message_edit(Edit.LENGTH)).whole(orjson.dumps(message)) or b"")
    assert [part["text"] for part in made["content"]] == ["0123", "4"]
    assert (made["stop_reason"], made["usage"]) == ("max_tokens", {"output_tokens": 10})


@pytest.mark.parametrize(
    ("content", "left"),
    [
        ([{**TOOL, "input": {"a": 1}}], [{**TOOL, "input": {}}]),
        ([{"type": "thinking", "thinking": "Hmm."}], [{"type": "thinking", "thinking": "Hm"}]),
        ([{"type": "redacted_thinking", "data": "x"}], None),
        ([], None),
    ],
)  # fmt: skip
def test_without_text_the_last_block_is_cut(content: list[Any], left: list[Any] | None) -> None:
    message = orjson.dumps({"type": "message", "content": content, "stop_reason": "end_turn", "usage": {}})
    made = SseEditor(message_edit(Edit.LENGTH)).whole(message)
    assert (made and orjson.loads(made)["content"]) == left


def test_only_the_input_of_tool_uses_breaks_off() -> None:
    events = [
        START,
        *block(0, TEXT, *texts("Let me see.")),
        *block(1, TOOL, *inputs("", '{"ci', 'ty": "Paris"}')),
        *block(2, {**TOOL, "type": "server_tool_use"}, *inputs('{"query": "x"}')),
        *block(3, TOOL, *inputs("")),
        end("tool_use"),
        STOP,
    ]
    sent, editor = edited(Edit.INVALID_TOOL_ARGUMENTS, events)
    found: dict[int, str] = {}
    for event in sent:
        if event["type"] == "content_block_delta" and event["index"]:
            found[event["index"]] = found.get(event["index"], "") + event["delta"]["partial_json"]
    assert editor.has_edited
    assert found == {1: '{"', 2: '{"query": "x"}', 3: '{"'}
    assert [event for event in sent if event["type"] != "content_block_delta"] == [
        event for event in events if event["type"] != "content_block_delta"
    ]


def test_every_argument_of_a_whole_message_has_another_type() -> None:
    given = {"text": "a", "number": 1, "none": None, "list": [1], "object": {"a": 1}}
    content = [{**TOOL, "input": given}, {**TOOL, "input": {}}]
    made = SseEditor(message_edit(Edit.INVALID_TOOL_ARGUMENTS)).whole(
        orjson.dumps({"type": "message", "content": content})
    )
    first, second = (part["input"] for part in orjson.loads(made or b"")["content"])
    assert first == {"text": ["a"], "number": [1], "none": [None], "list": {"value": [1]}, "object": [{"a": 1}]}
    assert second == {"unexpected": [None]}


def test_a_refusal_says_its_words_in_one_block_even_of_an_empty_answer() -> None:
    for events in ([START, *block(0, TEXT, *texts("a", "b")), *block(1, TOOL), end(), STOP], [START, end(), STOP]):
        sent, _ = edited(Edit.REFUSAL, events, "No.")
        assert [event["type"] for event in sent] == [
            "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
            "message_stop",
        ]  # fmt: skip
        assert sent[-2]["delta"]["stop_reason"] == "refusal"
        assert sent[-2]["delta"]["stop_details"] == {"type": "refusal", "category": None, "explanation": None}
