from __future__ import annotations

import copy
import json
import re
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.emulated.base import EmulatedRequest
from providers.emulated.dialects import gemini_fields
from providers.emulated.dialects.google_json import Message
from providers.emulated.registry import get_emulator
from providers.vertex_ai import PROVIDER
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.google_asking import BOTH, EXPRESS, FLASH, GEMINI, LOCATION, VERTEX, message_of, says

ASKER = Asker("vertex_ai")


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer ya29.x"},
        {"authorization": "bearer ya29.x"},
        {"x-goog-api-key": "AIza"},
    ],
)
@pytest.mark.parametrize("base", BOTH)
def test_any_bearer_or_key_is_a_credential(base: str, headers: dict[str, str]) -> None:
    reply = ASKER.send("POST", f"{base}{FLASH}:generateContent", says("Hi"), headers, has_key=False)
    assert reply.status == 200


@pytest.mark.parametrize("base", BOTH)
def test_a_key_in_the_query_is_a_credential(base: str) -> None:
    reply = ASKER.send("POST", f"{base}{FLASH}:generateContent?alt=json&key=AIza", says("Hi"), has_key=False)
    assert reply.status == 200


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer "}, {"authorization": "Basic dTpw"}, {"x-goog-api-key": ""}]
)
def test_vertex_wants_a_credential(headers: dict[str, str]) -> None:
    reply = ASKER.send("POST", f"{VERTEX}{FLASH}:generateContent", says("Hi"), headers, has_key=False)
    assert "missing required authentication credential" in message_of(reply, 401)
    error = orjson.loads(whole(reply))["error"]
    assert error["status"] == "UNAUTHENTICATED"
    assert error["details"][0]["reason"] == "CREDENTIALS_MISSING"
    assert header(reply, "www-authenticate") == 'Bearer realm="https://accounts.google.com/"'


@pytest.mark.parametrize("query", ["", "?key="])
def test_gemini_wants_a_credential(query: str) -> None:
    reply = ASKER.send("POST", f"{GEMINI}{FLASH}:generateContent{query}", says("Hi"), has_key=False)
    assert message_of(reply, 403) == (
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
        "other form of API consumer identity to call this API."
    )


def test_an_unknown_path_is_googles_own_page() -> None:
    reply = ASKER.send("GET", "/v2/<ducks>")
    assert reply.status == 404
    assert header(reply, "content-type") == "text/html; charset=UTF-8"
    assert b"Error 404 (Not Found)!!1" in whole(reply)
    assert b"/v2/&lt;ducks&gt;" in whole(reply)


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", f"{VERTEX}veo-3.1:predictLongRunning", "predict_long_running"),
        ("POST", f"{GEMINI}{FLASH}:batchGenerateContent", "batches.create"),
        ("GET", "/v1beta/batches", "batches.list"),
    ],
)
def test_an_operation_without_emulation_says_so(method: str, path: str, name: str) -> None:
    reply = ASKER.send(method, path, {} if method == "POST" else None)
    assert message_of(reply, 404) == (f"Rubberduck's emulation of this provider does not answer the operation {name}.")


@pytest.mark.parametrize("path", ["/projects/p/locations/global/publishers/google/models/x:generateContent",
                                  f"{EXPRESS}x:generateContent", f"{LOCATION}/endpoints/123:generateContent",
                                  "/v1/models/x:generateContent", "/v1alpha/models/x:generateContent",
                                  "/v1beta/tunedModels/x:generateContent",
                                  f"{LOCATION}/publishers/meta/models/x:generateContent"])  # fmt: skip
def test_every_kind_of_model_name_is_answered(path: str) -> None:
    reply = ASKER.send("POST", path, says("Hi"))
    assert reply.status == 200
    assert orjson.loads(whole(reply))["modelVersion"] == ("123" if "endpoints" in path else "x")


def test_headers_are_googles() -> None:
    reply = ASKER.send("POST", f"{GEMINI}{FLASH}:generateContent", says("Hi"))
    names = [name for name, _ in reply.headers]
    assert names.count(b"vary") == 3
    assert header(reply, "server") == "scaffolding on HTTPServer2"
    assert header(reply, "x-xss-protection") == "0"
    assert re.fullmatch(r"gfet4t7; dur=\d+", header(reply, "server-timing") or "")
    assert not {b"content-length", b"date"} & set(names)


@pytest.mark.parametrize(
    ("status", "name"),
    [(400, "INVALID_ARGUMENT"), (429, "RESOURCE_EXHAUSTED"), (500, "INTERNAL"), (503, "UNAVAILABLE"), (418, "UNKNOWN")],
)
def test_an_error_asked_for_is_googles(status: int, name: str) -> None:
    call = PROVIDER.match("POST", f"{GEMINI}{FLASH}:generateContent".encode())
    request = EmulatedRequest("POST", call, b"", {}, b"", 1.0, "01997a00-0000-7000-8000-000000000001")
    emulator = get_emulator("vertex_ai")
    usual = orjson.loads(whole(emulator.error(request, status, None, type=None, code=None)))["error"]
    assert usual["code"] == status
    assert usual["status"] == name
    assert usual["message"]
    asked = orjson.loads(whole(emulator.error(request, status, "No.", type="MINE", code="WHY")))["error"]
    assert (asked["message"], asked["status"], asked["details"][0]["reason"]) == ("No.", "MINE", "WHY")


@pytest.mark.parametrize("base", BOTH)
def test_a_strict_proxy_knows_googles_models_only(base: str) -> None:
    strict = Asker("vertex_ai", is_strict=True)
    assert strict.send("POST", f"{base}{FLASH}:generateContent", says("Hi")).status == 200
    refused = strict.send("POST", f"{base}gemini-99-ultra:generateContent", says("Hi"))
    assert "gemini-99-ultra" in message_of(refused, 404)


_NAMES = st.sampled_from(
    sorted(
        {name for message in vars(gemini_fields).values() if isinstance(message, Message) for name in message.fields}
        | {
            "input",
            "messages",
            "stream",
            "max_tokens",
            "prompt",
            "image",
            "type",
            "properties",
            "enum",
            "ducks",
            "$ref",
        }
    )
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | _NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=20,
)

_PATHS = (
    *(f"{base}{FLASH}:{verb}" for base in BOTH for verb in (
        "generateContent", "streamGenerateContent", "streamGenerateContent?alt=sse", "countTokens", "computeTokens",
        "embedContent", "batchEmbedContents", "predict")),
    *(f"{LOCATION}/publishers/{name}:{verb}" for name in ("anthropic/models/claude-haiku-4-5", "meta/models/llama")
      for verb in ("rawPredict", "streamRawPredict")),
    f"{LOCATION}/publishers/anthropic/models/count-tokens:rawPredict",
    f"{LOCATION}/cachedContents",
    "/v1beta/cachedContents",
    "/v1beta/interactions",
    "/upload/v1beta/files",
    "/v1beta/openai/chat/completions",
    "/v1beta/openai/embeddings",
    f"{LOCATION}/endpoints/openapi/chat/completions",
)  # fmt: skip


def _is_sound(reply: Any) -> bool:
    body = whole(reply)
    if header(reply, "content-type") == "text/event-stream":
        return reply.status == 200
    return reply.status in (200, 400, 403, 404, 413) and (not body or orjson.loads(body) is not None)


@pytest.mark.parametrize("path", _PATHS)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(body=_JSON, headers=st.sampled_from([{}, {"x-goog-upload-command": "start"}, {"content-type": "x/y"}]))
def test_no_body_breaks_it(path: str, body: Any, headers: dict[str, str]) -> None:
    if isinstance(body, dict) and "Content" in path:
        body = says("Hi") | body
    # The standard library writes what is no JSON as well: NaN and Infinity.
    assert _is_sound(Asker("vertex_ai").send("POST", path, json.dumps(body).encode(), headers))


_WHOLE: dict[str, Any] = {
    "contents": [
        {"role": "user", "parts": [{"text": "Hi"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
        {"role": "model", "parts": [{"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "1", "name": "f", "response": {"output": "x"}}}]},
    ],
    "systemInstruction": {"parts": [{"text": "Be kind."}]},
    "tools": [
        {
            "functionDeclarations": [
                {
                    "name": "f",
                    "description": "d",
                    "parameters": {"type": "OBJECT", "properties": {"a": {"type": "INTEGER", "enum": ["1"]}}},
                }
            ]
        }
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {
        "temperature": 1,
        "candidateCount": 2,
        "maxOutputTokens": 9,
        "stopSequences": ["a"],
        "responseModalities": ["TEXT", "IMAGE"],
        "imageConfig": {"aspectRatio": "1:1"},
        "responseLogprobs": True,
        "logprobs": 2,
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 9},
    },
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
    "labels": {"a": "b"},
}
_INTERACTION: dict[str, Any] = {
    "model": FLASH,
    "input": [
        {"type": "user_input", "content": [{"type": "text", "text": "Hi"}]},
        {"type": "function_call", "id": "1", "name": "f", "arguments": {}},
        {"type": "function_result", "call_id": "1", "name": "f", "result": "x"},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
    "generation_config": {"temperature": 1, "tool_choice": {"allowed_tools": {"mode": "any", "tools": ["f"]}}},
    "response_format": {"type": "text", "mime_type": "application/json", "schema": {"type": "object"}},
}


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in children for place in _places(child, (*path, key)))]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{VERTEX}{FLASH}:generateContent", _WHOLE),
        (f"{GEMINI}{FLASH}:streamGenerateContent", _WHOLE),
        (f"{GEMINI}{FLASH}:countTokens", {"generateContentRequest": _WHOLE}),
        (f"{GEMINI}{FLASH}:batchEmbedContents", {"requests": [{"content": _WHOLE["contents"][0], "taskType": "x"}]}),
        ("/v1beta/interactions", _INTERACTION),
    ],
)
@settings(max_examples=120, deadline=None, derandomize=True)
@given(data=st.data(), value=_JSON)
def test_no_single_wrong_value_breaks_it(path: str, body: dict[str, Any], data: st.DataObject, value: Any) -> None:
    place = data.draw(st.sampled_from(_places(body)[1:]))
    wrong = copy.deepcopy(body)
    holder: Any = wrong
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    assert _is_sound(Asker("vertex_ai").send("POST", path, json.dumps(wrong).encode()))


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        b"{",
        b'{"contents": NaN}',
        b'"\\ud800"',
        b'{"contents":[{"role":"user","parts":[{"text":"\\ud800"}]}]}',
        b'{"generationConfig":{"temperature":1e999}}',
        b'{"generationConfig":{"maxOutputTokens":99999999999999999999999}}',
        b'{"contents":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"contents":[{"role":"user","parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"name":"f",'
        b'"parameters":' + b'{"items":' * 300 + b"{}" + b"}" * 300 + b"}]}]}",
    ],
)
def test_no_bytes_break_it(path: str, raw: bytes) -> None:
    assert _is_sound(Asker("vertex_ai").send("POST", path, raw))
