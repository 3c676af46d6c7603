"""Event-stream frames at little cost: one template per kind of event, only the payload differs.

Source: layout and checksums as in `providers.wire.event_stream`; the padding member `p` as Bedrock sends it, against
the guessing of texts by the sizes of frames.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from binascii import crc32

from providers.wire.event_stream import CONTENT_TYPE as CONTENT_TYPE

_pack = struct.Struct(">I").pack
_PRELUDE = struct.Struct(">II")
_KEPT = 1024
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
PADDINGS = tuple(_LETTERS[: 1 + place % len(_LETTERS)] for place in range(256))
"""The padding for each value of a byte."""


class Framer:
    """Frames of one kind of event."""

    __slots__ = ("_block", "_starts")

    def __init__(self, event_type: str, content_type: str = "application/json") -> None:
        named = ((":event-type", event_type), (":content-type", content_type), (":message-type", "event"))
        self._block = b"".join(
            struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(value)) + value.encode()
            for name, value in named
        )
        self._starts: dict[int, tuple[bytes, int]] = {}  # by the payload's length: what stands before it, its checksum

    def frame(self, payload: bytes) -> bytes:
        """One whole frame."""
        size = len(payload)
        start, checksum = self._starts.get(size) or self._start(size)
        return start + payload + _pack(crc32(payload, checksum))

    def _start(self, size: int) -> tuple[bytes, int]:
        prelude = _PRELUDE.pack(16 + len(self._block) + size, len(self._block))
        start = prelude + _pack(crc32(prelude)) + self._block
        made = (start, crc32(start))
        if size < _KEPT:
            self._starts[size] = made
        return made


_CHUNK = Framer("chunk")


def chunk(event: bytes, padding: bytes) -> bytes:
    """A model's own event as InvokeModelWithResponseStream wraps it."""
    return _CHUNK.frame(b'{"bytes":"%b","p":"%b"}' % (b64encode(event), padding))
