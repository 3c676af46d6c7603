"""Conversations that are held between turns."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.providers.emulated.anthropic_asking import WEATHER, body, error
from tests.providers.emulated.asking import Asker, whole

CREATE = {"type": "create"}


@pytest.fixture
def asker() -> Asker:
    return Asker("anthropic")


def following(reply: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
    return body(text, thread={"type": "continue", "previous_message_id": reply["id"]}, **more)


def test_a_continued_thread_is_answered_like_the_whole_conversation(asker: Asker) -> None:
    first = asker.json("POST", "/v1/messages", body("My name is Ann.", system="Be kind.", thread=CREATE))
    second = asker.json("POST", "/v1/messages", following(first, "What is my name?"))
    turns = [
        {"role": "user", "content": "My name is Ann."},
        {"role": "assistant", "content": first["content"]},
        {"role": "user", "content": "What is my name?"},
    ]
    assert asker.json("POST", "/v1/messages", body(messages=turns, system="Be kind.")) == second
    counted = asker.json("POST", "/v1/messages/count_tokens", following(first, "What is my name?"))
    assert counted["input_tokens"] == second["usage"]["input_tokens"]


def test_a_thread_goes_on_after_tool_calls_and_streams(asker: Asker) -> None:
    given = body("Weather in Paris?", tools=[WEATHER], tool_choice={"type": "any"}, thread=CREATE, stream=True)
    assert asker.send("POST", "/v1/messages", given).status == 200
    reply = asker.json("POST", "/v1/messages", {**given, "stream": False})
    result = {"type": "tool_result", "tool_use_id": reply["content"][-1]["id"], "content": "12 degrees"}
    last = asker.json("POST", "/v1/messages", following(reply, [result]))
    assert "12 degrees" in last["content"][0]["text"]


@pytest.mark.parametrize(
    ("thread", "status", "code"),
    [
        ({}, 400, None),
        ({"type": "continue"}, 400, None),
        ({"type": "continue", "previous_message_id": 5}, 400, None),
        ({"type": "continue", "previous_message_id": "msg_none"}, 404, "thread_not_found"),
    ],
)
def test_a_thread_that_is_not_there_is_refused(asker: Asker, thread: Any, status: int, code: str | None) -> None:
    reply = asker.send("POST", "/v1/messages", body(thread=thread))
    assert error(reply)[0] == status
    assert orjson.loads(whole(reply))["error"].get("details") == ({"error_code": code} if code else None)


def test_what_a_thread_began_with_cannot_change(asker: Asker) -> None:
    first = asker.json("POST", "/v1/messages", body(system="Be kind.", thread=CREATE))
    reply = asker.send("POST", "/v1/messages", following(first, "And now?", system="Be rude."))
    assert orjson.loads(whole(reply))["error"]["details"] == {"error_code": "thread_fingerprint_mismatch"}
    assert asker.send("POST", "/v1/messages", following(first, "And now?", system="Be kind.")).status == 200


def test_a_reply_in_a_thread_is_not_told_to_be_repeatable(asker: Asker) -> None:
    assert not asker.send("POST", "/v1/messages", body(thread=CREATE)).is_repeatable
    assert asker.send("POST", "/v1/messages", body()).is_repeatable
