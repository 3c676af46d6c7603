"""The whole request path: its stages in order, its borders, and that nothing secret leaves it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import pytest

from proxies.dataplane.access import AccessList
from proxies.dataplane.app import ProxyApp
from proxies.dataplane.config import CacheMode, RateLimitConfig
from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Fault, Injection, Stage
from proxies.dataplane.faults.grammar import read_rules
from proxies.dataplane.faults.rules import FaultConfig, Rule
from tests.proxies.dataplane.proxying import (
    DONE,
    LAST_CHUNK,
    SECRET,
    SSE_HEAD,
    UVLOOP,
    chat,
    chunked,
    completion,
    event,
    ok,
    proxying,
    request,
    until,
)

LOOP_FACTORIES = UVLOOP


@dataclass(frozen=True)
class Broken(Fault):
    """A stage that fails."""

    kind = "broken"
    stage = Stage.REPLACE

    word: str = SECRET

    async def replace(self, injection: Injection) -> Reply:
        raise KeyError(self.word)


BROKEN = FaultConfig((Rule("1", Broken()),))
ERROR = FaultConfig(read_rules([{"fault": "error", "status": 503}]))


async def test_every_stage_may_answer_and_those_after_it_are_not_asked() -> None:
    blocked = AccessList(block=("127.0.0.1",))
    async with proxying(access=blocked, rate_limit=RateLimitConfig(rpm=1), faults=ERROR) as proxy:
        got = [await proxy.ask(chat())]
        proxy.swap(access=AccessList())
        got += [await proxy.ask(chat()) for _ in range(2)]
        proxy.swap(rate_limit=RateLimitConfig())
        got += [await proxy.ask(chat())]
        assert [one.status for one in got] == [403, 503, 429, 503]
        assert [one.outcome for one in got] == [b"blocked", b"fault", b"limited", b"fault"]
        assert [record["decision"] for record in proxy.records] == [None, 1, None, 2]
        assert [record["outcome"] for record in proxy.records] == ["blocked", "fault", "limited", "fault"]
        assert proxy.upstream.peers == []


async def test_a_limit_for_what_goes_upstream_is_asked_after_the_faults_and_the_cache() -> None:
    limit = RateLimitConfig(rpm=1, counts_hits=False)
    async with proxying(rate_limit=limit, faults=ERROR) as proxy:
        proxy.upstream.count()
        got = [await proxy.ask(chat()) for _ in range(3)]
        proxy.swap(faults=FaultConfig())
        got += [await proxy.ask(chat()) for _ in range(3)]
        got += [await proxy.ask(chat("another"))]
        assert [one.outcome for one in got] == [*[b"fault"] * 3, b"miss", b"hit", b"hit", b"limited"]


async def test_a_stage_that_lets_go_runs_once_for_hits_and_misses_alike() -> None:
    nothing = FaultConfig(read_rules([{"fault": "error", "status": 503, "when": {"every": 1000}}]))
    async with proxying(faults=nothing) as proxy:
        proxy.upstream.count()
        assert [(await proxy.ask(chat())).cache for _ in range(3)] == [b"miss", b"hit", b"hit"]
        assert [record["decision"] for record in proxy.records] == [1, 2, 3]


async def test_a_client_that_leaves_while_a_stage_waits_ends_it() -> None:
    async with proxying(faults=FaultConfig(read_rules([{"fault": "delay", "seconds": 1000}]))) as proxy:
        client = await proxy.send(chat())
        await until(lambda: proxy.server.in_flight == 1)
        client.close()
        await until(lambda: proxy.server.in_flight == 0)
        assert (await proxy.record())["outcome"] == "client_left"


async def test_our_own_mistake_is_a_500_in_the_providers_shape_with_one_record(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with proxying(faults=BROKEN) as proxy:
        with caplog.at_level(logging.ERROR):
            got = await proxy.ask(chat())
        assert (got.status, got.outcome, got.json["error"]["type"]) == (500, b"error", "server_error")
        assert SECRET not in got.body.decode()
        assert [(record["outcome"], record["error_kind"]) for record in proxy.records] == [("error", "internal")]
        assert "chat.completions failed" in caplog.text


async def test_a_configuration_swapped_in_mid_flight_holds_for_the_next_exchange() -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat())
        asked = await proxy.upstream.next()
        proxy.swap(cache={"mode": CacheMode.REPLAY}, name="renamed")
        await asked.answer(ok(completion()))
        assert (await client.reply()).status == 200
        assert (await client.ask(chat("other"))).status == 404
        assert [record["proxy_name"] for record in proxy.records] == ["test", "renamed"]
        assert (await client.ask(chat())).cache == b"hit"


async def test_one_connection_serves_everything_one_after_the_other() -> None:
    async with proxying() as proxy:
        client = await proxy.client()
        proxy.upstream.always(
            lambda asked: SSE_HEAD + chunked(DONE) + LAST_CHUNK if b"stream" in asked.body else ok(b"{}")
        )
        wanted = [chat(), chat(stream=True), request("GET", "/v1/x"), request("POST", "/v1/files", bytes(70_000))] * 2
        got = [await client.ask(raw) for raw in wanted]
        assert [one.status for one in got] == [200] * 8
        assert [one.cache for one in got] == [
            b"miss",
            b"miss",
            b"bypass",
            b"bypass",
            b"hit",
            b"hit",
            b"bypass",
            b"bypass",
        ]


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with proxying() as proxy:
        proxy.upstream.always(lambda asked: ok(asked.body))
        client = await proxy.send(b"".join(chat(f"number {number}") for number in range(10)))
        got = [await client.reply() for _ in range(10)]
        assert [f"number {number}".encode() in one.body for number, one in enumerate(got)] == [True] * 10
        assert len(proxy.records) == 10


async def test_a_stopped_server_records_what_it_cut() -> None:
    async with proxying() as proxy:
        clients = [await proxy.send(chat("a", stream=True)), await proxy.send(chat("b"))]
        asked = [await proxy.upstream.next() for _ in clients]
        await asked[0].answer(SSE_HEAD + chunked(event(1)))
        await clients[0].head()
        await proxy.server.stop()
        for record in proxy.records:
            assert (record["outcome"], record["error_kind"]) == ("error", "internal")
            assert "stopped" in record["error"]
        assert len(proxy.records) == 2
        for one in asked:
            assert await one.peer.at_end()


async def test_a_drain_lets_exchanges_end_and_tells_clients_to_go() -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await client.head()
        draining = asyncio.create_task(proxy.server.drain(10))
        await asyncio.sleep(0)
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        assert [await client.chunk() for _ in range(3)] == [event(1), DONE, b""]
        assert await draining == 0
        assert proxy.records[0]["outcome"] == "miss"


SCENES = ["miss", "hit", "error", "refused", "garbage", "cut", "no_recording", "bad_control", "internal"]


@pytest.mark.parametrize("scene", SCENES)
async def test_no_secret_is_found_in_any_record_log_line_or_message_of_ours(
    scene: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = [
        ("Authorization", f"Bearer {SECRET}"),
        ("X-Api-Key", SECRET),
        ("Cookie", f"session={SECRET}"),
        ("X-Aws-Secret-Access-Key", SECRET),
        ("X-Forwarded-For", SECRET),
    ]
    if scene == "bad_control":
        headers.append(("X-Rubberduck-Cache", SECRET))
    if scene == "no_recording":
        headers.append(("X-Rubberduck-Cache", "only"))
    raw = chat(f"my secret is {SECRET}", headers=headers, user=SECRET).replace(
        b"/completions HTTP", f"/completions?key={SECRET} HTTP".encode()
    )
    replies = {
        "error": ok(f'{{"error":{{"message":"bad key {SECRET}"}}}}'.encode(), f"X-Echo: {SECRET}", status="401 No"),
        "garbage": f"HTTP/{SECRET}\r\n{SECRET}\r\n\r\n".encode(),
        "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + SECRET.encode(),
    }
    async with proxying() as proxy:
        caplog.set_level(logging.DEBUG)
        reply = replies.get(scene, ok(completion()))

        async def script(asked: Any) -> None:
            await asked.answer(reply)
            if scene == "cut":
                asked.peer.close()

        proxy.upstream.script = script
        if scene == "internal":
            proxy.swap(faults=FaultConfig((Rule("1", Broken("oh")),)))
        if scene == "refused":
            proxy.upstream.listener.close()
        client = await proxy.send(raw)
        got = await client.rest() if scene == "cut" else (await client.reply()).body
        if scene not in ("error", "cut"):
            assert SECRET.encode() not in got
        if scene == "hit":
            assert (await proxy.ask(raw)).cache == b"hit"
        await proxy.record()
        for line in proxy.sink.lines:
            assert SECRET.encode() not in line
        assert SECRET not in caplog.text


def test_an_app_opens_nothing_and_needs_no_loop() -> None:
    async def config() -> Any:
        async with proxying() as proxy:
            return proxy.config

    made = asyncio.run(config())
    app = ProxyApp(made, store=None, sink=None, transport=None, credentials=None, digest_key=b"k")  # type: ignore[arg-type]
    assert (app.runtime.config, len(app.flights)) == (made, 0)
