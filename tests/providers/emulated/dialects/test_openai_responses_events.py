from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.emulated.answer import Answer, Piece, Stop
from providers.emulated.dialects.openai_responses_events import stream_frames
from providers.emulated.dialects.openai_responses_output import Ids, output_items, response_object
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.responses_asking import WEATHER, ask, events_of, stream

_TEXT = [
    "response.output_item.added", "response.content_part.added", "response.output_text.delta",
    "response.output_text.done", "response.content_part.done", "response.output_item.done",
]  # fmt: skip
_REASONING = [
    "response.output_item.added", "response.reasoning_summary_part.added", "response.reasoning_summary_text.delta",
    "response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "response.output_item.done",
]  # fmt: skip
_CALL = [
    "response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done",
    "response.output_item.done",
]  # fmt: skip
_BEGIN = ["response.created", "response.in_progress"]


def order_of(events: list[dict[str, Any]]) -> list[str]:
    """The types of events, a run of one type once."""
    types = [event["type"] for event in events]
    return [kind for index, kind in enumerate(types) if index == 0 or types[index - 1] != kind]


_BODIES: list[tuple[dict[str, Any], list[str]]] = [
    ({"input": "Say hello."}, [*_BEGIN, *_TEXT, "response.completed"]),
    (
        {"input": "Write a long poem.", "max_output_tokens": 16},
        [*_BEGIN, *_TEXT, "response.incomplete"],
    ),
    (
        {"input": "Weather in Paris?", "tools": [WEATHER], "tool_choice": "required"},
        [*_BEGIN, *_CALL, "response.completed"],
    ),
    (
        {"model": "o4-mini", "input": "Say hello.", "reasoning": {"summary": "detailed"}},
        [*_BEGIN, *_REASONING, *_TEXT, "response.completed"],
    ),
    (
        {"model": "o4-mini", "input": "Say hello."},
        [*_BEGIN, "response.output_item.added", "response.output_item.done", *_TEXT, "response.completed"],
    ),
    (
        {"input": "Say hello.", "include": ["message.output_text.logprobs"], "top_logprobs": 2},
        [*_BEGIN, *_TEXT, "response.completed"],
    ),
    (
        {
            "input": "Run print(1).",
            "tools": [{"type": "custom", "name": "run_code"}],
            "tool_choice": {"type": "custom", "name": "run_code"},
        },
        [
            *_BEGIN, "response.output_item.added", "response.custom_tool_call_input.delta",
            "response.custom_tool_call_input.done", "response.output_item.done", "response.completed",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), _BODIES)
def test_events_come_in_the_order_of_the_api(body: dict[str, Any], expected: list[str]) -> None:
    assert order_of(stream(Asker("openai"), body)) == expected


@pytest.mark.parametrize("body", [body for body, _ in _BODIES])
def test_a_stream_ends_with_what_the_whole_reply_would_be(body: dict[str, Any]) -> None:
    asker = Asker("openai")
    events = stream(asker, body)
    assert events[-1]["response"] == ask(asker, body)
    assert asker.json("GET", f"/v1/responses/{events[-1]['response']['id']}") == events[-1]["response"]


@pytest.mark.parametrize("body", [body for body, _ in _BODIES])
def test_deltas_add_up_to_the_items(body: dict[str, Any]) -> None:
    events = stream(Asker("openai"), body)
    for index, item in enumerate(events[-1]["response"]["output"]):
        own = [event for event in events if event.get("output_index") == index]
        added = "".join(event["delta"] for event in own if event["type"].endswith(".delta"))
        text = {
            "message": lambda item: item["content"][0]["text"],
            "function_call": lambda item: item["arguments"],
            "custom_tool_call": lambda item: item["input"],
            "reasoning": lambda item: item["summary"][0]["text"] if item["summary"] else "",
        }[item["type"]](item)
        assert added == text
        assert own[-1]["item"] == item
        assert own[0]["item"]["id"] == item["id"]


def test_a_stream_starts_with_nothing_in_it() -> None:
    created, in_progress, *_ = stream(Asker("openai"), {"input": "Say hello."})
    assert created["response"] == in_progress["response"]
    assert created["response"]["status"] == "in_progress"
    assert (created["response"]["output"], created["response"]["usage"]) == ([], None)


def test_streamed_logprobs_are_those_of_the_whole_text() -> None:
    events = stream(
        Asker("openai"), {"input": "Say hello.", "include": ["message.output_text.logprobs"], "top_logprobs": 2}
    )
    deltas = [event for event in events if event["type"] == "response.output_text.delta"]
    (done,) = [event for event in events if event["type"] == "response.output_text.done"]
    assert [entry for event in deltas for entry in event["logprobs"]] == done["logprobs"]
    assert all(event["logprobs"][0]["token"] == event["delta"] for event in deltas)


def test_deltas_are_padded_to_hide_their_length_unless_told_otherwise() -> None:
    padded = [event for event in stream(Asker("openai"), {"input": "Say hello."}) if "obfuscation" in event]
    assert padded
    assert {(len(event["delta"]) + len(event["obfuscation"])) % 16 for event in padded} == {0}
    plain = stream(Asker("openai"), {"input": "Say hello.", "stream_options": {"include_obfuscation": False}})
    assert not [event for event in plain if "obfuscation" in event]


@pytest.mark.parametrize("model", ["gpt-4o-mini", "o4-mini"])
def test_every_generated_token_takes_its_time(model: str) -> None:
    reply = Asker("openai").send("POST", "/v1/responses", {"model": model, "input": "Say hello.", "stream": True})
    assert not isinstance(reply.body, bytes)
    usage = events_of(reply)[-1]["response"]["usage"]
    assert sum(frame.tokens for frame in reply.body) == usage["output_tokens"]
    assert header(reply, "content-type") == "text/event-stream; charset=utf-8"
    assert b"[DONE]" not in whole(reply)


def test_a_refusal_is_streamed_as_one_and_waits_are_kept() -> None:
    said = Answer(b"x" * 32, [Piece("I "), Piece("won't.", 0.5)], [], [], Stop.REFUSAL, None, 3, 2)
    ids = Ids(said.digest)
    output = output_items(said, said.text, ids, {}, frozenset(), thinks=False)
    response = response_object({}, "gpt-4o", ids, said, output, thinks=False)
    frames = stream_frames(response, said, is_padded=False)
    events = [orjson.loads(frame.data.partition(b"data: ")[2]) for frame in frames]
    assert [event["delta"] for event in events if event["type"] == "response.refusal.delta"] == ["I ", "won't."]
    assert [frame.delay_s for frame in frames if frame.delay_s] == [0.5]
    assert events[-1]["response"]["output"][0]["content"] == [{"type": "refusal", "refusal": "I won't."}]
