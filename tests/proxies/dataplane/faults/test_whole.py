"""Replies that are waited for before anything is done to them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from providers.base import Header
from proxies.dataplane.delivery import Reply
from proxies.dataplane.errors import ErrorKind, UpstreamError
from proxies.dataplane.faults import whole
from proxies.dataplane.faults.whole import make_whole

JSON: list[Header] = [(b"Content-Type", b"application/json; charset=utf-8")]


class Source:
    """A body in pieces that knows whether it was closed."""

    def __init__(self, *pieces: bytes, fails: Exception | None = None) -> None:
        self.taken = 0
        self.is_closed = False
        self.body = self._give(pieces, fails)

    async def _give(self, pieces: tuple[bytes, ...], fails: Exception | None) -> AsyncGenerator[bytes, None]:
        try:
            for piece in pieces:
                self.taken += 1
                yield piece
            if fails is not None:
                raise fails
        finally:
            self.is_closed = True


async def test_json_on_its_way_becomes_one_piece() -> None:
    reply = await make_whole(Reply(200, JSON, Source(b"", b'{"a"', b": 1}").body))
    assert (reply.status, reply.headers, reply.body) == (200, JSON, b'{"a": 1}')


async def test_what_is_whole_already_or_no_json_is_not_touched() -> None:
    source = Source(b"sound")
    for given in (Reply(200, JSON, b"{}"), Reply(200, [(b"content-type", b"audio/mpeg")], source.body)):
        assert await make_whole(given) is given
    assert source.taken == 0


async def test_a_long_one_goes_on_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "MOST_BYTES", 4)
    source = Source(b"[1,", b"2,", b"3", b"]")
    reply = await make_whole(Reply(200, JSON, source.body))
    assert source.taken == 2
    assert not isinstance(reply.body, bytes)
    assert [piece async for piece in reply.body] == [b"[1,", b"2,", b"3", b"]"]


async def test_a_reply_its_upstream_breaks_off_breaks_off_at_the_same_place() -> None:
    source = Source(b"[1,", b"2", fails=UpstreamError(ErrorKind.UPSTREAM_CUT, "cut", is_retryable=False))
    reply = await make_whole(Reply(200, JSON, source.body))
    assert not isinstance(reply.body, bytes)
    assert [await anext(reply.body), await anext(reply.body)] == [b"[1,", b"2"]
    with pytest.raises(UpstreamError):
        await anext(reply.body)
    assert source.is_closed


async def test_a_body_that_fails_says_so_and_is_closed() -> None:
    source = Source(b"{", fails=ConnectionError())
    with pytest.raises(ConnectionError):
        await make_whole(Reply(200, JSON, source.body))
    assert source.is_closed
