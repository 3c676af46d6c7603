"""Usage in OpenAI-shaped replies."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import Usage
from providers.wire.openai_usage import usage_reader
from tests.providers.wire.streams import CHAT, CHAT_WITHOUT_USAGE, RESPONSES

JSON = [(b"content-type", b"application/json")]
SSE = [(b"content-type", b"text/event-stream; charset=utf-8")]

CHAT_USAGE = Usage(19, 12, 8, None, 5, "gpt-4o-mini-2024-07-18", "default")
RESPONSES_USAGE = Usage(36, 87, 4, None, 64, "gpt-5-2025-08-07", "flex")


def read(
    flavor: str, data: bytes, headers: list[tuple[bytes, bytes]], cuts: list[int] | None = None
) -> tuple[Usage, bool]:
    reader = usage_reader(flavor, headers, is_streaming=headers == SSE)
    assert reader is not None
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts or []), len(data)]
    for start, end in itertools.pairwise(edges):
        reader.feed(data[start:end])
    return reader.finish(), reader.is_whole


def body(flavor: str, value: Any) -> tuple[Usage, bool]:
    return read(flavor, json.dumps(value).encode(), JSON)


def frames(*values: Any, done: bool = False) -> bytes:
    data = b"".join(b"data: %b\n\n" % json.dumps(value).encode() for value in values)
    return data + b"data: [DONE]\n\n" if done else data


def test_a_chat_reply_tells_every_kind_of_token() -> None:
    reply = {
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "usage": {
            "prompt_tokens": 19,
            "completion_tokens": 12,
            "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 2, "audio_tokens": 3},
            "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 4},
        },
    }
    assert body("chat", reply) == (
        Usage(
            19, 12, 8, 2, 5, "gpt-4o-mini-2024-07-18", "default", {"input_audio_tokens": 3, "output_audio_tokens": 4}
        ),
        True,
    )


def test_a_response_tells_its_tools_too() -> None:
    reply = {
        "model": "gpt-5",
        "status": "completed",
        "error": None,
        "tool_usage": {"web_search": {"num_requests": 2}, "image_gen": {"total_tokens": 0}},
        "usage": {
            "input_tokens": 3,
            "output_tokens": 4,
            "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 2},
        },
    }
    assert body("responses", reply) == (Usage(3, 4, 1, 2, None, "gpt-5", None, {"web_searches": 2}), True)


def test_embeddings_write_nothing() -> None:
    assert body("embeddings", {"model": "e", "usage": {"prompt_tokens": 8, "total_tokens": 8}}) == (
        Usage(8, 0, model="e"),
        True,
    )


def test_images_tell_image_tokens_apart() -> None:
    usage = {
        "input_tokens": 60,
        "output_tokens": 272,
        "input_tokens_details": {"image_tokens": 40, "text_tokens": 20},
        "output_tokens_details": {"image_tokens": 272, "text_tokens": 0},
    }
    assert body("images", {"created": 1, "data": [], "usage": usage}) == (
        Usage(60, 272, details={"input_image_tokens": 40, "output_image_tokens": 272}),
        True,
    )


def test_a_transcription_tells_tokens_or_seconds() -> None:
    tokens = {"type": "tokens", "input_tokens": 14, "output_tokens": 5, "input_token_details": {"audio_tokens": 14}}
    assert body("transcription", {"text": "hi", "usage": tokens})[0] == Usage(14, 5, details={"input_audio_tokens": 14})
    seconds = {"type": "duration", "seconds": 7.5}
    assert body("transcription", {"text": "hi", "usage": seconds})[0] == Usage(details={"input_audio_seconds": 7.5})


def test_a_count_stands_for_the_input() -> None:
    assert body("count", {"object": "response.input_tokens", "input_tokens": 11}) == (Usage(11, 0), True)


@pytest.mark.parametrize("value", [{}, [], "text", None, {"usage": None}, {"usage": {"prompt_tokens": "9"}}])
def test_missing_or_odd_usage_is_unknown_not_zero(value: Any) -> None:
    for flavor in ("chat", "responses", "embeddings", "count"):
        assert body(flavor, value)[0] == Usage()


@pytest.mark.parametrize("status", ["queued", "in_progress", "failed", "cancelled"])
def test_a_response_that_is_only_a_promise_is_not_whole(status: str) -> None:
    assert body("responses", {"status": status, "model": "m"})[1] is False


def test_an_incomplete_response_is_a_whole_reply() -> None:
    assert body("responses", {"status": "incomplete", "model": "m"})[1] is True


def test_a_chat_stream_tells_its_usage_when_it_was_asked_for() -> None:
    assert read("chat", CHAT, SSE) == (CHAT_USAGE, True)


def test_a_chat_stream_without_usage_leaves_it_unknown() -> None:
    assert read("chat", CHAT_WITHOUT_USAGE, SSE) == (Usage(model="gpt-4o-mini-2024-07-18"), True)


def test_a_chat_stream_needs_its_end() -> None:
    assert read("chat", CHAT.replace(b"data: [DONE]\n\n", b""), SSE) == (CHAT_USAGE, False)


def test_a_stream_of_content_filter_results_has_no_model_of_its_own() -> None:
    stream = frames(
        {"model": "", "choices": [], "prompt_filter_results": []}, {"model": "gpt-4o", "choices": []}, done=True
    )
    assert read("chat", stream, SSE) == (Usage(model="gpt-4o"), True)


def test_an_error_inside_a_stream_makes_it_not_whole() -> None:
    stream = frames({"model": "m", "choices": []}, {"error": {"message": "boom", "type": "server_error"}}, done=True)
    assert read("chat", stream, SSE)[1] is False


def test_a_responses_stream_tells_usage_in_its_last_event() -> None:
    assert read("responses", RESPONSES, SSE) == (RESPONSES_USAGE, True)
    assert read("responses", RESPONSES + b"data: [DONE]\n\n", SSE) == (RESPONSES_USAGE, True)


def test_a_failed_response_is_not_whole_but_counts() -> None:
    failed = {
        "type": "response.failed",
        "response": {"status": "failed", "error": {"code": "x"}, "usage": {"input_tokens": 3}},
    }
    usage, is_whole = read("responses", frames(failed), SSE)
    assert usage.input_tokens == 3
    assert not is_whole


def test_a_flat_error_event_of_responses_makes_it_not_whole() -> None:
    stream = b'event: error\ndata: {"type":"error","code":"x","message":"m","param":null,"sequence_number":1}\n\n'
    assert read("responses", stream, SSE)[1] is False


def test_a_response_with_a_giant_image_in_it_is_still_read() -> None:
    image = {"type": "image_generation_call", "result": "A" * 3_000_000}
    created = {"type": "response.created", "response": {"status": "in_progress", "model": "gpt-5"}}
    completed = {
        "type": "response.completed",
        "response": {"status": "completed", "output": [image], "usage": {"input_tokens": 3, "output_tokens": 4}},
    }
    assert read("responses", frames(created, completed), SSE) == (Usage(3, 4, model="gpt-5"), True)


@pytest.mark.parametrize(
    ("flavor", "end"),
    [
        ("images", "image_generation.completed"),
        ("images", "image_edit.completed"),
        ("transcription", "transcript.text.done"),
        ("speech", "speech.audio.done"),
    ],
)
def test_media_streams_end_with_a_typed_event(flavor: str, end: str) -> None:
    start = {"type": "some.delta", "delta": "x"}
    stream = frames(start, {"type": end, "usage": {"input_tokens": 2, "output_tokens": 3}})
    assert read(flavor, stream, SSE) == (Usage(2, 3), True)
    assert read(flavor, frames(start), SSE)[1] is False


def test_a_page_in_place_of_json_is_not_whole() -> None:
    assert read("chat", b"<html>Please log in</html>", [(b"content-type", b"text/html")]) == (Usage(), False)


def test_audio_and_plain_transcripts_have_no_reader() -> None:
    assert usage_reader("speech", [(b"content-type", b"audio/mpeg")], is_streaming=False) is None
    assert usage_reader("transcription", [(b"content-type", b"text/plain; charset=utf-8")], is_streaming=False) is None


def test_a_reply_without_content_type_is_taken_for_what_was_asked() -> None:
    stream = usage_reader("chat", [], is_streaming=True)
    assert stream is not None
    stream.feed(CHAT)
    assert stream.finish() == CHAT_USAGE


@given(st.lists(st.integers(0, 10_000), max_size=12), st.sampled_from([b"\n", b"\r\n"]))
def test_where_a_stream_is_cut_into_chunks_changes_nothing(cuts: list[int], line_end: bytes) -> None:
    assert read("chat", CHAT.replace(b"\n", line_end), SSE, cuts) == (CHAT_USAGE, True)
    assert read("responses", RESPONSES.replace(b"\n", line_end), SSE, cuts) == (RESPONSES_USAGE, True)


@given(st.integers(0, len(CHAT)))
def test_a_chat_stream_that_breaks_off_is_not_whole(end: int) -> None:
    usage, is_whole = read("chat", CHAT[:end], SSE)
    assert is_whole == (end >= CHAT.index(b"[DONE]") + 6)
    assert usage.input_tokens in (None, 19)


@given(st.integers(0, len(RESPONSES)))
def test_a_responses_stream_that_breaks_off_is_not_whole(end: int) -> None:
    usage, is_whole = read("responses", RESPONSES[:end], SSE)
    assert is_whole == (end >= len(RESPONSES) - 2)
    assert usage.input_tokens in (None, 36)


@given(st.binary(max_size=300))
def test_no_bytes_make_a_reader_raise(data: bytes) -> None:
    for flavor in ("chat", "responses", "embeddings", "images", "transcription", "speech", "count", "plain"):
        assert isinstance(read(flavor, data, SSE)[0], Usage)
        assert isinstance(read(flavor, data, JSON)[0], Usage)
