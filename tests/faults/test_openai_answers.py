"""The official OpenAI SDK over proxies that spoil answers of OpenAI and Azure: it takes them for genuine ones."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AzureOpenAI, OpenAI
from pydantic import BaseModel

from tests.emulated.serving import EmulatedProxies

ROOT = Path(__file__).resolve().parents[2]
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL: Any = {"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": WEATHER}}
FUNCTION: Any = {"type": "function", "name": "get_weather", "description": "Weather", "parameters": WEATHER}
TALK: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Tell me about ducks."}]}
CALL: dict[str, Any] = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
    "tools": [TOOL],
}


class Duck(BaseModel):
    name: str
    weight_kg: float


@pytest.fixture(scope="module", params=["openai", "azure"])
def client(request: pytest.FixtureRequest, emulated: EmulatedProxies) -> Iterator[OpenAI]:
    if request.param == "openai":
        proxy = emulated.proxy("openai", cache="on", allows_header=True)
        made = OpenAI(base_url=proxy.url + "/v1", api_key="sk-test", max_retries=0)
    else:
        proxy = emulated.proxy("azure_openai", cache="on", allows_header=True)
        made = AzureOpenAI(azure_endpoint=proxy.url, api_key="key", api_version="2024-10-21", max_retries=0)
    with made:
        yield made


def fault(word: str) -> dict[str, Any]:
    return {"extra_headers": {"x-rubberduck-fault": word}}


def test_a_refusal_is_a_refusal(client: OpenAI) -> None:
    made = client.chat.completions.create(**TALK, **fault('refusal;text="I would rather not."'))
    assert (made.choices[0].message.refusal, made.choices[0].message.content) == ("I would rather not.", None)
    with client.chat.completions.stream(**TALK, **fault("refusal")) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    assert "refusal.done" in kinds
    assert "content.delta" not in kinds
    assert final.choices[0].message.refusal == "I'm sorry, but I can't assist with that request."
    assert final.choices[0].message.content is None
    responded = client.responses.create(model="gpt-4o", input="Tell me about ducks.", **fault("refusal"))
    assert responded.output_text == ""
    assert responded.output[-1].content[0].type == "refusal"  # type: ignore[union-attr]
    with client.responses.stream(model="gpt-4o", input="Tell me about ducks.", **fault("refusal")) as events:
        told = "".join(event.delta for event in events if event.type == "response.refusal.delta")
        whole = events.get_final_response()
    assert whole.output[-1].content[0].refusal == told  # type: ignore[union-attr]


def test_a_refusal_leaves_structured_output_unparsed(client: OpenAI) -> None:
    made = client.chat.completions.parse(**TALK, response_format=Duck, **fault("refusal"))
    assert made.choices[0].message.parsed is None
    assert made.choices[0].message.refusal


def cut_stream(client: OpenAI, **values: Any) -> Any:
    """The choice of a stream that stops short: the stream helper raises for it."""
    with client.chat.completions.stream(**values) as stream, pytest.raises(openai.LengthFinishReasonError) as caught:
        stream.get_final_completion()
    return caught.value.completion.choices[0]


def test_a_text_stops_short(client: OpenAI) -> None:
    full = client.chat.completions.create(**TALK).choices[0].message.content
    made = client.chat.completions.create(**TALK, **fault("length_stop")).choices[0]
    assert full is not None
    assert made.finish_reason == "length"
    assert made.message.content == full[: len(full) // 2]
    streamed = cut_stream(client, **TALK, **fault("length_stop"))
    assert cut_stream(client, **TALK, max_completion_tokens=5).finish_reason == streamed.finish_reason
    assert streamed.finish_reason == "length"
    assert streamed.message.content
    assert full.startswith(streamed.message.content)
    responded = client.responses.create(model="gpt-4o", input="Tell me about ducks.", **fault("length_stop"))
    assert responded.status == "incomplete"
    assert responded.incomplete_details is not None
    assert responded.incomplete_details.reason == "max_output_tokens"
    events = list(client.responses.create(model="gpt-4o", input="Hello", stream=True, **fault("length_stop")))
    assert events[-1].type == "response.incomplete"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(**TALK, response_format=Duck, **fault("length_stop"))


def test_arguments_of_calls_are_no_json(client: OpenAI) -> None:
    spoilt = fault("invalid_tool_arguments")
    made = client.chat.completions.create(**CALL, **spoilt).choices[0]
    with client.chat.completions.stream(**CALL, **spoilt) as stream:
        streamed = stream.get_final_completion().choices[0]
    for choice in (made, streamed):
        assert choice.finish_reason == "tool_calls"
        (call,) = choice.message.tool_calls or []
        with pytest.raises(json.JSONDecodeError):
            json.loads(call.function.arguments)  # type: ignore[union-attr]
    body: dict[str, Any] = {"model": "gpt-4o", "input": "What is the weather in Paris?", "tools": [FUNCTION]}
    responded = client.responses.create(**body, **spoilt)
    with client.responses.stream(**body, **spoilt) as events:
        whole = events.get_final_response()
    for response in (responded, whole):
        (item,) = response.output
        assert item.type == "function_call"
        with pytest.raises(json.JSONDecodeError):
            json.loads(item.arguments)


def test_an_answer_is_empty(client: OpenAI) -> None:
    made = client.chat.completions.create(**TALK, **fault("empty_content")).choices[0]
    assert (made.message.content, made.finish_reason) == ("", "stop")
    chunks = list(client.chat.completions.create(**TALK, stream=True, **fault("empty_content")))
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == ""
    with client.responses.stream(model="gpt-4o", input="Hello", **fault("empty_content")) as events:
        assert events.get_final_response().output_text == ""


def test_usage_and_the_answers_of_others_stay_as_they_are(client: OpenAI) -> None:
    genuine = client.chat.completions.create(**TALK)
    for word in ("refusal", "length_stop", "empty_content"):
        assert client.chat.completions.create(**TALK, **fault(word)).usage == genuine.usage
    assert client.chat.completions.create(**TALK).choices == genuine.choices


def test_an_error_inside_a_stream_is_raised(client: OpenAI) -> None:
    told = fault("stream_error;events=2;reason=content_filter")
    with pytest.raises(openai.APIError) as caught:
        list(client.chat.completions.create(**TALK, stream=True, **told))
    assert not isinstance(caught.value, openai.APIStatusError)
    assert caught.value.code in ("content_policy_violation", "content_filter")
    events = client.responses.create(model="gpt-4o", input="Hello", stream=True, **told)
    assert [next(events).sequence_number, next(events).sequence_number] == [0, 1]
    with pytest.raises(openai.APIError) as caught:
        next(events)
    assert caught.value.code in ("content_policy_violation", "content_filter")
    with pytest.raises(openai.APIError, match="server had an error"):
        list(client.chat.completions.create(**TALK, stream=True, **fault("stream_error")))


def test_a_missing_end_mark_goes_unnoticed(client: OpenAI) -> None:
    with_mark = list(client.chat.completions.create(**TALK, stream=True))
    without = list(client.chat.completions.create(**TALK, stream=True, **fault("no_terminator")))
    assert without == with_mark
    kinds = [event.type for event in client.responses.create(model="gpt-4o", input="Hello", stream=True)]
    cut = client.responses.create(model="gpt-4o", input="Hello", stream=True, **fault("no_terminator"))
    assert [event.type for event in cut] == kinds[:-1]


# --- JavaScript


def test_the_javascript_sdk_takes_spoilt_answers_for_genuine_ones(emulated: EmulatedProxies) -> None:
    faults = ["refusal", "length_stop", "empty_content", "invalid_tool_arguments"]
    modules = os.environ.get("SDK_NODE_MODULES", str(ROOT / "tests" / "wire" / "node_modules"))
    url = emulated.proxy("openai", allows_header=True).url
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "openai_answers.mjs"), url, *faults],
        env={**os.environ, "SDK_NODE_MODULES": modules},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = {seen["fault"]: seen for seen in map(json.loads, done.stdout.splitlines())}
    refused = found["refusal"]
    assert refused["whole"]["message"]["refusal"] == refused["final"]["message"]["refusal"] != ""
    assert refused["streamed"]["output"][-1]["content"][0]["refusal"] == refused["whole"]["message"]["refusal"]
    short = found["length_stop"]
    assert (short["whole"]["finish_reason"], short["finish"][-1]) == ("length", "length")
    assert short["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert short["last"]["type"] == "response.incomplete"
    empty = found["empty_content"]
    assert (empty["whole"]["message"]["content"], empty["response"]["output_text"]) == ("", "")
    assert empty["last"]["response"]["status"] == "completed"
    spoilt = found["invalid_tool_arguments"]
    for call in (
        spoilt["whole"]["message"]["tool_calls"][0]["function"],
        spoilt["final"]["message"]["tool_calls"][0]["function"],
        spoilt["response"]["output"][0],
        spoilt["streamed"]["output"][0],
    ):
        with pytest.raises(json.JSONDecodeError):
            json.loads(call["arguments"])
