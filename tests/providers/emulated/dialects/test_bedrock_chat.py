from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from providers.emulated.desk import Desk
from providers.emulated.dialects import bedrock_chat
from providers.emulated.dialects.bedrock_errors import Refusal

MESSAGES = [{"role": "user", "content": "Say hello."}]


def ask(model: str, *, is_streaming: bool = False, **body: Any) -> Any:
    desk = Desk()
    asked = bedrock_chat.read(
        {"messages": MESSAGES, **body}, desk, operation="invoke", model=model, is_streaming=is_streaming
    )
    answers = [desk.answer(asked.question, index) for index in range(asked.choices)]
    if is_streaming:
        return [orjson.loads(event) for event, _, _ in bedrock_chat.events(asked, answers)]
    return orjson.loads(orjson.dumps(bedrock_chat.reply(asked, answers)))


def test_a_reply_is_a_chat_completion() -> None:
    reply = ChatCompletion.model_validate(ask("openai.gpt-oss-20b-1:0"))
    assert reply.model == "openai.gpt-oss-20b-1:0"
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_what_is_streamed_adds_up_to_the_whole_reply() -> None:
    whole = ChatCompletion.model_validate(ask("qwen.qwen3-32b-v1:0"))
    chunks = [ChatCompletionChunk.model_validate(event) for event in ask("qwen.qwen3-32b-v1:0", is_streaming=True)]
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert {chunk.id for chunk in chunks} == {whole.id}


def test_the_first_mistral_models_have_choices_of_their_own() -> None:
    (choice,) = ask("mistral.mistral-large-2402-v1:0")["choices"]
    events = ask("mistral.mistral-large-2402-v1:0", is_streaming=True)
    assert set(choice) == {"index", "message", "stop_reason"}
    assert set(choice["message"]) == {"role", "content"}
    assert "".join(event["choices"][0]["message"]["content"] for event in events) == choice["message"]["content"]
    assert [event["choices"][0]["stop_reason"] for event in events][-2:] == [None, "stop"]


def test_what_a_body_says_of_streaming_does_not_count() -> None:
    assert ask("openai.gpt-oss-20b-1:0", stream=True)["object"] == "chat.completion"


def test_a_guardrail_s_settings_are_for_bedrock_alone() -> None:
    guarded = ask("openai.gpt-oss-20b-1:0", **{"amazon-bedrock-guardrailConfig": {"tagSuffix": "x"}})
    assert guarded == ask("openai.gpt-oss-20b-1:0")


def test_several_choices_are_given() -> None:
    assert [choice["index"] for choice in ask("openai.gpt-oss-20b-1:0", n=2)["choices"]] == [0, 1]


def test_a_body_that_does_not_fit_is_refused_in_bedrock_s_shape() -> None:
    with pytest.raises(Refusal, match="Missing required parameter: 'messages'") as refusal:
        bedrock_chat.read({}, Desk(), operation="invoke", model="x", is_streaming=False)
    assert refusal.value.status == 400
