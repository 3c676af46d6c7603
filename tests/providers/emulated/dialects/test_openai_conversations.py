from __future__ import annotations

from typing import Any

import pytest
from openai.types.conversations import (
    Conversation,
    ConversationDeletedResource,
    ConversationItem,
    ConversationItemList,
)
from pydantic import TypeAdapter

from tests.providers.emulated.asking import Asker
from tests.providers.emulated.responses_asking import WEATHER, ask, refusal, stream

_ITEM: TypeAdapter[Any] = TypeAdapter(ConversationItem)


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def made_in(asker: Asker, body: dict[str, Any] | None = None) -> str:
    found = asker.json("POST", "/v1/conversations", body or {})
    Conversation.model_validate(found)
    return str(found["id"])


def texts(asker: Asker, conversation: str) -> list[str]:
    page = asker.json("GET", f"/v1/conversations/{conversation}/items?order=asc&limit=100")
    ConversationItemList.model_validate(page)
    return [item["content"][0]["text"] for item in page["data"]]


def test_every_conversation_is_a_new_one(asker: Asker) -> None:
    assert made_in(asker) != made_in(asker)


def test_a_conversation_is_kept_changed_and_deleted(asker: Asker) -> None:
    given = made_in(asker, {"metadata": {"topic": "ducks"}})
    path = f"/v1/conversations/{given}"
    assert asker.json("GET", path)["metadata"] == {"topic": "ducks"}
    assert asker.json("POST", path, {"metadata": {"topic": "geese"}})["metadata"] == {"topic": "geese"}
    assert asker.json("GET", path)["metadata"] == {"topic": "geese"}
    deleted = asker.json("DELETE", path)
    ConversationDeletedResource.model_validate(deleted)
    assert deleted == {"id": given, "object": "conversation.deleted", "deleted": True}
    status, error = refusal(asker, "GET", path)
    assert (status, error["message"]) == (404, f"Conversation with id '{given}' not found.")


def test_a_body_is_not_needed(asker: Asker) -> None:
    assert asker.json("POST", "/v1/conversations")["object"] == "conversation"


def test_items_are_added_listed_retrieved_and_deleted(asker: Asker) -> None:
    given = made_in(asker, {"items": [{"role": "user", "content": "One."}]})
    path = f"/v1/conversations/{given}/items"
    new = [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Two."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Three."}]},
    ]
    added = asker.json("POST", path, {"items": new})
    ConversationItemList.model_validate(added)
    assert [item["content"][0]["text"] for item in added["data"]] == ["Two.", "Three."]
    assert texts(asker, given) == ["One.", "Two.", "Three."]
    item = added["data"][0]
    _ITEM.validate_python(item)
    assert asker.json("GET", f"{path}/{item['id']}") == item
    assert asker.json("DELETE", f"{path}/{item['id']}")["id"] == given
    assert texts(asker, given) == ["One.", "Three."]
    assert refusal(asker, "GET", f"{path}/{item['id']}")[0] == 404


def test_a_response_reads_a_conversation_and_adds_to_it(asker: Asker) -> None:
    given = made_in(asker, {"items": [{"role": "user", "content": "My name is Ann."}]})
    first = ask(asker, {"input": "What is my name?", "conversation": given})
    assert first["conversation"] == {"id": given}
    assert "Ann" in first["output"][0]["content"][0]["text"]
    second = stream(asker, {"input": "Thanks.", "conversation": {"id": given}})[-1]["response"]
    answers = [made["output"][0]["content"][0]["text"] for made in (first, second)]
    assert texts(asker, given) == ["My name is Ann.", "What is my name?", answers[0], "Thanks.", answers[1]]
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"]


def test_the_same_words_again_make_another_response(asker: Asker) -> None:
    given = made_in(asker)
    first, second = [ask(asker, {"input": "Say hello.", "conversation": given}) for _ in range(2)]
    assert first["id"] != second["id"]
    assert len(texts(asker, given)) == 4


def test_calls_in_a_conversation_are_answered_in_it(asker: Asker) -> None:
    given = made_in(asker)
    body = {"conversation": given, "tools": [WEATHER]}
    first = ask(asker, body | {"input": "What is the weather in Paris?", "tool_choice": "required"})
    output = {"type": "function_call_output", "call_id": first["output"][-1]["call_id"], "output": "18 degrees"}
    second = ask(asker, body | {"input": [output]})
    assert second["output"][-1]["type"] == "message"
    for item in asker.json("GET", f"/v1/conversations/{given}/items")["data"]:
        _ITEM.validate_python(item)


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("", {"items": "x"}, "items"),
        ("", {"items": [{"role": "user", "content": "x"}] * 21}, "items"),
        ("", {"metadata": {"a": 1}}, "metadata.a"),
        ("", {"bogus": 1}, "bogus"),
        ("/items", {}, "items"),
    ],
)
def test_a_wrong_body_is_refused(asker: Asker, path: str, body: dict[str, Any], param: str) -> None:
    target = f"/v1/conversations{f'/{made_in(asker)}{path}' if path else ''}"
    status, error = refusal(asker, "POST", target, body)
    assert (status, error["param"]) == (400, param)
