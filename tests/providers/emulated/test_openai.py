from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.emulated.dialects.openai_service import EMULATED_OPERATIONS
from providers.emulated.registry import get_emulator
from providers.openai import PROVIDER
from tests.providers.emulated.asking import Asker, header
from tests.providers.emulated.openai_asking import chat, refused

CHAT = "/v1/chat/completions"


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def test_a_key_is_needed_and_any_will_do(asker: Asker) -> None:
    error = refused(asker.send("POST", CHAT, chat(), has_key=False), 401)
    assert error["message"].startswith("You didn't provide an API key.")
    for value in ("Bearer", "Bearer ", "Digest x", ""):
        reply = asker.send("POST", CHAT, chat(), {"authorization": value}, has_key=False)
        assert refused(reply, 401)["type"] == "invalid_request_error"
    for value in ("Bearer x", "bearer sk-1", "Basic OnNr"):
        assert asker.send("POST", CHAT, chat(), {"authorization": value}, has_key=False).status == 200


def test_both_base_urls_are_answered(asker: Asker) -> None:
    assert asker.send("POST", "/chat/completions", chat()).body == asker.send("POST", CHAT, chat()).body


def test_unknown_urls_and_methods_are_refused_in_openais_words(asker: Asker) -> None:
    assert refused(asker.send("POST", "/v1/quack", {}), 404)["message"] == "Invalid URL (POST /v1/quack)"
    error = refused(asker.send("GET", "/v1/embeddings"), 405)
    assert error["message"].startswith("Not allowed to GET on /v1/embeddings.")


def test_a_body_of_another_kind_is_refused(asker: Asker) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        error = refused(asker.send("POST", CHAT, chat(), {"content-type": kind}))
        assert error["code"] == "unsupported_content_type"
        assert kind in error["message"]
    for kind in ("application/json; charset=utf-8", "Application/JSON", ""):
        assert asker.send("POST", CHAT, chat(), {"content-type": kind}).status == 200


def test_operations_without_an_emulation_say_so(asker: Asker) -> None:
    for method, target in (("POST", "/v1/vector_stores"), ("GET", "/v1/assistants"), ("POST", "/v1/fine_tuning/jobs")):
        error = refused(asker.send(method, target, {} if method == "POST" else None), 404)
        assert "Rubberduck's emulation does not answer" in error["message"]
        assert error["code"] == "not_emulated"


def test_everything_the_cache_keeps_is_answered() -> None:
    cached = {operation.name for operation in PROVIDER.operations if operation.is_cacheable}
    assert cached - EMULATED_OPERATIONS == {"decisions"}
    assert {operation.name for operation in PROVIDER.operations} >= EMULATED_OPERATIONS


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["gpt-4o", "sse"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
BODIES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "/v1/completions": (
        {"model": "gpt-3.5-turbo-instruct", "prompt": "Hi"},
        ("prompt", "n", "echo", "logprobs", "stop", "max_tokens", "stream", "stream_options", "best_of", "suffix"),
    ),
    "/v1/embeddings": (
        {"model": "text-embedding-3-small", "input": "Hi"},
        ("input", "dimensions", "encoding_format", "user"),
    ),
    "/v1/moderations": ({"input": "Hi"}, ("input", "model")),
    "/v1/images/generations": (
        {"model": "gpt-image-2", "prompt": "Hi", "size": "64x64"},
        ("model", "prompt", "n", "output_format", "quality", "background", "stream", "partial_images"),
    ),
    "/v1/images/edits": ({"prompt": "Hi", "images": [{}]}, ("images", "mask", "prompt", "n", "input_fidelity")),
    "/v1/audio/speech": (
        {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Hi"},
        ("model", "voice", "input", "speed", "response_format", "stream_format", "instructions"),
    ),
    "/v1/uploads": (
        {"bytes": 1, "filename": "a", "mime_type": "b", "purpose": "batch"},
        ("bytes", "filename", "mime_type", "purpose", "expires_after"),
    ),
    "/v1/batches": (
        {"input_file_id": "file-1", "endpoint": "/v1/embeddings", "completion_window": "24h"},
        ("input_file_id", "endpoint", "completion_window", "metadata"),
    ),
}


@given(st.data(), st.sampled_from(sorted(BODIES)))
def test_no_member_of_any_type_breaks_any_operation(data: st.DataObject, target: str) -> None:
    body, names = BODIES[target]
    members = data.draw(st.dictionaries(st.sampled_from(names), VALUES, max_size=3))
    reply = Asker("openai").send("POST", target, json.dumps({**body, **members}).encode())
    assert reply.status in (200, 400, 403, 404)


def test_every_operation_answers_in_openais_shape_whatever_comes(asker: Asker) -> None:
    emulator = get_emulator("openai")
    samples = {"id": "x1", "model": "gpt-4o"}
    seen = 0
    for operation in PROVIDER.operations:
        path = operation.pattern.pattern.decode().replace("\\", "")
        for part, value in (("(?P<model>[^/]+)", samples["model"]), ("[^/]+", samples["id"]), (".+", "rest")):
            path = path.replace(part, value)
        for body in (None, b"", b"[]", b"{}", b"\xff", b'{"model": 1, "input": {}, "file": []}'):
            for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
                reply = asker.send(operation.method, path, body, {"content-type": kind})
                assert reply.status < 500, (operation.name, body)
                assert header(reply, "x-request-id") is not None
                seen += 1
    assert seen > 1000
    assert emulator.provider == "openai"
