from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai.types import Batch
from openai.types.chat import ChatCompletion

from providers.emulated.canned_grammar import read_replies
from tests.providers.emulated.asking import Asker
from tests.providers.emulated.openai_asking import ask_form, chat, refused, typed, validated

CHAT = "/v1/chat/completions"


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def line(custom_id: str, body: Any, **members: Any) -> dict[str, Any]:
    return {"custom_id": custom_id, "method": "POST", "url": CHAT, "body": body, **members}


def put(asker: Asker, *lines: Any, purpose: str = "batch") -> str:
    content = b"\n".join(entry if isinstance(entry, bytes) else orjson.dumps(entry) for entry in lines)
    made = ask_form(asker, "/v1/files", {"purpose": purpose}, file=("in.jsonl", content))
    assert isinstance(made.body, bytes)
    return str(orjson.loads(made.body)["id"])


def run(asker: Asker, file_id: str, endpoint: str = CHAT, **members: Any) -> Batch:
    body = {"input_file_id": file_id, "endpoint": endpoint, "completion_window": "24h", **members}
    made = typed(Batch, asker.send("POST", "/v1/batches", body))
    assert made.status == "validating"
    return typed(Batch, asker.send("GET", f"/v1/batches/{made.id}"))


def read(asker: Asker, file_id: str | None) -> list[Any]:
    body = asker.send("GET", f"/v1/files/{file_id}/content").body
    assert isinstance(body, bytes)
    return [orjson.loads(entry) for entry in body.splitlines()]


def test_every_line_is_answered_as_it_would_be_alone(asker: Asker) -> None:
    done = run(asker, put(asker, line("1", chat("one")), line("2", chat("two", stream=True))), metadata={"a": "b"})
    assert done.status == "completed"
    assert done.metadata == {"a": "b"}
    assert done.model == "gpt-4o-mini-2024-07-18"
    assert done.request_counts is not None
    assert (done.request_counts.total, done.request_counts.completed, done.request_counts.failed) == (2, 2, 0)
    first, second = read(asker, done.output_file_id)
    assert (first["custom_id"], second["custom_id"]) == ("1", "2")
    assert first["response"]["body"] == asker.json("POST", CHAT, chat("one"))
    completions = [validated(ChatCompletion, entry["response"]["body"]) for entry in (first, second)]
    assert done.usage is not None
    assert done.usage.total_tokens == sum(made.usage.total_tokens for made in completions if made.usage)
    assert done.error_file_id is None


def test_lines_that_are_refused_go_to_the_error_file(asker: Asker) -> None:
    done = run(asker, put(asker, line("1", chat()), line("2", {"model": "gpt-4o"})))
    assert done.request_counts is not None
    assert (done.request_counts.completed, done.request_counts.failed) == (1, 1)
    (failed,) = read(asker, done.error_file_id)
    assert failed["response"]["status_code"] == 400
    assert failed["response"]["body"]["error"]["param"] == "messages"


def test_a_canned_error_is_that_of_one_line() -> None:
    reply = {"match": {"prompt_contains": "one"}, "reply": {"error": {"status": 500}}}
    asker = Asker("openai", canned=read_replies([reply]))
    done = run(asker, put(asker, line("1", chat("one")), line("2", chat("two"))))
    (failed,) = read(asker, done.error_file_id)
    assert (failed["custom_id"], failed["response"]["status_code"]) == ("1", 500)
    assert len(read(asker, done.output_file_id)) == 1


def test_embeddings_and_responses_are_batched_too(asker: Asker) -> None:
    embedding = line("1", {"model": "text-embedding-3-small", "input": "x"}, url="/v1/embeddings")
    done = run(asker, put(asker, embedding), "/v1/embeddings")
    assert read(asker, done.output_file_id)[0]["response"]["body"]["object"] == "list"
    response = line("1", {"model": "gpt-4o", "input": "x"}, url="/v1/responses")
    done = run(asker, put(asker, response), "/v1/responses")
    assert read(asker, done.output_file_id)[0]["response"]["body"]["object"] == "response"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([b""], "empty_file"),
        ([b"{"], "invalid_json_line"),
        ([b"[]"], "invalid_json_line"),
        ([{"method": "POST", "url": CHAT, "body": {}}], "missing_required_parameter"),
        ([line("1", None)], "missing_required_parameter"),
        ([line("1", {}), line("1", {})], "duplicate_custom_id"),
        ([line("1", {}, method="GET")], "invalid_method"),
        ([line("1", {}, url="/v1/embeddings")], "invalid_url"),
    ],
)
def test_a_file_that_is_not_in_order_fails_the_batch(asker: Asker, lines: list[Any], code: str) -> None:
    failed = run(asker, put(asker, *lines))
    assert failed.status == "failed"
    assert failed.errors is not None
    assert failed.errors.data
    assert failed.errors.data[0].code == code


def test_no_line_breaks_it(asker: Asker) -> None:
    deep = b'{"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":' + b'{"a":' * 400 + b"1" + b"}" * 401
    done = run(asker, put(asker, deep, line("2", {"messages": 4, "model": 5})))
    assert done.request_counts is not None
    assert done.request_counts.failed == 2


def test_batches_are_listed_and_cannot_be_cancelled_when_done(asker: Asker) -> None:
    ids = [run(asker, put(asker, line("1", chat()))).id for _ in range(3)]
    assert [entry["id"] for entry in asker.json("GET", "/v1/batches?limit=2")["data"]] == ids[:0:-1]
    assert "completed" in refused(asker.send("POST", f"/v1/batches/{ids[0]}/cancel"), 409)["message"]


def test_it_is_refused_in_openais_words(asker: Asker) -> None:
    file_id = put(asker, line("1", chat()))
    body = {"input_file_id": file_id, "endpoint": CHAT, "completion_window": "24h"}
    for name in body:
        assert refused(asker.send("POST", "/v1/batches", {**body, name: None}))["param"] == name
    assert refused(asker.send("POST", "/v1/batches", {**body, "endpoint": "/v1/fun"}))["code"] == "invalid_value"
    assert refused(asker.send("POST", "/v1/batches", {**body, "completion_window": "1h"}))["code"] == "invalid_value"
    assert refused(asker.send("POST", "/v1/batches", {**body, "input_file_id": "file-x"}), 404)["param"] == "id"
    other = put(asker, line("1", chat()), purpose="fine-tune")
    assert refused(asker.send("POST", "/v1/batches", {**body, "input_file_id": other}))["param"] == "input_file_id"
    assert refused(asker.send("GET", "/v1/batches/batch_x"), 404)["message"] == "No batch found with id 'batch_x'."


def test_a_batch_that_is_too_large_says_so(asker: Asker) -> None:
    failed = run(asker, put(asker, *(line(str(number), {}) for number in range(2001))))
    assert failed.errors is not None
    assert failed.errors.data
    assert "at most 2000" in (failed.errors.data[0].message or "")
