"""Which faults happen: numbers, counts, draws, and how rules combine."""

from __future__ import annotations

import dataclasses
from collections import Counter
from itertools import permutations
from typing import Any

import pytest

from proxies.dataplane.faults.engine import FaultEngine
from proxies.dataplane.faults.grammar import read_rules
from tests.proxies.dataplane.faults.deciding import Deciding, StillClock, error, is_likely

TIMES = 10_000
DELAY: dict[str, Any] = {"fault": "delay", "seconds": 1}
TRUNCATE: dict[str, Any] = {"fault": "truncate"}


# --- rates


def test_each_rate_among_those_that_replace_the_reply_is_the_rate_seen() -> None:
    rates = {429: 0.1, 500: 0.03, 503: 0.25, 529: 0.5}
    deciding = Deciding(*(error(status, rate=rate) for status, rate in rates.items()))
    counts = Counter(deciding.ask_often(TIMES))
    assert all(is_likely(counts[f"error {status}"], TIMES, rate) for status, rate in rates.items())
    assert is_likely(counts[""], TIMES, 0.12)
    assert sum(counts.values()) == TIMES


def test_rates_of_delays_and_damages_are_drawn_by_themselves() -> None:
    deciding = Deciding({**DELAY, "rate": 0.3}, {**TRUNCATE, "rate": 0.2}, {**TRUNCATE, "rate": 0.2}, error(rate=0.4))
    counts = Counter(deciding.ask_often(TIMES))
    delayed = sum(count for kinds, count in counts.items() if kinds.startswith("delay"))
    failed = sum(count for kinds, count in counts.items() if kinds.endswith("error 503"))
    assert is_likely(delayed, TIMES, 0.3)
    assert is_likely(failed, TIMES, 0.4)
    assert is_likely(counts["delay+error 503"], TIMES, 0.12)
    assert is_likely(counts["truncate+truncate"], TIMES, 0.7 * 0.6 * 0.04)
    assert is_likely(counts["delay+truncate"], TIMES, 0.3 * 0.6 * 2 * 0.16)


@pytest.mark.parametrize(("rate", "expected"), [(0, {""}), (1, {"error 503"})])
def test_a_rate_of_nothing_never_fires_and_one_of_one_always(rate: float, expected: set[str]) -> None:
    assert set(Deciding(error(rate=rate)).ask_often(TIMES)) == expected
    assert set(Deciding({**DELAY, "rate": rate}).ask_often(100)) == {
        kind.replace("error 503", "delay") for kind in expected
    }


def test_ten_rates_that_add_up_to_one_leave_nothing_over() -> None:
    assert "" not in Deciding(*(error(400 + place, rate=0.1) for place in range(10))).ask_often(TIMES)


def test_rates_are_split_among_the_rules_that_match_alone() -> None:
    deciding = Deciding(error(429, rate=0.5, match={"model": "o3"}), error(500, rate=0.5))
    counts = Counter(deciding.ask_often(TIMES, model="gpt-4o"))
    assert set(counts) == {"", "error 500"}
    assert is_likely(counts["error 500"], TIMES, 0.5)


def test_the_same_seed_gives_the_same_outcomes_and_another_seed_others() -> None:
    entries = [{**DELAY, "rate": 0.5}, error(429, rate=0.3), {**TRUNCATE, "rate": 0.5}]
    runs = [Deciding(*entries, seed=seed).ask_often(1000) for seed in (7, 7, 8)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_amounts_are_the_same_for_the_same_seed_and_differ_from_request_to_request() -> None:
    def waits(seed: int) -> list[float]:
        engine = Deciding({"fault": "delay", "min": 1, "max": 2}, seed=seed).engine
        decisions = [engine.decide("chat", "m", False, "/", {}, "", "") for _ in range(50)]
        return [one.fault.wait_s(one.draw) for decision in decisions if decision for one in decision.delays]

    assert waits(1) == waits(1) != waits(2)
    assert len(set(waits(1))) == 50


def test_the_order_in_which_different_requests_come_changes_no_count_of_outcomes() -> None:
    entries = [error(429, rate=0.3), {"script": [error(503, times=2), {"fault": "pass", "times": 1}], "repeat": True}]
    orders = list(permutations(["gpt-4o", "o3", "gpt-5"] * 2, 6))[::90]
    outcomes = []
    for order in orders:
        deciding = Deciding(*entries)
        outcomes.append(Counter(deciding.ask(model=model) for model in order))
    assert all(outcome == outcomes[0] for outcome in outcomes)


# --- how rules combine


def test_delays_add_up_and_go_with_one_replacement_which_leaves_nothing_to_damage() -> None:
    assert Deciding(DELAY, TRUNCATE, DELAY, error()).ask() == "delay+delay+error 503"
    assert Deciding(DELAY, TRUNCATE, DELAY).ask() == "delay+delay+truncate"


def test_rules_without_a_rate_are_asked_before_those_with_one_in_their_order() -> None:
    assert Deciding(error(429, rate=1), error(500), error(503)).ask() == "error 500"
    rules = [error(429, rate=1), error(500, when={"every": 2}), {"script": [error(503, times=1)]}]
    assert Deciding(*rules).ask_often(4) == ["error 503", "error 500", "error 429", "error 500"]


def test_a_rate_beside_every_or_first_has_a_draw_of_its_own() -> None:
    deciding = Deciding(error(500, rate=0.5, when={"every": 2}), error(429, rate=1))
    got = deciding.ask_often(TIMES)
    assert set(got[::2]) == {"error 429"}
    assert is_likely(got[1::2].count("error 500"), TIMES // 2, 0.5)


def test_counts_go_on_while_other_rules_win() -> None:
    deciding = Deciding(error(500, when={"first": 2}), error(503, when={"every": 2}), {"script": [error(429, times=3)]})
    assert deciding.ask_often(4) == ["error 500", "error 500", "error 429", "error 503"]


def test_an_exchange_takes_its_number_whether_or_not_a_rule_matches() -> None:
    deciding = Deciding(error(match={"model": "o3"}))
    assert [deciding.ask(), deciding.ask(model="o3"), deciding.ask()] == ["", "error 503", ""]
    assert deciding.engine.number == 3
    assert deciding.engine.take_number() == 4
    assert Deciding().engine.number == 0


# --- match


@pytest.mark.parametrize(
    ("match", "matching", "other"),
    [
        ({"operation": "chat.*"}, {}, {"operation": "embeddings"}),
        ({"operation": ["embeddings", "chat.completions"]}, {}, {"operation": ""}),
        ({"model": "gpt-4*"}, {}, {"model": "o3"}),
        ({"path": "/v1/*"}, {}, {"path": "/v2/chat"}),
        ({"streaming": True}, {"is_streaming": True}, {}),
        ({"streaming": False}, {}, {"is_streaming": True}),
        ({"header": {"X-Tenant": "a*"}}, {"fields": {b"x-tenant": b"abc"}}, {"fields": {b"x-tenant": b"b"}}),
        ({"header": {"x-tenant": "*"}}, {"fields": {b"x-tenant": b""}}, {}),
        ({"client": "192.0.2.0/24"}, {}, {"client": "198.51.100.1"}),
        ({"client": ["192.0.2.7", "2001:db8:*"]}, {"client": "2001:db8::1"}, {"client": "192.0.2.8"}),
        ({"prompt_hash": "abc*"}, {}, {"prompt_hash": ""}),
        ({"model": "gpt-4*", "operation": "chat.*"}, {}, {"model": "gpt-4o", "operation": "embeddings"}),
    ],
)
def test_a_rule_fires_for_the_requests_it_is_for(match: Any, matching: Any, other: Any) -> None:
    deciding = Deciding(error(match=match))
    for _ in range(2):  # the second time from memory
        assert deciding.ask(**matching) == "error 503"
        assert deciding.ask(**other) == ""


def test_a_fault_for_streams_alone_neither_meets_nor_counts_other_requests() -> None:
    deciding = Deciding({"fault": "cut", "events": 1, "when": {"every": 2}}, {"fault": "wrong_length", "difference": 1})
    asked = [True, False, False, True, False, True, True]
    assert [deciding.ask(is_streaming=is_streaming) for is_streaming in asked] == [
        "", "wrong_length", "wrong_length", "cut", "wrong_length", "", "cut",
    ]  # fmt: skip


def test_a_step_for_streams_alone_does_nothing_to_other_requests() -> None:
    deciding = Deciding({"script": [{"fault": "cut", "events": 1, "times": 2}, error(times=1)]})
    assert [deciding.ask(), deciding.ask(is_streaming=True), deciding.ask()] == ["", "cut", "error 503"]


def test_traits_of_requests_are_remembered_only_so_far() -> None:
    deciding = Deciding(error(match={"model": "gpt-4*"}))
    assert deciding.ask(model="gpt-4" + "x" * 5000) == "error 503"
    assert len(deciding.engine._remembered) == 0
    for number in range(3000):
        assert deciding.ask(model=f"model-{number}") == ""
    assert len(deciding.engine._remembered) < 2049


# --- when


def fires(when: dict[str, Any], times: int) -> list[int]:
    """At which of so many requests a rule fires, counted from 1."""
    got = Deciding(error(when=when)).ask_often(times)
    return [place for place, kinds in enumerate(got, 1) if kinds]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"every": 3}, [3, 6, 9]),
        ({"every": 1}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ({"first": 2}, [1, 2]),
        ({"after": 8}, [9, 10]),
        ({"after": 3, "first": 2}, [4, 5]),
        ({"after": 4, "every": 3}, [6, 9]),
        ({"every": 2, "first": 5}, [2, 4]),
    ],
)
def test_a_rule_counts_its_own_requests(when: dict[str, Any], expected: list[int]) -> None:
    assert fires(when, 10) == expected


def test_requests_a_rule_is_not_for_do_not_count() -> None:
    deciding = Deciding(error(match={"model": "o3"}, when={"every": 2}))
    models = ["o3", "gpt-4o", "gpt-4o", "o3", "o3", "gpt-4o", "o3"]
    assert [bool(deciding.ask(model=model)) for model in models] == [False, False, False, True, False, False, True]


def test_times_of_a_run_are_counted_from_its_beginning() -> None:
    deciding = Deciding(error(when={"between_s": [30, 60]}))
    seen = []
    for advance in (29.9, 0.1, 29.9, 0.1):
        deciding.clock.advance(advance)
        seen.append(deciding.ask())
    assert seen == ["", "error 503", "error 503", ""]


def test_a_jump_of_the_wall_clock_does_not_move_a_run() -> None:
    deciding = Deciding(error(when={"between_s": [0, 60]}))
    deciding.clock.wall_s += 1_000_000
    assert deciding.ask() == "error 503"


@pytest.mark.parametrize(
    ("window", "hours"),
    [("22:00-06:00", {22, 23, 0, 1, 2, 3, 4, 5}), ("09:00-12:00", {9, 10, 11}), ("20:00-24:00", {20, 21, 22, 23})],
)
def test_a_daily_window_is_in_utc(window: str, hours: set[int]) -> None:
    days_s = 20_000 * 86_400
    seen = {hour for hour in range(24) if Deciding(error(when={"window": window}), wall_s=days_s + hour * 3600).ask()}
    assert seen == hours


# --- scripts


def test_a_script_goes_through_its_steps_and_is_over() -> None:
    script = {"script": [error(503, times=2), {"fault": "pass", "times": 1}, DELAY | {"times": 1}, error(429, times=1)]}
    assert Deciding(script).ask_often(7) == ["error 503", "error 503", "", "delay", "error 429", "", ""]


def test_a_script_may_begin_again_and_its_last_step_may_last() -> None:
    steps = [error(503, times=1), {"fault": "pass", "times": 2}]
    assert Deciding({"script": steps, "repeat": True}).ask_often(7) == ["error 503", "", ""] * 2 + ["error 503"]
    assert Deciding({"script": [{"fault": "pass", "times": 1}, error()]}).ask_often(4) == ["", *["error 503"] * 3]


def test_a_step_may_last_for_a_time_from_its_first_request() -> None:
    deciding = Deciding({"script": [{"fault": "pass", "times": 1}, error(for_s=60), DELAY | {"times": 1}]})
    deciding.clock.advance(500)
    seen = []
    for advance in (0, 100, 59.9, 0.1, 0):
        deciding.clock.advance(advance)
        seen.append(deciding.ask())
    assert seen == ["", "error 503", "error 503", "delay", ""]


def test_an_outage_in_a_loop_comes_back() -> None:
    deciding = Deciding({"script": [error(for_s=60), {"fault": "pass", "for_s": 30}], "repeat": True})
    seen = []
    for advance in (0, 59, 1, 29, 1, 1000, 0):
        deciding.clock.advance(advance)
        seen.append(deciding.ask())
    assert seen == ["error 503", "error 503", "", "", "error 503", "", ""]


def test_a_script_counts_requests_for_which_its_when_holds() -> None:
    deciding = Deciding({"script": [error(503, times=2)], "match": {"model": "o3"}, "when": {"after": 1}})
    models = ["o3", "gpt-4o", "o3", "o3", "o3"]
    assert [deciding.ask(model=model) for model in models] == ["", "", "error 503", "error 503", ""]


# --- runs


def test_a_change_of_anything_but_rules_seed_and_mark_keeps_what_was_counted() -> None:
    deciding = Deciding(error(when={"every": 3}))
    deciding.ask_often(2)
    same = read_rules([error(when={"every": 3})])
    deciding.engine.swap(dataclasses.replace(deciding.config, rules=same, allows_header=True, is_on=False))
    assert deciding.ask() == "error 503"
    assert deciding.engine.number == 3


@pytest.mark.parametrize(
    "change", [{"seed": 2}, {"run": "again"}, {"rules": read_rules([error(429, when={"every": 3})])}]
)
def test_other_rules_another_seed_and_another_mark_begin_a_new_run(change: dict[str, Any]) -> None:
    deciding = Deciding(error(when={"every": 3}))
    deciding.ask_often(2)
    deciding.clock.advance(100)
    deciding.engine.swap(dataclasses.replace(deciding.config, **change))
    assert deciding.engine.number == 0
    assert [bool(deciding.ask()) for _ in range(3)] == [False, False, True]
    assert deciding.engine.number == 3


def test_a_new_run_repeats_the_first_one() -> None:
    entries = [error(429, rate=0.5), error(503, when={"between_s": [0, 10], "every": 5})]
    deciding = Deciding(*entries)
    first = deciding.ask_often(100)
    deciding.clock.advance(1000)
    deciding.engine.swap(dataclasses.replace(deciding.config, run="again"))
    assert deciding.ask_often(100) == first
    assert FaultEngine(deciding.config, StillClock()).number == 0
