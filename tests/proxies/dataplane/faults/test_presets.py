"""Presets are rules that the grammar takes, alone and together, and that let enough pass."""

from __future__ import annotations

from typing import Any

import pytest

from providers.registry import all_providers
from proxies.dataplane.faults.base import Stage
from proxies.dataplane.faults.grammar import read_rules
from proxies.dataplane.faults.presets import PRESETS
from proxies.dataplane.faults.registry import all_faults
from tests.proxies.dataplane.faults.deciding import Deciding


def test_there_are_those_that_people_recognise() -> None:
    assert [preset.title for preset in PRESETS.values()] == [
        "OpenAI rate-limit storm",
        "Anthropic overloaded",
        "Azure region outage",
        "Bedrock throttling",
        "slow model",
        "flaky network",
        "stream dies half way",
        "everything at once, mildly",
    ]
    assert {provider for preset in PRESETS.values() for provider in preset.providers} <= all_providers().keys()


@pytest.mark.parametrize("name", PRESETS)
def test_its_rules_are_valid_and_have_names_of_their_own(name: str) -> None:
    preset = PRESETS[name]
    rules = read_rules(list(preset.rules))
    assert len(rules) == len(preset.rules) > 0
    assert all(rule.id.isascii() and not rule.id.isdigit() for rule in rules)
    assert preset.description


def test_all_of_them_together_have_names_that_differ() -> None:
    together = [rule for preset in PRESETS.values() for rule in preset.rules]
    assert len({rule["id"] for rule in together}) == len(together)


def test_everything_at_once_has_every_fault_and_is_mild() -> None:
    rules = read_rules(list(PRESETS["everything-at-once-mildly"].rules))
    kinds = {rule.fault.kind for rule in rules if rule.fault is not None}
    assert kinds == set(all_faults())
    spoils = [rule for rule in rules if rule.fault is not None and rule.fault.stage is not Stage.DELAY]
    assert all(rule.rate is not None and rule.rate <= 0.05 for rule in spoils)
    assert sum(rule.rate or 0 for rule in spoils) < 0.25


def decided(name: str, times: int, **request: Any) -> list[str]:
    return Deciding(*PRESETS[name].rules, seed=7).ask_often(times, **request)


def share(outcomes: list[str], *kinds: str) -> float:
    return sum(any(kind in outcome for kind in kinds) for outcome in outcomes) / len(outcomes)


def test_a_storm_comes_in_waves_that_two_retries_do_not_always_outlast() -> None:
    storm = Deciding(PRESETS["openai-rate-limit-storm"].rules[0])
    assert storm.ask_often(13) == ["", "", *["error"] * 2, "", *["error"] * 4, "", "", *["error"] * 2]
    assert storm.ask_often(50) == [""] * 50
    storm.clock.advance(20)
    assert storm.ask_often(4) == ["", "", "error", "error"]


def test_an_outage_begins_lasts_a_minute_and_is_over() -> None:
    outage = Deciding(*PRESETS["azure-region-outage"].rules, seed=7)
    signs = outage.ask_often(200)
    assert 0.1 < share(signs, "error 500") < 0.3
    outage.clock.advance(15)
    down = outage.ask_often(280)
    assert share(down, "error 503", "close", "hang") == 1
    assert share(down, "close") == 0.25
    outage.clock.advance(60)
    assert 0.15 < share(outage.ask_often(200), "error") < 0.35
    outage.clock.advance(30)
    assert outage.ask_often(50) == [""] * 50


def test_bedrock_throttles_in_bursts() -> None:
    outcomes = Deciding(PRESETS["bedrock-throttling"].rules[0]).ask_often(36)
    once = ["", "", "error", "", "", "", *["error"] * 5, "", *["error"] * 2, *[""] * 4]
    assert outcomes == once * 2


def test_shares_are_those_the_descriptions_name() -> None:
    assert 0.36 < share(decided("anthropic-overloaded", 2000), "error") < 0.44
    assert 0.46 < share(decided("stream-dies-half-way", 2000, is_streaming=True), "cut", "stall", "no_term") < 0.57
    assert decided("stream-dies-half-way", 50) == [""] * 50
    assert set(decided("slow-model", 50, is_streaming=True)) == {"slow"}
    assert set(decided("slow-model", 50)) == {"delay"}
    for is_streaming in (True, False):
        untouched = [one for one in decided("everything-at-once-mildly", 2000, is_streaming=is_streaming) if one == ""]
        assert len(untouched) > 1200
        assert share(decided("flaky-network", 2000, is_streaming=is_streaming), "reset", "close", "hang") < 0.2
