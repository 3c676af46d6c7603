"""The OpenAI dialect."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import openai
import pytest

from providers.base import BodyFacts, Call, Condition, ErrorReply, Origin
from providers.openai import PROVIDER

DEFAULT = Origin("https", "api.openai.com", 443, "/v1")
CACHEABLE = {
    ("POST", "/v1/audio/speech"), ("POST", "/v1/audio/transcriptions"), ("POST", "/v1/audio/translations"),
    ("POST", "/v1/chat/completions"), ("POST", "/v1/completions"), ("POST", "/v1/decisions"),
    ("POST", "/v1/embeddings"), ("POST", "/v1/images/edits"), ("POST", "/v1/images/generations"),
    ("POST", "/v1/images/variations"),
    ("GET", "/v1/models"), ("POST", "/v1/moderations"), ("POST", "/v1/responses"), ("POST", "/v1/responses/compact"),
    ("POST", "/v1/responses/input_tokens"),
}  # fmt: skip


def error(condition: Condition, **values: Any) -> ErrorReply:
    call = PROVIDER.match("POST", b"/v1/chat/completions")
    return PROVIDER.error(
        condition, "in our own words", request_id="0197aaaa-bbbb-7ccc-8ddd-eeeeffff0000", call=call, **values
    )


@pytest.mark.parametrize("path", [b"/v1/chat/completions", b"/chat/completions"])
def test_paths_arrive_with_and_without_the_version(path: bytes) -> None:
    call = PROVIDER.match("POST", path)
    assert call.operation is not None
    assert (call.operation.name, call.path) == ("chat.completions", b"/v1/chat/completions")


@pytest.mark.parametrize(
    "path", [b"/", b"/v1", b"/v1/", b"/dashboard/x", b"/chat/completions/", b"/v1/v1/models", b"*", b""]
)
def test_an_unknown_target_stays_byte_for_byte(path: bytes) -> None:
    assert PROVIDER.match("GET", path) == Call(None, path)


def test_percent_encoding_stays_as_it_came() -> None:
    call = PROVIDER.match("GET", b"/v1/models/ft%3Agpt-4o%2Fx")
    assert (call.path, call.model) == (b"/v1/models/ft%3Agpt-4o%2Fx", "ft:gpt-4o/x")


def test_exactly_these_calls_may_be_cached() -> None:
    cacheable = {
        (operation.method, operation.pattern.pattern.decode().replace("\\", ""))
        for operation in PROVIDER.operations
        if operation.is_cacheable
    }
    assert cacheable == CACHEABLE


def test_stored_objects_files_and_batches_are_never_cached() -> None:
    for method, path in [
        ("GET", b"/v1/models/gpt-4o"), ("DELETE", b"/v1/models/x"), ("POST", b"/v1/files"),
        ("GET", b"/v1/files/f/content"),
        ("POST", b"/v1/batches"), ("POST", b"/v1/fine_tuning/jobs"), ("GET", b"/v1/responses/r"),
        ("POST", b"/v1/chat/completions/c"), ("POST", b"/v1/videos"), ("POST", b"/v1/uploads/u/parts"),
    ]:  # fmt: skip
        operation = PROVIDER.match(method, path).operation
        assert operation is not None
        assert not operation.is_cacheable


def test_every_pattern_matches_the_path_its_call_goes_to() -> None:
    for operation in PROVIDER.operations:
        path = re.sub(rb"\(\?P<model>[^)]*\)|\[\^/\]\+|\.\+", b"x", operation.pattern.pattern).replace(b"\\", b"")
        call = PROVIDER.match(operation.method, path)
        assert call.operation is not None
        assert (call.operation.name, call.path) == (operation.name, path)


@pytest.mark.parametrize(
    ("prefix", "target", "sent"),
    [
        ("/v1", b"/chat/completions", b"/v1/chat/completions"),
        ("", b"/chat/completions", b"/v1/chat/completions"),
        ("/gateway", b"/v1/embeddings", b"/gateway/v1/embeddings"),
        ("/v1beta/openai", b"/v1/embeddings", b"/v1beta/openai/embeddings"),
        ("/v1", b"/v1/unknown", b"/v1/unknown"),
        ("/v1", b"/unknown", b"/v1/unknown"),
    ],
)
def test_the_upstream_gets_one_version(prefix: str, target: bytes, sent: bytes) -> None:
    call = PROVIDER.match("POST", target)
    assert PROVIDER.upstream_path(call, Origin("http", "127.0.0.1", 9, prefix)) == sent


def test_the_default_upstream_is_openai() -> None:
    call = PROVIDER.match("POST", b"/v1/embeddings")
    assert PROVIDER.origin(call, [], None) == DEFAULT
    assert PROVIDER.origin(call, [], Origin("http", "h", 1)) == Origin("http", "h", 1)
    assert PROVIDER.upstream_path(call, DEFAULT) == b"/v1/embeddings"


def test_credentials_pass_as_they_came() -> None:
    plan = PROVIDER.credentials(
        PROVIDER.match("GET", b"/models"), [(b"authorization", b"Bearer x")], DEFAULT, is_http2=False
    )
    assert (plan.action, plan.drop) == ("pass", frozenset())


CLASSES = {
    Condition.BLOCKED: openai.PermissionDeniedError,
    Condition.LIMITED: openai.RateLimitError,
    Condition.BAD_REQUEST: openai.BadRequestError,
    Condition.REQUEST_TIMEOUT: openai.APIStatusError,
    Condition.TOO_LARGE: openai.APIStatusError,
    Condition.NO_CREDENTIALS: openai.PermissionDeniedError,
    Condition.NO_RECORDING: openai.NotFoundError,
    Condition.INTERNAL: openai.InternalServerError,
    Condition.BAD_GATEWAY: openai.InternalServerError,
    Condition.GATEWAY_TIMEOUT: openai.InternalServerError,
}


@pytest.mark.parametrize("condition", list(Condition))
def test_the_sdk_reads_every_error_as_its_own(condition: Condition) -> None:
    reply = error(condition)

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = openai.OpenAI(api_key="k", base_url="http://proxy/v1", http_client=http, max_retries=0)
    with client, pytest.raises(CLASSES[condition]) as caught:
        client.models.list()
    failure = caught.value
    assert isinstance(failure, openai.APIStatusError)
    assert failure.status_code == condition.status
    assert failure.message.endswith("in our own words")
    assert failure.request_id == "req_0197aaaabbbb7ccc8dddeeeeffff0000"
    assert failure.type is not None


def test_a_rate_limit_says_when_to_come_back() -> None:
    headers = dict(error(Condition.LIMITED, retry_after_s=1.25).headers)
    assert (headers[b"retry-after"], headers[b"retry-after-ms"]) == (b"2", b"1250")
    assert b"retry-after" not in dict(error(Condition.BAD_GATEWAY, retry_after_s=3).headers)


def test_an_error_code_can_be_chosen() -> None:
    assert b'"code":"no_recording"' in error(Condition.NO_RECORDING).body
    assert b'"code":"special"' in error(Condition.BAD_REQUEST, code="special").body


def test_only_successful_replies_of_operations_with_usage_are_read() -> None:
    json = [(b"content-type", b"application/json")]
    chat = PROVIDER.match("POST", b"/v1/chat/completions")
    assert PROVIDER.usage_reader(chat, BodyFacts(), 200, json) is not None
    assert PROVIDER.usage_reader(chat, BodyFacts(), 429, json) is None
    assert PROVIDER.usage_reader(PROVIDER.match("GET", b"/v1/files"), BodyFacts(), 200, json) is None
    assert PROVIDER.usage_reader(PROVIDER.match("GET", b"/nowhere"), BodyFacts(), 200, json) is None


def test_every_cacheable_json_reply_is_checked_for_wholeness() -> None:
    for operation in PROVIDER.operations:
        if operation.is_cacheable:
            reader = PROVIDER.usage_reader(
                Call(operation, b"/"), BodyFacts(), 200, [(b"content-type", b"application/json")]
            )
            assert reader is not None
            reader.feed(b'{"cut":')
            reader.finish()
            assert not reader.is_whole


def test_quota_headers_are_unsafe_to_record() -> None:
    assert {
        b"x-ratelimit-remaining-tokens",
        b"x-ratelimit-reset-requests",
        b"retry-after",
    } <= PROVIDER.unsafe_reply_headers
    assert b"x-request-id" not in PROVIDER.unsafe_reply_headers


def test_snippets_name_the_proxy_and_the_model_and_parse() -> None:
    snippets = {snippet.id: snippet for snippet in PROVIDER.snippets("http://127.0.0.1:8001", "gpt-4o-mini")}
    assert list(snippets) == ["openai-python", "openai-javascript", "openai-curl"]
    for snippet in snippets.values():
        assert "http://127.0.0.1:8001/v1" in snippet.code
        assert "gpt-4o-mini" in snippet.code
    compile(snippets["openai-python"].code, "snippet", "exec")
