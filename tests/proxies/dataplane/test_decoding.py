"""Decoders undo what encoders do, cut anywhere; what is damaged says so."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from proxies.dataplane import decoding
from proxies.dataplane.decoding import DecodingError, accepts, make_decoder


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def gzip_members(data: bytes) -> bytes:
    return gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :])


def zstd_frames(data: bytes) -> bytes:
    pack = zstandard.ZstdCompressor().compress
    return pack(data[: len(data) // 2]) + pack(data[len(data) // 2 :])


ENCODERS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "gzip": (b"gzip", gzip.compress),
    "x-gzip": (b"X-GZip", gzip.compress),
    "two gzip members": (b"gzip", gzip_members),
    "deflate": (b"deflate", zlib.compress),
    "raw deflate": (b"deflate", raw_deflate),
    "br": (b"br", brotli.compress),
    "zstd": (b"zstd", zstandard.ZstdCompressor().compress),
    "two zstd frames": (b"zstd", zstd_frames),
    "two codings": (b"gzip, identity, br", lambda data: brotli.compress(gzip.compress(data))),
}


@pytest.mark.parametrize("name", ENCODERS)
@given(data=st.binary(max_size=400), cuts=st.lists(st.integers(0, 500), max_size=6))
def test_a_body_cut_anywhere_decodes_to_what_was_encoded(name: str, data: bytes, cuts: list[int]) -> None:
    coding, encode = ENCODERS[name]
    encoded = encode(data)
    decoder = make_decoder(coding)
    assert decoder is not None
    decoded = b""
    last = 0
    for cut in sorted(cuts):
        decoded += decoder.feed(encoded[last:cut])
        last = max(last, cut)
    assert decoded + decoder.feed(encoded[last:]) + decoder.finish() == data


@pytest.mark.parametrize("name", ENCODERS)
def test_a_body_that_is_cut_short_is_refused(name: str) -> None:
    coding, encode = ENCODERS[name]
    encoded = encode(b"some text " * 100)
    decoder = make_decoder(coding)
    assert decoder is not None
    decoder.feed(encoded[:-3])
    with pytest.raises(DecodingError, match="cut short"):
        decoder.finish()
    started = make_decoder(coding)
    assert started is not None
    assert started.feed(encoded[:1]) == b""
    with pytest.raises(DecodingError, match="cut short"):
        started.finish()


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd"])
def test_a_body_in_another_coding_is_refused(coding: bytes) -> None:
    decoder = make_decoder(coding)
    assert decoder is not None
    with pytest.raises(DecodingError):
        decoder.feed(b'{"this":"is plain"}' * 10) + decoder.finish()


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd"])
def test_an_empty_body_decodes_to_nothing(coding: bytes) -> None:
    decoder = make_decoder(coding)
    assert decoder is not None
    assert decoder.feed(b"") + decoder.finish() == b""


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_given_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MOST_DECODED_BYTES", 100_000)
    coding, encode = ENCODERS[name]
    decoder = make_decoder(coding)
    assert decoder is not None
    with pytest.raises(DecodingError, match="too much"):
        decoder.feed(encode(bytes(10_000_000)))


def test_plain_bodies_need_no_decoder_and_unknown_codings_have_none() -> None:
    assert make_decoder(b"identity") is None
    assert make_decoder(b"") is None
    with pytest.raises(DecodingError, match="compress"):
        make_decoder(b"gzip, compress")


@pytest.mark.parametrize(
    ("accepted", "coding", "expected"),
    [
        (None, b"gzip", False),
        (None, b"identity", True),
        (b"", b"gzip", False),
        (b"identity", b"gzip", False),
        (b"gzip, deflate", b"gzip", True),
        (b"gzip, deflate", b"br", False),
        (b"GZIP;Q=0.5", b"gzip", True),
        (b"gzip;q=0", b"gzip", False),
        (b"gzip;q=0.000, *", b"gzip", False),
        (b"*", b"zstd", True),
        (b"*;q=0", b"zstd", False),
        (b"gzip;q=x", b"gzip", False),
        (b"gzip", b"gzip, br", False),
        (b"gzip, br", b"gzip, br", True),
        (b"gzip", b"x-gzip", True),
        (b"br , gzip ; q=1", b"gzip", True),
    ],
)
def test_accept_encoding_is_read_with_its_weights(accepted: bytes | None, coding: bytes, expected: bool) -> None:
    assert accepts(accepted, coding) is expected
