"""Messages bodies as questions, answers as messages."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from anthropic.types import Message, message_create_params
from anthropic.types.beta import message_create_params as beta_params

from providers.emulated.answer import Stop
from providers.emulated.base import Refused
from providers.emulated.dialects.anthropic_messages import MEMBERS, message_reply, read_json
from tests.providers.emulated.anthropic_asking import (
    WEATHER,
    PlainShape,
    a_use,
    an_answer,
    body,
    checked,
    read,
    refused,
)
from tests.providers.emulated.asking import whole


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_tokens": 1, "messages": []}, "model: Field required"),
        (body(model=""), "model: String should have at least 1 character"),
        (body(model=5), "model: Input should be a valid string"),
        ({"model": "m", "messages": []}, "max_tokens: Field required"),
        (body(max_tokens="9"), "max_tokens: Input should be a valid integer"),
        (body(max_tokens=True), "max_tokens: Input should be a valid integer"),
        (body(max_tokens=-1), "max_tokens: Input should be greater than or equal to 0"),
        ({"model": "m", "max_tokens": 1}, "messages: Field required"),
        (body(n=2), "n: Extra inputs are not permitted"),
        (body(stream=1), "stream: Input should be a valid boolean"),
        (body(metadata=[]), "metadata: Input should be an object"),
        (body(metadata={"user_id": 5}), "metadata.user_id: Input should be a valid string"),
        (body(service_tier="gold"), "service_tier: Input should be 'auto' or 'standard_only'"),
        (body(speed="slow"), "speed: Input should be 'standard' or 'fast'"),
    ],
)
def test_what_the_service_refuses_is_refused_in_its_words(given: dict[str, Any], message: str) -> None:
    assert refused(given) == message


def test_every_member_the_newest_sdk_can_send_is_taken() -> None:
    in_headers = {"betas", "user_profile_id", "workspace_id"}
    for params in (message_create_params, beta_params):
        assert set(params.MessageCreateParamsBase.__annotations__) - in_headers <= MEMBERS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The request body is not valid JSON: "),
        (b"{nope", "The request body is not valid JSON: "),
        (b'{"a": NaN}', "The request body is not valid JSON: "),
        (b"[1]", "Input should be an object"),
    ],
)
def test_what_is_no_json_object_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_json(data, PlainShape())
    assert whole(refusal.value.reply).decode().startswith(message)


def test_nesting_too_deep_to_be_read_again_is_refused() -> None:
    deep = orjson.loads(b"[" * 600 + b"]" * 600)
    assert refused(body(metadata={"user_id": "x", "deep": deep})).endswith("nested too deeply")


def test_the_question_holds_what_was_asked() -> None:
    request = read(
        body(
            "Say hi.",
            system="Be kind.",
            stop_sequences=["END"],
            temperature=0.25,
            thinking={"type": "enabled", "budget_tokens": 2048, "display": "omitted"},
            max_tokens=4096,
        )
        | {"temperature": 1, "stream": True}
    )
    question = request.question
    assert [(turn.role, turn.text) for turn in question.turns] == [("system", "Be kind."), ("user", "Say hi.")]
    assert (question.model, question.max_tokens, question.stops) == ("claude-haiku-4-5", 4096, ("END",))
    assert (question.temperature, question.thinks, question.thinking_tokens) == (1.0, True, 2048)
    assert request.is_streaming
    assert not request.shows_thinking
    assert question.caches == ()


def test_a_model_named_elsewhere_needs_none_in_the_body() -> None:
    given = body()
    del given["model"]
    request = read(given, model="us.anthropic.claude-x")
    assert (request.model, request.question.model) == ("us.anthropic.claude-x", "us.anthropic.claude-x")
    assert read(given, model="another").question.digest != request.question.digest


def test_the_digest_is_the_same_for_a_stream_and_for_counting() -> None:
    assert read(body(stream=True)).question.digest == read(body()).question.digest
    assert read(body("Something else.")).question.digest != read(body()).question.digest


def test_counting_needs_no_limit_and_ignores_one() -> None:
    given = body()
    del given["max_tokens"]
    assert read(given, is_counting=True).question.max_tokens is None
    assert refused(given) == "max_tokens: Field required"


def test_marked_blocks_are_cached_up_to_their_turn_and_as_long_as_the_last_one_says() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    request = read(
        body(
            [{"type": "text", "text": "One"}, {"type": "text", "text": "Two", **hour}],
            tools=[{**WEATHER, **mark}],
            system=[{"type": "text", "text": "Be kind.", **mark}],
        )
    )
    assert (request.question.caches, request.cache_ttl) == ((0, 1, 2), "1h")
    assert read(body(cache_control={"type": "ephemeral"})).question.caches == (1,)


def test_more_than_four_marks_are_too_many() -> None:
    block = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    assert refused(body([block] * 4)) == ""
    assert refused(body([block] * 5)) == "A maximum of 4 blocks with cache_control may be provided. Found 5."


def test_a_whole_message_is_what_the_sdk_expects() -> None:
    request = read(body(tools=[WEATHER], thinking={"type": "adaptive"}))
    answer = an_answer(thinking_pieces=["Let me", " think."], tool_uses=[a_use()], stop=Stop.TOOLS, reasoning_tokens=2)
    message = checked(Message, message_reply(answer, request))
    thinking, text, use = message.content
    assert (thinking.thinking, text.text, use.input) == ("Let me think.", "Hello there!", {"city": "Paris"})
    assert len(thinking.signature) > 100
    assert message.stop_reason == "tool_use"
    assert message.id.startswith("msg_test_01")
    assert use.id.startswith("toolu_test_01")
    assert message.usage.output_tokens_details.thinking_tokens == 2


def test_thinking_that_there_is_is_shown_though_not_asked_for() -> None:
    answer = an_answer(thinking_pieces=["Hm."])
    assert [block["type"] for block in message_reply(answer, read(body()))["content"]] == ["thinking", "text"]


def test_omitted_thinking_leaves_its_seal() -> None:
    request = read(body(thinking={"type": "adaptive", "display": "omitted"}))
    block = message_reply(an_answer(thinking_pieces=["Hm."]), request)["content"][0]
    assert (block["type"], block["thinking"]) == ("thinking", "")
    assert block["signature"]


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        (Stop.END, "end_turn"),
        (Stop.LENGTH, "max_tokens"),
        (Stop.SEQUENCE, "stop_sequence"),
        (Stop.TOOLS, "tool_use"),
        (Stop.REFUSAL, "refusal"),
    ],
)
def test_every_end_has_its_reason(stop: Stop, reason: str) -> None:
    reply = message_reply(an_answer(stop=stop, stop_sequence="END" if stop is Stop.SEQUENCE else None), read(body()))
    message = checked(Message, reply)
    assert message.stop_reason == reason
    assert (message.stop_details is not None) == (stop is Stop.REFUSAL)
    assert message.stop_sequence == ("END" if stop is Stop.SEQUENCE else None)


def test_input_tokens_leave_out_what_the_prompt_cache_had_or_got() -> None:
    request = read(body(cache_control={"type": "ephemeral", "ttl": "1h"}))
    answer = an_answer(input_tokens=5000, cached_tokens=3000, cache_write_tokens=1500)
    usage = message_reply(answer, request)["usage"]
    assert usage["input_tokens"] == 500
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (3000, 1500)
    assert usage["cache_creation"] == {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1500}


def test_arguments_cut_off_are_an_empty_object() -> None:
    answer = an_answer("", tool_uses=[a_use('{"city":"Par')], stop=Stop.LENGTH)
    message = checked(Message, message_reply(answer, read(body(tools=[WEATHER]))))
    assert [block.input for block in message.content] == [{}]
