"""The official Anthropic SDKs over an emulated proxy: everything they offer parses into their own types."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Literal

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic, beta_tool
from anthropic.types import Message
from pydantic import BaseModel

from providers.emulated.canned_grammar import read_replies
from tests.emulated.serving import EmulatedProxies

ROOT = Path(__file__).resolve().parents[2]
MODEL = "claude-haiku-4-5"
HELLO = {"model": MODEL, "max_tokens": 200, "messages": [{"role": "user", "content": "Say hello."}]}
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class Person(BaseModel):
    name: str
    age: int
    kind: Literal["duck", "human"]


@pytest.fixture(scope="module")
def client(emulated: EmulatedProxies) -> Any:
    with Anthropic(base_url=emulated.url("anthropic"), api_key="sk-ant-test", max_retries=0) as made:
        yield made


def asked(text: str, **more: Any) -> dict[str, Any]:
    return {**HELLO, "messages": [{"role": "user", "content": text}], **more}


def plain(message: Any) -> dict[str, Any]:
    """A message as data, without what the SDK adds of its own."""
    found: dict[str, Any] = message.to_dict()
    for block in found["content"]:
        block.pop("parsed_output", None)
    return found


# --- messages


def test_a_message_is_typed_and_knows_its_request(client: Anthropic) -> None:
    reply = client.messages.create(**HELLO)
    assert isinstance(reply, Message)
    assert "hello" in reply.content[0].text.lower()
    assert reply._request_id.startswith("req_")


@pytest.mark.parametrize("credential", [{"api_key": "k"}, {"auth_token": "t"}])
@pytest.mark.parametrize("path", ["", "/v1"])
def test_either_credential_and_either_base_url_work(
    emulated: EmulatedProxies, credential: dict[str, str], path: str
) -> None:
    with Anthropic(base_url=emulated.url("anthropic") + path, **credential) as client:
        assert client.messages.create(**HELLO).stop_reason == "end_turn"


@pytest.mark.parametrize(
    "given",
    [
        HELLO,
        asked("What is the weather in Paris?", tools=[WEATHER]),
        asked("Think about ducks.", max_tokens=3000, thinking={"type": "enabled", "budget_tokens": 1024}),
        asked("Tell me a long story.", max_tokens=7),
        asked("Hello", system=[{"type": "text", "text": "Be a duck. " * 900, "cache_control": {"type": "ephemeral"}}]),
    ],
    ids=["text", "tool", "thinking", "length", "cache"],
)
def test_the_helpers_final_message_is_the_whole_one(emulated: EmulatedProxies, given: dict[str, Any]) -> None:
    proxy = emulated.proxy("anthropic")
    with Anthropic(base_url=proxy.url, api_key="k") as client:
        client.messages.create(**given)  # from now on the prompt cache is in the same state for all
        whole = client.messages.create(**given)
        with client.messages.stream(**given) as stream:
            kinds = [event.type for event in stream]
            assert plain(stream.get_final_message()) == plain(whole)
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"


def test_the_raw_stream_has_typed_events(client: Anthropic) -> None:
    with client.messages.create(**HELLO, stream=True) as stream:
        events = list(stream)
    text = "".join(event.delta.text for event in events if event.type == "content_block_delta")
    assert text == client.messages.create(**HELLO).content[0].text
    assert [event.type for event in events[:2]] == ["message_start", "content_block_start"]


def test_several_words_in_a_row_can_be_read_from_the_text_stream(client: Anthropic) -> None:
    with client.messages.stream(**asked("Tell me about ducks.")) as stream:
        assert len(list(stream.text_stream)) > 3


async def test_the_asynchronous_client_gets_the_same(emulated: EmulatedProxies, client: Anthropic) -> None:
    whole = await asyncio.to_thread(client.messages.create, **HELLO)
    async with AsyncAnthropic(base_url=emulated.url("anthropic"), api_key="k") as other:
        assert plain(await other.messages.create(**HELLO)) == plain(whole)
        async with other.messages.stream(**HELLO) as stream:
            assert plain(await stream.get_final_message()) == plain(whole)


def test_structured_output_is_parsed(client: Anthropic) -> None:
    reply = client.messages.parse(**asked("Ann is a human of 31 years."), output_format=Person)
    assert isinstance(reply.parsed_output, Person)
    with client.messages.stream(**asked("Ann is a human of 31 years."), output_format=Person) as stream:
        assert stream.get_final_message().parsed_output == reply.parsed_output
    beta = client.beta.messages.parse(**asked("Ann is a human of 31 years."), output_format=Person)
    assert isinstance(beta.parsed_output, Person)


def test_the_tool_runner_comes_to_an_end(client: Anthropic) -> None:
    called = []

    @beta_tool
    def get_weather(city: str) -> str:
        """The weather in a city.

        Args:
            city: The city
        """
        called.append(city)
        return f"12 degrees in {city}"

    runner = client.beta.messages.tool_runner(
        **asked("What is the weather in Paris?"), tools=[get_weather], max_iterations=5
    )
    last = runner.until_done()
    assert called == ["Paris"]
    assert last.stop_reason == "end_turn"
    assert "12 degrees" in last.content[-1].text


def test_a_tool_runner_without_a_thread_comes_to_an_end_too(client: Anthropic) -> None:
    @beta_tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"12 degrees in {city}"

    runner = client.beta.messages.tool_runner(
        **asked("What is the weather in Paris?"), tools=[get_weather], max_iterations=5, thread=False
    )
    assert "12 degrees" in runner.until_done().content[-1].text


def test_a_thread_is_held_between_its_turns(emulated: EmulatedProxies) -> None:
    proxy = emulated.proxy("anthropic", cache="on")
    with Anthropic(base_url=proxy.url, api_key="k") as client:
        thread = client.beta.messages.thread(model=MODEL, max_tokens=200, system="Be kind.")
        thread.send({"role": "user", "content": "My name is Ann."})
        reply = thread.send({"role": "user", "content": "What is my name?"})
        assert thread.previous_message_id == reply.id
        whole = client.messages.create(model=MODEL, max_tokens=200, system="Be kind.", messages=thread.messages[:-1])
    assert "Ann" in reply.content[0].text
    assert whole.content[0].text == reply.content[0].text
    assert whole.usage.input_tokens == reply.usage.input_tokens


def test_the_streaming_tool_runner_comes_to_an_end(client: Anthropic) -> None:
    @beta_tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"12 degrees in {city}"

    runner = client.beta.messages.tool_runner(
        **asked("What is the weather in Paris?"), tools=[get_weather], max_iterations=5, stream=True
    )
    reasons = [stream.get_final_message().stop_reason for stream in runner]
    assert reasons == ["tool_use", "end_turn"]


def test_an_image_and_a_document_are_taken(client: Anthropic) -> None:
    blocks = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Ducks swim."}},
        {"type": "text", "text": "What is this?"},
    ]
    reply = client.messages.create(**{**HELLO, "messages": [{"role": "user", "content": blocks}]})
    assert "image" in reply.content[0].text.lower()


def test_counting_agrees_with_usage(client: Anthropic) -> None:
    given = {name: value for name, value in HELLO.items() if name != "max_tokens"}
    assert client.messages.count_tokens(**given).input_tokens == client.messages.create(**HELLO).usage.input_tokens
    assert client.beta.messages.count_tokens(**given).input_tokens > 0


# --- models, files, batches


def test_models_are_listed_page_by_page_and_retrieved(client: Anthropic) -> None:
    ids = [model.id for model in client.models.list(limit=3)]
    assert ids == [model.id for model in client.models.list(limit=100).data]
    assert len(set(ids)) == len(ids) > 10
    found = client.models.retrieve(MODEL)
    assert found.capabilities.structured_outputs.supported
    assert [model.id for model in client.beta.models.list()] == ids


def test_files_live_from_upload_to_deletion(client: Anthropic) -> None:
    for files in (client.files, client.beta.files):
        made = files.upload(file=("duck.txt", b"Quack.", "text/plain"))
        assert (made.filename, made.size_bytes) == ("duck.txt", 6)
        assert files.retrieve_metadata(made.id).id == made.id
        assert made.id in [file.id for file in files.list(limit=1)]
        with pytest.raises(anthropic.BadRequestError, match="not downloadable"):
            files.download(made.id)
        assert files.delete(made.id).id == made.id
        with pytest.raises(anthropic.NotFoundError):
            files.retrieve_metadata(made.id)


def test_a_batch_is_made_polled_and_read_over_the_proxy_itself(client: Anthropic) -> None:
    requests: Any = [
        {"custom_id": "good", "params": HELLO},
        {"custom_id": "bad", "params": {**HELLO, "messages": []}},
    ]
    for batches in (client.messages.batches, client.beta.messages.batches):
        made = batches.create(requests=requests)
        assert made.processing_status == "in_progress"
        ended = batches.retrieve(made.id)
        assert ended.processing_status == "ended"
        assert str(ended.results_url).startswith(str(client.base_url))
        found = {line.custom_id: line.result for line in batches.results(made.id)}
        assert found["good"].message.content[0].text == client.messages.create(**HELLO).content[0].text
        assert found["bad"].error.error.message == "messages: at least one message is required"
        assert made.id in [batch.id for batch in batches.list(limit=1)]
        assert batches.cancel(made.id).processing_status == "ended"
        assert batches.delete(made.id).id == made.id


# --- errors


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (402, anthropic.PaymentRequiredError),
        (403, anthropic.PermissionDeniedError),
        (404, anthropic.NotFoundError),
        (413, anthropic.ContentTooLargeError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (529, anthropic.OverloadedError),
    ],
)
def test_a_canned_error_is_raised_as_the_sdks_own(
    emulated: EmulatedProxies, status: int, expected: type[anthropic.APIStatusError]
) -> None:
    canned = read_replies([{"match": {}, "reply": {"error": {"status": status}}}])
    proxy = emulated.proxy("anthropic", canned=canned)
    with Anthropic(base_url=proxy.url, api_key="k", max_retries=0) as client, pytest.raises(expected) as caught:
        client.messages.create(**HELLO)
    assert caught.value.status_code == status
    assert caught.value.body["request_id"] == caught.value.request_id


def test_what_is_wrong_is_raised_with_the_services_words(client: Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="temperature: Extra inputs are not permitted"):
        client.messages.create(**HELLO, extra_body={"temperature": 1.0})
    with pytest.raises(anthropic.BadRequestError, match="messages: at least one message is required"):
        client.messages.create(**{**HELLO, "messages": []})


# --- the cache, the clock, the log


def test_a_recorded_reply_is_the_emulated_one(emulated: EmulatedProxies) -> None:
    proxy = emulated.proxy("anthropic", cache="on")
    with Anthropic(base_url=proxy.url, api_key="k") as client:
        first, second = client.messages.create(**HELLO), client.messages.create(**HELLO)
        streams = []
        for _ in range(2):
            with client.messages.stream(**HELLO) as stream:
                streams.append(plain(stream.get_final_message()))
    assert plain(first) == plain(second) == streams[0] == streams[1]
    assert [row["cache"] for row in proxy.records.all] == ["miss", "hit", "miss", "hit"]


def test_the_log_counts_what_the_reply_counts(emulated: EmulatedProxies) -> None:
    proxy = emulated.proxy("anthropic")
    with Anthropic(base_url=proxy.url, api_key="k") as client:
        usage = client.messages.create(**HELLO).usage
        with client.messages.stream(**HELLO) as stream:
            stream.get_final_message()
    rows = proxy.records.all
    assert [row["input_tokens"] for row in rows] == [usage.input_tokens] * 2
    assert [row["output_tokens"] for row in rows] == [usage.output_tokens] * 2


# --- JavaScript


def test_the_javascript_sdk_gets_the_same(emulated: EmulatedProxies, client: Anthropic) -> None:
    modules = ROOT / "tests" / "wire" / "node_modules"
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "anthropic.mjs"), emulated.url("anthropic")],
        env={**os.environ, "SDK_NODE_MODULES": os.environ.get("SDK_NODE_MODULES", str(modules))},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = {line["name"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}
    whole = client.messages.create(**HELLO)
    assert found["whole"]["content"] == plain(whole)["content"]
    assert {**found["final"], "parsed_output": None} == {**found["whole"], "parsed_output": None}
    assert found["raw"] == whole.content[0].text
    assert found["parsed"]["kind"] in ("duck", "human")
    assert found["runner"] == {"called": ["Paris"], "stop_reason": "end_turn", "is_told": True}
    assert found["counted"] == whole.usage.input_tokens
    assert found["models"] == [model.id for model in client.models.list()]
    assert found["file"] == ["duck.txt", 6, "file_deleted"]
    assert found["batch"] == ["ended", {"good": "succeeded", "bad": "errored"}]
    assert found["error"] == {"name": "BadRequestError", "status": 400, "type": "invalid_request_error"}
