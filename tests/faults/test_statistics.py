"""The rates that are set are the rates that are seen, and the same seed brings the same faults, over real sockets."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from tests.emulated.serving import EmulatedProxies, EmulatedProxy
from tests.faults.asking import BROKEN, ask_all, ask_at_once, chat

COUNT = 10_000
RATES: list[Any] = [
    {"fault": "error", "status": 429, "rate": 0.1},
    {"fault": "error", "status": 503, "rate": 0.05},
    {"fault": "error", "reason": "quota", "rate": 0.01, "id": "quota"},
    {"fault": "close", "rate": 0.02},
    {"fault": "malformed_json", "rate": 0.2},
]
SAME = [chat("the same")] * COUNT
UNIQUE = [chat(f"prompt {number}") for number in range(COUNT)]


def log_chance(count: int, of: int, rate: float) -> float:
    """The logarithm of the chance of exactly `count` of `of` at `rate`."""
    ways = math.lgamma(of + 1) - math.lgamma(count + 1) - math.lgamma(of - count + 1)
    return ways + count * math.log(rate) + (of - count) * math.log1p(-rate)


def p_value(count: int, of: int, rate: float) -> float:
    """How likely a count at least as unlikely as this one is: the exact binomial test, two-sided."""
    least = log_chance(count, of, rate) + 1e-9
    return math.fsum(math.exp(chance) for n in range(of + 1) if (chance := log_chance(n, of, rate)) <= least)


def kinds(proxy: EmulatedProxy) -> Counter[tuple[str, int | None]]:
    return Counter((record["fault"], record["status"]) for record in proxy.records.all)


@pytest.mark.parametrize(("cache", "bodies"), [("on", SAME), ("off", UNIQUE)], ids=["hits", "misses"])
def test_ten_thousand_requests_meet_each_fault_at_its_rate(
    emulated: EmulatedProxies, cache: str, bodies: list[bytes]
) -> None:
    proxy = emulated.proxy("openai", cache=cache, faults=RATES, seed=4)
    seen = Counter(status for status, _ in ask_all(proxy.port, bodies))
    logged = kinds(proxy)
    assert sum(seen.values()) == logged.total() == COUNT
    assert (seen[503], seen[BROKEN]) == (logged["error", 503], logged["close", None])
    quota = sum(1 for record in proxy.records.all if record["fault"] == "error" and record["status"] == 429)
    assert seen[429] == quota
    assert p_value(seen[429], COUNT, 0.11) >= 0.001
    assert p_value(seen[503], COUNT, 0.05) >= 0.001
    assert p_value(seen[BROKEN], COUNT, 0.02) >= 0.001
    passed = COUNT - seen[429] - seen[503] - seen[BROKEN]
    assert p_value(logged["malformed_json", 200], passed, 0.2) >= 0.001
    if cache == "on":  # damaged replies were hits all the same: one request went up
        assert sum(record["attempts"] for record in proxy.records.all) == 1


def test_the_binomial_test_refuses_what_is_off() -> None:
    assert p_value(1000, 10_000, 0.1) > 0.9
    assert p_value(1110, 10_000, 0.1) < 0.001
    assert p_value(890, 10_000, 0.1) < 0.001


def outcomes(proxy: EmulatedProxy) -> list[tuple[Any, ...]]:
    return [
        (record["decision"], record["fault"], record["status"], record["outcome"], record["prompt_hash"])
        for record in proxy.records.all
    ]


RULES: list[Any] = [
    *RATES,
    {"fault": "error", "status": 500, "when": {"every": 7}},
    {"script": [{"fault": "error", "status": 502, "times": 2}, {"fault": "pass", "times": 3}], "repeat": True,
     "match": {"streaming": False}},
    {"fault": "duplicate", "rate": 0.3, "match": {"streaming": True}},
    {"fault": "delay", "min": 0, "max": 0.001, "rate": 0.5},
]  # fmt: skip
MIXED = [chat(f"prompt {number % 40}", stream=number % 3 == 0) for number in range(600)]


def test_two_runs_with_one_seed_give_the_same_log(emulated: EmulatedProxies) -> None:
    runs = []
    for seed in (11, 11, 12):
        proxy = emulated.proxy("openai", cache="on", faults=RULES, seed=seed)
        ask_all(proxy.port, MIXED)
        runs.append(outcomes(proxy))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert [run[0] for run in runs[0]] == list(range(1, len(MIXED) + 1))
    assert len({fault for _, fault, *_ in runs[0]}) > 6


def test_concurrent_runs_with_one_seed_give_the_same_outcomes_as_a_whole(emulated: EmulatedProxies) -> None:
    alone, crowded = (emulated.proxy("openai", faults=RATES, seed=5) for _ in range(2))
    bodies = [chat("the same")] * 800
    ask_all(alone.port, bodies)
    ask_at_once(crowded.port, bodies)
    assert kinds(crowded) == kinds(alone)
    assert sorted(record["decision"] for record in crowded.records.all) == list(range(1, 801))
    by_decision = {record["decision"]: record["fault"] for record in crowded.records.all}
    assert by_decision == {record["decision"]: record["fault"] for record in alone.records.all}


def test_a_run_starts_anew_on_request_and_only_then(emulated: EmulatedProxies) -> None:
    proxy = emulated.proxy("openai", faults=RULES, seed=3)
    ask_all(proxy.port, MIXED[:50])
    proxy.swap(rate_limit={"rpm": 1_000_000})
    ask_all(proxy.port, MIXED[50:100])
    proxy.swap(run="again")
    ask_all(proxy.port, MIXED[:100])
    seen = outcomes(proxy)
    assert [decision for decision, *_ in seen] == [*range(1, 101), *range(1, 101)]
    assert seen[:100] == seen[100:]
