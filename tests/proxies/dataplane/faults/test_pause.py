"""Waiting in a reply ends with whoever waits."""

from __future__ import annotations

import asyncio

from proxies.dataplane.faults.pause import LOOK_S
from proxies.dataplane.faults.rules import FaultConfig, Rule, When
from proxies.dataplane.faults.stall import Stall
from tests.proxies.dataplane.faults.faulty import faulty
from tests.proxies.dataplane.faults.skipping import SKIPPING
from tests.proxies.dataplane.proxying import DONE, LAST_CHUNK, SSE_HEAD, Client, chat, chunked, event, proxying, until

LOOP_FACTORIES = SKIPPING


def of_first(fault: Stall) -> FaultConfig:
    return FaultConfig(rules=(Rule("1", fault, when=When(first=1)),))


async def rest(client: Client) -> bytes:
    """What is left of a chunked body."""
    body = b""
    while chunk := await client.chunk():
        body += chunk
    return body


async def test_a_leader_that_leaves_in_the_middle_of_a_wait_ends_and_the_follower_gets_all() -> None:
    async with proxying(faults=of_first(Stall())) as proxy:
        leader = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await leader.head()
        assert await leader.chunk() == event(1)
        follower = await proxy.send(chat(stream=True))
        await follower.head()
        assert await follower.chunk() == event(1)
        assert proxy.server.in_flight == 2
        leader.close()
        await until(lambda: proxy.server.in_flight == 1)
        await asked.answer(chunked(event(2)) + chunked(DONE) + LAST_CHUNK)
        assert await rest(follower) == event(2) + DONE
        assert [record["outcome"] for record in proxy.records] == ["fault", "hit"]


async def test_a_follower_that_leaves_in_the_middle_of_a_wait_ends() -> None:
    async with proxying(faults=FaultConfig(rules=(Rule("1", Stall(), when=When(after=1)),))) as proxy:
        leader = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await leader.head()
        follower = await proxy.send(chat(stream=True))
        await follower.head()
        assert await follower.chunk() == event(1)
        follower.close()
        await until(lambda: proxy.server.in_flight == 1)
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        assert await rest(leader) == event(1) + DONE


async def test_a_client_dismissed_from_a_shared_reply_does_not_wait_on() -> None:
    async with proxying(faults=of_first(Stall())) as proxy:
        await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await until(lambda: proxy.server.in_flight == 1 and len(proxy.server.exchanges) == 1)
        exchange = next(iter(proxy.server.exchanges))
        await until(lambda: exchange.is_started)
        exchange.reset()
        await asyncio.sleep(LOOK_S * 2)
        assert proxy.server.in_flight == 0
        assert await asked.peer.at_end()


async def test_a_server_that_stops_ends_every_wait() -> None:
    async with faulty(Stall()) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await client.head()
        await proxy.server.stop()
        assert proxy.server.in_flight == 0
        assert await asked.peer.at_end()
        assert (await proxy.record())["fault"] == "stall"
