"""The official OpenAI SDK's Azure client over an emulated proxy, in both styles."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncAzureOpenAI, AzureOpenAI, OpenAI
from pydantic import BaseModel

from tests.emulated.serving import EmulatedProxies

VERSION = "2024-10-21"
HELLO: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Say hello."}]}


class Animal(BaseModel):
    name: str
    legs: int


@pytest.fixture(params=["deployments", "entra", "own deployment", "v1"])
def client(request: pytest.FixtureRequest, emulated: EmulatedProxies) -> Iterator[OpenAI]:
    url = emulated.url("azure_openai")
    azure: dict[str, Any] = {"azure_endpoint": url, "api_version": VERSION, "max_retries": 0}
    made: OpenAI
    if request.param == "v1":
        made = OpenAI(base_url=url + "/openai/v1/", api_key="key", max_retries=0)
    elif request.param == "entra":
        made = AzureOpenAI(**azure, azure_ad_token_provider=lambda: "token")
    elif request.param == "deployments":
        made = AzureOpenAI(**azure, api_key="key")
    else:
        made = AzureOpenAI(**azure, api_key="key", azure_deployment="ducks")
    with made:
        yield made


def test_chat_is_the_same_streamed_and_whole(client: OpenAI) -> None:
    whole = client.chat.completions.create(**HELLO)
    assert whole.model in ("gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18")
    assert whole.to_dict()["prompt_filter_results"]
    with client.chat.completions.stream(**HELLO, stream_options={"include_usage": True}) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == whole.choices[0].message.content
    assert final.usage == whole.usage


def test_raw_chunks_begin_with_one_without_choices(client: OpenAI) -> None:
    first, *others = client.chat.completions.create(**HELLO, stream=True)
    assert first.choices == []
    assert first.to_dict()["prompt_filter_results"]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in others)


def test_structured_output_is_parsed(client: OpenAI) -> None:
    made = client.chat.completions.parse(**HELLO, response_format=Animal)
    assert isinstance(made.choices[0].message.parsed, Animal)


def test_the_rest_of_the_surface_is_answered(client: OpenAI) -> None:
    assert client.embeddings.create(model="text-embedding-3-small", input="one").data[0].embedding
    assert client.images.generate(model="gpt-image-1.5", prompt="A duck").data
    assert client.audio.speech.create(model="tts-1", voice="alloy", input="Quack").read()
    assert client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"x")).text
    assert client.responses.create(model="gpt-4o", input="Hi").output_text
    assert client.models.list().data
    made = client.files.create(file=("a.jsonl", b"{}"), purpose="fine-tune")
    assert client.files.delete(made.id).deleted


def test_refusals_raise_what_genuine_ones_raise(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as bad:
        client.chat.completions.create(**HELLO, temperature=5)
    assert bad.value.param == "temperature"
    with pytest.raises(openai.NotFoundError) as absent:
        client.get("/quack", cast_to=object)
    assert absent.value.code == "404"


def test_no_credential_is_refused(emulated: EmulatedProxies) -> None:
    with OpenAI(base_url=emulated.url("azure_openai") + "/openai/v1/", api_key="x", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            client.with_options(default_headers={"authorization": ""}).chat.completions.create(**HELLO)
    assert refused.value.code == "401"


def test_the_async_client_does_the_same(emulated: EmulatedProxies) -> None:
    async def use() -> tuple[str | None, str | None]:
        url = emulated.url("azure_openai")
        async with AsyncAzureOpenAI(azure_endpoint=url, api_version=VERSION, api_key="key", max_retries=0) as client:
            whole = await client.chat.completions.create(**HELLO)
            async with client.chat.completions.stream(**HELLO) as stream:
                final = await stream.get_final_completion()
            return whole.choices[0].message.content, final.choices[0].message.content

    whole, streamed = asyncio.run(use())
    assert whole == streamed
    assert whole
