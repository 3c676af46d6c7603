"""The rate limit as clients meet it: real sockets, a clock the test moves, and an upstream that counts."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from proxies.dataplane import limiting
from proxies.dataplane.access import AccessList
from proxies.dataplane.config import CacheMode, LimitScope, OverLimit, RateLimitConfig
from proxies.dataplane.faults.grammar import read_rules
from proxies.dataplane.faults.rules import FaultConfig
from tests.proxies.dataplane.proxying import (
    DONE,
    LAST_CHUNK,
    SSE_HEAD,
    UVLOOP,
    Client,
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
UNCACHED = {"mode": CacheMode.OFF}
EVERYBODY = {"trusted_proxies": AccessList.parse(["127.0.0.1"])}


def limit(**fields: Any) -> RateLimitConfig:
    return RateLimitConfig(**fields)


def hold(seconds: float, **fields: Any) -> RateLimitConfig:
    return RateLimitConfig(over_limit=OverLimit.HOLD, hold_s=seconds, **fields)


def by(client: str) -> list[tuple[str, str]]:
    return [("X-Forwarded-For", client)]


async def statuses(proxy: Proxying, count: int, **members: Any) -> list[int]:
    return [(await proxy.ask(chat(str(number), **members))).status for number in range(count)]


async def waiting(proxy: Proxying, count: int) -> None:
    """Until `count` requests are held."""
    await until(lambda: sum(len(line) for line in proxy.app._limiting._lines) == count)


def look_again(proxy: Proxying) -> None:
    """Has those who wait look at a clock that was moved."""
    for line in list(proxy.app._limiting._lines):
        line.look()


async def outcomes(proxy: Proxying, clients: Sequence[Client]) -> list[int]:
    return [(await client.reply()).status for client in clients]


# --- requests


async def test_a_request_over_the_limit_gets_the_providers_429_with_the_exact_wait() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(rpm=2)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 2) == [200, 200]
        proxy.clock.passed_s += 48.5
        got = await proxy.ask(chat())
        assert (got.status, got.outcome) == (429, b"limited")
        assert got.json["error"]["code"] == "rate_limit_exceeded"
        assert 8 < int(got.value(b"retry-after") or 0) <= 12  # 11.5 s and a moment less
        assert got.value(b"x-ratelimit-limit-requests") == b"2"
        assert got.value(b"x-ratelimit-remaining-requests") == b"0"
        record = proxy.records[2]
        assert (record["outcome"], record["rate_limit"], record["status"]) == ("limited", "limited", 429)
        assert 8_000 < record["retry_after_ms"] <= 12_000
        assert (record["error_kind"], record["attempts"], record["is_estimated"]) == ("", 0, False)
        assert [record["rate_limit"] for record in proxy.records[:2]] == ["passed", "passed"]
        assert len(proxy.upstream.asked) == 2


async def test_the_limit_is_exact_over_any_minute() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(rpm=3)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 1) == [200]
        proxy.clock.passed_s += 50
        assert await statuses(proxy, 4) == [200, 200, 429, 429]
        proxy.clock.passed_s += 10  # the first one's minute is over, and the refused ones never counted
        assert await statuses(proxy, 2) == [200, 429]
        proxy.clock.passed_s += 50
        assert await statuses(proxy, 3) == [200, 200, 429]


async def test_a_burst_of_concurrent_requests_gets_as_many_through_as_the_limit_says() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(rpm=7)) as proxy:
        proxy.upstream.count()
        got = await asyncio.gather(*(proxy.ask(chat(str(number))) for number in range(30)))
        assert sorted(each.status for each in got) == [200] * 7 + [429] * 23
        assert len(proxy.upstream.asked) == 7


async def test_hits_count_unless_the_proxy_says_otherwise() -> None:
    async with proxying(rate_limit=limit(rpm=2)) as proxy:
        proxy.upstream.count()
        got = [await proxy.ask(chat()) for _ in range(3)]
        assert [each.outcome for each in got] == [b"miss", b"hit", b"limited"]
        proxy.swap(rate_limit=limit(rpm=3, counts_hits=False))
        got = [await proxy.ask(chat(text)) for text in ("hello", "hello", "other", "third")]
        assert [each.outcome for each in got] == [b"hit", b"hit", b"miss", b"limited"]
        assert await statuses(proxy, 1) == [429]


async def test_faulted_exchanges_count_only_where_hits_do() -> None:
    faults = FaultConfig(rules=read_rules([{"fault": "error", "status": 503, "match": {"model": "gpt-broken"}}]))
    async with proxying(cache=UNCACHED, faults=faults, rate_limit=limit(rpm=1)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 2, model="gpt-broken") == [503, 429]
        proxy.swap(rate_limit=limit(rpm=2, counts_hits=False))
        assert await statuses(proxy, 3, model="gpt-broken") == [503, 503, 503]
        assert await statuses(proxy, 2) == [200, 429]


async def test_a_request_that_joins_another_ones_reply_counts_as_the_hit_it_is() -> None:
    async with proxying(rate_limit=limit(rpm=1, counts_hits=False)) as proxy:
        first = await proxy.send(chat())
        asked = await proxy.upstream.next()
        others = [await proxy.send(chat()) for _ in range(3)]
        await until(lambda: proxy.server.in_flight == 4)
        await asked.answer(ok(completion()))
        assert await outcomes(proxy, [first, *others]) == [200] * 4
        assert (await proxy.ask(chat("other"))).status == 429
        assert sorted(record["outcome"] for record in proxy.records) == ["hit", "hit", "hit", "limited", "miss"]


async def test_those_who_join_a_request_that_is_refused_are_refused_themselves() -> None:
    async with proxying(rate_limit=hold(3600, rpm=1, counts_hits=False)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 1) == [200]
        clients = [await proxy.send(chat("the same")) for _ in range(3)]
        await waiting(proxy, 1)
        await until(lambda: proxy.server.in_flight == 3)
        proxy.swap(rate_limit=limit(rpm=1, counts_hits=False))
        assert await outcomes(proxy, clients) == [429, 429, 429]


async def test_requests_refused_before_the_limit_do_not_count() -> None:
    async with proxying(cache=UNCACHED, access=AccessList.parse([], ["203.0.113.0/24"]), **EVERYBODY) as proxy:
        proxy.upstream.count()
        proxy.swap(rate_limit=limit(rpm=1))
        assert (await proxy.ask(chat(headers=by("203.0.113.9")))).status == 403
        assert (await proxy.ask(chat(headers=by("198.51.100.1")))).status == 200


async def test_unknown_paths_and_other_methods_count_too() -> None:
    async with proxying(rate_limit=limit(rpm=2, tpm=1000)) as proxy:
        proxy.upstream.always(ok(b"{}"))
        assert (await proxy.ask(request("GET", "/v1/files"))).status == 200
        assert (await proxy.ask(request("POST", "/v1/something/new", b"{}"))).status == 200
        assert (await proxy.ask(request("GET", "/v1/files"))).status == 429
        assert [record["is_estimated"] for record in proxy.records] == [False, False, False]


# --- tokens


@pytest.mark.parametrize("tpm", [70, 500, 1000])
async def test_sequential_requests_of_known_usage_land_within_one_request_of_the_limit(tpm: int) -> None:
    usage = {"prompt_tokens": 30, "completion_tokens": 40, "total_tokens": 70}
    async with proxying(cache=UNCACHED, rate_limit=limit(tpm=tpm)) as proxy:
        proxy.upstream.always(ok(completion(usage=usage)))
        passed = 0
        while (got := await proxy.ask(chat())).status == 200:
            passed += 1
        assert tpm - 70 < passed * 70 <= tpm
        assert got.value(b"x-ratelimit-limit-tokens") == str(tpm).encode()
        assert 50 < int(got.value(b"retry-after") or 0) <= 60
        proxy.clock.passed_s += 60
        assert (await proxy.ask(chat())).status == 200


async def test_a_burst_of_concurrent_requests_cannot_all_pass_before_their_tokens_are_known() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(tpm=100)) as proxy:
        proxy.upstream.always(ok(completion(usage={"prompt_tokens": 6, "completion_tokens": 4})))
        assert await statuses(proxy, 1) == [200]
        proxy.clock.passed_s += 60
        got = await asyncio.gather(*(proxy.ask(chat("0")) for number in range(40)))
        assert len([each for each in got if each.status == 200]) == 10
        assert (
            sum(
                record["input_tokens"] + record["output_tokens"]
                for record in proxy.records[1:]
                if record["status"] == 200
            )
            == 100
        )


async def test_a_request_far_from_the_limit_is_reserved_for_as_soon_as_another_one_asks() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(tpm=2000)) as proxy:
        proxy.upstream.always(ok(completion(usage={"prompt_tokens": 10, "completion_tokens": 590})))
        assert await statuses(proxy, 1) == [200]
        proxy.clock.passed_s += 60
        got = await asyncio.gather(*(proxy.ask(chat("0")) for number in range(10)))
        assert len([each for each in got if each.status == 200]) == 3


async def test_tokens_count_from_the_end_of_their_reply() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(tpm=300)) as proxy:
        client = await proxy.send(chat())
        asked = await proxy.upstream.next()
        proxy.clock.passed_s += 100  # while it is on its way, its reservation holds
        assert (await proxy.ask(chat())).status == 429
        await asked.answer(ok(completion(usage={"prompt_tokens": 200, "completion_tokens": 100})))
        assert (await client.reply()).status == 200
        proxy.clock.passed_s += 59
        assert (await proxy.ask(chat())).status == 429
        proxy.clock.passed_s += 1
        proxy.upstream.count()
        proxy.upstream.go_on(asked)
        assert (await proxy.ask(chat())).status == 200


async def test_a_stream_without_usage_counts_an_estimate_and_the_record_says_so() -> None:
    events = [event(number, choices=[{"delta": {"content": "word"}}]) for number in range(40)]
    reply = SSE_HEAD + b"".join(chunked(each) for each in [*events, b"data: [DONE]\n\n"]) + LAST_CHUNK
    size_bytes = sum(len(each) for each in events) + len(b"data: [DONE]\n\n")
    asking = chat(stream=True)
    body_bytes = len(asking.partition(b"\r\n\r\n")[2])
    async with proxying(cache=UNCACHED, rate_limit=limit(tpm=10_000, shows_quota=True)) as proxy:
        proxy.upstream.always(reply)
        assert (await proxy.ask(asking)).status == 200
        record = await proxy.record()
        assert (record["is_estimated"], record["input_tokens"], record["output_tokens"]) == (True, None, None)
        proxy.upstream.always(ok(completion(usage={"prompt_tokens": 0, "completion_tokens": 0})))
        assert (await proxy.ask(chat())).status == 200
        estimate = -(-body_bytes // 4) + size_bytes // 256
        used = 10_000 - proxy.app._limiting._buckets[""].quota(proxy.clock.monotonic(), None, 10_000).remaining_tokens
        assert used == estimate > 20
        assert [record["is_estimated"] for record in proxy.records] == [True, False]


async def test_a_stream_that_tells_its_usage_counts_that() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(tpm=14)) as proxy:
        proxy.upstream.always(SSE_HEAD + chunked(DONE) + LAST_CHUNK)
        members = {"stream": True, "stream_options": {"include_usage": True}}
        assert await statuses(proxy, 3, **members) == [200, 200, 429]
        assert not any(record["is_estimated"] for record in proxy.records)


async def test_replies_that_failed_and_those_that_never_came_use_no_tokens() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(tpm=10)) as proxy:
        proxy.upstream.always(ok(b"{}", status="500 Internal Server Error"))
        assert await statuses(proxy, 3) == [500, 500, 500]
        proxy.upstream.script = None
        for count in (4, 5):
            client = await proxy.send(chat())
            await proxy.upstream.next()
            client.close()  # left before the reply
            assert (await proxy.record(count))["outcome"] == "client_left"
        proxy.upstream.count()
        assert (await proxy.ask(chat())).status == 200
        assert not any(record["is_estimated"] for record in proxy.records)


async def test_a_reply_that_claims_absurd_numbers_uses_the_limit_up_and_harms_nothing() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(tpm=1_000_000_000)) as proxy:
        proxy.upstream.always(ok(completion(usage={"prompt_tokens": 2**63 - 1, "completion_tokens": 2**63 - 1})))
        assert await statuses(proxy, 2) == [200, 429]
        proxy.clock.passed_s += 60
        assert await statuses(proxy, 2) == [200, 429]


async def test_hits_use_the_tokens_of_their_recording() -> None:
    async with proxying(rate_limit=limit(tpm=21)) as proxy:
        proxy.upstream.count()
        assert [(await proxy.ask(chat())).outcome for _ in range(4)] == [b"miss", b"hit", b"hit", b"limited"]


async def test_free_calls_use_no_tokens_and_are_not_held_up_by_them() -> None:
    async with proxying(cache=UNCACHED, rate_limit=hold(3600, tpm=7)) as proxy:
        proxy.upstream.count()
        assert (await proxy.ask(chat())).status == 200
        held = await proxy.send(chat("held"))
        await waiting(proxy, 1)
        assert (await proxy.ask(request("GET", "/v1/models"))).status == 200
        assert (await proxy.ask(request("POST", "/v1/moderations", b'{"input":"x"}'))).status == 200
        proxy.clock.passed_s += 60
        look_again(proxy)
        assert (await held.reply()).status == 200


# --- whose requests are counted together


async def test_each_address_has_its_own_limit() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(rpm=1, scope=LimitScope.CLIENT), **EVERYBODY) as proxy:
        proxy.upstream.count()
        asked = ["198.51.100.1", "198.51.100.2", "198.51.100.1", "2001:db8::1", "2001:db8::1"]
        got = [await proxy.ask(chat(headers=by(client))) for client in asked]
        assert [each.status for each in got] == [200, 200, 429, 200, 429]


async def test_each_credential_has_its_own_limit_however_it_travels() -> None:
    key, other = "sk-one-0123456789", "sk-two-0123456789"
    asked: list[tuple[str, str] | None] = [
        ("Authorization", f"Bearer {key}"),
        ("Authorization", f"Bearer {other}"),
        ("X-Api-Key", key),
        ("Api-Key", key),
        None,
        None,
    ]
    async with proxying(cache=UNCACHED, rate_limit=limit(rpm=1, scope=LimitScope.CREDENTIAL)) as proxy:
        proxy.upstream.count()
        got = [await proxy.ask(chat(headers=[header] if header else [])) for header in asked]
        assert [each.status for each in got] == [200, 200, 429, 429, 200, 429]
        kept = repr((proxy.records, list(proxy.app._limiting._buckets)))
        assert key not in kept
        assert other not in kept


async def test_buckets_in_which_nothing_counts_are_forgotten() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(rpm=5, scope=LimitScope.CLIENT), **EVERYBODY) as proxy:
        proxy.upstream.count()
        for number in range(20):
            await proxy.ask(chat(headers=by(f"198.51.100.{number}")))
        assert len(proxy.app._limiting._buckets) == 20
        proxy.clock.passed_s += 60
        for number in range(20):
            await proxy.ask(chat(headers=by(f"203.0.113.{number}")))
        assert len(proxy.app._limiting._buckets) == 20


async def test_there_are_never_more_buckets_than_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "MAX_BUCKETS", 3)
    async with proxying(cache=UNCACHED, rate_limit=limit(rpm=1, scope=LimitScope.CLIENT), **EVERYBODY) as proxy:
        proxy.upstream.count()
        for number in (1, 2, 3):
            assert (await proxy.ask(chat(headers=by(f"198.51.100.{number}")))).status == 200
        assert (await proxy.ask(chat(headers=by("198.51.100.1")))).status == 429
        assert (await proxy.ask(chat(headers=by("198.51.100.4")))).status == 200
        assert (await proxy.ask(chat(headers=by("198.51.100.1")))).status == 429
        assert (await proxy.ask(chat(headers=by("198.51.100.2")))).status == 200  # silent longest: forgotten
        assert len(proxy.app._limiting._buckets) == 3


# --- other limits while it runs


async def test_other_numbers_count_what_was_counted() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(rpm=2)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 3) == [200, 200, 429]
        proxy.swap(rate_limit=limit(rpm=3))
        assert await statuses(proxy, 2) == [200, 429]
        proxy.swap(rate_limit=limit(rpm=1))
        proxy.clock.passed_s += 59
        assert await statuses(proxy, 1) == [429]
        proxy.swap(rate_limit=limit())
        assert await statuses(proxy, 3) == [200, 200, 200]


async def test_another_scope_starts_anew() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(rpm=1)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 2) == [200, 429]
        proxy.swap(rate_limit=limit(rpm=1, scope=LimitScope.CLIENT))
        assert await statuses(proxy, 2) == [200, 429]


# --- hold


async def test_held_requests_pass_in_the_order_they_came() -> None:
    async with proxying(cache=UNCACHED, rate_limit=hold(3600, rpm=2)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 2) == [200, 200]
        clients = []
        for number in range(5):
            clients.append(await proxy.send(chat(f"held {number}")))
            await waiting(proxy, number + 1)
        for served in (2, 4, 5):
            proxy.clock.passed_s += 60
            look_again(proxy)
            await until(lambda served=served: len(proxy.upstream.asked) == 2 + served)  # type: ignore[misc]
            await waiting(proxy, 5 - served)
        assert await outcomes(proxy, clients) == [200] * 5
        texts = [orjson.loads(asked.body)["messages"][0]["content"] for asked in proxy.upstream.asked[2:]]
        assert [sorted(texts[:2]), sorted(texts[2:4]), texts[4]] == [
            ["held 0", "held 1"],
            ["held 2", "held 3"],
            "held 4",
        ]
        assert {record["outcome"] for record in proxy.records} == {"bypass"}


async def test_nobody_overtakes_a_larger_request_that_waits() -> None:
    async with proxying(cache=UNCACHED, rate_limit=hold(3600, tpm=1000)) as proxy:
        proxy.upstream.always(ok(completion(usage={"prompt_tokens": 100, "completion_tokens": 0})))
        assert await statuses(proxy, 1) == [200]
        large = await proxy.send(chat("large " * 1000))
        await waiting(proxy, 1)
        small = await proxy.send(chat("small"))
        await waiting(proxy, 2)
        large.close()
        assert (await small.reply()).status == 200
        await waiting(proxy, 0)


async def test_a_held_request_passes_by_itself_when_its_time_has_come() -> None:
    async with proxying(cache=UNCACHED, rate_limit=hold(10, rpm=1)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 1) == [200]
        proxy.clock.passed_s += 59.5
        client = await proxy.send(chat())
        await waiting(proxy, 1)
        assert (await client.reply()).status == 200
        assert [record["outcome"] for record in proxy.records] == ["bypass", "bypass"]


async def test_a_request_held_too_long_gets_the_429() -> None:
    async with proxying(cache=UNCACHED, rate_limit=hold(0.05, rpm=1)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 1) == [200]
        got = await proxy.ask(chat())
        assert (got.status, got.outcome) == (429, b"limited")
        assert 50 < int(got.value(b"retry-after") or 0) <= 60
        assert proxy.records[1]["latency_ms"] >= 50
        proxy.clock.passed_s += 60
        assert await statuses(proxy, 1) == [200]


async def test_a_client_that_leaves_gives_its_place_up_at_once() -> None:
    async with proxying(cache=UNCACHED, rate_limit=hold(3600, rpm=1)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 1) == [200]
        clients = []
        for number in range(3):
            clients.append(await proxy.send(chat(f"held {number}")))
            await waiting(proxy, number + 1)
        clients[0].close()
        await waiting(proxy, 2)
        proxy.clock.passed_s += 60
        look_again(proxy)
        assert (await clients[1].reply()).status == 200
        clients[2].close()
        await waiting(proxy, 0)
        await until(lambda: len(proxy.records) == 4)
        assert sorted(record["outcome"] for record in proxy.records) == [
            "bypass",
            "bypass",
            "client_left",
            "client_left",
        ]
        proxy.clock.passed_s += 60  # neither of those who left counted
        assert await statuses(proxy, 1) == [200]


async def test_a_reply_that_used_less_than_was_reserved_lets_the_next_one_pass_at_once() -> None:
    async with proxying(cache=UNCACHED, rate_limit=hold(3600, tpm=200)) as proxy:
        first = await proxy.send(chat())
        asked = await proxy.upstream.next()
        second = await proxy.send(chat("second"))
        await waiting(proxy, 1)
        proxy.upstream.count()
        await asked.answer(ok(completion()))
        proxy.upstream.go_on(asked)
        assert await outcomes(proxy, [first, second]) == [200, 200]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (hold(3600, rpm=3), [200, 200]),
        (limit(), [200, 200]),
        (limit(rpm=1), [429, 429]),
        (hold(0.05, rpm=1), [429, 429]),
        (limit(rpm=2), [200, 429]),
        (hold(3600, rpm=1, scope=LimitScope.CREDENTIAL), [200, None]),
        (hold(3600, rpm=1, tpm=1000), [None, None]),
    ],
)
async def test_those_who_wait_meet_a_change_of_the_limits_at_once(
    changed: RateLimitConfig, expected: list[int | None]
) -> None:
    async with proxying(cache=UNCACHED, rate_limit=hold(3600, rpm=1)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 1) == [200]
        clients = []
        for number in range(2):
            clients.append(await proxy.send(chat(f"held {number}")))
            await waiting(proxy, number + 1)
        proxy.swap(rate_limit=changed)
        for client, status in zip(clients, expected, strict=True):
            if status is not None:
                assert (await client.reply()).status == status
        await waiting(proxy, expected.count(None))


async def test_a_proxy_that_stops_leaves_nothing_of_those_who_wait() -> None:
    async with proxying(cache=UNCACHED, rate_limit=hold(3600, rpm=1)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 1) == [200]
        clients = [await proxy.send(chat(f"held {number}")) for number in range(3)]
        await waiting(proxy, 3)
        await proxy.server.stop()
        assert [await client.rest() for client in clients] == [b"", b"", b""]
        assert not proxy.app._limiting._lines
        assert proxy.app._limiting._buckets[""].line is None


async def test_a_drain_refuses_those_whose_turn_comes_too_late_and_newcomers() -> None:
    async with proxying(cache=UNCACHED, rate_limit=hold(3600, rpm=2)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 1) == [200]
        proxy.clock.passed_s += 50
        assert await statuses(proxy, 1) == [200]
        clients = [await proxy.send(chat(f"held {number}")) for number in range(3)]
        await waiting(proxy, 3)
        late = await proxy.client()
        await until(lambda: len(proxy.server.connections) >= 4)
        draining = asyncio.create_task(proxy.server.drain(30))
        await until(lambda: len(proxy.records) == 4)  # two of the three who waited: their turn is not within 30 s
        assert (await late.ask(chat("late"))).status == 429
        proxy.clock.passed_s += 10
        look_again(proxy)
        assert sorted([(await client.reply()).status for client in clients]) == [200, 429, 429]
        await draining
        assert not proxy.app._limiting._lines


async def test_a_drain_lets_those_who_wait_finish() -> None:
    async with proxying(cache=UNCACHED, rate_limit=hold(3600, rpm=1)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 1) == [200]
        client = await proxy.send(chat("held"))
        await waiting(proxy, 1)
        draining = asyncio.create_task(proxy.server.drain(120))
        await asyncio.sleep(0)
        proxy.clock.passed_s += 60
        look_again(proxy)
        assert (await client.reply()).status == 200
        await draining
        assert not proxy.app._limiting._lines


async def test_thousands_wait_on_one_timer() -> None:
    async with proxying(cache=UNCACHED, rate_limit=hold(3600, rpm=1)) as proxy:
        proxy.upstream.count()
        assert await statuses(proxy, 1) == [200]
        bucket = proxy.app._limiting._buckets[""]
        first = await proxy.send(chat("first"))
        await waiting(proxy, 1)
        line = bucket.line
        assert line is not None
        timer = line._timer
        many = [asyncio.create_task(line.wait(proxy.clock.monotonic(), lambda: 0)) for _ in range(5000)]
        await waiting(proxy, 5001)
        assert line._timer is timer
        for task in many[1::2]:
            task.cancel()
        await waiting(proxy, 2501)
        assert line._timer is timer
        proxy.swap(rate_limit=hold(3600, rpm=100))
        assert (await first.reply()).status == 200
        left = await asyncio.gather(*many, return_exceptions=True)
        assert len([each for each in left if isinstance(each, asyncio.CancelledError)]) == 2500


# --- quota headers


async def test_successful_replies_tell_what_is_left_in_the_providers_words_hits_included() -> None:
    async with proxying(rate_limit=limit(rpm=3, tpm=1000, shows_quota=True)) as proxy:
        proxy.upstream.always(
            ok(
                completion(),
                "X-RateLimit-Remaining-Requests: 4711",
                "X-RateLimit-Limit-Requests: 9999",
            )
        )
        first, second = await proxy.ask(chat()), await proxy.ask(chat())
        assert (first.outcome, second.outcome) == (b"miss", b"hit")
        assert first.values(b"x-ratelimit-limit-requests") + first.values(b"X-RateLimit-Limit-Requests") == [b"3"]
        assert left(first) == [b"2"]
        assert left(second) == [b"1"]
        assert first.value(b"x-ratelimit-limit-tokens") == b"1000"
        assert left(await proxy.ask(chat("the last"))) == [b"0"]
        refused = await proxy.ask(chat())
        assert refused.status == 429
        assert left(refused) == [b"0"]


async def test_quota_is_not_told_unless_asked_for_nor_on_replies_that_failed() -> None:
    async with proxying(cache=UNCACHED, rate_limit=limit(rpm=9)) as proxy:
        proxy.upstream.count()
        assert left(await proxy.ask(chat())) == []
        proxy.swap(rate_limit=dataclasses.replace(proxy.config.rate_limit, shows_quota=True))
        assert left(await proxy.ask(chat())) == [b"7"]
        proxy.upstream.always(ok(b"{}", status="400 Bad Request"))
        assert left(await proxy.ask(chat())) == []


def left(got: Got) -> list[bytes]:
    return got.values(b"x-ratelimit-remaining-requests")
