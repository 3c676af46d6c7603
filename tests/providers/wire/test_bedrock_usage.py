"""Usage in Bedrock's replies, asked for as the data plane does: headers, bodies by family, event streams."""

from __future__ import annotations

import json
from base64 import b64encode
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import BodyFacts, Call, Header, Usage
from providers.bedrock import PROVIDER
from providers.wire import event_stream

JSON: Header = (b"content-type", b"application/json")
STREAM: Header = (b"content-type", b"application/vnd.amazon.eventstream")
CONVERSE_PATH, CONVERSE_STREAM = b"/model/x/converse", b"/model/x/converse-stream"
INVOKE, INVOKE_STREAM = b"/model/x/invoke", b"/model/x/invoke-with-response-stream"


def call(path: bytes, method: str = "POST") -> Call:
    return PROVIDER.match(method, path)


def read(path: bytes, chunks: list[bytes], headers: list[Header] | None = None) -> tuple[Usage, bool]:
    reader = PROVIDER.usage_reader(call(path), BodyFacts(), 200, [JSON] if headers is None else headers)
    assert reader is not None
    for chunk in chunks:
        reader.feed(chunk)
    usage = reader.finish()
    return usage, reader.is_whole


CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
    "stopReason": "end_turn",
    "usage": {
        "inputTokens": 10,
        "outputTokens": 5,
        "totalTokens": 45,
        "cacheReadInputTokens": 20,
        "cacheWriteInputTokens": 10,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 4}, {"ttl": "5m", "inputTokens": 6}],
    },
    "metrics": {"latencyMs": 12},
    "serviceTier": {"type": "priority"},
}
CONVERSE_USAGE = Usage(40, 5, 20, 10, service_tier="priority", details={"cache_write_1h_tokens": 4})


def test_converse_counts_its_cache_into_the_input() -> None:
    assert read(CONVERSE_PATH, [json.dumps(CONVERSE).encode()]) == (CONVERSE_USAGE, True)


def test_broken_json_is_not_whole() -> None:
    assert read(CONVERSE_PATH, [json.dumps(CONVERSE).encode()[:-9]]) == (Usage(), False)


def converse_stream() -> list[bytes]:
    def event(kind: str, payload: Any) -> bytes:
        return event_stream.build_event(kind, json.dumps(payload).encode())

    return [
        event("messageStart", {"role": "assistant"}),
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}}),
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "metadata messageStop"}}),
        event("contentBlockStop", {"contentBlockIndex": 0}),
        event("messageStop", {"stopReason": "end_turn"}),
        event("metadata", {name: CONVERSE[name] for name in ("usage", "metrics", "serviceTier")}),
    ]


@given(st.lists(st.integers(min_value=0, max_value=1200), max_size=10))
def test_converse_stream_counts_the_same_wherever_it_is_cut(cuts: list[int]) -> None:
    data = b"".join(converse_stream())
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(edges)]
    assert read(CONVERSE_STREAM, chunks, [STREAM]) == (CONVERSE_USAGE, True)


EXCEPTION = event_stream.build_exception("throttlingException", b'{"message":"slow down"}')


@pytest.mark.parametrize(
    "frames",
    [
        converse_stream()[:-1],  # no metadata
        [*converse_stream()[:4], converse_stream()[5]],  # no messageStop
        [*converse_stream(), EXCEPTION],
        [*converse_stream()[:2], EXCEPTION, *converse_stream()[2:]],
        [*converse_stream()[:2], event_stream.build_error("internal", "boom"), *converse_stream()[2:]],
        [*converse_stream(), converse_stream()[0][:20]],  # half a frame
        [*converse_stream()[:2], converse_stream()[2][:-1] + b"\x00", *converse_stream()[3:]],  # a wrong checksum
        [b"not an event stream at all"],
        [],
    ],
)
def test_converse_stream_without_its_end_or_with_an_error_is_not_whole(frames: list[bytes]) -> None:
    assert read(CONVERSE_STREAM, frames, [STREAM])[1] is False


def chunk(event: Any) -> bytes:
    payload = {"bytes": b64encode(json.dumps(event).encode()).decode(), "p": "abcdefgh"}
    return event_stream.build_event("chunk", json.dumps(payload).encode())


METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 9, "outputTokenCount": 17, "invocationLatency": 889}}


def claude_stream() -> list[bytes]:
    usage = {"input_tokens": 9, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 0, "output_tokens": 1}
    deltas = [{"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(n)}} for n in range(20)]
    return [
        chunk({"type": "message_start", "message": {"model": "claude-sonnet-4-5-20250929", "usage": usage}}),
        *(chunk(delta) for delta in deltas),
        chunk({"type": "content_block_stop", "index": 0}),
        chunk({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 17}}),
        chunk({"type": "message_stop", **METRICS}),
    ]


def test_invoke_stream_of_claude_reads_the_models_own_events() -> None:
    usage, is_whole = read(INVOKE_STREAM, claude_stream(), [STREAM])
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.model) == (109, 17, 100, None)
    assert is_whole


def test_invoke_stream_cut_short_or_broken_is_not_whole() -> None:
    assert read(INVOKE_STREAM, claude_stream()[:-1], [STREAM])[1] is False
    assert read(INVOKE_STREAM, [*claude_stream()[:-1], EXCEPTION], [STREAM])[1] is False
    assert read(INVOKE_STREAM, [], [STREAM]) == (Usage(), False)


def test_what_a_cut_invoke_stream_had_written_is_unknown() -> None:
    usage, _ = read(INVOKE_STREAM, claude_stream()[:-2], [STREAM])
    assert (usage.input_tokens, usage.output_tokens) == (109, None)


def test_invoke_stream_of_other_families_reads_the_metrics() -> None:
    llama = [
        chunk({"generation": "Hi", "stop_reason": None}),
        chunk({"generation": "", "stop_reason": "stop", **METRICS}),
    ]
    assert read(INVOKE_STREAM, llama, [STREAM]) == (Usage(9, 17), True)
    nova = [
        chunk({"contentBlockDelta": {"delta": {"text": "Hi"}}}),
        chunk({"metadata": {"usage": {"inputTokens": 3, "outputTokens": 2}}, **METRICS}),
    ]
    assert read(INVOKE_STREAM, nova, [STREAM]) == (Usage(3, 2), True)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"type": "message", "usage": {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 3}},
            Usage(7, 3, 2),
        ),
        ({"output": {}, "usage": {"inputTokens": 4, "outputTokens": 6, "cacheReadInputTokenCount": 1}}, Usage(5, 6, 1)),
        ({"generation": "x", "prompt_token_count": 8, "generation_token_count": 9}, Usage(8, 9)),
        ({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 12}}, Usage(11, 12)),
        ({"inputTextTokenCount": 3, "results": [{"tokenCount": 4, "outputText": "x"}]}, Usage(3, 4)),
        ({"outputText": "x", "totalOutputTextTokenCount": 4, "inputTextTokenCount": 3}, Usage(3, 4)),
        ({"embedding": [0.1], "inputTextTokenCount": 5}, Usage(5, 0)),
        ({"embeddings": [[0.1]]}, Usage()),
    ],
)
def test_invoke_reads_what_each_family_writes(body: Any, expected: Usage) -> None:
    assert read(INVOKE, [json.dumps(body).encode()]) == (expected, True)


COUNTED: list[Header] = [
    JSON,
    (b"x-amzn-bedrock-input-token-count", b"9"),
    (b"x-amzn-bedrock-output-token-count", b"17"),
    (b"x-amzn-bedrock-cache-read-input-token-count", b"1"),
    (b"x-amzn-bedrock-invocation-latency", b"889"),
    (b"x-amzn-bedrock-service-tier", b"flex"),
]


def test_invoke_takes_the_headers_where_the_body_says_nothing() -> None:
    assert read(INVOKE, [b'{"text":"Hi"}'], COUNTED) == (Usage(10, 17, 1, service_tier="flex"), True)
    image: list[Header] = [(b"content-type", b"image/png"), *COUNTED[1:3]]
    assert read(INVOKE, [b"\x89PNG"], image) == (Usage(9, 17), True)


def test_only_an_opaque_arn_takes_the_replys_model() -> None:
    reply = {"model": "claude-sonnet-4-5-20250929", "usage": {"input_tokens": 5, "output_tokens": 3}}
    body = [json.dumps(reply).encode()]
    opaque = b"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fabc/invoke"
    system = b"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.anthropic.claude/invoke"
    assert read(opaque, body)[0].model == "claude-sonnet-4-5-20250929"
    assert read(system, body)[0].model is None
    assert read(INVOKE, body)[0].model is None


def test_count_tokens_counts_input_only() -> None:
    assert read(b"/model/x/count-tokens", [b'{"inputTokens":9}']) == (Usage(9, 0), True)


def test_openai_and_anthropic_dialects_are_read_by_their_own_readers() -> None:
    usage, is_whole = read(b"/openai/v1/chat/completions", [b'{"usage":{"prompt_tokens":3,"completion_tokens":4}}'])
    assert (usage.input_tokens, usage.output_tokens, is_whole) == (3, 4, True)
    messages = b"/anthropic/v1/messages"
    usage, is_whole = read(messages, [b'{"type":"message","usage":{"input_tokens":3,"output_tokens":4}}'])
    assert (usage.input_tokens, usage.output_tokens, is_whole) == (3, 4, True)
    assert read(messages + b"/count_tokens", [b'{"input_tokens":3}']) == (Usage(3, 0), True)


def test_errors_and_unknown_calls_have_no_usage() -> None:
    assert PROVIDER.usage_reader(call(CONVERSE_PATH), BodyFacts(), 429, [JSON]) is None
    assert PROVIDER.usage_reader(call(b"/guardrails", "GET"), BodyFacts(), 200, [JSON]) is None
    assert PROVIDER.usage_reader(call(b"/async-invoke"), BodyFacts(), 200, [JSON]) is None
