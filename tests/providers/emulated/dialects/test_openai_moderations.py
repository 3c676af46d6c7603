from __future__ import annotations

from typing import Any

import pytest
from openai.types import ModerationCreateResponse

from tests.providers.emulated.asking import Asker
from tests.providers.emulated.openai_asking import refused, typed

TARGET = "/v1/moderations"


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def judge(asker: Asker, value: Any, **members: Any) -> ModerationCreateResponse:
    return typed(ModerationCreateResponse, asker.send("POST", TARGET, {"input": value, **members}))


def test_plain_words_are_flagged_and_harmless_ones_not(asker: Asker) -> None:
    bad = judge(asker, "I will kill you").results[0]
    assert (bad.flagged, bad.categories.violence, bad.categories.harassment_threatening) == (True, True, True)
    assert bad.category_scores.violence > 0.7
    good = judge(asker, "What a lovely duck").results[0]
    assert not good.flagged
    assert max(good.category_scores.to_dict().values()) < 0.01  # type: ignore[type-var]
    assert not judge(asker, "The skill of a hater").results[0].flagged


def test_texts_are_judged_one_by_one_and_parts_together(asker: Asker) -> None:
    assert [entry.flagged for entry in judge(asker, ["a duck", "a murder"]).results] == [False, True]
    parts = [
        {"type": "text", "text": "murder"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    (both,) = judge(asker, parts).results
    assert both.flagged
    assert both.category_applied_input_types.violence == ["text", "image"]
    assert both.category_applied_input_types.hate == ["text"]


def test_models_are_named(asker: Asker) -> None:
    assert judge(asker, "x").model == "omni-moderation-latest"
    assert judge(asker, "x", model="text-moderation-latest").model == "text-moderation-007"
    assert judge(asker, "x").id == judge(asker, "x").id


def test_it_is_refused_in_openais_words(asker: Asker) -> None:
    assert refused(asker.send("POST", TARGET, {}))["param"] == "input"
    assert refused(asker.send("POST", TARGET, {"input": 4}))["code"] == "invalid_type"
    assert refused(asker.send("POST", TARGET, {"input": []}))["code"] == "empty_array"
    assert refused(asker.send("POST", TARGET, {"input": ["a", 1]}))["param"] == "input[1]"
    assert refused(asker.send("POST", TARGET, {"input": [{"type": "video"}]}))["code"] == "invalid_value"
    assert refused(asker.send("POST", TARGET, {"input": [{"type": "image_url"}]}))["param"] == "input[0].image_url"
    assert refused(asker.send("POST", TARGET, {"input": "x", "model": "gpt-4o"}))["param"] == "model"
