"""Content codings come off a reply before it is damaged, in one piece or chunk by chunk."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncGenerator

import brotli
import pytest
import zstandard

from proxies.dataplane.delivery import Reply
from proxies.dataplane.errors import UpstreamError
from proxies.dataplane.faults.plain import make_plain

TEXT = b'{"id": "c-1", "text": "' + b"some words " * 500 + b'"}'
CODED = {
    b"gzip": gzip.compress(TEXT, mtime=0),
    b"deflate": zlib.compress(TEXT),
    b"br": brotli.compress(TEXT),
    b"zstd": zstandard.compress(TEXT),
    b"gzip, br": brotli.compress(gzip.compress(TEXT, mtime=0)),
}


async def chunks(body: bytes, size: int = 7) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("coding", CODED)
def test_a_whole_body_is_decoded_and_its_length_is_right(coding: bytes) -> None:
    headers = [(b"Content-Encoding", coding), (b"Content-Length", b"9"), (b"x-a", b"1")]
    plain = make_plain(Reply(200, headers, CODED[coding]))
    assert plain is not None
    assert plain.body == TEXT
    assert plain.headers == [(b"x-a", b"1"), (b"content-length", str(len(TEXT)).encode())]


@pytest.mark.parametrize("coding", CODED)
async def test_chunks_are_decoded_as_they_come(coding: bytes) -> None:
    headers = [(b"content-encoding", coding), (b"content-length", b"9"), (b"x-a", b"1")]
    plain = make_plain(Reply(200, headers, chunks(CODED[coding])))
    assert plain is not None
    assert not isinstance(plain.body, bytes)
    assert b"".join([chunk async for chunk in plain.body]) == TEXT
    assert plain.headers == [(b"x-a", b"1")]


@pytest.mark.parametrize("headers", [[], [(b"content-encoding", b"identity")]])
def test_a_body_without_a_coding_is_left_alone(headers: list[tuple[bytes, bytes]]) -> None:
    reply = Reply(200, headers, TEXT)
    assert make_plain(reply) is reply


@pytest.mark.parametrize(
    ("coding", "body"),
    [(b"compress", b"x"), (b"gzip", b"not gzip"), (b"gzip", CODED[b"gzip"][:-9])],
    ids=["unknown", "not gzip", "cut short"],
)
def test_a_body_that_cannot_be_decoded_is_not_to_be_damaged(coding: bytes, body: bytes) -> None:
    assert make_plain(Reply(200, [(b"content-encoding", coding)], body)) is None


@pytest.mark.parametrize("body", [b"this is not gzip", CODED[b"gzip"][:-9]], ids=["not gzip", "cut short"])
async def test_chunks_that_turn_out_to_be_broken_are_the_upstreams_error(body: bytes) -> None:
    plain = make_plain(Reply(200, [(b"content-encoding", b"gzip")], chunks(body)))
    assert plain is not None
    assert not isinstance(plain.body, bytes)
    with pytest.raises(UpstreamError, match="not in the coding it claims"):
        assert [chunk async for chunk in plain.body] == []
