"""A replay is the reply that was recorded: byte for byte, chunk for chunk, or decoded for who needs that."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from proxies.dataplane.config import Pace, PaceKind
from proxies.dataplane.replay import Replay, make_replay
from proxies.dataplane.stores.base import Recording

frames = st.lists(st.binary(min_size=1, max_size=50), max_size=8)
TYPE = (b"content-type", b"text/event-stream")


def recording(*body: bytes, headers: tuple[tuple[bytes, bytes], ...] = (TYPE,), **changes: Any) -> Recording:
    values: dict[str, Any] = {"delays_ms": tuple(range(100, 100 + len(body))), "is_streaming": True, "recorded_at": 0.0}
    return Recording(200, headers, body, **(values | changes))


def replayed(*arguments: Any) -> Replay:
    replay = make_replay(*arguments)
    assert replay is not None
    return replay


@given(frames, st.sampled_from([None, b"gzip", b"identity"]), st.sampled_from(PaceKind))
def test_a_stream_is_replayed_chunk_for_chunk(body: list[bytes], accepted: bytes | None, kind: PaceKind) -> None:
    replay = replayed(recording(*body), accepted, Pace(kind, 1, 2))
    assert list(replay.frames) == body
    assert (replay.status, replay.headers) == (200, [TYPE])
    assert replay.body == (body[0] if len(body) == 1 else None if body else b"")


@given(frames)
def test_a_reply_with_a_length_goes_out_in_one_piece(body: list[bytes]) -> None:
    headers = (TYPE, (b"content-length", b"%d" % sum(map(len, body))))
    replay = replayed(recording(*body, headers=headers), None)
    assert replay.body == b"".join(body)
    assert replay.headers == list(headers)


CODINGS = {
    b"gzip": lambda: zlib.compressobj(wbits=31),
    b"deflate": lambda: zlib.compressobj(wbits=15),
    b"br": brotli.Compressor,
    b"zstd": lambda: zstandard.ZstdCompressor().compressobj(),
}


def encoded(coding: bytes, body: list[bytes]) -> list[bytes]:
    """Each frame flushed by itself, as streaming servers do."""
    packer = CODINGS[coding]()
    sync: tuple[Any, ...] = {b"br": (), b"zstd": (zstandard.COMPRESSOBJ_FLUSH_BLOCK,)}.get(coding, (zlib.Z_SYNC_FLUSH,))
    pack = packer.process if coding == b"br" else packer.compress
    out = [pack(frame) + packer.flush(*sync) for frame in body]
    return [*out, packer.finish() if coding == b"br" else packer.flush()]


@pytest.mark.parametrize("coding", CODINGS)
@given(body=st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=6))
def test_an_encoded_stream_is_decoded_frame_by_frame_for_a_client_that_needs_it(
    coding: bytes, body: list[bytes]
) -> None:
    headers = (TYPE, (b"content-encoding", coding), (b"vary", b"accept-encoding"))
    packed = recording(*encoded(coding, body), headers=headers)
    same = replayed(packed, coding)
    assert same.headers == list(headers)
    assert list(same.frames) == list(packed.frames)
    plain = replayed(packed, b"identity", Pace(PaceKind.RECORDED))
    assert plain.headers == [TYPE, (b"vary", b"accept-encoding")]
    assert list(plain.frames) == body
    assert plain.delays_s is not None
    assert len(plain.delays_s) == len(body)


def test_the_length_of_a_decoded_reply_is_its_own() -> None:
    packed = gzip.compress(b"hello" * 100)
    headers = ((b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(packed)))
    replay = replayed(recording(packed[:10], packed[10:], headers=headers), None)
    assert replay.body == b"hello" * 100
    assert replay.headers == [(b"content-length", b"500")]


def test_a_frame_that_decodes_to_nothing_yet_lends_its_delay_to_the_next() -> None:
    packed = gzip.compress(b"hello")
    pieces = recording(
        packed[:5], packed[5:10], packed[10:], headers=((b"content-encoding", b"gzip"),), delays_ms=(10, 20, 30)
    )
    replay = replayed(pieces, b"", Pace(PaceKind.RECORDED))
    assert b"".join(replay.frames) == b"hello"
    assert replay.delays_s is not None
    assert replay.delays_s[0] == pytest.approx(0.06)


@pytest.mark.parametrize("body", [b"not gzip at all", gzip.compress(b"x" * 100, mtime=0)[:-4]])
def test_a_recording_that_cannot_be_decoded_answers_nobody_who_needs_that(body: bytes) -> None:
    packed = recording(body, headers=((b"content-encoding", b"gzip"),))
    assert make_replay(packed, b"identity") is None
    assert replayed(packed, b"gzip").body == body


def test_an_unknown_coding_answers_only_who_accepts_it() -> None:
    packed = recording(b"x", headers=((b"content-encoding", b"dcb"),))
    assert make_replay(packed, b"gzip") is None
    assert replayed(packed, b"gzip, dcb").body == b"x"


@pytest.mark.parametrize(
    ("pace", "expected"),
    [
        (Pace(), None),
        (Pace(PaceKind.FIXED, 1.5, 9), [1.5, 0.0, 0.0]),
        (Pace(PaceKind.RANDOM, 1.0, 3.0), [2.5, 0.0, 0.0]),
        (Pace(PaceKind.RECORDED), [0.1, 0.101, 0.102]),
    ],
)
def test_every_pace_waits_as_it_says(pace: Pace, expected: list[float] | None) -> None:
    replay = replayed(recording(b"1", b"2", b"3"), None, pace, lambda: 0.75)
    assert replay.delays_s == expected
    assert replay.delay_before_head_s == (expected[0] if expected else 0.0)


async def test_frames_come_when_their_time_has_come() -> None:
    slept: list[float | bytes] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    replay = replayed(recording(b"1", b"2", b"3", delays_ms=(500, 20, 0)), None, Pace(PaceKind.RECORDED))
    async for frame in replay.paced_frames(sleep):
        slept.append(frame)
    assert slept == [b"1", 0.02, b"2", b"3"]


def test_a_recorded_pace_keeps_the_chunks_of_a_reply_with_a_length() -> None:
    headers = ((b"content-length", b"2"),)
    replay = replayed(recording(b"1", b"2", headers=headers), None, Pace(PaceKind.RECORDED))
    assert replay.body is None
    assert list(replay.frames) == [b"1", b"2"]


def test_a_reply_without_a_body_is_replayed_without_one() -> None:
    replay = replayed(Recording(204, (), (), (), False, 0.0), None, Pace(PaceKind.FIXED, 2))
    assert (replay.status, replay.body, replay.delay_before_head_s) == (204, b"", 2)
