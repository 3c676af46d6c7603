from __future__ import annotations

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionDeleted

from tests.providers.emulated.asking import Asker
from tests.providers.emulated.openai_asking import chat, refused, typed

CHAT = "/v1/chat/completions"


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def store(asker: Asker, prompt: str, **metadata: str) -> str:
    completion_id = asker.json("POST", CHAT, chat(prompt, store=True, metadata=metadata))["id"]
    assert isinstance(completion_id, str)
    return completion_id


def test_a_stored_completion_is_told_again(asker: Asker) -> None:
    made = asker.json("POST", CHAT, chat("Hi", store=True, seed=4))
    kept = asker.json("GET", f"{CHAT}/{made['id']}")
    assert typed(ChatCompletion, asker.send("GET", f"{CHAT}/{made['id']}")).id == made["id"]
    assert {name: kept[name] for name in made} == made
    assert kept["seed"] == 4


def test_one_that_was_not_to_be_stored_is_not(asker: Asker) -> None:
    made = asker.json("POST", CHAT, chat("Hi"))
    assert refused(asker.send("GET", f"{CHAT}/{made['id']}"), 404)["type"] == "invalid_request_error"


def test_the_list_is_paged_and_searched(asker: Asker) -> None:
    ids = [store(asker, f"prompt {number}", run=str(number % 2)) for number in range(4)]
    assert [entry["id"] for entry in asker.json("GET", CHAT)["data"]] == ids
    first = asker.json("GET", f"{CHAT}?limit=3")
    assert (len(first["data"]), first["has_more"], first["last_id"]) == (3, True, ids[2])
    rest = asker.json("GET", f"{CHAT}?limit=3&after={ids[2]}")
    assert ([entry["id"] for entry in rest["data"]], rest["has_more"]) == ([ids[3]], False)
    assert len(asker.json("GET", f"{CHAT}?metadata%5Brun%5D=1")["data"]) == 2
    assert asker.json("GET", f"{CHAT}?model=gpt-4o")["data"] == []
    assert asker.json("GET", f"{CHAT}?order=desc")["data"][0]["id"] == ids[3]


def test_its_metadata_can_be_changed(asker: Asker) -> None:
    completion_id = store(asker, "Hi", a="b")
    assert asker.json("POST", f"{CHAT}/{completion_id}", {"metadata": {"c": "d"}})["metadata"] == {"c": "d"}
    assert asker.json("GET", f"{CHAT}/{completion_id}")["metadata"] == {"c": "d"}
    assert refused(asker.send("POST", f"{CHAT}/{completion_id}", {}))["param"] == "metadata"


def test_its_messages_are_listed(asker: Asker) -> None:
    body = chat([{"type": "text", "text": "Hi"}], store=True)
    made = asker.json("POST", CHAT, body)
    (message,) = asker.json("GET", f"{CHAT}/{made['id']}/messages")["data"]
    assert message["role"] == "user"
    assert message["content_parts"] == [{"type": "text", "text": "Hi"}]


def test_a_deleted_one_is_gone(asker: Asker) -> None:
    completion_id = store(asker, "Hi")
    gone = typed(ChatCompletionDeleted, asker.send("DELETE", f"{CHAT}/{completion_id}"))
    assert (gone.deleted, gone.id) == (True, completion_id)
    assert asker.send("GET", f"{CHAT}/{completion_id}").status == 404
    assert asker.send("DELETE", f"{CHAT}/{completion_id}").status == 404


def test_a_streamed_completion_is_stored_too(asker: Asker) -> None:
    asker.send("POST", CHAT, chat("Hi", store=True, stream=True))
    (kept,) = asker.json("GET", CHAT)["data"]
    assert kept["object"] == "chat.completion"
    assert kept["choices"][0]["message"]["content"]
