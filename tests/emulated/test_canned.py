"""Canned replies in every dialect, whole and streamed: said, failed, sent as they are, with their waits."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

import pytest

from providers.emulated.base import EmulatedReply
from providers.emulated.canned_grammar import read_replies
from tests.providers.emulated.asking import Asker, header, whole

CLAUDE = "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0"
VERTEX = "/v1/projects/p/locations/us-central1/publishers"
RAW_PREDICT = f"{VERTEX}/anthropic/models/claude-haiku-4-5@20251001"
USER = [{"role": "user", "content": "Say hello."}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FUNCTION = {"name": "get_weather", "parameters": SCHEMA}
CHAT = {"model": "gpt-4o-mini", "messages": USER, "tools": [{"type": "function", "function": FUNCTION}]}
MESSAGES = {"max_tokens": 2000, "messages": USER, "tools": [{"name": "get_weather", "input_schema": SCHEMA}]}
CONVERSE = {
    "messages": [{"role": "user", "content": [{"text": "Say hello."}]}],
    "toolConfig": {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": SCHEMA}}}]},
}
CONTENTS = {
    "contents": [{"role": "user", "parts": [{"text": "Say hello."}]}],
    "tools": [{"functionDeclarations": [FUNCTION]}],
}
RESPONSES = {"model": "gpt-4o-mini", "input": "Say hello.", "tools": [{"type": "function", **FUNCTION}]}
BEDROCK_CLAUDE = {**MESSAGES, "anthropic_version": "bedrock-2023-05-31"}
VERTEX_CLAUDE = {**MESSAGES, "anthropic_version": "vertex-2023-10-16"}

# name -> provider, target and body of the whole reply, target and body of the stream
DIALECTS: dict[str, tuple[str, str, dict[str, Any], str, dict[str, Any]]] = {
    "chat": ("openai", "/v1/chat/completions", CHAT, "/v1/chat/completions", {**CHAT, "stream": True}),
    "responses": ("openai", "/v1/responses", RESPONSES, "/v1/responses", {**RESPONSES, "stream": True}),
    "azure": (
        *("azure_openai", "/openai/v1/chat/completions", CHAT),
        *("/openai/v1/chat/completions", {**CHAT, "stream": True}),
    ),
    "messages": (
        *("anthropic", "/v1/messages", {"model": "claude-haiku-4-5", **MESSAGES}),
        *("/v1/messages", {"model": "claude-haiku-4-5", **MESSAGES, "stream": True}),
    ),
    "converse": ("bedrock", f"{CLAUDE}/converse", CONVERSE, f"{CLAUDE}/converse-stream", CONVERSE),
    "invoke": (
        *("bedrock", f"{CLAUDE}/invoke", BEDROCK_CLAUDE),
        *(f"{CLAUDE}/invoke-with-response-stream", BEDROCK_CLAUDE),
    ),
    "gemini": (
        *("vertex_ai", "/v1beta/models/gemini-2.5-flash:generateContent", CONTENTS),
        *("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", CONTENTS),
    ),
    "vertex": (
        *("vertex_ai", f"{VERTEX}/google/models/gemini-2.5-flash:generateContent", CONTENTS),
        *(f"{VERTEX}/google/models/gemini-2.5-flash:streamGenerateContent", CONTENTS),
    ),
    "raw_predict": (
        *("vertex_ai", f"{RAW_PREDICT}:rawPredict", VERTEX_CLAUDE),
        *(f"{RAW_PREDICT}:streamRawPredict", {**VERTEX_CLAUDE, "stream": True}),
    ),
}


def ask(name: str, reply: dict[str, Any]) -> tuple[EmulatedReply, EmulatedReply]:
    """The whole and the streamed reply."""
    provider, target, body, stream_target, stream_body = DIALECTS[name]
    asker = Asker(provider, canned=read_replies([{"reply": reply}]))
    return asker.send("POST", target, body), asker.send("POST", stream_target, stream_body)


every_dialect = pytest.mark.parametrize("name", DIALECTS)


@every_dialect
@pytest.mark.parametrize(
    "reply",
    [
        {"text": "quack"},
        {"text": ""},
        {"json": {"a": ["quack"]}},
        {"thinking": "Hmm, hmm.", "text": "quack"},
        {"tool_calls": [{"name": "get_weather", "arguments": {"city": "quack"}}]},
        {
            "tool_calls": [{"name": "unheard_of"}, {"name": "get_weather", "arguments": {"a": {"b": 1}}}],
            "text": "quack",
        },
        {"text": "quack", "finish": "length", "usage": {"input_tokens": 0, "output_tokens": 0}},
        {"text": "quack", "finish": "refusal"},
        {"tool_calls": [{"name": "get_weather"}], "finish": "stop"},
    ],
)
def test_what_is_said_comes_whole_and_streamed(name: str, reply: dict[str, Any]) -> None:
    unary, stream = ask(name, reply)
    assert (unary.status, stream.status) == (200, 200), whole(unary) + whole(stream)
    assert isinstance(unary.body, bytes)
    assert not isinstance(stream.body, bytes)
    if "quack" in str(reply):
        assert b"quack" in whole(unary)


@pytest.mark.parametrize("name", [name for name in DIALECTS if name not in ("chat", "azure")])
def test_thinking_is_shown_though_the_request_did_not_ask_to_see_it(name: str) -> None:
    unary, stream = ask(name, {"thinking": "Hmm.", "text": "quack"})
    assert b'"Hmm.' in whole(unary)
    frames = whole(stream)
    if name == "invoke":
        frames = b"".join(b64decode(part) for part in re.findall(rb'"bytes":"([^"]+)"', frames))
    assert b'"Hmm' in frames


@pytest.mark.parametrize("name", ["chat", "azure"])
def test_chat_completions_count_thinking_as_they_cannot_show_it(name: str) -> None:
    unary, stream = ask(name, {"thinking": "Hmm.", "text": "quack"})
    assert b"Hmm" not in whole(unary) + whole(stream)
    assert b'"reasoning_tokens":2' in whole(unary)


@every_dialect
def test_chunks_are_frames_with_their_waits(name: str) -> None:
    unary, stream = ask(name, {"chunks": ["one ", {"text": "two", "delay_s": 0.5}], "delay_s": 2})
    assert not isinstance(stream.body, bytes)
    assert b"one two" in whole(unary)
    assert (unary.delay_s, stream.delay_s) == (2.5, 2)  # a whole reply waits for all of it
    assert [frame.delay_s for frame in stream.body if frame.delay_s] == [0.5]
    assert sum(frame.tokens for frame in stream.body) == 2


@every_dialect
@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 408, 409, 413, 418, 422, 429, 499, 500, 502, 503, 504, 529, 599]
)
def test_errors_have_their_status_words_and_headers(name: str, status: int) -> None:
    error = {"status": status, "message": "Not today.", "type": "t", "code": "c", "headers": {"retry-after": 3}}
    for reply in ask(name, {"error": error, "delay_s": 1}):
        assert reply.status == status
        assert b"Not today." in whole(reply)
        assert (header(reply, "retry-after"), reply.delay_s) == ("3", 1)
    for reply in ask(name, {"error": {"status": status}}):
        assert reply.status == status
        assert whole(reply)


@every_dialect
def test_bodies_are_sent_as_they_are(name: str) -> None:
    for reply in ask(name, {"body": "half a", "status": 202, "content_type": "text/plain"}):
        assert (reply.status, reply.body, header(reply, "content-type")) == (202, b"half a", "text/plain")
    for reply in ask(name, {"raw": True, "chunks": ["a", "b"]}):
        assert not isinstance(reply.body, bytes)
        assert [frame.data for frame in reply.body] == [b"a", b"b"]


@pytest.mark.parametrize(
    ("provider", "method", "target", "body"),
    [
        ("openai", "POST", "/v1/embeddings", {"model": "text-embedding-3-small", "input": "x"}),
        ("openai", "GET", "/v1/models", None),
        ("openai", "POST", "/v1/moderations", {"input": "x"}),
        ("openai", "POST", "/v1/images/generations", {"model": "gpt-image-1", "prompt": "x"}),
        ("openai", "GET", "/v1/files", None),
        ("azure_openai", "POST", "/openai/v1/embeddings", {"model": "text-embedding-3-small", "input": "x"}),
        ("anthropic", "GET", "/v1/models", None),
        ("anthropic", "POST", "/v1/messages/count_tokens", {"model": "claude-haiku-4-5", "messages": USER}),
        ("vertex_ai", "POST", "/v1beta/models/gemini-2.5-flash:countTokens", {"contents": CONTENTS["contents"]}),
        ("vertex_ai", "GET", "/v1beta/models", None),
        ("bedrock", "POST", "/model/amazon.titan-embed-text-v2%3A0/invoke", {"inputText": "x"}),
    ],
)
def test_operations_without_prose_can_fail_too(provider: str, method: str, target: str, body: Any) -> None:
    usual = Asker(provider).send(method, target, body)
    assert usual.status == 200, whole(usual)
    failing = Asker(provider, canned=read_replies([{"reply": {"text": "x"}}, {"reply": {"error": {"status": 503}}}]))
    assert failing.send(method, target, body).status == 503
    counting = Asker(provider, canned=read_replies([{"match": {"nth": 2}, "reply": {"body": {"a": 1}}}]))
    first, second = counting.send(method, target, body), counting.send(method, target, body)
    assert (first.status, first.is_repeatable) == (200, False)
    assert (second.body, second.is_repeatable) == (b'{"a":1}', False)
