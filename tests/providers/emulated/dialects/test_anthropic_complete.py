"""The legacy text completions."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.wire.sse import events
from tests.providers.emulated.anthropic_asking import error
from tests.providers.emulated.asking import Asker, whole

PROMPT = "\n\nHuman: Say hello.\n\nAssistant:"
# Source: anthropic-sdk-python 0.125.0 `types/completion.py`, the last generation that knew it.
MEMBERS = {"type", "id", "completion", "stop_reason", "model", "stop", "log_id"}


def asked(**more: Any) -> dict[str, Any]:
    return {"model": "claude-2.1", "max_tokens_to_sample": 100, "prompt": PROMPT, **more}


@pytest.fixture
def asker() -> Asker:
    return Asker("anthropic")


def test_a_completion_answers_the_last_human(asker: Asker) -> None:
    reply = asker.json("POST", "/v1/complete", asked())
    assert set(reply) == MEMBERS
    assert "hello" in reply["completion"].lower()
    assert (reply["type"], reply["stop_reason"], reply["stop"]) == ("completion", "stop_sequence", "\n\nHuman:")


def test_a_stream_says_the_same(asker: Asker) -> None:
    reply = asker.json("POST", "/v1/complete", asked())
    found = [*events(whole(asker.send("POST", "/v1/complete", asked(stream=True))))]
    parts = [orjson.loads(event.data) for event in found if event.name == "completion"]
    assert "".join(part["completion"] for part in parts) == reply["completion"]
    assert [part["stop_reason"] for part in parts[-2:]] == [None, "stop_sequence"]
    assert {part["id"] for part in parts} == {reply["id"]}


def test_the_limit_cuts_the_completion(asker: Asker) -> None:
    reply = asker.json("POST", "/v1/complete", asked(max_tokens_to_sample=1))
    assert (reply["stop_reason"], reply["stop"]) == ("max_tokens", None)


def test_earlier_turns_are_read(asker: Asker) -> None:
    turns = "\n\nHuman: My name is Ann.\n\nAssistant: Hello Ann.\n\nHuman: Say goodbye.\n\nAssistant:"
    assert asker.json("POST", "/v1/complete", asked(prompt=turns)) != asker.json("POST", "/v1/complete", asked())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "model: Field required"),
        ({"model": "m", "prompt": PROMPT}, "max_tokens_to_sample: Field required"),
        (asked(max_tokens_to_sample=0), "max_tokens_to_sample: Input should be greater than or equal to 1"),
        (asked(prompt="Say hello."), 'prompt must start with "\n\nHuman:" turn'),
        (asked(prompt="\n\nHuman: Say hello."), 'prompt must end with "\n\nAssistant:" turn'),
        (asked(temperature=2), "temperature: range: 0..1"),
        (asked(stream="yes"), "stream: Input should be a valid boolean"),
        (asked(stop_sequences=[5]), "stop_sequences.0: Input should be a valid string"),
    ],
)
def test_what_is_missing_or_wrong_is_told(asker: Asker, given: dict[str, Any], message: str) -> None:
    assert error(asker.send("POST", "/v1/complete", given)) == (400, "invalid_request_error", message)
