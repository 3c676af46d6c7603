from __future__ import annotations

from typing import get_args

import pytest
from openai.types import Model
from openai.types.shared import ChatModel

from providers.emulated.dialects.openai_models import (
    DATED,
    KNOWN,
    dated,
    is_known,
    is_reasoning,
    reasons_unasked,
    refuses_sampling,
)
from tests.providers.emulated.asking import Asker
from tests.providers.emulated.openai_asking import refused, typed, validated


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def test_models_are_listed_and_told(asker: Asker) -> None:
    listed = asker.json("GET", "/v1/models")
    assert listed["object"] == "list"
    names = [validated(Model, entry).id for entry in listed["data"]]
    assert {"gpt-4o-mini", "text-embedding-3-small", "whisper-1"} <= set(names)
    assert len(names) == len(set(names))
    assert typed(Model, asker.send("GET", "/v1/models/gpt-4o")).id == "gpt-4o"


def test_only_a_strict_proxy_misses_a_model(asker: Asker) -> None:
    assert typed(Model, asker.send("GET", "/v1/models/mine")).id == "mine"
    strict = Asker("openai", is_strict=True)
    assert refused(strict.send("GET", "/v1/models/mine"), 404)["code"] == "model_not_found"
    assert strict.send("GET", "/v1/models/gpt-4o").status == 200


def test_a_model_cannot_be_deleted(asker: Asker) -> None:
    assert "insufficient permissions" in refused(asker.send("DELETE", "/v1/models/gpt-4o"), 403)["message"]


def test_replies_name_the_snapshot() -> None:
    assert dated("gpt-4o-mini") == "gpt-4o-mini-2024-07-18"
    assert dated("gpt-4o") == "gpt-4o-2024-08-06"
    assert dated("gpt-4.1-nano") == "gpt-4.1-nano-2025-04-14"
    assert dated("text-embedding-3-small") == "text-embedding-3-small"
    assert dated("mine") == "mine"
    assert all(is_known(name) for name in DATED.values())


def test_most_chat_models_of_the_sdk_are_on_the_list() -> None:
    retired = (
        "-preview",
        "-0301",
        "-0314",
        "-32k",
        "-1106",
        "chatgpt",
        "turbo-0613",
        "16k-0613",
        "codex-mini-latest",
        "-2024-09-12",
    )
    expected = {name for name in get_args(ChatModel) if not any(part in name for part in retired)}
    assert {name for name in expected - set(KNOWN) if not is_known(name)} <= {"gpt-5.1-mini"}


def test_it_is_known_which_models_reason() -> None:
    for name in ("o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5-nano", "gpt-5-mini-2025-08-07"):
        assert refuses_sampling(name), name
        assert reasons_unasked(name), name
    for name in ("gpt-4o", "gpt-5-chat-latest", "gpt-4.1", "mine"):
        assert not is_reasoning(name), name
    assert is_reasoning("gpt-5.1")
    assert not reasons_unasked("gpt-5.1")
    assert not refuses_sampling("gpt-5.1")
    assert reasons_unasked("gpt-6-sol")
