"""The Azure OpenAI dialect."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
import pytest

from providers import openai as openai_dialect
from providers.azure_openai import CACHEABLE, PROVIDER
from providers.base import BodyFacts, Call, Condition, ErrorReply, Origin, OriginUnknown

RESOURCE = Origin("https", "example.openai.azure.com", 443)


def error(condition: Condition, **values: Any) -> ErrorReply:
    call = PROVIDER.match("POST", b"/openai/v1/chat/completions")
    return PROVIDER.error(
        condition, "in our own words", request_id="0197aaaa-bbbb-7ccc-8ddd-eeeeffff0000", call=call, **values
    )


@pytest.mark.parametrize(
    ("target", "name", "path", "model"),
    [
        (
            b"/openai/deployments/dep/chat/completions",
            "chat.completions",
            b"/openai/deployments/dep/chat/completions",
            "dep",
        ),
        (b"/deployments/dep/chat/completions", "chat.completions", b"/openai/deployments/dep/chat/completions", "dep"),
        (
            b"/openai/deployments/a%2Fb%20c/embeddings",
            "embeddings",
            b"/openai/deployments/a%2Fb%20c/embeddings",
            "a/b c",
        ),
        (b"/openai/deployments/a/b%20c/embeddings", "embeddings", b"/openai/deployments/a/b%20c/embeddings", "a/b c"),
        (b"/openai/deployments/d/completions", "completions", b"/openai/deployments/d/completions", "d"),
        (b"/openai/v1/chat/completions", "chat.completions", b"/openai/v1/chat/completions", None),
        (b"/v1/chat/completions", "chat.completions", b"/openai/v1/chat/completions", None),
        (b"/openai/responses", "responses", b"/openai/responses", None),
        (b"/responses", "responses", b"/openai/responses", None),
    ],
)
def test_both_styles_arrive_with_and_without_openai(target: bytes, name: str, path: bytes, model: str | None) -> None:
    call = PROVIDER.match("POST", target)
    assert call.operation is not None
    assert (call.operation.name, call.path, call.model) == (name, path, model)
    assert call.operation.pattern.fullmatch(call.path)


@pytest.mark.parametrize(
    "path",
    [
        b"/",
        b"/openai",
        b"/openai/deployments/d",
        b"/deployments/d/nothing",
        b"/openai/v1/nothing",
        b"/anthropic/v1/messages",
    ],
)
def test_an_unknown_target_stays_byte_for_byte(path: bytes) -> None:
    assert PROVIDER.match("POST", path) == Call(None, path)


def test_the_same_calls_may_be_cached_as_at_openai() -> None:
    assert openai_dialect.CACHEABLE == CACHEABLE
    assert {operation.name for operation in PROVIDER.operations if operation.is_cacheable} == CACHEABLE
    assert not any(operation.is_cacheable for operation in PROVIDER.operations if operation.method == "DELETE")


def test_the_bodys_model_is_shown_and_the_deployment_where_there_is_none() -> None:
    call = PROVIDER.match("POST", b"/openai/deployments/my-dep/chat/completions")
    assert PROVIDER.read_body(call, {"model": "gpt-4o", "stream": True}) == BodyFacts("gpt-4o", True)
    assert PROVIDER.read_body(call, {"messages": []}).model == "my-dep"


@pytest.mark.parametrize("prefix", ["", "/openai", "/openai/v1"])
@pytest.mark.parametrize(
    "target", [b"/openai/v1/responses", b"/openai/deployments/d/chat/completions", b"/openai/unknown"]
)
def test_openai_is_not_doubled(prefix: str, target: bytes) -> None:
    call = PROVIDER.match("POST", target)
    assert PROVIDER.upstream_path(call, Origin("https", "h", 443, prefix)) == target


def test_a_gateways_own_path_is_kept() -> None:
    call = PROVIDER.match("POST", b"/deployments/d/embeddings")
    assert PROVIDER.upstream_path(call, Origin("https", "h", 443, "/team")) == b"/team/openai/deployments/d/embeddings"
    unknown = PROVIDER.match("GET", b"/other")
    assert PROVIDER.upstream_path(unknown, Origin("https", "h", 443, "/openai")) == b"/openai/other"


def test_there_is_no_default_upstream() -> None:
    call = PROVIDER.match("POST", b"/openai/v1/responses")
    assert PROVIDER.default_upstream is None
    assert PROVIDER.origin(call, [], RESOURCE) == RESOURCE
    with pytest.raises(OriginUnknown, match=r"https://RESOURCE\.openai\.azure\.com"):
        PROVIDER.origin(call, [], None)


@pytest.mark.parametrize("condition", list(Condition))
def test_the_sdk_reads_every_error_as_its_own(condition: Condition) -> None:
    reply = error(condition)

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = openai.AzureOpenAI(
        api_key="k", azure_endpoint="http://proxy", api_version="2024-10-21", http_client=http, max_retries=0
    )
    with client, pytest.raises(openai.APIStatusError) as caught:
        client.models.list()
    assert caught.value.status_code == condition.status
    assert caught.value.message.endswith("in our own words")
    assert caught.value.request_id == "0197aaaa-bbbb-7ccc-8ddd-eeeeffff0000"
    assert caught.value.code == json.loads(reply.body)["error"]["code"]


def test_a_rate_limit_says_when_to_come_back_in_plain_seconds() -> None:
    headers = dict(error(Condition.LIMITED, retry_after_s=36.5).headers)
    assert headers[b"retry-after"] == headers[b"x-ratelimit-reset-requests"] == b"37"
    assert headers[b"retry-after-ms"] == b"36500"
    assert b'"code":"429"' in error(Condition.LIMITED).body


def test_a_missing_recording_has_its_code() -> None:
    assert b'"code":"no_recording"' in error(Condition.NO_RECORDING).body


def test_a_key_in_the_query_is_a_secret() -> None:
    assert {b"api-key", b"subscription-key"} <= PROVIDER.secret_query
    assert b"api-version" not in PROVIDER.secret_query


def test_usage_is_read_as_at_openai() -> None:
    call = PROVIDER.match("POST", b"/openai/deployments/my-dep/chat/completions")
    reader = PROVIDER.usage_reader(call, BodyFacts("my-dep"), 200, [(b"content-type", b"application/json")])
    assert reader is not None
    reader.feed(
        b'{"model":"gpt-4o-2024-08-06","usage":{"prompt_tokens":3,"completion_tokens":4},"prompt_filter_results":[]}'
    )
    usage = reader.finish()
    assert (usage.input_tokens, usage.output_tokens, usage.model) == (3, 4, "gpt-4o-2024-08-06")
    assert PROVIDER.usage_reader(call, BodyFacts(), 429, []) is None


def test_snippets_show_both_styles_and_parse() -> None:
    snippets = {snippet.id: snippet for snippet in PROVIDER.snippets("http://127.0.0.1:8001", "my-dep")}
    assert list(snippets) == [
        "azure-openai-python", "azure-openai-python-v1", "azure-openai-javascript", "azure-openai-javascript-v1",
        "azure-openai-curl",
    ]  # fmt: skip
    for snippet in snippets.values():
        assert "http://127.0.0.1:8001" in snippet.code
        assert "my-dep" in snippet.code
        if snippet.language == "python":
            compile(snippet.code, "snippet", "exec")
