"""The part of api.anthropic.com.

Source of shapes: Anthropic API reference (docs.anthropic.com/en/api) and anthropic 2.12.0's types, read November 2026.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.wire.standin.messages import Headers, Reply, Request, Turn, compact, json_reply

_ERRORS = {
    400: ("invalid_request_error", "max_tokens: Field required"),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your account has a billing problem."),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "model: claude-none"),
    408: ("timeout_error", "Request timed out."),
    409: ("conflict_error", "Conflict"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: (
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50 requests per minute "
        "(org: 00000000-0000-0000-0000-000000000000, model: claude-haiku-4-5).",
    ),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "Request timed out."),
    529: ("overloaded_error", "Overloaded"),
}

USAGE = {
    "input_tokens": 1000,
    "cache_creation_input_tokens": 200,
    "cache_read_input_tokens": 300,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 100,
    "service_tier": "standard",
}


def answer(request: Request, turn: Turn) -> Reply:
    """Plays api.anthropic.com."""
    key = request.header("x-api-key") or (request.header("authorization") or "").removeprefix("Bearer ")
    if not key or key == "wrong":
        return error(401, turn, "invalid x-api-key" if key else "x-api-key header is required")
    version = request.header("anthropic-version")
    if version is None:
        return error(400, turn, "anthropic-version: header is required")
    if turn.fail:
        return error(turn.fail, turn)
    if request.method == "GET" and request.path == "/v1/models":
        names = ("claude-haiku-4-5-20251001", f"standin-{turn.number}")
        models = [
            {"type": "model", "id": name, "display_name": name, "created_at": "2025-10-01T00:00:00Z"} for name in names
        ]
        page = {"data": models, "has_more": False, "first_id": names[0], "last_id": names[-1]}
        return json_reply(200, page, headers(turn))
    if request.method == "POST" and request.path == "/v1/messages/count_tokens":
        return json_reply(200, {"input_tokens": 1000 + turn.number}, headers(turn))
    if request.method == "POST" and request.path == "/v1/messages":
        body = request.json()
        if version == "2026-10-21" and "temperature" in body:
            return error(400, turn, "temperature: Extra inputs are not permitted")
        return messages(body, turn, headers(turn))
    return error(404, turn, "Not found")


def messages(
    body: dict[str, Any], turn: Turn, extra: Headers, *, model: str = "", streamed: bool | None = None
) -> Reply:
    """messages.create, unary or streamed. Vertex names the model in the path and decides on streaming there."""
    if not isinstance(body.get("messages"), list) or "max_tokens" not in body:
        return error(400, turn)
    name = model or body.get("model", "")
    name = "claude-haiku-4-5-20251001" if name == "claude-haiku-4-5" else name
    if streamed if streamed is not None else body.get("stream"):
        frames = [sse(value).encode() for value in stream_events(body, turn, name)]
        failure = sse({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
        head = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"), *extra]
        return Reply(200, head, frames=frames, failure=failure.encode())
    return json_reply(200, message(body, turn, name), extra)


def message(body: dict[str, Any], turn: Turn, model: str) -> dict[str, Any]:
    """A whole message; calls the first tool when tools are given."""
    content: dict[str, Any] = {"type": "text", "text": turn.text}
    if body.get("tools"):
        content = {
            "type": "tool_use",
            "id": f"toolu_{turn.number}",
            "name": body["tools"][0]["name"],
            "input": turn.arguments,
        }
    return {
        "id": f"msg_{uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [content],
        "stop_reason": "tool_use" if body.get("tools") else "end_turn",
        "stop_sequence": None,
        "usage": USAGE,
    }


def stream_events(body: dict[str, Any], turn: Turn, model: str) -> list[dict[str, Any]]:
    """The events of a streamed message, in order, with a ping where the genuine service sends one."""
    whole = message(body, turn, model)
    block = whole["content"][0]
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}
    if block["type"] == "tool_use":
        start = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *turn.arguments_pieces)]
    else:
        start = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in turn.pieces]
    return [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": start},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
            "usage": {"output_tokens": USAGE["output_tokens"]},
        },
        {"type": "message_stop"},
    ]


def sse(value: dict[str, Any]) -> str:
    """One server-sent event: the event line repeats the type."""
    return f"event: {value['type']}\ndata: {compact(value)}\n\n"


def headers(turn: Turn) -> Headers:
    """Reply headers of the genuine service (spec sheet, docs)."""
    reset = "2026-11-21T12:40:59Z"
    return [
        ("request-id", request_id(turn)),
        ("anthropic-organization-id", "00000000-0000-0000-0000-000000000000"),
        ("anthropic-ratelimit-requests-limit", "5000"),
        ("anthropic-ratelimit-requests-remaining", str(5000 - turn.number)),
        ("anthropic-ratelimit-requests-reset", reset),
        ("anthropic-ratelimit-tokens-limit", "96000"),
        ("anthropic-ratelimit-tokens-remaining", "96000"),
        ("anthropic-ratelimit-tokens-reset", reset),
        ("via", "1.1 google"),
        ("cf-cache-status", "DYNAMIC"),
        ("server", "cloudflare"),
        ("x-robots-tag", "none"),
    ]


def request_id(turn: Turn) -> str:
    """The same id in header and body."""
    return f"req_011CSLsW7mFqvHHnz{turn.number:07d}"


def error(status: int, turn: Turn, message: str = "") -> Reply:
    """The provider's error body for a status."""
    kind, usual = _ERRORS.get(status, ("api_error" if status >= 500 else "invalid_request_error", f"Stand-in {status}"))
    body = {"type": "error", "error": {"type": kind, "message": message or usual}, "request_id": request_id(turn)}
    extra = [("retry-after", "7")] if status == 429 else []
    return json_reply(status, body, [*headers(turn), *extra])
