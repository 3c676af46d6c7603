from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.providers.emulated.asking import Asker, header
from tests.providers.emulated.openai_asking import WEATHER, chat, events, typed, validated

CHAT = "/v1/chat/completions"
BODIES = {
    "plain": chat(),
    "limited": chat("Tell me a long story.", max_tokens=4),
    "two choices": chat(n=2),
    "tools": chat("What is the weather in Paris and in Rome?", tools=[WEATHER]),
    "functions": chat("Weather in Paris?", functions=[WEATHER["function"]]),
    "named": chat(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "get_weather"}}),
    "probabilities": chat(logprobs=True, top_logprobs=2),
    "json": chat("Answer in json", response_format={"type": "json_object"}),
    "reasoning": chat(model="o4-mini"),
    "unicode": chat("Sag: „Grüße“ 🦆"),
    "tiny": chat(max_tokens=1),
}


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def assembled(chunks: list[Any]) -> dict[int, dict[str, Any]]:
    """What a client makes of the chunks: by choice, the message and how it ends."""
    found: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            made = found.setdefault(choice["index"], {"message": {}, "finish_reason": None, "logprobs": None})
            merge(made["message"], choice["delta"])
            made["finish_reason"] = choice["finish_reason"] or made["finish_reason"]
            if choice["logprobs"]:
                made["logprobs"] = made["logprobs"] or {"content": [], "refusal": None}
                made["logprobs"]["content"] += choice["logprobs"]["content"]
    return found


def merge(into: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            calls = into.setdefault(name, {})
            for call in value:
                index = call.pop("index")
                merge(calls.setdefault(index, {}), call)
        elif isinstance(value, dict):
            merge(into.setdefault(name, {}), value)
        elif isinstance(value, str) and isinstance(into.get(name), str) and name not in ("role", "type", "id"):
            into[name] += value
        elif value is not None or name not in into:
            into[name] = value


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_stream_put_together_is_the_unary_reply(asker: Asker, body: dict[str, Any]) -> None:
    unary = asker.json("POST", CHAT, body)
    reply = asker.send("POST", CHAT, {**body, "stream": True, "stream_options": {"include_usage": True}})
    chunks = events(reply)
    for chunk in chunks:
        validated(ChatCompletionChunk, chunk)
        assert (chunk["id"], chunk["created"], chunk["model"]) == (unary["id"], unary["created"], unary["model"])
    *others, last = chunks
    assert (last["choices"], last["usage"]) == ([], unary["usage"])
    assert all(chunk["usage"] is None for chunk in others)
    made = assembled(chunks)
    for choice in unary["choices"]:
        message = made[choice["index"]]["message"]
        if "tool_calls" in message:
            message["tool_calls"] = [message["tool_calls"][index] for index in sorted(message["tool_calls"])]
        expected = {name: value for name, value in choice["message"].items() if name != "annotations"}
        assert message == expected
        assert made[choice["index"]]["finish_reason"] == choice["finish_reason"]
        if choice["logprobs"]:
            assert made[choice["index"]]["logprobs"]["content"] == choice["logprobs"]["content"]


def test_a_stream_begins_with_the_role_and_ends_with_the_mark(asker: Asker) -> None:
    reply = asker.send("POST", CHAT, chat(stream=True))
    assert header(reply, "content-type") == "text/event-stream; charset=utf-8"
    assert not isinstance(reply.body, bytes)
    assert reply.body[-1].data == b"data: [DONE]\n\n"
    chunks = events(reply)
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert chunks[-1]["choices"][0]["delta"] == {}
    assert all("usage" not in chunk for chunk in chunks)
    assert sum(frame.tokens for frame in reply.body) == len(chunks) - 2


def test_a_call_comes_by_name_first_and_then_piece_by_piece(asker: Asker) -> None:
    chunks = events(asker.send("POST", CHAT, {**BODIES["tools"], "stream": True}))
    first = chunks[0]["choices"][0]["delta"]
    assert first["role"] == "assistant"
    assert first["content"] is None
    opened = first["tool_calls"][0]
    assert opened["index"] == 0
    assert opened["function"] == {"name": "get_weather", "arguments": ""}
    following = chunks[1]["choices"][0]["delta"]["tool_calls"][0]
    assert set(following) == {"index", "function"}
    assert set(following["function"]) == {"arguments"}


def test_reasoning_takes_its_time_before_the_first_chunk(asker: Asker) -> None:
    body = chat(model="o4-mini")
    details = asker.json("POST", CHAT, body)["usage"]["completion_tokens_details"]
    reply = asker.send("POST", CHAT, {**body, "stream": True})
    assert not isinstance(reply.body, bytes)
    assert reply.body[0].tokens == details["reasoning_tokens"] > 0


def test_padding_can_be_left_out(asker: Asker) -> None:
    padded = events(asker.send("POST", CHAT, chat(stream=True)))
    bare = events(asker.send("POST", CHAT, chat(stream=True, stream_options={"include_obfuscation": False})))
    assert all("obfuscation" in chunk for chunk in padded)
    assert not any("obfuscation" in chunk for chunk in bare)
    assert [chunk["choices"] for chunk in padded] == [chunk["choices"] for chunk in bare]


def test_sound_is_streamed_with_its_transcript(asker: Asker) -> None:
    body = chat(model="gpt-audio", modalities=["text", "audio"], audio={"voice": "alloy", "format": "pcm16"})
    unary = asker.json("POST", CHAT, body)["choices"][0]["message"]["audio"]
    chunks = events(asker.send("POST", CHAT, {**body, "stream": True}))
    for chunk in chunks:
        validated(ChatCompletionChunk, chunk)
    made = assembled(chunks)[0]["message"]["audio"]
    assert made == unary


def test_moderation_comes_in_a_chunk_of_its_own(asker: Asker) -> None:
    body = chat("I will kill the duck", moderation={"model": "omni-moderation-latest"})
    unary = typed(ChatCompletion, asker.send("POST", CHAT, body))
    assert unary.moderation is not None
    assert unary.moderation.input.type == "moderation_results"
    assert unary.moderation.input.results[0].flagged
    options = {"include_usage": True}
    chunks = events(asker.send("POST", CHAT, {**body, "stream": True, "stream_options": options}))
    (moderated,) = [chunk for chunk in chunks if "moderation" in chunk]
    validated(ChatCompletionChunk, moderated)
    assert moderated["moderation"] == unary.moderation.to_dict()
    assert moderated["choices"] == []
    assert chunks[-1]["usage"]


def test_custom_tools_are_streamed(asker: Asker) -> None:
    body = chat(tools=[{"type": "custom", "custom": {"name": "run"}}], tool_choice="required")
    unary = asker.json("POST", CHAT, body)["choices"][0]["message"]["tool_calls"]
    made = assembled(events(asker.send("POST", CHAT, {**body, "stream": True})))[0]["message"]["tool_calls"]
    assert list(made.values()) == unary


def test_unary_types_hold_for_every_body(asker: Asker) -> None:
    for body in BODIES.values():
        assert typed(ChatCompletion, asker.send("POST", CHAT, body)).object == "chat.completion"
