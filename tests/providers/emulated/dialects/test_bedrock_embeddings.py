from __future__ import annotations

from math import sqrt
from typing import Any

import pytest

from providers.emulated.dialects import bedrock_embeddings as embeddings
from providers.emulated.dialects.bedrock_embeddings import Maker
from providers.emulated.dialects.bedrock_errors import Refusal

V3, V4 = "cohere.embed-english-v3", "us.cohere.embed-v4:0"


def length(vector: list[float]) -> float:
    return sqrt(sum(value * value for value in vector))


def test_titan_s_first_model_gives_1536_numbers() -> None:
    made = embeddings.titan_1({"inputText": "A black cat"}, "")
    assert len(made.reply["embedding"]) == 1536
    assert length(made.reply["embedding"]) == pytest.approx(1)
    assert made.reply["inputTextTokenCount"] == made.input_tokens > 0
    assert made.prompt == "A black cat"


def test_titan_s_second_model_gives_what_is_asked_for() -> None:
    body = {"inputText": "A cat", "dimensions": 256, "normalize": True, "embeddingTypes": ["float", "binary"]}
    reply = embeddings.titan_2(body, "").reply
    assert len(reply["embedding"]) == 256
    assert reply["embeddingsByType"]["float"] == reply["embedding"]
    assert set(reply["embeddingsByType"]["binary"]) == {0, 1}
    only = embeddings.titan_2({"inputText": "A cat", "embeddingTypes": ["binary"]}, "").reply
    assert "embedding" not in only
    assert len(only["embeddingsByType"]["binary"]) == 1024


def test_titan_embeds_texts_and_images_in_one_space() -> None:
    config = {"embeddingConfig": {"outputEmbeddingLength": 384}}
    text = embeddings.titan_image({"inputText": "A cat", **config}, "").reply
    both = embeddings.titan_image({"inputText": "A cat", "inputImage": "aGk=", **config}, "").reply
    assert len(text["embedding"]) == len(both["embedding"]) == 384
    assert text["embedding"] != both["embedding"]
    assert text["message"] is None


@pytest.mark.parametrize("kind", ["text", "image", "video", "audio"])
def test_nova_embeds_anything(kind: str) -> None:
    part = {"value": "A cat", "truncationMode": "END"} if kind == "text" else {"source": {"bytes": "aGk="}}
    params = {"embeddingPurpose": "GENERIC_INDEX", "embeddingDimension": 256, kind: part}
    made = embeddings.nova({"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params}, "")
    (one,) = made.reply["embeddings"]
    assert one["embeddingType"] == kind.upper()
    assert len(one["embedding"]) == 256


def test_cohere_gives_one_vector_for_each_text() -> None:
    reply = embeddings.cohere({"texts": ["A cat", "A dog"], "input_type": "search_document"}, V3).reply
    assert reply["response_type"] == "embeddings_floats"
    assert [len(one) for one in reply["embeddings"]] == [1024, 1024]
    assert reply["texts"] == ["a cat", "a dog"]


def test_cohere_gives_every_type_that_is_asked_for() -> None:
    kinds = ["float", "int8", "uint8", "binary", "ubinary"]
    body = {"texts": ["A cat"], "input_type": "search_query", "embedding_types": kinds, "output_dimension": 512}
    reply = embeddings.cohere(body, V4).reply
    assert reply["response_type"] == "embeddings_by_type"
    sizes = {kind: len(reply["embeddings"][kind][0]) for kind in kinds}
    assert sizes == {"float": 512, "int8": 512, "uint8": 512, "binary": 64, "ubinary": 64}
    for kind, least, most in (("int8", -128, 127), ("uint8", 0, 255), ("binary", -128, 127), ("ubinary", 0, 255)):
        assert all(type(value) is int and least <= value <= most for value in reply["embeddings"][kind][0])


def test_cohere_takes_images_and_mixed_inputs() -> None:
    reply = embeddings.cohere({"images": ["data:image/png;base64,aGk="], "input_type": "image"}, V3).reply
    assert len(reply["embeddings"]) == 1
    mixed = [{"content": [{"type": "text", "text": "A cat"}, {"type": "image_url", "image_url": {"url": "x"}}]}]
    assert len(embeddings.cohere({"inputs": mixed, "input_type": "search_document"}, V4).reply["embeddings"][0]) == 1536


@pytest.mark.parametrize(
    ("make", "body", "said"),
    [
        (embeddings.titan_1, {}, "required key [inputText] not found"),
        (embeddings.titan_1, {"inputText": ""}, "expected minLength: 1, actual: 0"),
        (embeddings.titan_1, {"inputText": "a", "dimensions": 256}, "extraneous key [dimensions] is not permitted"),
        (embeddings.titan_2, {"inputText": "a", "dimensions": 100}, "#/dimensions: 100 is not a valid enum value"),
        (embeddings.titan_2, {"inputText": "a", "embeddingTypes": [{}]}, "#/embeddingTypes: the value"),
        (embeddings.titan_image, {}, "required key [inputText] not found"),
        (
            embeddings.titan_image,
            {"inputText": "a", "embeddingConfig": {"outputEmbeddingLength": 5}},
            "#/embeddingConfig/outputEmbeddingLength: 5 is not a valid enum value",
        ),
        (embeddings.nova, {"taskType": "OTHER", "singleEmbeddingParams": {}}, "#/taskType: OTHER is not"),
        (
            embeddings.nova,
            {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {"embeddingPurpose": "x"}},
            "required key [text] not found",
        ),
        (embeddings.cohere, {"texts": ["a"]}, "required key [input_type] not found"),
        (embeddings.cohere, {"texts": [], "input_type": "search_query"}, "required key [texts] not found"),
        (embeddings.cohere, {"texts": ["a"], "input_type": "other"}, "#/input_type: other is not a valid enum value"),
        (embeddings.cohere, {"texts": ["a"], "input_type": "clustering", "truncate": "ALL"}, "#/truncate: ALL is not"),
        (embeddings.cohere, {"texts": ["a"] * 97, "input_type": "search_query"}, "expected maximum item count: 96"),
        (embeddings.cohere, {"texts": [1], "input_type": "search_query"}, "#/texts/0: expected type: String"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(make: Maker, body: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        make(body, V3)
    assert said in refusal.value.message
