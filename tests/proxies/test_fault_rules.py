"""Rules as people edit them; the command's tests show the rest."""

from __future__ import annotations

from typing import Any

import pytest

from proxies.dataplane.faults.grammar import read_rules
from proxies.dataplane.faults.presets import PRESETS
from proxies.errors import Invalid, NotFound
from proxies.fault_rules import fields_in_document, kinds_in, rules_in_line, rules_of_presets, without


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("close", [{"fault": "close"}]),
        ("error;status=429;message=\"a b\";rate=0.25;id=mine", [
            {"fault": "error", "status": 429, "message": "a b", "rate": 0.25, "id": "mine"}]),
        ("cut;reset, delay;seconds=2", [{"fault": "cut", "reset": True}, {"fault": "delay", "seconds": 2}]),
        (" {fault: close}", [{"fault": "close"}]),
        ("[{fault: close}, {fault: reset}]", [{"fault": "close"}, {"fault": "reset"}]),
    ],
)  # fmt: skip
def test_a_line_is_rules(text: str, rules: list[Any]) -> None:
    assert rules_in_line(text) == rules
    assert len(read_rules(rules)) == len(rules)


@pytest.mark.parametrize("text", ["", "  ", '"error"', "5", "error;;", "error;at=@5", "{", "\x00", "é"])
def test_a_line_that_is_none_says_so(text: str) -> None:
    with pytest.raises(Invalid):
        rules_in_line(text)


def test_a_document_is_a_list_or_a_mapping() -> None:
    assert fields_in_document([]) == {"rules": []}
    assert fields_in_document({"seed": 7, "rules": None}) == {"seed": 7, "rules": []}
    for document in (None, "text", 5, {"x": 1}):
        with pytest.raises(Invalid, match=r"^faults\.rules: "):
            fields_in_document(document)


def test_presets_are_joined_each_once() -> None:
    joined = rules_of_presets(["slow-model", "flaky-network", "slow-model"])
    assert len(joined) == len(PRESETS["slow-model"].rules) + len(PRESETS["flaky-network"].rules)
    with pytest.raises(NotFound, match="There is no preset 'x'; there are openai-rate-limit-storm"):
        rules_of_presets(["x"])


def test_a_name_is_found_before_a_number() -> None:
    rules = [{"fault": "close"}, {"fault": "reset", "id": "two"}, {"fault": "hang"}]
    assert without(rules, ["two", "1"]) == [{"fault": "hang"}]
    assert without(rules, ["1", "1"]) == rules[1:]
    for name in ("4", "0", "", "ii", "99999999999999999999"):
        with pytest.raises(NotFound):
            without(rules, [name])


def test_kinds_are_named_once() -> None:
    rules = [{"fault": "close"}, {"script": []}, {"fault": "reset"}, {"fault": "close"}]
    assert kinds_in(rules) == ["close", "script", "reset"]
