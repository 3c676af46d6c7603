"""Answers of Claude that are no good, as the official Python SDK reads them: refused, cut off, empty, with spoilt tool
input; at Anthropic, on Vertex AI, and in legacy completions."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest
from anthropic import Anthropic, AnthropicVertex
from anthropic.types import Message
from pydantic import BaseModel, ValidationError

from tests.emulated.serving import EmulatedProxies, EmulatedProxy

HELLO: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Tell me about ducks."}],
}
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ASKING = {**HELLO, "messages": [{"role": "user", "content": "What is the weather in Paris?"}], "tools": [WEATHER]}
THINKING = {**HELLO, "max_tokens": 3000, "thinking": {"type": "enabled", "budget_tokens": 1024}}


class City(BaseModel):
    city: str


@pytest.fixture(scope="module")
def proxies(emulated: EmulatedProxies) -> dict[str, EmulatedProxy]:
    return {name: emulated.proxy(name) for name in ("anthropic", "vertex_ai")}


@pytest.fixture(scope="module")
def client(proxies: dict[str, EmulatedProxy], cloud: str) -> Any:
    if cloud == "anthropic":
        return Anthropic(base_url=proxies[cloud].url, api_key="k", max_retries=0)
    return AnthropicVertex(
        base_url=proxies[cloud].url + "/v1", project_id="p", region="us-east5", access_token="t", max_retries=0
    )


@pytest.fixture(scope="module", params=["anthropic", "vertex_ai"])
def cloud(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def proxy(proxies: dict[str, EmulatedProxy], cloud: str) -> EmulatedProxy:
    return proxies[cloud]


def whole(client: Any, given: dict[str, Any]) -> Message:
    message: Message = client.messages.create(**given)
    return message


def streamed(client: Any, given: dict[str, Any]) -> Message:
    """What the SDK's own helper makes of the stream, whose raw events must be in order."""
    with client.messages.stream(**given) as stream:
        final: Message = stream.get_final_message()
    open_block: int | None = None
    blocks = 0
    kinds = []
    for event in client.messages.create(**given, stream=True):
        kinds.append(event.type)
        if event.type == "content_block_start":
            assert open_block is None
            assert event.index == blocks
            open_block, blocks = event.index, blocks + 1
        elif event.type == "content_block_delta":
            assert event.index == open_block
        elif event.type == "content_block_stop":
            assert event.index == open_block
            open_block = None
        elif event.type == "message_delta":
            assert open_block is None
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])
    assert blocks == len(final.content)
    return final


both = pytest.mark.parametrize("read", [whole, streamed])


def last(proxy: EmulatedProxy) -> dict[str, Any]:
    row: dict[str, Any] = proxy.records.all[-1]
    return row


@both
@pytest.mark.parametrize("given", [HELLO, ASKING, THINKING], ids=["text", "tool", "thinking"])
def test_a_refusal_has_its_stop_reason_and_no_content(
    proxy: EmulatedProxy, client: Any, read: Any, given: dict[str, Any]
) -> None:
    proxy.swap(faults=[{"fault": "refusal"}])
    message = read(client, given)
    assert (message.stop_reason, message.stop_sequence, message.content) == ("refusal", None, [])
    assert message.stop_details is not None
    assert message.stop_details.type == "refusal"
    assert message.usage.output_tokens == 1
    assert (last(proxy)["outcome"], last(proxy)["fault"], last(proxy)["status"]) == ("fault", "refusal", 200)


@both
def test_a_refusal_can_have_words(proxy: EmulatedProxy, client: Any, read: Any) -> None:
    proxy.swap(faults=[{"fault": "refusal", "text": "Not about ducks."}])
    message = read(client, ASKING)
    assert [block.text for block in message.content] == ["Not about ducks."]
    assert message.stop_reason == "refusal"


@both
def test_an_answer_stops_half_way(proxy: EmulatedProxy, client: Any, read: Any) -> None:
    proxy.swap(faults=[])
    full = read(client, HELLO)
    proxy.swap(faults=[{"fault": "length_stop"}])
    message = read(client, HELLO)
    text, all_of_it = message.content[0].text, full.content[0].text
    assert message.stop_reason == "max_tokens"
    assert all_of_it.startswith(text)
    assert 0.2 * len(all_of_it) < len(text) < 0.8 * len(all_of_it)
    assert 0 < message.usage.output_tokens < full.usage.output_tokens
    assert message.usage.input_tokens == full.usage.input_tokens
    assert last(proxy)["fault"] == "length_stop"


@both
def test_a_tool_use_is_cut_off_too(proxy: EmulatedProxy, client: Any, read: Any) -> None:
    proxy.swap(faults=[{"fault": "length_stop"}])
    message = read(client, ASKING)
    assert message.stop_reason == "max_tokens"
    for block in message.content:
        if block.type == "tool_use":
            with pytest.raises(ValidationError):
                City.model_validate(block.input)


@both
def test_thoughts_are_cut_off_before_their_answer(proxy: EmulatedProxy, client: Any, read: Any) -> None:
    proxy.swap(faults=[{"fault": "length_stop"}])
    message = read(client, THINKING)
    assert message.stop_reason == "max_tokens"
    assert message.content[0].type == "thinking"


@both
def test_an_empty_answer_is_a_success_without_content(proxy: EmulatedProxy, client: Any, read: Any) -> None:
    proxy.swap(faults=[{"fault": "empty_content"}])
    message = read(client, HELLO)
    assert (message.stop_reason, message.content, message.stop_details) == ("end_turn", [], None)


@both
def test_tool_input_is_not_what_was_asked_for(proxy: EmulatedProxy, client: Any, read: Any) -> None:
    proxy.swap(faults=[{"fault": "invalid_tool_arguments"}])
    message = read(client, ASKING)
    (use,) = [block for block in message.content if block.type == "tool_use"]
    assert (use.name, message.stop_reason) == ("get_weather", "tool_use")
    assert isinstance(use.input, dict)
    with pytest.raises(ValidationError):
        City.model_validate(use.input)
    assert last(proxy)["fault"] == "invalid_tool_arguments"


def test_streamed_tool_input_is_no_json(proxy: EmulatedProxy, client: Any) -> None:
    proxy.swap(faults=[{"fault": "invalid_tool_arguments"}])
    parts = [
        event.delta.partial_json
        for event in client.messages.create(**ASKING, stream=True)
        if event.type == "content_block_delta" and event.delta.type == "input_json_delta"
    ]
    text = "".join(parts)
    assert text.startswith("{")
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


@both
def test_an_answer_without_tools_stays_as_it_is(proxy: EmulatedProxy, client: Any, read: Any) -> None:
    proxy.swap(faults=[])
    full = read(client, HELLO)
    proxy.swap(faults=[{"fault": "invalid_tool_arguments"}])
    assert read(client, HELLO).content == full.content
    assert last(proxy)["outcome"] != "fault"


def test_counted_tokens_stay_as_they_are(proxy: EmulatedProxy, client: Any) -> None:
    proxy.swap(faults=[{"fault": "refusal"}])
    counted = client.messages.count_tokens(model="claude-haiku-4-5", messages=HELLO["messages"])
    assert counted.input_tokens > 0
    assert last(proxy)["outcome"] != "fault"


def test_a_stream_can_end_without_saying_so(proxy: EmulatedProxy, client: Any) -> None:
    proxy.swap(faults=[{"fault": "no_terminator"}])
    kinds = [event.type for event in client.messages.create(**HELLO, stream=True)]
    assert kinds[-1] == "message_delta"
    assert "message_stop" not in kinds


# --- legacy completions


def complete(proxy: EmulatedProxy, **more: Any) -> list[dict[str, Any]]:
    """The objects of the reply: one, or those of a stream."""
    prompt = "\n\nHuman: Tell me about ducks.\n\nAssistant:"
    body = json.dumps({"model": "claude-haiku-4-5", "prompt": prompt, "max_tokens_to_sample": 100, **more})
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    connection.request("POST", "/v1/complete", body, {"x-api-key": "k", "anthropic-version": "2023-06-01"})
    text = connection.getresponse().read().decode()
    connection.close()
    if "stream" not in more:
        return [json.loads(text)]
    frames = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [part for part in map(json.loads, frames) if part["type"] == "completion"]


@pytest.mark.parametrize("more", [{}, {"stream": True}], ids=["whole", "streamed"])
def test_legacy_completions_are_refused_cut_off_and_emptied(
    proxies: dict[str, EmulatedProxy], more: dict[str, Any]
) -> None:
    proxy = proxies["anthropic"]
    proxy.swap(faults=[])
    full = "".join(part["completion"] for part in complete(proxy, **more))
    found = {}
    for kind in ("refusal", "length_stop", "empty_content", "no_terminator"):
        proxy.swap(faults=[{"fault": kind}])
        parts = complete(proxy, **more)
        found[kind] = ("".join(part["completion"] for part in parts), parts[-1]["stop_reason"] if parts else None)
    assert found["refusal"] == (" I apologize, but I cannot assist with that request.", "stop_sequence")
    assert found["empty_content"] == ("", "stop_sequence")
    text, reason = found["length_stop"]
    assert (reason, full.startswith(text)) == ("max_tokens", True)
    assert 0 < len(text) < len(full)
    if more:
        assert found["no_terminator"][1] is None
