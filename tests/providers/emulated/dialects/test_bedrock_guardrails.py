from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.dialects.bedrock_errors import Refusal
from providers.emulated.dialects.bedrock_guardrails import apply_guardrail, check_content
from tests.providers.emulated.bedrock_shapes import faults_of

CONTENT = [{"text": {"text": "How are you?"}}, {"text": {"text": "Fine."}}]
MESSAGES = [{"role": "user", "content": [{"text": "How are you?"}]}]


def test_nothing_is_objected_to() -> None:
    made = apply_guardrail({"source": "INPUT", "content": CONTENT})
    assert faults_of(made.reply, "ApplyGuardrail") == []
    assert (made.reply["action"], made.reply["outputs"]) == ("NONE", [])
    assert made.reply["guardrailCoverage"]["textCharacters"] == {"guarded": 18, "total": 18}
    assert made.prompt == "How are you?\nFine."


def test_the_full_output_is_the_input() -> None:
    made = apply_guardrail({"source": "OUTPUT", "content": CONTENT, "outputScope": "FULL"})
    assert made.reply["outputs"] == [{"text": "How are you?\nFine."}]


def test_every_category_that_is_checked_has_the_lowest_score() -> None:
    checks = {
        "contentFilter": {"categories": [{"category": "HATE"}, {"category": "VIOLENCE"}]},
        "promptAttack": {"categories": [{"category": "JAILBREAK"}]},
        "sensitiveInformation": {"entities": [{"type": "EMAIL"}]},
    }
    made = check_content({"messages": MESSAGES, "checks": checks})
    assert faults_of(made.reply, "InvokeGuardrailChecks") == []
    assert [entry["severityScore"] for entry in made.reply["results"]["contentFilter"]["results"]] == [0, 0]
    assert set(made.reply["usage"]) == set(checks)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"content": CONTENT}, "Value null at 'source'"),
        ({"source": "BOTH", "content": CONTENT}, "[INPUT, OUTPUT]"),
        ({"source": ["INPUT"], "content": CONTENT}, "[INPUT, OUTPUT]"),
        ({"source": "INPUT"}, "Value null at 'content'"),
        ({"source": "INPUT", "content": "Hi."}, "Provide a list"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(body: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        apply_guardrail(body)
    assert said in refusal.value.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"checks": {}}, "'messages'"),
        ({"messages": MESSAGES}, "'checks'"),
        ({"messages": [{"role": "user"}], "checks": {}}, "'messages.content'"),
    ],
)
def test_checks_that_do_not_fit_are_refused(body: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        check_content(body)
    assert said in refusal.value.message
