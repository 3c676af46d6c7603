"""Usage in Google's reply shapes, asked for as the data plane does: JSON, events, arrays, cut anywhere."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import BodyFacts, Call, Header, Usage
from providers.vertex_ai import PROVIDER

IN_US = b"/v1beta1/projects/proj/locations/us-central1"
GEMINI = IN_US + b"/publishers/google/models/gemini-2.5-flash"
CLAUDE = b"/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929"
GENERATE, STREAM = GEMINI + b":generateContent", GEMINI + b":streamGenerateContent"
JSON: Header = (b"content-type", b"application/json; charset=UTF-8")
SSE: Header = (b"content-type", b"text/event-stream")


def call(path: bytes, method: str = "POST") -> Call:
    return PROVIDER.match(method, path)


def read(path: bytes, chunks: list[bytes], headers: list[Header], *, is_streaming: bool = False) -> tuple[Usage, bool]:
    reader = PROVIDER.usage_reader(call(path), BodyFacts(is_streaming=is_streaming), 200, headers)
    assert reader is not None
    for chunk in chunks:
        reader.feed(chunk)
    usage = reader.finish()
    return usage, reader.is_whole


METADATA = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 40,
    "toolUsePromptTokenCount": 7,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 5,
    "totalTokenCount": 132,
    "trafficType": "ON_DEMAND",
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 70}, {"modality": "AUDIO", "tokenCount": 30}],
}
REPLY = {
    "candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
    "usageMetadata": METADATA,
    "modelVersion": "gemini-2.5-flash-001",
}
EXPECTED = Usage(107, 25, 40, None, 5, "gemini-2.5-flash-001", details={"input_audio_tokens": 30})


def test_generate_counts_thoughts_as_output_and_tools_as_input() -> None:
    assert read(GENERATE, [json.dumps(REPLY).encode()], [JSON]) == (EXPECTED, True)


def test_modalities_with_a_price_of_their_own_are_told_apart() -> None:
    metadata = {
        "promptTokenCount": 50,
        "candidatesTokenCount": 9,
        "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 5}, {"modality": "DOCUMENT", "tokenCount": 6}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 9}, {"modality": "VIDEO", "tokenCount": 1}],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 3}, {"modality": "IMAGE", "tokenCount": 2}, None],
    }
    usage, _ = read(GENERATE, [json.dumps({"usageMetadata": metadata}).encode()], [JSON])
    assert usage.details == {"input_image_tokens": 11, "output_image_tokens": 9, "cache_audio_read_tokens": 3}


@pytest.mark.parametrize(
    ("metadata", "tier"),
    [
        ({"trafficType": "ON_DEMAND_FLEX"}, "flex"),
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, "provisioned_throughput"),
        ({"serviceTier": "priority"}, "priority"),
        ({"serviceTier": "standard"}, None),
        ({}, None),
    ],
)
def test_tier_is_named_when_it_is_not_the_standard_one(metadata: dict[str, str], tier: str | None) -> None:
    body = json.dumps({"usageMetadata": {"promptTokenCount": 1, **metadata}}).encode()
    assert read(GENERATE, [body], [JSON])[0].service_tier == tier


def test_counts_google_leaves_out_of_a_finished_reply_are_zero() -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9}}
    assert read(GENERATE, [json.dumps(blocked).encode()], [JSON]) == (Usage(9, 0), True)


def test_reply_longer_than_what_is_held_keeps_its_usage() -> None:
    image = {"content": {"parts": [{"inlineData": {"data": "A" * 3_000_000}}]}, "finishReason": "STOP"}
    data = json.dumps({**REPLY, "candidates": [image]}).encode()
    chunks = [data[start : start + 16384] for start in range(0, len(data), 16384)]
    assert read(GENERATE, chunks, [JSON]) == (EXPECTED, True)
    assert read(GENERATE, chunks[:-1], [JSON])[1] is False


FIRST = {
    "candidates": [{"content": {"parts": [{"text": "H"}]}}],
    "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9},
    "modelVersion": "gemini-2.5-flash-001",
}


def sse(*chunks: Any, end: str = "\r\n\r\n") -> bytes:
    return "".join(f"data: {json.dumps(chunk)}{end}" for chunk in chunks).encode()


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.lists(st.integers(min_value=0, max_value=900), max_size=10), st.sampled_from(["\r\n\r\n", "\n\n"]))
def test_sse_stream_counts_its_last_chunk_wherever_it_is_cut(cuts: list[int], end: str) -> None:
    data = sse(FIRST, FIRST, REPLY, end=end)
    assert read(STREAM, pieces(data, cuts), [SSE], is_streaming=True) == (EXPECTED, True)


@given(st.lists(st.integers(min_value=0, max_value=900), max_size=10))
def test_json_array_stream_counts_its_last_chunk_wherever_it_is_cut(cuts: list[int]) -> None:
    data = b"[" + b"\n,\r\n".join(json.dumps(chunk).encode() for chunk in (FIRST, FIRST, REPLY)) + b"]"
    assert read(STREAM, pieces(data, cuts), [JSON], is_streaming=True) == (EXPECTED, True)


def test_json_array_longer_than_what_is_held_keeps_its_usage() -> None:
    long = {**FIRST, "candidates": [{"content": {"parts": [{"text": "x" * 50_000}]}}]}
    data = b"[" + b",".join(json.dumps(chunk).encode() for chunk in [long] * 60 + [REPLY]) + b"]"
    chunks = [data[at : at + 65536] for at in range(0, len(data), 65536)]
    assert read(STREAM, chunks, [JSON], is_streaming=True) == (EXPECTED, True)
    assert read(STREAM, chunks[:-1], [JSON], is_streaming=True)[1] is False


ERROR = {"error": {"code": 503, "message": "boom", "status": "UNAVAILABLE"}}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (sse(FIRST), SSE),
        (sse(FIRST, ERROR), SSE),
        (sse(ERROR, REPLY), SSE),
        (sse(REPLY) + json.dumps(ERROR).encode(), SSE),
        (b"", SSE),
        (b"[" + json.dumps(REPLY).encode(), JSON),
        (b"[" + json.dumps(FIRST).encode() + b"]", JSON),
        (b"[" + json.dumps(REPLY).encode() + b"," + json.dumps(ERROR).encode() + b"]", JSON),
        (json.dumps(ERROR).encode(), JSON),
        (b"", JSON),
    ],
)
def test_stream_without_its_end_or_with_an_error_is_not_whole(body: bytes, kind: Header) -> None:
    assert read(STREAM, [body], [kind], is_streaming=True)[1] is False


def test_usage_of_a_stream_that_broke_off_leaves_the_output_unknown() -> None:
    assert read(STREAM, [sse(FIRST)], [SSE], is_streaming=True)[0] == Usage(9, None, model="gemini-2.5-flash-001")


def test_embeddings_count_input_only() -> None:
    predictions = [{"embeddings": {"statistics": {"token_count": n}, "values": [0.1]}} for n in (3, 4.0)]
    predicted = json.dumps({"predictions": predictions, "metadata": {"billableCharacterCount": 9}}).encode()
    assert read(GEMINI + b":predict", [predicted], [JSON]) == (Usage(7, 0), True)
    assert read(GEMINI + b":predict", [b'{"predictions":[{"bytesBase64Encoded":"AA"}]}'], [JSON]) == (Usage(), True)
    embedded = b'{"embedding":{"values":[1]},"usageMetadata":{"promptTokenCount":4}}'
    assert read(GEMINI + b":embedContent", [embedded], [JSON]) == (Usage(4, 0), True)
    assert read(b"/v1/models/e:batchEmbedContents", [b'{"embeddings":[{"values":[1]}]}'], [JSON]) == (Usage(), True)


def test_count_tokens_counts_input_only() -> None:
    assert read(GEMINI + b":countTokens", [b'{"totalTokens":9}'], [JSON]) == (Usage(9, 0), True)
    counted = IN_US + b"/publishers/anthropic/models/count-tokens:rawPredict"
    assert read(counted, [b'{"input_tokens":8}'], [JSON]) == (Usage(8, 0), True)


INTERACTION = {
    "id": "i",
    "status": "completed",
    "model": "gemini-2.5-flash",
    "usage": {"total_input_tokens": 10, "total_output_tokens": 4, "total_thought_tokens": 3, "total_cached_tokens": 2},
}
INTERACTION_USAGE = Usage(10, 7, 2, None, 3, "gemini-2.5-flash")
INTERACTIONS = b"/v1beta/interactions"


def test_interaction_is_whole_when_it_is_completed() -> None:
    assert read(INTERACTIONS, [json.dumps(INTERACTION).encode()], [JSON]) == (INTERACTION_USAGE, True)
    running = json.dumps({**INTERACTION, "status": "in_progress"}).encode()
    assert read(INTERACTIONS, [running], [JSON])[1] is False


def test_interaction_stream_ends_with_its_completion() -> None:
    completed = {"event_type": "interaction.completed", "interaction": INTERACTION}
    created = {"event_type": "interaction.created", "interaction": {"id": "i", "status": "in_progress"}}
    failed = {"event_type": "error", "error": {"code": "x"}}
    done = b"event: done\ndata: [DONE]\n\n"

    def streamed(body: bytes) -> tuple[Usage, bool]:
        return read(INTERACTIONS, [body], [SSE], is_streaming=True)

    assert streamed(sse(created, completed) + done) == (INTERACTION_USAGE, True)
    assert streamed(sse(created, completed)) == (INTERACTION_USAGE, True)
    assert streamed(sse(created) + done)[1] is False
    assert streamed(sse(created, failed))[1] is False


def test_claude_and_openai_shapes_are_read_by_their_own_readers() -> None:
    counts = {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 3}
    message = {"type": "message", "model": "claude-sonnet-4-5-20250929", "usage": counts}
    usage, is_whole = read(CLAUDE + b":rawPredict", [json.dumps(message).encode()], [JSON])
    assert (usage.input_tokens, usage.output_tokens, usage.model) == (7, 3, "claude-sonnet-4-5-20250929")
    assert is_whole
    events = (
        b'event: message_start\ndata: {"type":"message_start","message":{"model":"c","usage":{"input_tokens":5}}}\n\n'
        b'event: message_delta\ndata: {"type":"message_delta","delta":{},"usage":{"output_tokens":3}}\n\n'
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )
    usage, is_whole = read(CLAUDE + b":streamRawPredict", [events], [SSE], is_streaming=True)
    assert (usage.input_tokens, usage.output_tokens, is_whole) == (5, 3, True)
    chat = {"model": "google/gemini-2.5-flash", "usage": {"prompt_tokens": 11, "completion_tokens": 12}}
    usage, is_whole = read(b"/v1beta/openai/chat/completions", [json.dumps(chat).encode()], [JSON])
    assert (usage.input_tokens, usage.output_tokens, is_whole) == (11, 12, True)


def test_errors_unknown_calls_and_other_bodies_have_no_usage() -> None:
    assert PROVIDER.usage_reader(call(GENERATE), BodyFacts(), 429, [JSON]) is None
    assert PROVIDER.usage_reader(call(b"/x"), BodyFacts(), 200, [JSON]) is None
    assert PROVIDER.usage_reader(call(b"/v1beta/files/a", "GET"), BodyFacts(), 200, [JSON]) is None
    assert PROVIDER.usage_reader(call(GENERATE), BodyFacts(), 200, [(b"content-type", b"text/html")]) is None
