"""A stalled reply falls silent in the middle and nothing of it is lost."""

from __future__ import annotations

import asyncio

from proxies.dataplane.faults.stall import Stall
from tests.proxies.dataplane.faults.faulty import faulty
from tests.proxies.dataplane.faults.skipping import SKIPPING, since
from tests.proxies.dataplane.proxying import DONE, LAST_CHUNK, SSE_HEAD, chat, chunked, completion, event, ok, until

LOOP_FACTORIES = SKIPPING


async def test_a_stream_stalls_after_its_events_and_then_goes_on() -> None:
    async with faulty(Stall(events=2, seconds=300)) as proxy:
        proxy.upstream.always(SSE_HEAD + b"".join(map(chunked, (event(1), event(2), event(3), DONE))) + LAST_CHUNK)
        began_at = asyncio.get_running_loop().time()
        client = await proxy.send(chat(stream=True))
        await client.head()
        assert [await client.chunk(), await client.chunk()] == [event(1), event(2)]
        assert since(began_at) < 10
        async with asyncio.timeout(400):
            client.received = await asyncio.get_running_loop().sock_recv(client.sock, 65536)
        assert 299 < since(began_at) < 310
        assert await client.chunk() == event(3)
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("fault", "stall")


async def test_a_stream_can_stall_before_its_first_event() -> None:
    async with faulty(Stall(events=0)) as proxy:
        proxy.upstream.always(SSE_HEAD + chunked(event(1)) + LAST_CHUNK)
        client = await proxy.send(chat(stream=True))
        assert (await client.head()).status == 200
        await asyncio.sleep(3600)
        assert client.received == b""
        assert proxy.server.in_flight == 1
        client.close()
        await until(lambda: proxy.server.in_flight == 0)
        assert (await proxy.record())["reply_bytes"] == 0


async def test_a_stall_without_end_lasts_until_the_client_leaves_and_drops_the_upstream() -> None:
    async with faulty(Stall()) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)) + chunked(event(2)))
        await client.head()
        assert await client.chunk() == event(1)
        await asyncio.sleep(3600)
        assert proxy.server.in_flight == 1
        client.close()
        assert await asked.peer.at_end()
        record = await proxy.record()
        assert (record["outcome"], record["fault"], record["reply_bytes"]) == ("fault", "stall", len(event(1)))


async def test_any_other_reply_stalls_half_way() -> None:
    async with faulty(Stall(seconds=60)) as proxy:
        body = completion()
        proxy.upstream.always(ok(body))
        client = await proxy.send(chat())
        head = await client.head()
        assert head.value(b"content-length") == str(len(body)).encode()
        half = len(body) // 2
        assert await client.read_exactly(half) == body[:half]
        assert client.received == b""
        client.received = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client.sock, 65536), 90)
        assert await client.read_exactly(len(body) - half) == body[half:]


async def test_a_reply_that_comes_in_pieces_stalls_half_way_too() -> None:
    async with faulty(Stall(seconds=60)) as proxy:
        body = b"\xff" * 3000
        client = await proxy.send(chat())
        asked = await proxy.upstream.next()
        whole = ok(body, content_type="audio/mpeg")
        await asked.answer(whole[:-1000])
        await client.head()
        await asked.answer(whole[-1000:])
        half = len(body) // 2
        assert await client.read_exactly(half) == body[:half]
        client.received = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client.sock, 65536), 90)
        assert await client.read_exactly(len(body) - half) == body[half:]


async def test_a_stalled_reply_of_unknown_length_stalls_behind_its_first_piece() -> None:
    async with faulty(Stall(seconds=60)) as proxy:
        client = await proxy.send(chat())
        asked = await proxy.upstream.next()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\n\r\n"
        await asked.answer(head + chunked(b"ID3"))
        await client.head()
        assert await client.chunk() == b"ID3"
        await asked.answer(chunked(b"\xff") + LAST_CHUNK)
        client.received = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client.sock, 65536), 90)
        assert await client.chunk() == b"\xff"


async def test_a_reply_without_body_does_not_stall() -> None:
    async with faulty(Stall()) as proxy:
        proxy.upstream.always(ok(b""))
        assert (await proxy.ask(chat())).body == b""
        assert (await proxy.record())["fault"] == ""


async def test_a_drain_waits_for_no_stall_without_end() -> None:
    async with faulty(Stall()) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await client.head()
        assert await client.chunk() == event(1)
        assert await proxy.server.drain(limit_s=3600) == 0
        assert await client.rest() == b""
        assert await asked.peer.at_end()
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("fault", "stall")
