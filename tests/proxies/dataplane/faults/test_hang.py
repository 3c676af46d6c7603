"""Hangs: what they hold, whom they hold up, and how they end."""

from __future__ import annotations

import asyncio
import gc
import resource
import time
import tracemalloc
from collections.abc import Callable

import pytest

from proxies.dataplane.config import BodyLimits
from proxies.dataplane.faults.hang import Hang
from proxies.dataplane.faults.rules import FaultConfig, Match, Rule
from tests.proxies.dataplane.faults.faulty import broken, faulty, http2_client
from tests.proxies.dataplane.proxying import UVLOOP, Proxying, chat, completion, ok, proxying, request, until

LOOP_FACTORIES = UVLOOP

MANY = 1000
HANGING_BODY = 48 * 1024  # far more than a hang may hold
MOST_BYTES = 10 * 1024  # on top of its connection

HTTP2_GET = [(":method", "GET"), (":scheme", "http"), (":authority", "proxy.test"), (":path", "/v1/models")]


@pytest.fixture
def descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MANY + 500
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def hangs_for(model: str) -> FaultConfig:
    return FaultConfig(rules=(Rule("1", Hang(), match=Match(model=(model,))),))


async def hangs(proxy: Proxying, count: int) -> None:
    """Waits until that many exchanges hang: all have their number, none is answered."""
    await until(lambda: proxy.server.in_flight == count and _are_all_asleep(proxy))


def _are_all_asleep(proxy: Proxying) -> bool:
    return all(exchange.is_body_done and not exchange.buffered for exchange in proxy.server.exchanges)


@pytest.mark.usefixtures("descriptors")
async def test_a_thousand_hangs_hold_little_hold_up_nobody_and_end_with_their_clients() -> None:
    raw = chat("x" * HANGING_BODY, model="slow")
    async with proxying(faults=hangs_for("slow")) as proxy:
        proxy.upstream.always(ok(completion()))
        assert (await proxy.ask(chat())).status == 200  # everything is loaded
        clients = [await proxy.client() for _ in range(MANY)]
        await until(lambda: len(proxy.server.connections) >= MANY)
        tracemalloc.start()
        try:
            for first in range(0, MANY, 50):
                await asyncio.gather(*(client.send(raw) for client in clients[first : first + 50]))
            await hangs(proxy, MANY)
            gc.collect()
            held = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert held / MANY < MOST_BYTES
        got = await proxy.ask(chat("another"))
        assert (got.status, got.outcome) == (200, b"miss")
        assert proxy.server.in_flight == MANY
        assert len(proxy.records) == 2
        for client in proxy.clients:
            client.close()
        await until(lambda: proxy.server.in_flight == 0)
        ended = proxy.records[2:]
        assert len(ended) == MANY
        assert {(record["outcome"], record["status"], record["fault"]) for record in ended} == {("fault", None, "hang")}


@pytest.mark.parametrize("most", [32 * 1024 * 1024, 1024], ids=["whole", "unread"])
async def test_a_hang_lets_go_of_a_large_body(most: int) -> None:
    body = b'{"model": "m", "input": "' + b"x" * (8 * 1024 * 1024) + b'"}'
    async with faulty(Hang(), limits=BodyLimits(hash_bytes=most)) as proxy:
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            client = await proxy.send(request(target="/v1/embeddings", body=body))
            await hangs(proxy, 1)
            gc.collect()
            held = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert held < 256 * 1024
        client.close()
        record = await proxy.record()
        assert (record["request_bytes"], record["outcome"]) == (len(body), "fault")


async def test_a_client_that_leaves_in_the_middle_of_its_body_ends_a_hang() -> None:
    async with faulty(Hang(), limits=BodyLimits(hash_bytes=10)) as proxy:
        raw = request(target="/v1/embeddings", body=b"[" + b"1," * 500_000 + b"1]")
        client = await proxy.send(raw[: len(raw) // 2])
        await until(lambda: proxy.server.in_flight == 1)
        client.close()
        record = await proxy.record()
        assert (record["outcome"], record["status"]) == ("fault", None)


async def test_a_reset_stream_ends_a_hang_over_http2() -> None:
    def ask_and_leave(port: int, is_hanging: Callable[[], bool]) -> None:
        with http2_client(port) as client:
            number = client.ask(HTTP2_GET)
            deadline = time.monotonic() + 20
            while not is_hanging() and time.monotonic() < deadline:
                time.sleep(0.001)
            client.engine.reset_stream(number)
            client.flush()

    async with faulty(Hang()) as proxy:
        await asyncio.to_thread(ask_and_leave, proxy.port, lambda: proxy.server.in_flight == 1)
        record = await proxy.record()
        assert (record["outcome"], record["status"], record["fault"]) == ("fault", None, "hang")


async def test_a_hang_with_a_longest_time_ends_in_a_closed_connection() -> None:
    async with faulty(Hang(max_seconds=0.02)) as proxy:
        end = await broken(await proxy.send(chat()))
        assert (end.got, end.is_reset) == (None, False)
        record = await proxy.record()
        assert (record["outcome"], record["status"], record["fault"]) == ("fault", None, "hang")
        assert record["error"] == ""


async def test_a_drain_waits_for_no_hang() -> None:
    async with faulty(Hang()) as proxy:
        clients = [await proxy.send(chat()) for _ in range(5)]
        await hangs(proxy, 5)
        assert await proxy.server.drain(limit_s=60) == 0  # none was cut: all had ended
        ends = [await broken(client) for client in clients]
        assert [end.got for end in ends] == [None] * 5
        assert {(record["outcome"], record["status"]) for record in proxy.records} == {("fault", None)}
        assert {record["error"] for record in proxy.records} == {""}


async def test_stopping_the_server_ends_every_hang() -> None:
    async with faulty(Hang()) as proxy:
        for _ in range(20):
            await proxy.send(chat())
        await hangs(proxy, 20)
        await proxy.server.stop()
        assert proxy.server.in_flight == 0
        assert len(proxy.records) == 20


async def test_nothing_goes_upstream_while_a_request_hangs() -> None:
    async with faulty(Hang()) as proxy:
        await proxy.send(chat())
        await hangs(proxy, 1)
        assert proxy.upstream.peers == []
