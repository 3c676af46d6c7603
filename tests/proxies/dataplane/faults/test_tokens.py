"""What a piece of a reply carries of the answer is seen in every dialect."""

from __future__ import annotations

import base64

import orjson
import pytest

from providers.wire.event_stream import build_event
from proxies.dataplane.faults.events import Framing
from proxies.dataplane.faults.tokens import tokens_of_body, tokens_of_event

TEXT = "one two three"  # a token a word


def sse(value: object, name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + orjson.dumps(value) + b"\n\n"


def wrapped(value: object) -> bytes:
    return build_event("chunk", orjson.dumps({"bytes": base64.b64encode(orjson.dumps(value)).decode(), "p": "abcdef"}))


CARRYING = {
    "chat": (Framing.SSE, sse({"choices": [{"index": 0, "delta": {"content": TEXT}, "finish_reason": None}]})),
    "chat refusal": (Framing.SSE, sse({"choices": [{"delta": {"refusal": TEXT}}]})),
    "chat tool call": (
        Framing.SSE,
        sse({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": TEXT}}]}}]}),
    ),
    "completion": (Framing.SSE, sse({"choices": [{"text": TEXT, "index": 0, "logprobs": None}]})),
    "Responses": (
        Framing.SSE,
        sse({"type": "response.output_text.delta", "delta": TEXT}, "response.output_text.delta"),
    ),
    "Messages": (
        Framing.SSE,
        sse({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}}),
    ),
    "Messages tool": (
        Framing.SSE,
        sse({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": TEXT}}),
    ),
    "Gemini": (Framing.SSE, sse({"candidates": [{"content": {"role": "model", "parts": [{"text": TEXT}]}}]})),
    "Gemini array": (
        Framing.JSON_ARRAY,
        b",\r\n" + orjson.dumps({"candidates": [{"content": {"parts": [{"text": TEXT}]}}]}),
    ),
    "Converse": (Framing.AWS, build_event("contentBlockDelta", orjson.dumps({"delta": {"text": TEXT}}))),
    "Converse tool": (
        Framing.AWS,
        build_event("contentBlockDelta", orjson.dumps({"delta": {"toolUse": {"input": TEXT}}})),
    ),
    "InvokeModel": (
        Framing.AWS,
        wrapped({"type": "content_block_delta", "delta": {"type": "text_delta", "text": TEXT}}),
    ),
    "Titan": (Framing.AWS, wrapped({"outputText": TEXT, "index": 0})),
}
SILENT = {
    "role": (Framing.SSE, sse({"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": None}]})),
    "finish": (Framing.SSE, sse({"choices": [{"delta": {}, "finish_reason": "stop"}]})),
    "usage": (Framing.SSE, sse({"choices": [], "usage": {"prompt_tokens": 3}})),
    "done": (Framing.SSE, b"data: [DONE]\n\n"),
    "comment": (Framing.SSE, b": one two\n\n"),
    "sum": (Framing.SSE, sse({"type": "response.output_text.done", "text": TEXT})),
    "completed": (
        Framing.SSE,
        sse({"type": "response.completed", "response": {"output": [{"content": [{"text": TEXT}]}]}}),
    ),
    "message_start": (Framing.SSE, sse({"type": "message_start", "message": {"content": [], "model": "claude"}})),
    "ping": (Framing.SSE, sse({"type": "ping"}, "ping")),
    "message_delta": (Framing.SSE, sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})),
    "messageStop": (Framing.AWS, build_event("messageStop", b'{"stopReason":"end_turn"}')),
    "bracket": (Framing.JSON_ARRAY, b"]"),
    "nothing": (Framing.CHUNKS, b""),
}


@pytest.mark.parametrize("name", CARRYING)
def test_text_of_the_answer_is_counted(name: str) -> None:
    kind, event = CARRYING[name]
    assert tokens_of_event(event, kind) == 3


@pytest.mark.parametrize("name", SILENT)
def test_events_without_text_count_nothing(name: str) -> None:
    kind, event = SILENT[name]
    assert tokens_of_event(event, kind) == 0


def test_sound_counts_by_the_piece() -> None:
    assert tokens_of_event(b"\xff" * 1000, Framing.CHUNKS) == 1
    assert tokens_of_event(sse({"type": "speech.audio.delta", "audio": "AAAA"}), Framing.SSE) == 1


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (orjson.dumps({"choices": [{"message": {"role": "assistant", "content": TEXT}}]}), 3),
        (orjson.dumps({"content": [{"type": "text", "text": TEXT}]}), 3),
        (orjson.dumps({"output": {"message": {"content": [{"text": TEXT}]}}}), 3),
        (orjson.dumps({"data": [{"embedding": [0.1, 0.2]}]}), 0),
        (TEXT.encode(), 3),
        (b"\xff\xfb\x90", 0),
        (orjson.dumps(None), 0),
    ],
)
def test_a_whole_reply_is_counted_by_its_text(body: bytes, tokens: int) -> None:
    assert tokens_of_body(body) == tokens
