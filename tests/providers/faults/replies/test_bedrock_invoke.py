from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.faults.base import Edit
from providers.faults.bedrock import FAULTS
from providers.faults.replies.bedrock_converse import ConverseEditor
from providers.faults.replies.bedrock_invoke import InvokeEditor
from providers.wire.event_stream import build_event
from tests.providers.faults.bedrock_replies import (
    FAMILIES,
    asked,
    chunks,
    edited,
    edited_stream,
    events,
    frames,
    genuine,
)

NAMES = sorted(FAMILIES)
# What each family calls the end of an answer that was refused, cut off, and left empty.
REASONS = {
    "claude": ("refusal", "max_tokens", "end_turn"),
    "nova": ("content_filtered", "max_tokens", "end_turn"),
    "titan": ("CONTENT_FILTERED", "LENGTH", "FINISH"),
    "llama": ("stop", "length", "stop"),
    "mistral": ("stop", "length", "stop"),
    "mistral chat": ("stop", "length", "stop"),
    "deepseek": ("stop", "length", "stop"),
    "command r": ("ERROR_TOXIC", "MAX_TOKENS", "COMPLETE"),
    "first claude": ("stop_sequence", "max_tokens", "stop_sequence"),
    "chat": ("stop", "length", "stop"),
}
SAYS = "Certainly not."


def at(name: str, *, streams: bool = False) -> str:
    return f"/model/{FAMILIES[name][0]}/invoke" + ("-with-response-stream" if streams else "")


def texts(value: Any) -> str:
    """All that is said in a reply or in an event of one, whatever its shape."""
    if isinstance(value, list):
        return "".join([texts(one) for one in value])
    if not isinstance(value, dict):
        return ""
    found = ""
    for name in ("text", "outputText", "generation", "completion", "refusal"):
        if isinstance(value.get(name), str):
            found += value[name]
    if isinstance(value.get("content"), str):
        found += value["content"]
    for name in ("output", "message", "content", "results", "outputs", "choices", "delta", "contentBlockDelta"):
        if isinstance(value.get(name), dict | list):
            found += texts(value[name])
    return found


def reasons(value: Any) -> list[str]:
    """The words of every member that says why an answer ended."""
    if isinstance(value, list):
        return [reason for one in value for reason in reasons(one)]
    if not isinstance(value, dict):
        return []
    names = ("stop_reason", "stopReason", "completionReason", "finish_reason")
    found = [value[name] for name in names if isinstance(value.get(name), str)]
    for inner in value.values():
        found += reasons(inner)
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("place", "edit"), [(0, Edit.REFUSAL), (1, Edit.LENGTH), (2, Edit.EMPTY_CONTENT)])
def test_an_edited_reply_says_why_it_ended(name: str, place: int, edit: Edit) -> None:
    body = FAMILIES[name][1]
    reply = edited(at(name), body, edit, SAYS if edit is Edit.REFUSAL else None)
    data, has_edited = edited_stream(at(name, streams=True), body, edit, SAYS if edit is Edit.REFUSAL else None)
    assert has_edited
    own = chunks(data)
    assert set(reasons(reply)) == set(reasons(own)) == {REASONS[name][place]}
    assert "amazon-bedrock-invocationMetrics" in own[-1]
    full, said = texts(orjson.loads(genuine(at(name), body))), texts(reply)
    streamed = texts(own)
    if edit is Edit.REFUSAL:
        assert said == streamed == SAYS
    elif edit is Edit.EMPTY_CONTENT:
        assert said == streamed == ""
    else:
        for one in (said, streamed):
            assert full.startswith(one)
            assert 0.3 < len(one) / len(full) < 0.7


@pytest.mark.parametrize("name", NAMES)
def test_a_reply_without_tool_calls_stays_as_it_is(name: str) -> None:
    body = FAMILIES[name][1]
    assert edited(at(name), body, Edit.INVALID_TOOL_ARGUMENTS) is None
    path = at(name, streams=True)
    assert edited_stream(path, body, Edit.INVALID_TOOL_ARGUMENTS) == (genuine(path, body), False)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_of_a_cut_stream_is_kept_byte_for_byte(name: str) -> None:
    path, body = at(name, streams=True), FAMILIES[name][1]
    came = frames(genuine(path, body))
    sent = frames(edited_stream(path, body, Edit.LENGTH)[0])
    kept = [frame for frame in sent if frame in came]
    assert len(kept) >= len(sent) - 3
    assert came[: len(kept) - 2] == kept[: len(kept) - 2]


def chunk(event: dict[str, Any]) -> bytes:
    return build_event("chunk", orjson.dumps({"bytes": b64encode(orjson.dumps(event)).decode()}))


SHORT: dict[str, list[dict[str, Any]]] = {
    "titan": [
        {"outputText": "Hello.", "completionReason": None},
        {"outputText": "", "completionReason": "FINISH"},
    ],
    "titan at once": [{"outputText": "Hello.", "completionReason": "FINISH"}],
    "mistral": [
        {"outputs": [{"text": "Hello.", "stop_reason": None}]},
        {"outputs": [{"text": "", "stop_reason": "stop"}]},
    ],
    "nova": [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hello."}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
    ],
    "chat": [
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hello."}}]},
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ],
}


@pytest.mark.parametrize("name", sorted(SHORT))
def test_an_answer_that_came_in_one_piece_is_cut_in_two(name: str) -> None:
    editor = InvokeEditor(Edit.LENGTH, None)
    sent = [piece for event in SHORT[name] for piece in editor.event(chunk(event))]
    own = chunks(b"".join([*sent, *editor.finish()]))
    assert texts(own) == "Hel"
    assert editor.has_edited
    assert {reason.lower() for reason in reasons(own)} <= {"length", "max_tokens"}


def test_an_answer_without_words_is_not_cut() -> None:
    event = {"outputText": "", "completionReason": "FINISH"}
    editor = InvokeEditor(Edit.LENGTH, None)
    assert list(editor.event(chunk(event))) == [chunk(event)]
    assert editor.has_edited is False


@pytest.mark.parametrize("edit", [Edit.REFUSAL, Edit.LENGTH, Edit.EMPTY_CONTENT])
def test_command_r_tells_the_edited_text_again_at_the_end(edit: Edit) -> None:
    path, body = at("command r", streams=True), FAMILIES["command r"][1]
    *pieces, end = chunks(edited_stream(path, body, edit)[0])
    said = "".join([piece["text"] for piece in pieces])
    response = end["response"]
    assert response["text"] == response["chat_history"][-1]["message"] == said
    assert response["finish_reason"] == end["finish_reason"]
    whole = edited(at("command r"), body, edit)
    assert whole["text"] == whole["chat_history"][-1]["message"]


# --- tool calls

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ASKS = "What is the weather in Paris?"
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "claude": (
        FAMILIES["claude"][0],
        FAMILIES["claude"][1] | {
            "messages": [{"role": "user", "content": ASKS}],
            "tools": [{"name": "get_weather", "description": "The weather", "input_schema": CITY}],
        },
    ),
    "nova": (
        FAMILIES["nova"][0],
        {
            "messages": [{"role": "user", "content": [{"text": ASKS}]}],
            "toolConfig": {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": CITY}}}]},
        },
    ),
    "command r": (
        FAMILIES["command r"][0],
        {
            "message": ASKS,
            "tools": [{
                "name": "get_weather",
                "description": "The weather",
                "parameter_definitions": {"city": {"type": "str", "required": True}},
            }],
        },
    ),
    "mistral chat": (
        FAMILIES["mistral chat"][0],
        {
            "messages": [{"role": "user", "content": ASKS}],
            "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}],
        },
    ),
    "chat": (
        FAMILIES["chat"][0],
        {
            "messages": [{"role": "user", "content": ASKS}],
            "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}],
        },
    ),
}  # fmt: skip


def arguments(value: Any) -> list[Any]:
    """The arguments of every tool call, told as an object or as text; pieces of streams joined."""
    found: list[Any] = []
    pieces = ""

    def walk(inner: Any) -> None:
        nonlocal pieces
        if isinstance(inner, list):
            for one in inner:
                walk(one)
        elif isinstance(inner, dict):
            for name, one in inner.items():
                if name in ("arguments", "partial_json") or (name == "input" and isinstance(one, str)):
                    pieces += one
                elif name == "parameters" or (name == "input" and isinstance(one, dict) and one):
                    found.append(one)
                else:
                    walk(one)

    walk(value)
    return [*found, pieces] if pieces else found


def is_spoilt(told: Any) -> bool:
    if isinstance(told, dict):
        return not isinstance(told["city"], str)
    try:
        orjson.loads(told)
    except orjson.JSONDecodeError:
        return True
    return False


@pytest.mark.parametrize("name", sorted(CALLS))
def test_tool_arguments_are_spoilt_wherever_they_are_told(name: str) -> None:
    model, body = CALLS[name]
    path = f"/model/{model}/invoke"
    reply = edited(path, body, Edit.INVALID_TOOL_ARGUMENTS)
    data, has_edited = edited_stream(f"{path}-with-response-stream", body, Edit.INVALID_TOOL_ARGUMENTS)
    assert has_edited
    for told in (arguments(reply), arguments(chunks(data))):
        assert told
        assert all(is_spoilt(one) for one in told)


@pytest.mark.parametrize("name", sorted(CALLS))
@pytest.mark.parametrize("edit", [Edit.REFUSAL, Edit.EMPTY_CONTENT])
def test_an_answer_that_is_replaced_calls_no_tools(name: str, edit: Edit) -> None:
    model, body = CALLS[name]
    path = f"/model/{model}/invoke"
    assert arguments(orjson.loads(genuine(path, body)))
    assert arguments(edited(path, body, edit)) == []
    assert arguments(chunks(edited_stream(f"{path}-with-response-stream", body, edit)[0])) == []


# --- everything else

EMBEDDING = ("amazon.titan-embed-text-v2%3A0", {"inputText": "Hello"})
IMAGE = ("stability.stable-image-core-v1%3A1", {"prompt": "A boat"})


@pytest.mark.parametrize("edit", list(Edit))
@pytest.mark.parametrize(("model", "body"), [EMBEDDING, IMAGE])
def test_replies_without_words_stay_as_they_are(model: str, body: dict[str, Any], edit: Edit) -> None:
    assert edited(f"/model/{model}/invoke", body, edit) is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("edit", list(Edit))
def test_the_last_chunk_is_the_one_that_ends_the_stream(name: str, edit: Edit) -> None:
    path = at(name, streams=True)
    data, _ = edited_stream(path, FAMILIES[name][1], edit)
    ends = [FAULTS.is_terminator(asked(path), frame) for frame in frames(data)]
    assert ends == [False] * (len(ends) - 1) + [True]
    assert len(events(data)) == len(ends)


MEMBERS = st.sampled_from(
    [
        "results", "outputText", "completionReason", "generation", "stop_reason", "completion", "outputs", "text",
        "stop", "choices", "message", "content", "tool_calls", "function", "arguments", "parameters", "generation_id",
        "is_finished", "finish_reason", "response", "chat_history", "role", "output", "stopReason", "toolUse", "input",
        "messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata",
        "start", "delta", "contentBlockIndex", "reasoningContent",
    ]
)  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "words"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=5),
    max_leaves=12,
)
OBJECTS = st.dictionaries(MEMBERS, ODD, max_size=6)


@given(st.lists(OBJECTS, max_size=6), st.sampled_from(Edit))
@settings(max_examples=300)
def test_replies_of_any_shape_come_out_as_json_and_whole_frames(given_: list[dict[str, Any]], edit: Edit) -> None:
    editor, converse = InvokeEditor(edit, None), ConverseEditor(edit, None)
    sent = b""
    for one in given_:
        for whole in (InvokeEditor(edit, None).whole(orjson.dumps(one)), converse.whole(orjson.dumps(one))):
            assert whole is None or isinstance(orjson.loads(whole), dict)
        encoded = b64encode(orjson.dumps(one)).decode()
        sent += b"".join(editor.event(build_event("chunk", orjson.dumps({"bytes": encoded}))))
        for name, payload in one.items():
            sent += b"".join(converse.event(build_event(name, orjson.dumps(payload))))
    sent += b"".join([*editor.finish(), *converse.finish()])
    assert len(events(sent)) == len(frames(sent))
