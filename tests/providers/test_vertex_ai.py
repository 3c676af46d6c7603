"""Vertex AI and the Gemini API: paths and hosts, uploads, Google's errors."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from google.genai import errors as genai_errors
from hypothesis import given
from hypothesis import strategies as st

from providers.base import BodyFacts, Call, Condition, Origin, OriginUnknown
from providers.vertex_ai import PROVIDER

IN_US = b"/v1beta1/projects/proj/locations/us-central1"
GEMINI = IN_US + b"/publishers/google/models/gemini-2.5-flash"
CLAUDE = b"/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929"
FLASH, SONNET = "gemini-2.5-flash", "claude-sonnet-4-5@20250929"
CUSTOM = Origin("http", "127.0.0.1", 9000, "/gateway")


def call(path: bytes, method: str = "POST") -> Call:
    return PROVIDER.match(method, path)


def named(path: bytes, method: str = "POST") -> tuple[str | None, str | None]:
    found = call(path, method)
    return (found.operation.name if found.operation else None, found.model)


# ---- paths --------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name", "model"),
    [
        (GEMINI + b":generateContent", "generate_content", "gemini-2.5-flash"),
        (GEMINI + b":streamGenerateContent", "generate_content.stream", "gemini-2.5-flash"),
        (GEMINI + b":countTokens", "count_tokens", "gemini-2.5-flash"),
        (GEMINI + b":computeTokens", "compute_tokens", "gemini-2.5-flash"),
        (GEMINI + b":predict", "predict", "gemini-2.5-flash"),
        (GEMINI + b":embedContent", "embed_content", "gemini-2.5-flash"),
        (GEMINI + b":predictLongRunning", "predict_long_running", "gemini-2.5-flash"),
        (IN_US + b"/endpoints/123:generateContent", "generate_content", "123"),
        (IN_US + b"/publishers/meta/models/llama-4:rawPredict", "raw_predict", "llama-4"),
        (b"/v1beta1/publishers/google/models/gemini-2.5-flash:generateContent", "generate_content", "gemini-2.5-flash"),
        (b"/v1beta/models/gemini-2.5-flash:generateContent", "generate_content", "gemini-2.5-flash"),
        (b"/v1/models/gemini-2.5-flash:generateContent", "generate_content", "gemini-2.5-flash"),
        (b"/v1beta/models/gemini-embedding-001:batchEmbedContents", "batch_embed_contents", "gemini-embedding-001"),
        (b"/v1beta/tunedModels/mine:generateContent", "generate_content", "mine"),
        (CLAUDE + b":rawPredict", "raw_predict", "claude-sonnet-4-5@20250929"),
        (CLAUDE.replace(b"@", b"%40") + b":streamRawPredict", "raw_predict.stream", "claude-sonnet-4-5@20250929"),
        (IN_US + b"/publishers/anthropic/models/count-tokens:rawPredict", "messages.count_tokens", None),
        (b"/v1beta/interactions", "interactions.create", None),
        (IN_US + b"/interactions", "interactions.create", None),
        (IN_US + b"/cachedContents", "cached_contents.create", None),
        (IN_US + b"/endpoints/openapi/chat/completions", "chat.completions", None),
        (b"/v1beta/openai/chat/completions", "chat.completions", None),
        (b"/v1beta/openai/embeddings", "embeddings", None),
        (b"/upload/v1beta/files", "files.upload", None),
    ],
)
def test_posts_are_named_with_their_model(path: bytes, name: str, model: str | None) -> None:
    assert named(path) == (name, model)
    assert call(path).path == path


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"/v1beta1/publishers/google/models", "models.list"),
        (b"/v1beta/models", "models.list"),
        (b"/v1beta/openai/models", "models.list"),
        (b"/v1beta/models/gemini-2.5-flash", "models.get"),
        (b"/v1beta/files/abc", "files.get"),
        (b"/v1beta/interactions/abc", "interactions.get"),
    ],
)
def test_gets_are_named(path: bytes, name: str) -> None:
    assert named(path, "GET")[0] == name


@pytest.mark.parametrize(
    ("path", "full"),
    [
        (CLAUDE[3:] + b":rawPredict", CLAUDE + b":rawPredict"),
        (b"/publishers/google/models/g:generateContent", b"/v1/publishers/google/models/g:generateContent"),
        (b"/models/g:generateContent", b"/v1beta/models/g:generateContent"),
    ],
)
def test_a_known_call_without_a_version_gets_one(path: bytes, full: bytes) -> None:
    assert call(path).path == full
    assert call(path).operation is not None


@pytest.mark.parametrize(
    "path",
    [b"/projects/p/locations/l/tuningJobs", b"/v1beta1/projects/p/locations/l/reasoningEngines/1:query",
     b"/x", b"/", b"*", b"/v2/models/g:generateContent",
     b"/v1beta/models/g:generateContent/", b"/v1beta/models/a/b:generateContent"],
)  # fmt: skip
def test_other_targets_stay_byte_for_byte(path: bytes) -> None:
    assert call(path) == Call(None, path)


CACHEABLE = {
    "generate_content", "generate_content.stream", "count_tokens", "compute_tokens", "embed_content",
    "batch_embed_contents", "predict", "messages.count_tokens", "raw_predict", "raw_predict.stream",
    "interactions.create", "chat.completions", "embeddings", "images.generations", "models.list",
}  # fmt: skip


def test_what_may_be_cached_is_exactly_this() -> None:
    assert {known.name for known in PROVIDER.operations if known.is_cacheable} == CACHEABLE
    assert all(
        known.method == "POST" or known.name == "models.list" for known in PROVIDER.operations if known.is_cacheable
    )


def test_counting_and_listing_are_free() -> None:
    assert {known.name for known in PROVIDER.operations if known.is_free} == {
        "count_tokens", "compute_tokens", "messages.count_tokens", "models.list",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "facts"),
    [
        (GEMINI + b":generateContent", {"generationConfig": {"temperature": 0.5}}, BodyFacts(FLASH, False, 0.5)),
        (GEMINI + b":streamGenerateContent", {"generation_config": {"temperature": 0}}, BodyFacts(FLASH, True, 0.0)),
        (GEMINI + b":generateContent", {"stream": True}, BodyFacts(FLASH, False, None)),
        (CLAUDE + b":streamRawPredict", {"stream": True, "temperature": 1}, BodyFacts(SONNET, True, 1.0)),
        (CLAUDE + b":streamRawPredict", {"stream": False}, BodyFacts(SONNET, False, None)),
        (b"/v1beta/openai/chat/completions", {"model": FLASH, "stream": True}, BodyFacts(FLASH, True)),
        (b"/v1beta/interactions", {"model": "m", "stream": "yes"}, BodyFacts("m", False, None)),
        (b"/v1beta/interactions", {"model": "m", "generation_config": {"temperature": 2}}, BodyFacts("m", False, 2.0)),
        (b"/v1beta/interactions", [1], BodyFacts(None, False, None)),
        (GEMINI + b":generateContent", {"generationConfig": {"maxOutputTokens": 9}},
         BodyFacts(FLASH, False, None, max_output_tokens=9)),
        (CLAUDE + b":rawPredict", {"max_tokens": 9}, BodyFacts(SONNET, False, None, max_output_tokens=9)),
    ],
)  # fmt: skip
def test_body_facts(path: bytes, body: Any, facts: BodyFacts) -> None:
    assert PROVIDER.read_body(call(path), body) == facts


# ---- origin --------------------------------------------------------


def host_of(path: bytes, host: bytes = b"127.0.0.1:8001", region: str = "") -> str:
    return PROVIDER.origin(call(path), [(b"host", host)], None, region).host


@pytest.mark.parametrize(
    ("path", "host"),
    [
        (GEMINI + b":generateContent", "us-central1-aiplatform.googleapis.com"),
        (GEMINI.replace(b"us-central1", b"global") + b":generateContent", "aiplatform.googleapis.com"),
        (GEMINI.replace(b"us-central1", b"us") + b":generateContent", "aiplatform.us.rep.googleapis.com"),
        (GEMINI.replace(b"us-central1", b"eu") + b":generateContent", "aiplatform.eu.rep.googleapis.com"),
        (CLAUDE + b":rawPredict", "us-east5-aiplatform.googleapis.com"),
        (b"/projects/p/locations/europe-west4/tuningJobs", "europe-west4-aiplatform.googleapis.com"),
        (
            b"/upload/v1/projects/p/locations/us-west1/ragCorpora/1/ragFiles:upload",
            "us-west1-aiplatform.googleapis.com",
        ),
        (b"/v1beta1/publishers/google/models", "aiplatform.googleapis.com"),
        (b"/v1/publishers/google/models/g:generateContent", "aiplatform.googleapis.com"),
        (b"/publishers/google/models/g:generateContent", "aiplatform.googleapis.com"),
        (b"/v1beta1/cachedContents", "aiplatform.googleapis.com"),
        (b"/v1beta/models/g:generateContent", "generativelanguage.googleapis.com"),
        (b"/v1/models/g:generateContent", "generativelanguage.googleapis.com"),
        (b"/upload/v1beta/files", "generativelanguage.googleapis.com"),
        (b"/v1beta/interactions", "generativelanguage.googleapis.com"),
        (b"/v1beta/openai/chat/completions", "generativelanguage.googleapis.com"),
        (b"/v1alpha/auth_tokens", "generativelanguage.googleapis.com"),
    ],
)
def test_the_path_tells_the_host(path: bytes, host: str) -> None:
    assert host_of(path) == host


def test_the_proxys_region_serves_paths_without_a_location_only() -> None:
    path = b"/v1/publishers/google/models/g:generateContent"
    assert host_of(path, region="europe-west4") == "europe-west4-aiplatform.googleapis.com"
    assert host_of(GEMINI + b":generateContent", region="europe-west4") == "us-central1-aiplatform.googleapis.com"


def test_a_real_google_host_in_the_request_is_kept_and_no_other() -> None:
    path = b"/v1/models/g:generateContent"
    assert host_of(path, b"europe-west1-aiplatform.googleapis.com") == "europe-west1-aiplatform.googleapis.com"
    for other in (
        b"storage.googleapis.com",
        b"evil.example",
        b"x.evil-aiplatform.googleapis.com",
        b"a@aiplatform.googleapis.com",
    ):
        assert host_of(path, other) == "generativelanguage.googleapis.com"


@given(st.text(min_size=1, max_size=30).filter(lambda text: "/" not in text))
def test_a_location_never_leads_anywhere_but_to_google(location: str) -> None:
    from urllib.parse import quote

    for written in (location, quote(location, safe="")):
        path = (
            b"/v1/projects/p/locations/" + written.encode("utf-8", "replace") + b"/publishers/google/models/g:predict"
        )
        try:
            host = host_of(path)
        except OriginUnknown:
            continue
        assert re.fullmatch(
            r"([a-z0-9-]+-)?aiplatform(\.(us|eu)\.rep)?\.googleapis\.com|generativelanguage\.googleapis\.com", host
        )


@pytest.mark.parametrize("location", [b"evil.example%2F", b"-", b"US", b"a..b", b"us-central1%23"])
def test_an_odd_location_is_refused_in_words(location: bytes) -> None:
    with pytest.raises(OriginUnknown, match="not a Google Cloud location"):
        host_of(b"/v1/projects/p/locations/" + location + b"/x")


def test_the_proxys_upstream_wins_and_its_version_holds() -> None:
    known = call(GEMINI + b":generateContent")
    assert PROVIDER.origin(known, [], CUSTOM) is CUSTOM
    assert PROVIDER.upstream_path(known, CUSTOM) == b"/gateway" + GEMINI + b":generateContent"
    versioned = Origin("https", "x", 443, "/v1")
    assert PROVIDER.upstream_path(known, versioned) == b"/v1" + GEMINI[8:] + b":generateContent"


# ---- uploads --------------------------------------------------------


def test_upload_address_leads_back_through_the_proxy() -> None:
    address = b"https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=A%2FB&upload_protocol=resumable"
    seen = PROVIDER.rewrite_reply_header(b"x-goog-upload-url", address, "http://127.0.0.1:8001")
    assert seen == b"http://127.0.0.1:8001/upload/v1beta/files?upload_id=A%2FB&upload_protocol=resumable"
    assert b"x-goog-upload-url" in PROVIDER.rewritten_reply_headers
    assert host_of(b"/upload/v1beta/files") == "generativelanguage.googleapis.com"
    assert PROVIDER.rewrite_reply_header(b"x-goog-upload-url", b"nonsense", "http://127.0.0.1:8001") == b"nonsense"


def test_upload_address_of_a_prefixed_upstream_is_not_prefixed_twice() -> None:
    address = b"http://127.0.0.1:9000/gateway/upload/v1beta/files?upload_id=1"
    seen = PROVIDER.rewrite_reply_header(b"x-goog-upload-url", address, "http://127.0.0.1:8001")
    assert seen == b"http://127.0.0.1:8001/gateway/upload/v1beta/files?upload_id=1"
    assert PROVIDER.upstream_path(call(b"/gateway/upload/v1beta/files"), CUSTOM) == b"/gateway/upload/v1beta/files"
    assert PROVIDER.upstream_path(call(b"/upload/v1beta/files"), CUSTOM) == b"/gateway/upload/v1beta/files"


# ---- errors --------------------------------------------------------


@pytest.mark.parametrize("condition", list(Condition))
def test_every_error_is_read_by_google_genai(condition: Condition) -> None:
    reply = PROVIDER.error(condition, "what happened", request_id="r", call=call(GEMINI + b":generateContent"))
    headers = [(name, value) for name, value in reply.headers]
    with pytest.raises(genai_errors.APIError) as caught:
        genai_errors.APIError.raise_for_response(httpx.Response(reply.status, headers=headers, content=reply.body))
    error = caught.value
    assert (error.code, error.message) == (condition.status, "what happened")
    assert isinstance(error, genai_errors.ClientError if condition.status < 500 else genai_errors.ServerError)
    assert error.status is not None
    assert error.status.isupper()
    assert dict(reply.headers)[b"content-type"].startswith(b"application/json")


def test_stream_without_sse_has_its_error_in_an_array() -> None:
    stream = call(GEMINI + b":streamGenerateContent")

    def body(query: bytes) -> Any:
        return json.loads(PROVIDER.error(Condition.INTERNAL, "m", request_id="r", call=stream, query=query).body)

    expected = {"error": {"code": 500, "message": "m", "status": "INTERNAL"}}
    assert body(b"alt=sse") == expected
    assert body(b"key=x&alt=sse") == expected
    assert body(b"") == [expected]
    assert body(b"%24alt=json%3Benum-encoding%3Dint") == [expected]


def test_limit_tells_the_wait_and_no_recording_its_code() -> None:
    known = call(GEMINI + b":generateContent")
    limited = PROVIDER.error(Condition.LIMITED, "m", request_id="r", call=known, retry_after_s=33.2)
    error = json.loads(limited.body)["error"]
    assert error["status"] == "RESOURCE_EXHAUSTED"
    assert error["details"] == [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}]
    assert dict(limited.headers)[b"retry-after"] == b"34"
    missed = PROVIDER.error(Condition.NO_RECORDING, "m", request_id="r", call=known, code="no_recording")
    assert json.loads(missed.body)["error"]["details"][0]["metadata"] == {"code": "no_recording"}


# ---- snippets --------------------------------------------------------


def test_snippets_name_the_proxy_and_the_model_and_hold_no_placeholder() -> None:
    snippets = {snippet.id: snippet for snippet in PROVIDER.snippets("http://127.0.0.1:8001", "gemini-2.5-pro")}
    assert len(snippets) == 7
    for snippet in snippets.values():
        assert "http://127.0.0.1:8001" in snippet.code
        assert not re.search(r"BASE_URL|\bMODEL\b|CLAUDE", snippet.code)
        assert ("claude-" if "anthropic" in snippet.id else "gemini-2.5-pro") in snippet.code
        if snippet.language == "python":
            compile(snippet.code, snippet.id, "exec")
    claude = {snippet.id: snippet.code for snippet in PROVIDER.snippets("http://127.0.0.1:8001", "claude-opus-4-5")}
    assert "claude-opus-4-5" in claude["vertex-anthropic-python"]
    assert PROVIDER.example_model in claude["gemini-curl"]
