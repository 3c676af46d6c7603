"""Answers as the events of a stream."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from providers.emulated.answer import Answer, Piece, Stop
from providers.emulated.dialects.anthropic_events import message_events, sse_frames
from providers.emulated.dialects.anthropic_messages import MessageRequest, message_reply
from tests.providers.emulated.anthropic_asking import WEATHER, a_use, an_answer, body, check, read

EVENTS: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
THINKING = {"type": "adaptive"}
CASES = {
    "text": (an_answer(), body()),
    "nothing": (an_answer("", output_tokens=0), body(max_tokens=0)),
    "tools": (an_answer(tool_uses=[a_use(), a_use('{"city":"Rome"}')], stop=Stop.TOOLS), body(tools=[WEATHER])),
    "no arguments": (an_answer("", tool_uses=[a_use("{}")], stop=Stop.TOOLS), body(tools=[WEATHER])),
    "cut arguments": (an_answer("", tool_uses=[a_use('{"ci')], stop=Stop.LENGTH), body(tools=[WEATHER])),
    "thinking": (an_answer(thinking_pieces=["Let", " me"], reasoning_tokens=2), body(thinking=THINKING)),
    "omitted": (
        an_answer(thinking_pieces=["Let", " me"], reasoning_tokens=2),
        body(thinking={**THINKING, "display": "omitted"}),
    ),
    "refusal": (an_answer("I will", stop=Stop.REFUSAL), body()),
    "stop": (an_answer(stop=Stop.SEQUENCE, stop_sequence="END"), body(stop_sequences=["END"])),
    "cache": (an_answer(input_tokens=4000, cached_tokens=1024, cache_write_tokens=2048), body(speed="fast")),
    "quotes": (an_answer('He said "hi\\n"\u2028 ünd'), body()),
}


def assembled(answer: Answer, request: MessageRequest) -> Any:
    """The message the SDK makes of the events, each of them validated."""
    snapshot = None
    buffers: dict[int, bytes] = {}
    for event in message_events(answer, request):
        data = orjson.loads(event.data)
        assert data["type"] == event.name
        if event.name == "ping":
            continue
        parsed = EVENTS.validate_python(data)
        check(parsed, data)
        snapshot = accumulate_event(event=parsed, current_snapshot=snapshot, json_bufs=buffers)
    return snapshot


@pytest.mark.parametrize("name", CASES)
def test_the_assembled_stream_is_the_whole_message(name: str) -> None:
    answer, given = CASES[name]
    request = read(given)
    found = assembled(answer, request).to_dict()
    for block in found["content"]:
        block.pop("parsed_output", None)
    assert found == Message.model_validate(message_reply(answer, request)).to_dict()


def test_the_order_is_the_services() -> None:
    answer, given = CASES["thinking"]
    answer = an_answer("Hi", thinking_pieces=["Hm"], tool_uses=[a_use("{}")], stop=Stop.TOOLS)
    kinds = [event.name for event in message_events(answer, read(given))]
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert kinds == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        *block,
        *block,
        "message_delta",
        "message_stop",
    ]


def test_every_piece_is_an_event_of_one_token_with_its_own_delay() -> None:
    answer = an_answer(pieces=[Piece("a"), Piece("b", 0.5)])
    frames = sse_frames(message_events(answer, read(body())))
    paced = [(frame.tokens, frame.delay_s) for frame in frames if b"text_delta" in frame.data]
    assert paced == [(1, 0.0), (1, 0.5)]
    assert sum(frame.tokens for frame in frames) == 2


def test_hidden_thinking_takes_its_time_all_the_same() -> None:
    answer, given = CASES["omitted"]
    frames = sse_frames(message_events(answer, read(given)))
    assert [frame.tokens for frame in frames if b"signature_delta" in frame.data] == [2]
    assert not any(b"thinking_delta" in frame.data for frame in frames)


def test_a_frame_names_its_event_and_ends_with_a_blank_line() -> None:
    for frame in sse_frames(message_events(*[CASES["quotes"][0], read(CASES["quotes"][1])])):
        assert frame.data.startswith(b"event: ")
        assert frame.data.endswith(b"\n\n")
        assert frame.data.count(b"\n") == 3
        assert b"\ndata: {" in frame.data
