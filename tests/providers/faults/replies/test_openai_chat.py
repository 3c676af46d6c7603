"""Edited replies of chat completions are what the SDK says a reply is, and the event streams add up to them."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from providers.faults.base import Edit
from providers.faults.replies.openai_chat import ChatEditor
from providers.faults.replies.openai_chunks import REFUSAL
from tests.providers.emulated.asking import Asker
from tests.providers.emulated.openai_asking import WEATHER, chat, validated
from tests.providers.faults.openai_replies import (
    CHAT,
    datas,
    edit_stream,
    edit_whole,
    edited_frames,
    editor_for,
    frames,
)

DEPLOYMENT = "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21"
TALK = chat("Tell me about ducks.")
CALL = chat("What is the weather in Paris?", tools=[WEATHER])
CALLS = chat("What is the weather in Paris and in Rome?", tools=[WEATHER])
SEVERAL = chat("Tell me about ducks.", n=3)
LIKELY = chat("Tell me about ducks.", logprobs=True, top_logprobs=2)
COUNTED = chat("Tell me about ducks.", stream_options={"include_usage": True})


@pytest.fixture(params=["openai", "azure_openai"])
def service(request: pytest.FixtureRequest) -> tuple[Asker, str]:
    return Asker(request.param), CHAT if request.param == "openai" else DEPLOYMENT


def complete(asker: Asker, target: str, body: dict[str, Any], edit: Edit, text: str | None = None) -> ChatCompletion:
    made = edit_whole(asker, target, body, edit, text)
    return validated(ChatCompletion, made)


def streamed(
    asker: Asker, target: str, body: dict[str, Any], edit: Edit, text: str | None = None
) -> list[ChatCompletionChunk]:
    made, has_edited = edit_stream(asker, target, body, edit, text)
    assert has_edited
    # Azure's first chunk is about the prompt, and names no object.
    return [validated(ChatCompletionChunk, data) for data in made if data["object"]]


def told(chunks: list[ChatCompletionChunk], name: str, index: int = 0) -> str:
    return "".join(
        getattr(choice.delta, name) or "" for chunk in chunks for choice in chunk.choices if choice.index == index
    )


def finishes(chunks: list[ChatCompletionChunk]) -> list[str]:
    return [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]


@pytest.mark.parametrize("body", [TALK, CALL, SEVERAL, LIKELY])
def test_a_refusal_takes_the_place_of_content_and_calls(service: tuple[Asker, str], body: dict[str, Any]) -> None:
    made = complete(*service, body, Edit.REFUSAL)
    for choice in made.choices:
        assert (choice.message.content, choice.message.refusal, choice.message.tool_calls) == (None, REFUSAL, None)
        assert choice.finish_reason == "stop"
    assert made.usage is not None


@pytest.mark.parametrize("text", [None, "No.", "No, no and no again. " * 50])
@pytest.mark.parametrize("body", [TALK, CALL, SEVERAL, LIKELY, COUNTED])
def test_a_streamed_refusal_is_told_word_by_word(
    service: tuple[Asker, str], body: dict[str, Any], text: str | None
) -> None:
    chunks = streamed(*service, body, Edit.REFUSAL, text)
    for index in range(body.get("n", 1)):
        assert told(chunks, "refusal", index) == (text or REFUSAL)
        assert told(chunks, "content", index) == ""
    assert finishes(chunks) == ["stop"] * body.get("n", 1)
    assert not any(choice.delta.tool_calls for chunk in chunks for choice in chunk.choices)
    roles = [choice.delta.role for chunk in chunks for choice in chunk.choices]
    assert (roles[0], roles.count("assistant")) == ("assistant", body.get("n", 1))
    assert any(chunk.usage for chunk in chunks) == ("stream_options" in body)


def test_a_text_stops_half_way_whole_and_streamed(service: tuple[Asker, str]) -> None:
    asker, target = service
    full = asker.json("POST", target, TALK)["choices"][0]["message"]["content"]
    made = complete(asker, target, TALK, Edit.LENGTH).choices[0]
    assert made.message.content == full[: len(full) // 2]
    assert made.finish_reason == "length"
    chunks = streamed(asker, target, TALK, Edit.LENGTH)
    text = told(chunks, "content")
    assert full.startswith(text)
    assert 0.3 * len(full) < len(text) < 0.7 * len(full)
    assert finishes(chunks) == ["length"]


def test_every_choice_stops_half_way(service: tuple[Asker, str]) -> None:
    chunks = streamed(*service, SEVERAL, Edit.LENGTH)
    assert finishes(chunks) == ["length"] * 3
    assert all(told(chunks, "content", index) for index in range(3))
    made = complete(*service, LIKELY, Edit.LENGTH).choices[0]
    assert made.logprobs is not None
    assert made.logprobs.content


def test_a_call_stops_half_way(service: tuple[Asker, str]) -> None:
    choice = complete(*service, CALL, Edit.LENGTH).choices[0]
    assert choice.finish_reason == "length"
    assert choice.message.tool_calls is not None
    with pytest.raises(json.JSONDecodeError):
        json.loads(choice.message.tool_calls[0].function.arguments)  # type: ignore[union-attr]
    chunks = streamed(*service, CALL, Edit.LENGTH)
    assert finishes(chunks) == ["length"]
    with pytest.raises(json.JSONDecodeError):
        json.loads(arguments_of(chunks)[0])


def arguments_of(chunks: list[ChatCompletionChunk]) -> dict[int, str]:
    found: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or ():
                assert call.function is not None
                found[call.index] = found.get(call.index, "") + (call.function.arguments or "")
    return found


@pytest.mark.parametrize("body", [CALL, CALLS])
def test_the_arguments_of_every_call_are_no_json(service: tuple[Asker, str], body: dict[str, Any]) -> None:
    choice = complete(*service, body, Edit.INVALID_TOOL_ARGUMENTS).choices[0]
    chunks = streamed(*service, body, Edit.INVALID_TOOL_ARGUMENTS)
    calls = choice.message.tool_calls or []
    written = [call.function.arguments for call in calls if call.type == "function"]
    assert len(written) == len(arguments_of(chunks)) > 0
    for arguments in (*written, *arguments_of(chunks).values()):
        assert arguments.startswith("{")
        with pytest.raises(json.JSONDecodeError):
            json.loads(arguments)
    assert choice.finish_reason == "tool_calls"
    assert finishes(chunks) == ["tool_calls"]


def test_without_a_call_there_are_no_arguments_to_spoil(service: tuple[Asker, str]) -> None:
    asker, target = service
    assert edit_whole(asker, target, TALK, Edit.INVALID_TOOL_ARGUMENTS) is None
    editor = editor_for(asker, target, Edit.INVALID_TOOL_ARGUMENTS, b"text/event-stream")
    events = frames(asker, target, TALK)
    assert edited_frames(editor, events) == events
    assert not editor.has_edited


@pytest.mark.parametrize("body", [TALK, CALL, SEVERAL])
def test_an_answer_without_content_is_a_success(service: tuple[Asker, str], body: dict[str, Any]) -> None:
    made = complete(*service, body, Edit.EMPTY_CONTENT)
    for choice in made.choices:
        assert (choice.message.content, choice.message.tool_calls, choice.finish_reason) == ("", None, "stop")
    chunks = streamed(*service, body, Edit.EMPTY_CONTENT)
    assert finishes(chunks) == ["stop"] * len(made.choices)
    for chunk in chunks:
        assert not any(choice.delta.content or choice.delta.tool_calls for choice in chunk.choices)


@pytest.mark.parametrize("edit", Edit)
def test_what_no_choice_is_changed_in_passes_byte_for_byte(service: tuple[Asker, str], edit: Edit) -> None:
    events = frames(*service, CALL | {"stream_options": {"include_usage": True}})
    editor = editor_for(service[0], service[1], edit, b"text/event-stream")
    made = edited_frames(editor, events)
    assert made[-1] == events[-1] == b"data: [DONE]\n\n"
    assert made[-2] == events[-2]
    assert b'"usage":{' in made[-2]
    if service[0].provider.id == "azure_openai":
        assert made[0] == events[0]
        assert b"prompt_filter_results" in made[0]


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + orjson.dumps({**head, "choices": [choice]}) + b"\n\n"


def call(arguments: str, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"index": index, "type": "function", "function": {"name": "f", "arguments": arguments}, **more}


ONE_PIECE = chunk({"role": "assistant", "content": "Hello there"})


def edit(edit: Edit, *events: bytes) -> list[dict[str, Any]]:
    editor = ChatEditor(edit)
    made = datas(edited_frames(editor, [*events, b"data: [DONE]\n\n"]))
    assert editor.has_edited
    return [data["choices"][0] for data in made]


def test_a_stream_of_one_piece_is_cut_within_it() -> None:
    pieces = edit(Edit.LENGTH, ONE_PIECE, chunk({}, "stop"))
    assert [piece["delta"].get("content") for piece in pieces] == ["Hello", None]
    assert pieces[-1]["finish_reason"] == "length"


def test_a_role_that_comes_with_content_stays() -> None:
    for kind in (Edit.REFUSAL, Edit.EMPTY_CONTENT):
        pieces = edit(kind, ONE_PIECE, chunk({}, "stop"))
        assert pieces[0]["delta"]["role"] == "assistant"
        assert "Hello" not in str(pieces)


def test_a_call_in_one_piece_is_cut_within_it() -> None:
    pieces = edit(
        Edit.INVALID_TOOL_ARGUMENTS, chunk({"tool_calls": [call('{"a": 1}', id="x")]}), chunk({}, "tool_calls")
    )
    assert pieces[0]["delta"]["tool_calls"] == [call('{"a"', id="x")]
    assert pieces[-1]["finish_reason"] == "tool_calls"


def test_calls_that_come_all_at_once_are_cut_each() -> None:
    (piece, _) = edit(
        Edit.INVALID_TOOL_ARGUMENTS,
        chunk({"tool_calls": [call('{"a": 1}'), call('{"b": 2}', 1)]}),
        chunk({}, "tool_calls"),
    )
    assert [each["function"]["arguments"] for each in piece["delta"]["tool_calls"]] == ['{"a"', '{"b"']


def test_white_space_after_the_arguments_does_not_hide_their_end() -> None:
    pieces = edit(
        Edit.INVALID_TOOL_ARGUMENTS,
        chunk({"tool_calls": [call("")]}),
        chunk({"tool_calls": [call('{"a":')]}),
        chunk({"tool_calls": [call(" ")]}),
        chunk({"tool_calls": [call("1}\n")]}),
        chunk({"tool_calls": [call("\n")]}, "tool_calls"),
    )
    told = "".join(each["function"]["arguments"] for piece in pieces for each in piece["delta"]["tool_calls"])
    assert told == '{"a": 1'
    assert pieces[-1]["finish_reason"] == "tool_calls"


def test_a_call_that_never_ends_is_cut_before_the_end_mark() -> None:
    editor = ChatEditor(Edit.INVALID_TOOL_ARGUMENTS)
    made = edited_frames(editor, [chunk({"tool_calls": [call('{"a": 1}')]}), b"data: [DONE]\n\n"])
    assert len(made) == 2
    assert made[-1] == b"data: [DONE]\n\n"


def test_the_older_function_calls_are_spoilt_too() -> None:
    pieces = edit(
        Edit.INVALID_TOOL_ARGUMENTS,
        chunk({"function_call": {"name": "f", "arguments": ""}}),
        chunk({"function_call": {"arguments": '{"a": 1}'}}),
        chunk({}, "function_call"),
    )
    assert pieces[1]["delta"]["function_call"]["arguments"] == '{"a"'
