from __future__ import annotations

from math import isclose
from typing import Any

import pytest

from providers.base import BodyFacts
from providers.vertex_ai import PROVIDER
from tests.providers.emulated.asking import Asker, whole
from tests.providers.emulated.google_asking import BOTH, GEMINI, VERTEX, message_of

ASKER = Asker("vertex_ai")
MODEL = "gemini-embedding-001"


def content(text: str) -> dict[str, Any]:
    return {"parts": [{"text": text}]}


@pytest.mark.parametrize("base", BOTH)
def test_one_content_has_one_embedding(base: str) -> None:
    made = ASKER.json("POST", f"{base}{MODEL}:embedContent", {"content": content("A duck.")})
    values = made["embedding"]["values"]
    assert len(values) == 3072
    assert isclose(sum(value * value for value in values), 1, rel_tol=1e-3)
    assert made["usageMetadata"]["promptTokenCount"] > 0


@pytest.mark.parametrize(
    ("base", "more"),
    [(GEMINI, {"outputDimensionality": 256}), (VERTEX, {"embedContentConfig": {"outputDimensionality": 256}})],
)
def test_the_size_may_be_chosen(base: str, more: dict[str, Any]) -> None:
    made = ASKER.json("POST", f"{base}{MODEL}:embedContent", {"content": content("A duck."), **more})
    assert len(made["embedding"]["values"]) == 256


@pytest.mark.parametrize("base", BOTH)
def test_a_batch_has_an_embedding_for_each(base: str) -> None:
    requests = [{"model": f"models/{MODEL}", "content": content(text)} for text in ("A duck.", "A goose.", "A duck.")]
    made = ASKER.json("POST", f"{base}{MODEL}:batchEmbedContents", {"requests": requests})
    first, second, third = (entry["values"] for entry in made["embeddings"])
    assert first == third != second


def test_usage_is_what_the_log_reads() -> None:
    path = f"{GEMINI}{MODEL}:embedContent"
    reply = ASKER.send("POST", path, {"content": content("A duck.")})
    reader = PROVIDER.usage_reader(PROVIDER.match("POST", path.encode()), BodyFacts(), 200, reply.headers)
    assert reader is not None
    reader.feed(whole(reply))
    assert (reader.finish().input_tokens or 0) > 0


@pytest.mark.parametrize(
    ("verb", "body", "message"),
    [
        ("embedContent", {}, "EmbedContentRequest.content: content is empty"),
        ("embedContent", {"content": {"parts": [{}]}}, "EmbedContentRequest.content: content is empty"),
        ("embedContent", {"content": content("a"), "outputDimensionality": 4000}, "between 1 and 3072, got 4000"),
        ("embedContent", {"content": content("a"), "ducks": 1}, 'Unknown name "ducks"'),
        ("batchEmbedContents", {"requests": []}, "requests is not specified"),
        (
            "batchEmbedContents",
            {"requests": [{"content": content("a")}] * 101},
            "at most 100 requests can be in one batch",
        ),
        ("batchEmbedContents", {"requests": [{}]}, "requests[0].content: content is empty"),
    ],
)
def test_what_cannot_be_embedded_is_refused(verb: str, body: Any, message: str) -> None:
    assert message in message_of(ASKER.send("POST", f"{GEMINI}{MODEL}:{verb}", body), 400)
