from __future__ import annotations

import base64
import struct
from typing import Any

import pytest
from openai.types import CreateEmbeddingResponse

from tests.providers.emulated.asking import Asker, header
from tests.providers.emulated.openai_asking import refused, typed

TARGET = "/v1/embeddings"


def body(text: Any = "The duck swims", **members: Any) -> dict[str, Any]:
    return {"model": "text-embedding-3-small", "input": text, **members}


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def embed(asker: Asker, **members: Any) -> CreateEmbeddingResponse:
    return typed(CreateEmbeddingResponse, asker.send("POST", TARGET, body(**members)))


def test_a_text_has_a_vector_of_length_one(asker: Asker) -> None:
    made = embed(asker)
    assert len(made.data[0].embedding) == 1536
    assert sum(value * value for value in made.data[0].embedding) == pytest.approx(1)
    assert made.usage.prompt_tokens == made.usage.total_tokens > 0
    assert header(asker.send("POST", TARGET, body()), "x-ratelimit-limit-tokens") is not None


def test_models_have_their_dimensions(asker: Asker) -> None:
    assert len(embed(asker, model="text-embedding-3-large").data[0].embedding) == 3072
    assert len(embed(asker, model="text-embedding-ada-002").data[0].embedding) == 1536
    assert len(embed(asker, dimensions=256).data[0].embedding) == 256


def test_base64_holds_the_same_numbers(asker: Asker) -> None:
    floats = asker.json("POST", TARGET, body(dimensions=8))["data"][0]["embedding"]
    encoded = asker.json("POST", TARGET, body(dimensions=8, encoding_format="base64"))["data"][0]["embedding"]
    assert struct.unpack("<8f", base64.b64decode(encoded)) == pytest.approx(floats, abs=1e-6)


def test_similar_texts_are_near(asker: Asker) -> None:
    texts = ["the quick brown duck", "the quick brown dog", "unrelated matters entirely"]
    one, two, three = (entry.embedding for entry in embed(asker, text=texts).data)
    near = sum(left * right for left, right in zip(one, two, strict=True))
    far = sum(left * right for left, right in zip(one, three, strict=True))
    assert near > far


def test_every_form_of_input_is_taken(asker: Asker) -> None:
    assert [entry.index for entry in embed(asker, text=["a", "b", "c"]).data] == [0, 1, 2]
    tokens = embed(asker, text=[1, 2, 3])
    assert (len(tokens.data), tokens.usage.prompt_tokens) == (1, 3)
    several = embed(asker, text=[[1, 2], [3]])
    assert (len(several.data), several.usage.prompt_tokens) == (2, 3)


def test_it_is_refused_in_openais_words(asker: Asker) -> None:
    for value in ("", [], [""], [[]], ["a", 1], {"a": 1}, 4, None, [1.5]):
        assert refused(asker.send("POST", TARGET, body(text=value)))["message"].startswith("'$.input' is invalid")
    assert refused(asker.send("POST", TARGET, {"model": "m"}))["code"] == "missing_required_parameter"
    assert refused(asker.send("POST", TARGET, body(text=["a"] * 2049)))["code"] == "array_above_max_length"
    assert "less than or equal to 1536" in refused(asker.send("POST", TARGET, body(dimensions=1537)))["message"]
    ada = refused(asker.send("POST", TARGET, body(model="text-embedding-ada-002", dimensions=4)))
    assert ada["message"] == "This model does not support specifying dimensions."
    long = refused(asker.send("POST", TARGET, body(text=list(range(8193)))))
    assert "maximum context length is 8192 tokens" in long["message"]
    many = refused(asker.send("POST", TARGET, body(text=[list(range(8000))] * 40)))
    assert many["code"] == "max_tokens_per_request"
    assert refused(asker.send("POST", TARGET, body(model="gpt-4o")), 403)["type"] == "invalid_request_error"
    assert refused(asker.send("POST", TARGET, body(encoding_format="hex")))["code"] == "invalid_value"
