"""The streams of every dialect that tests of stream faults damage, as their providers send them."""

from __future__ import annotations

from typing import Any

import orjson

from providers.wire.event_stream import build_event
from tests.proxies.dataplane.proxying import request

WORDS = ["One", " two", " three", " four", " five"]


def sse(value: Any, name: str = "", end: str = "\n") -> bytes:
    head = f"event: {name}{end}" if name else ""
    return f"{head}data: {orjson.dumps(value).decode()}{end}{end}".encode()


def _chat(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return sse(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "choices": [choice]}
    )


CHAT = [
    _chat({"role": "assistant", "content": ""}),
    *(_chat({"content": word}) for word in WORDS),
    _chat({}, "stop"),
    b"data: [DONE]\n\n",
]
CALLING = [
    _chat(
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}}
            ],
        }
    ),
    *(
        _chat({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        for piece in ('{"ci', 'ty": "Pa', 'ris", "un', 'it": "C"}')
    ),
    _chat({}, "tool_calls"),
    b"data: [DONE]\n\n",
]
MESSAGES = [
    sse(
        {
            "type": "message_start",
            "message": {
                "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [],
                "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1},
            },
        },
        "message_start",
    ),
    sse(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        "content_block_start",
    ),
    sse({"type": "ping"}, "ping"),
    *(
        sse(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}},
            "content_block_delta",
        )
        for word in WORDS
    ),
    sse({"type": "content_block_stop", "index": 0}, "content_block_stop"),
    sse(
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 5},
        },
        "message_delta",
    ),
    sse({"type": "message_stop"}, "message_stop"),
]  # fmt: skip
CONVERSE = [
    build_event("messageStart", b'{"role":"assistant"}'),
    *(
        build_event("contentBlockDelta", orjson.dumps({"contentBlockIndex": 0, "delta": {"text": word}}))
        for word in WORDS
    ),
    build_event("contentBlockStop", b'{"contentBlockIndex":0}'),
    build_event("messageStop", b'{"stopReason":"end_turn"}'),
    build_event("metadata", b'{"usage":{"inputTokens":9,"outputTokens":5,"totalTokens":14},"metrics":{"latencyMs":5}}'),
]


def _gemini(word: str, finish: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": word}]}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 1, "totalTokenCount": 10}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash"}


_GEMINI = [*(_gemini(word) for word in WORDS[:-1]), _gemini(WORDS[-1], "STOP")]
GEMINI = [sse(chunk, end="\r\n") for chunk in _GEMINI]
ARRAY = [b"[" + orjson.dumps(_GEMINI[0]), *(b",\r\n" + orjson.dumps(chunk) for chunk in _GEMINI[1:]), b"]"]

DIALECTS = {
    "chat": ("openai", "text/event-stream", CHAT),
    "messages": ("anthropic", "text/event-stream; charset=utf-8", MESSAGES),
    "converse": ("bedrock", "application/vnd.amazon.eventstream", CONVERSE),
    "gemini": ("vertex_ai", "text/event-stream", GEMINI),
    "array": ("vertex_ai", "application/json; charset=UTF-8", ARRAY),
}
_CHAT_BODY = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
_GEMINI_BODY = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
_TARGETS: dict[str, tuple[str, Any]] = {
    "chat": ("/v1/chat/completions", _CHAT_BODY),
    "messages": ("/v1/messages", {**_CHAT_BODY, "model": "claude-sonnet-4-5", "max_tokens": 16}),
    "converse": (
        "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream",
        {"messages": [{"role": "user", "content": [{"text": "hi"}]}]},
    ),
    "gemini": ("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", _GEMINI_BODY),
    "array": ("/v1beta/models/gemini-2.5-flash:streamGenerateContent", _GEMINI_BODY),
}


def asking(dialect: str) -> bytes:
    """The bytes of a request for a stream of this dialect."""
    target, body = _TARGETS[dialect]
    return request(target=target, body=orjson.dumps(body))
