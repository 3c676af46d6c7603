"""AWS event-stream frames (`application/vnd.amazon.eventstream`): cut a byte stream into them, read them, build them.

    total u32 | headers u32 | crc32(first 8 bytes) | headers | payload | crc32(all before)        all big-endian
    header = name length u8 | name | type u8 | value

Source: botocore/eventstream.py (1.44.5) and smithy.io "Amazon Event Stream Specification", read November 2026.
"""

from __future__ import annotations

import struct
import uuid
from binascii import crc32
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CONTENT_TYPE = b"application/vnd.amazon.eventstream"

HeaderValue = bool | int | bytes | str | uuid.UUID

_PRELUDE = struct.Struct(">III")
_U32 = struct.Struct(">I")
_U16 = struct.Struct(">H")
_MAX_HEADERS = 128 * 1024
_MAX_PAYLOAD = 24 * 1024 * 1024
_EMPTY: list[bytes] = []


class FrameError(ValueError):
    """Bytes that are not an event stream: a wrong checksum, an impossible length, a broken header."""


class FrameSplitter:
    """Cuts a stream, itself cut anywhere, into whole frames whose checksums hold. Keeps one unfinished frame."""

    __slots__ = ("_buffer", "_need")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._need = _PRELUDE.size

    @property
    def pending_bytes(self) -> int:
        """Bytes of a frame that has begun and not ended; not 0 at the end of a stream means it was cut."""
        return len(self._buffer)

    def rest(self) -> bytes:
        """What was fed and not given back: the frame that has begun, and after a FrameError all from before it on."""
        return bytes(self._buffer)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that `chunk` completes, each with its prelude and checksum. Raises FrameError."""
        buffer = self._buffer
        buffer += chunk
        if len(buffer) < self._need:
            return _EMPTY
        frames = []
        at = 0
        with memoryview(buffer) as view:
            while len(view) - at >= _PRELUDE.size:
                total, headers, prelude_crc = _PRELUDE.unpack_from(view, at)
                if crc32(view[at : at + 8]) != prelude_crc:
                    raise FrameError("the checksum of a frame's prelude is wrong")
                if headers > _MAX_HEADERS or not 16 + headers <= total <= 16 + headers + _MAX_PAYLOAD:
                    raise FrameError(f"a frame of {total} bytes with {headers} bytes of headers is impossible")
                end = at + total
                if len(view) < end:
                    self._need = total
                    break
                if crc32(view[at : end - 4]) != _U32.unpack_from(view, end - 4)[0]:
                    raise FrameError("the checksum of a frame is wrong")
                frames.append(bytes(view[at:end]))
                at = end
            else:
                self._need = _PRELUDE.size
        del buffer[:at]
        return frames


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame."""

    headers: Mapping[str, HeaderValue]
    payload: bytes

    @property
    def message_type(self) -> str:
        """ "event", "exception" or "error"; "" when the frame does not say."""
        return self._text(":message-type")

    @property
    def event_type(self) -> str:
        """The kind of an event ("contentBlockDelta", "chunk") or of an exception ("throttlingException"), else ""."""
        return self._text(":event-type") or self._text(":exception-type") or self._text(":error-code")

    def _text(self, name: str) -> str:
        value = self.headers.get(name)
        return value if isinstance(value, str) else ""


def header_block(frame: bytes) -> bytes:
    """A whole frame's encoded headers: cheap to search when only one of them matters."""
    return frame[12 : 12 + _U32.unpack_from(frame, 4)[0]]


def payload(frame: bytes) -> bytes:
    """A whole frame's payload."""
    return frame[12 + _U32.unpack_from(frame, 4)[0] : -4]


def parse(frame: bytes) -> Frame:
    """Decodes one whole frame as `FrameSplitter` gives it. Raises FrameError when its headers are broken."""
    block = header_block(frame)
    headers: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(block):
            name_end = at + 1 + block[at]
            name = block[at + 1 : name_end].decode()
            headers[name], at = _read_value(block, name_end)
    except (IndexError, struct.error, ValueError) as error:
        raise FrameError("a frame's headers are broken") from error
    if at != len(block):
        raise FrameError("a frame's headers are broken")
    return Frame(headers, payload(frame))


def _read_value(block: bytes, at: int) -> tuple[HeaderValue, int]:
    kind = block[at]
    at += 1
    if kind <= 1:
        return kind == 0, at
    if kind in _INTEGERS:
        size = _INTEGERS[kind]
        _require(block, at + size)
        return int.from_bytes(block[at : at + size], "big", signed=True), at + size
    if kind == 9:
        _require(block, at + 16)
        return uuid.UUID(bytes=block[at : at + 16]), at + 16
    if kind not in (6, 7):
        raise FrameError(f"a frame's header has the unknown type {kind}")
    end = at + 2 + _U16.unpack_from(block, at)[0]
    _require(block, end)
    value = block[at + 2 : end]
    return (value if kind == 6 else value.decode()), end


_INTEGERS = {2: 1, 3: 2, 4: 4, 5: 8, 8: 8}  # type -> bytes; 8 is a timestamp in milliseconds


def _require(block: bytes, end: int) -> None:
    if end > len(block):
        raise FrameError("a frame's headers are broken")


def build(headers: Sequence[tuple[str, str]], payload: bytes = b"") -> bytes:
    """One frame with string headers, which are the only kind Bedrock sends."""
    block = bytearray()
    for name, value in headers:
        raw_name, raw_value = name.encode(), value.encode()
        block.append(len(raw_name))
        block += raw_name
        block.append(7)
        block += _U16.pack(len(raw_value))
        block += raw_value
    return _framed(block, payload)


def with_payload(frame: bytes, payload: bytes) -> bytes:
    """A whole frame with another payload: its headers as they are, lengths and checksums new."""
    return _framed(header_block(frame), payload)


def _framed(block: bytes | bytearray, payload: bytes) -> bytes:
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    frame = prelude + _U32.pack(crc32(prelude)) + block + payload
    return frame + _U32.pack(crc32(frame))


def build_event(event_type: str, payload: bytes, content_type: str = "application/json") -> bytes:
    """One event, headers in the order Bedrock sends them."""
    return build(((":event-type", event_type), (":content-type", content_type), (":message-type", "event")), payload)


def build_exception(exception_type: str, payload: bytes, content_type: str = "application/json") -> bytes:
    """A modelled error inside a stream: "throttlingException" and `{"message": ...}`."""
    return build(
        ((":exception-type", exception_type), (":content-type", content_type), (":message-type", "exception")), payload
    )


def build_error(code: str, message: str) -> bytes:
    """An error inside a stream that no service model names; it has no payload."""
    return build(((":error-code", code), (":error-message", message), (":message-type", "error")))
