"""Single flight on the wire: identical requests reach the upstream once, and nobody's leaving, failing or dawdling
hurts the others."""

from __future__ import annotations

import asyncio
import gc
import gzip

import pytest

from proxies.dataplane.app import ProxyApp
from proxies.dataplane.config import BodyLimits
from tests.proxies.dataplane.proxying import (
    DONE,
    LAST_CHUNK,
    SSE_HEAD,
    UVLOOP,
    Client,
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
STREAM = chat(stream=True)


async def together(proxy: Proxying, count: int, raw: bytes = STREAM) -> list[Client]:
    """That many clients with the same request, all of them waiting; the first one leads."""
    clients = []
    for number in range(count):
        clients.append(await proxy.send(raw))
        await until(lambda number=number: seats(proxy.app) == number + 1)  # type: ignore[misc]
    return clients


def seats(app: ProxyApp) -> int:
    """How many exchanges share the one flight under way."""
    return sum(len(flight._reply.seats) for flight in app.flights._flights.values())


@pytest.mark.parametrize("is_chunked", [True, False])
async def test_identical_requests_reach_the_upstream_once(is_chunked: bool) -> None:
    async with proxying() as proxy:
        clients = await together(proxy, 5, STREAM if is_chunked else chat())
        reply = SSE_HEAD + chunked(event(1)) + chunked(DONE) + LAST_CHUNK if is_chunked else ok(completion())
        await proxy.upstream.answer_next(reply)
        got = await asyncio.gather(*(client.reply() for client in clients))
        assert {one.body for one in got} == {event(1) + DONE if is_chunked else completion()}
        assert [one.cache for one in got] == [b"miss", b"hit", b"hit", b"hit", b"hit"]
        assert len(proxy.upstream.asked) == 1
        assert sorted(record["outcome"] for record in proxy.records) == ["hit"] * 4 + ["miss"]
        assert [record["input_tokens"] for record in proxy.records] == [3] * 5
        assert [record["is_streaming"] for record in proxy.records] == [is_chunked] * 5
        assert sorted(record["attempts"] for record in proxy.records) == [0, 0, 0, 0, 1]
        assert (await proxy.ask(STREAM if is_chunked else chat())).cache == b"hit"


async def test_waiters_get_chunks_as_they_arrive_and_a_late_one_all_of_them() -> None:
    async with proxying() as proxy:
        clients = await together(proxy, 3)
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD)
        for number in range(3):
            await asked.answer(chunked(event(number)))
            for client in clients:
                if number == 0:
                    await client.head()
                assert await client.chunk() == event(number)
        late = await proxy.send(STREAM)
        await late.head()
        assert [await late.chunk() for _ in range(3)] == [event(0), event(1), event(2)]
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        for client in [*clients, late]:
            assert await client.chunk() == DONE
            assert await client.chunk() == b""


async def test_with_the_switch_off_everybody_goes_up() -> None:
    async with proxying(cache={"is_single_flight": False}) as proxy:
        clients = [await proxy.send(STREAM) for _ in range(3)]
        asked = [await proxy.upstream.next() for _ in clients]
        for one in asked:
            await one.answer(SSE_HEAD + chunked(DONE) + LAST_CHUNK)
        assert [(await client.reply()).cache for client in clients] == [b"miss"] * 3


@pytest.mark.parametrize("has_head", [True, False])
@pytest.mark.parametrize("is_chunked", [True, False])
async def test_the_leader_leaves_and_the_waiters_get_it_all_and_it_is_recorded(
    has_head: bool, is_chunked: bool
) -> None:
    if has_head and not is_chunked:
        return await _leader_leaves_amid_a_sized_reply()
    raw = STREAM if is_chunked else chat()
    async with proxying() as proxy:
        leader, *waiters = await together(proxy, 3, raw)
        asked = await proxy.upstream.next()
        if has_head:
            await asked.answer(SSE_HEAD + chunked(event(1)))
            for client in (leader, *waiters):
                await client.head()
                assert await client.chunk() == event(1)
        leader.close()
        await until(lambda: seats(proxy.app) == 2)
        if has_head:
            await asked.answer(chunked(DONE) + LAST_CHUNK)
            for client in waiters:
                assert [await client.chunk(), await client.chunk()] == [DONE, b""]
        else:
            await asked.answer(SSE_HEAD + chunked(DONE) + LAST_CHUNK if is_chunked else ok(completion()))
            for client in waiters:
                assert (await client.reply()).body == (DONE if is_chunked else completion())
        await until(lambda: len(proxy.records) == 3)
        by_outcome = sorted((record["outcome"], record["status"]) for record in proxy.records if record["status"])
        assert by_outcome[-2:] == [("hit", 200), ("hit", 200)]
        (left,) = [record for record in proxy.records if record["outcome"] == "client_left"]
        assert left["status"] == (200 if has_head else None)
        assert (await proxy.ask(raw)).cache == b"hit"
    return None


async def _leader_leaves_amid_a_sized_reply() -> None:
    body = completion(1, filler="x" * 100_000)
    async with proxying() as proxy:
        leader, waiter = await together(proxy, 2, chat())
        asked = await proxy.upstream.next()
        reply = ok(body)
        await asked.answer(reply[: len(reply) // 2])
        await leader.head()
        leader.close()
        await asked.answer(reply[len(reply) // 2 :])
        assert (await waiter.reply()).body == body
        assert (await proxy.ask(chat())).cache == b"hit"


async def test_a_leader_whose_client_left_before_the_upstream_failed_has_been_left() -> None:
    async with proxying() as proxy:
        leader, waiter = await together(proxy, 2)
        asked = await proxy.upstream.next()
        leader.close()
        await until(lambda: seats(proxy.app) == 1)
        asked.peer.reset()
        await proxy.upstream.answer_next(SSE_HEAD + chunked(DONE) + LAST_CHUNK)
        assert (await waiter.reply()).body == DONE
        await until(lambda: len(proxy.records) == 2)
        assert sorted(record["outcome"] for record in proxy.records) == ["client_left", "miss"]


async def test_the_last_one_to_leave_cancels_the_upstream() -> None:
    async with proxying() as proxy:
        clients = await together(proxy, 3)
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        for client in clients:
            await client.head()
            assert await client.chunk() == event(1)
        for client in clients:
            client.close()
        assert await asked.peer.at_end()
        await until(lambda: len(proxy.records) == 3)
        assert [record["outcome"] for record in proxy.records] == ["client_left"] * 3
        assert len(proxy.memory._recordings) == 0


async def test_all_leave_before_the_head_and_the_upstream_is_cancelled() -> None:
    async with proxying() as proxy:
        clients = await together(proxy, 3)
        asked = await proxy.upstream.next()
        for client in clients:
            client.close()
        assert await asked.peer.at_end()
        await until(lambda: len(proxy.records) == 3)
        assert [record["outcome"] for record in proxy.records] == ["client_left"] * 3


@pytest.mark.parametrize("status", ["500 Oops", "429 Slow", "302 Found", "206 Partial Content"])
async def test_what_cannot_be_recorded_is_not_shared_each_goes_up_itself(status: str) -> None:
    async with proxying() as proxy:
        clients = await together(proxy, 3)
        await proxy.upstream.answer_next(ok(b'{"n":1}', status=status))
        for _ in clients[1:]:
            await proxy.upstream.answer_next(ok(completion(2)))
        got = await asyncio.gather(*(client.reply() for client in clients))
        assert [one.status for one in got] == [int(status[:3]), 200, 200]
        assert [one.cache for one in got] == [b"miss"] * 3
        assert len(proxy.upstream.asked) == 3


async def test_a_leader_that_cannot_reach_the_upstream_leaves_the_others_to_try() -> None:
    async with proxying() as proxy:
        clients = await together(proxy, 3)
        asked = await proxy.upstream.next()
        asked.peer.reset()
        for _ in clients[1:]:
            await proxy.upstream.answer_next(ok(completion(2)))
        got = await asyncio.gather(*(client.reply() for client in clients))
        assert [one.status for one in got] == [502, 200, 200]


async def test_a_cut_upstream_cuts_all_of_them() -> None:
    async with proxying() as proxy:
        clients = await together(proxy, 3)
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        for client in clients:
            await client.head()
            assert await client.chunk() == event(1)
        asked.peer.reset()
        for client in clients:
            assert await client.rest() == b""
        await until(lambda: len(proxy.records) == 3)
        assert [(record["outcome"], record["error_kind"]) for record in proxy.records] == [
            ("error", "upstream_cut")
        ] * 3
        proxy.upstream.always(SSE_HEAD + chunked(DONE) + LAST_CHUNK)
        assert (await proxy.ask(STREAM)).cache == b"miss"


async def test_a_waiter_that_reads_nothing_is_given_up_and_holds_up_nobody() -> None:
    big = event(1, x="y" * 200_000)
    async with proxying(limits=BodyLimits(recording_bytes=400_000)) as proxy:
        proxy.app.flights.stall_s = 0.2
        quick = (await together(proxy, 1))[0]
        stuck = await proxy.client(receive_buffer=4096)
        await stuck.send(STREAM)
        await until(lambda: seats(proxy.app) == 2)
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD)
        await quick.head()
        reading = asyncio.create_task(_read_chunks(quick))
        for _ in range(60):
            await asked.answer(chunked(big))
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        assert await reading == 60 * len(big) + len(DONE)
        await until(lambda: len(proxy.records) == 2)
        records = sorted(proxy.records, key=lambda record: record["outcome"])
        assert [record["outcome"] for record in records] == ["client_left", "miss"]
        assert "took nothing" in records[0]["error"]


async def _read_chunks(client: Client) -> int:
    size = 0
    while chunk := await client.chunk():
        size += len(chunk)
    return size


async def test_a_leader_that_reads_nothing_does_not_hold_up_a_waiter() -> None:
    big = event(1, x="y" * 200_000)
    async with proxying(limits=BodyLimits(recording_bytes=64_000_000)) as proxy:
        stuck = await proxy.client(receive_buffer=4096)
        await stuck.send(STREAM)
        await until(lambda: seats(proxy.app) == 1)
        quick = await proxy.send(STREAM)
        await until(lambda: seats(proxy.app) == 2)
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD)
        await quick.head()
        reading = asyncio.create_task(_read_chunks(quick))
        for _ in range(60):
            await asked.answer(chunked(big))
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        assert await reading == 60 * len(big) + len(DONE)
        stuck.close()
        await until(lambda: len(proxy.records) == 2)
        assert sorted(record["outcome"] for record in proxy.records) == ["client_left", "hit"]


async def test_a_waiter_that_takes_no_gzip_gets_the_same_reply_decoded() -> None:
    raw = gzip.compress(completion())
    async with proxying() as proxy:
        leader = await proxy.send(chat(headers=[("Accept-Encoding", "gzip")]))
        await until(lambda: seats(proxy.app) == 1)
        plain = await proxy.send(chat(headers=[("Accept-Encoding", "identity")]))
        await until(lambda: seats(proxy.app) == 2)
        await proxy.upstream.answer_next(ok(raw, "Content-Encoding: gzip"))
        assert (await leader.reply()).body == raw
        got = await plain.reply()
        assert (got.body, got.value(b"content-encoding"), got.cache) == (completion(), None, b"hit")


async def test_cookies_and_quotas_of_the_leader_are_not_shared() -> None:
    async with proxying() as proxy:
        leader, waiter = await together(proxy, 2, chat())
        await proxy.upstream.answer_next(ok(completion(), "Set-Cookie: s=1", "X-RateLimit-Remaining-Tokens: 5"))
        assert (await leader.reply()).values(b"set-cookie") == [b"s=1"]
        got = await waiter.reply()
        assert got.values(b"set-cookie") == got.values(b"x-ratelimit-remaining-tokens") == []


@pytest.mark.parametrize("raw", [chat(headers=[("X-Rubberduck-Cache", "refresh")]), request("GET", "/v1/files")])
async def test_requests_that_may_not_be_answered_by_others_share_nothing(raw: bytes) -> None:
    async with proxying() as proxy:
        clients = [await proxy.send(raw) for _ in range(2)]
        for number in range(2):
            await proxy.upstream.answer_next(ok(completion(number)))
        got = await asyncio.gather(*(client.reply() for client in clients))
        assert sorted(one.json["id"] for one in got) == ["c-0", "c-1"]


async def test_different_requests_do_not_share_a_flight() -> None:
    async with proxying() as proxy:
        clients = [await proxy.send(chat(text)) for text in ("one", "two")]
        for _ in clients:
            asked = await proxy.upstream.next()
            await asked.answer(ok(completion(1, echo=asked.body.decode())))
            proxy.upstream.go_on(asked)  # the other request may come over the same connection
        got = await asyncio.gather(*(client.reply() for client in clients))
        assert ["one" in got[0].json["echo"], "two" in got[1].json["echo"]] == [True, True]


async def test_a_flight_from_before_an_invalidation_takes_on_nobody_new() -> None:
    async with proxying() as proxy:
        old = await proxy.send(STREAM)
        first = await proxy.upstream.next()
        proxy.swap(cache={"epoch": 1})
        new = await proxy.send(STREAM)
        second = await proxy.upstream.next()
        await first.answer(SSE_HEAD + chunked(event(1) + DONE) + LAST_CHUNK)
        await second.answer(SSE_HEAD + chunked(event(2) + DONE) + LAST_CHUNK)
        assert (await old.reply()).body == event(1) + DONE
        assert (await new.reply()).body == event(2) + DONE
        assert (await proxy.ask(STREAM)).body == event(2) + DONE


async def test_an_exchange_is_freed_without_the_garbage_collector() -> None:
    async with proxying() as proxy:
        proxy.upstream.always(lambda _: SSE_HEAD + chunked(DONE) + LAST_CHUNK)
        await proxy.ask(STREAM)
        gc.collect()
        gc.disable()
        try:
            client = await proxy.client()
            for number in range(20):
                assert (await client.ask(chat(f"{number}", stream=True))).cache == b"miss"
            kept = [thing for thing in gc.get_objects() if type(thing).__name__ == "Exchange"]
            assert len(kept) <= 1
        finally:
            gc.enable()
