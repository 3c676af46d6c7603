"""Content codings: incremental decoders for gzip, deflate, br and zstd, and what a client's Accept-Encoding allows."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

import brotli
import zstandard

MOST_DECODED_BYTES = 512 * 1024 * 1024
"""A body that decodes to more is not decoded: a few kilobytes can hold gigabytes."""

_ZSTD_WINDOW_BYTES = 128 * 1024 * 1024  # what `zstd --long=27` writes; RFC 9659 allows 8 MiB on the web


class DecodingError(Exception):
    """A body is not in the coding it claims, is cut short, or decodes to too much; or the coding is unknown."""


class Decoder(Protocol):
    """Decodes one body, fed in pieces cut anywhere. Both methods raise DecodingError."""

    def feed(self, data: bytes) -> bytes:
        """What can be decoded so far, perhaps nothing."""
        ...

    def finish(self) -> bytes:
        """The rest. Raises DecodingError if the body is cut short."""
        ...


class _Zlib:
    """gzip (of one or several members) and deflate (zlib-wrapped as in RFC 9110, or raw as some servers send it)."""

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16 if is_gzip else zlib.MAX_WBITS)
        self._decoded_bytes = 0
        self._has_begun = False
        self._start = b""  # fewer bytes than it takes to tell wrapped deflate from raw

    def feed(self, data: bytes) -> bytes:
        if self._start:
            data, self._start = self._start + data, b""
        if not data:
            return b""
        is_first, self._has_begun = not self._has_begun, True
        if is_first and len(data) < 2:
            self._start, self._has_begun = data, False
            return b""
        try:
            decoded = self._run(data)
        except zlib.error as error:
            if self._is_gzip or not is_first:
                raise DecodingError(str(error)) from error
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                decoded = self._run(data)
            except zlib.error as second:
                raise DecodingError(str(second)) from second
        return decoded

    def _run(self, data: bytes) -> bytes:
        pieces = []
        while data:
            if self._inflate.eof:
                if not self._is_gzip:
                    break  # trailing bytes, which every decoder ignores
                self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
            room = MOST_DECODED_BYTES - self._decoded_bytes
            piece = self._inflate.decompress(data, room + 1)
            self._decoded_bytes += len(piece)
            if self._decoded_bytes > MOST_DECODED_BYTES:
                raise DecodingError("the body decodes to too much")
            pieces.append(piece)
            data = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def finish(self) -> bytes:
        if self._start or (self._has_begun and not self._inflate.eof):
            raise DecodingError("the body is cut short")
        return b""


class _Brotli:
    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()
        self._decoded_bytes = 0
        self._has_begun = False

    def feed(self, data: bytes) -> bytes:
        pieces = []
        self._has_begun = self._has_begun or bool(data)
        try:
            while True:
                piece: bytes = self._decompressor.process(data, output_buffer_limit=1 << 20)
                pieces.append(piece)
                self._decoded_bytes += len(piece)
                if self._decoded_bytes > MOST_DECODED_BYTES:
                    raise DecodingError("the body decodes to too much")
                if self._decompressor.can_accept_more_data():
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
                data = b""
        except brotli.error as error:
            raise DecodingError(str(error)) from error

    def finish(self) -> bytes:
        if self._has_begun and not self._decompressor.is_finished():
            raise DecodingError("the body is cut short")
        return b""


class _Zstd:
    """One or several frames. Fed in small steps, because the library has no limit on what one call returns."""

    _STEP_BYTES = 4096

    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
        self._frame = self._decompressor.decompressobj()
        self._decoded_bytes = 0
        self._has_begun = False

    def feed(self, data: bytes) -> bytes:
        pieces = []
        self._has_begun = self._has_begun or bool(data)
        try:
            for start in range(0, len(data), self._STEP_BYTES):
                step = data[start : start + self._STEP_BYTES]
                while step:
                    if self._frame.eof:
                        self._frame = self._decompressor.decompressobj()
                    piece = self._frame.decompress(step)
                    pieces.append(piece)
                    self._decoded_bytes += len(piece)
                    if self._decoded_bytes > MOST_DECODED_BYTES:
                        raise DecodingError("the body decodes to too much")
                    step = self._frame.unused_data if self._frame.eof else b""
        except zstandard.ZstdError as error:
            raise DecodingError(str(error)) from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def finish(self) -> bytes:
        if self._has_begun and not self._frame.eof:
            raise DecodingError("the body is cut short")
        return b""


class _Chain:
    """Several codings, the last one applied first."""

    def __init__(self, decoders: list[Decoder]) -> None:
        self._decoders = decoders

    def feed(self, data: bytes) -> bytes:
        for decoder in self._decoders:
            data = decoder.feed(data)
        return data

    def finish(self) -> bytes:
        data = b""
        for decoder in self._decoders:
            data = decoder.feed(data) + decoder.finish()
        return data


_DECODERS: dict[bytes, Callable[[], Decoder]] = {
    b"gzip": lambda: _Zlib(is_gzip=True),
    b"x-gzip": lambda: _Zlib(is_gzip=True),
    b"deflate": lambda: _Zlib(is_gzip=False),
    b"br": _Brotli,
    b"zstd": _Zstd,
}


@lru_cache(maxsize=64)
def codings(content_encoding: bytes) -> tuple[bytes, ...]:
    """The codings of a Content-Encoding value in the order they were applied, lower case, without `identity`."""
    names = (name.strip().lower() for name in content_encoding.split(b","))
    return tuple(name for name in names if name and name != b"identity")


def make_decoder(content_encoding: bytes) -> Decoder | None:
    """A decoder for a Content-Encoding value, None when the body is not encoded. Raises DecodingError for an unknown
    coding."""
    applied = codings(content_encoding)
    if not applied:
        return None
    try:
        decoders: list[Decoder] = [_DECODERS[name]() for name in reversed(applied)]
    except KeyError as error:
        raise DecodingError(f"unknown content coding {error.args[0].decode('latin-1')!r}") from None
    return decoders[0] if len(decoders) == 1 else _Chain(decoders)


@lru_cache(maxsize=256)
def _accepted(accept_encoding: bytes) -> tuple[Mapping[bytes, bool], bool]:
    """What an Accept-Encoding value says of the codings it names, and of all others. Source: RFC 9110 section
    12.5.3."""
    named: dict[bytes, bool] = {}
    for item in accept_encoding.lower().split(b","):
        name, _, parameters = item.partition(b";")
        key, _, value = parameters.partition(b"=")
        try:
            is_accepted = key.strip() != b"q" or float(value) > 0
        except ValueError:
            is_accepted = False
        if name.strip():
            named[name.strip()] = is_accepted
    return named, named.get(b"*", False)


def accepts(accept_encoding: bytes | None, content_encoding: bytes) -> bool:
    """Whether a client with this Accept-Encoding can read a body with this Content-Encoding.

    One that sends no Accept-Encoding (None) is taken to read plain bodies only: such clients do not decode.
    """
    applied = codings(content_encoding)
    if not applied:
        return True
    if accept_encoding is None:
        return False
    named, others = _accepted(accept_encoding)
    return all(named.get(name, named.get(b"gzip", others) if name == b"x-gzip" else others) for name in applied)
