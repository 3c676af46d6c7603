"""AnthropicVertex over an emulated proxy: Claude's messages, streams and counts in Google's paths."""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic
import pytest
from anthropic import AnthropicVertex, AsyncAnthropicVertex
from anthropic.types import Message
from pydantic import BaseModel

from tests.emulated.serving import EmulatedProxies

MODEL = "claude-sonnet-4-5@20250929"
HELLO = {"model": MODEL, "max_tokens": 200, "messages": [{"role": "user", "content": "Say hello."}]}
PROJECT = {"region": "us-east5", "project_id": "my-project", "access_token": "ya29.test", "max_retries": 0}
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class Person(BaseModel):
    name: str
    age: int


@pytest.fixture(scope="module", params=["/v1", ""])
def client(request: pytest.FixtureRequest, emulated: EmulatedProxies) -> AnthropicVertex:
    return AnthropicVertex(base_url=emulated.url("vertex_ai") + request.param, **PROJECT)


def plain(message: Any) -> dict[str, Any]:
    """A message as data, without what the SDK adds of its own."""
    found: dict[str, Any] = message.to_dict()
    for block in found["content"]:
        block.pop("parsed_output", None)
    return found


def test_a_message_is_typed_and_a_stream_says_the_same(client: AnthropicVertex) -> None:
    whole = client.messages.create(**HELLO)
    assert isinstance(whole, Message)
    assert whole.id.startswith("msg_vrtx_")
    assert whole.model == "claude-sonnet-4-5-20250929"
    assert (whole._request_id or "").startswith("req_vrtx_")
    with client.messages.stream(**HELLO) as stream:
        assert plain(stream.get_final_message()) == plain(whole)


def test_a_message_is_the_same_asynchronously(emulated: EmulatedProxies, client: AnthropicVertex) -> None:
    async def ask() -> dict[str, Any]:
        async with AsyncAnthropicVertex(base_url=emulated.url("vertex_ai") + "/v1", **PROJECT) as other:
            async with other.messages.stream(**HELLO) as stream:
                return plain(await stream.get_final_message())

    assert asyncio.run(ask()) == plain(client.messages.create(**HELLO))


def test_counted_tokens_are_the_usage(client: AnthropicVertex) -> None:
    counted = client.messages.count_tokens(model=MODEL, messages=HELLO["messages"])
    assert counted.input_tokens == client.messages.create(**HELLO).usage.input_tokens


def test_an_agents_loop_ends(client: AnthropicVertex) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    asked = {"model": MODEL, "max_tokens": 200, "tools": [WEATHER]}
    first = client.messages.create(messages=messages, **asked)
    (use,) = [block for block in first.content if block.type == "tool_use"]
    assert use.id.startswith("toolu_vrtx_")
    assert use.input == {"city": "Paris"}
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "12 degrees"}
    messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    final = client.messages.create(messages=messages, **asked)
    assert final.stop_reason == "end_turn"
    assert "12 degrees" in final.content[-1].text


def test_refusals_are_the_sdks_errors(client: AnthropicVertex) -> None:
    with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
        client.messages.create(**{**HELLO, "max_tokens": -1})
    with pytest.raises(anthropic.BadRequestError):
        client.messages.stream(**{**HELLO, "messages": []}).__enter__()


def test_without_a_token_google_refuses(emulated: EmulatedProxies) -> None:
    client = AnthropicVertex(
        base_url=emulated.url("vertex_ai") + "/v1", **PROJECT, default_headers={"authorization": "Basic x"}
    )  # fmt: skip
    with pytest.raises(anthropic.AuthenticationError, match="missing required authentication credential"):
        client.messages.create(**HELLO)
