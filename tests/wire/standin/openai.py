"""The part of api.openai.com: strict about paths and keys, as the genuine service is.

Source of shapes: OpenAI API reference (platform.openai.com/docs/api-reference) and openai 3.54.0's types, read
November 2026.
"""

from __future__ import annotations

import base64
import re
import struct
import time
from typing import Any
from uuid import uuid4

from tests.wire.standin.messages import Headers, Reply, Request, Turn, compact, json_reply
from tests.wire.standin.multipart import read_form
from tests.wire.standin.openai_responses import responses
from tests.wire.standin.openai_shapes import DATED, error, headers, not_found, sse

# 1x1 transparent PNG.
_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
_FILES: dict[str, tuple[dict[str, Any], bytes]] = {}

CHAT_USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 100,
    "total_tokens": 1100,
    "prompt_tokens_details": {"cached_tokens": 400, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 20,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def answer(request: Request, turn: Turn) -> Reply:
    """Plays api.openai.com."""
    key = (request.header("authorization") or "").removeprefix("Bearer ")
    if not key:
        return error(401, turn, message="You didn't provide an API key.", code=None)
    if key == "sk-wrong":
        return error(401, turn)
    if not request.path.startswith("/v1/"):
        return not_found(request, turn)
    return operation(request, turn, request.path.removeprefix("/v1"))


def operation(request: Request, turn: Turn, path: str) -> Reply:
    """Answers one operation; `path` is what follows `/v1`. Azure and Vertex serve some of the same ones."""
    if turn.fail:
        return error(turn.fail, turn)
    if path == "/models" and request.method in {"GET", "HEAD"}:
        models = [
            {"id": name, "object": "model", "created": 1721172741, "owned_by": "system"}
            for name in (*DATED, f"standin-{turn.number}")
        ]
        return json_reply(200, {"object": "list", "data": models}, headers(turn))
    if found := re.fullmatch(r"/files(?:/([^/]+))?(/content)?", path):
        return _files(request, turn, found[1], found[2] is not None)
    handler = _OPERATIONS.get((request.method, path))
    return handler(request, turn) if handler else not_found(request, turn)


def chat(request: Request, turn: Turn, extra: Headers | None = None, model: str | None = None) -> Reply:
    """chat.completions, unary or streamed; `extra` and `model` replace the headers and the dated model name."""
    body = request.json()
    if not isinstance(body.get("messages"), list) or not (model or body.get("model")):
        return error(400, turn, message="Missing required parameter: 'messages'.")
    base = {
        "id": f"chatcmpl-{uuid4().hex[:24]}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model or DATED.get(body["model"], body["model"]),
        "service_tier": "default",
        "system_fingerprint": "fp_standin",
    }
    tool = body["tools"][0]["function"]["name"] if body.get("tools") else None
    if body.get("stream"):
        return _chat_stream(turn, base, body, tool, extra)
    call = {"id": f"call_{turn.number}", "type": "function"}
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if tool else turn.text,
        "refusal": None,
        "annotations": [],
    }
    if tool:
        message["tool_calls"] = [{**call, "function": {"name": tool, "arguments": compact(turn.arguments)}}]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls" if tool else "stop"}
    return json_reply(
        200, {**base, "choices": [choice], "usage": CHAT_USAGE}, headers(turn) if extra is None else extra
    )


def _chat_stream(
    turn: Turn, base: dict[str, Any], body: dict[str, Any], tool: str | None, extra: Headers | None
) -> Reply:
    with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    base["object"] = "chat.completion.chunk"

    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if with_usage else {}
        return f"data: {compact({**base, 'choices': [choice], **usage})}\n\n"

    if tool:
        start = {
            "index": 0,
            "id": f"call_{turn.number}",
            "type": "function",
            "function": {"name": tool, "arguments": ""},
        }
        frames = [chunk({"role": "assistant", "content": None, "tool_calls": [start], "refusal": None})]
        frames += [
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}) for piece in turn.arguments_pieces
        ]
    else:
        frames = [chunk({"role": "assistant", "content": "", "refusal": None})]
        frames += [chunk({"content": piece}) for piece in turn.pieces]
    frames.append(chunk({}, "tool_calls" if tool else "stop"))
    if with_usage:
        frames.append(f"data: {compact({**base, 'choices': [], 'usage': CHAT_USAGE})}\n\n")
    frames.append("data: [DONE]\n\n")
    failure = {"message": "The server had an error", "type": "server_error", "param": None, "code": "server_error"}
    return sse(turn, frames, f"data: {compact({'error': failure})}\n\n", extra)


def completions(request: Request, turn: Turn) -> Reply:
    """The legacy completions."""
    body = request.json()
    base = {
        "id": f"cmpl-{turn.number}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": body.get("model"),
    }

    def choice(text: str, finish: str | None) -> list[dict[str, Any]]:
        return [{"text": text, "index": 0, "logprobs": None, "finish_reason": finish}]

    if body.get("stream"):
        frames = [f"data: {compact({**base, 'choices': choice(piece, None)})}\n\n" for piece in turn.pieces]
        return sse(
            turn, [*frames, f"data: {compact({**base, 'choices': choice('', 'stop')})}\n\n", "data: [DONE]\n\n"], ""
        )
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    return json_reply(200, {**base, "choices": choice(turn.text, "stop"), "usage": usage}, headers(turn))


def embeddings(request: Request, turn: Turn, extra: Headers | None = None) -> Reply:
    """Embeddings whose first value is the request's number; base64 of little-endian float32 unless `float` is asked."""
    body = request.json()
    inputs = body["input"] if isinstance(body.get("input"), list) else [body.get("input")]
    vector = [float(turn.number), 0.25, -0.5, 1.0]
    as_base64 = base64.b64encode(struct.pack("<4f", *vector)).decode()
    value = as_base64 if body.get("encoding_format") == "base64" else vector
    data = [{"object": "embedding", "index": index, "embedding": value} for index in range(len(inputs))]
    whole = {
        "object": "list",
        "data": data,
        "model": body.get("model"),
        "usage": {"prompt_tokens": 1000, "total_tokens": 1000},
    }
    return json_reply(200, whole, headers(turn) if extra is None else extra)


def speech(request: Request, turn: Turn) -> Reply:
    """Binary audio, chunked; not JSON and not text on purpose."""
    head = [("content-type", "audio/mpeg"), *headers(turn)]
    frames = [b"ID3\x04\x00\x00" + turn.text.encode(), bytes(range(256)) * 8, b"\xff\xfb\x90\x00" * 64]
    return Reply(200, head, frames=frames)


def transcriptions(request: Request, turn: Turn) -> Reply:
    """Tells what was heard: the size and name of the uploaded file."""
    form = read_form(request)
    if form is None or "file" not in form or "model" not in form:
        return error(400, turn, message="Could not parse multipart form")
    heard = f"{turn.text} {len(form['file'].content)} bytes of {form['file'].filename}"
    if form.get("response_format") and form["response_format"].content == b"text":
        return Reply(200, [("content-type", "text/plain; charset=utf-8"), *headers(turn)], (heard + "\n").encode())
    usage = {"type": "tokens", "input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    return json_reply(200, {"text": heard, "usage": usage}, headers(turn))


def images(request: Request, turn: Turn) -> Reply:
    """An image as base64, with token usage."""
    edited = request.path.endswith("/edits") and read_form(request) is None
    if edited:
        return error(400, turn, message="Could not parse multipart form")
    usage = {
        "total_tokens": 1100,
        "input_tokens": 1000,
        "output_tokens": 100,
        "input_tokens_details": {"text_tokens": 1000, "image_tokens": 0},
    }
    image = {"b64_json": _PNG, "revised_prompt": turn.text}
    return json_reply(200, {"created": int(time.time()), "data": [image], "usage": usage}, headers(turn))


def moderations(request: Request, turn: Turn) -> Reply:
    """Nothing is ever flagged."""
    result = {
        "flagged": False,
        "categories": {"violence": False},
        "category_scores": {"violence": turn.number / 1e6},
        "category_applied_input_types": {"violence": ["text"]},
    }
    whole = {"id": f"modr-{turn.number}", "model": "omni-moderation-latest", "results": [result]}
    return json_reply(200, whole, headers(turn))


def _files(request: Request, turn: Turn, file_id: str | None, content: bool) -> Reply:
    if file_id is None and request.method == "POST":
        form = read_form(request)
        if form is None or "file" not in form or "purpose" not in form:
            return error(400, turn, message="Could not parse multipart form")
        name = f"file-{turn.number}"
        shape = {
            "id": name,
            "object": "file",
            "bytes": len(form["file"].content),
            "created_at": int(time.time()),
            "filename": form["file"].filename,
            "purpose": form["purpose"].content.decode(),
            "status": "processed",
        }
        _FILES[name] = (shape, form["file"].content)
        return json_reply(200, shape, headers(turn))
    if file_id is None:
        listed = {"object": "list", "data": [shape for shape, _ in _FILES.values()], "has_more": False}
        return json_reply(200, listed, headers(turn))
    if file_id not in _FILES:
        return error(404, turn, message=f"No such File object: {file_id}", code=None)
    shape, stored = _FILES[file_id]
    if content:
        return Reply(200, [("content-type", "application/octet-stream"), *headers(turn)], stored)
    if request.method == "DELETE":
        del _FILES[file_id]
        return json_reply(200, {"id": file_id, "object": "file", "deleted": True}, headers(turn))
    return json_reply(200, shape, headers(turn))


_OPERATIONS = {
    ("POST", "/chat/completions"): chat,
    ("POST", "/responses"): responses,
    ("POST", "/completions"): completions,
    ("POST", "/embeddings"): embeddings,
    ("POST", "/audio/speech"): speech,
    ("POST", "/audio/transcriptions"): transcriptions,
    ("POST", "/audio/translations"): transcriptions,
    ("POST", "/images/generations"): images,
    ("POST", "/images/edits"): images,
    ("POST", "/moderations"): moderations,
}
