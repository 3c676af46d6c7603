"""What the cache may do with a request, in every mode and under every header."""

from __future__ import annotations

import itertools
import re

import pytest

from providers.base import BodyFacts, Operation
from proxies.dataplane.cache import NORMAL, BadControl, CacheDecision, decide
from proxies.dataplane.config import CacheConfig, CacheMode, TemperatureRule
from proxies.dataplane.records import CacheResult

CHAT = Operation("chat", "POST", re.compile(b"/chat"), is_cacheable=True, is_sampling=True)
EMBEDDINGS = Operation("embeddings", "POST", re.compile(b"/embeddings"), is_cacheable=True)
FILES = Operation("files", "POST", re.compile(b"/files"))

READ, WRITE, FORWARD = 1, 2, 4


def ask(
    mode: str = "on",
    control: bytes | None = None,
    cache_control: bytes | None = None,
    *,
    operation: Operation | None = CHAT,
    temperature: float | None = None,
    rule: TemperatureRule = TemperatureRule.ALWAYS,
    is_body_whole: bool = True,
) -> CacheDecision:
    config = CacheConfig(mode=CacheMode(mode), temperature_rule=rule)
    facts = BodyFacts(temperature=temperature)
    return decide(config, operation, facts, control, cache_control, is_body_whole=is_body_whole)


def rights(decision: CacheDecision) -> int:
    return READ * decision.may_read | WRITE * decision.may_write | FORWARD * decision.may_forward


@pytest.mark.parametrize(
    ("mode", "control", "expected", "result"),
    [
        ("on", None, READ | WRITE | FORWARD, CacheResult.MISS),
        ("on", b"bypass", FORWARD, CacheResult.BYPASS),
        ("on", b"refresh", WRITE | FORWARD, CacheResult.REFRESH),
        ("on", b"only", READ, CacheResult.MISS),
        ("off", None, FORWARD, CacheResult.OFF),
        ("off", b"bypass", FORWARD, CacheResult.OFF),
        ("off", b"refresh", FORWARD, CacheResult.OFF),
        ("off", b"only", 0, CacheResult.MISS),
        ("refresh", None, WRITE | FORWARD, CacheResult.REFRESH),
        ("refresh", b"bypass", FORWARD, CacheResult.BYPASS),
        ("refresh", b"refresh", WRITE | FORWARD, CacheResult.REFRESH),
        ("refresh", b"only", READ, CacheResult.MISS),
        ("replay", None, READ, CacheResult.MISS),
        ("replay", b"bypass", READ, CacheResult.MISS),
        ("replay", b"refresh", READ, CacheResult.MISS),
        ("replay", b"only", READ, CacheResult.MISS),
    ],
)
def test_mode_and_control_header_decide_together(
    mode: str, control: bytes | None, expected: int, result: CacheResult
) -> None:
    decision = ask(mode, control)
    assert (rights(decision), decision.result) == (expected, result)
    assert bool(decision.reason) == (decision != NORMAL)


def test_replay_mode_and_only_never_forward_whatever_else_is_asked() -> None:
    controls = (None, b"bypass", b"refresh", b"only")
    cache_controls = (None, b"no-store", b"no-cache")
    operations = (None, CHAT, EMBEDDINGS, FILES)
    for control, cache_control, operation, whole, temperature, rule in itertools.product(
        controls, cache_controls, operations, (True, False), (None, 0.0, 1.0), TemperatureRule
    ):
        arguments = {"operation": operation, "is_body_whole": whole, "temperature": temperature, "rule": rule}
        decision = ask("replay", control, cache_control, **arguments)  # type: ignore[arg-type]
        assert not decision.may_forward
        assert not decision.may_write
        assert not ask("on", b"only", cache_control, **arguments).may_forward  # type: ignore[arg-type]


@pytest.mark.parametrize("operation", [None, FILES])
@pytest.mark.parametrize("mode", ["on", "refresh"])
def test_what_is_not_cacheable_passes_by(mode: str, operation: Operation | None) -> None:
    decision = ask(mode, operation=operation)
    assert (rights(decision), decision.result) == (FORWARD, CacheResult.BYPASS)


def test_a_body_too_large_to_hash_passes_by() -> None:
    assert rights(ask(is_body_whole=False)) == FORWARD
    assert rights(ask("replay", is_body_whole=False)) == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"no-store", FORWARD),
        (b"no-cache", WRITE | FORWARD),
        (b"NO-CACHE", WRITE | FORWARD),
        (b"max-age=0, no-store", FORWARD),
        (b'no-cache="x-y"', WRITE | FORWARD),
        (b"no-cache, no-store", FORWARD),
        (b"max-age=3600", READ | WRITE | FORWARD),
        (b"", READ | WRITE | FORWARD),
        (b"x-no-store", READ | WRITE | FORWARD),
    ],
)
def test_the_clients_cache_control_is_honoured(value: bytes, expected: int) -> None:
    assert rights(ask(cache_control=value)) == expected


def test_rubberducks_own_header_wins_over_cache_control() -> None:
    assert rights(ask(control=b"refresh", cache_control=b"no-store")) == WRITE | FORWARD
    assert rights(ask(control=b"only", cache_control=b"no-cache")) == READ


@pytest.mark.parametrize("value", [b"", b"yes", b"only, bypass", b"\xff"])
@pytest.mark.parametrize("mode", CacheMode)
def test_a_control_nobody_can_obey_is_refused_in_words(mode: str, value: bytes) -> None:
    with pytest.raises(BadControl, match="x-rubberduck-cache must be one of: bypass, refresh, only"):
        ask(mode, value)


def test_control_values_are_read_in_any_case() -> None:
    assert rights(ask(control=b" Bypass ")) == FORWARD


ALL = READ | WRITE | FORWARD


@pytest.mark.parametrize(
    ("rule", "operation", "temperature", "expected"),
    [
        (TemperatureRule.ALWAYS, CHAT, 1.0, ALL),
        (TemperatureRule.ALWAYS, CHAT, None, ALL),
        (TemperatureRule.UNLESS_RANDOM, CHAT, 0.1, FORWARD),
        (TemperatureRule.UNLESS_RANDOM, CHAT, 0.0, ALL),
        (TemperatureRule.UNLESS_RANDOM, CHAT, None, ALL),
        (TemperatureRule.UNLESS_RANDOM, EMBEDDINGS, None, ALL),
        (TemperatureRule.ONLY_DETERMINISTIC, CHAT, None, FORWARD),
        (TemperatureRule.ONLY_DETERMINISTIC, CHAT, 0.0, ALL),
        (TemperatureRule.ONLY_DETERMINISTIC, CHAT, 1.0, FORWARD),
        (TemperatureRule.ONLY_DETERMINISTIC, EMBEDDINGS, None, ALL),
    ],
)
def test_the_temperature_rule_decides_what_may_be_cached(
    rule: TemperatureRule, operation: Operation, temperature: float | None, expected: int
) -> None:
    assert rights(ask(rule=rule, operation=operation, temperature=temperature)) == expected
    assert rights(ask("refresh", rule=rule, operation=operation, temperature=temperature)) == expected & ~READ
    assert rights(ask("replay", rule=rule, operation=operation, temperature=temperature)) == READ
