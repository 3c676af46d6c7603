from __future__ import annotations

from typing import Any

import pytest
from google.genai import types

from providers.emulated.dialects.gemini_models import is_known, known_names
from tests.providers.emulated.asking import Asker, whole
from tests.providers.emulated.google_asking import EXPRESS, FLASH, GEMINI, LOCATION, message_of, says

ASKER = Asker("vertex_ai")


def test_gemini_lists_models_page_by_page() -> None:
    first = ASKER.json("GET", "/v1beta/models?pageSize=5")
    names = [model["name"] for model in first["models"]]
    assert len(names) == 5
    while "nextPageToken" in first:
        first = ASKER.json("GET", f"/v1beta/models?pageSize=5&pageToken={first['nextPageToken']}")
        names += [model["name"] for model in first["models"]]
    assert names == [f"models/{name}" for name in known_names()]


@pytest.mark.parametrize("path", [EXPRESS.removesuffix("/"), f"{LOCATION}/publishers/google/models"])
def test_vertex_lists_publisher_models(path: str) -> None:
    listed = ASKER.json("GET", f"{path}?pageSize=100")["publisherModels"]
    assert [model["name"] for model in listed] == [f"publishers/google/models/{name}" for name in known_names()]
    assert all(model["versionId"] for model in listed)


def test_other_publishers_models_are_not_listed() -> None:
    assert ASKER.json("GET", "/v1beta1/publishers/meta/models") == {}


def test_a_model_is_described() -> None:
    model = ASKER.json("GET", f"{GEMINI}{FLASH}")
    assert model["name"] == f"models/{FLASH}"
    assert "generateContent" in model["supportedGenerationMethods"]
    known = {field.alias or name for name, field in types.Model.model_fields.items()}
    assert model.keys() - known == {"supportedGenerationMethods"}
    assert ASKER.json("GET", f"{EXPRESS}{FLASH}")["name"] == f"publishers/google/models/{FLASH}"


def test_a_model_that_is_not_listed_is_described_unless_the_proxy_is_strict() -> None:
    assert ASKER.json("GET", f"{GEMINI}my-own")["name"] == "models/my-own"
    refused = Asker("vertex_ai", is_strict=True).send("GET", f"{GEMINI}my-own")
    assert message_of(refused, 404) == (
        "models/my-own is not found for API version v1beta, or is not supported for generateContent. Call ListModels "
        "to see the list of available models and their supported methods."
    )


def test_a_model_has_no_verbs_of_its_own() -> None:
    reply = Asker("vertex_ai").send("GET", f"{GEMINI}x:nope")
    assert (reply.status, whole(reply)[:15]) == (404, b"<!DOCTYPE html>")


def test_vertex_names_the_resource_that_is_not_there() -> None:
    path = f"{LOCATION}/publishers/google/models/my-own"
    refused = Asker("vertex_ai", is_strict=True).send("POST", f"{path}:generateContent", says("Hi"))
    assert message_of(refused, 404).startswith(
        "Publisher Model `projects/p/locations/us-central1/publishers/google/models/my-own` was not found"
    )


@pytest.mark.parametrize("path", [f"{LOCATION}/endpoints/123", "/v1beta/tunedModels/mine",
                                  f"{LOCATION}/publishers/meta/models/llama"])  # fmt: skip
def test_a_strict_proxy_lets_tuned_and_others_models_pass(path: str) -> None:
    reply = Asker("vertex_ai", is_strict=True).send("POST", f"{path}:generateContent", says("Hi"))
    assert reply.status == 200


@pytest.mark.parametrize("query", ["pageSize=x", "pageSize=-1", "pageToken=ducks"])
def test_a_page_that_cannot_be_is_refused(query: str) -> None:
    assert message_of(ASKER.send("GET", f"/v1beta/models?{query}"), 400)


@pytest.mark.parametrize(("name", "expected"), [(FLASH, True), ("gemini-99", False)])
def test_known_names(name: Any, expected: bool) -> None:
    assert is_known(name) is expected
