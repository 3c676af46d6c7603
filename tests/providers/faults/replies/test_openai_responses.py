"""Edited replies of the Responses API are what the SDK says a reply is, and every event fits those before it."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from providers.faults.base import Edit
from providers.faults.replies.openai_chunks import REFUSAL
from providers.faults.replies.openai_responses import ResponsesEditor
from tests.providers.emulated.asking import Asker
from tests.providers.emulated.responses_asking import WEATHER
from tests.providers.faults.openai_replies import (
    RESPONSES,
    datas,
    edit_stream,
    edit_whole,
    edited_frames,
    editor_for,
    frames,
)

AZURE = "/openai/v1/responses"
_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
MODEL = {"model": "gpt-4o-mini"}
THINKING = {"model": "o4-mini", "reasoning": {"effort": "high", "summary": "detailed"}}
TALK = {**MODEL, "input": "Tell me about ducks."}
THOUGHT = {**THINKING, "input": "Tell me about ducks."}
CALL = {**MODEL, "input": "What is the weather in Paris?", "tools": [WEATHER]}
THOUGHT_CALL = {**THINKING, "input": "What is the weather in Paris?", "tools": [WEATHER]}
CALLS = {**MODEL, "input": "What is the weather in Paris and in Rome?", "tools": [WEATHER]}
LIKELY = {**TALK, "include": ["message.output_text.logprobs"]}
ALL = [TALK, THOUGHT, CALL, THOUGHT_CALL, CALLS, LIKELY]
TERMINALS = ("response.completed", "response.incomplete")


@pytest.fixture(params=["openai", "azure_openai"])
def service(request: pytest.FixtureRequest) -> tuple[Asker, str]:
    return Asker(request.param), RESPONSES if request.param == "openai" else AZURE


def whole(asker: Asker, target: str, body: dict[str, Any], edit: Edit, text: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = edit_whole(asker, target, body, edit, text)
    Response.model_validate(made)
    return made


def streamed(asker: Asker, target: str, body: dict[str, Any], edit: Edit, text: str | None = None) -> dict[str, Any]:
    """The response of the last event, which is what the events before it add up to."""
    events, has_edited = edit_stream(asker, target, body, edit, text)
    assert has_edited
    return added_up(events)


def added_up(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Checks every event against the SDK's types and against those before it; returns the finished response."""
    output: list[dict[str, Any]] = []
    texts: dict[tuple[int, int | None], str] = {}
    for number, event in enumerate(events):
        _EVENT.validate_python(event)
        assert event["sequence_number"] == number
        kind = event["type"]
        at = event.get("output_index")
        place = (at, event.get("content_index"))
        if kind == "response.output_item.added":
            assert at == len(output)
            output.append(event["item"])
        elif kind == "response.content_part.added":
            assert event["content_index"] == len(output[at]["content"])
            assert event["item_id"] == output[at]["id"]
            output[at]["content"].append(event["part"])
        elif kind.endswith(("output_text.delta", "refusal.delta", "function_call_arguments.delta")):
            assert event["item_id"] == output[at]["id"]
            texts[place] = texts.get(place, "") + event["delta"]
        elif kind in ("response.output_text.done", "response.refusal.done", "response.function_call_arguments.done"):
            told = event.get("text", event.get("refusal", event.get("arguments")))
            assert told == texts.get(place, "")
        elif kind == "response.content_part.done":
            part = event["part"]
            assert part.get("text", part.get("refusal")) == texts.get(place, "")
            output[at]["content"][event["content_index"]] = part
        elif kind == "response.output_item.done":
            assert event["item"]["id"] == output[at]["id"]
            if event["item"]["type"] == "message":
                assert event["item"]["content"] == output[at]["content"]
            output[at] = event["item"]
    last = events[-1]
    assert last["type"] in TERMINALS
    assert last["type"] == f"response.{last['response']['status']}"
    assert last["response"]["output"] == output
    Response.model_validate(last["response"])
    response: dict[str, Any] = last["response"]
    return response


@pytest.mark.parametrize("text", [None, "No.", "No, no and no again. " * 50])
@pytest.mark.parametrize("body", ALL)
def test_a_refusal_takes_the_place_of_the_answer(
    service: tuple[Asker, str], body: dict[str, Any], text: str | None
) -> None:
    for made in (whole(*service, body, Edit.REFUSAL, text), streamed(*service, body, Edit.REFUSAL, text)):
        *before, message = made["output"]
        assert [item["type"] for item in before] == (["reasoning"] if "reasoning" in body else [])
        assert message["content"] == [{"type": "refusal", "refusal": text or REFUSAL}]
        assert message["id"].startswith("msg_")
        assert (made["status"], made["incomplete_details"]) == ("completed", None)
        assert made["usage"]["output_tokens"] > 0


@pytest.mark.parametrize("body", ALL)
def test_an_answer_without_content_is_a_success(service: tuple[Asker, str], body: dict[str, Any]) -> None:
    for made in (whole(*service, body, Edit.EMPTY_CONTENT), streamed(*service, body, Edit.EMPTY_CONTENT)):
        message = made["output"][-1]
        assert [part["text"] for part in message["content"]] == [""]
        assert (message["type"], made["status"]) == ("message", "completed")


@pytest.mark.parametrize("body", [TALK, THOUGHT, LIKELY])
def test_a_text_stops_half_way(service: tuple[Asker, str], body: dict[str, Any]) -> None:
    asker, target = service
    full = asker.json("POST", target, body)["output"][-1]["content"][0]["text"]
    for made in (whole(asker, target, body, Edit.LENGTH), streamed(asker, target, body, Edit.LENGTH)):
        message = made["output"][-1]
        text = message["content"][0]["text"]
        assert full.startswith(text)
        assert 0.3 * len(full) < len(text) < 0.7 * len(full)
        assert (made["status"], message["status"]) == ("incomplete", "incomplete")
        assert made["incomplete_details"] == {"reason": "max_output_tokens"}
        assert made["completed_at"] is None


@pytest.mark.parametrize("body", [CALL, THOUGHT_CALL, CALLS])
def test_a_call_stops_half_way_and_none_follows(service: tuple[Asker, str], body: dict[str, Any]) -> None:
    for made in (whole(*service, body, Edit.LENGTH), streamed(*service, body, Edit.LENGTH)):
        calls = [item for item in made["output"] if item["type"] == "function_call"]
        assert len(calls) == 1
        with pytest.raises(json.JSONDecodeError):
            json.loads(calls[0]["arguments"])
        assert made["status"] == calls[0]["status"] == "incomplete"


@pytest.mark.parametrize("body", [CALL, THOUGHT_CALL, CALLS])
def test_the_arguments_of_every_call_are_no_json(service: tuple[Asker, str], body: dict[str, Any]) -> None:
    asker, target = service
    genuine = [item for item in asker.json("POST", target, body)["output"] if item["type"] == "function_call"]
    edit = Edit.INVALID_TOOL_ARGUMENTS
    for made in (whole(asker, target, body, edit), streamed(asker, target, body, edit)):
        calls = [item for item in made["output"] if item["type"] == "function_call"]
        assert [item["name"] for item in calls] == [item["name"] for item in genuine]
        for item in calls:
            with pytest.raises(json.JSONDecodeError):
                json.loads(item["arguments"])
        assert made["status"] == "completed"


@pytest.mark.parametrize("body", [TALK, THOUGHT])
def test_without_a_call_there_are_no_arguments_to_spoil(service: tuple[Asker, str], body: dict[str, Any]) -> None:
    asker, target = service
    assert edit_whole(asker, target, body, Edit.INVALID_TOOL_ARGUMENTS) is None
    editor = editor_for(asker, target, Edit.INVALID_TOOL_ARGUMENTS, b"text/event-stream")
    events = frames(asker, target, body)
    assert edited_frames(editor, events) == events
    assert not editor.has_edited


@pytest.mark.parametrize("edit", Edit)
def test_what_comes_before_the_answer_passes_byte_for_byte(service: tuple[Asker, str], edit: Edit) -> None:
    asker, target = service
    events = frames(asker, target, THOUGHT_CALL)
    answer = next(index for index, event in enumerate(events) if b'"function_call"' in event and b".added" in event)
    made = edited_frames(editor_for(asker, target, edit, b"text/event-stream"), events)
    assert made[:answer] == events[:answer]
    assert answer > 5


@pytest.mark.parametrize("edit", [Edit.REFUSAL, Edit.EMPTY_CONTENT, Edit.LENGTH])
def test_a_response_that_only_thought_gets_an_answer_or_an_end(edit: Edit) -> None:
    item = {"id": "rs_1", "type": "reasoning", "summary": []}
    response = genuine_response([item])
    events = [
        {"type": "response.created", "sequence_number": 0, "response": {**response, "output": []}},
        {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": item},
        {"type": "response.output_item.done", "sequence_number": 2, "output_index": 0, "item": item},
        {"type": "response.completed", "sequence_number": 3, "response": response},
    ]
    made = added_up(datas(edited_frames(ResponsesEditor(edit), [event(each) for each in events])))
    kinds = [each["type"] for each in made["output"]]
    assert kinds == (["reasoning"] if edit is Edit.LENGTH else ["reasoning", "message"])
    assert (made["status"] == "incomplete") == (edit is Edit.LENGTH)
    edited = ResponsesEditor(edit).whole(orjson.dumps(genuine_response([item])))
    assert edited is not None
    assert orjson.loads(edited)["output"] == made["output"]


def test_one_piece_is_cut_within_it() -> None:
    message = {"id": "msg_1", "type": "message", "status": "in_progress", "role": "assistant", "content": []}
    part = {"type": "output_text", "text": "Hello there", "annotations": []}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    done = {**message, "status": "completed", "content": [part]}
    events = [
        {"type": "response.output_item.added", "output_index": 0, "item": message},
        {"type": "response.content_part.added", **place, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **place, "delta": "Hello there", "logprobs": []},
        {"type": "response.output_text.annotation.added", **place, "annotation_index": 0, "annotation": {}},
        {"type": "response.output_text.done", **place, "text": "Hello there", "logprobs": []},
        {"type": "response.content_part.done", **place, "part": dict(part)},
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        {"type": "response.completed", "response": genuine_response([done])},
    ]
    numbered = [event({**each, "sequence_number": number}) for number, each in enumerate(events)]
    made = added_up(datas(edited_frames(ResponsesEditor(Edit.LENGTH), numbered)))
    assert made["output"][0]["content"][0]["text"] == "Hello"
    assert made["output"][0]["status"] == "incomplete"


def test_events_without_numbers_get_none() -> None:
    call = {"id": "fc_1", "type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
    events = [
        {"type": "response.output_item.added", "output_index": 0, "item": call},
        {"type": "response.function_call_arguments.done", "output_index": 0, "item_id": "fc_1", "arguments": "{}"},
    ]
    made = datas(edited_frames(ResponsesEditor(Edit.INVALID_TOOL_ARGUMENTS), [event(each) for each in events]))
    assert made[1]["arguments"] == "{"
    assert not any("sequence_number" in each for each in made)


@pytest.mark.parametrize("edit", Edit)
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"output": 1}', b'{"output": [], "status": "in_progress"}', b'{"error": {}}']
)
def test_what_is_no_finished_response_stays_as_it_is(edit: Edit, body: bytes) -> None:
    editor = ResponsesEditor(edit)
    assert editor.whole(body) is None
    other = b'event: error\ndata: {"type": "error", "message": "m"}\n\n'
    assert list(editor.event(other)) == [other]
    assert not editor.has_edited


def event(data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (data["type"].encode(), orjson.dumps(data))


def genuine_response(output: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = Asker("openai").json("POST", RESPONSES, TALK)
    return {**found, "output": output}
