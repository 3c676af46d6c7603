"""The examples of docs/emulation.md do what they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from providers.emulated.canned_grammar import read_replies
from proxies.documents import read_document
from tests.emulated.serving import EmulatedProxies

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "emulation.md").read_text()
EXAMPLES = dict(re.findall(r"^### ([^\n]+)\n\n```yaml\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL))
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Client:
    """One proxy with an example's canned replies, and OpenAI's SDK on it."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.openai = openai.OpenAI(
            base_url=f"{base_url}/v1", api_key="unused", max_retries=0, http_client=httpx.Client(trust_env=False)
        )

    def ask(self, prompt: str = "Hello.", *, system: str = "", **fields: Any) -> Any:
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": prompt})
        messages += fields.pop("more", [])
        create: Any = self.openai.chat.completions.create
        return create(model="gpt-4o-mini", messages=messages, **fields)

    def say(self, prompt: str = "Hello.", **fields: Any) -> str:
        said: str = self.ask(prompt, **fields).choices[0].message.content
        return said


@pytest.fixture
def client(emulated: EmulatedProxies, request: pytest.FixtureRequest) -> Any:
    canned = read_replies(read_document(EXAMPLES[request.param]))
    client = Client(emulated.proxy("openai", canned=canned).url)
    yield client
    client.openai.close()


def example(title: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    tried.add(title)
    return pytest.mark.parametrize("client", [title], indirect=True)


tried: set[str] = set()


@example("Say something")
def test_the_first_that_fits_answers(client: Client) -> None:
    assert client.say("How is the weather in Paris?") == "It rains in Paris."
    assert client.say("How is the weather?") == "An entry without match fits every request."


@example("Call a tool, then answer")
def test_a_tool_is_called_and_its_result_ends_the_loop(client: Client) -> None:
    first = client.ask(tools=[TOOL]).choices[0]
    assert first.finish_reason == "tool_calls"
    (call,) = first.message.tool_calls
    assert (call.function.name, call.function.arguments) == ("get_weather", '{"city":"Paris"}')
    more = [first.message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
    assert client.say(tools=[TOOL], more=more) == "Take an umbrella."


@example("Structured output, thinking, and how it ends")
def test_json_refusals_and_cuts(client: Client) -> None:
    assert client.say("Please Extract this invoice") == '{"number":17,"lines":[{"text":"pond","price":9.5}]}'
    refused = client.ask(system="You are a lawyer.")
    assert "I cannot help with that." in refused.choices[0].model_dump_json()
    assert refused.usage.completion_tokens_details.reasoning_tokens > 0
    cut = client.ask()
    assert (cut.choices[0].finish_reason, cut.usage.completion_tokens) == ("length", 4096)


@example("Fail, and recover")
def test_the_third_attempt_succeeds(client: Client) -> None:
    for _ in range(2):
        with pytest.raises(openai.RateLimitError, match=r"Slow down, please\.") as caught:
            client.ask()
        assert caught.value.response.headers["retry-after"] == "1"
    with pytest.raises(openai.InternalServerError):
        client.ask("overload")
    assert client.say() == "The third one succeeds."


@example("Take time")
def test_chunks_come_one_by_one_and_joined(client: Client) -> None:
    deltas = [chunk.choices[0].delta.content for chunk in client.ask(stream=True) if chunk.choices]
    assert [text for text in deltas if text] == ["One, ", "two, ", "three."]
    assert client.say() == "One, two, three."


@example("Send bytes of your own")
def test_bodies_are_sent_as_they_are(client: Client) -> None:
    def post(operation: str, **body: Any) -> httpx.Response:
        headers = {"authorization": "Bearer unused"}
        return httpx.post(f"{client.base_url}/v1/{operation}", json=body, headers=headers, trust_env=False)

    def send(prompt: str) -> httpx.Response:
        return post("chat/completions", model="gpt-4o-mini", messages=[{"role": "user", "content": prompt}])

    assert post("embeddings", model="text-embedding-3-small", input="x").json()["model"] == "none"
    assert send("broken").text == '{"choices": [{"mess'
    gateway = send("gateway")
    assert (gateway.status_code, gateway.text) == (502, "<h1>Bad Gateway</h1>")
    assert (gateway.headers["content-type"], gateway.headers["x-served-by"]) == ("text/html", "somebody else")
    torn = send("torn")
    assert (torn.status_code, torn.headers["content-type"]) == (200, "text/event-stream")
    assert torn.text == 'data: {"choices": []}\n\ndata: {"choi'


def test_every_example_is_tried() -> None:
    assert EXAMPLES.keys() == tried
    assert DOCUMENT.count("```yaml") == len(tried)
