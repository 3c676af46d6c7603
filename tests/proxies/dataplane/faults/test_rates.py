"""Which rates may add up past 1: those of rules that no request can meet together."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxies.dataplane.faults.engine import FaultEngine
from proxies.dataplane.faults.error import ErrorReplyFault
from proxies.dataplane.faults.grammar import InvalidRules, read_rules
from proxies.dataplane.faults.rates import find_excess, in_window, only_streaming, shares_draw
from proxies.dataplane.faults.rules import FaultConfig, Match, Rule
from tests.proxies.dataplane.faults.deciding import StillClock, error


def rated(rate: float, **members: Any) -> dict[str, Any]:
    return error(rate=rate, **members)


@pytest.mark.parametrize(
    "entries",
    [
        [rated(1.0)],
        [rated(0.1)] * 10,
        [rated(0.5), rated(0.5)],
        [rated(0.6, match={"operation": "embeddings"}), rated(0.6, match={"operation": ["chat.completions", "x"]})],
        [rated(0.6, match={"model": "gpt-4o"}), rated(0.6, match={"model": "gpt-4o-mini"})],
        [rated(0.6, match={"model": "gpt-*"}), rated(0.6, match={"model": ["claude-*", "o3"]})],
        [rated(0.6, match={"streaming": True}), rated(0.6, match={"streaming": False})],
        [rated(0.6, match={"header": {"X-Tenant": "a"}}), rated(0.6, match={"header": {"x-tenant": "b"}})],
        [rated(0.6, match={"client": "10.0.0.1"}), rated(0.6, match={"client": ["10.0.0.2", "10.0.0.3"]})],
        [rated(0.6, when={"between_s": [0, 10]}), rated(0.6, when={"between_s": [10, 20]})],
        [rated(0.6, when={"window": "22:00-06:00"}), rated(0.6, when={"window": "06:00-22:00"})],
        [rated(0.6), rated(0.6, when={"every": 2})],
        [rated(0.6), rated(0.6, when={"first": 2})],
        [rated(0.6), error()],
        [rated(0.6), {"fault": "delay", "seconds": 1, "rate": 0.9}, {"fault": "truncate", "rate": 0.9}],
        [rated(0.6, match={"path": "/a"}), rated(0.6, match={"path": "/b"}), rated(0.4)],
    ],
)
def test_rates_that_no_request_meets_together_may_add_up_to_more(entries: list[Any]) -> None:
    assert len(read_rules(entries)) == len(entries)


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ([rated(0.6), rated(0.5, id="storm")], "1, 2 (storm)"),
        ([rated(0.1)] * 10 + [rated(0.001)], "1, 2, 3, 4, 5, 6, 7, 8, ..."),
        ([rated(0.6, match={"operation": "a"}), rated(0.2), rated(0.6, match={"operation": ["a", "b"]})], "1, 2, 3"),
        ([rated(0.6, match={"model": "gpt-*"}), rated(0.6, match={"model": ["claude-*", "gpt-4o"]})], "1, 2"),
        ([rated(0.6, match={"model": "*mini"}), rated(0.6, match={"model": "gpt-*"})], "1, 2"),
        ([rated(0.6, match={"operation": "a"}), rated(0.6, match={"model": "b"})], "1, 2"),
        ([rated(0.6, match={"client": "10.0.0.0/8"}), rated(0.6, match={"client": "10.0.0.2"})], "1, 2"),
        ([rated(0.6, when={"between_s": [0, 10]}), rated(0.6, when={"between_s": [9, 20]})], "1, 2"),
        ([rated(0.6, when={"window": "22:00-06:00"}), rated(0.6, when={"window": "05:59-07:00"})], "1, 2"),
        ([rated(0.6, when={"after": 5}), rated(0.6)], "1, 2"),
        ([rated(0.6, match={"header": {"a": "1"}}), rated(0.6, match={"header": {"b": "2"}})], "1, 2"),
    ],
)
def test_rates_that_one_request_can_meet_may_not(entries: list[Any], names: str) -> None:
    with pytest.raises(InvalidRules, match="rates add up to") as caught:
        read_rules(entries)
    assert str(caught.value).startswith(f"entries {names}, rate: one request can meet them all")


TEXTS = st.lists(st.sampled_from(["a", "b", "ab", "a*", "*b", "b?", "?"]), max_size=2).map(tuple)
MATCHES = st.builds(Match, operation=TEXTS, model=TEXTS, streaming=st.sampled_from([None, True, False]))


@settings(max_examples=200)
@given(st.lists(st.tuples(MATCHES, st.sampled_from([0.2, 0.4, 0.6])), min_size=2, max_size=5))
def test_what_is_let_through_never_adds_up_for_any_request(parts: list[tuple[Match, float]]) -> None:
    rules = [
        Rule(str(place), ErrorReplyFault(status=503), rate=rate, match=match)
        for place, (match, rate) in enumerate(parts, 1)
    ]
    engine = FaultEngine(FaultConfig(tuple(rules)), StillClock())
    texts = ["", "a", "b", "ab", "ba", "bb", "aab", "abc", "c"]
    worst = max(
        sum(state.rate or 0 for state in engine._candidates((operation, model, is_streaming, "", "")))
        for operation, model, is_streaming in product(texts, texts, [True, False])
    )
    excess = find_excess(rules)
    if worst > 1 + 1e-9:
        assert excess is not None
    if excess is not None:
        assert sum(rules[index].rate or 0 for index in excess) > 1


def test_many_rules_that_differ_in_everything_are_told_apart_quickly_or_not_at_all() -> None:
    entries = [
        rated(0.5, match={"model": f"m{number}", "operation": f"o{number}", "header": {"x": f"h{number}"}})
        for number in range(200)
    ]
    assert len(read_rules(entries)) == 200
    tangled = [
        rated(0.02, match={"model": [f"m{number % 7}", f"m{number % 5}"], "operation": [f"o{number % 3}", "p*"]})
        for number in range(200)
    ]
    with pytest.raises(InvalidRules, match="add up to"):
        read_rules(tangled)


def test_only_rate_rules_that_replace_the_reply_share_the_draw() -> None:
    entries = [
        rated(0.5),
        error(),
        rated(0.5, when={"every": 2}),
        rated(0.5, when={"after": 2}),
        {"fault": "delay", "seconds": 1, "rate": 0.5},
        {"script": [error()]},
    ]
    assert [shares_draw(rule) for rule in read_rules(entries)] == [True, False, False, True, False, False]


def test_a_rule_is_for_streams_when_its_fault_is() -> None:
    cut, both, asked = read_rules([{"fault": "cut", "events": 2}, error(), error(match={"streaming": False})])
    assert [only_streaming(cut), only_streaming(both), only_streaming(asked)] == [True, None, False]


def test_a_window_may_go_over_midnight() -> None:
    night, day = (79_200, 21_600), (21_600, 79_200)
    moments = [0, 21_599, 21_600, 79_199.9, 79_200, 86_399]
    assert [in_window(night, moment) for moment in moments] == [True, True, False, False, True, True]
    assert [in_window(day, moment) for moment in moments] == [False, False, True, True, False, False]


@pytest.mark.parametrize(
    "match",
    [
        lambda number: {"model": [f"{number}-{other}" for other in range(100)]},
        lambda number: {"client": [f"10.{number}.{other}.1" for other in range(100)]},
    ],
)
def test_rules_with_too_many_texts_to_compare_are_taken_to_meet(match: Callable[[int], dict[str, Any]]) -> None:
    few, many = ([rated(0.3, match=match(number)) for number in range(count)] for count in (5, 50))
    assert len(read_rules(few)) == 5
    with pytest.raises(InvalidRules, match="one request can meet them all"):
        read_rules(many)
