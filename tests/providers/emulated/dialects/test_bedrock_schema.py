from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.dialects.bedrock_errors import Refusal
from providers.emulated.dialects.bedrock_schema import Member, ask, check, strings
from providers.emulated.question import Turn

MEMBERS = (
    Member("prompt", "String", is_required=True),
    Member("max_gen_len", "Integer", least=1, most=100),
    Member("temperature", "Number", least=0, most=1),
    Member("stop", "JSONArray"),
)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "#: required key [prompt] not found"),
        ({"prompt": 1}, "#/prompt: expected type: String, found: Integer"),
        ({"prompt": None}, "#/prompt: expected type: String, found: Null"),
        ({"prompt": "a", "temperature": True}, "#/temperature: expected type: Number, found: Boolean"),
        ({"prompt": "a", "max_gen_len": 2.5}, "#/max_gen_len: expected type: Integer, found: BigDecimal"),
        ({"prompt": "a", "max_gen_len": 0}, "#/max_gen_len: 0 is not greater or equal to 1"),
        ({"prompt": "a", "temperature": 2}, "#/temperature: 2 is not less or equal to 1"),
        ({"prompt": "a", "top_q": 1}, "#: extraneous key [top_q] is not permitted"),
        (
            {"stop": {}, "x": 1},
            "#: required key [prompt] not found, #/stop: expected type: JSONArray, found: JSONObject, "
            "#: extraneous key [x] is not permitted",
        ),
    ],
)
def test_a_body_that_does_not_fit_is_refused_in_the_validator_s_words(body: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        check(body, MEMBERS, is_closed=True)
    assert refusal.value.message == (
        f"Malformed input request: {said}, please reformat your input and try again."
    )  # fmt: skip


def test_a_guardrail_s_settings_fit_into_every_body() -> None:
    body = {"prompt": "a", "amazon-bedrock-guardrailConfig": {"tagSuffix": "x"}}
    check(body, MEMBERS, is_closed=True)
    question = ask("invoke", "meta.llama3", body, [Turn("user", "a")])
    assert (question.prompt, question.caches) == ("a", ())


def test_lists_of_texts_hold_only_texts() -> None:
    assert strings(None, "#/stop") == ()
    assert strings(["a"], "#/stop") == ("a",)
    with pytest.raises(Refusal, match="#/stop/1: expected type: String, found: Integer"):
        strings(["a", 1], "#/stop")
