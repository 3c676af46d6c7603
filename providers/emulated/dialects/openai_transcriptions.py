"""Transcriptions and translations in OpenAI's dialect, in every format, unary and streamed.

Source: openai-python 3.54.0 `types/audio/`, and refusals quoted in public issue reports, read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from providers.base import Header
from providers.emulated import tokens
from providers.emulated.base import EmulatedReply, EmulatedRequest, Frame
from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_checks import decimal, one_of
from providers.emulated.dialects.openai_errors import Invalid, Shape, dump, intercept, missing, stream_reply
from providers.emulated.dialects.openai_forms import Form, SentFile, number, read_form
from providers.emulated.dialects.openai_logprobs import token_logprobs
from providers.wire.sse import encode

_FORMATS = one_of("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
_EXTENSIONS = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
_TEXT: Header = (b"content-type", b"text/plain; charset=utf-8")
_AUDIO_TOKENS_PER_S = 10
_BYTES_PER_S = 16_000  # of a compressed recording


@dataclass(frozen=True, slots=True)
class _Transcript:
    """What was heard. `duration_s`: of the recording."""

    text: str
    duration_s: float
    language: str
    task: str
    model: str
    form: Form


def answer_transcriptions(
    request: EmulatedRequest, desk: Desk, *, shape: Shape, model: str | None = None
) -> EmulatedReply:
    """`audio.transcriptions` and `audio.translations`. `model`: the one the path names, if it does. Raises Invalid,
    Refused, CannedFailure."""
    assert request.call.operation is not None
    operation = request.call.operation.name
    form = read_form(request)
    model = model or form.fields.get("model")
    if not model:
        raise Invalid("you must provide a model parameter")
    shape.check_model(desk, model)
    files = form.files.get("file")
    if not files:
        raise missing("file")
    _check_file(files[0])
    temperature = number(form, "temperature")
    if temperature is not None:
        decimal(0, 1)(temperature, "temperature")
    answered_as = form.fields.get("response_format") or "json"
    _check_format(answered_as, model)
    is_repeatable = intercept(desk, operation, model, request, form.fields.get("prompt", ""))
    is_translation = operation == "audio.translations"
    heard = _Transcript(
        _text(files[0], is_translation=is_translation),
        _duration_s(files[0].content),
        "english" if is_translation else _LANGUAGES.get(form.fields.get("language", "en"), "english"),
        "translate" if is_translation else "transcribe",
        model,
        form,
    )
    # Source: "Streaming is not supported for whisper-1 and will be ignored", transcription_create_params.py.
    if form.fields.get("stream", "").lower() == "true" and not model.startswith("whisper") and not is_translation:
        frames = _frames(heard)
        return stream_reply(shape, request, frames, tokens.count(heard.text), is_repeatable=is_repeatable)
    spoken = tokens.count(heard.text)
    if answered_as in ("text", "srt", "vtt"):
        written = _WRITERS[answered_as](heard).encode()
        headers = shape.headers(request, spoken, _TEXT)
    else:
        written = dump(_described(heard, answered_as))
        headers = shape.headers(request, spoken)
    return EmulatedReply(200, headers, written, tokens=spoken, is_repeatable=is_repeatable)


_LANGUAGES = {
    "ar": "arabic", "de": "german", "en": "english", "es": "spanish", "fr": "french", "hi": "hindi", "it": "italian",
    "ja": "japanese", "ko": "korean", "nl": "dutch", "pl": "polish", "pt": "portuguese", "ru": "russian",
    "tr": "turkish", "uk": "ukrainian", "zh": "chinese",
}  # fmt: skip


def _check_file(sent: SentFile) -> None:
    extension = sent.name.rpartition(".")[2].lower()
    if extension not in _EXTENSIONS:
        listed = ", ".join(f"'{name}'" for name in _EXTENSIONS)
        raise Invalid(f"Invalid file format. Supported formats: [{listed}]")
    if not sent.content:
        raise Invalid("Audio file is too short. Minimum audio length is 0.1 seconds.", "file", "audio_too_short")


def _check_format(name: str, model: str) -> None:
    _FORMATS(name, "response_format")
    if model.startswith("whisper"):
        is_fine = name != "diarized_json"
        instead = "'json', 'text', 'srt', 'verbose_json', or 'vtt'"
    elif "diarize" in model:
        is_fine = name in ("json", "text", "diarized_json")
        instead = "'json', 'text', or 'diarized_json'"
    elif "transcribe" in model:
        is_fine = name in ("json", "text")
        instead = "'json' or 'text'"
    else:
        return
    if not is_fine:
        raise Invalid(
            f"response_format '{name}' is not compatible with model '{model}'. Use {instead} instead.",
            "response_format",
            "unsupported_value",
        )


def _text(sent: SentFile, *, is_translation: bool) -> str:
    what = "translation into English" if is_translation else "transcription"
    return f"This is the emulated {what} of {sent.name}, {len(sent.content)} bytes of sound."


def _duration_s(sound: bytes) -> float:
    """How long a recording is: as a WAVE file says, else reckoned from its size."""
    bytes_per_s = int.from_bytes(sound[28:32], "little") if sound[:4] == b"RIFF" and sound[8:12] == b"WAVE" else 0
    return max(0.1, round(len(sound) / (bytes_per_s or _BYTES_PER_S), 2))


def _usage(heard: _Transcript) -> dict[str, Any]:
    if heard.model.startswith("whisper"):
        return {"type": "duration", "seconds": max(1, round(heard.duration_s))}
    audio = max(1, round(heard.duration_s * _AUDIO_TOKENS_PER_S))
    prompt = tokens.count(heard.form.fields.get("prompt", ""))
    output = tokens.count(heard.text)
    return {
        "type": "tokens",
        "total_tokens": audio + prompt + output,
        "input_tokens": audio + prompt,
        "input_token_details": {"text_tokens": prompt, "audio_tokens": audio},
        "output_tokens": output,
    }


def _logprobs(heard: _Transcript, pieces: list[str]) -> list[dict[str, Any]]:
    found = [token_logprobs(heard.form.digest, piece, 0) for piece in pieces]
    return [{name: entry[name] for name in ("token", "logprob", "bytes")} for entry in found]


def _described(heard: _Transcript, form: str) -> dict[str, Any]:
    reply: dict[str, Any]
    if form == "verbose_json":
        reply = {
            "task": heard.task,
            "language": heard.language,
            "duration": heard.duration_s,
            "text": heard.text,
        }
        asked = heard.form.lists.get("timestamp_granularities") or ["segment"]
        if "word" in asked:
            reply["words"] = _words(heard)
        if "segment" in asked:
            reply["segments"] = [_segment(heard)]
        return reply if heard.task == "translate" else {**reply, "usage": _usage(heard)}
    if form == "diarized_json":
        return {
            "task": "transcribe",
            "duration": heard.duration_s,
            "text": heard.text,
            "segments": [_spoken_by(heard)],
            "usage": _usage(heard),
        }
    reply = {"text": heard.text}
    if heard.task == "translate":
        return reply
    if "logprobs" in heard.form.lists.get("include", ()) and not heard.model.startswith("whisper"):
        reply["logprobs"] = _logprobs(heard, tokens.pieces(heard.text))
    reply["usage"] = _usage(heard)
    return reply


def _segment(heard: _Transcript) -> dict[str, Any]:
    return {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": heard.duration_s,
        "text": heard.text,
        "tokens": [50364 + place for place in range(tokens.count(heard.text))],
        "temperature": 0.0,
        "avg_logprob": -0.25,
        "compression_ratio": 1.2,
        "no_speech_prob": 0.01,
    }


def _words(heard: _Transcript) -> list[dict[str, Any]]:
    words = heard.text.split()
    each = heard.duration_s / len(words)
    return [
        {"word": word.strip(".,"), "start": round(place * each, 2), "end": round((place + 1) * each, 2)}
        for place, word in enumerate(words)
    ]


def _spoken_by(heard: _Transcript) -> dict[str, Any]:
    return {
        "type": "transcript.text.segment",
        "id": "seg_0",
        "speaker": (heard.form.lists.get("known_speaker_names") or ["A"])[0],
        "start": 0.0,
        "end": heard.duration_s,
        "text": heard.text,
    }


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"


_WRITERS = {
    "text": lambda heard: f"{heard.text}\n",
    "srt": lambda heard: f"1\n{_time(0, ',')} --> {_time(heard.duration_s, ',')}\n{heard.text}\n\n\n",
    "vtt": lambda heard: f"WEBVTT\n\n{_time(0, '.')} --> {_time(heard.duration_s, '.')}\n{heard.text}\n\n",
}


def _frames(heard: _Transcript) -> list[Frame]:
    pieces = tokens.pieces(heard.text)
    has_logprobs = "logprobs" in heard.form.lists.get("include", ())
    frames = []
    if "diarize" in heard.model and heard.form.fields.get("response_format") == "diarized_json":
        frames.append(Frame(encode(orjson.dumps(_spoken_by(heard)))))
    for piece in pieces:
        event: dict[str, Any] = {"type": "transcript.text.delta", "delta": piece}
        if has_logprobs:
            event["logprobs"] = _logprobs(heard, [piece])
        frames.append(Frame(encode(orjson.dumps(event)), 1))
    done: dict[str, Any] = {"type": "transcript.text.done", "text": heard.text, "usage": _usage(heard)}
    if has_logprobs:
        done["logprobs"] = _logprobs(heard, pieces)
    frames.append(Frame(encode(orjson.dumps(done))))
    return frames
