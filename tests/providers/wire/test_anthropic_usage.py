"""Usage in Anthropic-shaped replies."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import Usage
from providers.wire.anthropic_usage import usage_reader
from tests.providers.wire.streams import MESSAGES

JSON = [(b"content-type", b"application/json")]
SSE = [(b"content-type", b"text/event-stream; charset=utf-8")]
STREAM_USAGE = Usage(1500, 100, 300, 200, 60, "claude-sonnet-4-5-20250929", "standard", {"cache_write_1h_tokens": 50})


def read(data: bytes, headers: list[tuple[bytes, bytes]], cuts: list[int] | None = None) -> tuple[Usage, bool]:
    reader = usage_reader("messages", headers, is_streaming=headers == SSE)
    assert reader is not None
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts or []), len(data)]
    for start, end in itertools.pairwise(edges):
        reader.feed(data[start:end])
    return reader.finish(), reader.is_whole


def body(value: Any) -> tuple[Usage, bool]:
    return read(json.dumps(value).encode(), JSON)


def test_input_tokens_include_cache_reads_and_writes() -> None:
    usage = {
        "input_tokens": 1000,
        "cache_creation_input_tokens": 200,
        "cache_read_input_tokens": 300,
        "output_tokens": 100,
        "output_tokens_details": {"thinking_tokens": 60},
        "cache_creation": {"ephemeral_5m_input_tokens": 150, "ephemeral_1h_input_tokens": 50},
        "server_tool_use": {"web_search_requests": 2},
        "service_tier": "priority",
    }
    assert body({"type": "message", "model": "claude-sonnet-4-5-20250929", "usage": usage}) == (
        Usage(
            1500,
            100,
            300,
            200,
            60,
            "claude-sonnet-4-5-20250929",
            "priority",
            {"cache_write_1h_tokens": 50, "web_searches": 2},
        ),
        True,
    )


def test_fast_speed_is_a_tier_and_a_country_is_a_price_of_its_own() -> None:
    usage = {"input_tokens": 1, "output_tokens": 2, "service_tier": "standard", "speed": "fast", "inference_geo": "us"}
    read_usage = body({"type": "message", "usage": usage})[0]
    assert read_usage.service_tier == "fast"
    assert read_usage.details == {"inference_geo": 1}
    usage["inference_geo"] = "global"
    assert body({"type": "message", "usage": usage})[0].details == {}


def test_missing_usage_is_unknown_not_zero() -> None:
    assert body({"type": "message", "model": "m"}) == (Usage(model="m"), True)
    assert body([])[0] == Usage()


def test_an_error_body_is_not_whole() -> None:
    assert body({"type": "error", "error": {"type": "overloaded_error"}})[1] is False


def test_a_page_in_place_of_json_is_not_whole() -> None:
    assert read(b"<html>Please log in</html>", [(b"content-type", b"text/html")]) == (Usage(), False)


def test_count_tokens_counts_input() -> None:
    reader = usage_reader("count_tokens", JSON, is_streaming=False)
    assert reader is not None
    reader.feed(b'{"input_tokens":9}')
    assert reader.finish() == Usage(9, 0)
    assert reader.is_whole


def test_a_stream_adds_the_last_delta_to_the_start() -> None:
    assert read(MESSAGES, SSE) == (STREAM_USAGE, True)


def test_a_delta_that_repeats_input_wins() -> None:
    stream = MESSAGES.replace(
        b'"usage":{"output_tokens":100', b'"usage":{"input_tokens":7,"cache_read_input_tokens":null,"output_tokens":100'
    )
    assert read(stream, SSE)[0].input_tokens == 7 + 300 + 200


def test_an_error_event_makes_a_stream_not_whole() -> None:
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    assert read(MESSAGES[: MESSAGES.index(b"event: message_delta")] + error, SSE)[1] is False


def test_output_is_unknown_while_only_the_opening_guess_was_seen() -> None:
    usage, is_whole = read(MESSAGES[: MESSAGES.index(b"event: message_delta")], SSE)
    assert (usage.input_tokens, usage.output_tokens, is_whole) == (1500, None, False)


@pytest.mark.parametrize("size", [1000, 70_000, 3_000_000])
def test_a_long_stream_is_read_from_both_ends(size: int) -> None:
    delta = (
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word "}}\n\n'
    )
    at = MESSAGES.index(b"event: content_block_stop")
    stream = MESSAGES[:at] + delta * (size // len(delta)) + MESSAGES[at:]
    assert read(stream, SSE, list(range(0, len(stream), 997))) == (STREAM_USAGE, True)


@given(st.lists(st.integers(0, 10_000), max_size=12), st.sampled_from([b"\n", b"\r\n"]))
def test_where_a_stream_is_cut_into_chunks_changes_nothing(cuts: list[int], line_end: bytes) -> None:
    assert read(MESSAGES.replace(b"\n", line_end), SSE, cuts) == (STREAM_USAGE, True)


@given(st.integers(0, len(MESSAGES)))
def test_a_stream_that_breaks_off_is_not_whole(end: int) -> None:
    usage, is_whole = read(MESSAGES[:end], SSE)
    assert is_whole == (end >= len(MESSAGES) - 2)
    assert usage.output_tokens in (None, 40, 100)


@given(st.binary(max_size=300))
def test_no_bytes_make_a_reader_raise(data: bytes) -> None:
    assert isinstance(read(data, SSE)[0], Usage)
    assert isinstance(read(data, JSON)[0], Usage)
