from __future__ import annotations

import base64
from typing import Any

import pytest

from providers.emulated import media
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.openai_asking import events, refused

TARGET = "/v1/audio/speech"


def body(**members: Any) -> dict[str, Any]:
    return {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Quack.", **members}


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_every_format_is_spoken(asker: Asker, form: str) -> None:
    reply = asker.send("POST", TARGET, body(response_format=form))
    sound, kind = media.speech(form, "Quack.")
    assert (whole(reply), header(reply, "content-type")) == (sound, kind)


def test_mp3_is_usual(asker: Asker) -> None:
    assert header(asker.send("POST", TARGET, body()), "content-type") == "audio/mpeg"


def test_events_hold_the_same_sound(asker: Asker) -> None:
    reply = asker.send("POST", TARGET, body(stream_format="sse", response_format="wav"))
    *deltas, done = events(reply)
    assert done["type"] == "speech.audio.done"
    assert done["usage"]["total_tokens"] == done["usage"]["input_tokens"] + done["usage"]["output_tokens"]
    assert {event["type"] for event in deltas} == {"speech.audio.delta"}
    assert b"".join(base64.b64decode(event["audio"]) for event in deltas) == media.speech("wav", "Quack.")[0]


def test_a_voice_of_ones_own_is_taken(asker: Asker) -> None:
    assert asker.send("POST", TARGET, body(voice={"id": "voice_1"})).status == 200


def test_it_is_refused_in_openais_words(asker: Asker) -> None:
    for name in ("model", "voice", "input"):
        assert refused(asker.send("POST", TARGET, body(**{name: None})))["param"] == name
    assert refused(asker.send("POST", TARGET, body(voice="donald")))["code"] == "invalid_value"
    assert refused(asker.send("POST", TARGET, body(voice={})))["param"] == "voice.id"
    assert refused(asker.send("POST", TARGET, body(input="x" * 4097)))["code"] == "string_above_max_length"
    assert refused(asker.send("POST", TARGET, body(input="")))["code"] == "string_below_min_length"
    assert refused(asker.send("POST", TARGET, body(speed=9)))["code"] == "decimal_above_max_value"
    assert refused(asker.send("POST", TARGET, body(response_format="midi")))["code"] == "invalid_value"
    assert refused(asker.send("POST", TARGET, body(model="tts-1", stream_format="sse")))["param"] == "stream_format"
