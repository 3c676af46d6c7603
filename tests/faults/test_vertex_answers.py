"""Answers of Gemini that are no good, as the official Python SDKs read them: refused, cut off, empty, with spoilt
function arguments; whole, as server-sent events, as a JSON array, and in the words of the OpenAI-compatible routes."""

from __future__ import annotations

import http.client
import json
from typing import Any

import openai
import pytest
from google import genai
from google.genai import types
from google.genai.types import FinishReason, GenerateContentResponse
from pydantic import BaseModel, ValidationError

from tests.emulated.serving import EmulatedProxies, EmulatedProxy
from tests.faults.test_vertex_errors import make

MODEL = "gemini-2.5-flash"
THINKER = "gemini-3-flash-preview"
DUCKS = "Tell me about ducks."
WEATHER = types.FunctionDeclaration(
    name="get_weather",
    description="The weather in a city",
    parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
ASKING = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[WEATHER])],
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


class City(BaseModel):
    city: str


@pytest.fixture(scope="module")
def proxy(emulated: EmulatedProxies) -> EmulatedProxy:
    return emulated.proxy("vertex_ai")


@pytest.fixture(scope="module", params=["gemini", "vertex"])
def client(request: pytest.FixtureRequest, proxy: EmulatedProxy) -> genai.Client:
    return make(request.param, proxy.url)


Answer = tuple[str, list[types.FunctionCall], GenerateContentResponse]
"""The text, the function calls, and the last chunk (or the whole reply)."""


def whole(client: genai.Client, contents: str, config: Any = None) -> Answer:
    reply = client.models.generate_content(model=MODEL, contents=contents, config=config)
    return said(reply), list(reply.function_calls or []), reply


def streamed(client: genai.Client, contents: str, config: Any = None) -> Answer:
    chunks = list(client.models.generate_content_stream(model=MODEL, contents=contents, config=config))
    ended = [chunk for chunk in chunks if chunk.candidates and chunk.candidates[0].finish_reason]
    assert ended == chunks[-1:]
    calls = [call for chunk in chunks for call in chunk.function_calls or []]
    return "".join(map(said, chunks)), calls, chunks[-1]


def said(reply: GenerateContentResponse) -> str:
    assert reply.candidates is not None
    content = reply.candidates[0].content
    return "".join(part.text or "" for part in (content.parts if content else None) or [])


def reason(reply: GenerateContentResponse) -> FinishReason | None:
    assert reply.candidates is not None
    return reply.candidates[0].finish_reason


def tokens(reply: GenerateContentResponse) -> tuple[int | None, int | None, int | None]:
    usage = reply.usage_metadata
    assert usage is not None
    return usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count


both = pytest.mark.parametrize("read", [whole, streamed])


@both
@pytest.mark.parametrize("config", [None, ASKING], ids=["text", "tools"])
def test_a_refusal_is_a_blocked_candidate(proxy: EmulatedProxy, client: genai.Client, read: Any, config: Any) -> None:
    proxy.swap(faults=[{"fault": "refusal"}])
    text, calls, reply = read(client, DUCKS, config)
    assert (text, calls, reason(reply)) == ("", [], FinishReason.SAFETY)
    rating = reply.candidates[0].safety_ratings[0]
    assert (rating.blocked, rating.probability) == (True, types.HarmProbability.HIGH)
    prompt, written, total = tokens(reply)
    assert (written, total) == (None, prompt)
    assert (proxy.records.all[-1]["outcome"], proxy.records.all[-1]["status"]) == ("fault", 200)


@both
def test_a_refusal_can_have_words(proxy: EmulatedProxy, client: genai.Client, read: Any) -> None:
    proxy.swap(faults=[{"fault": "refusal", "text": "Not about ducks."}])
    text, _, reply = read(client, DUCKS)
    assert (text, reason(reply)) == ("Not about ducks.", FinishReason.SAFETY)


@both
def test_an_answer_stops_half_way(proxy: EmulatedProxy, client: genai.Client, read: Any) -> None:
    proxy.swap(faults=[])
    full, _, before = read(client, DUCKS)
    proxy.swap(faults=[{"fault": "length_stop"}])
    text, _, reply = read(client, DUCKS)
    assert reason(reply) is FinishReason.MAX_TOKENS
    assert full.startswith(text)
    assert 0.2 * len(full) < len(text) < 0.8 * len(full)
    (asked, written, total), (_, all_written, _) = tokens(reply), tokens(before)
    assert asked is not None
    assert written is not None
    assert all_written is not None
    assert 0 < written < all_written
    assert total == asked + written
    assert reply.response_id == before.response_id


@both
def test_an_empty_answer_is_a_success_without_parts(proxy: EmulatedProxy, client: genai.Client, read: Any) -> None:
    proxy.swap(faults=[{"fault": "empty_content"}])
    text, calls, reply = read(client, DUCKS)
    assert (text, calls, reason(reply)) == ("", [], FinishReason.STOP)
    assert reply.candidates[0].content.parts is None


@both
def test_function_arguments_are_not_what_was_asked_for(proxy: EmulatedProxy, client: genai.Client, read: Any) -> None:
    proxy.swap(faults=[{"fault": "invalid_tool_arguments"}])
    _, (call,), reply = read(client, "What is the weather in Paris?", ASKING)
    assert (call.name, reason(reply)) == ("get_weather", FinishReason.STOP)
    with pytest.raises(ValidationError):
        City.model_validate(call.args)


@both
def test_an_answer_without_calls_stays_as_it_is(proxy: EmulatedProxy, client: genai.Client, read: Any) -> None:
    proxy.swap(faults=[])
    full, *_ = read(client, DUCKS)
    proxy.swap(faults=[{"fault": "invalid_tool_arguments"}])
    assert read(client, DUCKS)[0] == full
    assert proxy.records.all[-1]["outcome"] != "fault"


@both
def test_every_candidate_is_edited(proxy: EmulatedProxy, client: genai.Client, read: Any) -> None:
    proxy.swap(faults=[{"fault": "refusal", "text": "No."}])
    two = types.GenerateContentConfig(candidate_count=2)
    if read is whole:
        replies = [client.models.generate_content(model=MODEL, contents=DUCKS, config=two)]
    else:
        replies = list(client.models.generate_content_stream(model=MODEL, contents=DUCKS, config=two))
    candidates = [candidate for reply in replies for candidate in reply.candidates or []]
    assert sorted(candidate.index or 0 for candidate in candidates) == [0, 1]
    assert {candidate.finish_reason for candidate in candidates} == {FinishReason.SAFETY}


def test_a_stream_can_end_without_saying_so(proxy: EmulatedProxy, client: genai.Client) -> None:
    proxy.swap(faults=[{"fault": "no_terminator"}])
    chunks = list(client.models.generate_content_stream(model=MODEL, contents=DUCKS))
    assert chunks
    assert {reason(chunk) for chunk in chunks} == {None}


# --- the stream as a JSON array


def array(proxy: EmulatedProxy) -> list[dict[str, Any]]:
    body = json.dumps({"contents": [{"role": "user", "parts": [{"text": DUCKS}]}]})
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    path = f"/v1beta/models/{MODEL}:streamGenerateContent"
    connection.request("POST", path, body, {"x-goog-api-key": "k", "content-type": "application/json"})
    reply = connection.getresponse()
    found: list[dict[str, Any]] = json.loads(reply.read())
    connection.close()
    return found


@pytest.mark.parametrize(
    ("fault", "ending"),
    [("refusal", "SAFETY"), ("length_stop", "MAX_TOKENS"), ("empty_content", "STOP")],
)
def test_the_elements_of_an_array_are_edited_alike(proxy: EmulatedProxy, fault: str, ending: str) -> None:
    proxy.swap(faults=[])
    full = array(proxy)
    proxy.swap(faults=[{"fault": fault}])
    found = array(proxy)
    assert found[-1]["candidates"][0]["finishReason"] == ending
    assert 1 <= len(found) < len(full)


def test_an_error_in_an_array_is_its_last_element(proxy: EmulatedProxy) -> None:
    proxy.swap(faults=[{"fault": "stream_error", "events": 1}])
    assert array(proxy)[-1]["error"]["status"] == "UNAVAILABLE"
    proxy.swap(faults=[{"fault": "error", "status": 429}])
    assert [element["error"]["code"] for element in array(proxy)] == [429]


# --- interactions


def interact(client: genai.Client, is_streaming: bool, **asked: Any) -> tuple[str, str, list[Any]]:
    """Status, text, and what functions were called with: objects, or the text of a stream."""
    if not is_streaming:
        reply = client.interactions.create(model=THINKER, **asked)
        calls = [step.arguments for step in reply.steps or [] if step.type == "function_call"]
        return reply.status, reply.output_text or "", calls
    text, calls, status = "", [], ""
    for event in client.interactions.create(model=THINKER, stream=True, **asked):
        delta = getattr(event, "delta", None)
        if delta is not None and delta.type == "text":
            text += delta.text
        elif delta is not None and delta.type == "arguments_delta":
            calls.append(delta.arguments)
        status = event.interaction.status if event.event_type == "interaction.completed" else status
    return status, text, calls


@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "streamed"])
def test_interactions_are_edited_in_their_own_words(proxy: EmulatedProxy, is_streaming: bool) -> None:
    client = make("gemini", proxy.url)
    proxy.swap(faults=[])
    _, full, _ = interact(client, is_streaming, input=DUCKS)
    proxy.swap(faults=[{"fault": "refusal", "text": "Not about ducks."}])
    assert interact(client, is_streaming, input=DUCKS) == ("completed", "Not about ducks.", [])
    proxy.swap(faults=[{"fault": "empty_content"}])
    assert interact(client, is_streaming, input=DUCKS) == ("completed", "", [])
    proxy.swap(faults=[{"fault": "length_stop"}])
    status, text, _ = interact(client, is_streaming, input=DUCKS)
    assert (status, full.startswith(text)) == ("incomplete", True)
    assert 0 < len(text) < 0.8 * len(full)
    proxy.swap(faults=[{"fault": "invalid_tool_arguments"}])
    schema = WEATHER.parameters_json_schema
    tool = {"type": "function", "name": "get_weather", "description": "The weather", "parameters": schema}
    _, _, (arguments,) = interact(client, is_streaming, input="What is the weather in Paris?", tools=[tool])
    with pytest.raises(ValidationError):
        City.model_validate_json(arguments) if is_streaming else City.model_validate(arguments)


def test_an_error_in_an_interaction_is_its_last_event(proxy: EmulatedProxy) -> None:
    proxy.swap(faults=[{"fault": "stream_error", "events": 2}])
    client = make("gemini", proxy.url)
    events = list(client.interactions.create(model=THINKER, input=DUCKS, stream=True))
    assert [event.event_type for event in events][2:] == ["error"]
    assert events[-1].error.code == "unavailable"


# --- the OpenAI-compatible routes


def test_the_openai_compatible_answers_are_edited_in_their_own_words(proxy: EmulatedProxy) -> None:
    asked: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": DUCKS}]}
    with openai.OpenAI(base_url=proxy.url + "/v1beta/openai/", api_key="AIza-test", max_retries=0) as client:
        proxy.swap(faults=[{"fault": "length_stop"}])
        assert client.chat.completions.create(**asked).choices[0].finish_reason == "length"
        proxy.swap(faults=[{"fault": "no_terminator"}])
        assert list(client.chat.completions.create(**asked, stream=True))
        assert proxy.records.all[-1]["outcome"] == "fault"
