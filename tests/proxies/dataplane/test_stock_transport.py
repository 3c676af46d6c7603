"""httpx's stock transport under our rules: what it may connect to, and what its errors say."""

from __future__ import annotations

import asyncio
import socket
import ssl

import httpx
import pytest

from proxies.dataplane.reply_body import NoReply
from proxies.dataplane.stock_transport import StockTransport
from proxies.dataplane.transport import AddressRefused, make_ssl_context
from tests.proxies.dataplane.raw_upstream import RawUpstream
from tests.proxies.dataplane.test_transport import tls_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def make(refused: frozenset[str] = frozenset(), **options: object) -> StockTransport:
    def check(ip: str, port: int) -> AddressRefused | None:
        return AddressRefused(f"{ip} is refused") if ip in refused else None

    arguments = {"ssl_context": make_ssl_context(), "connect_to": {}, "check_address": check, **options}
    return StockTransport(**arguments)  # type: ignore[arg-type]


async def fetch(transport: StockTransport, url: str) -> bytes:
    request = httpx.Request("GET", url, extensions={"timeout": {"connect": 5, "read": 20, "write": 20, "pool": 5}})
    response = await transport.handle_async_request(request)
    try:
        return await response.aread()
    finally:
        await response.aclose()


async def test_an_address_that_is_refused_is_never_dialled(upstream: RawUpstream) -> None:
    transport = make(frozenset({"127.0.0.1", "::1"}))
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(AddressRefused, match="is refused"):
            await fetch(transport, f"http://{host}:{upstream.port}/")
    assert not upstream.has_caller()
    await transport.aclose()


async def test_the_override_is_dialled_and_the_real_name_verified() -> None:
    async with tls_upstream("api.example") as upstream:
        override = {("api.example", 443): ("127.0.0.1", upstream.port)}
        transport = make(frozenset({"127.0.0.1"}), ssl_context=upstream.client_context(), connect_to=override)
        assert await fetch(transport, "https://api.example/x") == b"api.example"
        await transport.aclose()


async def test_errors_keep_their_cause() -> None:
    async with tls_upstream("other.example") as upstream:
        override = {("api.example", 443): ("127.0.0.1", upstream.port)}
        transport = make(ssl_context=upstream.client_context(), connect_to=override)
        with pytest.raises(httpx.ConnectError) as caught:
            await fetch(transport, "https://api.example/")
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(httpx.ConnectError) as caught:
        await fetch(transport, f"http://127.0.0.1:{port}/")
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)
    with pytest.raises(httpx.ConnectError) as caught:
        await fetch(transport, "http://no-such-host.invalid/")
    assert isinstance(caught.value.__cause__, socket.gaierror)
    await transport.aclose()


async def test_a_connection_that_ends_unanswered_is_told_apart_from_a_reply_that_is_not_http(
    upstream: RawUpstream,
) -> None:
    transport = make()
    asking = asyncio.create_task(fetch(transport, f"{upstream.url}/"))
    peer = await upstream.accept()
    await peer.read_request()
    peer.close()
    with pytest.raises(NoReply):
        await asking
    await transport.aclose()


async def test_forgotten_connections_are_closed_and_those_in_use_finish_first(upstream: RawUpstream) -> None:
    transport = make()
    asking = [asyncio.create_task(fetch(transport, f"{upstream.url}/{number}")) for number in range(2)]
    idle, busy = await upstream.accept(), await upstream.accept()
    await idle.read_request()
    await busy.read_request()
    await idle.send(OK)
    await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    transport.forget_connections()
    assert await idle.at_end()
    await busy.send(OK)
    assert await asyncio.gather(*asking) == [b"ok", b"ok"]
    assert await busy.at_end()
    again = asyncio.create_task(fetch(transport, f"{upstream.url}/"))
    peer = await upstream.accept()
    await peer.read_request()
    await peer.send(OK)
    assert await again == b"ok"
    await transport.aclose()
