from __future__ import annotations

import hashlib
from typing import Any

import orjson
import pytest

from providers.emulated.answer import Answer, Piece, Stop
from providers.emulated.base import EmulatedReply
from providers.emulated.dialects.bedrock_converse_reply import (
    STOP_REASONS,
    converse_frames,
    converse_reply,
    usage,
)
from providers.emulated.question import ToolUse
from tests.providers.emulated.bedrock_shapes import assembled, event_faults, events_of, faults_of


def answer(**fields: Any) -> Answer:
    given: dict[str, Any] = {
        "digest": hashlib.sha256(b"asked").digest(),
        "pieces": [Piece("Hello"), Piece(" there", 0.5)],
        "thinking_pieces": [],
        "tool_uses": [],
        "stop": Stop.END,
        "stop_sequence": None,
        "input_tokens": 100,
        "output_tokens": 7,
        **fields,
    }
    return Answer(**given)


CALLS = [
    ToolUse("a" * 24, "get_weather", '{"city": "Zürich", "days": 3}'),
    ToolUse("b" * 24, "get_time", "{}"),
]
ALL = {"thinking_pieces": ["First", " this."], "tool_uses": CALLS, "stop": Stop.TOOLS}


@pytest.mark.parametrize(
    "fields",
    [{}, ALL, {"pieces": [], "tool_uses": CALLS}, {"pieces": []}, {"cached_tokens": 40, "cache_write_tokens": 20}],
)
def test_what_is_streamed_adds_up_to_the_whole_reply(fields: dict[str, Any]) -> None:
    body = {"additionalModelResponseFieldPaths": ["/stop_reason", "/none"], "serviceTier": {"type": "flex"}}
    said = answer(**fields)
    whole = orjson.loads(converse_reply(body, said))
    events = events_of(EmulatedReply(200, [], converse_frames(body, said)))
    assert faults_of(whole, "Converse") == []
    assert [fault for event in events for fault in event_faults(event)] == []
    assert assembled(events) == whole
    assert whole["additionalModelResponseFields"] == {"stop_reason": whole["stopReason"]}
    assert whole["serviceTier"] == {"type": "flex"}


def test_the_events_come_in_the_order_of_the_genuine_stream() -> None:
    frames = converse_frames({}, answer(**ALL))
    names = [next(iter(event)) for event in events_of(EmulatedReply(200, [], frames))]
    assert names[:6] == [
        "messageStart",
        "contentBlockDelta",  # what is thought
        "contentBlockDelta",
        "contentBlockDelta",  # its signature
        "contentBlockStop",
        "contentBlockDelta",  # no contentBlockStart before a text
    ]
    assert names[-4:] == ["contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]
    assert names.count("contentBlockStart") == len(CALLS)
    assert (frames[1].tokens, frames[3].tokens, frames[6].delay_s) == (1, 0, 0.5)


def test_frames_are_padded_to_sizes_that_tell_nothing() -> None:
    events = events_of(EmulatedReply(200, [], converse_frames({}, answer())))
    paddings = [next(iter(event.values()))["p"] for event in events]
    assert len(set(paddings)) > 3
    assert all(paddings)


def test_arguments_that_were_cut_off_are_left_out_whole_and_streamed() -> None:
    said = answer(pieces=[], tool_uses=[ToolUse("a" * 24, "get_weather", '{"city": "Zü')], stop=Stop.LENGTH)
    whole = orjson.loads(converse_reply({}, said))
    assert whole["output"]["message"]["content"][0]["toolUse"]["input"] == {}
    assert assembled(events_of(EmulatedReply(200, [], converse_frames({}, said)))) == whole


def test_input_tokens_leave_out_the_prompt_cache() -> None:
    counted = usage(answer(cached_tokens=40, cache_write_tokens=20), {})
    assert counted == {
        "inputTokens": 40,
        "outputTokens": 7,
        "totalTokens": 107,
        "cacheReadInputTokens": 40,
        "cacheWriteInputTokens": 20,
        "cacheDetails": [{"inputTokens": 20, "ttl": "5m"}],
    }


@pytest.mark.parametrize(
    "body",
    [
        {"system": [{"cachePoint": {"type": "default", "ttl": "1h"}}]},
        {"toolConfig": {"tools": [{"cachePoint": {"type": "default", "ttl": "1h"}}]}},
        {"messages": [{"role": "user", "content": [{"cachePoint": {"type": "default", "ttl": "1h"}}]}]},
    ],
)
def test_what_is_kept_for_an_hour_is_counted_as_such(body: dict[str, Any]) -> None:
    assert usage(answer(cache_write_tokens=20), body)["cacheDetails"] == [{"inputTokens": 20, "ttl": "1h"}]


def test_every_reason_to_stop_is_one_of_bedrock_s() -> None:
    for stop in Stop:
        whole = orjson.loads(converse_reply({}, answer(stop=stop)))
        assert whole["stopReason"] == STOP_REASONS[stop]
        assert faults_of(whole, "Converse") == []


def test_what_was_asked_of_the_service_is_said_to_have_been_done() -> None:
    body = {"performanceConfig": {"latency": "optimized"}, "serviceTier": {"type": ["odd"]}}
    whole = orjson.loads(converse_reply({"serviceTier": {"type": "none"}, **body}, answer()))
    assert whole["performanceConfig"] == {"latency": "optimized"}
    assert "serviceTier" not in whole
