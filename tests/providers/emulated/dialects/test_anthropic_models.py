"""The list of models."""

from __future__ import annotations

from typing import get_args

import pytest
from anthropic.types import Model, ModelInfo

from providers.emulated.dialects.anthropic_models import is_known, model_info, output_limit
from tests.providers.emulated.anthropic_asking import checked, error
from tests.providers.emulated.asking import Asker

RETIRED = {"claude-mythos-preview"}


@pytest.fixture
def asker() -> Asker:
    return Asker("anthropic")


def test_every_model_is_what_the_sdk_expects_with_all_its_capabilities(asker: Asker) -> None:
    found = [checked(ModelInfo, info) for info in asker.json("GET", "/v1/models?limit=1000")["data"]]
    assert len(found) > 10
    for model in found:
        assert model.capabilities is not None
        assert model.max_tokens < model.max_input_tokens
        assert set(model.capabilities.to_dict()) == set(type(model.capabilities).model_fields)
    assert [model.id for model in found if model.lifecycle == "deprecated"] == ["claude-sonnet-4-5-20250929"]


def test_every_model_the_newest_sdk_names_is_known() -> None:
    names = {name for part in get_args(Model) for name in get_args(part)}
    assert {name for name in names if not is_known(name)} == RETIRED


def test_a_page_begins_where_the_last_one_ended(asker: Asker) -> None:
    ids: list[str] = []
    page = asker.json("GET", "/v1/models?limit=7")
    while True:
        ids += [model["id"] for model in page["data"]]
        if not page["has_more"]:
            break
        page = asker.json("GET", f"/v1/models?limit=7&after_id={page['last_id']}")
    assert ids == [model["id"] for model in asker.json("GET", "/v1/models?limit=1000")["data"]]
    before = asker.json("GET", f"/v1/models?limit=2&before_id={ids[3]}")
    assert ([model["id"] for model in before["data"]], before["has_more"]) == (ids[1:3], True)


def test_the_list_can_be_limited_to_stages_of_life(asker: Asker) -> None:
    found = asker.json("GET", "/v1/models?lifecycle[]=deprecated&lifecycle[]=retired")["data"]
    assert [model["lifecycle"] for model in found] == ["deprecated"]


def test_a_model_answers_to_its_alias(asker: Asker) -> None:
    assert asker.json("GET", "/v1/models/claude-haiku-4-5")["id"] == "claude-haiku-4-5-20251001"
    assert model_info("claude-haiku-4-5") is model_info("claude-haiku-4-5-20251001")


def test_an_unknown_model_is_not_found(asker: Asker) -> None:
    assert error(asker.send("GET", "/v1/models/gpt-4o")) == (404, "not_found_error", "model: gpt-4o")


def test_how_much_a_model_gives_is_known_of_former_ones_too() -> None:
    assert output_limit("claude-haiku-4-5") == (64_000, "claude-haiku-4-5-20251001")
    assert output_limit("claude-3-haiku-20240307") == (4096, "claude-3-haiku-20240307")
    assert output_limit("gpt-4o") is None
