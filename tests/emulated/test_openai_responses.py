"""The official OpenAI SDKs over an emulated proxy: the Responses API and conversations parse into their own types."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Literal

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.responses import Response
from pydantic import BaseModel

from tests.emulated.serving import EmulatedProxies

ROOT = Path(__file__).resolve().parents[2]
MODEL = "gpt-4o-mini"
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Person(BaseModel):
    name: str
    age: int
    kind: Literal["duck", "human"]


@pytest.fixture(scope="module")
def client(emulated: EmulatedProxies) -> Any:
    with OpenAI(base_url=emulated.url("openai") + "/v1", api_key="sk-test", max_retries=0) as made:
        yield made


def plain(response: Any) -> dict[str, Any]:
    """A response as data, without what the SDK adds of its own."""
    found: dict[str, Any] = response.to_dict()
    for item in found["output"]:
        item.pop("parsed_arguments", None)
        for part in item.get("content") or ():
            part.pop("parsed", None)
    return found


# --- answers


def test_a_response_is_typed_and_knows_its_request(client: OpenAI) -> None:
    reply = client.responses.create(model=MODEL, input="Say hello.")
    assert isinstance(reply, Response)
    assert "hello" in reply.output_text.lower()
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens
    assert (reply._request_id or "").startswith("req_")


@pytest.mark.parametrize(
    "asked",
    [
        {"input": "Say hello."},
        {"model": "o4-mini", "input": "Say hello.", "reasoning": {"summary": "auto"}},
        {"input": "Weather in Paris and Rome?", "tools": [WEATHER]},
        {"input": "Say hello.", "include": ["message.output_text.logprobs"], "top_logprobs": 2},
    ],
    ids=["text", "reasoning", "calls", "logprobs"],
)
def test_the_stream_helper_ends_with_the_whole_response(client: OpenAI, asked: dict[str, Any]) -> None:
    asked = {"model": MODEL, **asked}
    with client.responses.stream(**asked) as stream:
        types = [event.type for event in stream]
        final = stream.get_final_response()
    assert plain(final) == plain(client.responses.create(**asked))
    assert types[0] == "response.created"
    assert types[-1] == "response.completed"


def test_a_stream_that_is_cut_ends_incomplete(client: OpenAI) -> None:
    asked: Any = {"model": MODEL, "input": "Write a long poem.", "max_output_tokens": 16}
    *_, last = client.responses.create(**asked, stream=True)
    assert last.type == "response.incomplete"
    assert last.response == client.responses.create(**asked)
    assert last.response.incomplete_details is not None
    assert last.response.incomplete_details.reason == "max_output_tokens"


def test_a_plain_stream_adds_up_to_the_text(client: OpenAI) -> None:
    events = list(client.responses.create(model=MODEL, input="Say hello.", stream=True))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == text != ""


def test_an_answer_is_parsed_into_a_model(client: OpenAI) -> None:
    parsed = client.responses.parse(model=MODEL, input="Ann is a human of 31 years.", text_format=Person)
    assert isinstance(parsed.output_parsed, Person)
    with client.responses.stream(model=MODEL, input="Ann is a human of 31 years.", text_format=Person) as stream:
        assert stream.get_final_response().output_parsed == parsed.output_parsed


def test_an_agent_loop_ends(client: OpenAI) -> None:
    reply = client.responses.create(model=MODEL, input="What is the weather in Paris?", tools=[WEATHER])
    rounds = 0
    while calls := [item for item in reply.output if item.type == "function_call"]:
        rounds += 1
        assert rounds < 5
        outputs: Any = [
            {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": f"18 degrees in {json.loads(call.arguments)['city']}",
            }
            for call in calls
        ]
        reply = client.responses.create(model=MODEL, input=outputs, previous_response_id=reply.id, tools=[WEATHER])
    assert rounds == 1
    assert "18 degrees" in reply.output_text


def test_reasoning_is_summed_up_counted_and_sealed(client: OpenAI) -> None:
    reply = client.responses.create(
        model="gpt-5",
        input="Why is the sky blue?",
        reasoning={"effort": "high", "summary": "auto"},
        include=["reasoning.encrypted_content"],
        store=False,
    )
    reasoning = reply.output[0]
    assert reasoning.type == "reasoning"
    assert reasoning.summary[0].text
    assert reasoning.encrypted_content
    assert reply.usage is not None
    assert reply.usage.output_tokens_details.reasoning_tokens > 0


# --- state


def test_responses_are_retrieved_and_deleted(client: OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="Say hello, for a while.")
    assert client.responses.retrieve(made.id).to_dict() == made.to_dict()
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError, match=f"Response with id '{made.id}' not found"):
        client.responses.retrieve(made.id)
    with pytest.raises(openai.BadRequestError) as refusal:
        client.responses.create(model=MODEL, input="And now?", previous_response_id=made.id)
    assert refusal.value.code == "previous_response_not_found"


def test_input_items_are_paged_through(client: OpenAI) -> None:
    given: Any = [{"role": "user", "content": f"Number {number}"} for number in range(7)]
    made = client.responses.create(model=MODEL, input=given)
    texts = [item.content[0].text for item in client.responses.input_items.list(made.id, limit=3, order="asc")]  # type: ignore[union-attr]
    assert texts == [f"Number {number}" for number in range(7)]


def test_a_background_response_is_waited_for(client: OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="Take your time.", background=True)
    assert made.status == "queued"
    done = client.responses.retrieve(made.id)
    assert done.status == "completed"
    assert done.output_text
    other = client.responses.create(model=MODEL, input="Take more time.", background=True)
    assert client.responses.cancel(other.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        client.responses.cancel(client.responses.create(model=MODEL, input="Now.").id)


def test_a_background_stream_is_taken_up_again(client: OpenAI) -> None:
    sent = list(client.responses.create(model=MODEL, input="Say hello.", background=True, stream=True))
    given = sent[0].response.id  # type: ignore[union-attr]
    with client.responses.stream(response_id=given, starting_after=5) as stream:
        rest = [event.sequence_number for event in stream]
        final = stream.get_final_response()
    assert rest == [event.sequence_number for event in sent[6:]]
    assert plain(final) == sent[-1].response.to_dict()  # type: ignore[union-attr]


def test_tokens_are_counted_and_conversations_compacted(client: OpenAI) -> None:
    first = client.responses.create(model=MODEL, input="My name is Ann.")
    assert first.usage is not None
    assert client.responses.input_tokens.count(model=MODEL, input="My name is Ann.").input_tokens == (
        first.usage.input_tokens
    )
    compacted = client.responses.compact(model=MODEL, input="Thanks.", previous_response_id=first.id)
    assert compacted.output[-1].type == "compaction"
    items: Any = [item.to_dict(warnings=False) for item in compacted.output]
    again = client.responses.create(model=MODEL, input=[*items, {"role": "user", "content": "Go on."}])
    assert again.output_text


def test_a_conversation_grows(client: OpenAI) -> None:
    conversation = client.conversations.create(
        items=[{"role": "user", "content": "My name is Ann."}], metadata={"topic": "names"}
    )
    reply = client.responses.create(model=MODEL, input="What is my name?", conversation=conversation.id)
    assert "Ann" in reply.output_text
    assert reply.conversation is not None
    assert reply.conversation.id == conversation.id
    items = list(client.conversations.items.list(conversation.id, order="asc"))
    assert [item.type for item in items] == ["message"] * 3
    added = client.conversations.items.create(conversation.id, items=[{"role": "user", "content": "Thanks."}])
    assert client.conversations.items.retrieve(added.data[0].id, conversation_id=conversation.id) == added.data[0]
    client.conversations.items.delete(added.data[0].id, conversation_id=conversation.id)
    assert len(list(client.conversations.items.list(conversation.id))) == 3
    assert client.conversations.update(conversation.id, metadata={"topic": "ducks"}).metadata == {"topic": "ducks"}
    assert client.conversations.delete(conversation.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.conversations.retrieve(conversation.id)


def test_refusals_have_the_classes_of_the_sdk(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        client.responses.create(model=MODEL, input="x", max_output_tokens=1)
    assert (refusal.value.param, refusal.value.code) == ("max_output_tokens", "integer_below_min_value")
    with pytest.raises(openai.AuthenticationError):
        client.responses.create(model=MODEL, input="x", extra_headers={"authorization": "none"})


def test_the_asynchronous_client_gets_the_same(client: OpenAI, emulated: EmulatedProxies) -> None:
    async def ask() -> tuple[Any, Any]:
        async with AsyncOpenAI(base_url=emulated.url("openai") + "/v1", api_key="sk-test") as other:
            whole = await other.responses.create(model=MODEL, input="Say hello.")
            async with other.responses.stream(model=MODEL, input="Say hello.") as stream:
                return whole, await stream.get_final_response()

    whole, final = asyncio.run(ask())
    assert plain(whole) == plain(final) == plain(client.responses.create(model=MODEL, input="Say hello."))


def test_usage_is_logged_and_the_cache_applies(emulated: EmulatedProxies) -> None:
    proxy = emulated.proxy("openai", cache="on")
    with OpenAI(base_url=proxy.url + "/v1", api_key="sk-test") as client:
        first, second = [client.responses.create(model=MODEL, input="Say hello.") for _ in range(2)]
        events = list(client.responses.create(model=MODEL, input="Say hello.", stream=True))
    assert first.to_dict() == second.to_dict() == events[-1].response.to_dict()  # type: ignore[union-attr]
    miss, hit, streamed = proxy.records.all
    assert (miss["cache"], hit["cache"]) == ("miss", "hit")
    assert first.usage is not None
    for record in (miss, streamed):
        assert (record["input_tokens"], record["output_tokens"]) == (
            first.usage.input_tokens,
            first.usage.output_tokens,
        )
        assert record["reply_model"] == "gpt-4o-mini-2024-07-18"


# --- JavaScript


def test_the_javascript_sdk_gets_the_same(client: OpenAI, emulated: EmulatedProxies) -> None:
    modules = ROOT / "tests" / "wire" / "node_modules"
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "openai_responses.mjs"), emulated.url("openai") + "/v1"],
        env={**os.environ, "SDK_NODE_MODULES": os.environ.get("SDK_NODE_MODULES", str(modules))},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = {line["name"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}
    whole = client.responses.create(model=MODEL, input="Say hello.")
    assert found["whole"]["output"] == plain(whole)["output"]
    assert found["whole"]["id"] == whole.id
    assert found["final"]["output_text"] == found["whole"]["output_text"] == found["raw"] == whole.output_text
    assert found["final"]["usage"] == found["whole"]["usage"]
    assert Person.model_validate(found["parsed"])
    assert found["loop"]["cities"] == ["Paris"]
    assert "18 degrees" in found["loop"]["text"]
    assert found["retrieved"] == whole.id
    assert found["missing"] == {"name": "NotFoundError", "status": 404}
    assert found["background"] == ["queued", "completed"]
    assert found["items"] == ["Say hello."]
    assert found["counted"] == found["whole"]["usage"]["input_tokens"]
    assert "Ann" in found["conversation"]["text"]
    assert found["conversation"]["items"] == 3
    assert found["reasoning"] is True
