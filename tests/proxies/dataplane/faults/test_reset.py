"""Resets before and behind the head of a reply."""

from __future__ import annotations

import h2.errors
import pytest

from proxies.dataplane.faults.reset import Reset, ResetAfterHeaders
from tests.proxies.dataplane.faults.faulty import ask, ask_http2, broken, faulty
from tests.proxies.dataplane.proxying import (
    SSE_HEAD,
    UVLOOP,
    chat,
    chunked,
    completion,
    event,
    ok,
    request,
    until,
)

LOOP_FACTORIES = UVLOOP
HELLO = b'{"model": "m", "messages": []}'


async def test_a_reset_comes_in_the_place_of_a_reply() -> None:
    async with faulty(Reset()) as proxy:
        end = await ask(proxy, chat())
        assert (end.got, end.is_reset) == (None, True)
        assert proxy.upstream.peers == []
        record = await proxy.record()
        assert (record["outcome"], record["status"], record["fault"]) == ("fault", None, "reset")


async def test_a_reset_over_http2_is_of_the_stream_alone() -> None:
    async with faulty(Reset()) as proxy:
        streams = await ask_http2(proxy, HELLO)
        assert [(stream.head, stream.reset) for stream in streams] == [(None, h2.errors.ErrorCodes.INTERNAL_ERROR)] * 2


async def test_a_reset_after_the_headers_leaves_the_client_the_real_head() -> None:
    async with faulty(ResetAfterHeaders()) as proxy:
        proxy.upstream.always(ok(completion(), "x-request-id: req_1"))
        end = await ask(proxy, chat())
        assert end.got is not None
        assert (end.got.status, end.got.value(b"x-request-id"), end.body) == (200, b"req_1", b"")
        assert end.got.value(b"content-length") == str(len(completion())).encode()
        assert end.is_reset
        assert (end.got.outcome, end.got.value(b"x-rubberduck-fault")) == (b"fault", b"reset_after_headers")
        record = await proxy.record()
        assert (record["outcome"], record["status"], record["reply_bytes"]) == ("fault", 200, 0)


async def test_a_reset_after_the_headers_of_a_stream_cancels_the_upstream() -> None:
    async with faulty(ResetAfterHeaders()) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        end = await broken(client)
        assert end.got is not None
        assert (end.got.value(b"transfer-encoding"), end.body, end.is_reset) == (b"chunked", b"", True)
        assert await asked.peer.at_end()


async def test_a_reset_after_the_headers_over_http2_is_of_the_stream_alone() -> None:
    async with faulty(ResetAfterHeaders()) as proxy:
        proxy.upstream.always(ok(completion()))
        streams = await ask_http2(proxy, HELLO)
        assert [stream.head is not None and stream.head[":status"] for stream in streams] == ["200", "200"]
        assert [(stream.body, stream.reset) for stream in streams] == [(b"", h2.errors.ErrorCodes.INTERNAL_ERROR)] * 2


async def test_what_was_reset_is_not_recorded() -> None:
    async with faulty(ResetAfterHeaders()) as proxy:
        proxy.upstream.always(ok(completion()))
        await ask(proxy, chat())
        proxy.swap(faults=type(proxy.config.faults)())
        assert (await proxy.ask(chat())).cache == b"miss"


@pytest.mark.parametrize(
    ("raw", "reply"),
    [
        (request("HEAD", "/v1/models"), b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"),
        (request("DELETE", "/v1/files/f"), b"HTTP/1.1 204 No Content\r\n\r\n"),
        (request("DELETE", "/v1/files/f"), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ],
    ids=["head", "204", "empty"],
)
async def test_a_reply_that_ends_with_its_head_has_nothing_behind_it_to_damage(raw: bytes, reply: bytes) -> None:
    async with faulty(ResetAfterHeaders()) as proxy:
        proxy.upstream.always(reply)
        got = await proxy.ask(raw)
        assert got.outcome == b"bypass"
        await until(lambda: len(proxy.records) == 1)
        assert (proxy.records[0]["outcome"], proxy.records[0]["fault"]) == ("bypass", "")
