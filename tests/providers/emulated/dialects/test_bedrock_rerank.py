from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.dialects.bedrock_errors import Refusal
from providers.emulated.dialects.bedrock_rerank import MAX_DOCUMENTS, model_of, ranking, rerank, rerank_sources
from tests.providers.emulated.bedrock_shapes import faults_of

DOCUMENTS = ["Dogs bark at night.", "Black cats purr.", "The weather is fine."]
ARN = "arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0"


def sources(**change: Any) -> dict[str, Any]:
    listed = [
        {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}}
        for text in DOCUMENTS
    ]
    listed.append({"type": "INLINE", "inlineDocumentSource": {"type": "JSON", "jsonDocument": {"a": "cats"}}})
    config = {"modelConfiguration": {"modelArn": ARN}, "numberOfResults": 2}
    return {
        "queries": [{"type": "TEXT", "textQuery": {"text": "What do cats do?"}}],
        "sources": listed,
        "rerankingConfiguration": {
            "type": "BEDROCK_RERANKING_MODEL",
            "bedrockRerankingConfiguration": config | change,
        },
    }


def test_documents_with_more_of_the_query_s_words_come_first() -> None:
    ranked = ranking("cats purr", DOCUMENTS)
    assert ranked[0][0] == 1
    assert sorted(index for index, _ in ranked) == [0, 1, 2]
    assert [score for _, score in ranked] == sorted([score for _, score in ranked], reverse=True)
    assert all(0 <= score <= 1 for _, score in ranked)


def test_a_model_reranks_texts_and_objects() -> None:
    documents = [*DOCUMENTS[:2], {"text": DOCUMENTS[2]}]
    made = rerank({"query": "cats purr", "documents": documents, "top_n": 2, "api_version": 2}, "cohere.rerank-v3-5:0")
    assert made.reply["results"][0]["index"] == 1
    assert len(made.reply["results"]) == 2


def test_the_agents_runtime_gives_the_documents_back() -> None:
    made = rerank_sources(sources())
    assert faults_of(made.reply, "Rerank", "bedrock-agent-runtime") == []
    assert len(made.reply["results"]) == 2
    assert made.prompt == "What do cats do?"
    assert model_of(sources()) == ARN


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"documents": []}, "required key [query] not found"),
        ({"query": "a", "documents": []}, "expected minimum item count: 1"),
        ({"query": "a", "documents": ["a"] * (MAX_DOCUMENTS + 1)}, "expected maximum item count: 1000"),
        ({"query": "a", "documents": [1]}, "#/documents: expected type: String"),
        ({"query": "a", "documents": ["a"], "top_n": 0}, "#/top_n: 0 is not greater or equal to 1"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(body: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        rerank(body, "cohere.rerank-v3-5:0")
    assert said in refusal.value.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "Value null at 'queries'"),
        ({**sources(), "sources": []}, "The number of sources must be between 1 and 1000."),
        ({**sources(), "sources": "all"}, "The format of the value at sources is invalid."),
        ({**sources(), "queries": [{}]}, "queries.1.member.textQuery.text"),
        ({**sources(numberOfResults=None), "sources": [{}]}, "sources.1.member.inlineDocumentSource"),
        (sources(modelConfiguration={}), "modelConfiguration.modelArn"),
        (sources(numberOfResults=9), "The numberOfResults value must be between 1 and the number of sources."),
        (sources(numberOfResults="9"), "Provide an integer"),
    ],
)
def test_a_request_to_the_agents_runtime_that_does_not_fit_is_refused(body: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        rerank_sources(body)
    assert said in refusal.value.message
