"""The Anthropic dialect."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2
import pytest

from providers.anthropic import PROVIDER
from providers.base import BodyFacts, Call, Condition, ErrorReply, Origin

CALL = PROVIDER.match("POST", b"/v1/messages")


def error(condition: Condition, **values: Any) -> ErrorReply:
    return PROVIDER.error(
        condition, "in our own words", request_id="0197aaaa-bbbb-7ccc-8ddd-eeeeffff0000", call=CALL, **values
    )


@pytest.mark.parametrize("path", [b"/v1/messages", b"/v1/v1/messages", b"/messages"])
def test_every_habit_of_base_urls_arrives(path: bytes) -> None:
    call = PROVIDER.match("POST", path)
    assert call.operation is not None
    assert (call.operation.name, call.path) == ("messages", b"/v1/messages")


@pytest.mark.parametrize("path", [b"/v1/v1/unknown", b"/v1/messages/", b"/", b"/v1"])
def test_an_unknown_target_stays_byte_for_byte(path: bytes) -> None:
    assert PROVIDER.match("POST", path) == Call(None, path)


def test_exactly_these_calls_may_be_cached() -> None:
    cacheable = {
        (operation.method, operation.pattern.pattern) for operation in PROVIDER.operations if operation.is_cacheable
    }
    assert cacheable == {
        ("POST", b"/v1/messages"), ("POST", b"/v1/messages/count_tokens"), ("POST", b"/v1/complete"),
        ("GET", b"/v1/models"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", b"/v1/models/claude-x", "models.retrieve"),
        ("POST", b"/v1/messages/batches", "messages.batches.create"),
        ("GET", b"/v1/messages/batches/b/results", "messages.batches.results"),
        ("POST", b"/v1/files", "files.upload"),
        ("DELETE", b"/v1/files/f", "files.delete"),
    ],
)
def test_stored_objects_are_known_and_never_cached(method: str, path: bytes, name: str) -> None:
    operation = PROVIDER.match(method, path).operation
    assert operation is not None
    assert operation.name == name
    assert not operation.is_cacheable


def test_model_streaming_and_temperature_are_read() -> None:
    body = {"model": "claude-x", "stream": True, "temperature": 0.5, "max_tokens": 9, "messages": []}
    assert PROVIDER.read_body(CALL, body) == BodyFacts("claude-x", True, 0.5, max_output_tokens=9)
    assert PROVIDER.read_body(CALL, {"stream": "true"}) == BodyFacts()
    assert PROVIDER.read_body(CALL, [1]) == BodyFacts()


def test_the_version_and_betas_are_part_of_the_cache_key() -> None:
    assert PROVIDER.key_headers == {b"anthropic-version", b"anthropic-beta"}


def test_the_upstream_is_anthropic_or_the_proxys_own() -> None:
    default = PROVIDER.origin(CALL, [], None)
    assert default == Origin("https", "api.anthropic.com", 443)
    assert PROVIDER.upstream_path(CALL, default) == b"/v1/messages"
    assert PROVIDER.upstream_path(CALL, Origin("http", "h", 1, "/anthropic")) == b"/anthropic/v1/messages"
    assert PROVIDER.upstream_path(CALL, Origin("http", "h", 1, "/v1")) == b"/v1/messages"


CLASSES = {
    Condition.BLOCKED: anthropic.PermissionDeniedError,
    Condition.LIMITED: anthropic.RateLimitError,
    Condition.BAD_REQUEST: anthropic.BadRequestError,
    Condition.REQUEST_TIMEOUT: anthropic.APIStatusError,
    Condition.TOO_LARGE: anthropic.APIStatusError,
    Condition.NO_CREDENTIALS: anthropic.PermissionDeniedError,
    Condition.NO_RECORDING: anthropic.NotFoundError,
    Condition.INTERNAL: anthropic.InternalServerError,
    Condition.BAD_GATEWAY: anthropic.InternalServerError,
    Condition.GATEWAY_TIMEOUT: anthropic.APIStatusError,
}


@pytest.mark.parametrize("condition", list(Condition))
def test_the_sdk_reads_every_error_as_its_own(condition: Condition) -> None:
    reply = error(condition)

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = anthropic.Anthropic(api_key="k", base_url="http://proxy", http_client=http, max_retries=0)
    with client, pytest.raises(CLASSES[condition]) as caught:
        client.models.list()
    failure = caught.value
    assert isinstance(failure, anthropic.APIStatusError)
    assert failure.status_code == condition.status
    assert "in our own words" in failure.message
    assert failure.request_id == "req_0197aaaabbbb7ccc8dddeeeeffff0000"
    assert failure.type is not None


def test_an_error_repeats_its_request_id_in_the_body() -> None:
    assert b'"request_id":"req_0197aaaabbbb7ccc8dddeeeeffff0000"' in error(Condition.INTERNAL).body


def test_a_missing_recording_has_its_code() -> None:
    assert b'"error_code":"no_recording"' in error(Condition.NO_RECORDING).body
    assert b"error_code" not in error(Condition.LIMITED).body


def test_a_rate_limit_says_when_to_come_back_in_whole_seconds() -> None:
    assert dict(error(Condition.LIMITED, retry_after_s=0.2).headers)[b"retry-after"] == b"1"
    assert b"retry-after" not in dict(error(Condition.LIMITED).headers)


def test_only_successful_replies_of_operations_with_usage_are_read() -> None:
    json = [(b"content-type", b"application/json")]
    assert PROVIDER.usage_reader(CALL, BodyFacts(), 200, json) is not None
    assert PROVIDER.usage_reader(CALL, BodyFacts(), 529, json) is None
    assert PROVIDER.usage_reader(PROVIDER.match("GET", b"/v1/files"), BodyFacts(), 200, json) is None


def test_quota_headers_are_unsafe_to_record() -> None:
    assert {b"anthropic-ratelimit-requests-remaining", b"anthropic-ratelimit-input-tokens-reset", b"retry-after"} <= (
        PROVIDER.unsafe_reply_headers
    )


def test_snippets_name_the_proxy_and_the_model_and_parse() -> None:
    snippets = {snippet.id: snippet for snippet in PROVIDER.snippets("http://127.0.0.1:8001", "claude-x")}
    assert list(snippets) == ["anthropic-python", "anthropic-javascript", "anthropic-curl"]
    for snippet in snippets.values():
        assert "http://127.0.0.1:8001" in snippet.code
        assert "claude-x" in snippet.code
    compile(snippets["anthropic-python"].code, "snippet", "exec")
