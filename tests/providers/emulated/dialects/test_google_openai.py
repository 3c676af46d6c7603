from __future__ import annotations

from typing import Any

import pytest
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.google_asking import LOCATION, message_of

ASKER = Asker("vertex_ai")
BASES = ["/v1beta/openai", f"{LOCATION}/endpoints/openapi"]
BODY = {"model": "google/gemini-2.5-flash", "messages": [{"role": "user", "content": "Say hello."}]}


@pytest.mark.parametrize("base", BASES)
def test_chat_completions_are_openais(base: str) -> None:
    reply = ASKER.send("POST", f"{base}/chat/completions", BODY)
    made = TypeAdapter(ChatCompletion).validate_json(whole(reply))
    assert made.model == "google/gemini-2.5-flash"
    assert made.choices[0].message.content
    assert header(reply, "server") == "scaffolding on HTTPServer2"


@pytest.mark.parametrize("base", BASES)
def test_chunks_are_openais(base: str) -> None:
    reply = ASKER.send("POST", f"{base}/chat/completions", BODY | {"stream": True})
    assert (
        header(
            reply,
            "content-type",
        )
        == "text/event-stream"
    )
    *chunks, end, rest = whole(reply).decode().split("\n\n")
    assert (end, rest) == ("data: [DONE]", "")
    text = "".join(
        chunk.choices[0].delta.content or ""
        for chunk in (TypeAdapter(ChatCompletionChunk).validate_json(frame.removeprefix("data: ")) for frame in chunks)
        if chunk.choices
    )
    assert text == ASKER.json("POST", f"{base}/chat/completions", BODY)["choices"][0]["message"]["content"]


def test_embeddings_are_openais() -> None:
    reply = ASKER.send("POST", "/v1beta/openai/embeddings", {"model": "gemini-embedding-001", "input": ["a", "b"]})
    assert len(TypeAdapter(CreateEmbeddingResponse).validate_json(whole(reply)).data) == 2


def test_pictures_are_openais() -> None:
    body = {"model": "imagen-4.0-generate-001", "prompt": "A duck.", "n": 1, "response_format": "b64_json"}
    made = ASKER.json("POST", "/v1beta/openai/images/generations", body)
    assert made["data"][0]["b64_json"]


def test_models_are_googles() -> None:
    names = [model["id"] for model in ASKER.json("GET", "/v1beta/openai/models")["data"]]
    assert "models/gemini-2.5-flash" in names
    one = {"id": "models/gemini-2.5-flash", "object": "model", "owned_by": "google"}
    assert ASKER.json("GET", "/v1beta/openai/models/models/gemini-2.5-flash") == one


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("body", [{"model": "google/gemini-2.5-flash"}, b"{", []])
def test_refusals_are_googles_in_an_array(base: str, body: Any) -> None:
    reply = ASKER.send("POST", f"{base}/chat/completions", body)
    assert whole(reply).startswith(b"[")
    assert message_of(reply, 400)


def test_a_strict_proxy_knows_googles_models() -> None:
    strict = Asker("vertex_ai", is_strict=True)
    for model, status in (("google/gemini-2.5-flash", 200), ("meta/llama-4", 200), ("gemini-99", 404)):
        assert strict.send("POST", f"{BASES[0]}/chat/completions", BODY | {"model": model}).status == status
    assert strict.send("GET", "/v1beta/openai/models/gemini-99").status == 404


@pytest.mark.parametrize(("verb", "streams"), [("rawPredict", False), ("streamRawPredict", True)])
def test_other_publishers_models_complete_chats(verb: str, streams: bool) -> None:
    path = f"{LOCATION}/publishers/mistralai/models/mistral-medium-3:{verb}"
    reply = ASKER.send("POST", path, {"messages": BODY["messages"]})
    assert reply.status == 200, whole(reply)
    assert (header(reply, "content-type") == "text/event-stream") is streams
    assert b"mistral-medium-3" in whole(reply)
    assert message_of(ASKER.send("POST", path, []), 400)


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ({"model": "gemini-embedding-001", "input": "a"}, 3072),
        ({"model": "google/text-embedding-005", "input": "a"}, 768),
        ({"model": "gemini-embedding-001", "input": "a", "dimensions": 16}, 16),
    ],
)
def test_embeddings_are_as_long_as_googles(body: dict[str, Any], size: int) -> None:
    made = ASKER.json("POST", "/v1beta/openai/embeddings", body)
    assert len(made["data"][0]["embedding"]) == size


def test_a_strict_proxy_lets_other_publishers_models_pass() -> None:
    path = f"{LOCATION}/publishers/mistralai/models/mistral-medium-3:rawPredict"
    reply = Asker("vertex_ai", is_strict=True).send("POST", path, {"messages": BODY["messages"]})
    assert reply.status == 200
