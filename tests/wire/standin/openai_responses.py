"""The Responses API: typed events, and no `[DONE]`.

Source of shapes: OpenAI API reference (platform.openai.com/docs/api-reference) and openai 3.54.0's types, read
November 2026.
"""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from tests.wire.standin.messages import Headers, Reply, Request, Turn, compact, json_reply
from tests.wire.standin.openai_shapes import DATED, headers, sse

RESPONSES_USAGE = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 0},
    "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 20},
    "total_tokens": 1100,
}


def responses(request: Request, turn: Turn, extra: Headers | None = None) -> Reply:
    """responses.create, unary or streamed."""
    body = request.json()
    tool = body["tools"][0]["name"] if body.get("tools") else None
    item: dict[str, Any]
    if tool:
        item = {
            "id": f"fc_{turn.number}",
            "type": "function_call",
            "status": "completed",
            "call_id": f"call_{turn.number}",
            "name": tool,
            "arguments": compact(turn.arguments),
        }
    else:
        part = {"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}
        item = {
            "id": f"msg_{turn.number}",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [part],
        }
    whole = {
        "id": f"resp_{uuid4().hex}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "model": DATED.get(body.get("model", ""), body.get("model")),
        "output": [item],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": body.get("tools", []),
        "top_p": 1.0,
        "metadata": {},
        "usage": RESPONSES_USAGE,
    }
    if body.get("stream"):
        return _responses_stream(turn, whole, item, extra)
    return json_reply(200, whole, headers(turn) if extra is None else extra)


def _responses_stream(turn: Turn, whole: dict[str, Any], item: dict[str, Any], extra: Headers | None) -> Reply:
    frames: list[str] = []

    def event(kind: str, **fields: object) -> str:
        return f"event: {kind}\ndata: {compact({'type': kind, 'sequence_number': len(frames), **fields})}\n\n"

    def add(kind: str, **fields: object) -> None:
        frames.append(event(kind, **fields))

    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    at = {"item_id": item["id"], "output_index": 0}
    add("response.created", response=begun)
    add("response.in_progress", response=begun)
    if item["type"] == "function_call":
        add("response.output_item.added", output_index=0, item={**item, "status": "in_progress", "arguments": ""})
        for piece in turn.arguments_pieces:
            add("response.function_call_arguments.delta", **at, delta=piece)
        add("response.function_call_arguments.done", **at, name=item["name"], arguments="".join(turn.arguments_pieces))
    else:
        part = item["content"][0]
        add("response.output_item.added", output_index=0, item={**item, "status": "in_progress", "content": []})
        add("response.content_part.added", **at, content_index=0, part={**part, "text": ""})
        for piece in turn.pieces:
            add("response.output_text.delta", **at, content_index=0, delta=piece, logprobs=[])
        add("response.output_text.done", **at, content_index=0, text=turn.text, logprobs=[])
        add("response.content_part.done", **at, content_index=0, part=part)
    add("response.output_item.done", output_index=0, item=item)
    add("response.completed", response=whole)
    failure = event("error", code="server_error", message="The server had an error", param=None)
    return sse(turn, frames, failure, extra)
