"""Anthropic's own clients for Bedrock over an emulated proxy, in Python and JavaScript."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic import AnthropicBedrock, AnthropicBedrockMantle, AsyncAnthropicBedrock
from anthropic.types import Message
from pydantic import BaseModel

from tests.emulated.serving import EmulatedProxies

ROOT = Path(__file__).resolve().parents[2]
MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
KEYS = {"aws_access_key": "AKIADUMMY", "aws_secret_key": "dummy", "aws_region": "us-east-1", "max_retries": 0}
HELLO: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Say hello."}],
}
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class Place(BaseModel):
    city: str
    is_large: bool


@pytest.fixture(scope="module")
def client(emulated: EmulatedProxies) -> Iterator[AnthropicBedrock]:
    with AnthropicBedrock(base_url=emulated.url("bedrock"), **KEYS) as made:
        yield made


def asked(text: str, **more: Any) -> dict[str, Any]:
    return {**HELLO, "messages": [{"role": "user", "content": text}], **more}


def plain(message: Any) -> dict[str, Any]:
    """A message as data, without what the SDK and Bedrock add on the way."""
    found: dict[str, Any] = message.to_dict()
    found.pop("amazon-bedrock-invocationMetrics", None)
    for block in found["content"]:
        block.pop("parsed_output", None)
    return found


@pytest.mark.parametrize(
    "given",
    [
        HELLO,
        asked("What is the weather in Paris?", tools=[WEATHER]),
        asked("Why?", max_tokens=3000, thinking={"type": "enabled", "budget_tokens": 1024}),
        asked("Tell me a long story.", max_tokens=5),
    ],
)
def test_what_is_streamed_adds_up_to_what_comes_at_once(client: AnthropicBedrock, given: dict[str, Any]) -> None:
    reply = client.messages.create(**given)
    Message.model_validate(reply.to_dict())
    with client.messages.stream(**given) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert plain(final) == plain(reply)
    assert text == "".join([block.text for block in reply.content if block.type == "text"])
    assert reply.id.startswith("msg_bdrk_")


def test_a_loop_of_tools_ends(client: AnthropicBedrock) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    reasons = []
    while len(reasons) < 5:
        reply = client.messages.create(model=MODEL, max_tokens=200, messages=messages, tools=[WEATHER])
        reasons.append(reply.stop_reason)
        messages.append({"role": "assistant", "content": reply.content})
        uses = [block for block in reply.content if block.type == "tool_use"]
        if not uses:
            break
        results = [{"type": "tool_result", "tool_use_id": use.id, "content": "21 degrees"} for use in uses]
        messages.append({"role": "user", "content": results})
    assert reasons == ["tool_use", "end_turn"]


def test_a_structured_output_is_parsed(client: AnthropicBedrock) -> None:
    reply = client.messages.parse(**asked("Where is the Louvre?"), output_format=Place)
    assert isinstance(reply.parsed_output, Place)


def test_the_asynchronous_client_gets_the_same(emulated: EmulatedProxies, client: AnthropicBedrock) -> None:
    async def ask() -> tuple[dict[str, Any], dict[str, Any]]:
        async with AsyncAnthropicBedrock(base_url=emulated.url("bedrock"), **KEYS) as made:
            reply = await made.messages.create(**HELLO)
            async with made.messages.stream(**HELLO) as stream:
                return plain(reply), plain(await stream.get_final_message())

    whole = plain(client.messages.create(**HELLO))
    assert asyncio.run(ask()) == (whole, whole)


def test_a_bedrock_key_will_do(emulated: EmulatedProxies) -> None:
    with AnthropicBedrock(base_url=emulated.url("bedrock"), api_key="bedrock-api-key", aws_region="us-east-1") as made:
        assert made.messages.create(**HELLO).stop_reason == "end_turn"


def test_the_client_of_anthropic_s_own_path_gets_messages(emulated: EmulatedProxies) -> None:
    url = emulated.url("bedrock") + "/anthropic"
    given = {**HELLO, "model": "anthropic.claude-haiku-4-5-20251001-v1:0"}
    with AnthropicBedrockMantle(base_url=url, **KEYS) as made:
        reply = made.messages.create(**given)
        with made.messages.stream(**given) as stream:
            assert plain(stream.get_final_message()) == plain(reply)
    assert reply.content[0].type == "text"


def test_a_refusal_raises_the_class_of_its_status(client: AnthropicBedrock) -> None:
    with pytest.raises(anthropic.BadRequestError, match=r"temperature: range: 0\.\.1") as failure:
        client.messages.create(**HELLO, extra_body={"temperature": 3})
    assert failure.value.response.headers["x-amzn-errortype"] == "ValidationException"
    assert failure.value.body == {"message": "temperature: range: 0..1"}


def test_the_javascript_client_gets_the_same(emulated: EmulatedProxies, client: AnthropicBedrock) -> None:
    modules = ROOT / "tests" / "wire" / "node_modules"
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "anthropic_bedrock.mjs"), emulated.url("bedrock")],
        env={
            **os.environ,
            "SDK_NODE_MODULES": os.environ.get("SDK_NODE_MODULES", str(modules)),
            "NODE_NO_WARNINGS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = {line["name"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}
    whole = plain(client.messages.create(**HELLO))
    assert (
        found["whole"]["content"]
        == whole["content"]
        == [{name: block[name] for name in ("type", "text")} for block in found["final"]["content"]]
    )
    assert found["final"]["usage"] == found["whole"]["usage"]
    assert [block["name"] for block in found["called"]["content"]] == ["get_weather"]
    assert found["kinds"][0] == "message_start"
    assert found["kinds"][-1] == "message_stop"
    assert found["refused"] == {"name": "BadRequestError", "status": 400, "message": "400 temperature: range: 0..1"}
