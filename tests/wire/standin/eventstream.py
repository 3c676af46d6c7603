"""Frames of `application/vnd.amazon.eventstream`.

Source: Amazon Transcribe developer guide, "Event stream encoding", and botocore/eventstream.py 1.44.5, read November
2026: total length, headers length, CRC-32 of those eight bytes, headers, payload, CRC-32 of all before; big-endian.
"""

from __future__ import annotations

import json
import struct
from zlib import crc32

_STRING = 7


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One frame with string headers."""
    encoded = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(encoded) + len(payload), len(encoded))
    body = prelude + struct.pack("!I", crc32(prelude)) + encoded + payload
    return body + struct.pack("!I", crc32(body))


def event(event_type: str, value: object) -> bytes:
    """An event frame with a JSON payload."""
    headers = {":event-type": event_type, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps(value).encode())


def exception(exception_type: str, message: str) -> bytes:
    """An exception frame: how Bedrock reports trouble after the 200."""
    headers = {
        ":exception-type": exception_type,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return frame(headers, json.dumps({"message": message}).encode())
