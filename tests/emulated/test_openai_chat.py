"""The official OpenAI SDK over an emulated proxy, chat completions: everything it offers parses into its own types."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pytest
from openai import AsyncOpenAI, OpenAI, pydantic_function_tool
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

from providers.emulated.canned_grammar import read_replies
from tests.emulated.serving import EmulatedProxies

MODEL = "gpt-4o-mini"
HELLO: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Say hello."}]}


class GetWeather(BaseModel):
    """The weather in a city."""

    city: str
    unit: Literal["celsius", "fahrenheit"]


class Animal(BaseModel):
    name: str
    legs: int
    kind: Literal["bird", "fish"]
    nicknames: list[str]


@pytest.fixture(scope="module")
def client(emulated: EmulatedProxies) -> Iterator[OpenAI]:
    with OpenAI(base_url=emulated.url("openai") + "/v1", api_key="sk-test", max_retries=0) as made:
        yield made


def asked(text: str, **more: Any) -> dict[str, Any]:
    return {**HELLO, "messages": [{"role": "user", "content": text}], **more}


def test_a_completion_is_typed_and_knows_its_request(client: OpenAI) -> None:
    made = client.chat.completions.create(**HELLO)
    assert isinstance(made, ChatCompletion)
    assert made.choices[0].message.content
    assert (made._request_id or "").startswith("req_")
    assert ChatCompletion.model_validate(made.to_dict()) == made


def test_a_raw_response_shows_the_head(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(**HELLO)
    assert raw.headers["content-type"] == "application/json"
    assert raw.headers["x-ratelimit-limit-requests"] == "10000"
    assert raw.parse().to_dict() == client.chat.completions.create(**HELLO).to_dict()
    with client.chat.completions.with_streaming_response.create(**HELLO) as streamed:
        assert streamed.parse().choices[0].message.content


def test_raw_chunks_put_together_are_the_unary_reply(client: OpenAI) -> None:
    unary = client.chat.completions.create(**HELLO)
    text, usage = "", None
    for chunk in client.chat.completions.create(**HELLO, stream=True, stream_options={"include_usage": True}):
        assert isinstance(chunk, ChatCompletionChunk)
        assert ChatCompletionChunk.model_validate(chunk.to_dict())
        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        usage = chunk.usage or usage
    assert text == unary.choices[0].message.content
    assert usage == unary.usage


@pytest.mark.parametrize(
    "body",
    [
        HELLO,
        asked("Weather in Paris?", tools=[pydantic_function_tool(GetWeather)]),
        asked("Hi", n=2),
        asked("Hi", logprobs=True, top_logprobs=2),
        asked("Why?", model="o4-mini"),
    ],
    ids=["plain", "tools", "choices", "probabilities", "reasoning"],
)
def test_what_the_stream_helper_puts_together_is_the_unary_reply(client: OpenAI, body: dict[str, Any]) -> None:
    unary = client.chat.completions.create(**body)
    with client.chat.completions.stream(**body, stream_options={"include_usage": True}) as stream:
        seen = [event.type for event in stream]
        final = stream.get_final_completion()
    assert seen
    assert final.id == unary.id
    assert final.usage == unary.usage
    for streamed, whole in zip(final.choices, unary.choices, strict=True):
        assert streamed.message.content == whole.message.content
        assert streamed.finish_reason == whole.finish_reason
        assert _calls(streamed.message) == _calls(whole.message)
        assert (streamed.logprobs and streamed.logprobs.content) == (whole.logprobs and whole.logprobs.content)


def _calls(message: Any) -> list[tuple[str, str, str]]:
    return [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or []]


def test_a_streamed_call_is_parsed_when_it_is_done(client: OpenAI) -> None:
    body = asked("Weather in Paris?", tools=[pydantic_function_tool(GetWeather)])
    with client.chat.completions.stream(**body) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
    assert isinstance(done[0].parsed_arguments, GetWeather)


def test_structured_output_is_parsed(client: OpenAI) -> None:
    made = client.chat.completions.parse(**asked("Describe a duck"), response_format=Animal)
    animal = made.choices[0].message.parsed
    assert isinstance(animal, Animal)
    with client.chat.completions.stream(**asked("Describe a duck"), response_format=Animal) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == animal
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(**asked("Describe a duck", max_tokens=2), response_format=Animal)


def test_a_call_is_parsed_and_its_loop_ends(client: OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris and in Rome?"}]
    tools = [pydantic_function_tool(GetWeather)]
    called = []
    for _ in range(5):
        made = client.chat.completions.parse(model=MODEL, messages=messages, tools=tools)
        message = made.choices[0].message
        messages.append(message.to_dict())
        if not message.tool_calls:
            break
        for call in message.tool_calls:
            assert isinstance(call.function.parsed_arguments, GetWeather)
            called.append(call.function.parsed_arguments.city)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "21 degrees"})
    assert "Paris" in called
    assert made.choices[0].finish_reason == "stop"
    assert made.choices[0].message.content


def test_pictures_sounds_and_files_in_a_prompt_are_taken(client: OpenAI) -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
    ]
    made = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": parts}])  # type: ignore[list-item,misc]
    bare = client.chat.completions.create(**asked("What is this?"))
    assert made.choices[0].message.content
    assert made.usage is not None
    assert bare.usage is not None
    assert made.usage.prompt_tokens > bare.usage.prompt_tokens


def test_speech_is_answered_with(client: OpenAI) -> None:
    made = client.chat.completions.create(
        **asked("Hi", model="gpt-audio", modalities=["text", "audio"], audio={"voice": "alloy", "format": "mp3"})
    )
    assert made.choices[0].message.audio is not None
    assert made.choices[0].message.audio.transcript


def test_stored_completions_are_listed_changed_and_deleted(client: OpenAI) -> None:
    made = client.chat.completions.create(**asked("Keep this", store=True, metadata={"of": "chat test"}))
    assert client.chat.completions.retrieve(made.id).choices == made.choices
    assert made.id in [entry.id for entry in client.chat.completions.list(metadata={"of": "chat test"}, limit=1)]
    updated = client.chat.completions.update(made.id, metadata={"of": "another"})
    assert updated.metadata == {"of": "another"}
    assert [message.content for message in client.chat.completions.messages.list(made.id)] == ["Keep this"]
    assert client.chat.completions.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.retrieve(made.id)


def test_refusals_raise_what_genuine_ones_raise(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as bad:
        client.chat.completions.create(**asked("Hi", temperature=5))
    assert (bad.value.code, bad.value.param) == ("decimal_above_max_value", "temperature")
    assert bad.value.request_id
    with pytest.raises(openai.NotFoundError) as absent:
        client.get("/quack", cast_to=object)
    assert absent.value.type == "invalid_request_error"
    with pytest.raises(openai.AuthenticationError):
        client.with_options(default_headers={"authorization": ""}).models.list()


def test_canned_errors_raise_what_genuine_ones_raise(emulated: EmulatedProxies) -> None:
    classes = {
        400: openai.BadRequestError,
        401: openai.AuthenticationError,
        403: openai.PermissionDeniedError,
        404: openai.NotFoundError,
        409: openai.ConflictError,
        422: openai.UnprocessableEntityError,
        429: openai.RateLimitError,
        500: openai.InternalServerError,
        503: openai.InternalServerError,
    }
    canned = read_replies(
        [{"match": {"prompt_contains": f"fail {status}"}, "reply": {"error": {"status": status}}} for status in classes]
    )
    proxy = emulated.proxy("openai", canned=canned)
    with OpenAI(base_url=proxy.url, api_key="sk-test", max_retries=0) as client:
        for status, expected in classes.items():
            with pytest.raises(expected) as raised:
                client.chat.completions.create(**asked(f"fail {status}"))
            assert raised.value.status_code == status
            assert raised.value.type


def test_the_async_client_does_the_same(emulated: EmulatedProxies, client: OpenAI) -> None:
    async def use() -> tuple[ChatCompletion, ChatCompletion, Any]:
        async with AsyncOpenAI(base_url=emulated.url("openai") + "/v1", api_key="sk-test", max_retries=0) as made:
            whole = await made.chat.completions.create(**HELLO)
            async with made.chat.completions.stream(**HELLO, stream_options={"include_usage": True}) as stream:
                final = await stream.get_final_completion()
            parsed = await made.chat.completions.parse(**asked("Describe a duck"), response_format=Animal)
            return whole, final, parsed.choices[0].message.parsed

    whole, final, animal = asyncio.run(use())
    assert whole.to_dict() == client.chat.completions.create(**HELLO).to_dict()
    assert final.choices[0].message.content == whole.choices[0].message.content
    assert final.usage == whole.usage
    assert isinstance(animal, Animal)


def test_a_hit_of_the_cache_is_the_reply_itself(emulated: EmulatedProxies) -> None:
    proxy = emulated.proxy("openai", cache="on")
    with OpenAI(base_url=proxy.url + "/v1", api_key="sk-test", max_retries=0) as client:
        first = client.chat.completions.create(**HELLO)
        again = client.chat.completions.create(**HELLO)
    assert first.to_dict() == again.to_dict()
    assert [row["cache"] for row in proxy.records.all][-1] == "hit"


def test_the_log_counts_what_the_reply_counts_whole_streamed_again_and_from_the_cache(
    emulated: EmulatedProxies,
) -> None:
    proxies = [emulated.proxy("openai", cache=cache) for cache in ("off", "on")]
    for proxy in proxies:
        with OpenAI(base_url=proxy.url + "/v1", api_key="sk-test", max_retries=0) as client:
            made = [client.chat.completions.create(**HELLO) for _ in range(4)]
            for _ in client.chat.completions.create(**HELLO, stream=True, stream_options={"include_usage": True}):
                pass
        usage = made[0].usage
        assert usage is not None
        told = (usage.prompt_tokens, usage.completion_tokens, 0, 0, made[0].model, "default")
        names = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "reply_model", "service_tier")
        assert {tuple(row[name] for name in names) for row in proxy.records.all} == {told}
        assert len(proxy.records.all) == 5
