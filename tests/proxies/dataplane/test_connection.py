"""One connection on the wire: framing, garbage, cuts, uploads, time-outs, flow control."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
import uvloop

from proxies.dataplane.transport import Transport, TransportLimits
from tests.proxies.dataplane.raw_upstream import PATIENCE_S, Peer, RawUpstream, call, eventually, send_until_stalled

LOOP_FACTORIES = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Pieces(httpx.AsyncByteStream):
    """A request body in pieces; remembers how many were asked for and whether it was left early."""

    def __init__(self, *pieces: bytes, then_wait: bool = False) -> None:
        self.pieces = pieces
        self.then_wait = then_wait
        self.taken = 0
        self.was_cancelled = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for piece in self.pieces:
                self.taken += 1
                yield piece
            if self.then_wait:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise


async def exchange(
    transport: Transport,
    upstream: RawUpstream,
    reply: bytes,
    method: str = "GET",
    timeout: dict[str, float] | None = None,
) -> tuple[httpx.Response, Peer]:
    """One request on a new connection, answered with these bytes."""
    request = httpx.Request(method, upstream.url, extensions={"timeout": timeout or {}})
    calling = call(transport, request)
    peer = await upstream.accept()
    await peer.read_request()
    await peer.send(reply)
    return await calling, peer


async def read(response: httpx.Response) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return b"".join([piece async for piece in response.stream])


async def closed_by_client(transport: Transport, peer: Peer) -> bool:
    return await peer.at_end() and transport.stats()["open"] == 0


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
WHOLE_REPLIES = {
    "content length": (OK, b"hi"),
    "empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    "chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3\r\n yo\r\n0\r\n\r\n", b"hi yo"),
    "extensions and trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nX-Trailer: t\r\n\r\n",
        b"hi",
    ),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "204 with framing": (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", b""),
    "304 with length": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 20\r\n\r\n", b""),
    "after 100": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"hi"),
    "after 102 and 103": (b"HTTP/1.1 102 P\r\nA: b\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, b"hi"),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
    "kept alive 1.0": (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
    "upgrade offered": (
        b"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nhi",
        b"hi",
    ),
}


@pytest.mark.parametrize("name", WHOLE_REPLIES)
async def test_whole_reply_frees_its_connection_for_the_next(
    name: str, transport: Transport, upstream: RawUpstream
) -> None:
    reply, body = WHOLE_REPLIES[name]
    response, peer = await exchange(transport, upstream, reply)
    assert await read(response) == body
    assert transport.stats() == {"open": 1, "idle": 1, "upstreams": {upstream.url: {"open": 1, "idle": 1}}}
    calling = call(transport, httpx.Request("GET", upstream.url))
    await peer.read_request()
    await peer.send(OK)
    assert await read(await calling) == b"hi"


@pytest.mark.parametrize("name", WHOLE_REPLIES)
async def test_reply_may_come_one_byte_at_a_time(name: str, transport: Transport, upstream: RawUpstream) -> None:
    reply, body = WHOLE_REPLIES[name]
    calling = call(transport, httpx.Request("GET", upstream.url))
    peer = await upstream.accept()
    await peer.read_request()
    for index in range(len(reply)):
        await peer.send(reply[index : index + 1])
        for _ in range(3):  # let the byte arrive alone
            await asyncio.sleep(0)
    response = await calling
    assert await read(response) == body
    assert transport.stats()["idle"] == 1


async def test_head_is_kept_as_sent(transport: Transport, upstream: RawUpstream) -> None:
    reply = b"HTTP/1.1 299 Quite  fine\r\nset-COOKIE: a\r\nX-Odd: \xe9\xff\r\nset-COOKIE: b\r\nX-Empty:\r\n"
    response, _ = await exchange(transport, upstream, reply + b"Content-Length: 0\r\n\r\n")
    assert response.status_code == 299
    assert response.raw_headers == [  # type: ignore[attr-defined]
        (b"set-COOKIE", b"a"),
        (b"X-Odd", b"\xe9\xff"),
        (b"set-COOKIE", b"b"),
        (b"X-Empty", b""),
        (b"Content-Length", b"0"),
    ]
    assert response.headers.raw == response.raw_headers  # type: ignore[attr-defined]
    assert response.extensions == {"http_version": b"HTTP/1.1", "reason_phrase": b"Quite  fine"}


async def test_informational_heads_leave_nothing_behind(transport: Transport, upstream: RawUpstream) -> None:
    response, _ = await exchange(transport, upstream, b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK)
    assert response.headers.raw == [(b"Content-Length", b"2")]
    assert response.reason_phrase == "OK"


async def test_connection_close_is_obeyed(transport: Transport, upstream: RawUpstream) -> None:
    reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
    response, peer = await exchange(transport, upstream, reply)
    assert await read(response) == b"hi"
    assert "close_delimited" not in response.extensions
    assert await closed_by_client(transport, peer)


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_body_may_end_with_the_connection(version: bytes, transport: Transport, upstream: RawUpstream) -> None:
    response, peer = await exchange(transport, upstream, b"HTTP/" + version + b" 200 OK\r\n\r\none")
    assert response.extensions["close_delimited"] is True
    assert response.stream.body_complete is None  # type: ignore[union-attr]
    pieces = aiter(response.stream)  # type: ignore[arg-type]
    assert await anext(pieces) == b"one"
    await peer.send(b"two")
    peer.close()
    assert await read(response) == b"two"
    assert transport.stats()["open"] == 0


async def test_reply_to_head_has_no_body_and_ends_the_connection(transport: Transport, upstream: RawUpstream) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    response, peer = await exchange(transport, upstream, head, method="HEAD")
    assert response.stream.body_complete == b""  # type: ignore[union-attr]
    assert response.headers["content-length"] == "1000"
    assert await closed_by_client(transport, peer)
    response, _ = await exchange(transport, upstream, OK)
    assert await read(response) == b"hi"


MALFORMED = {
    "garbage": b"SSH-2.0-OpenSSH_9.2\r\n",
    "switching protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "length and coding": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
    "coding and length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi",
    "coding nobody asked for": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "last coding not chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "chunked twice": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    "version 2": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status below 100": b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
    "space before colon": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi",
    "head too large at once": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "head without end": b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 70_000,
    "informational heads without end": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 5000,
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_head_is_a_protocol_error(name: str, transport: Transport, upstream: RawUpstream) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await exchange(transport, upstream, MALFORMED[name])
    assert await closed_by_client(transport, upstream.peers[0])


ENDLESS = {
    "chunk size": b"zz\r\n",
    "chunk extensions": b"2;" + b"x" * 700_000,
    "trailers": b"0\r\n" + b"X-Trailer: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 20_000,
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_malformed_body_is_a_protocol_error_after_what_was_good(
    name: str, transport: Transport, upstream: RawUpstream
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"
    response, peer = await exchange(transport, upstream, head)
    pieces = aiter(response.stream)  # type: ignore[arg-type]
    assert await anext(pieces) == b"hi"
    sending = asyncio.create_task(peer.send(ENDLESS[name]))
    with pytest.raises(httpx.RemoteProtocolError):
        await asyncio.wait_for(anext(pieces), PATIENCE_S)
    await asyncio.gather(sending, return_exceptions=True)
    assert transport.stats()["open"] == 0


@pytest.mark.parametrize("extra", [b"xx", OK, b"HTTP/1.1 20", b"\0"])
async def test_bytes_after_the_reply_end_the_connection_not_the_reply(
    extra: bytes, transport: Transport, upstream: RawUpstream
) -> None:
    response, peer = await exchange(transport, upstream, OK + extra)
    assert await read(response) == b"hi"
    assert await closed_by_client(transport, peer)


CUT = {
    "content length": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    "inside a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
    "before the last line": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
}


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("how", ["close", "reset"])
async def test_cut_body_is_never_a_clean_end(name: str, how: str, transport: Transport, upstream: RawUpstream) -> None:
    response, peer = await exchange(transport, upstream, CUT[name])
    assert response.stream.body_complete is None  # type: ignore[union-attr]
    getattr(peer, how)()
    pieces = aiter(response.stream)  # type: ignore[arg-type]
    assert await anext(pieces) == b"half"
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)) as caught:
        await asyncio.wait_for(anext(pieces), PATIENCE_S)
    assert isinstance(caught.value, httpx.ReadError if how == "reset" else httpx.RemoteProtocolError)
    assert transport.stats()["open"] == 0


async def test_reset_during_a_close_delimited_body_is_an_error(transport: Transport, upstream: RawUpstream) -> None:
    response, peer = await exchange(transport, upstream, b"HTTP/1.0 200 OK\r\n\r\nhalf")
    peer.reset()
    with pytest.raises(httpx.ReadError):
        await read(response)


async def test_end_without_a_reply_is_a_protocol_error(transport: Transport, upstream: RawUpstream) -> None:
    calling = call(transport, httpx.Request("GET", upstream.url))
    peer = await upstream.accept()
    await peer.read_request()
    peer.close()
    with pytest.raises(httpx.RemoteProtocolError):
        await calling
    assert not upstream.has_caller(), "a new connection is never tried twice"


async def test_reset_without_a_reply_is_a_read_error(transport: Transport, upstream: RawUpstream) -> None:
    calling = call(transport, httpx.Request("GET", upstream.url))
    peer = await upstream.accept()
    await peer.read_request()
    peer.reset()
    with pytest.raises(httpx.ReadError):
        await calling
    assert not upstream.has_caller()


async def test_events_come_out_one_by_one_as_sent(transport: Transport, upstream: RawUpstream) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    response, peer = await exchange(transport, upstream, head)
    pieces = aiter(response.stream)  # type: ignore[arg-type]
    for number in range(20):
        event = b"data: %d\n\n" % number
        await peer.send(b"%x\r\n%b\r\n" % (len(event), event))
        assert await asyncio.wait_for(anext(pieces), PATIENCE_S) == event
    await peer.send(b"0\r\n\r\n")
    with pytest.raises(StopAsyncIteration):
        await anext(pieces)
    assert transport.stats()["idle"] == 1


async def test_chunks_that_arrive_together_come_out_together(transport: Transport, upstream: RawUpstream) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    response, _ = await exchange(transport, upstream, head + b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n")
    assert [piece async for piece in response.stream] == [b"abcd"]  # type: ignore[union-attr]


async def test_content_encoding_is_left_alone(transport: Transport, upstream: RawUpstream) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n"
    response, _ = await exchange(transport, upstream, head + b"not\x1f\x8bgzip")
    assert await read(response) == b"not\x1f\x8bgzip"


async def test_upstream_stalls_while_nobody_reads(upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(buffer_bytes=64 * 1024))
    size = 256 * 1024 * 1024
    response, peer = await exchange(transport, upstream, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    sent = await send_until_stalled(peer, b"x" * 65536, most=size)
    assert sent < 64 * 1024 * 1024, "the kernel's buffers hold a few MB, the rest must wait"
    buffered = response.stream.buffered  # type: ignore[union-attr]
    assert buffered < 1024 * 1024
    got = 0
    async with asyncio.timeout(PATIENCE_S):
        async for piece in response.stream:  # type: ignore[union-attr]
            got += len(piece)
            if got >= sent:
                break
    assert got == sent
    await response.aclose()
    await transport.aclose()


async def test_reply_read_late_still_frees_a_listening_connection(upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(buffer_bytes=10))
    response, peer = await exchange(transport, upstream, b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n" + b"x" * 20)
    assert await anext(aiter(response.stream)) == b"x" * 20  # type: ignore[arg-type]
    await peer.send(b"y" * 10)
    assert await read(response) == b"y" * 10
    assert transport.stats()["idle"] == 1
    peer.close()
    await eventually(lambda: transport.stats()["open"] == 0)
    assert transport.stats()["idle"] == 0


# -- time-outs --------------------------------------------------------------------------------------------------------


async def test_silence_before_the_head_is_a_read_timeout(transport: Transport, upstream: RawUpstream) -> None:
    calling = call(transport, httpx.Request("GET", upstream.url, extensions={"timeout": {"read": 0.05}}))
    peer = await upstream.accept()
    with pytest.raises(httpx.ReadTimeout):
        await calling
    await peer.read_request()
    assert await closed_by_client(transport, peer)


async def test_silence_inside_the_body_is_a_read_timeout(transport: Transport, upstream: RawUpstream) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf"
    response, peer = await exchange(transport, upstream, reply, timeout={"read": 0.05})
    pieces = aiter(response.stream)  # type: ignore[arg-type]
    assert await anext(pieces) == b"half"
    with pytest.raises(httpx.ReadTimeout):
        await asyncio.wait_for(anext(pieces), PATIENCE_S)
    assert await closed_by_client(transport, peer)


async def test_slow_reader_is_not_the_upstreams_silence(transport: Transport, upstream: RawUpstream) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"
    response, peer = await exchange(transport, upstream, reply, timeout={"read": 0.05})
    pieces = aiter(response.stream)  # type: ignore[arg-type]
    assert await anext(pieces) == b"half"
    await asyncio.sleep(0.15)
    await peer.send(b"rest")
    assert await anext(pieces) == b"rest"


async def test_each_exchange_has_its_own_read_timeout(transport: Transport, upstream: RawUpstream) -> None:
    response, peer = await exchange(transport, upstream, OK, timeout={"read": 600})
    assert await read(response) == b"hi"
    calling = call(transport, httpx.Request("GET", upstream.url, extensions={"timeout": {"read": 0.05}}))
    await peer.read_request()
    with pytest.raises(httpx.ReadTimeout):
        await calling


@pytest.mark.parametrize("kind", ["bytes", "stream"])
async def test_upstream_that_takes_no_bytes_is_a_write_timeout(
    kind: str, transport: Transport, upstream: RawUpstream
) -> None:
    body = b"x" * (32 * 1024 * 1024)
    stream = httpx.ByteStream(body) if kind == "bytes" else Pieces(*[body[:1_048_576]] * 32)
    extensions = {"timeout": {"read": 0.01, "write": 0.1}}
    request = httpx.Request("POST", upstream.url, stream=stream, extensions=extensions)
    calling = call(transport, request)
    await upstream.accept()
    with pytest.raises(httpx.WriteTimeout):
        await calling
    assert transport.stats()["open"] == 0


async def test_upstream_that_takes_bytes_slowly_is_waited_for(transport: Transport, upstream: RawUpstream) -> None:
    size = 32 * 1024 * 1024
    extensions = {"timeout": {"read": 20, "write": 1}}
    request = httpx.Request("POST", upstream.url, stream=httpx.ByteStream(b"x" * size), extensions=extensions)
    calling = call(transport, request)
    peer = await upstream.accept()
    got = 0
    for _ in range(22):
        got += len(await peer.recv())
        await asyncio.sleep(0.1)
    assert not calling.done()
    total = len(await peer.read_until(b"\r\n\r\n")) if b"\r\n\r\n" in peer.received else 0
    while got + total < size:
        got += len(await peer.recv())
    await peer.send(OK)
    assert await read(await calling) == b"hi"


# -- request bodies ---------------------------------------------------------------------------------------------------


async def test_streamed_body_goes_out_as_promised(transport: Transport, upstream: RawUpstream) -> None:
    request = httpx.Request("POST", upstream.url, headers={"content-length": "6"}, stream=Pieces(b"abc", b"", b"def"))
    calling = call(transport, request)
    peer = await upstream.accept()
    _, body = await peer.read_request()
    assert body == b"abcdef"
    await peer.send(OK)
    assert await read(await calling) == b"hi"
    assert transport.stats()["idle"] == 1


@pytest.mark.parametrize("headers", [{}, {"Transfer-Encoding": "chunked"}])
async def test_streamed_body_of_unknown_length_is_chunked(
    headers: dict[str, str], transport: Transport, upstream: RawUpstream
) -> None:
    calling = call(
        transport, httpx.Request("POST", upstream.url, headers=headers, stream=Pieces(b"abc", b"", b"d" * 17))
    )
    peer = await upstream.accept()
    head = await peer.read_until(b"\r\n\r\n")
    assert len(re.findall(rb"transfer-encoding: chunked\r\n", head, re.IGNORECASE)) == 1
    assert await peer.read_until(b"0\r\n\r\n") == b"3\r\nabc\r\n11\r\n" + b"d" * 17 + b"\r\n0\r\n\r\n"
    await peer.send(OK)
    assert await read(await calling) == b"hi"
    assert transport.stats()["idle"] == 1


@pytest.mark.parametrize("pieces", [(b"abc",), (b"abc", b"defg")])
async def test_streamed_body_that_breaks_its_promise_ends_the_connection(
    pieces: tuple[bytes, ...], transport: Transport, upstream: RawUpstream
) -> None:
    calling = call(
        transport, httpx.Request("POST", upstream.url, headers={"content-length": "6"}, stream=Pieces(*pieces))
    )
    peer = await upstream.accept()
    with pytest.raises(httpx.LocalProtocolError):
        await calling
    assert (await peer.read_until(b"\r\n\r\nabc")).endswith(b"abc")
    assert await closed_by_client(transport, peer)


async def test_error_of_the_streamed_body_comes_out_unchanged(transport: Transport, upstream: RawUpstream) -> None:
    class ClientLeft(Exception):
        pass

    class Leaving(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"abc"
            raise ClientLeft

    calling = call(transport, httpx.Request("POST", upstream.url, headers={"content-length": "6"}, stream=Leaving()))
    peer = await upstream.accept()
    with pytest.raises(ClientLeft):
        await calling
    await peer.read_until(b"abc")
    assert await closed_by_client(transport, peer)


async def test_streamed_body_waits_for_the_upstream_to_read(transport: Transport, upstream: RawUpstream) -> None:
    stream = Pieces(*[b"x" * 65536] * 4096)
    calling = call(transport, httpx.Request("POST", upstream.url, stream=stream))
    await upstream.accept()
    taken = -1
    while stream.taken != taken:
        taken = stream.taken
        await asyncio.sleep(0.2)
    assert taken < 1024, "the kernel's buffers hold a few MB, the rest must wait"
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    assert transport.stats()["open"] == 0


EARLY = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig"


@pytest.mark.parametrize("kind", ["bytes", "stream"])
async def test_early_refusal_is_read_although_the_upload_breaks(
    kind: str, transport: Transport, upstream: RawUpstream
) -> None:
    body = b"x" * (32 * 1024 * 1024)
    stream = httpx.ByteStream(body) if kind == "bytes" else Pieces(*[body[:1_048_576]] * 32)
    calling = call(transport, httpx.Request("POST", upstream.url, stream=stream))
    peer = await upstream.accept()
    await peer.read_until(b"\r\n\r\n")
    await peer.send(EARLY)
    peer.close()  # with unread bytes: a reset
    response = await calling
    assert (response.status_code, await read(response)) == (413, b"big")
    assert transport.stats()["open"] == 0


async def test_early_refusal_is_read_before_a_write_meets_the_reset(
    transport: Transport, upstream: RawUpstream
) -> None:
    peer: Peer | None = None

    class Refused(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"x" * 1000
            await eventually(lambda: peer is not None)
            assert peer is not None
            peer.sock.send(EARLY)
            peer.close()  # refusal and reset are there before our loop looks again
            yield b"y" * 1000
            yield b"z" * 1000

    calling = call(transport, httpx.Request("POST", upstream.url, stream=Refused()))
    accepted = await upstream.accept()
    await accepted.read_until(b"\r\n\r\n")
    peer = accepted
    response = await calling
    assert (response.status_code, await read(response)) == (413, b"big")


async def test_whole_early_reply_stops_the_upload(transport: Transport, upstream: RawUpstream) -> None:
    stream = Pieces(b"abc", then_wait=True)
    calling = call(transport, httpx.Request("POST", upstream.url, stream=stream))
    peer = await upstream.accept()
    await peer.read_until(b"abc\r\n")
    await peer.send(OK)
    assert await read(await calling) == b"hi"
    assert await closed_by_client(transport, peer)
    assert stream.was_cancelled


async def test_upload_goes_on_while_the_reply_streams(transport: Transport, upstream: RawUpstream) -> None:
    pieces: asyncio.Queue[bytes] = asyncio.Queue()

    class Dialogue(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while piece := await pieces.get():
                yield piece

    request = httpx.Request("POST", upstream.url, stream=Dialogue(), extensions={"timeout": {"read": 5}})
    calling = call(transport, request)
    peer = await upstream.accept()
    await peer.read_until(b"\r\n\r\n")
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    response = await calling
    replies = aiter(response.stream)  # type: ignore[arg-type]
    for word in (b"one", b"two"):
        pieces.put_nowait(word)
        assert await peer.read_until(word + b"\r\n") == b"3\r\n" + word + b"\r\n"
        await peer.send(b"3\r\n" + word + b"\r\n")
        assert await asyncio.wait_for(anext(replies), PATIENCE_S) == word
    pieces.put_nowait(b"")
    await peer.read_until(b"0\r\n\r\n")
    await peer.send(b"0\r\n\r\n")
    assert await read(response) == b""
    assert transport.stats()["idle"] == 1


# -- leaving ----------------------------------------------------------------------------------------------------------


async def test_closed_reply_is_noticed_by_the_upstream(transport: Transport, upstream: RawUpstream) -> None:
    response, peer = await exchange(transport, upstream, b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf")
    await response.aclose()
    assert await closed_by_client(transport, peer)
    with pytest.raises(httpx.ReadError):
        await anext(aiter(response.stream))  # type: ignore[arg-type]


async def test_cancelled_call_is_noticed_by_the_upstream(transport: Transport, upstream: RawUpstream) -> None:
    calling = call(transport, httpx.Request("GET", upstream.url))
    peer = await upstream.accept()
    await peer.read_request()
    calling.cancel()
    assert await closed_by_client(transport, peer)
    with pytest.raises(asyncio.CancelledError):
        await calling


async def test_call_cancelled_during_its_upload_stops_the_upload(transport: Transport, upstream: RawUpstream) -> None:
    stream = Pieces(b"abc", then_wait=True)
    calling = call(transport, httpx.Request("POST", upstream.url, stream=stream))
    peer = await upstream.accept()
    await peer.read_until(b"abc\r\n")
    calling.cancel()
    assert await closed_by_client(transport, peer)
    assert stream.was_cancelled


async def test_cancelled_wait_for_a_piece_loses_nothing(transport: Transport, upstream: RawUpstream) -> None:
    response, peer = await exchange(transport, upstream, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
    pieces = aiter(response.stream)  # type: ignore[arg-type]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(pieces), 0.02)
    await peer.send(b"late")
    assert await anext(pieces) == b"late"
    assert transport.stats()["idle"] == 1


@pytest.mark.parametrize("how", ["close", "reset", "stray bytes"])
async def test_idle_connection_that_hears_anything_leaves_the_pool(
    how: str, transport: Transport, upstream: RawUpstream
) -> None:
    response, peer = await exchange(transport, upstream, OK)
    assert await read(response) == b"hi"
    assert transport.stats()["idle"] == 1
    if how == "stray bytes":
        await peer.send(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    else:
        getattr(peer, how)()
    await eventually(lambda: transport.stats()["open"] == 0)
    assert transport.stats() == {"open": 0, "idle": 0, "upstreams": {}}


async def test_connection_idle_too_long_is_closed_and_leaves_no_timer(upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(idle_s=0.02))
    response, peer = await exchange(transport, upstream, OK, timeout={"read": 600})
    assert await read(response) == b"hi"
    assert await closed_by_client(transport, peer)
    scheduled = getattr(asyncio.get_running_loop(), "_scheduled", [])  # asyncio's own heap; uvloop shows none
    owned = [timer for timer in scheduled if not timer.cancelled() and "Connection" in repr(timer)]
    assert owned == []
