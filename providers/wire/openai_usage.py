"""Usage in OpenAI-shaped replies: JSON bodies and streams of OpenAI, Azure OpenAI and compatible routes elsewhere.

Source: openai-python 3.54.0 `types/completion_usage.py`, `types/responses/response_usage.py`,
`types/images_response.py`, `types/audio/transcription.py`, read November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from providers.base import Header, Usage, UsageReader
from providers.wire.json_body import JsonReader, count, is_json, is_not_error, mapping, media_type, number, text
from providers.wire.sse import Event, SseReader

_LOOK_BACK_EVENTS = 16
_WHOLE_STATUSES = (None, "completed", "incomplete")
_DONE = b"[DONE]"
_MEDIA_FLAVORS = ("speech", "transcription")


def usage_reader(flavor: str, headers: Sequence[Header], *, is_streaming: bool) -> UsageReader | None:
    """The reader for a 2xx reply of a known flavor ("chat", "responses", "embeddings", "images", "transcription",
    "speech", "count", "plain").

    None for audio and plain transcripts. A reply without a content type is taken for what was asked; any other type
    should be JSON, whatever it says, and is not whole if it is not (the HTML page of something in between).
    """
    kind = media_type(headers)
    if kind == b"text/event-stream" or (not kind and is_streaming):
        return _STREAMS.get(flavor, ChatStream)()
    if flavor in _MEDIA_FLAVORS and kind and not is_json(headers):
        return None
    return JsonReader(_BODIES.get(flavor, body_usage), is_finished)


def body_usage(body: Any) -> Usage:
    """Usage of a reply body: `usage` in either of OpenAI's two spellings, `model`, `service_tier`."""
    body = mapping(body)
    usage = mapping(body, "usage")
    read = _chat_usage if "prompt_tokens" in usage else _input_usage
    return read(usage, body)


def embeddings_usage(body: Any) -> Usage:
    """Usage of an embeddings reply: it has no output tokens."""
    body = mapping(body)
    tokens = count(mapping(body, "usage").get("prompt_tokens"))
    return Usage(input_tokens=tokens, output_tokens=None if tokens is None else 0, model=text(body.get("model")))


def counted_usage(body: Any) -> Usage:
    """Usage of a reply that only counts tokens: the count stands for the input."""
    tokens = count(mapping(body).get("input_tokens"))
    return Usage(input_tokens=tokens, output_tokens=None if tokens is None else 0)


def is_finished(body: Any) -> bool:
    """False for an error, and for a response object that is still queued, running, cancelled or failed."""
    return is_not_error(body) and mapping(body).get("status") in _WHOLE_STATUSES


def _chat_usage(usage: Mapping[str, Any], body: Mapping[str, Any]) -> Usage:
    input_details = mapping(usage, "prompt_tokens_details")
    output_details = mapping(usage, "completion_tokens_details")
    return Usage(
        input_tokens=count(usage.get("prompt_tokens")),
        output_tokens=count(usage.get("completion_tokens")),
        cached_tokens=count(input_details.get("cached_tokens")),
        cache_write_tokens=count(input_details.get("cache_write_tokens")),
        reasoning_tokens=count(output_details.get("reasoning_tokens")),
        model=text(body.get("model")),
        service_tier=text(body.get("service_tier")),
        details=_details(body, input_details, output_details),
    )


def _input_usage(usage: Mapping[str, Any], body: Mapping[str, Any]) -> Usage:
    # Transcriptions spell it input_token_details.
    input_details = mapping(usage, "input_tokens_details") or mapping(usage, "input_token_details")
    output_details = mapping(usage, "output_tokens_details")
    details = _details(body, input_details, output_details)
    seconds = number(usage.get("seconds"))
    if seconds and usage.get("type") == "duration":
        details["input_audio_seconds"] = seconds
    return Usage(
        input_tokens=count(usage.get("input_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        cached_tokens=count(input_details.get("cached_tokens")),
        cache_write_tokens=count(input_details.get("cache_write_tokens")),
        reasoning_tokens=count(output_details.get("reasoning_tokens")),
        model=text(body.get("model")),
        service_tier=text(body.get("service_tier")),
        details=details,
    )


def _details(body: Mapping[str, Any], of_input: Mapping[str, Any], of_output: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, Any] = {
        "input_audio_tokens": of_input.get("audio_tokens"),
        "input_image_tokens": of_input.get("image_tokens"),
        "output_audio_tokens": of_output.get("audio_tokens"),
        "output_image_tokens": of_output.get("image_tokens"),
    }
    # Kept longer at another price, which the price library does not know.
    found["cache_write_12h_tokens"] = mapping(of_input, "cache_write_tokens_details").get("ttl_12h_tokens")
    tools = mapping(body, "tool_usage")
    if tools:
        found["web_searches"] = mapping(tools, "web_search").get("num_requests")
        # Charged at the prices of an image model the reply does not name.
        found["image_generation_tokens"] = mapping(tools, "image_gen").get("total_tokens")
    return {name: value for name, value in found.items() if count(value)}


class ChatStream(SseReader):
    """Chat completions and completions: usage in the last chunk if it was asked for; the end is `data: [DONE]`."""

    __slots__ = ()

    def read(self) -> tuple[Usage, bool]:
        has_end = False
        best = Usage()
        for position, event in enumerate(islice(self.last(), _LOOK_BACK_EVENTS)):
            if event.data.startswith(_DONE):
                has_end = has_end or position == 0
                continue
            if best.model and best.service_tier and b'"usage"' not in event.data:
                continue
            body = event.object("usage", "model", "service_tier")
            usage = body_usage(body)
            if usage.input_tokens is not None or usage.output_tokens is not None:
                return _named(usage, best), has_end
            best = _named(best, usage)
        return best, has_end


def _named(usage: Usage, other: Usage) -> Usage:
    """`usage` with the model and service tier of `other` where it names none."""
    if usage.model and usage.service_tier:
        return usage
    return replace(usage, model=usage.model or other.model, service_tier=usage.service_tier or other.service_tier)


class TypedStream(SseReader):
    """Streams whose data names its type; the last event is of an `ENDS` type and holds the usage."""

    __slots__ = ()
    ENDS: tuple[str, ...] = ()

    def read(self) -> tuple[Usage, bool]:
        event = next(self._without_done(), None)
        if event is None:
            return Usage(), False
        body = event.object("usage")
        return body_usage(body), _type_of(event, body, self.opened()) in self.ENDS

    def _without_done(self) -> Iterator[Event]:
        return (event for event in self.last() if not event.data.startswith(_DONE))


class ResponsesStream(TypedStream):
    """Responses: the terminal event holds the whole response, usage included. Some servers add a `[DONE]`."""

    __slots__ = ()
    ENDS = ("response.completed", "response.incomplete")

    def read(self) -> tuple[Usage, bool]:
        event = next(self._without_done(), None)
        if event is None:
            return Usage(), False
        body = event.object("usage", "model", "service_tier", "tool_usage")
        response = body if event.is_partial else mapping(body, "response")
        usage = body_usage(response)
        if usage.model is None:
            created = next(self.first(), None)
            if created is not None and not created.is_partial:
                usage = _named(usage, Usage(model=text(mapping(created.object(), "response").get("model"))))
        return usage, _type_of(event, body, self.opened()) in self.ENDS and is_finished(response)


class ImageStream(TypedStream):
    __slots__ = ()
    ENDS = ("image_generation.completed", "image_edit.completed")


class TranscriptionStream(TypedStream):
    __slots__ = ()
    ENDS = ("transcript.text.done",)


class SpeechStream(TypedStream):
    __slots__ = ()
    ENDS = ("speech.audio.done",)


_TYPE = re.compile(rb'"type"\s*:\s*"([a-z_.]+)"')


def _type_of(event: Event, body: Mapping[str, Any], opened: bytes) -> str:
    if event.is_partial and not event.name:
        found = _TYPE.search(opened)
        return found[1].decode() if found else ""
    return event.name if event.is_partial or (body and "type" not in body) else str(body.get("type"))


_BODIES: Mapping[str, Callable[[Any], Usage]] = {"embeddings": embeddings_usage, "count": counted_usage}

_STREAMS: Mapping[str, type[SseReader]] = {
    "responses": ResponsesStream,
    "images": ImageStream,
    "transcription": TranscriptionStream,
    "speech": SpeechStream,
}
