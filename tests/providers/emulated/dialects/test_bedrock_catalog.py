from __future__ import annotations

import pytest
from anthropic.types import ModelInfo
from openai.types import Model

from providers.bedrock import PROVIDER
from providers.emulated.dialects import bedrock_catalog as catalog
from providers.emulated.dialects.bedrock_errors import Refusal
from tests.providers.emulated.bedrock_shapes import faults_of


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("us.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("us-gov.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("global.amazon.nova-2-lite-v1:0", "amazon.nova-2-lite-v1:0"),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
            "amazon.nova-lite-v1:0",
        ),
    ],
)
def test_a_model_is_known_in_all_its_forms(model: str, base: str) -> None:
    assert catalog.base_id(model) == base
    assert base in catalog.MODELS
    catalog.check_model(model, is_strict=True)


def test_unknown_models_are_refused_only_when_strict() -> None:
    catalog.check_model("acme.unknown-v1:0", is_strict=False)
    with pytest.raises(Refusal, match="Could not resolve the foundation model") as refusal:
        catalog.check_model("acme.unknown-v1:0", is_strict=True)
    assert refusal.value.status == 404
    own = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
    catalog.check_model(own, is_strict=True)


@pytest.mark.parametrize("model", ["", "two words", "modèle", "a\x00b"])
def test_what_can_be_no_id_is_refused(model: str) -> None:
    with pytest.raises(Refusal, match=r"The provided model identifier is invalid\."):
        catalog.check_model(model, is_strict=False)


@pytest.mark.parametrize("model", ["amazon.titan-embed-text-v1", "us.cohere.embed-v4:0", "cohere.rerank-v3-5:0"])
def test_models_that_do_something_else_hold_no_conversation(model: str) -> None:
    with pytest.raises(Refusal, match="This action doesn't support the model that you provided"):
        catalog.check_converses(model)
    catalog.check_converses("us.amazon.nova-lite-v1:0")


def test_the_example_model_is_listed() -> None:
    assert catalog.base_id(PROVIDER.example_model) in catalog.MODELS


def test_the_lists_are_the_service_s_own() -> None:
    models = catalog.list_models(b"", "eu-west-1")
    assert faults_of(models, "ListFoundationModels", "bedrock") == []
    assert len(models["modelSummaries"]) == len(catalog.MODELS)
    assert ":eu-west-1:" in models["modelSummaries"][0]["modelArn"]
    profiles = catalog.list_profiles(b"", "eu-west-1")
    assert faults_of(profiles, "ListInferenceProfiles", "bedrock") == []
    one = catalog.get_model("us.amazon.nova-premier-v1:0", "us-east-1")
    assert faults_of(one, "GetFoundationModel", "bedrock") == []
    with pytest.raises(Refusal):
        catalog.get_model("acme.unknown", "us-east-1")


def test_models_are_filtered() -> None:
    embedding = catalog.list_models(b"byOutputModality=EMBEDDING&byProvider=Cohere", "us-east-1")["modelSummaries"]
    assert {model["providerName"] for model in embedding} == {"Cohere"}
    assert all(model["outputModalities"] == ["EMBEDDING"] for model in embedding)
    assert catalog.list_models(b"byCustomizationType=FINE_TUNING", "us-east-1") == {"modelSummaries": []}
    on_demand = catalog.list_models(b"byInferenceType=ON_DEMAND", "us-east-1")["modelSummaries"]
    assert 0 < len(on_demand) < len(catalog.MODELS)


def test_profiles_come_in_pages() -> None:
    every = catalog.list_profiles(b"", "us-east-1")["inferenceProfileSummaries"]
    seen = []
    token = ""
    while True:
        query = f"maxResults=7{'&nextToken=' + token if token else ''}".encode()
        page = catalog.list_profiles(query, "us-east-1")
        seen += page["inferenceProfileSummaries"]
        token = page.get("nextToken", "")
        if not token:
            break
    assert seen == every
    assert {profile["inferenceProfileId"].partition(".")[0] for profile in every} == {"us", "global"}
    assert catalog.list_profiles(b"type=APPLICATION&nextToken=x", "us-east-1")["inferenceProfileSummaries"] == []


def test_other_vendors_clients_get_lists_in_their_shape() -> None:
    assert all(Model.model_validate(entry).id.startswith("openai.") for entry in catalog.openai_list()["data"])
    assert len(catalog.anthropic_list()["data"]) > 10
    for entry in catalog.anthropic_list()["data"]:
        assert ModelInfo.model_validate(entry).id.startswith("anthropic.claude-")
