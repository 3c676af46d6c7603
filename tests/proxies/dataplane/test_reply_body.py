"""The reply as httpx sees it, and the shortcut for small ones."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import uvloop

from proxies.dataplane.reply_body import ReplyBody, TransportResponse
from proxies.dataplane.transport import Transport
from tests.proxies.dataplane.raw_upstream import PATIENCE_S, Peer, RawUpstream, eventually

LOOP_FACTORIES = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


async def answered(transport: Transport, upstream: RawUpstream, reply: bytes) -> tuple[TransportResponse, Peer]:
    calling = asyncio.create_task(transport.handle_async_request(httpx.Request("GET", upstream.url)))
    peer = await upstream.accept()
    await peer.read_request()
    await peer.send(reply)
    return await asyncio.wait_for(calling, PATIENCE_S), peer


async def test_response_has_all_that_a_stock_response_has(transport: Transport, upstream: RawUpstream) -> None:
    response, _ = await answered(transport, upstream, b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nhi")
    stock = httpx.Response(
        200, headers=response.raw_headers, stream=response.stream, extensions=dict(response.extensions)
    )
    ours = {name: getattr(response, name) for name in vars(stock)}
    assert ours == vars(stock)
    assert set(vars(response)) == {*vars(stock), "raw_headers"}


async def test_response_reads_like_any_other(transport: Transport, upstream: RawUpstream) -> None:
    head = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n"
    response, _ = await answered(transport, upstream, head + b'{"a": "\xc3\xa9b"}')
    assert await response.aread() == b'{"a": "\xc3\xa9b"}'
    assert response.json() == {"a": "éb"}
    assert response.is_client_error
    assert (response.reason_phrase, response.http_version) == ("Not Found", "HTTP/1.1")


async def test_small_reply_is_complete_with_its_head(transport: Transport, upstream: RawUpstream) -> None:
    response, _ = await answered(transport, upstream, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    body = response.stream
    assert isinstance(body, ReplyBody)
    assert body.body_complete == b"hi"
    assert body.body_complete == b"hi"
    assert [piece async for piece in body] == [b"hi"]


async def test_longer_reply_is_complete_once_its_end_is_there(transport: Transport, upstream: RawUpstream) -> None:
    response, peer = await answered(transport, upstream, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
    body = response.stream
    assert isinstance(body, ReplyBody)
    assert body.body_complete is None
    await peer.send(b"cd")
    await eventually(lambda: body.is_complete)
    assert body.body_complete == b"abcd"


async def test_closing_a_complete_reply_keeps_its_connection(transport: Transport, upstream: RawUpstream) -> None:
    response, _ = await answered(transport, upstream, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    await response.aclose()
    assert transport.stats()["idle"] == 1


async def test_late_close_of_an_old_reply_leaves_the_next_exchange_alone(
    transport: Transport, upstream: RawUpstream
) -> None:
    first, peer = await answered(transport, upstream, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    calling = asyncio.create_task(transport.handle_async_request(httpx.Request("GET", upstream.url)))
    await peer.read_request()
    await first.aclose()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nyo")
    second = await asyncio.wait_for(calling, PATIENCE_S)
    assert await second.aread() == b"yo"


async def test_reply_without_end_never_counts_as_complete(transport: Transport, upstream: RawUpstream) -> None:
    response, peer = await answered(transport, upstream, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
    body = response.stream
    assert isinstance(body, ReplyBody)
    peer.close()
    await eventually(lambda: body.error is not None)
    assert body.body_complete is None
    with pytest.raises(httpx.RemoteProtocolError):
        await response.aread()
