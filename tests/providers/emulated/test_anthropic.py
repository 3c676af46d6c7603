"""The Anthropic API answering by itself: its operations, its credentials, its errors."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from anthropic.types import MessageTokensCount
from anthropic.types.beta import BetaMessage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.base import Call
from providers.emulated.anthropic import AnthropicEmulator
from providers.emulated.base import EmulatedRequest
from providers.emulated.canned_grammar import read_replies
from providers.emulated.registry import get_emulator
from tests.providers.emulated.anthropic_asking import (
    NEWEST,
    WEATHER,
    body,
    checked,
    error,
    message,
    stream,
)
from tests.providers.emulated.asking import NOW, Asker, header, whole

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.fixture
def asker() -> Asker:
    return Asker("anthropic")


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")


def test_a_message_answers_the_prompt(asker: Asker) -> None:
    reply = message(asker, body("Say hello."))
    assert reply.content[0].type == "text"
    assert "hello" in reply.content[0].text.lower()
    assert (reply.stop_reason, reply.model) == ("end_turn", "claude-haiku-4-5")
    assert reply.usage.output_tokens > 0 < reply.usage.input_tokens


def test_a_message_is_a_beta_message_too(asker: Asker) -> None:
    reply = asker.json("POST", "/v1/messages?beta=true", body(), {"anthropic-beta": "files-api-2025-04-14"})
    assert checked(BetaMessage, reply).role == "assistant"


def test_the_same_request_gets_the_same_bytes(asker: Asker) -> None:
    for given_body in (body(), body(stream=True)):
        replies = {whole(asker.send("POST", "/v1/messages", given_body)) for _ in range(3)}
        assert len(replies) == 1


def test_a_stream_says_what_the_whole_message_says(asker: Asker) -> None:
    reply = message(asker, body("Tell me about ducks."))
    events = stream(asker, body("Tell me about ducks."))
    assert text_of(events) == reply.content[0].text
    assert events[0]["message"]["id"] == reply.id
    last = next(event for event in events if event["type"] == "message_delta")
    assert last["usage"]["output_tokens"] == reply.usage.output_tokens
    assert last["usage"]["input_tokens"] == reply.usage.input_tokens
    assert last["delta"]["stop_reason"] == reply.stop_reason


def test_the_limit_cuts_the_answer(asker: Asker) -> None:
    reply = message(asker, body("Tell me a long story about ducks.", max_tokens=5))
    assert (reply.stop_reason, reply.usage.output_tokens) == ("max_tokens", 5)
    assert stream(asker, body("Tell me a long story about ducks.", max_tokens=5))[-2]["delta"]["stop_reason"] == (
        "max_tokens"
    )


def test_no_tokens_at_all_may_be_asked_for(asker: Asker) -> None:
    reply = message(asker, body(max_tokens=0))
    assert (reply.content, reply.stop_reason, reply.usage.output_tokens) == ([], "max_tokens", 0)


def test_a_forced_tool_is_called_and_its_result_ends_the_loop(asker: Asker) -> None:
    given_body = body("What is the weather in Paris?", tools=[WEATHER], tool_choice={"type": "any"})
    reply = message(asker, given_body)
    use = reply.content[-1]
    assert use.type == "tool_use"
    assert (reply.stop_reason, use.name) == ("tool_use", "get_weather")
    assert isinstance(use.input["city"], str)
    events = stream(asker, given_body)
    parts = [each["delta"]["partial_json"] for each in events if "partial_json" in each.get("delta", {})]
    assert orjson.loads("".join(parts)) == use.input
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "12 degrees"}
    turns = [
        *given_body["messages"],
        {"role": "assistant", "content": [block.to_dict() for block in reply.content]},
        {"role": "user", "content": [result]},
    ]
    final = message(asker, {**given_body, "messages": turns, "tool_choice": {"type": "auto"}})
    assert final.stop_reason == "end_turn"
    assert "12 degrees" in final.content[0].text


def test_structured_output_fits_its_schema(asker: Asker) -> None:
    form = {"type": "json_schema", "schema": PERSON}
    reply = message(asker, body("Ann is 31 years old.", output_config={"format": form}), NEWEST)
    found = orjson.loads(reply.content[0].text)
    assert set(found) == {"name", "age"}
    assert (type(found["name"]), type(found["age"])) == (str, int)


def test_thinking_is_shown_when_asked_for(asker: Asker) -> None:
    given_body = body("Think about ducks.", max_tokens=4000, thinking={"type": "enabled", "budget_tokens": 1024})
    reply = message(asker, given_body)
    assert [block.type for block in reply.content] == ["thinking", "text"]
    assert reply.content[0].thinking
    assert reply.content[0].signature
    assert 0 < reply.usage.output_tokens_details.thinking_tokens < reply.usage.output_tokens
    deltas = [event["delta"]["type"] for event in stream(asker, given_body) if event["type"] == "content_block_delta"]
    assert list(dict.fromkeys(deltas)) == ["thinking_delta", "signature_delta", "text_delta"]


def test_a_marked_prompt_is_written_to_the_cache_and_then_read(asker: Asker) -> None:
    long = [{"type": "text", "text": "The duck swims. " * 800, "cache_control": {"type": "ephemeral"}}]
    first = message(asker, body(system=long)).usage
    second = message(asker, body(system=long)).usage
    assert first.cache_creation_input_tokens > 1024
    assert first.cache_creation.ephemeral_5m_input_tokens == first.cache_creation_input_tokens
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert second.cache_creation_input_tokens == 0
    totals = [
        usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens
        for usage in (first, second)
    ]
    counted = asker.json("POST", "/v1/messages/count_tokens", body(system=long))["input_tokens"]
    assert totals == [counted, counted]


def test_counting_agrees_with_usage(asker: Asker) -> None:
    given_body = body("Count this.", system="Be kind.", tools=[WEATHER])
    count = checked(MessageTokensCount, asker.json("POST", "/v1/messages/count_tokens", given_body))
    assert count.input_tokens == message(asker, given_body).usage.input_tokens


def test_a_canned_pace_holds_streamed_and_whole() -> None:
    canned = read_replies([{"match": {}, "reply": {"chunks": ["Quack", {"text": " quack", "delay_s": 0.25}]}}])
    asker = Asker("anthropic", canned=canned)
    assert asker.send("POST", "/v1/messages", body()).delay_s == 0.25
    streamed = asker.send("POST", "/v1/messages", body(stream=True))
    assert [frame.delay_s for frame in streamed.body if frame.delay_s] == [0.25]
    assert text_of(stream(asker, body())) == message(asker, body()).content[0].text == "Quack quack"


# --- credentials, versions, addresses


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (401, "authentication_error", "x-api-key header is required")),
        ({"x-api-key": ""}, (401, "authentication_error", "invalid x-api-key")),
        ({"authorization": "Basic abc"}, (401, "authentication_error", "Invalid bearer token")),
        ({"authorization": "Bearer "}, (401, "authentication_error", "Invalid bearer token")),
        ({"x-api-key": "k"}, (400, "invalid_request_error", "anthropic-version: header is required")),
        (
            {"x-api-key": "k", "anthropic-version": "2020-01-01"},
            (400, "invalid_request_error", 'anthropic-version: "2020-01-01" is not a valid version'),
        ),
    ],
)
def test_a_request_without_credential_or_version_is_refused(
    asker: Asker, headers: dict[str, str], expected: tuple[int, str, str]
) -> None:
    assert error(asker.send("POST", "/v1/messages", body(), headers, has_key=False)) == expected


@pytest.mark.parametrize("credential", [{"x-api-key": "k"}, {"authorization": "Bearer k"}])
@pytest.mark.parametrize("version", ["2023-01-01", "2023-06-01", "2026-10-21"])
def test_either_generation_of_clients_is_let_in(asker: Asker, credential: dict[str, str], version: str) -> None:
    headers = {**credential, "anthropic-version": version}
    assert asker.send("POST", "/v1/messages", body(), headers, has_key=False).status == 200


def test_a_doubled_version_in_the_path_is_forgiven(asker: Asker) -> None:
    assert asker.send("POST", "/v1/v1/messages", body()).status == 200


def test_an_unknown_address_is_not_found(asker: Asker) -> None:
    assert error(asker.send("GET", "/v1/nothing")) == (404, "not_found_error", "Not Found")


def test_a_call_that_is_not_emulated_says_so(asker: Asker) -> None:
    status, kind, text = error(asker.send("POST", "/v1/agents", {}))
    assert (status, kind) == (404, "not_found_error")
    assert text == "Rubberduck's emulation of Anthropic does not answer agents.create."


def test_an_unknown_model_is_refused_only_by_a_strict_emulation(asker: Asker) -> None:
    assert asker.send("POST", "/v1/messages", body(model="claude-next")).status == 200
    strict = Asker("anthropic", is_strict=True)
    for target in ("/v1/messages", "/v1/messages/count_tokens"):
        refusal = error(strict.send("POST", target, body(model="claude-next")))
        assert refusal == (404, "not_found_error", "model: claude-next")


def test_what_is_wrong_with_a_body_is_told(asker: Asker) -> None:
    refusal = error(asker.send("POST", "/v1/messages", {"model": "m", "messages": []}))
    assert refusal == (400, "invalid_request_error", "max_tokens: Field required")
    status, _, text = error(asker.send("POST", "/v1/messages", b"{nope"))
    assert status == 400
    assert text.startswith("The request body is not valid JSON")


# --- headers


def test_replies_carry_the_headers_of_the_service(asker: Asker) -> None:
    reply = asker.send("POST", "/v1/messages", body())
    assert header(reply, "content-type") == "application/json"
    assert str(header(reply, "request-id")).startswith("req_")
    assert len(str(header(reply, "anthropic-organization-id"))) == 36
    for unit in ("requests", "tokens", "input-tokens", "output-tokens"):
        limit = int(str(header(reply, f"anthropic-ratelimit-{unit}-limit")))
        assert 0 < int(str(header(reply, f"anthropic-ratelimit-{unit}-remaining"))) <= limit
        assert header(reply, f"anthropic-ratelimit-{unit}-reset") == "2026-09-21T14:13:22Z"
    streamed = asker.send("POST", "/v1/messages", body(stream=True))
    assert header(streamed, "content-type") == "text/event-stream; charset=utf-8"
    assert header(streamed, "request-id") != header(reply, "request-id")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_every_status_has_its_error(status: int, kind: str) -> None:
    emulator = get_emulator("anthropic")
    reply = emulator.error(a_request(), status, None, type=None, code=None)
    found_status, found_kind, text = error(reply)
    assert (found_status, found_kind) == (status, kind)
    assert text
    assert (header(reply, "retry-after") is not None) == (status == 429)


def test_an_errors_words_can_be_chosen() -> None:
    reply = AnthropicEmulator().error(a_request(), 429, "Slow down", type="spend_error", code="enforced")
    assert error(reply) == (429, "spend_error", "Slow down")
    assert orjson.loads(whole(reply))["error"]["details"] == {"error_code": "enforced"}


def a_request() -> EmulatedRequest:
    return EmulatedRequest(
        "POST", Call(None, b"/v1/messages"), b"", {}, b"", NOW, "01997a00-0000-7000-8000-000000000001"
    )


# --- whatever comes


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
TYPES = st.sampled_from(
    ["text", "image", "document", "tool_use", "tool_result", "thinking", "search_result", "base64", "url", "ephemeral"]
)
BLOCK = st.fixed_dictionaries(
    {"type": TYPES | JSON},
    optional=dict.fromkeys(
        ("text", "source", "id", "name", "input", "content", "tool_use_id", "cache_control", "citations"), JSON
    ),
)
CONTENT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.lists(BLOCK | JSON, max_size=4) | JSON
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]) | JSON, "content": CONTENT})
BODY = st.fixed_dictionaries(
    {
        "model": st.just("claude-haiku-4-5") | JSON,
        "max_tokens": st.integers(0, 50) | JSON,
        "messages": st.lists(MESSAGE | JSON, max_size=4) | JSON,
    },
    optional={
        "system": CONTENT,
        "tools": st.lists(st.just(WEATHER) | JSON, max_size=2) | JSON,
        "tool_choice": st.fixed_dictionaries({"type": st.sampled_from(["any", "tool", "auto", "none"]) | JSON}) | JSON,
        "thinking": st.fixed_dictionaries({"type": st.sampled_from(["enabled", "adaptive"]) | JSON}) | JSON,
        "output_config": st.fixed_dictionaries({"format": JSON}) | JSON,
        "stop_sequences": st.lists(JSON, max_size=2) | JSON,
        **dict.fromkeys(("temperature", "top_k", "stream", "metadata", "cache_control", "service_tier"), JSON),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(given_body=BODY | JSON, version=st.sampled_from(["2023-06-01", "2026-10-21"]))
def test_no_body_is_too_odd_for_an_answer_in_shape(given_body: Any, version: str) -> None:
    asker = Asker("anthropic")
    for target in ("/v1/messages", "/v1/messages/count_tokens", "/v1/complete", "/v1/messages/batches"):
        reply = asker.send("POST", target, given_body, {"anthropic-version": version})
        assert reply.status in (200, 400)
        if reply.status == 400:
            assert error(reply)[1] == "invalid_request_error"


HEADERS = st.dictionaries(
    st.sampled_from(["x-api-key", "authorization", "anthropic-version", "content-type", "host", "anthropic-beta"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(
    data=st.binary(max_size=60),
    headers=HEADERS,
    query=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
)
def test_no_bytes_and_no_headers_are_too_odd(data: bytes, headers: dict[str, str], query: str) -> None:
    asker = Asker("anthropic")
    targets = ("/v1/messages", "/v1/files", "/v1/messages/batches", "/v1/complete", "/v1/messages/count_tokens")
    for target in targets:
        assert 200 <= asker.send("POST", f"{target}?{query}", data, headers).status < 500
    for target in ("/v1/models", "/v1/files", "/v1/messages/batches", "/v1/models/%ff%00", "/v1/files/%ff/content"):
        assert 200 <= asker.send("GET", f"{target}?{query}", None, headers).status < 500


@pytest.mark.parametrize("depth", [100, 300, 900, 5000])
def test_deep_nesting_is_answered_or_refused(asker: Asker, depth: int) -> None:
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    use = b'[{"type":"tool_use","id":"t","name":"n","input":%b}]' % deep
    turns = b'[{"role":"user","content":"x"},{"role":"assistant","content":%b}]'
    asked = b'{"model":"m","max_tokens":5,"messages":%b,"metadata":%b}'
    documents = b'[{"type":"document","source":{"type":"content","content":' * (depth // 4)
    documents += b'"x"' + b"}}]" * (depth // 4)
    for data in (
        asked % (b'[{"role":"user","content":"x"}]', deep),
        asked % (turns % use, b"{}"),
        asked % (b'[{"role":"user","content":%b}]' % documents, b"{}"),
    ):
        assert asker.send("POST", "/v1/messages", data).status in (200, 400)


def test_more_tokens_than_the_model_gives_are_refused(asker: Asker) -> None:
    said = "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-haiku-4-5-"
    asked = body(model="claude-haiku-4-5", max_tokens=64_001)
    assert error(asker.send("POST", "/v1/messages", asked)) == (400, "invalid_request_error", f"{said}20251001")
    assert asker.send("POST", "/v1/messages", asked, {"anthropic-beta": "output-128k-2025-02-19"}).status == 200
    assert asker.send("POST", "/v1/messages", body(model="claude-haiku-4-5", max_tokens=64_000)).status == 200
    assert asker.send("POST", "/v1/messages", body(model="claude-of-my-own", max_tokens=10**7)).status == 200


@pytest.mark.parametrize(("model", "status"), [("claude-sonnet-4-5", 400), ("claude-3-5-haiku-latest", 200)])
def test_newer_models_take_a_temperature_or_a_nucleus(asker: Asker, model: str, status: int) -> None:
    assert asker.send("POST", "/v1/messages", body(model=model, temperature=0.5, top_p=0.5)).status == status
    assert asker.send("POST", "/v1/messages", body(model=model, top_p=0.5)).status == 200
