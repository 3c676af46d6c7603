"""Usage in Bedrock's replies: Converse, InvokeModel by model family, and their event streams.

Source: botocore bedrock-runtime service-2.json (1.44.5) for Converse and the headers; AWS "Inference request parameters
and response fields for foundation models" for the bodies of the families; read November 2026.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from providers.base import Header, Usage, UsageReader
from providers.wire import anthropic_usage, event_stream, openai_usage
from providers.wire.json_body import MISSING, JsonReader, count, is_json, mapping, media_type, parse, text

_EVENT_MARK = b":message-type\x07\x00\x05event"
_METRICS = "amazon-bedrock-invocationMetrics"
_KEPT_FIRST = 2
_KEPT_LAST = 4
_MAX_KEPT_BYTES = 256 * 1024  # a longer frame is content, not usage


def usage_reader(flavor: str, headers: Sequence[Header], *, reads_model: bool) -> UsageReader | None:
    """The reader for a 2xx reply of a flavor: "invoke", "converse", these with "_stream", "count_tokens", "plain".

    `reads_model`: take the model's name from the reply; else it stays None: the id in the path is the exact one.
    """
    if flavor in _STREAMS:
        reader = _STREAMS[flavor](partial(_named, reads_model=reads_model))
        reader.service_tier = _header(headers, b"x-amzn-bedrock-service-tier")
        return reader
    if flavor == "invoke":
        counted = _header_usage(headers)
        if is_json(headers) or not media_type(headers):
            return JsonReader(lambda body: _named(_filled(invoke_usage(body), counted), body, reads_model=reads_model))
        return _HeadersOnly(counted)
    read = _UNARY.get(flavor)
    return JsonReader(read) if read else None


def converse_usage(body: Any) -> Usage:
    """Usage of a Converse reply, of a ConverseStream `metadata` event, and of Nova's InvokeModel bodies."""
    usage = mapping(body, "usage")
    plain = count(usage.get("inputTokens"))
    cached = _first_count(usage, "cacheReadInputTokens", "cacheReadInputTokenCount")
    written = _first_count(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    details = usage.get("cacheDetails")
    one_hour = sum(
        count(entry.get("inputTokens")) or 0
        for entry in (details if isinstance(details, list) else ())
        if isinstance(entry, dict) and entry.get("ttl") == "1h"
    )
    return Usage(
        # inputTokens leaves the prompt cache out
        input_tokens=None if plain is None else plain + (cached or 0) + (written or 0),
        output_tokens=count(usage.get("outputTokens")),
        cached_tokens=cached,
        cache_write_tokens=written,
        service_tier=text(mapping(body, "serviceTier").get("type")),
        details={"cache_write_1h_tokens": one_hour} if one_hour else {},
    )


def invoke_usage(body: Any) -> Usage:
    """Usage of an InvokeModel body, by what its model family writes into it; empty for families that write nothing."""
    body = mapping(body)
    usage = mapping(body, "usage")
    if "input_tokens" in usage:  # Claude
        return replace(anthropic_usage.message_usage(body), model=None)
    if "inputTokens" in usage:  # Nova
        return converse_usage(body)
    if "prompt_tokens" in usage:  # Mistral, Jamba, DeepSeek, Qwen, gpt-oss
        return replace(openai_usage.body_usage(body), model=None)
    if "prompt_token_count" in body:  # Llama
        return Usage(count(body.get("prompt_token_count")), count(body.get("generation_token_count")))
    if "totalOutputTextTokenCount" in body:  # Titan, streamed
        return Usage(count(body.get("inputTextTokenCount")), count(body.get("totalOutputTextTokenCount")))
    if "inputTextTokenCount" in body:  # Titan
        results = body.get("results")
        written = [count(mapping(result).get("tokenCount")) for result in results] if isinstance(results, list) else [0]
        known = [tokens for tokens in written if tokens is not None]
        return Usage(count(body.get("inputTextTokenCount")), sum(known) if len(known) == len(written) else None)
    return Usage()


def _count_tokens_usage(body: Any) -> Usage:
    return Usage(input_tokens=count(mapping(body).get("inputTokens")), output_tokens=0)


def _metrics_usage(metrics: Mapping[str, Any]) -> Usage:
    """What the last chunk of an InvokeModel stream says, the same for all families."""
    plain = count(metrics.get("inputTokenCount"))
    cached = count(metrics.get("cacheReadInputTokenCount"))
    written = count(metrics.get("cacheWriteInputTokenCount"))
    return Usage(
        None if plain is None else plain + (cached or 0) + (written or 0),
        count(metrics.get("outputTokenCount")),
        cached,
        written,
    )


def _header_usage(headers: Sequence[Header]) -> Usage:
    """What the reply headers of an InvokeModel call say, the same for all families."""
    found: dict[bytes, int] = {}
    for name, value in headers:
        if name.startswith(b"x-amzn-bedrock-") and name.endswith(b"-token-count") and value.isdigit():
            found[name[15:-12]] = int(value)
    plain, cached, written = found.get(b"input"), found.get(b"cache-read-input"), found.get(b"cache-write-input")
    return Usage(
        None if plain is None else plain + (cached or 0) + (written or 0),
        found.get(b"output"),
        cached,
        written,
        service_tier=_header(headers, b"x-amzn-bedrock-service-tier"),
    )


def _filled(usage: Usage, other: Usage) -> Usage:
    """`usage`, and what it leaves unknown from `other`. Tokens come from one of the two, never mixed."""
    if usage.input_tokens is None and usage.output_tokens is None:
        return replace(other, service_tier=usage.service_tier or other.service_tier)
    return replace(
        usage,
        input_tokens=other.input_tokens if usage.input_tokens is None else usage.input_tokens,
        output_tokens=other.output_tokens if usage.output_tokens is None else usage.output_tokens,
        service_tier=usage.service_tier or other.service_tier,
    )


def _named(usage: Usage, body: Any, *, reads_model: bool) -> Usage:
    return replace(usage, model=text(mapping(body).get("model"))) if reads_model else usage


def _first_count(usage: Mapping[str, Any], *names: str) -> int | None:
    return next((found for found in (count(usage.get(name)) for name in names) if found is not None), None)


def _header(headers: Sequence[Header], wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in headers if name == wanted and value), None)


_UNARY: Mapping[str, Callable[[Any], Usage]] = {
    "converse": converse_usage,
    "count_tokens": _count_tokens_usage,
    "plain": lambda body: Usage(),
}


class _HeadersOnly:
    """A reply that is not JSON (an image): all that is known stands in its headers."""

    is_whole = True

    def __init__(self, usage: Usage) -> None:
        self._usage = usage

    def feed(self, chunk: bytes) -> None:
        pass

    def finish(self) -> Usage:
        return self._usage


class _FrameReader(ABC):
    """Walks the frames of a stream as they pass, to notice a wrong checksum or an exception; keeps few of them."""

    def __init__(self, name: Callable[[Usage, Any], Usage]) -> None:
        self.is_whole = False
        self.service_tier: str | None = None
        self._name = name
        self._splitter = event_stream.FrameSplitter()
        self._is_broken = False

    def feed(self, chunk: bytes) -> None:
        if self._is_broken:
            return
        try:
            for frame in self._splitter.feed(chunk):
                head = event_stream.header_block(frame)
                if _EVENT_MARK in head:
                    self.take(head, frame)
                else:  # an exception or an error inside the stream
                    self._is_broken = True
        except event_stream.FrameError:
            self._is_broken = True

    @abstractmethod
    def take(self, head: bytes, frame: bytes) -> None:
        """Looks at one whole event; `head` are its encoded headers."""

    @abstractmethod
    def read(self) -> tuple[Usage, bool]:
        """The usage seen, and whether the stream had the end it always has."""

    def finish(self) -> Usage:
        usage, has_end = self.read()
        self.is_whole = has_end and not self._is_broken and self._splitter.pending_bytes == 0
        return usage if usage.service_tier else replace(usage, service_tier=self.service_tier)


class _ConverseStream(_FrameReader):
    """`messageStop` ends the message, `metadata` comes last and holds the usage."""

    def __init__(self, name: Callable[[Usage, Any], Usage]) -> None:
        super().__init__(name)
        self._metadata = b""
        self._has_stopped = False

    def take(self, head: bytes, frame: bytes) -> None:
        if b"\x07\x00\x11contentBlockDelta" in head:
            return
        if b"\x07\x00\x08metadata" in head:
            self._metadata = event_stream.payload(frame)
        elif b"\x07\x00\x0bmessageStop" in head:
            self._has_stopped = True

    def read(self) -> tuple[Usage, bool]:
        return converse_usage(parse(self._metadata)), self._has_stopped and bool(self._metadata)


class _InvokeStream(_FrameReader):
    """Every `chunk` wraps one of the model's own events; the last one carries Bedrock's metrics beside it."""

    def __init__(self, name: Callable[[Usage, Any], Usage]) -> None:
        super().__init__(name)
        self._first: list[bytes] = []
        self._last: list[bytes] = []

    def take(self, head: bytes, frame: bytes) -> None:
        if len(frame) > _MAX_KEPT_BYTES:
            return
        if len(self._first) < _KEPT_FIRST:
            self._first.append(frame)
            return
        self._last.append(frame)
        if len(self._last) > _KEPT_LAST:
            del self._last[0]

    def read(self) -> tuple[Usage, bool]:
        events = [_unwrapped(frame) for frame in self._first + self._last]
        if not events:
            return Usage(), False
        metrics = mapping(events[-1], _METRICS)
        has_end = bool(metrics) or events[-1].get("type") == "message_stop"
        counted = _metrics_usage(metrics)
        message = _first_of(events, "message_start", "message")
        delta = _first_of(events[::-1], "message_delta", "usage")
        if message:
            usage = anthropic_usage.stream_usage(message, delta)
            if not delta:  # the guess that opens the stream
                usage = replace(usage, output_tokens=None)
            return self._name(replace(_filled(usage, counted), model=None), message), has_end
        for event in reversed(events):
            usage = _filled(invoke_usage(event.get("metadata") or event), counted)
            if usage.input_tokens is not None:
                return self._name(usage, event), has_end
        return counted, has_end


def _first_of(events: Sequence[Mapping[str, Any]], kind: str, member: str) -> Mapping[str, Any]:
    return next((mapping(event, member) for event in events if event.get("type") == kind), {})


def _unwrapped(frame: bytes) -> Mapping[str, Any]:
    """The model's own event in a `chunk` frame, empty if there is none."""
    encoded = mapping(parse(event_stream.payload(frame))).get("bytes")
    try:
        event = parse(b64decode(encoded, validate=True)) if isinstance(encoded, str) else MISSING
    except Base64Error:
        event = MISSING
    return mapping(event)


_STREAMS: Mapping[str, type[_FrameReader]] = {"converse_stream": _ConverseStream, "invoke_stream": _InvokeStream}
