from __future__ import annotations

import base64
import io
import json
import wave
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from providers.base import BodyFacts
from providers.emulated.answer import Piece, Stop
from providers.emulated.canned_grammar import read_replies
from providers.emulated.dialects.openai_chat import custom_call
from providers.emulated.tokens import count
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.openai_asking import WEATHER, chat, events, refused, typed

CHAT = "/v1/chat/completions"


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def complete(asker: Asker, body: dict[str, Any]) -> ChatCompletion:
    return typed(ChatCompletion, asker.send("POST", CHAT, body))


def test_a_completion_has_every_member_the_genuine_one_has(asker: Asker) -> None:
    raw = asker.json("POST", CHAT, chat())
    assert set(raw) == {"id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint"}
    assert set(raw["choices"][0]) == {"index", "message", "logprobs", "finish_reason"}
    assert set(raw["choices"][0]["message"]) == {"role", "content", "refusal", "annotations"}
    made = complete(asker, chat())
    assert made.id.startswith("chatcmpl-")
    assert len(made.id) == 38
    assert made.model == "gpt-4o-mini-2024-07-18"
    assert made.choices[0].finish_reason == "stop"
    assert made.usage is not None
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens
    assert made.usage.completion_tokens == count(made.choices[0].message.content or "")


def test_the_same_request_gets_the_same_body_and_its_own_request_id(asker: Asker) -> None:
    first, second = asker.send("POST", CHAT, chat()), asker.send("POST", CHAT, chat())
    assert first.body == second.body
    assert header(first, "x-request-id") != header(second, "x-request-id")
    assert (header(first, "x-request-id") or "").startswith("req_")
    assert asker.send("POST", CHAT, chat("Something else")).body != first.body


def test_rate_limit_headers_are_the_providers(asker: Asker) -> None:
    reply = asker.send("POST", CHAT, chat())
    assert header(reply, "content-type") == "application/json"
    assert header(reply, "x-ratelimit-remaining-requests") == "9999"
    total = orjson.loads(whole(reply))["usage"]["total_tokens"]
    assert int(header(reply, "x-ratelimit-remaining-tokens") or 0) == 2_000_000 - total
    assert header(reply, "x-ratelimit-reset-tokens") is not None
    assert int(header(reply, "openai-processing-ms") or 0) > 0


def test_several_choices_share_the_prompt(asker: Asker) -> None:
    one, three = complete(asker, chat()), complete(asker, chat(n=3))
    assert [choice.index for choice in three.choices] == [0, 1, 2]
    assert one.usage is not None
    assert three.usage is not None
    assert three.usage.prompt_tokens == one.usage.prompt_tokens
    assert three.usage.completion_tokens == sum(count(choice.message.content or "") for choice in three.choices)


def test_a_limit_cuts_the_text_and_says_so(asker: Asker) -> None:
    for member in ("max_tokens", "max_completion_tokens"):
        made = complete(asker, chat("Tell me a long story about ducks.", **{member: 3}))
        assert made.choices[0].finish_reason == "length"
        assert made.usage is not None
        assert made.usage.completion_tokens == 3


def test_a_stop_sequence_ends_the_text_before_it(asker: Asker) -> None:
    said = complete(asker, chat("hello")).choices[0].message.content or ""
    middle = said[len(said) // 2 :][:3]
    made = complete(asker, chat("hello", stop=[middle]))
    assert made.choices[0].finish_reason == "stop"
    assert middle not in (made.choices[0].message.content or "")


def test_a_tool_is_called_with_arguments_that_fit(asker: Asker) -> None:
    made = complete(asker, chat("What is the weather in Paris?", tools=[WEATHER]))
    assert made.choices[0].finish_reason == "tool_calls"
    assert made.choices[0].message.content is None
    calls = made.choices[0].message.tool_calls
    assert calls
    assert calls[0].type == "function"
    assert calls[0].id.startswith("call_")
    arguments = orjson.loads(calls[0].function.arguments)
    assert set(arguments) == {"city", "unit"}
    assert arguments["unit"] in ("celsius", "fahrenheit")


def test_a_tool_loop_ends_after_the_result(asker: Asker) -> None:
    body = chat("What is the weather in Paris?", tools=[WEATHER])
    message = asker.json("POST", CHAT, body)["choices"][0]["message"]
    body["messages"] += [
        message,
        *({"role": "tool", "tool_call_id": call["id"], "content": '{"degrees": 21}'} for call in message["tool_calls"]),
    ]
    made = complete(asker, body)
    assert made.choices[0].finish_reason == "stop"
    assert made.choices[0].message.content
    assert not made.choices[0].message.tool_calls


def test_a_call_asked_for_by_name_ends_with_stop(asker: Asker) -> None:
    named = {"type": "function", "function": {"name": "get_weather"}}
    made = complete(asker, chat("Hi", tools=[WEATHER], tool_choice=named))
    assert made.choices[0].finish_reason == "stop"
    assert made.choices[0].message.tool_calls


def test_required_calls_and_none_does_not(asker: Asker) -> None:
    assert complete(asker, chat("Hi", tools=[WEATHER], tool_choice="required")).choices[0].message.tool_calls
    none = complete(asker, chat("Weather in Rome?", tools=[WEATHER], tool_choice="none"))
    assert not none.choices[0].message.tool_calls
    assert none.choices[0].message.content


def test_only_allowed_tools_are_called(asker: Asker) -> None:
    other = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}}
    choice = {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "get_time"}}]},
    }
    made = complete(asker, chat("Weather in Rome?", tools=[WEATHER, other], tool_choice=choice))
    calls = made.choices[0].message.tool_calls
    assert calls
    assert {call.function.name for call in calls if call.type == "function"} == {"get_time"}


def test_legacy_functions_are_called_the_legacy_way(asker: Asker) -> None:
    functions = [WEATHER["function"]]
    made = complete(asker, chat("Weather in Rome?", functions=functions, function_call={"name": "get_weather"}))
    call = made.choices[0].message.function_call
    assert call is not None
    assert call.name == "get_weather"
    assert "city" in orjson.loads(call.arguments)
    auto = complete(asker, chat("Weather in Rome?", functions=functions))
    assert auto.choices[0].finish_reason == "function_call"


def test_a_custom_tool_gets_plain_text(asker: Asker) -> None:
    tool = {"type": "custom", "custom": {"name": "run_code", "description": "Runs code"}}
    made = complete(asker, chat("Run some code", tools=[tool], tool_choice="required"))
    calls = made.choices[0].message.tool_calls
    assert calls
    assert calls[0].type == "custom"
    assert calls[0].custom.name == "run_code"
    assert isinstance(calls[0].custom.input, str)


def test_arguments_without_input_are_the_input() -> None:
    assert custom_call("run", "plain text") == {"name": "run", "input": "plain text"}
    assert custom_call("run", '{"input":"x"}') == {"name": "run", "input": "x"}
    assert custom_call("run", "[1]") == {"name": "run", "input": "[1]"}


def test_a_schema_is_kept_to(asker: Asker) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "legs": {"type": "integer"}},
        "required": ["name", "legs"],
        "additionalProperties": False,
    }
    given_format = {"type": "json_schema", "json_schema": {"name": "animal", "schema": schema, "strict": True}}
    made = complete(asker, chat("Describe a duck", response_format=given_format))
    value = orjson.loads(made.choices[0].message.content or "")
    assert isinstance(value["name"], str)
    assert isinstance(value["legs"], int)
    loose = complete(asker, chat("Answer in JSON", response_format={"type": "json_object"}))
    assert isinstance(orjson.loads(loose.choices[0].message.content or ""), dict)


def test_a_reasoning_model_counts_what_it_does_not_show(asker: Asker) -> None:
    made = complete(asker, chat("Why is the sky blue?", model="o3-mini"))
    assert made.usage is not None
    assert made.usage.completion_tokens_details is not None
    reasoning = made.usage.completion_tokens_details.reasoning_tokens or 0
    assert reasoning > 0
    assert made.usage.completion_tokens == reasoning + count(made.choices[0].message.content or "")
    quiet = complete(asker, chat("Why is the sky blue?", model="gpt-5.1"))
    assert quiet.usage is not None
    assert quiet.usage.completion_tokens_details is not None
    assert quiet.usage.completion_tokens_details.reasoning_tokens == 0


def test_log_probabilities_are_plausible(asker: Asker) -> None:
    made = complete(asker, chat(logprobs=True, top_logprobs=3))
    logprobs = made.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content
    assert "".join(entry.token for entry in logprobs.content) == made.choices[0].message.content
    for entry in logprobs.content:
        assert bytes(entry.bytes or []).decode() == entry.token
        ranked = [other.logprob for other in entry.top_logprobs]
        assert ranked == sorted(ranked, reverse=True)
        assert ranked[0] == entry.logprob
        assert sum(2.718281828**logprob for logprob in ranked) < 1
    bare = complete(asker, chat(logprobs=True)).choices[0].logprobs
    assert bare is not None
    assert bare.content
    assert bare.content[0].top_logprobs == []


def test_spoken_answers_have_sound_and_transcript(asker: Asker) -> None:
    body = chat(model="gpt-audio", modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"})
    made = complete(asker, body)
    audio = made.choices[0].message.audio
    assert audio is not None
    assert audio.transcript
    assert made.choices[0].message.content is None
    with wave.open(io.BytesIO(base64.b64decode(audio.data))) as sound:
        assert sound.getnframes() > 0
    assert audio.expires_at > made.created


def test_service_tiers_are_answered_with(asker: Asker) -> None:
    assert complete(asker, chat()).service_tier == "default"
    assert complete(asker, chat(service_tier="auto")).service_tier == "default"
    assert complete(asker, chat(service_tier="flex")).service_tier == "flex"


def test_a_canned_refusal_is_a_refusal(asker: Asker) -> None:
    canned = Asker("openai", canned=read_replies([{"reply": {"error": {"status": 429, "message": "Slow down"}}}]))
    reply = canned.send("POST", CHAT, chat())
    assert refused(reply, 429)["message"] == "Slow down"
    assert header(reply, "retry-after") is not None
    assert refused(reply, 429)["code"] == "rate_limit_exceeded"
    assert asker.send("POST", CHAT, chat()).status == 200


def test_an_answer_that_is_refused_has_no_content(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = asker.desk.answer

    def refuses(*arguments: Any) -> Any:
        made = answer(*arguments)
        made.stop, made.pieces = Stop.REFUSAL, [Piece("I can't help with that.")]
        return made

    monkeypatch.setattr(asker.desk, "answer", refuses)
    made = complete(asker, chat(logprobs=True))
    assert (made.choices[0].message.content, made.choices[0].message.refusal) == (None, "I can't help with that.")
    streamed = events(asker.send("POST", CHAT, chat(stream=True)))
    deltas = [chunk["choices"][0]["delta"] for chunk in streamed]
    assert "".join(delta.get("refusal") or "" for delta in deltas) == "I can't help with that."


def test_a_strict_proxy_knows_its_models() -> None:
    strict = Asker("openai", is_strict=True)
    assert strict.send("POST", CHAT, chat()).status == 200
    assert strict.send("POST", CHAT, chat(model="ft:gpt-4o-mini:me::1")).status == 200
    error = refused(strict.send("POST", CHAT, chat(model="gpt-9")), 404)
    assert error["code"] == "model_not_found"
    assert "`gpt-9`" in error["message"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = (
    "model", "messages", "tools", "tool_choice", "functions", "function_call", "response_format", "stop", "stream",
    "stream_options", "n", "logprobs", "top_logprobs", "temperature", "modalities", "audio", "metadata", "store",
    "max_tokens", "logit_bias", "reasoning_effort", "parallel_tool_calls", "service_tier", "prediction", "seed",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON_VALUES, max_size=4))
def test_no_member_of_any_type_breaks_it(members: dict[str, Any]) -> None:
    reply = Asker("openai").send("POST", CHAT, json.dumps({**chat(), **members}).encode())
    assert reply.status in (200, 400, 404)


PARTS = st.sampled_from(
    ["text", "image_url", "input_audio", "file", "refusal", "url", "data", "format", "type", "id", "name", "function",
     "arguments", "role", "content", "tool_calls", "tool_call_id", "user", "assistant", "tool", "json_schema", "schema",
     "strict", "custom", "input", "object", "properties"]
)  # fmt: skip
SHAPED = st.recursive(
    PARTS | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PARTS, inner, max_size=4),
    max_leaves=12,
)


@given(SHAPED, SHAPED, SHAPED)
def test_no_message_tool_or_format_breaks_it(message: Any, tool: Any, output: Any) -> None:
    body = {"model": "gpt-4o", "messages": [message, {"role": "user", "content": "json"}]}
    assert Asker("openai").send("POST", CHAT, json.dumps(body).encode()).status in (200, 400)
    body = chat("json", tools=[tool], response_format=output)
    assert Asker("openai").send("POST", CHAT, json.dumps(body).encode()).status in (200, 400)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b'{"model": NaN}',
        b'{"model": "\\ud800"}',
        b"\xff\xfe",
        b'{"a":' * 900 + b"1" + b"}" * 900,
        orjson.dumps(chat())[:-1] + b',"metadata":' + b'{"a":' * 400 + b"1" + b"}" * 401,
        orjson.dumps(chat())[:-1] + b',"prediction":' + b'{"a":' * 300 + b"1" + b"}" * 301,
    ],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_a_body_that_is_no_object_is_a_bad_request(asker: Asker, body: bytes) -> None:
    assert refused(asker.send("POST", CHAT, body))["type"] == "invalid_request_error"


def test_huge_numbers_are_refused_in_order(asker: Asker) -> None:
    for value in (10**30, 1e300, -(10**30)):
        assert refused(asker.send("POST", CHAT, json.dumps(chat(max_tokens=value)).encode()))["param"] == "max_tokens"


@pytest.mark.parametrize(
    ("provider", "target", "model"),
    [
        ("openai", CHAT, "gpt-4o-mini"),
        ("azure_openai", "/openai/v1/chat/completions", "gpt-4o-mini"),
        ("bedrock", "/openai/v1/chat/completions", "openai.gpt-oss-20b-1:0"),
        ("vertex_ai", "/v1beta/openai/chat/completions", "gemini-2.5-flash"),
    ],
)
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"n": 3},
        {"model": "o3-mini"},
        {"service_tier": "flex"},
        {"messages": [{"role": "user", "content": "word " * 2000}]},
        {"tools": [WEATHER], "tool_choice": "required"},
        {"stream": True},
        {"stream": True, "stream_options": {"include_usage": True}, "n": 2},
    ],
    ids=str,
)
def test_the_usage_that_is_handed_over_is_the_one_that_a_reader_finds(
    provider: str, target: str, model: str, members: dict[str, Any]
) -> None:
    asker = Asker(provider)
    for _ in range(2):
        reply = asker.send("POST", target, chat() | {"model": model} | members)
        call = asker.provider.match("POST", target.encode())
        reader = asker.provider.usage_reader(call, BodyFacts(), reply.status, reply.headers)
        assert reader is not None
        reader.feed(whole(reply))
        assert (reader.finish(), reader.is_whole) == (reply.usage, True)


def test_the_usage_of_sounds_is_left_to_readers(asker: Asker) -> None:
    spoken = chat(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"}, model="gpt-audio")
    assert asker.send("POST", CHAT, spoken).usage is None
