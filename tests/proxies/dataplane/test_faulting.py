"""The fault stage on real connections: what is decided, waited for, replaced and damaged, and what the record says."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import pytest

from proxies.dataplane.access import AccessList
from proxies.dataplane.config import CacheMode
from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Cut, Draw, Fault, Injection, Stage
from proxies.dataplane.faults.grammar import read_rules
from proxies.dataplane.faults.rules import FaultConfig, Rule
from tests.proxies.dataplane.faults.deciding import is_likely
from tests.proxies.dataplane.proxying import (
    DONE,
    LAST_CHUNK,
    SECRET,
    SSE_HEAD,
    UVLOOP,
    Asked,
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


def rules(*entries: dict[str, Any], **config: Any) -> FaultConfig:
    return FaultConfig(read_rules(list(entries)), **config)


def faults(*made: Fault, **config: Any) -> FaultConfig:
    return FaultConfig(tuple(Rule(str(place), fault) for place, fault in enumerate(made, 1)), **config)


def asks(value: str, *more: str, **members: Any) -> bytes:
    """A request that asks for faults, one header line each."""
    return chat(headers=[("X-Rubberduck-Fault", one) for one in (value, *more)], **members)


@dataclass(frozen=True)
class Stamp(Fault):
    """Writes its word at the end of a body, and before the first chunk of a stream."""

    kind = "stamp"
    title = "Stamp"
    summary = "For tests."
    stage = Stage.DAMAGE

    word: str = "!"
    is_idle: bool = False  # takes hold, and then nothing comes of it

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        if not isinstance(reply.body, bytes):
            reply.body = self._stream(reply.body, injection)
            return reply
        if b"unstampable" in reply.body:
            return None
        if not self.is_idle:
            injection.note()
            reply.body += self.word.encode()
            reply.headers = [
                (name, str(len(reply.body)).encode() if name.lower() == b"content-length" else value)
                for name, value in reply.headers
            ]
        return reply

    async def _stream(self, body: AsyncGenerator[bytes, None], injection: Injection) -> AsyncGenerator[bytes, None]:
        if not self.is_idle:
            injection.note()
            yield self.word.encode()
        async for chunk in body:
            yield chunk


@dataclass(frozen=True)
class Early(Stamp):
    """A stamp that acts before others."""

    kind = "early"
    order = -1


@dataclass(frozen=True)
class Snip(Fault):
    """Cuts a stream after so many chunks."""

    kind = "snip"
    stage = Stage.DAMAGE
    drops_upstream = True
    streams = True

    after: int = 1

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        assert not isinstance(reply.body, bytes)
        reply.body = self._cut(reply.body, injection)
        return reply

    async def _cut(self, body: AsyncGenerator[bytes, None], injection: Injection) -> AsyncGenerator[bytes, None]:
        count = 0
        async for chunk in body:
            yield chunk
            count += 1
            if count == self.after:
                injection.note()
                raise Cut


@dataclass(frozen=True)
class Broken(Fault):
    """Fails to fail, at any stage."""

    kind = "broken"
    stage = Stage.REPLACE
    at: Stage = Stage.REPLACE

    def __post_init__(self) -> None:
        object.__setattr__(self, "stage", self.at)

    def wait_s(self, draw: Draw) -> float:
        raise KeyError(SECRET)

    async def replace(self, injection: Injection) -> Reply:
        raise KeyError(SECRET)

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        raise KeyError(SECRET)


async def stream(asked: Asked) -> None:
    await asked.answer(SSE_HEAD + chunked(event(1)) + chunked(event(2)) + chunked(DONE) + LAST_CHUNK)


def told(proxy: Proxying) -> list[tuple[str, str, int | None]]:
    return [(record["outcome"], record["fault"], record["decision"]) for record in proxy.records]


# --- deciding


async def test_hits_and_misses_meet_the_same_faults_log_for_log() -> None:
    entries = [
        {"fault": "error", "status": 429, "rate": 0.3},
        {"fault": "error", "status": 503, "when": {"every": 7}},
        {"fault": "empty_body", "rate": 0.2},
        {"fault": "delay", "seconds": 0, "rate": 0.5},
    ]
    runs = []
    for mode, seed in ((CacheMode.ON, 5), (CacheMode.OFF, 5), (CacheMode.ON, 5), (CacheMode.ON, 6)):
        async with proxying(faults=rules(*entries, seed=seed), cache={"mode": mode}) as proxy:
            proxy.upstream.always(lambda asked: ok(completion()))
            client = await proxy.client()
            for number in range(120):
                await client.ask(chat(f"text {number % 4}"))
            records = proxy.records
            runs.append([(record["decision"], record["fault"], record["status"]) for record in records])
            outcomes = Counter(record["cache"] for record in records)
            assert (outcomes["hit"] > 50) is (mode is CacheMode.ON)
    assert runs[0] == runs[1] == runs[2]
    assert runs[0] != runs[3]
    assert [decision for decision, _, _ in runs[0]] == list(range(1, 121))


async def test_ten_thousand_requests_meet_the_rates_they_are_given_on_hits_and_misses_alike() -> None:
    entries = [{"fault": "error", "status": 429, "rate": 0.1}, {"fault": "empty_body", "rate": 0.05}]
    async with proxying(faults=rules(*entries, seed=11)) as proxy:
        proxy.upstream.always(ok(completion()))
        await proxy.ask(chat("known"))
        client = await proxy.client()
        for batch in range(100):
            texts = ["known" if number % 2 else f"new {batch} {number}" for number in range(100)]
            await client.send(b"".join(map(chat, texts)))
            for _ in texts:
                await client.reply()
        records = proxy.records[-10_000:]
        would_hit = [record["prompt_hash"] == records[1]["prompt_hash"] for record in records]
        assert sum(would_hit) == 5000
        for kind, chance in (("error", 0.1), ("empty_body", 0.05 * 0.9)):  # an error leaves nothing to damage
            happened = [record["fault"] == kind for record in records]
            assert is_likely(sum(happened), 10_000, chance)
            for is_hit in (True, False):
                of_these = [one for one, hit in zip(happened, would_hit, strict=True) if hit is is_hit]
                assert is_likely(sum(of_these), 5000, chance)


async def test_concurrent_runs_compare_as_multisets() -> None:
    entries = [{"fault": "error", "status": 429, "rate": 0.4}, {"fault": "error", "status": 500, "when": {"every": 5}}]
    runs = []
    for _ in range(2):
        async with proxying(faults=rules(*entries, seed=3), cache={"mode": CacheMode.OFF}) as proxy:
            proxy.upstream.always(ok(completion()))
            await asyncio.gather(*(proxy.ask(chat(f"text {number}")) for number in range(60)))
            runs.append(Counter((record["decision"], record["fault"], record["status"]) for record in proxy.records))
    assert runs[0] == runs[1]


async def test_a_rule_for_a_header_field_meets_those_who_have_it_and_numbers_all() -> None:
    rule = {"fault": "error", "status": 503, "match": {"header": {"x-tenant": "a"}}, "when": {"every": 2}}
    async with proxying(faults=rules(rule)) as proxy:
        proxy.upstream.always(ok(completion()))
        tenants = [None, "a", None, "b", "a", "a", None, "a"]
        got = [await proxy.ask(chat(headers=[("X-Tenant", name)] if name else [])) for name in tenants]
        assert [each.status for each in got] == [200, 200, 200, 200, 503, 200, 200, 503]
        assert [record["decision"] for record in proxy.records] == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_without_rules_and_header_nothing_is_numbered() -> None:
    async with proxying(faults=FaultConfig()) as proxy:
        proxy.upstream.count()
        assert (await proxy.ask(asks("error;status=429"))).status == 200
        proxy.swap(faults=rules({"fault": "error", "status": 429}, is_on=False))
        assert (await proxy.ask(chat())).status == 200
        assert [decision for _, _, decision in told(proxy)] == [None, None]


async def test_what_was_counted_outlives_a_change_of_something_else_and_no_change_of_the_rules() -> None:
    config = rules({"fault": "error", "status": 503, "when": {"every": 2}})
    async with proxying(faults=config) as proxy:
        proxy.upstream.count()
        seen = [(await proxy.ask(chat())).status]
        proxy.swap(name="renamed")
        seen.append((await proxy.ask(chat())).status)
        proxy.swap(faults=rules({"fault": "error", "status": 500, "when": {"every": 2}}))
        seen += [(await proxy.ask(chat())).status for _ in range(2)]
        assert seen == [200, 503, 200, 500]
        assert [decision for _, _, decision in told(proxy)] == [1, 2, 1, 2]


async def test_a_request_that_the_access_list_refuses_takes_no_number() -> None:
    config = rules({"fault": "error", "status": 503})
    async with proxying(faults=config, access=AccessList(block=("127.0.0.1",))) as proxy:
        assert (await proxy.ask(chat())).status == 403
        assert told(proxy) == [("blocked", "", None)]


# --- the header


@pytest.mark.parametrize("allows_header", [True, False])
async def test_the_header_counts_only_if_the_proxy_allows_it_and_never_goes_upstream(allows_header: bool) -> None:
    async with proxying(faults=rules({"fault": "delay", "seconds": 0}, allows_header=allows_header)) as proxy:
        proxy.upstream.count()
        got = await proxy.ask(asks("error;status=418"))
        assert got.status == (418 if allows_header else 200)
        assert (await proxy.ask(asks("pass"))).status == 200
        assert [
            name.lower() for asked in proxy.upstream.asked for name, _ in asked.headers if b"rubberduck" in name
        ] == []


async def test_a_request_that_says_itself_what_it_meets_is_numbered_but_not_seen_by_the_rules() -> None:
    async with proxying(
        faults=rules({"fault": "error", "status": 503, "when": {"every": 2}}, allows_header=True)
    ) as proxy:
        proxy.upstream.count()
        raw = [chat(), asks("pass"), asks("error;status=418"), asks(""), chat()]
        assert [(await proxy.ask(one)).status for one in raw] == [200, 200, 418, 503, 200]
        assert [decision for _, _, decision in told(proxy)] == [1, 2, 3, 4, 5]
        assert [fault for _, fault, _ in told(proxy)] == ["", "", "error", "error", ""]


async def test_several_header_lines_are_one_list() -> None:
    async with proxying(faults=FaultConfig(allows_header=True)) as proxy:
        got = await proxy.ask(asks("delay;seconds=0.001", "delay;seconds=0, error;status=418"))
        assert got.status == 418
        assert told(proxy) == [("fault", "delay,delay,error", 1)]


async def test_a_header_nobody_can_obey_is_a_400_in_the_providers_shape_that_names_the_parameter() -> None:
    async with proxying(faults=FaultConfig(allows_header=True)) as proxy:
        got = await proxy.ask(asks(f'error;status=42;message="{SECRET}"'))
        assert (got.status, got.outcome) == (400, b"error")
        assert got.json["error"] == {
            "message": "x-rubberduck-fault: error;status: use a whole number from 400 to 599",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
        assert (await proxy.ask(asks(f"{SECRET.lower()};x"))).status == 400
        assert [record["error_kind"] for record in proxy.records] == ["bad_request"] * 2
        assert SECRET.lower() not in b"".join(proxy.sink.lines).decode().lower()
        assert told(proxy) == [("error", "", 1), ("error", "", 2)]
        assert proxy.upstream.asked == []


async def test_a_fault_for_streams_asked_for_by_another_request_does_nothing() -> None:
    async with proxying(faults=FaultConfig(allows_header=True)) as proxy:
        proxy.upstream.count()
        assert (await proxy.ask(asks("cut;events=1"))).status == 200
        assert told(proxy) == [("miss", "", 1)]


async def test_amounts_of_the_header_are_drawn_by_its_number() -> None:
    seen: list[float] = []

    @dataclass(frozen=True)
    class Look(Fault):
        kind = "look"
        stage = Stage.DELAY

        def wait_s(self, draw: Draw) -> float:
            seen.append(draw("look"))
            return 0

    for _ in range(2):
        async with proxying(faults=faults(Look(), seed=9)) as proxy:
            proxy.upstream.count()
            for _ in range(3):
                await proxy.ask(chat())
    assert seen[:3] == seen[3:]
    assert len(set(seen)) == 3


# --- delays


async def test_delays_add_up_and_alone_change_no_outcome() -> None:
    entry = {"fault": "delay", "seconds": 0.03}
    async with proxying(faults=rules(entry, entry)) as proxy:
        proxy.upstream.count()
        got = await proxy.ask(chat())
        assert (got.status, got.outcome, got.value(b"x-rubberduck-fault")) == (200, b"miss", b"delay,delay")
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("miss", "delay,delay")
        assert record["first_byte_ms"] > 50  # timers may be a millisecond early


async def test_a_client_that_leaves_while_it_is_delayed_ends_its_exchange_at_once() -> None:
    async with proxying(faults=rules({"fault": "delay", "seconds": 3600})) as proxy:
        client = await proxy.send(chat())
        await until(lambda: proxy.server.in_flight == 1)
        client.close()
        assert (await proxy.record())["outcome"] == "client_left"
        assert told(proxy) == [("client_left", "delay", 1)]
        assert proxy.upstream.asked == []


async def test_a_delay_comes_before_a_replacement() -> None:
    async with proxying(faults=rules({"fault": "error", "status": 503}, {"fault": "delay", "seconds": 0.001})) as proxy:
        assert (await proxy.ask(chat())).status == 503
        assert told(proxy) == [("fault", "delay,error", 1)]


# --- damages


async def test_damages_are_done_in_their_order_to_hits_and_misses_and_to_no_recording() -> None:
    async with proxying(faults=faults(Stamp("b"), Early("a"), Stamp("c"))) as proxy:
        proxy.upstream.count()
        first, second = [await proxy.ask(chat()) for _ in range(2)]
        assert first.body == second.body == completion() + b"abc"
        assert (first.cache, second.cache, second.outcome) == (b"miss", b"hit", b"fault")
        proxy.swap(faults=FaultConfig())
        pristine = await proxy.ask(chat())
        assert (pristine.cache, pristine.body) == (b"hit", completion())
        assert told(proxy) == [("fault", "early,stamp,stamp", 1), ("fault", "early,stamp,stamp", 2), ("hit", "", None)]


async def test_a_stream_is_damaged_as_it_passes_and_recorded_as_it_came() -> None:
    async with proxying(faults=faults(Stamp("!"))) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await client.head()
        assert [await client.chunk() for _ in range(2)] == [b"!", event(1)]
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        assert (await client.chunk(), await client.chunk()) == (DONE, b"")
        proxy.swap(faults=FaultConfig())
        again = await proxy.ask(chat(stream=True))
        assert (again.cache, again.chunks) == (b"hit", [event(1), DONE])


async def test_a_client_that_hangs_up_at_the_last_event_of_an_edited_stream_has_it_recorded() -> None:
    seen: list[Injection] = []

    @dataclass(frozen=True)
    class Seen(Stamp):
        def damage(self, reply: Reply, injection: Injection) -> Reply | None:
            seen.append(injection)
            return super().damage(reply, injection)

    async with proxying(faults=faults(Seen("!"))) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(DONE))
        await client.head()
        assert [await client.chunk() for _ in range(2)] == [b"!", DONE]
        client.close()
        await until(lambda: seen[0].exchange.has_left)
        await asked.answer(LAST_CHUNK)
        assert (await proxy.record())["outcome"] == "fault"
        proxy.swap(faults=FaultConfig())
        assert (await proxy.ask(chat(stream=True))).cache == b"hit"


async def test_an_error_is_not_damaged() -> None:
    async with proxying(faults=faults(Stamp())) as proxy:
        proxy.upstream.always(ok(b"{}", status="500 Oops"))
        got = await proxy.ask(chat())
        assert (got.status, got.body, got.outcome) == (500, b"{}", b"error")
        proxy.swap(cache={"mode": CacheMode.REPLAY})
        assert (await proxy.ask(chat())).status == 404
        assert [fault for _, fault, _ in told(proxy)] == ["", ""]


async def test_a_reply_without_a_body_to_its_head_is_not_damaged() -> None:
    async with proxying(faults=faults(Stamp())) as proxy:
        proxy.upstream.always(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
        got = await proxy.ask(request("HEAD", "/v1/models"))
        assert (got.status, got.value(b"content-length")) == (200, b"12")
        assert told(proxy) == [("bypass", "", 1)]


async def test_a_fault_that_finds_nothing_to_damage_is_not_in_the_record() -> None:
    async with proxying(faults=faults(Stamp("a"))) as proxy:
        proxy.upstream.always(ok(b"unstampable"))
        got = await proxy.ask(chat())
        assert (got.body, got.outcome, got.value(b"x-rubberduck-fault")) == (b"unstampable", b"miss", None)
        assert told(proxy) == [("miss", "", 1)]


@pytest.mark.parametrize("members", [{}, {"stream": True}])
async def test_a_damage_that_never_comes_about_leaves_the_record_again(members: dict[str, Any]) -> None:
    async with proxying(faults=faults(Stamp(is_idle=True))) as proxy:
        proxy.upstream.always(
            lambda asked: SSE_HEAD + chunked(DONE) + LAST_CHUNK if b"stream" in asked.body else ok(completion())
        )
        assert [(await proxy.ask(chat(**members))).status for _ in range(2)] == [200, 200]
        assert told(proxy) == [("miss", "", 1), ("hit", "", 2)]


async def test_of_two_damages_only_the_one_that_came_about_stays_in_the_record() -> None:
    async with proxying(faults=faults(Stamp(is_idle=True), Early("x"))) as proxy:
        proxy.upstream.count()
        assert (await proxy.ask(chat())).value(b"x-rubberduck-fault") == b"early,stamp"
        assert told(proxy) == [("fault", "early", 1)]


async def test_a_client_that_leaves_before_its_damage_comes_about_has_left() -> None:
    async with proxying(faults=faults(Stamp(is_idle=True))) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await client.head()
        await client.chunk()
        client.close()
        assert (await proxy.record())["outcome"] == "client_left"
        assert told(proxy) == [("client_left", "", 1)]


@pytest.mark.parametrize(("is_idle", "outcome"), [(True, "error"), (False, "fault")])
async def test_an_upstream_that_breaks_off_is_an_error_unless_a_damage_came_before(is_idle: bool, outcome: str) -> None:
    async with proxying(faults=faults(Stamp(is_idle=is_idle))) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await client.head()
        asked.peer.close()
        await client.rest()
        assert (await proxy.record())["outcome"] == outcome


async def test_faults_see_what_the_client_would_read_without_its_coding() -> None:
    async with proxying(faults=faults(Stamp("!"))) as proxy:
        proxy.upstream.always(ok(gzip.compress(completion()), "Content-Encoding: gzip"))
        raw = chat(headers=[("Accept-Encoding", "gzip")])
        got = await proxy.ask(raw)
        assert (got.body, got.value(b"content-encoding")) == (completion() + b"!", None)
        proxy.upstream.always(ok(gzip.compress(b"unstampable"), "Content-Encoding: gzip"))
        untouched = await proxy.ask(chat("other", headers=[("Accept-Encoding", "gzip")]))
        assert (gzip.decompress(untouched.body), untouched.value(b"content-encoding")) == (b"unstampable", b"gzip")
        proxy.upstream.always(ok(b"who knows", "Content-Encoding: compress"))
        assert (await proxy.ask(chat("third"))).body == b"who knows"
        assert [fault for _, fault, _ in told(proxy)] == ["stamp", "", ""]


# --- damages that end the upstream's reply


async def test_a_cut_stream_is_not_recorded_and_its_upstream_is_let_go() -> None:
    async with proxying(faults=faults(Snip())) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        assert chunked(event(1)) in await client.rest()
        assert await asked.peer.recv() == b""
        assert told(proxy) == [("fault", "snip", 1)]
        proxy.swap(faults=FaultConfig())
        proxy.upstream.script = stream
        assert (await proxy.ask(chat(stream=True))).cache == b"miss"


async def test_a_stream_that_was_not_cut_after_all_is_recorded() -> None:
    async with proxying(faults=faults(Snip(after=50))) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(DONE))
        assert (await client.head()).value(b"x-rubberduck-fault") == b"snip"
        await asked.answer(LAST_CHUNK)
        assert (await client.chunk(), await client.chunk()) == (DONE, b"")
        proxy.swap(faults=FaultConfig())
        again = await proxy.ask(chat(stream=True))
        assert (again.cache, again.body) == (b"hit", DONE)
        assert told(proxy)[0] == ("miss", "", 1)


async def test_a_request_to_be_cut_joins_a_reply_that_others_wait_for_and_leaves_it_whole() -> None:
    async with proxying() as proxy:
        whole = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        proxy.swap(faults=faults(Snip()))
        short = await proxy.send(chat(stream=True))
        await until(lambda: proxy.server.in_flight == 2)
        await asked.answer(SSE_HEAD + chunked(event(1)))
        assert chunked(event(1)) in await short.rest()
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        assert (await whole.reply()).body == event(1) + DONE
        assert len(proxy.upstream.asked) == 1
        assert sorted(told(proxy)) == [("fault", "snip", 1), ("miss", "", None)]


async def test_whoever_joins_a_request_that_is_cut_gets_all_of_it() -> None:
    async with proxying(faults=faults(Snip())) as proxy:
        short = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        proxy.swap(faults=FaultConfig())
        whole = await proxy.send(chat(stream=True))
        await until(lambda: proxy.server.in_flight == 2)
        await asked.answer(SSE_HEAD + chunked(event(1)))
        assert chunked(event(1)) in await short.rest()
        await asked.answer(chunked(event(2)) + chunked(DONE) + LAST_CHUNK)
        assert (await whole.reply()).body == event(1) + event(2) + DONE
        assert len(proxy.upstream.asked) == 1
        assert (await proxy.ask(chat(stream=True))).body == event(1) + event(2) + DONE  # it was recorded for them


# --- our own mistakes


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("members", [{}, {"stream": True}])
async def test_a_fault_that_fails_is_our_error_and_leaves_nothing_behind(
    stage: Stage, members: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with proxying(faults=faults(Broken(stage))) as proxy:
        proxy.upstream.always(
            lambda asked: SSE_HEAD + chunked(event(1)) if b"stream" in asked.body else ok(completion())
        )
        with caplog.at_level(logging.ERROR):
            got = await proxy.ask(chat(**members))
        assert (got.status, got.outcome, got.json["error"]["type"]) == (500, b"error", "server_error")
        assert SECRET not in got.body.decode()
        assert [(record["outcome"], record["error_kind"]) for record in proxy.records] == [("error", "internal")]
