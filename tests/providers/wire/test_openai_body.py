"""What OpenAI-shaped request bodies say."""

from __future__ import annotations

from typing import Any

import pytest

from providers.base import BodyFacts
from providers.openai import PROVIDER
from providers.wire.openai_body import read_openai_body

CHAT = PROVIDER.match("POST", b"/v1/chat/completions")
RESPONSES = PROVIDER.match("POST", b"/v1/responses")
EMBEDDINGS = PROVIDER.match("POST", b"/v1/embeddings")
TRANSCRIPTIONS = PROVIDER.match("POST", b"/v1/audio/transcriptions")
SPEECH = PROVIDER.match("POST", b"/v1/audio/speech")


def test_model_streaming_and_temperature_are_read() -> None:
    body = {"model": "gpt-4o", "stream": True, "temperature": 0}
    assert read_openai_body(CHAT, body) == BodyFacts("gpt-4o", True, 0.0)


@pytest.mark.parametrize("value", [False, None, 1, "yes", [], {}])
def test_only_true_streams(value: Any) -> None:
    assert not read_openai_body(CHAT, {"stream": value}).is_streaming


def test_a_call_that_never_streams_does_not_stream() -> None:
    assert not read_openai_body(EMBEDDINGS, {"stream": True}).is_streaming


def test_multipart_fields_are_text() -> None:
    fields = {"model": "gpt-4o-transcribe", "stream": "true", "temperature": "0.2"}
    assert read_openai_body(TRANSCRIPTIONS, fields) == BodyFacts("gpt-4o-transcribe", True, 0.2)
    assert read_openai_body(TRANSCRIPTIONS, {"temperature": "warm"}).temperature is None


def test_speech_streams_events_by_its_own_field() -> None:
    assert read_openai_body(SPEECH, {"stream_format": "sse"}).is_streaming
    assert not read_openai_body(SPEECH, {"stream_format": "audio"}).is_streaming


def test_a_missing_temperature_is_none_not_zero() -> None:
    assert read_openai_body(CHAT, {"model": "m"}).temperature is None


@pytest.mark.parametrize("body", [None, [], "x", 3, [{"model": "m"}]])
def test_a_body_that_is_no_object_says_nothing(body: Any) -> None:
    assert read_openai_body(CHAT, body) == BodyFacts()


@pytest.mark.parametrize("body", [{"background": True}, {"conversation": "conv_1"}, {"conversation": {"id": "conv_1"}}])
def test_promises_and_conversations_may_not_be_cached(body: dict[str, Any]) -> None:
    assert not read_openai_body(RESPONSES, body).may_cache


@pytest.mark.parametrize(
    "body", [{}, {"background": False, "conversation": None, "store": True, "previous_response_id": "r"}]
)
def test_other_responses_may_be_cached(body: dict[str, Any]) -> None:
    assert read_openai_body(RESPONSES, body).may_cache


@pytest.mark.parametrize(
    ("body", "most"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 7, "max_tokens": 5}, 7),
        ({"max_output_tokens": 9}, 9),
        ({"max_tokens": 5, "n": 3}, 15),
        ({"max_tokens": "5"}, None),
        ({"max_tokens": None}, None),
        ({}, None),
    ],
)
def test_the_most_an_answer_may_have_is_read_from_whichever_name_it_has(body: dict[str, Any], most: int | None) -> None:
    assert read_openai_body(CHAT, body).max_output_tokens == most
