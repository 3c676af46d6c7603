from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

from tests.providers.emulated.asking import Asker
from tests.providers.emulated.google_asking import GEMINI, LOCATION, VERTEX, message_of

ASKER = Asker("vertex_ai")


def predict(model: str, body: Any, base: str = VERTEX) -> Any:
    return ASKER.json("POST", f"{base}{model}:predict", body)


def test_text_instances_are_embedded() -> None:
    body = {
        "instances": [{"content": "A duck.", "task_type": "RETRIEVAL_DOCUMENT", "title": "Ducks"}, {"content": "Two"}],
        "parameters": {"outputDimensionality": 64, "autoTruncate": True},
    }
    made = predict("text-embedding-005", body)
    assert [len(entry["embeddings"]["values"]) for entry in made["predictions"]] == [64, 64]
    assert made["predictions"][0]["embeddings"]["statistics"] == {"truncated": False, "token_count": 3}
    assert made["metadata"] == {"billableCharacterCount": 9}


def test_the_usual_size_depends_on_the_model() -> None:
    body = {"instances": [{"content": "A duck."}]}
    assert len(predict("text-embedding-005", body)["predictions"][0]["embeddings"]["values"]) == 768
    assert len(predict("gemini-embedding-001", body)["predictions"][0]["embeddings"]["values"]) == 3072


@pytest.mark.parametrize("base", [VERTEX, GEMINI])
def test_a_prompt_is_painted(base: str) -> None:
    body = {"instances": [{"prompt": "A duck."}], "parameters": {"sampleCount": 2, "aspectRatio": "16:9"}}
    predictions = predict("imagen-4.0-generate-001", body, base)["predictions"]
    assert [entry["mimeType"] for entry in predictions] == ["image/png", "image/png"]
    images = [base64.b64decode(entry["bytesBase64Encoded"]) for entry in predictions]
    assert images[0] != images[1]
    assert struct.unpack(">II", images[0][16:24]) == (1344, 768)


def test_pictures_and_texts_are_embedded_together() -> None:
    body = {
        "instances": [{"text": "A duck.", "image": {"bytesBase64Encoded": "AAAA"}, "video": {"gcsUri": "gs://b/v"}}],
        "parameters": {"dimension": 128},
    }
    prediction = predict("multimodalembedding@001", body)["predictions"][0]
    assert len(prediction["textEmbedding"]) == len(prediction["imageEmbedding"]) == 128
    assert len(prediction["videoEmbeddings"][0]["embedding"]) == 128
    assert prediction["textEmbedding"] != prediction["imageEmbedding"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Empty instances."),
        ({"instances": [{}]}, "each must be an object that is not empty"),
        ({"instances": [1]}, "each must be an object that is not empty"),
        ({"instances": [{"content": ""}]}, "The text content is empty."),
        ({"instances": [{"content": "a"}] * 251}, "250 instance(s) is allowed per prediction. Actual: 251."),
        ({"instances": [{"prompt": ""}]}, "Text prompt is required"),
        ({"instances": [{"prompt": "a"}], "parameters": {"sampleCount": 9}}, "sampleCount must be between 1 and 8"),
        ({"instances": [{"text": "a"}], "parameters": {"dimension": 5}}, "Invalid dimension."),
        ({"instances": [{"rows": [1, 2]}]}, "Rubberduck's emulation of this provider answers instances with"),
    ],
)
def test_instances_that_mean_nothing_are_refused(body: Any, message: str) -> None:
    reply = ASKER.send("POST", f"{LOCATION}/endpoints/123:predict", body)
    assert message in message_of(reply, 400)
