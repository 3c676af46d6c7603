"""boto3 and Anthropic's client read Bedrock's spoilt replies: whole ones and streams, without noticing more than an
application should."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import boto3
import pytest
from botocore.config import Config

from tests.emulated.serving import EmulatedProxies, EmulatedProxy
from tests.providers.emulated.bedrock_shapes import WEATHER, assembled, event_faults, faults_of, user

MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
STORY = {"modelId": MODEL, "messages": [user("Tell me a long story about a boat.")]}
CALL = {
    "modelId": MODEL,
    "messages": [user("What is the weather in Paris?")],
    "toolConfig": {"tools": [WEATHER], "toolChoice": {"tool": {"name": "get_weather"}}},
}
MESSAGE: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 500,
    "messages": [{"role": "user", "content": "Tell me a long story about a boat."}],
}
TOOL = {
    "name": "get_weather",
    "description": "The weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
REASONS = {"refusal": "content_filtered", "length_stop": "max_tokens", "empty_content": "end_turn"}


@pytest.fixture(scope="module")
def proxy(emulated: EmulatedProxies) -> EmulatedProxy:
    return emulated.proxy("bedrock", cache="on")


@pytest.fixture
def client(proxy: EmulatedProxy) -> Iterator[Any]:
    made = boto3.client(
        "bedrock-runtime", region_name="us-east-1", endpoint_url=proxy.url, aws_access_key_id="AKIADUMMY",
        aws_secret_access_key="dummy", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    yield made
    made.close()


@pytest.fixture
def claude(proxy: EmulatedProxy) -> Iterator[anthropic.AnthropicBedrock]:
    with anthropic.AnthropicBedrock(
        base_url=proxy.url, aws_access_key="AKIADUMMY", aws_secret_key="dummy", aws_region="us-east-1", max_retries=0
    ) as made:
        yield made


def plain(reply: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in reply.items() if name != "ResponseMetadata"}


def text_of(reply: dict[str, Any]) -> str:
    return "".join([block.get("text", "") for block in reply["output"]["message"]["content"]])


def streamed(client: Any, given: dict[str, Any]) -> list[dict[str, Any]]:
    return list(client.converse_stream(**given)["stream"])


@pytest.mark.parametrize("kind", REASONS)
def test_boto3_reads_a_spoilt_reply_like_any_other(proxy: EmulatedProxy, client: Any, kind: str) -> None:
    proxy.swap(faults=[])
    genuine, events = plain(client.converse(**STORY)), streamed(client, STORY)
    proxy.swap(faults=[{"fault": kind, **({"text": "Certainly not."} if kind == "refusal" else {})}])
    reply, spoilt = plain(client.converse(**STORY)), streamed(client, STORY)
    assert faults_of(reply, "Converse") == []
    assert [fault for event in spoilt for fault in event_faults(event)] == []
    for one in (reply, assembled(spoilt)):
        assert one["stopReason"] == REASONS[kind]
        if kind == "refusal":
            assert text_of(one) == "Certainly not."
        elif kind == "empty_content":
            assert one["output"]["message"]["content"] == []
        else:
            assert text_of(genuine).startswith(text_of(one))
            assert 0 < len(text_of(one)) < len(text_of(genuine))
    rows = proxy.records.all[-2:]
    assert [(row["outcome"], row["fault"], row["status"]) for row in rows] == [("fault", kind, 200)] * 2
    proxy.swap(faults=[])
    assert (plain(client.converse(**STORY)), streamed(client, STORY)) == (genuine, events)
    assert [row["outcome"] for row in proxy.records.all[-2:]] == ["hit", "hit"]


def test_boto3_gets_tool_input_that_nobody_can_use(proxy: EmulatedProxy, client: Any) -> None:
    proxy.swap(faults=[{"fault": "invalid_tool_arguments"}])
    (block,) = client.converse(**CALL)["output"]["message"]["content"]
    assert not isinstance(block["toolUse"]["input"]["city"], str)
    deltas = [event["contentBlockDelta"]["delta"] for event in streamed(client, CALL) if "contentBlockDelta" in event]
    said = "".join([delta["toolUse"]["input"] for delta in deltas])
    assert said.startswith("{")
    with pytest.raises(json.JSONDecodeError):
        json.loads(said)


def test_a_reply_with_nothing_to_spoil_is_no_fault(proxy: EmulatedProxy, client: Any) -> None:
    proxy.swap(faults=[{"fault": "invalid_tool_arguments"}])
    assert text_of(client.converse(**STORY))
    row = proxy.records.all[-1]
    assert (row["outcome"] in ("hit", "miss"), row["fault"]) == (True, "")


def test_a_stream_without_its_end_is_silent_in_boto3(proxy: EmulatedProxy, client: Any) -> None:
    proxy.swap(faults=[])
    whole = streamed(client, STORY)
    proxy.swap(faults=[{"fault": "no_terminator"}])
    assert streamed(client, STORY) == whole[:-2]
    assert [next(iter(event)) for event in whole[-2:]] == ["messageStop", "metadata"]


@pytest.mark.parametrize(
    ("kind", "reason"), [("refusal", "refusal"), ("length_stop", "max_tokens"), ("empty_content", "end_turn")]
)
def test_anthropic_s_client_puts_a_spoilt_message_together(
    proxy: EmulatedProxy, claude: anthropic.AnthropicBedrock, kind: str, reason: str
) -> None:
    proxy.swap(faults=[])
    genuine = claude.messages.create(**MESSAGE)
    proxy.swap(faults=[{"fault": kind, **({"text": "Certainly not."} if kind == "refusal" else {})}])
    whole = claude.messages.create(**MESSAGE)
    with claude.messages.stream(**MESSAGE) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    for message in (whole, final):
        assert message.stop_reason == reason
        said = "".join([block.text for block in message.content if block.type == "text"])
        if kind == "length_stop":
            assert genuine.content[0].type == "text"
            assert genuine.content[0].text.startswith(said)
            assert 0 < len(said) < len(genuine.content[0].text)
        else:
            assert said == ("Certainly not." if kind == "refusal" else "")
    assert text == "".join([block.text for block in final.content if block.type == "text"])


def test_anthropic_s_client_meets_tool_input_that_does_not_parse(
    proxy: EmulatedProxy, claude: anthropic.AnthropicBedrock
) -> None:
    given = MESSAGE | {"messages": [{"role": "user", "content": "What is the weather in Paris?"}], "tools": [TOOL]}
    proxy.swap(faults=[{"fault": "invalid_tool_arguments"}])
    (use,) = claude.messages.create(**given).content
    assert use.type == "tool_use"
    assert not isinstance(use.input["city"], str)
    pieces = [
        event.delta.partial_json
        for event in claude.messages.create(**given, stream=True)
        if event.type == "content_block_delta" and event.delta.type == "input_json_delta"
    ]
    with pytest.raises(json.JSONDecodeError):
        json.loads("".join(pieces))


@pytest.mark.parametrize(
    ("model", "body", "member"),
    [
        ("amazon.nova-lite-v1:0", {"messages": [user("Say hello.")]}, "output"),
        ("amazon.titan-text-express-v1", {"inputText": "Say hello."}, "results"),
        ("meta.llama3-8b-instruct-v1:0", {"prompt": "Say hello."}, "generation"),
        ("mistral.mistral-7b-instruct-v0:2", {"prompt": "<s>[INST] Say hello. [/INST]"}, "outputs"),
        ("cohere.command-r-v1:0", {"message": "Say hello."}, "text"),
        ("openai.gpt-oss-20b-1:0", {"messages": [{"role": "user", "content": "Say hello."}]}, "choices"),
    ],
)
def test_every_family_refuses_in_its_own_shape(
    proxy: EmulatedProxy, client: Any, model: str, body: dict[str, Any], member: str
) -> None:
    proxy.swap(faults=[{"fault": "refusal", "text": "Certainly not."}])
    reply = json.loads(client.invoke_model(modelId=model, body=json.dumps(body))["body"].read())
    assert "Certainly not." in json.dumps(reply[member])
    stream = client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))["body"]
    chunks = [json.loads(event["chunk"]["bytes"]) for event in stream]
    assert "amazon-bedrock-invocationMetrics" in chunks[-1]
    assert "Hello" not in json.dumps(chunks)
