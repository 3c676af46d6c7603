"""Which connection a request gets, how many there may be, and who waits."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import uvloop

from proxies.dataplane.transport import AddressRefused, Transport, TransportLimits
from tests.proxies.dataplane.raw_upstream import Peer, RawUpstream, call

LOOP_FACTORIES = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
Calling = asyncio.Task[httpx.Response]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def get(transport: Transport, upstream: RawUpstream, path: str = "/", pool_s: float | None = None) -> Calling:
    return call(transport, httpx.Request("GET", upstream.url + path, extensions={"timeout": {"pool": pool_s}}))


async def answer(peer: Peer, reply: bytes = OK) -> bytes:
    """Answers the next request and returns its target."""
    head, _ = await peer.read_request()
    await peer.send(reply)
    return head.split(b" ")[1]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_connection_released_last_is_used_first(transport: Transport, upstream: RawUpstream) -> None:
    first, second = get(transport, upstream), get(transport, upstream)
    peers = [await upstream.accept(), await upstream.accept()]
    for peer in peers:
        await answer(peer)
        await settle()
    await asyncio.gather(first, second)
    assert transport.stats()["idle"] == 2
    for _ in range(3):
        calling = get(transport, upstream)
        await answer(peers[1])
        await calling
    assert not upstream.has_caller()


async def test_hosts_and_ports_have_their_own_connections(transport: Transport, upstream: RawUpstream) -> None:
    other = RawUpstream()
    try:
        for target in (upstream, other, upstream, other):
            calling = get(transport, target)
            peer = target.peers[0] if target.peers else await target.accept()
            await answer(peer)
            assert (await calling).status_code == 200
        assert set(transport.stats()["upstreams"]) == {upstream.url, other.url}
    finally:
        other.close()


async def test_requests_past_the_limit_wait_their_turn(upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(max_connections=1))
    calls = []
    for path in ("/1", "/2", "/3"):
        calls.append(get(transport, upstream, path))
        await settle()
    peer = await upstream.accept()
    assert [await answer(peer) for _ in calls] == [b"/1", b"/2", b"/3"]
    assert [(await done).status_code for done in calls] == [200] * 3
    assert not upstream.has_caller()
    assert transport.stats()["open"] == 1
    await transport.aclose()


async def test_place_of_a_lost_connection_goes_to_who_waits(upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(max_connections=1))
    lost = get(transport, upstream, "/lost")
    peer = await upstream.accept()
    waiting = get(transport, upstream, "/waiting")
    await peer.read_request()
    peer.close()
    with pytest.raises(httpx.RemoteProtocolError):
        await lost
    assert await answer(await upstream.accept()) == b"/waiting"
    assert (await waiting).status_code == 200
    await transport.aclose()


async def test_waiting_too_long_for_a_connection_is_a_pool_timeout(upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(max_connections=1))
    busy = get(transport, upstream)
    peer = await upstream.accept()
    with pytest.raises(httpx.PoolTimeout):
        await get(transport, upstream, pool_s=0.02)
    await answer(peer)
    assert (await busy).status_code == 200
    await transport.aclose()


async def test_cancelled_waiter_takes_no_place(upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(max_connections=1))
    busy = get(transport, upstream, "/busy")
    peer = await upstream.accept()
    cancelled, waiting = get(transport, upstream, "/cancelled"), get(transport, upstream, "/waiting")
    await settle()
    cancelled.cancel()
    await answer(peer)
    assert await answer(peer) == b"/waiting"
    assert (await waiting).status_code == (await busy).status_code == 200
    await transport.aclose()


@pytest.mark.parametrize("ends", ["whole", "lost"])
async def test_waiter_cancelled_with_its_connection_in_hand_passes_it_on(ends: str, upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(max_connections=1))
    pool_key = ("http", b"127.0.0.1", upstream.port)
    busy = get(transport, upstream, "/busy")
    peer = await upstream.accept()
    cancelled = get(transport, upstream, "/cancelled")
    waiting = get(transport, upstream, "/waiting")
    await peer.read_request()
    await settle()
    pool = transport._pools[pool_key]
    connection = next(iter(pool.connections))
    if ends == "whole":
        connection.data_received(OK)  # hands itself to the first waiter, in this very turn
    else:
        connection.close()
    cancelled.cancel()
    if ends == "whole":
        assert await answer(peer) == b"/waiting"
        await busy
    else:
        assert await answer(await upstream.accept()) == b"/waiting"
        busy.cancel()
    assert (await waiting).status_code == 200
    assert cancelled.cancelled()
    assert transport.stats()["open"] == 1
    assert pool.opening == 0
    await transport.aclose()


async def test_connection_that_ends_on_its_way_to_a_waiter_is_replaced(upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(max_connections=1))
    busy = get(transport, upstream, "/busy")
    peer = await upstream.accept()
    await peer.read_request()
    waiting = get(transport, upstream, "/waiting")
    await settle()
    connection = next(iter(transport._pools[("http", b"127.0.0.1", upstream.port)].connections))
    connection.data_received(OK)
    connection.eof_received()
    await busy
    assert await answer(await upstream.accept()) == b"/waiting"
    assert (await waiting).status_code == 200
    assert transport.stats()["open"] == 1
    await transport.aclose()


async def test_only_so_many_idle_connections_are_kept(upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(max_idle=2))
    calls = [get(transport, upstream) for _ in range(4)]
    for peer in [await upstream.accept() for _ in calls]:
        await answer(peer)
    await asyncio.gather(*calls)
    assert transport.stats()["open"] == transport.stats()["idle"] == 2
    await transport.aclose()


async def test_failed_connect_frees_its_place(upstream: RawUpstream) -> None:
    transport = Transport(limits=TransportLimits(max_connections=1))
    upstream.listener.close()
    for _ in range(3):
        with pytest.raises(httpx.ConnectError):
            await get(transport, upstream, pool_s=1)
    assert transport.stats() == {"open": 0, "idle": 0, "upstreams": {}}


async def test_unused_upstreams_do_not_pile_up_and_used_ones_stay(upstream: RawUpstream) -> None:
    transport = Transport(check_address=lambda ip, _: None if ip == "127.0.0.1" else AddressRefused("refused"))
    calling = get(transport, upstream)
    peer = await upstream.accept()
    await answer(peer)
    await calling
    for number in range(2, 200):
        with pytest.raises(httpx.ConnectError):
            await call(transport, httpx.Request("GET", f"http://127.0.0.{number}/"))
    assert len(transport._pools) <= 64
    calling = get(transport, upstream)
    await answer(peer)
    assert (await calling).status_code == 200
    assert transport.stats()["open"] == 1
    await transport.aclose()


async def test_two_hundred_at_once_each_get_their_own_reply(transport: Transport) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                target = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
                await asyncio.sleep(0.001)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(target), target))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    port = server.sockets[0].getsockname()[1]

    async def client(number: int) -> list[bool]:
        seen = []
        for turn in range(5):
            request = httpx.Request("GET", f"http://127.0.0.1:{port}/{number}/{turn}")
            response = await transport.handle_async_request(request)
            seen.append(await response.aread() == b"/%d/%d" % (number, turn))
        return seen

    async with asyncio.timeout(60):
        results = await asyncio.gather(*(client(number) for number in range(200)))
    assert results == [[True] * 5] * 200
    stats = transport.stats()
    assert stats["open"] == stats["idle"] <= 200
    await transport.aclose()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.05)  # the stub's tasks see the end
