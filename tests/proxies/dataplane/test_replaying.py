"""The cache on the wire: what is recorded, what answers whom, and that replay mode never opens a connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from model_bakery import baker

from proxies.dataplane.config import BodyLimits, CacheMode, Pace, PaceKind, TemperatureRule
from proxies.dataplane.stores.memory import MemoryStore
from proxies.models import Proxy
from proxies.supervisor.store_db import DatabaseStore
from tests.proxies.dataplane.proxying import (
    CHAT,
    DONE,
    LAST_CHUNK,
    SSE_HEAD,
    UVLOOP,
    Got,
    Proxying,
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


async def twice(proxy: Proxying, raw: bytes, again: bytes | None = None) -> tuple[Got, Got]:
    return await proxy.ask(raw), await proxy.ask(again or raw)


async def test_the_second_call_is_answered_without_the_upstream() -> None:
    async with proxying() as proxy:
        proxy.upstream.count()
        first, second = await twice(proxy, chat())
        assert (first.cache, first.outcome, second.cache, second.outcome) == (b"miss", b"miss", b"hit", b"hit")
        assert (second.status, second.body) == (first.status, first.body)
        assert len(proxy.upstream.asked) == 1
        miss, hit = proxy.records
        for name in ("model", "operation", "prompt_hash", "input_tokens", "output_tokens", "reply_model", "status"):
            assert miss[name] == hit[name] is not None
        assert (miss["attempts"], hit["attempts"], hit["upstream_ms"], hit["endpoint"]) == (1, 0, None, "")


async def test_what_belongs_to_one_exchange_is_not_replayed_and_all_else_is() -> None:
    fields = (
        "Set-Cookie: session=1", "Date: Mon, 01 Jan 2024 00:00:00 GMT", "X-RateLimit-Remaining-Requests: 9",
        "X-Request-Id: req-1", "OpenAI-Processing-Ms: 12", "Cache-Control: no-cache", "Connection: X-Hop", "X-Hop: 1",
        "X-Many: 1", "X-Many: 2",
    )  # fmt: skip
    async with proxying() as proxy:
        proxy.upstream.always(ok(completion(), *fields))
        first, second = await twice(proxy, chat())
        assert first.values(b"set-cookie") == [b"session=1"]
        assert [second.values(name) for name in (b"set-cookie", b"x-ratelimit-remaining-requests", b"x-hop")] == [
            [],
            [],
            [],
        ]
        assert second.values(b"date") != [b"Mon, 01 Jan 2024 00:00:00 GMT"]
        assert len(second.values(b"date")) == 1
        assert second.values(b"x-request-id") == [b"req-1"]
        assert second.values(b"cache-control") == [b"no-cache"]
        assert second.values(b"x-many") == [b"1", b"2"]


async def test_a_stream_replays_its_chunks_one_by_one_and_the_same_for_everyone() -> None:
    async with proxying() as proxy:
        sent = [event(1), event(2)[:7], event(2)[7:] + event(3), DONE]
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD)
        await client.head()
        for chunk in sent:
            await asked.answer(chunked(chunk))
            assert await client.chunk() == chunk
        await asked.answer(LAST_CHUNK)
        assert await client.chunk() == b""
        replay = await proxy.ask(chat(stream=True))
        assert (replay.chunks, replay.value(b"content-type")) == (sent, b"text/event-stream")
        assert proxy.records[1]["is_streaming"] is True


@pytest.mark.parametrize(
    ("kind", "values", "waits"),
    [
        (PaceKind.IMMEDIATE, {}, False),
        (PaceKind.FIXED, {"min_s": 0.08}, True),
        (PaceKind.RANDOM, {"min_s": 0.08, "max_s": 0.1}, True),
        (PaceKind.RECORDED, {}, True),
    ],
)
async def test_a_replay_keeps_the_pace_it_is_set_to(kind: PaceKind, values: dict[str, float], waits: bool) -> None:
    async with proxying(cache={"pace": Pace(kind, **values)}) as proxy:
        loop = asyncio.get_running_loop()
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await client.head()
        assert await client.chunk() == event(1)
        await asyncio.sleep(0.1)
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        assert await client.chunk() == DONE
        await client.chunk()
        started = loop.time()
        client = await proxy.send(chat(stream=True))
        await client.head()
        head_at = loop.time()
        assert await client.chunk() == event(1)
        first_at = loop.time()
        assert await client.chunk() == DONE
        last_at = loop.time()
        if kind is PaceKind.RECORDED:
            assert last_at - first_at > 0.09
        elif waits:
            assert head_at - started > 0.07
        assert await client.chunk() == b""
        assert proxy.records[1]["latency_ms"] >= (70 if waits else 0)


async def test_a_client_that_leaves_while_a_replay_waits_ends_it() -> None:
    async with proxying() as proxy:
        proxy.upstream.count()
        await proxy.ask(chat())
        proxy.swap(cache={"pace": Pace(PaceKind.FIXED, 100.0)})
        client = await proxy.send(chat())
        await until(lambda: proxy.server.in_flight == 1)
        client.close()
        record = await proxy.record(2)
        assert (record["outcome"], record["cache"], record["status"]) == ("client_left", "hit", None)


MODES: list[tuple[CacheMode, list[tuple[str, str]], list[str]]] = [
    # mode, headers of the second call, what the second and a plain third call are (`cache`)
    (CacheMode.ON, [], ["hit", "hit"]),
    (CacheMode.ON, [("X-Rubberduck-Cache", "bypass")], ["bypass", "hit:1"]),
    (CacheMode.ON, [("X-Rubberduck-Cache", "refresh")], ["refresh", "hit:2"]),
    (CacheMode.ON, [("X-Rubberduck-Cache", "only")], ["hit", "hit"]),
    (CacheMode.ON, [("Cache-Control", "no-cache")], ["refresh", "hit:2"]),
    (CacheMode.ON, [("Cache-Control", "no-store")], ["bypass", "hit:1"]),
    (CacheMode.ON, [("Cache-Control", "max-age=0"), ("Cache-Control", "no-store")], ["bypass", "hit:1"]),
    (CacheMode.ON, [("Cache-Control", "no-store"), ("Cache-Control", "max-age=0")], ["bypass", "hit:1"]),
    (CacheMode.ON, [("Cache-Control", "no-store"), ("X-Rubberduck-Cache", "only")], ["hit", "hit"]),
    (CacheMode.OFF, [], ["off", "off"]),
    (CacheMode.OFF, [("X-Rubberduck-Cache", "refresh")], ["off", "off"]),
    (CacheMode.REFRESH, [], ["refresh", "refresh"]),
    (CacheMode.REFRESH, [("X-Rubberduck-Cache", "bypass")], ["bypass", "refresh"]),
]


@pytest.mark.parametrize(("mode", "headers", "expected"), MODES)
async def test_mode_and_headers_decide_what_the_cache_does(
    mode: CacheMode, headers: list[tuple[str, str]], expected: list[str]
) -> None:
    async with proxying(cache={"mode": mode}) as proxy:
        proxy.upstream.count()
        await proxy.ask(chat())
        got = [await proxy.ask(chat(headers=headers)), await proxy.ask(chat())]
        for one, word in zip(got, expected, strict=True):
            cache, _, number = word.partition(":")
            assert one.cache == cache.encode()
            if number:
                assert one.json["id"] == f"c-{number}"
        outcomes = {"hit": "hit", "refresh": "miss", "bypass": "bypass", "off": "bypass"}
        assert [record["outcome"] for record in proxy.records[1:]] == [
            outcomes[word.split(":")[0]] for word in expected
        ]
        for asked in proxy.upstream.asked:
            assert asked.values(b"x-rubberduck-cache") == []


@pytest.mark.parametrize("value", ["", "sometimes", "bypass, refresh"])
async def test_an_unknown_cache_word_is_refused_in_the_providers_shape(value: str) -> None:
    async with proxying() as proxy:
        got = await proxy.ask(chat(headers=[("X-Rubberduck-Cache", value)]))
        assert (got.status, got.outcome) == (400, b"error")
        assert "bypass, refresh, only" in got.json["error"]["message"]
        assert (proxy.records[0]["error_kind"], proxy.upstream.peers) == ("bad_request", [])


REPLAY_ONLY = [
    chat("never asked"),
    chat("x", headers=[("X-Rubberduck-Cache", "refresh")]),
    chat("x", headers=[("X-Rubberduck-Cache", "bypass")]),
    chat("x", headers=[("Cache-Control", "no-cache, no-store")]),
    chat("x", temperature=1.0),
    chat("x", conversation="conv_1"),
    request("GET", "/v1/files/f"),
    request("DELETE", "/v1/files/f"),
    request("POST", "/v1/files", bytes(300), content_type="application/octet-stream"),
    request("GET", "/unknown"),
    request("OPTIONS", "*"),
    request("HEAD", "/v1/models"),
    request(body=b'{"model":"m","x":"' + b"y" * 5000 + b'"}'),
    b"POST /v1/files HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
]


@pytest.mark.parametrize("raw", REPLAY_ONLY)
async def test_replay_mode_never_opens_a_connection(raw: bytes) -> None:
    async with proxying(cache={"mode": CacheMode.REPLAY}, limits=BodyLimits(hash_bytes=2000)) as proxy:
        got = await proxy.ask(raw)
        assert (got.status, got.outcome, got.cache) == (404, b"error", b"miss")
        if not raw.startswith(b"HEAD"):
            assert got.json["error"]["code"] == "no_recording"
        assert (proxy.records[0]["error_kind"], proxy.records[0]["attempts"]) == ("no_recording", 0)
        assert proxy.upstream.peers == []
        assert proxy.transport.stats()["upstreams"] == {}


async def test_replay_mode_and_only_answer_what_is_recorded() -> None:
    async with proxying(cache={"temperature_rule": TemperatureRule.ALWAYS}) as proxy:
        proxy.upstream.count()
        await proxy.ask(chat(temperature=1))
        proxy.swap(cache={"mode": CacheMode.REPLAY, "temperature_rule": TemperatureRule.ONLY_DETERMINISTIC})
        got = await proxy.ask(chat(temperature=1))
        assert (got.status, got.cache, len(proxy.upstream.asked)) == (200, b"hit", 1)


async def test_a_time_to_live_ends_a_recording() -> None:
    async with proxying(cache={"ttl_s": 60.0}) as proxy:
        proxy.upstream.count()
        await proxy.ask(chat())
        proxy.clock.ahead_s = 59.0
        assert (await proxy.ask(chat())).cache == b"hit"
        proxy.clock.ahead_s = 60.0
        assert (await proxy.ask(chat())).json["id"] == "c-2"
        assert (await proxy.ask(chat())).json["id"] == "c-2"


async def test_a_time_to_live_set_later_holds_for_older_recordings_too() -> None:
    async with proxying() as proxy:
        proxy.upstream.count()
        await proxy.ask(chat())
        proxy.clock.ahead_s = 10.0
        proxy.swap(cache={"ttl_s": 5.0})
        assert (await proxy.ask(chat())).cache == b"miss"


@pytest.mark.parametrize(
    ("rule", "members", "cache"),
    [
        (TemperatureRule.ALWAYS, {"temperature": 2}, b"hit"),
        (TemperatureRule.UNLESS_RANDOM, {"temperature": 0.1}, b"bypass"),
        (TemperatureRule.UNLESS_RANDOM, {"temperature": 0}, b"hit"),
        (TemperatureRule.UNLESS_RANDOM, {}, b"hit"),
        (TemperatureRule.ONLY_DETERMINISTIC, {"temperature": 0}, b"hit"),
        (TemperatureRule.ONLY_DETERMINISTIC, {}, b"bypass"),
    ],
)
async def test_the_temperature_rule_decides_what_is_recorded(
    rule: TemperatureRule, members: dict[str, Any], cache: bytes
) -> None:
    async with proxying(cache={"temperature_rule": rule}) as proxy:
        proxy.upstream.count()
        _, second = await twice(proxy, chat(**members))
        assert second.cache == cache


@pytest.mark.parametrize(
    ("field", "obeys", "cache"),
    [
        ("no-store", False, b"hit"),
        ("no-store", True, b"miss"),
        ("private", True, b"miss"),
        ("max-age=100", True, b"hit"),
        ("max-age=10", True, b"miss"),
        ("no-cache", True, b"hit"),
    ],
)
async def test_the_upstreams_cache_control_binds_only_if_asked_to(field: str, obeys: bool, cache: bytes) -> None:
    async with proxying(cache={"obeys_upstream": obeys}) as proxy:
        proxy.upstream.always(ok(completion(), f"Cache-Control: {field}"))
        await proxy.ask(chat())
        proxy.clock.ahead_s = 50.0
        second = await proxy.ask(chat())
        assert (second.cache, second.value(b"cache-control")) == (cache, field.encode())


async def test_raising_the_epoch_forgets_everything_at_once() -> None:
    async with proxying() as proxy:
        proxy.upstream.count()
        await proxy.ask(chat())
        proxy.swap(cache={"epoch": 1})
        assert (await proxy.ask(chat())).json["id"] == "c-2"
        proxy.swap(cache={"mode": CacheMode.REPLAY, "epoch": 2})
        assert (await proxy.ask(chat())).status == 404


async def test_a_reply_in_flight_over_an_invalidation_does_not_come_back() -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat())
        asked = await proxy.upstream.next()
        proxy.swap(cache={"epoch": 1})
        await asked.answer(ok(completion(1)))
        assert (await client.reply()).json["id"] == "c-1"
        proxy.upstream.always(ok(completion(2)))
        proxy.upstream.go_on(asked)
        assert (await proxy.ask(chat())).json["id"] == "c-2"
        assert (await proxy.ask(chat())).json["id"] == "c-2"


UNRECORDABLE = [
    b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\n{}",
    ok(b'{"error":{}}', status="500 Oops"),
    ok(b"{}", status="429 Too Many Requests"),
    ok(b"", "Location: /x", status="302 Found"),
    SSE_HEAD + chunked(event(1)) + LAST_CHUNK,  # no [DONE]
    SSE_HEAD + chunked(event(1)) + chunked(b'data: {"error":{"message":"overloaded"}}\n\n' + DONE) + LAST_CHUNK,
    ok(b"<html>maintenance</html>", content_type="text/html"),
    ok(b'{"id":"cut off'),
    ok(b'{"error":{"message":"sorry"}}'),
]


@pytest.mark.parametrize("reply", UNRECORDABLE)
async def test_only_whole_successes_are_recorded(reply: bytes) -> None:
    async with proxying() as proxy:
        proxy.upstream.always(reply)
        first, second = await twice(proxy, chat(stream=True))
        assert (first.status, first.body) == (second.status, second.body)
        assert (second.cache, len(proxy.upstream.asked)) == (b"miss", 2)
        assert len(proxy.memory._recordings) == 0


@pytest.mark.parametrize("members", [{"background": True}, {"conversation": "conv_1"}, {"conversation": {"id": "c"}}])
async def test_what_depends_on_state_at_the_provider_is_never_cached(members: dict[str, Any]) -> None:
    body = b'{"model":"m","input":"hi",' + b'"background":true}' if "background" in members else b'{"conversation":"c"}'
    raw = request(target="/v1/responses", body=body)
    async with proxying() as proxy:
        proxy.upstream.count()
        _, second = await twice(proxy, raw)
        only = await proxy.ask(request(target="/v1/responses", body=body, headers=[("X-Rubberduck-Cache", "only")]))
        assert (second.cache, second.outcome, len(proxy.upstream.asked)) == (b"bypass", b"bypass", 2)
        assert (only.status, only.json["error"]["code"]) == (404, "no_recording")


@pytest.mark.parametrize("target", ["/v1/files", "/v1/responses/resp_1", "/else"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_what_is_not_a_cacheable_operation_goes_up_every_time(target: str, method: str) -> None:
    async with proxying() as proxy:
        proxy.upstream.count()
        first, second = await twice(proxy, request(method, target))
        assert (first.cache, second.cache, len(proxy.upstream.asked)) == (b"bypass", b"bypass", 2)


async def test_a_body_past_the_hash_limit_goes_up_uncached() -> None:
    body = b'{"model":"m","x":"' + b"y" * 3000 + b'"}'
    as_chunks = (
        b"POST %b HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%b%b"
    )
    for raw in (request(body=body), as_chunks % (CHAT.encode(), chunked(body), LAST_CHUNK)):
        async with proxying(limits=BodyLimits(hash_bytes=2000)) as proxy:
            proxy.upstream.count()
            _, second = await twice(proxy, raw)
            assert (second.cache, len(proxy.upstream.asked)) == (b"bypass", 2)
            assert [asked.body for asked in proxy.upstream.asked] == [body, body]
            assert [record["request_bytes"] for record in proxy.records] == [len(body)] * 2


async def test_a_store_behind_memory_answers_after_a_restart() -> None:
    lasting = MemoryStore()
    async with proxying(lasting=lasting) as proxy:
        proxy.upstream.count()
        await proxy.ask(chat(stream=False))
        config = proxy.config
    async with proxying(lasting=lasting, upstream=config.upstream, cache={"mode": CacheMode.REPLAY}) as proxy:
        assert (await proxy.ask(chat(stream=False))).json["id"] == "c-1"


@pytest.fixture
def proxy_id(transactional_db: None) -> int:
    made: Proxy = baker.make(Proxy, name="p", provider="openai", port=18001)
    return made.pk


async def test_recordings_in_the_database_answer_another_worker_byte_for_byte(proxy_id: int) -> None:
    frames = [event(1), event(2)[:9], event(2)[9:] + DONE]
    writer = DatabaseStore(proxy_id, linger_s=0.0)
    async with proxying(lasting=writer) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD)
        await client.head()
        for frame in frames:
            await asked.answer(chunked(frame))
            assert await client.chunk() == frame
        await asked.answer(LAST_CHUNK)
        assert await client.chunk() == b""
        await writer.stop(5.0)
        upstream = proxy.config.upstream
    reader = DatabaseStore(proxy_id, linger_s=0.0)
    async with proxying(lasting=reader, upstream=upstream, cache={"mode": CacheMode.REPLAY}) as proxy:
        got = await proxy.ask(chat(stream=True))
        assert (got.status, got.cache, got.chunks) == (200, b"hit", frames)
        assert (proxy.records[0]["input_tokens"], proxy.records[0]["is_streaming"]) == (3, True)
        missed = await proxy.ask(chat("another", stream=True))
        assert "/messages/0/content" in missed.json["error"]["message"]
        await reader.stop(5.0)
