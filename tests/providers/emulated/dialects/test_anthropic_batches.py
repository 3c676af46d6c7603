"""Message batches: made, cancelled, ended, listed, read, deleted."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from anthropic.types.messages import DeletedMessageBatch, MessageBatch, MessageBatchIndividualResponse

from providers.emulated.canned_grammar import read_replies
from tests.providers.emulated.anthropic_asking import body, checked, error
from tests.providers.emulated.asking import Asker, header, whole

TARGET = "/v1/messages/batches"
HOST = {"host": "127.0.0.1:8003"}


def params(text: str = "Say hello.", **more: Any) -> dict[str, Any]:
    return body(text, **more)


def requests(*given: dict[str, Any]) -> dict[str, Any]:
    return {"requests": [{"custom_id": f"number-{number}", "params": each} for number, each in enumerate(given)]}


@pytest.fixture
def asker() -> Asker:
    return Asker("anthropic")


def made(asker: Asker, *given: dict[str, Any]) -> MessageBatch:
    batch: MessageBatch = checked(MessageBatch, asker.json("POST", TARGET, requests(*given), HOST))
    return batch


def results(asker: Asker, batch: MessageBatch) -> dict[str, Any]:
    reply = asker.send("GET", f"{TARGET}/{batch.id}/results")
    assert header(reply, "content-type") == "application/x-jsonl"
    lines = [orjson.loads(line) for line in whole(reply).splitlines()]
    return {line["custom_id"]: checked(MessageBatchIndividualResponse, line).result for line in lines}


def test_a_batch_is_processed_at_first_and_has_ended_when_looked_at(asker: Asker) -> None:
    batch = made(asker, params(), params("Tell me about ducks."))
    assert (batch.processing_status, batch.request_counts.processing, batch.results_url) == ("in_progress", 2, None)
    ended = checked(MessageBatch, asker.json("GET", f"{TARGET}/{batch.id}", None, HOST))
    assert (ended.processing_status, ended.request_counts.succeeded) == ("ended", 2)
    assert ended.ended_at > ended.created_at
    assert ended.results_url == f"http://127.0.0.1:8003/v1/messages/batches/{batch.id}/results"


@pytest.mark.parametrize("host", [None, "a b", "evil.example/path", "x" * 300])
def test_a_client_that_names_no_proper_host_is_sent_to_the_services_own(asker: Asker, host: str | None) -> None:
    batch = made(asker, params())
    ended = asker.json("GET", f"{TARGET}/{batch.id}", None, {} if host is None else {"host": host})
    assert ended["results_url"].startswith("https://api.anthropic.com/")


def test_each_result_is_what_the_request_alone_would_have_got(asker: Asker) -> None:
    batch = made(asker, params(), params(max_tokens=-5), params("Tell me about ducks."))
    found = results(asker, batch)
    alone = asker.json("POST", "/v1/messages", params())
    assert found["number-0"].message.content[0].text == alone["content"][0]["text"]
    assert found["number-0"].message.usage.service_tier == "batch"
    assert found["number-1"].error.error.message == "max_tokens: Input should be greater than or equal to 0"
    assert found["number-2"].type == "succeeded"
    counts = asker.json("GET", f"{TARGET}/{batch.id}")["request_counts"]
    assert counts == {"processing": 0, "succeeded": 2, "errored": 1, "canceled": 0, "expired": 0}


def test_a_canned_error_is_an_errored_result() -> None:
    canned = read_replies([{"match": {"prompt_contains": "break"}, "reply": {"error": {"status": 529}}}])
    asker = Asker("anthropic", canned=canned)
    found = results(asker, made(asker, params("Please break."), params()))
    assert (found["number-0"].type, found["number-0"].error.error.type) == ("errored", "overloaded_error")
    assert found["number-1"].type == "succeeded"


def test_a_batch_cancelled_in_time_answers_nothing(asker: Asker) -> None:
    batch = made(asker, params(), params())
    cancelled = checked(MessageBatch, asker.json("POST", f"{TARGET}/{batch.id}/cancel"))
    assert (cancelled.processing_status, cancelled.cancel_initiated_at is not None) == ("canceling", True)
    assert {result.type for result in results(asker, batch).values()} == {"canceled"}
    ended = checked(MessageBatch, asker.json("GET", f"{TARGET}/{batch.id}"))
    assert (ended.processing_status, ended.request_counts.canceled) == ("ended", 2)


def test_a_batch_that_has_ended_cannot_be_cancelled_any_more(asker: Asker) -> None:
    batch = made(asker, params())
    asker.json("GET", f"{TARGET}/{batch.id}")
    assert asker.json("POST", f"{TARGET}/{batch.id}/cancel")["processing_status"] == "ended"
    assert results(asker, batch)["number-0"].type == "succeeded"


def test_only_a_batch_that_has_ended_can_be_deleted(asker: Asker) -> None:
    batch = made(asker, params())
    assert error(asker.send("DELETE", f"{TARGET}/{batch.id}"))[0] == 400
    asker.json("GET", f"{TARGET}/{batch.id}")
    assert checked(DeletedMessageBatch, asker.json("DELETE", f"{TARGET}/{batch.id}")).id == batch.id
    assert error(asker.send("GET", f"{TARGET}/{batch.id}"))[:2] == (404, "not_found_error")


def test_batches_are_listed_newest_first_page_by_page(asker: Asker) -> None:
    ids = [made(asker, params()).id for _ in range(3)]
    first = asker.json("GET", f"{TARGET}?limit=2")
    assert [each["id"] for each in first["data"]] == ids[:0:-1]
    assert first["has_more"] is True
    second = asker.json("GET", f"{TARGET}?limit=2&after_id={first['last_id']}")
    assert ([each["id"] for each in second["data"]], second["has_more"]) == (ids[:1], False)
    assert {each["processing_status"] for each in first["data"]} == {"ended"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "requests: Field required"),
        ({"requests": {}}, "requests: Input should be a valid list"),
        ({"requests": []}, "requests: List should have at least 1 item after validation, not 0"),
        ({"requests": [5]}, "requests.0: Input should be an object"),
        ({"requests": [{"params": {}}]}, "requests.0.custom_id: Field required"),
        (
            {"requests": [{"custom_id": "a b", "params": {}}]},
            "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'",
        ),
        ({"requests": [{"custom_id": "a"}]}, "requests.0.params: Field required"),
        (
            {"requests": [{"custom_id": "a", "params": {}}] * 2},
            "requests: custom_id must be unique, found duplicate: a",
        ),
        (
            {"requests": [{"custom_id": "a", "params": {}}] * 10_001},
            "requests: List should have at most 10000 items after validation, not 10001",
        ),
    ],
)
def test_a_batch_that_cannot_be_is_refused(asker: Asker, given: dict[str, Any], message: str) -> None:
    assert error(asker.send("POST", TARGET, given)) == (400, "invalid_request_error", message)


def test_what_was_stored_is_never_told_to_be_repeatable(asker: Asker) -> None:
    batch = made(asker, params())
    for method, target in (("GET", TARGET), ("GET", f"{TARGET}/{batch.id}"), ("GET", f"{TARGET}/{batch.id}/results")):
        assert not asker.send(method, target).is_repeatable
