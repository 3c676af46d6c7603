"""The schema of a rule takes what the grammar takes, of every fault and preset."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from providers.faults.base import Reason
from providers.registry import all_providers
from proxies.catalog import catalog, rules_schema
from proxies.dataplane.faults.grammar import InvalidRules, read_rules
from proxies.dataplane.faults.presets import PRESETS
from proxies.dataplane.faults.registry import all_faults

VALIDATOR = jsonschema.Draft202012Validator(rules_schema())


@pytest.mark.parametrize("name", PRESETS)
def test_the_rules_of_a_preset_fit_the_schema(name: str) -> None:
    rules = list(PRESETS[name].rules)
    assert [error.message for error in VALIDATOR.iter_errors(rules)] == []
    assert len(read_rules(rules)) == len(rules)


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "nothing"},
        {"status": 429},
        {"fault": "error", "status": 399},
        {"fault": "error", "status": 429, "colour": "blue"},
        {"fault": "close", "rate": 1.5},
        {"fault": "close", "match": {"colour": "blue"}},
        {"fault": "close", "match": {"streaming": "yes"}},
        {"fault": "close", "when": {"every": 0}},
        {"fault": "close", "when": {"between_s": [1]}},
        {"script": []},
        {"script": [{"fault": "close"}], "rate": 0.5},
        {"script": [{"fault": "pass", "times": 0}]},
    ],
)
def test_what_the_grammar_refuses_does_not_fit_either(rule: Any) -> None:
    assert not VALIDATOR.is_valid([rule])
    with pytest.raises(InvalidRules):
        read_rules([rule])


def test_a_rule_with_everything_fits() -> None:
    rules = [
        {
            "fault": "error",
            "reason": "quota",
            "rate": 0.5,
            "id": "all",
            "match": {
                "operation": ["chat.*"],
                "path": "/v1/*",
                "model": "gpt-4*",
                "streaming": True,
                "header": {"x-team": ["a", "b"]},
                "client": "10.0.0.0/8",
                "prompt_hash": "ab*",
            },
            "when": {"every": 2, "first": 9, "after": 1, "between_s": [0, 1.5], "window": "22:00-06:00"},
        },
        {
            "script": [{"fault": "pass", "times": 2}, {"fault": "close", "for_s": 1}],
            "repeat": True,
            "when": {"after": 1},
        },
    ]
    assert [error.message for error in VALIDATOR.iter_errors(rules)] == []
    assert len(read_rules(rules)) == 2


def test_the_catalog_names_all_there_is() -> None:
    found = catalog()
    assert [fault["kind"] for fault in found["faults"]] == list(all_faults())
    assert [preset["name"] for preset in found["presets"]] == list(PRESETS)
    assert found["reasons"] == [reason.value for reason in Reason]
    assert found["operations"].keys() == all_providers().keys()
    assert "chat.completions" in found["operations"]["openai"]
