"""Requests as they go out, repetition on stale connections, addresses, TLS, and life under httpx.AsyncClient."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import trustme
import uvloop

from proxies.dataplane.connection import Connection
from proxies.dataplane.transport import (
    AddressRefused,
    Transport,
    TransportLimits,
    TransportRequest,
    make_ssl_context,
)
from tests.proxies.dataplane.raw_upstream import PATIENCE_S, Peer, RawUpstream, call

LOOP_FACTORIES = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


async def sent(transport: Transport, upstream: RawUpstream, request: httpx.Request) -> tuple[bytes, bytes]:
    """Head and body of this request as the upstream sees them."""
    calling = call(transport, request)
    peer = await upstream.accept()
    seen = await peer.read_request()
    await peer.send(OK)
    assert await (await calling).aread() == b"hi"
    return seen


# -- what goes out ----------------------------------------------------------------------------------------------------


async def test_request_goes_out_byte_for_byte(transport: Transport, upstream: RawUpstream) -> None:
    headers = [(b"x-ODD", b"\xe9"), (b"HOST", b"api.example"), (b"x-ODD", b"2"), (b"content-LENGTH", b"3"), (b"E", b"")]
    target = b"/model/a%3Ab%2fc//../d;e?q=%20+%7e&q="
    url = httpx.URL(upstream.url + "/other")
    stream = httpx.ByteStream(b"\0\r\n")
    request = httpx.Request("POST", url, headers=headers, stream=stream, extensions={"target": target})
    head, body = await sent(transport, upstream, request)
    lines = [b"POST " + target + b" HTTP/1.1", b"x-ODD: \xe9", b"HOST: api.example", b"x-ODD: 2", b"content-LENGTH: 3"]
    assert head == b"\r\n".join([*lines, b"E: ", b"", b""])
    assert body == b"\0\r\n"


async def test_target_of_the_url_is_sent_when_no_other_is_given(transport: Transport, upstream: RawUpstream) -> None:
    head, _ = await sent(transport, upstream, httpx.Request("DELETE", upstream.url + "/a%2Fb?c=%3A"))
    assert head.startswith(b"DELETE /a%2Fb?c=%3A HTTP/1.1\r\n")


async def test_host_and_length_are_added_when_absent(transport: Transport, upstream: RawUpstream) -> None:
    head, body = await sent(transport, upstream, httpx.Request("POST", upstream.url, stream=httpx.ByteStream(b"abc")))
    assert head == b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 3\r\n\r\n" % upstream.port
    assert body == b"abc"


async def test_request_without_body_has_no_length(transport: Transport, upstream: RawUpstream) -> None:
    head, _ = await sent(transport, upstream, httpx.Request("GET", upstream.url, stream=httpx.ByteStream(b"")))
    assert head == b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % upstream.port


async def test_large_body_arrives_whole(transport: Transport, upstream: RawUpstream) -> None:
    large = bytes(range(256)) * 40_000
    _, body = await sent(transport, upstream, httpx.Request("PUT", upstream.url, content=large))
    assert body == large


@pytest.mark.parametrize("body", [b"abc", b""])
async def test_bytes_go_out_chunked_if_the_head_says_so(
    body: bytes, transport: Transport, upstream: RawUpstream
) -> None:
    headers = {"transfer-encoding": "chunked"}
    calling = call(transport, httpx.Request("POST", upstream.url, headers=headers, stream=httpx.ByteStream(body)))
    peer = await upstream.accept()
    assert b"content-length" not in (await peer.read_until(b"\r\n\r\n")).lower()
    assert await peer.read_until(b"0\r\n\r\n") == (b"3\r\nabc\r\n" if body else b"") + b"0\r\n\r\n"
    await peer.send(OK)
    assert (await calling).status_code == 200


UNSENDABLE: dict[str, dict[str, Any]] = {
    "line break in a header": {"headers": [(b"x-key", b"a\r\nX-Injected: b")]},
    "line feed in a header": {"headers": [(b"x-key", b"secret\n")]},
    "carriage return in a header": {"headers": [(b"x-key", b"a\rb")]},
    "line break in a name": {"headers": [(b"x\r\ny", b"a")]},
    "NUL in a header": {"headers": [(b"x-key", b"a\0b")]},
    "line break in the target": {"extensions": {"target": b"/ HTTP/1.1\r\nX: y"}},
    "space in the target": {"extensions": {"target": b"/a b"}},
    "wrong length": {"headers": [(b"content-length", b"2")]},
    "two lengths": {"headers": [(b"content-length", b"3"), (b"Content-Length", b"3")]},
    "length that is no number": {"headers": [(b"content-length", b"+3")]},
    "length and coding": {"headers": [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")]},
    "coding we do not do": {"headers": [(b"transfer-encoding", b"gzip, chunked")]},
}


@pytest.mark.parametrize("name", UNSENDABLE)
async def test_request_that_could_be_misread_is_not_sent(
    name: str, transport: Transport, upstream: RawUpstream
) -> None:
    request = httpx.Request("POST", upstream.url, stream=httpx.ByteStream(b"abc"), **UNSENDABLE[name])
    with pytest.raises(httpx.LocalProtocolError) as caught:
        await call(transport, request)
    assert "secret" not in str(caught.value)
    assert not upstream.has_caller()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "//127.0.0.1/", "/path", "http:///path"])
async def test_other_urls_are_unsupported(url: str, transport: Transport) -> None:
    with pytest.raises(httpx.UnsupportedProtocol):
        await call(transport, httpx.Request("GET", url, headers={"host": "x"}))
    assert transport.stats()["upstreams"] == {}


# -- stale connections ------------------------------------------------------------------------------------------------


async def kept(transport: Transport, upstream: RawUpstream) -> Peer:
    """A connection that has served one exchange and is idle."""
    await sent(transport, upstream, httpx.Request("GET", upstream.url))
    return upstream.peers[-1]


def the_connection(transport: Transport) -> Connection:
    (connection,) = [each for pool in transport._pools.values() for each in pool.connections]
    return connection


async def called_at_once(transport: Transport, request: httpx.Request) -> httpx.Response:
    """The call writes before our loop looks at sockets again, so a close just before is not seen."""
    async with asyncio.timeout(PATIENCE_S):
        return await transport.handle_async_request(request)


async def serve_one(upstream: RawUpstream) -> tuple[bytes, bytes]:
    peer = await upstream.accept()
    seen = await peer.read_request()
    await peer.send(OK)
    return seen


@pytest.mark.parametrize("size", [3, 5_000_000])
async def test_post_is_repeated_when_the_upstream_had_closed_before(
    size: int, transport: Transport, upstream: RawUpstream
) -> None:
    peer = await kept(transport, upstream)
    stale = the_connection(transport)
    serving = asyncio.create_task(serve_one(upstream))
    peer.close()
    response = await called_at_once(transport, httpx.Request("POST", upstream.url, content=b"x" * size))
    head, body = await serving
    assert head.startswith(b"POST")
    assert body == b"x" * size
    assert await response.aread() == b"hi"
    assert stale.exchanges == 2, "the stale connection was tried"
    assert the_connection(transport) is not stale


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_post_that_was_read_is_not_repeated(how: str, transport: Transport, upstream: RawUpstream) -> None:
    peer = await kept(transport, upstream)
    calling = call(transport, httpx.Request("POST", upstream.url, content=b"abc"))
    await peer.read_request()
    getattr(peer, how)()
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await calling
    assert not upstream.has_caller()


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_idempotent_request_is_repeated_once_on_a_new_connection(
    how: str, method: str, transport: Transport, upstream: RawUpstream
) -> None:
    peer = await kept(transport, upstream)
    calling = call(transport, httpx.Request(method, upstream.url))
    await peer.read_request()
    getattr(peer, how)()
    second = await upstream.accept()
    await second.read_request()
    second.close()
    with pytest.raises(httpx.RemoteProtocolError):
        await calling
    assert not upstream.has_caller()


async def test_repetition_never_takes_another_kept_connection(transport: Transport, upstream: RawUpstream) -> None:
    calls = [call(transport, httpx.Request("GET", upstream.url)) for _ in range(3)]
    for peer in [await upstream.accept() for _ in calls]:
        await peer.read_request()
        await peer.send(OK)
    await asyncio.gather(*calls)
    serving = asyncio.create_task(serve_one(upstream))
    for peer in upstream.peers:
        peer.close()
    response = await called_at_once(transport, httpx.Request("POST", upstream.url, content=b"abc"))
    assert response.status_code == 200
    assert (await serving)[1] == b"abc"
    assert len(upstream.peers) == 4


async def test_repetition_at_the_limit_takes_the_place_of_the_stale_connection(upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(max_connections=1))
    peer = await kept(transport, upstream)
    stale = the_connection(transport)
    serving = asyncio.create_task(serve_one(upstream))
    peer.close()
    response = await called_at_once(transport, httpx.Request("POST", upstream.url, content=b"abc"))
    assert response.status_code == 200
    assert (await serving)[1] == b"abc"
    assert stale.exchanges == 2
    assert transport.stats()["open"] == 1
    await transport.aclose()


async def test_streamed_body_is_never_repeated(transport: Transport, upstream: RawUpstream) -> None:
    class Once(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"abc"

    peer = await kept(transport, upstream)
    stale = the_connection(transport)
    peer.close()
    with pytest.raises(httpx.TransportError):
        await called_at_once(
            transport, httpx.Request("PUT", upstream.url, headers={"content-length": "3"}, stream=Once())
        )
    assert stale.exchanges == 2
    assert not upstream.has_caller()


async def test_reply_that_has_begun_is_never_repeated(transport: Transport, upstream: RawUpstream) -> None:
    peer = await kept(transport, upstream)
    calling = call(transport, httpx.Request("GET", upstream.url))
    await peer.read_request()
    await peer.send(b"HTTP/1.1 2")
    await asyncio.sleep(0.02)
    peer.close()
    with pytest.raises(httpx.RemoteProtocolError):
        await calling
    assert not upstream.has_caller()


async def test_timeout_on_a_kept_connection_is_not_repeated(transport: Transport, upstream: RawUpstream) -> None:
    await kept(transport, upstream)
    with pytest.raises(httpx.ReadTimeout):
        await call(transport, httpx.Request("GET", upstream.url, extensions={"timeout": {"read": 0.03}}))
    assert not upstream.has_caller()


async def test_upstream_that_accepts_and_closes_is_an_error(transport: Transport, upstream: RawUpstream) -> None:
    calling = call(transport, httpx.Request("POST", upstream.url, content=b"abc"))
    (await upstream.accept()).close()
    with pytest.raises(httpx.TransportError):
        await calling
    assert transport.stats()["open"] == 0


async def test_upstream_that_speaks_first_is_an_error(transport: Transport, upstream: RawUpstream) -> None:
    calling = call(transport, httpx.Request("POST", upstream.url, content=b"abc"))
    peer = await upstream.accept()
    await peer.send(b"220 mail.example ESMTP\r\n")
    with pytest.raises(httpx.RemoteProtocolError):
        await calling
    assert transport.stats()["open"] == 0


# -- addresses --------------------------------------------------------------------------------------------------------


async def test_nobody_listening_is_a_connect_error(transport: Transport, upstream: RawUpstream) -> None:
    upstream.listener.close()
    with pytest.raises(httpx.ConnectError) as caught:
        await call(transport, httpx.Request("GET", upstream.url))
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


async def test_name_that_cannot_be_resolved_is_a_connect_error(transport: Transport) -> None:
    with pytest.raises(httpx.ConnectError, match="cannot resolve"):
        await call(transport, httpx.Request("GET", f"http://{'a' * 64}.invalid/"))
    assert transport.stats()["upstreams"] == {}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f.1"])
async def test_refused_address_is_never_dialled(host: str, upstream: RawUpstream) -> None:
    asked = []

    def refuse(address: str, port: int) -> AddressRefused:
        assert port == upstream.port
        asked.append(address)
        return AddressRefused("loopback is not allowed here")

    transport = Transport(check_address=refuse)
    with pytest.raises(AddressRefused, match="loopback is not allowed here"):
        await call(transport, httpx.Request("GET", f"http://{host}:{upstream.port}/"))
    assert set(asked) <= {"127.0.0.1", "::1"}
    assert asked
    assert not upstream.has_caller()


async def test_address_is_asked_about_once_per_connection(upstream: RawUpstream) -> None:
    asked: list[str] = []
    transport = Transport(check_address=lambda address, _: asked.append(address))
    peer = await kept(transport, upstream)
    calling = call(transport, httpx.Request("GET", upstream.url))
    await peer.read_request()
    await peer.send(OK)
    assert (await calling).status_code == 200
    assert asked == ["127.0.0.1"]
    await transport.aclose()


def test_addresses_of_a_name_are_tried_in_order_and_only_allowed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only on asyncio, which resolves through the socket module."""
    upstream = RawUpstream("127.0.0.3")

    def resolve(host: str, port: int, *_: object, **__: object) -> list[Any]:
        addresses = ("127.0.0.2", "127.0.0.9", "127.0.0.2", "127.0.0.3", "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    asked = []

    def check(address: str, _: int) -> AddressRefused | None:
        asked.append(address)
        return AddressRefused("not nine") if address.endswith("9") else None

    async def scenario() -> str:
        transport = Transport(check_address=check)
        url = f"http://api.example:{upstream.port}/"
        calling = call(transport, httpx.Request("GET", url, extensions={"timeout": {"connect": 10}}))
        peer = await upstream.accept()
        await peer.read_request()
        await peer.send(OK)
        await calling
        name: str = peer.sock.getsockname()[0]
        await transport.aclose()
        return name

    try:
        assert asyncio.run(scenario()) == "127.0.0.3"
    finally:
        upstream.close()
    assert asked == ["127.0.0.2", "127.0.0.9", "127.0.0.3", "127.0.0.1"]


def test_a_name_that_is_rebound_to_an_inner_address_never_leads_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was judged is what is dialled, and judged anew for every connection. Only on asyncio, as above."""
    outer = RawUpstream("127.0.0.2")
    inner = socket.create_server(("127.0.0.9", outer.port))
    inner.setblocking(False)
    lookups: list[str] = []

    def resolve(host: str, port: int, *_: object, **__: object) -> list[Any]:
        lookups.append(host)
        address = "127.0.0.2" if len(lookups) == 1 else "127.0.0.9"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    def check(address: str, _: int) -> AddressRefused | None:
        return AddressRefused("an inner address") if address == "127.0.0.9" else None

    async def scenario() -> None:
        transport = Transport(check_address=check)
        request = httpx.Request("GET", f"http://rebound.example:{outer.port}/", extensions={"timeout": {"connect": 10}})
        calling = call(transport, request)
        peer = await outer.accept()
        await peer.read_request()
        await peer.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
        peer.close()
        assert (await calling).status_code == 200
        with pytest.raises(AddressRefused):
            await call(transport, request)
        await transport.aclose()

    try:
        asyncio.run(scenario())
        with pytest.raises(BlockingIOError):
            inner.accept()
    finally:
        outer.close()
        inner.close()
    assert lookups == ["rebound.example"] * 2


# -- TLS --------------------------------------------------------------------------------------------------------------


class TlsUpstream:
    """An HTTPS upstream: answers every request with the name the client asked for, or streams on `/stream`."""

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self.names: list[str | None] = []
        self.may_go_on = asyncio.Event()
        self.heads: list[bytes] = []
        self.ended = asyncio.Event()
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    def client_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                if head.startswith(b"GET /stream"):
                    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    for number in range(3):
                        writer.write(b"1\r\n%d\r\n" % number)
                        await self.may_go_on.wait()
                        self.may_go_on.clear()
                    writer.write(b"0\r\n\r\n")
                elif head.startswith(b"GET /cut"):
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
                    writer.close()
                    return
                else:
                    name = (self.names[-1] or "").encode()
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended.set()
            writer.close()


@contextlib.asynccontextmanager
async def tls_upstream(*names: str) -> AsyncIterator[TlsUpstream]:
    upstream = TlsUpstream()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    upstream.authority.issue_cert(*names).configure_cert(context)
    context.sni_callback = lambda _, name, __: upstream.names.append(name)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, ssl=context)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for writer in upstream.writers:
            if not writer.transport.is_closing():  # closed twice already, it breaks on Python 3.11.2
                writer.transport.abort()
        await server.wait_closed()
        await asyncio.sleep(0.02)  # the tasks of broken handshakes see their end


async def test_tls_asks_for_and_verifies_the_real_name_wherever_it_connects() -> None:
    async with tls_upstream("api.example") as upstream:
        override = {("api.example", 443): ("127.0.0.1", upstream.port)}
        transport = Transport(ssl_context=upstream.client_context(), connect_to=override)
        for _ in range(2):
            response = await call(transport, httpx.Request("GET", "https://api.example/x"))
            assert await response.aread() == b"api.example"
        assert b"Host: api.example\r\n" in upstream.heads[0]
        assert upstream.names == ["api.example"]
        assert transport.stats()["upstreams"] == {"https://api.example:443": {"open": 1, "idle": 1}}
        await transport.aclose()


async def test_address_literal_is_verified_too() -> None:
    async with tls_upstream("127.0.0.1") as upstream:
        transport = Transport(ssl_context=upstream.client_context())
        response = await call(transport, httpx.Request("GET", f"https://127.0.0.1:{upstream.port}/"))
        assert response.status_code == 200
        await response.aread()
        await transport.aclose()


async def test_certificate_for_another_name_is_a_connect_error() -> None:
    async with tls_upstream("other.example") as upstream:
        override = {("api.example", 443): ("127.0.0.1", upstream.port)}
        transport = Transport(ssl_context=upstream.client_context(), connect_to=override)
        with pytest.raises(httpx.ConnectError, match=r"api\.example") as caught:
            await call(transport, httpx.Request("GET", "https://api.example/"))
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
        assert upstream.heads == []
        assert transport.stats()["open"] == 0


async def test_certificate_of_an_unknown_authority_is_a_connect_error() -> None:
    async with tls_upstream("127.0.0.1") as upstream:
        transport = Transport()
        with pytest.raises(httpx.ConnectError, match="unable to get local issuer") as caught:
            await call(transport, httpx.Request("GET", f"https://127.0.0.1:{upstream.port}/"))
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
        assert upstream.heads == []


async def test_authority_from_a_file_is_trusted(tmp_path: Any) -> None:
    async with tls_upstream("127.0.0.1") as upstream:
        file = tmp_path / "ca.pem"
        upstream.authority.cert_pem.write_to_path(str(file))
        transport = Transport(ssl_context=make_ssl_context(str(file)))
        response = await call(transport, httpx.Request("GET", f"https://127.0.0.1:{upstream.port}/"))
        assert response.status_code == 200
        await response.aread()
        await transport.aclose()


def test_default_context_verifies_and_trusts_the_public_authorities() -> None:
    context = make_ssl_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] > 50


async def test_plain_http_on_a_tls_port_is_a_connect_error(transport: Transport, upstream: RawUpstream) -> None:
    calling = call(transport, httpx.Request("GET", f"https://127.0.0.1:{upstream.port}/"))
    peer = await upstream.accept()
    await peer.recv()
    await peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(httpx.ConnectError, match="TLS") as caught:
        await calling
    assert isinstance(caught.value.__cause__, ssl.SSLError)


async def test_silent_tls_port_is_a_connect_timeout(transport: Transport, upstream: RawUpstream) -> None:
    url = f"https://127.0.0.1:{upstream.port}/"
    calling = call(transport, httpx.Request("GET", url, extensions={"timeout": {"connect": 0.05}}))
    peer = await upstream.accept()
    with pytest.raises(httpx.ConnectTimeout):
        await calling
    await peer.recv()  # the client's hello
    assert await peer.at_end()


async def test_call_cancelled_while_connecting_leaves_nothing(transport: Transport, upstream: RawUpstream) -> None:
    calling = call(transport, httpx.Request("GET", f"https://127.0.0.1:{upstream.port}/"))
    peer = await upstream.accept()
    await peer.recv()
    calling.cancel()
    assert await peer.at_end()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert transport.stats() == {"open": 0, "idle": 0, "upstreams": {}}


async def test_events_come_out_one_by_one_over_tls() -> None:
    async with tls_upstream("127.0.0.1") as upstream:
        transport = Transport(ssl_context=upstream.client_context())
        response = await call(transport, httpx.Request("GET", f"https://127.0.0.1:{upstream.port}/stream"))
        pieces = aiter(response.stream)  # type: ignore[arg-type]
        for number in range(3):
            assert await asyncio.wait_for(anext(pieces), PATIENCE_S) == b"%d" % number
            upstream.may_go_on.set()
        assert [piece async for piece in pieces] == []
        assert transport.stats()["idle"] == 1
        await transport.aclose()


async def test_cut_body_over_tls_is_an_error() -> None:
    async with tls_upstream("127.0.0.1") as upstream:
        transport = Transport(ssl_context=upstream.client_context())
        response = await call(transport, httpx.Request("GET", f"https://127.0.0.1:{upstream.port}/cut"))
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await asyncio.wait_for(response.aread(), PATIENCE_S)
        assert transport.stats()["open"] == 0


async def test_closed_reply_over_tls_is_noticed_by_the_upstream() -> None:
    async with tls_upstream("127.0.0.1") as upstream:
        transport = Transport(ssl_context=upstream.client_context())
        response = await call(transport, httpx.Request("GET", f"https://127.0.0.1:{upstream.port}/stream"))
        await response.aclose()
        for _ in range(3):
            upstream.may_go_on.set()
            await asyncio.sleep(0.01)
        await asyncio.wait_for(upstream.ended.wait(), PATIENCE_S)
        assert transport.stats()["open"] == 0


async def test_get_on_a_stale_tls_connection_is_repeated() -> None:
    async with tls_upstream("127.0.0.1") as upstream:
        transport = Transport(ssl_context=upstream.client_context())
        url = f"https://127.0.0.1:{upstream.port}/"
        await (await call(transport, httpx.Request("GET", url))).aread()
        stale = the_connection(transport)
        raw = socket.socket(fileno=os.dup(upstream.writers[0].get_extra_info("socket").fileno()))
        raw.shutdown(socket.SHUT_RDWR)
        raw.close()
        response = await called_at_once(transport, httpx.Request("GET", url))
        assert stale.exchanges == 2
        assert response.status_code == 200
        assert len(upstream.writers) == 2
        await response.aread()
        await transport.aclose()


# -- under httpx.AsyncClient, and the end -----------------------------------------------------------------------------


async def test_works_under_httpx_client(transport: Transport, upstream: RawUpstream) -> None:
    async with httpx.AsyncClient(transport=transport, timeout=5) as client:
        calling = asyncio.create_task(client.post(upstream.url + "/x", json={"a": 1}))
        peer = await upstream.accept()
        _, body = await peer.read_request()
        await peer.send(b"HTTP/1.1 201 Created\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nok")
        response = await calling
    assert body == b'{"a":1}'
    assert (response.status_code, response.text, response.cookies["a"]) == (201, "ok", "b")
    assert await peer.at_end()


async def test_errors_under_httpx_client_name_their_request(transport: Transport, upstream: RawUpstream) -> None:
    async with httpx.AsyncClient(transport=transport, timeout=0.05) as client:
        with pytest.raises(httpx.ReadTimeout) as caught:
            await client.get(upstream.url)
    assert caught.value.request.url == upstream.url


async def test_closing_the_transport_ends_everything(upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(max_connections=2))
    idle = await kept(transport, upstream)
    calls = [call(transport, httpx.Request("GET", upstream.url)) for _ in range(3)]  # two busy, one waits
    busy = await upstream.accept()
    await idle.read_request()
    await busy.read_request()
    await transport.aclose()
    for calling in calls:
        with pytest.raises((httpx.ReadError, httpx.ConnectError)):
            await calling
    assert await idle.at_end()
    assert await busy.at_end()
    assert transport.stats() == {"open": 0, "idle": 0, "upstreams": {}}
    with pytest.raises(httpx.ConnectError):
        await call(transport, httpx.Request("GET", upstream.url))


async def test_no_proxy_or_other_environment_is_obeyed(
    transport: Transport, upstream: RawUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    head, _ = await sent(transport, upstream, httpx.Request("GET", upstream.url + "/direct"))
    assert head.startswith(b"GET /direct ")


async def test_request_has_all_that_a_stock_request_has(upstream: RawUpstream) -> None:
    headers = [(b"Host", b"upstream"), (b"A", b"b"), (b"a", b"c")]
    url, stream = httpx.URL(upstream.url), httpx.ByteStream(b"hi")
    ours = TransportRequest("POST", url, headers, stream, {"target": b"/x"})
    stock = httpx.Request("POST", url, headers=headers, stream=stream, extensions={"target": b"/x"})
    assert {name: getattr(ours, name) for name in vars(stock)} == vars(stock)
    assert set(vars(ours)) == {*vars(stock), "raw_headers"}
    assert ours.headers.raw == headers
