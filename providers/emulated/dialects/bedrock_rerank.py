"""Reranking: by InvokeModel as Cohere and Amazon have it, and by the agents' runtime.

Source: AWS "Rerank" request and response fields; bedrock-agent-runtime service-2.json (botocore 1.44.5), RerankRequest;
read November 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from providers.emulated import tokens
from providers.emulated.dialects.bedrock_embeddings import Made
from providers.emulated.dialects.bedrock_errors import Refusal, constraint, wrong_format
from providers.emulated.dialects.bedrock_schema import Member, check, malformed
from providers.emulated.embedding import embed
from providers.wire.json_body import mapping

MAX_DOCUMENTS = 1000
_DIMENSIONS = 256

_MEMBERS = (
    Member("query", "String", is_required=True),
    Member("documents", "JSONArray", is_required=True),
    Member("top_n", "Integer", least=1),
    Member("api_version", "Integer"),
    Member("max_tokens_per_doc", "Integer", least=1),
)


def rerank(body: dict[str, Any], model: str) -> Made:
    """Cohere Rerank and Amazon Rerank."""
    check(body, _MEMBERS)
    if not 1 <= len(body["documents"]) <= MAX_DOCUMENTS:
        bound = f"maximum item count: {MAX_DOCUMENTS}" if body["documents"] else "minimum item count: 1"
        raise malformed(f"#/documents: expected {bound}, found: {len(body['documents'])}")
    documents = [_document(document) for document in body["documents"]]
    ranked = ranking(body["query"], documents)[: body.get("top_n")]
    reply = {"results": [{"index": index, "relevance_score": score} for index, score in ranked]}
    return Made(reply, body["query"], tokens.count(body["query"]))


def rerank_sources(body: dict[str, Any]) -> Made:
    """Rerank of the agents' runtime. Raises Refusal."""
    queries, sources = _list(body, "queries", 1), _list(body, "sources", MAX_DOCUMENTS)
    query = mapping(queries[0], "textQuery").get("text")
    if type(query) is not str or not query:
        raise constraint("queries.1.member.textQuery.text", query, "Member must not be null")
    config = mapping(body, "rerankingConfiguration", "bedrockRerankingConfiguration")
    path = "rerankingConfiguration.bedrockRerankingConfiguration"
    model = mapping(config, "modelConfiguration").get("modelArn")
    if type(model) is not str or not model:
        raise constraint(f"{path}.modelConfiguration.modelArn", None, "Member must not be null")
    wanted = config.get("numberOfResults")
    if wanted is not None:
        if type(wanted) is not int:
            raise wrong_format(f"{path}.numberOfResults", "an integer")
        if not 1 <= wanted <= len(sources):
            raise Refusal("The numberOfResults value must be between 1 and the number of sources.")
    documents = [_source(source, number) for number, source in enumerate(sources)]
    results = [
        {"index": index, "relevanceScore": score, "document": mapping(sources[index]).get("inlineDocumentSource")}
        for index, score in ranking(query, documents)[:wanted]
    ]
    return Made({"results": results}, query, tokens.count(query))


def model_of(body: dict[str, Any]) -> str:
    """The model that the agents' runtime is to use, "" if the body names none."""
    model = mapping(
        body, "rerankingConfiguration", "bedrockRerankingConfiguration", "modelConfiguration"
    ).get("modelArn")  # fmt: skip
    return model if type(model) is str else ""


def ranking(query: str, documents: Sequence[str]) -> list[tuple[int, float]]:
    """The numbers of the documents and how much they have to do with the query (0 to 1), most first."""
    wanted = embed(query, _DIMENSIONS)
    scores = [round(max(0.0, _cosine(wanted, embed(document, _DIMENSIONS))), 8) for document in documents]
    return sorted(enumerate(scores), key=lambda found: -found[1])


def _cosine(left: list[float], right: list[float]) -> float:
    return sum([one * other for one, other in zip(left, right, strict=True)])


def _document(value: Any) -> str:
    text = mapping(value).get("text") if type(value) is dict else value
    if type(text) is not str:
        raise malformed("#/documents: expected type: String")
    return text


def _list(body: dict[str, Any], name: str, most: int) -> list[Any]:
    found = body.get(name)
    if found is None:
        raise constraint(name, None, "Member must not be null")
    if type(found) is not list:
        raise wrong_format(name, "a list")
    if not 1 <= len(found) <= most:
        raise Refusal(f"The number of {name} must be between 1 and {most}.")
    return found


def _source(source: Any, number: int) -> str:
    document = mapping(source, "inlineDocumentSource")
    text = mapping(document, "textDocument").get("text")
    if type(text) is str:
        return text
    if "jsonDocument" in document:
        return orjson.dumps(document["jsonDocument"]).decode()
    raise constraint(f"sources.{number + 1}.member.inlineDocumentSource", None, "Member must not be null")
