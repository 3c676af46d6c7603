from __future__ import annotations

from typing import Any

import pytest
from openai.types import Completion

from tests.providers.emulated.asking import Asker
from tests.providers.emulated.openai_asking import events, refused, typed, validated

TARGET = "/v1/completions"


def body(prompt: Any = "Once upon a time", **members: Any) -> dict[str, Any]:
    return {"model": "gpt-3.5-turbo-instruct", "prompt": prompt, **members}


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def complete(asker: Asker, **members: Any) -> Completion:
    return typed(Completion, asker.send("POST", TARGET, body(**members)))


def test_a_prompt_is_gone_on_with(asker: Asker) -> None:
    made = complete(asker)
    assert made.id.startswith("cmpl-")
    assert made.choices[0].text
    assert made.usage is not None
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens
    assert asker.send("POST", TARGET, body()).body == asker.send("POST", TARGET, body()).body


def test_no_more_than_sixteen_tokens_come_unless_asked_for(asker: Asker) -> None:
    usual = complete(asker, prompt="Tell me a very long story about many ducks in a pond, please, in detail.")
    assert usual.usage is not None
    assert usual.usage.completion_tokens <= 16
    short = complete(asker, max_tokens=2)
    assert short.choices[0].finish_reason == "length"


def test_every_prompt_has_its_choices(asker: Asker) -> None:
    made = complete(asker, prompt=["one", "two", "three"], n=2)
    assert [choice.index for choice in made.choices] == list(range(6))
    assert len(complete(asker, prompt=[1, 2, 3]).choices) == 1
    assert len(complete(asker, prompt=[[1, 2], [3]]).choices) == 2
    assert complete(asker, prompt=None).choices[0].index == 0


def test_the_prompt_is_echoed(asker: Asker) -> None:
    made = complete(asker, echo=True, logprobs=1)
    assert made.choices[0].text.startswith("Once upon a time")
    logprobs = made.choices[0].logprobs
    assert logprobs is not None
    assert "".join(logprobs.tokens or []) == made.choices[0].text
    assert logprobs.text_offset is not None
    assert logprobs.text_offset[1] == len("Once upon a time")


@pytest.mark.parametrize(
    "members",
    [{}, {"n": 2}, {"echo": True, "logprobs": 2}, {"prompt": ["a", "b"], "echo": True}, {"max_tokens": 1}],
    ids=str,
)
def test_a_stream_put_together_is_the_unary_reply(asker: Asker, members: dict[str, Any]) -> None:
    unary = asker.json("POST", TARGET, body(**members))
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = events(asker.send("POST", TARGET, body(**members, **options)))
    *others, last = chunks
    assert last["usage"] == unary["usage"]
    made: dict[int, dict[str, Any]] = {}
    for chunk in others:
        # The SDK's type of a chunk is that of a whole reply, whose choices have ended.
        for choice in chunk["choices"]:
            ended = {**choice, "finish_reason": choice["finish_reason"] or "stop"}
            validated(Completion, {**chunk, "choices": [ended]})
            found = made.setdefault(choice["index"], {"text": "", "tokens": [], "finish_reason": None})
            found["text"] += choice["text"]
            found["finish_reason"] = choice["finish_reason"]
            found["tokens"] += (choice["logprobs"] or {"tokens": []})["tokens"]
    for choice in unary["choices"]:
        found = made[choice["index"]]
        assert (found["text"], found["finish_reason"]) == (choice["text"], choice["finish_reason"])
        if choice["logprobs"]:
            assert found["tokens"] == choice["logprobs"]["tokens"]


def test_it_is_refused_in_openais_words(asker: Asker) -> None:
    assert "v1/chat/completions" in refused(asker.send("POST", TARGET, body() | {"model": "gpt-4o"}), 404)["message"]
    assert refused(asker.send("POST", TARGET, {"prompt": "x"}))["message"] == "you must provide a model parameter"
    assert refused(asker.send("POST", TARGET, body(prompt={"a": 1})))["code"] == "invalid_type"
    assert refused(asker.send("POST", TARGET, body(prompt=[1, "a"])))["param"] == "prompt[0]"
    assert refused(asker.send("POST", TARGET, body(logprobs=6)))["code"] == "integer_above_max_value"
    assert refused(asker.send("POST", TARGET, body(n=3, best_of=2)))["param"] == "best_of"
    assert refused(asker.send("POST", TARGET, body(messages=[])))["message"].endswith("supplied: messages")
    assert refused(asker.send("POST", TARGET, body(prompt=[])))["param"] == "prompt"
