"""Readers on a reply's byte stream that change nothing: one for usage, one for the recording."""

from __future__ import annotations

from collections.abc import Callable

from providers.base import Header, Usage, UsageReader
from proxies.dataplane.decoding import Decoder, DecodingError, make_decoder
from proxies.dataplane.exchange import Exchange
from proxies.dataplane.recording import RecordingTap

NO_USAGE = Usage()


class UsageTap:
    """Reads usage from a reply as it passes, decoding its content-encoding on the side."""

    __slots__ = ("_decoder", "_is_readable", "_reader")

    def __init__(self, reader: UsageReader, content_encoding: bytes | None) -> None:
        self._reader = reader
        self._decoder: Decoder | None = None
        self._is_readable = True
        if content_encoding is not None:
            try:
                self._decoder = make_decoder(content_encoding)
            except DecodingError:  # a coding we do not know: nothing to read, and nothing wrong with the reply
                self._is_readable = False

    def feed(self, chunk: bytes) -> None:
        if not self._is_readable:
            return
        if self._decoder is not None:
            try:
                chunk = self._decoder.feed(chunk)
            except DecodingError:
                self._is_readable = False
                return
        self._reader.feed(chunk)

    def finish(self) -> tuple[Usage, bool]:
        """The usage seen so far, and whether that was a whole, successful reply."""
        if not self._is_readable:
            return NO_USAGE, self._decoder is None
        return self._reader.finish(), self._reader.is_whole

    def seems_whole(self) -> bool:
        return self._is_readable and self.finish()[1]


class ReplyTaps:
    """All that is read from one upstream reply: fed each frame once, told once how it ended.

    `usage` is there after `end`. `known_usage`: that of a reply which is known to be whole if it ends cleanly. `commit`
    stores the recording of a reply that ended cleanly and whole.
    """

    __slots__ = (
        "_clock",
        "_commit",
        "_exchange",
        "_known_usage",
        "_recording",
        "_usage",
        "is_ended",
        "size_bytes",
        "usage",
    )

    def __init__(
        self,
        exchange: Exchange,
        usage: UsageTap | None,
        recording: RecordingTap | None,
        commit: Callable[[RecordingTap, Usage], None],
        clock: Callable[[], float],
        known_usage: Usage | None = None,
    ) -> None:
        self._exchange = exchange
        self._usage = usage
        self._recording = recording
        self._commit = commit
        self._clock = clock
        self._known_usage = known_usage
        self.usage = NO_USAGE
        self.is_ended = False
        self.size_bytes = 0

    @property
    def may_be_recorded(self) -> bool:
        """Whether the head allows a recording; a reply that may not be stored may not be shared either."""
        return self._recording is not None

    def seems_whole(self) -> bool:
        """Whether a stream's last event, in the provider's dialect, has passed: nothing but the end should follow."""
        return self.is_ended or (self._usage is not None and self._usage.seems_whole())

    def feed(self, frame: bytes) -> None:
        self.size_bytes += len(frame)
        if self._usage is not None:
            self._usage.feed(frame)
        if self._recording is not None:
            self._recording.feed(frame)

    def end(self, error: BaseException | None) -> None:
        """The reply ended: cleanly (None), or broken off."""
        if self.is_ended:
            return
        self.is_ended = True
        exchange = self._exchange
        exchange.record.upstream_ms = (self._clock() - exchange.upstream_started_at) * 1000
        is_whole = True
        if error is None and self._known_usage is not None:
            self.usage = self._known_usage
        elif self._usage is not None:
            self.usage, is_whole = self._usage.finish()
        if self.usage is not NO_USAGE:
            note_usage(exchange, self.usage)
        if error is None and is_whole and self._recording is not None:
            self._commit(self._recording, self.usage)


def note_usage(exchange: Exchange, usage: Usage) -> None:
    """Puts what a reply used into the exchange's record."""
    record = exchange.record
    record.input_tokens = usage.input_tokens
    record.output_tokens = usage.output_tokens
    record.cached_tokens = usage.cached_tokens
    record.cache_write_tokens = usage.cache_write_tokens
    record.reasoning_tokens = usage.reasoning_tokens
    record.reply_model = usage.model or ""
    record.service_tier = usage.service_tier or ""
    record.usage_details = dict(usage.details)


def content_encoding(headers: list[Header]) -> bytes | None:
    """The content codings of a reply (lower-case header names), None for none."""
    found = [value for name, value in headers if name == b"content-encoding"]
    return b",".join(found) if found else None
