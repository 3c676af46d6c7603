from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai.types.audio import (
    Transcription,
    TranscriptionDiarized,
    TranscriptionStreamEvent,
    TranscriptionVerbose,
    Translation,
    TranslationVerbose,
)

from providers.emulated.base import EmulatedReply
from providers.emulated.media import wav
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.openai_asking import ask_form, events, refused, typed, validated

TARGET = "/v1/audio/transcriptions"
SOUND = ("duck.wav", wav(1.0))


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def send(asker: Asker, model: str = "whisper-1", file: tuple[str, bytes] = SOUND, **fields: Any) -> EmulatedReply:
    return ask_form(asker, TARGET, {"model": model, **fields}, file=file)


def test_the_text_names_the_file(asker: Asker) -> None:
    made = typed(Transcription, send(asker))
    assert "duck.wav" in made.text
    assert made.usage is not None
    assert made.usage.type == "duration"
    assert made.usage.seconds == 1
    assert send(asker).body == send(asker).body


def test_newer_models_count_tokens(asker: Asker) -> None:
    made = typed(Transcription, send(asker, "gpt-4o-transcribe", prompt="Ducks.", include=["logprobs"]))
    assert made.usage is not None
    assert made.usage.type == "tokens"
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
    assert made.logprobs
    assert "".join(entry.token or "" for entry in made.logprobs) == made.text


def test_plain_texts_and_subtitles_are_written(asker: Asker) -> None:
    text = orjson.loads(whole(send(asker)))["text"]
    for form, expected in {
        "text": f"{text}\n",
        "srt": f"1\n00:00:00,000 --> 00:00:01,000\n{text}\n\n\n",
        "vtt": f"WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n{text}\n\n",
    }.items():
        reply = send(asker, response_format=form)
        assert whole(reply).decode() == expected
        assert header(reply, "content-type") == "text/plain; charset=utf-8"


def test_verbose_transcripts_have_segments_and_words(asker: Asker) -> None:
    made = typed(TranscriptionVerbose, send(asker, response_format="verbose_json", language="de"))
    assert (made.duration, made.language, made.words) == (1.0, "german", None)
    assert made.segments
    assert made.segments[0].text == made.text
    both = typed(
        TranscriptionVerbose, send(asker, response_format="verbose_json", timestamp_granularities=["word", "segment"])
    )
    assert both.segments
    assert both.words
    assert both.words[-1].end == 1.0


def test_speakers_are_told_apart(asker: Asker) -> None:
    reply = send(asker, "gpt-4o-transcribe-diarize", response_format="diarized_json", known_speaker_names=["Donald"])
    made = typed(TranscriptionDiarized, reply)
    assert made.segments[0].speaker == "Donald"


def test_a_stream_put_together_is_the_unary_reply(asker: Asker) -> None:
    unary = orjson.loads(whole(send(asker, "gpt-4o-mini-transcribe")))
    streamed = events(send(asker, "gpt-4o-mini-transcribe", stream="true", include=["logprobs"]))
    for event in streamed:
        validated(TranscriptionStreamEvent, event)  # type: ignore[arg-type]
    *deltas, done = streamed
    assert "".join(event["delta"] for event in deltas) == done["text"] == unary["text"]
    assert done["usage"]["output_tokens"] == unary["usage"]["output_tokens"]
    diarized = events(send(asker, "gpt-4o-transcribe-diarize", stream="true", response_format="diarized_json"))
    assert diarized[0]["type"] == "transcript.text.segment"


def test_whisper_ignores_stream(asker: Asker) -> None:
    assert header(send(asker, stream="true"), "content-type") == "application/json"


def test_translations_are_answered_in_english(asker: Asker) -> None:
    reply = ask_form(asker, "/v1/audio/translations", {"model": "whisper-1"}, file=SOUND)
    assert "duck.wav" in typed(Translation, reply).text
    fields = {"model": "whisper-1", "response_format": "verbose_json"}
    verbose = typed(TranslationVerbose, ask_form(asker, "/v1/audio/translations", fields, file=SOUND))
    assert (verbose.language, verbose.duration) == ("english", 1.0)


def test_it_is_refused_in_openais_words(asker: Asker) -> None:
    assert refused(ask_form(asker, TARGET, {}, file=SOUND))["message"] == "you must provide a model parameter"
    assert refused(ask_form(asker, TARGET, {"model": "whisper-1"}))["param"] == "file"
    assert "Supported formats" in refused(send(asker, file=("duck.txt", b"x")))["message"]
    assert refused(send(asker, file=("duck.mp3", b"")))["code"] == "audio_too_short"
    assert refused(send(asker, response_format="pdf"))["code"] == "invalid_value"
    assert refused(send(asker, "gpt-4o-transcribe", response_format="srt")) == {
        "message": "response_format 'srt' is not compatible with model 'gpt-4o-transcribe'. Use 'json' or 'text' "
        "instead.",
        "type": "invalid_request_error",
        "param": "response_format",
        "code": "unsupported_value",
    }
    assert refused(send(asker, temperature="2"))["code"] == "decimal_above_max_value"
    assert refused(send(asker, temperature="warm"))["code"] == "invalid_type"
    assert refused(asker.send("POST", TARGET, {"model": "whisper-1"}))["code"] == "unsupported_content_type"


def test_odd_sounds_do_no_harm(asker: Asker) -> None:
    for content in (b"RIFF", b"RIFF" + bytes(60), b"RIFF\0\0\0\0WAVE" + bytes(60), b"\0"):
        assert send(asker, file=("a.wav", content), response_format="srt").status == 200
