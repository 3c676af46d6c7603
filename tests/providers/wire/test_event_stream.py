"""AWS event-stream frames: what botocore reads we read, what we build botocore reads, wherever a stream is cut."""

from __future__ import annotations

import uuid
from itertools import pairwise

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from providers.wire import event_stream
from providers.wire.event_stream import FrameError, FrameSplitter

# Captured from botocore 1.44.5 against a loopback server: one ConverseStream event.
CAPTURED = bytes.fromhex(
    "0000009800000057715b77ef"
    "0b3a6576656e742d74797065070011636f6e74656e74426c6f636b44656c7461"
    "0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e"
    "0d3a6d6573736167652d747970650700056576656e74"
    "7b22636f6e74656e74426c6f636b496e646578223a20302c202264656c7461223a207b2274657874223a20224869227d7d"
    "28f0287b"
)  # fmt: skip


def botocore_reads(data: bytes) -> list[tuple[dict[str, object], bytes]]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [(event.headers, event.payload) for event in buffer]


def test_captured_frame_is_read_and_built_again_byte_for_byte() -> None:
    (frame,) = FrameSplitter().feed(CAPTURED)
    decoded = event_stream.parse(frame)
    assert decoded.message_type == "event"
    assert decoded.event_type == "contentBlockDelta"
    assert decoded.payload == b'{"contentBlockIndex": 0, "delta": {"text": "Hi"}}'
    assert event_stream.build_event("contentBlockDelta", decoded.payload) == CAPTURED


def test_frames_we_build_are_read_by_botocore() -> None:
    frames = [
        event_stream.build_event("chunk", b'{"bytes":"aGk="}'),
        event_stream.build_exception("throttlingException", b'{"message":"slow down"}'),
        event_stream.build_error("internalError", "boom"),
    ]
    headers = [found[0] for found in botocore_reads(b"".join(frames))]
    assert headers[0] == {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    assert headers[1][":exception-type"] == "throttlingException"
    assert headers[2] == {":error-code": "internalError", ":error-message": "boom", ":message-type": "error"}
    kinds = [event_stream.parse(frame) for frame in frames]
    assert [(kind.message_type, kind.event_type) for kind in kinds] == [
        ("event", "chunk"), ("exception", "throttlingException"), ("error", "internalError"),
    ]  # fmt: skip


payloads = st.lists(st.binary(max_size=300), min_size=1, max_size=6)


@given(payloads, st.lists(st.integers(min_value=0, max_value=3000), max_size=12))
def test_frames_are_the_same_wherever_the_stream_is_cut(contents: list[bytes], cuts: list[int]) -> None:
    frames = [event_stream.build_event("chunk", content) for content in contents]
    data = b"".join(frames)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    splitter = FrameSplitter()
    found = [frame for start, end in pairwise(edges) for frame in splitter.feed(data[start:end])]
    assert found == frames
    assert splitter.pending_bytes == 0
    assert [event_stream.payload(frame) for frame in found] == contents


@given(st.integers(min_value=0, max_value=len(CAPTURED) - 1), st.integers(min_value=1, max_value=255))
def test_any_flipped_byte_is_noticed(position: int, mask: int) -> None:
    damaged = bytearray(CAPTURED)
    damaged[position] ^= mask
    splitter = FrameSplitter()
    try:
        assert splitter.feed(bytes(damaged)) == []
    except FrameError:
        return
    assert splitter.pending_bytes > 0


def test_a_wrong_length_is_noticed_before_its_bytes_are_waited_for() -> None:
    damaged = bytes([0, 1]) + CAPTURED[2:]
    with pytest.raises(FrameError, match="prelude"):
        FrameSplitter().feed(damaged[:12])


def test_half_a_frame_stays_pending() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(CAPTURED + CAPTURED[:100]) == [CAPTURED]
    assert splitter.pending_bytes == 100
    assert splitter.feed(CAPTURED[100:]) == [CAPTURED]


def test_impossible_lengths_are_refused_before_anything_is_held() -> None:
    from binascii import crc32

    prelude = (2**31).to_bytes(4, "big") + (4).to_bytes(4, "big")
    with pytest.raises(FrameError, match="impossible"):
        FrameSplitter().feed(prelude + crc32(prelude).to_bytes(4, "big"))
    prelude = (20).to_bytes(4, "big") + (100).to_bytes(4, "big")
    with pytest.raises(FrameError, match="impossible"):
        FrameSplitter().feed(prelude + crc32(prelude).to_bytes(4, "big"))


def frame_with_headers(block: bytes) -> bytes:
    """A frame whose header block is `block` and whose checksums hold."""
    from binascii import crc32

    prelude = (16 + len(block)).to_bytes(4, "big") + len(block).to_bytes(4, "big")
    frame = prelude + crc32(prelude).to_bytes(4, "big") + block
    return frame + crc32(frame).to_bytes(4, "big")


def test_every_header_type_is_read() -> None:
    key = uuid.UUID(int=7)
    block = (
        b"\x01a\x00" b"\x01b\x01" b"\x01c\x02\xff" b"\x01d\x03\x01\x00" b"\x01e\x04\x00\x00\x00\x05"
        b"\x01f\x05" + (9).to_bytes(8, "big") + b"\x01g\x06\x00\x02\x00\xff" b"\x01h\x07\x00\x01x"
        b"\x01i\x08" + (1000).to_bytes(8, "big") + b"\x01j\x09" + key.bytes
    )  # fmt: skip
    frame = frame_with_headers(block)
    (same,) = FrameSplitter().feed(frame)
    assert dict(event_stream.parse(same).headers) == {
        "a": True, "b": False, "c": -1, "d": 256, "e": 5, "f": 9, "g": b"\x00\xff", "h": "x", "i": 1000, "j": key,
    }  # fmt: skip


@pytest.mark.parametrize("block", [b"\x05ab", b"\x01a\x07\x00\x09x", b"\x01a\x63", b"\x01a\x04\x00", b"\x01a"])
def test_broken_headers_raise_a_frame_error(block: bytes) -> None:
    with pytest.raises(FrameError):
        event_stream.parse(frame_with_headers(block))


def test_another_payload_keeps_the_headers_byte_for_byte() -> None:
    changed = event_stream.with_payload(CAPTURED, b'{"other":1}')
    (same,) = FrameSplitter().feed(changed)
    assert event_stream.header_block(same) == event_stream.header_block(CAPTURED)
    assert event_stream.payload(same) == b'{"other":1}'
    assert event_stream.with_payload(changed, event_stream.payload(CAPTURED)) == CAPTURED


def test_what_was_fed_and_not_given_back_can_be_had() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(CAPTURED + CAPTURED[:20]) == [CAPTURED]
    assert splitter.rest() == CAPTURED[:20]
    with pytest.raises(FrameError):
        splitter.feed(b"\xff" * 200)
    assert splitter.rest() == CAPTURED[:20] + b"\xff" * 200
