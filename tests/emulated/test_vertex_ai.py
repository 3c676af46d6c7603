"""Vertex AI over an emulated proxy in other ways than its own SDK's: OpenAI's clients, and plain requests."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.emulated.serving import EmulatedProxies

BASES = ["/v1/projects/my-project/locations/us-central1/endpoints/openapi", "/v1beta/openai/"]
HELLO: dict[str, Any] = {
    "model": "google/gemini-2.5-flash",
    "messages": [{"role": "user", "content": "Say hello."}],
}
MODEL = "/v1/projects/my-project/locations/us-central1/publishers/google/models/gemini-2.5-flash"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Person(BaseModel):
    name: str
    age: int


@pytest.fixture(scope="module", params=BASES)
def client(request: pytest.FixtureRequest, emulated: EmulatedProxies) -> OpenAI:
    return OpenAI(api_key="test", base_url=emulated.url("vertex_ai") + request.param, max_retries=0)


def test_a_chat_is_typed_and_a_stream_says_the_same(client: OpenAI) -> None:
    whole = client.chat.completions.create(**HELLO)
    assert whole.model == HELLO["model"]
    chunks = list(client.chat.completions.create(**HELLO, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content != ""
    assert chunks[-1].usage == whole.usage


def test_a_chat_is_the_same_asynchronously(emulated: EmulatedProxies, client: OpenAI) -> None:
    async def ask() -> str | None:
        async with AsyncOpenAI(api_key="test", base_url=str(client.base_url), max_retries=0) as other:
            return (await other.chat.completions.create(**HELLO)).choices[0].message.content

    assert asyncio.run(ask()) == client.chat.completions.create(**HELLO).choices[0].message.content


def test_an_agents_loop_ends(client: OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = client.chat.completions.create(model=HELLO["model"], messages=messages, tools=[WEATHER])
    (call,) = first.choices[0].message.tool_calls or []
    messages += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "12 degrees"}]
    final = client.chat.completions.create(model=HELLO["model"], messages=messages, tools=[WEATHER])
    assert "12 degrees" in (final.choices[0].message.content or "")


def test_a_schema_is_parsed_into_its_type(client: OpenAI) -> None:
    made = client.chat.completions.parse(**HELLO, response_format=Person)
    assert isinstance(made.choices[0].message.parsed, Person)


def test_texts_are_embedded_and_models_listed(client: OpenAI) -> None:
    assert len(client.embeddings.create(model="gemini-embedding-001", input=["a", "b"]).data) == 2
    names = [model.id for model in client.models.list()]
    assert any(name.endswith("gemini-2.5-flash") for name in names)
    assert client.models.retrieve("gemini-2.5-flash").id == "gemini-2.5-flash"


def test_refusals_are_the_sdks_errors(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=HELLO["model"], messages=[])


# --- plain requests


def test_without_events_a_stream_is_one_array(emulated: EmulatedProxies) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]}
    headers = {"authorization": "Bearer test"}
    with httpx.Client(base_url=emulated.url("vertex_ai"), headers=headers) as plain:
        chunks = plain.post(f"{MODEL}:streamGenerateContent", json=body).json()
        whole = plain.post(f"{MODEL}:generateContent", json=body).json()
    text = "".join(part["text"] for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"])
    assert text == whole["candidates"][0]["content"]["parts"][0]["text"]
    assert chunks[-1]["usageMetadata"] == whole["usageMetadata"]


def test_usage_and_cost_are_logged(emulated: EmulatedProxies) -> None:
    proxy = emulated.proxy("vertex_ai")
    body = {"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]}
    with httpx.Client(base_url=proxy.url, headers={"authorization": "Bearer test"}) as plain:
        usage = plain.post(f"{MODEL}:generateContent", json=body).json()["usageMetadata"]
    (row,) = proxy.records.all
    assert (row["input_tokens"], row["output_tokens"]) == (usage["promptTokenCount"], usage["candidatesTokenCount"])


def test_a_cached_reply_is_the_emulated_one(emulated: EmulatedProxies) -> None:
    proxy = emulated.proxy("vertex_ai", cache="on")
    body = {"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]}
    with httpx.Client(base_url=proxy.url, headers={"authorization": "Bearer test"}) as plain:
        first, second = (plain.post(f"{MODEL}:generateContent", json=body) for _ in range(2))
    assert first.content == second.content
    assert [row["cache"] for row in proxy.records.all] == ["miss", "hit"]
