"""The part of {location}-aiplatform.googleapis.com and of generativelanguage.googleapis.com.

Source of shapes: Vertex AI and Gemini API REST references and google-genai 3.4.0's types, read November 2026.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.wire.standin import anthropic, openai
from tests.wire.standin.messages import Headers, Reply, Request, Turn, compact, json_reply

_JSON = "application/json; charset=UTF-8"
_PROJECT = r"/v1(?:beta1)?/projects/[^/]+/locations/(?P<location>[^/]+)"
_PUBLISHED = re.compile(
    rf"(?:{_PROJECT}|/v1(?:beta1)?)/publishers/(?P<publisher>[^/]+)/models/(?P<model>[^/:]+):(?P<verb>\w+)"
)
_GEMINI = re.compile(r"/v1(?:beta|alpha)?/models/(?P<model>[^/:]+):(?P<verb>\w+)")
_OPENAPI = re.compile(rf"{_PROJECT}/endpoints/openapi(?P<path>/.+)|/v1beta/openai(?P<gemini>/.+)")
_MODEL_LIST = re.compile(r"/v1(?:beta1)?/publishers/google/models|/v1(?:beta|alpha)?/models")
_UPLOAD = re.compile(r"/upload/v1(?:beta)?/files")

_ERRORS = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: (
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    ),
    403: ("PERMISSION_DENIED", "Permission 'aiplatform.endpoints.predict' denied on resource (or it may not exist)."),
    404: ("NOT_FOUND", "Publisher Model was not found or your project does not have access to it."),
    429: (
        "RESOURCE_EXHAUSTED",
        "Resource exhausted. Please try again later. Please refer to "
        "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.",
    ),
    499: ("CANCELLED", "The operation was cancelled."),
    500: ("INTERNAL", "Internal error encountered."),
    503: ("UNAVAILABLE", "The service is currently unavailable."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}
USAGE = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 400,
    "candidatesTokenCount": 80,
    "thoughtsTokenCount": 20,
    "totalTokenCount": 1100,
}
_HTML_404 = (
    b"<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n<p><b>404.</b> That's an error.\n"
)


def answer(request: Request, turn: Turn) -> Reply:
    """Plays Vertex AI and the Gemini API; the path tells which."""
    bearer = (request.header("authorization") or "").removeprefix("Bearer ")
    key = bearer or request.header("x-goog-api-key") or request.query.get("key") or ""
    finishing = _UPLOAD.fullmatch(request.path) and "upload_id" in request.query
    if (not key and not finishing) or key == "wrong":
        return error(401, turn)
    if found := _OPENAPI.fullmatch(request.path):
        if turn.fail:
            return error(turn.fail, turn)
        reply = openai.operation(request, turn, found["path"] or found["gemini"])
        reply.headers = [*reply.headers[:1], *headers()]
        return reply
    if found := _PUBLISHED.fullmatch(request.path):
        if wrong := _wrong_host(request, found["location"]):
            return wrong
        if found["publisher"] == "anthropic":
            return _claude(request, turn, found["model"], found["verb"])
    found = found or _GEMINI.fullmatch(request.path)
    if found and request.method == "POST":
        return _model_call(request, turn, found["model"], found["verb"])
    if request.method == "GET" and _MODEL_LIST.fullmatch(request.path):
        return _models(request, turn)
    if request.method == "POST" and _UPLOAD.fullmatch(request.path):
        return _upload(request, turn)
    return Reply(404, [("content-type", "text/html; charset=UTF-8")], _HTML_404)


def headers() -> Headers:
    """Reply headers of the genuine service (spec sheet, docs): no request id, no rate limits."""
    return [
        ("vary", "Origin"),
        ("vary", "X-Origin"),
        ("vary", "Referer"),
        ("server", "scaffolding on HTTPServer2"),
        ("x-xss-protection", "0"),
        ("x-frame-options", "SAMEORIGIN"),
        ("x-content-type-options", "nosniff"),
        ("server-timing", "gfet4t7; dur=662"),
    ]


def error_body(status: int) -> dict[str, Any]:
    """The provider's error object for a status."""
    name, message = _ERRORS.get(status, ("UNKNOWN", f"Stand-in error {status}"))
    return {"error": {"code": status, "message": message, "status": name}}


def error(status: int, turn: Turn, *, wrapped: bool = False) -> Reply:
    """An error reply; a stream without `alt=sse` wraps it in an array."""
    body = error_body(status)
    return json_reply(status, [body] if wrapped else body, headers(), _JSON)


def _wrong_host(request: Request, location: str | None) -> Reply | None:
    """A real host serves its own location only; loopback serves all."""
    host = request.host.partition(":")[0]
    if not host.endswith("googleapis.com") or location is None:
        return None
    due = {
        "global": "aiplatform.googleapis.com",
        "us": "aiplatform.us.rep.googleapis.com",
        "eu": "aiplatform.eu.rep.googleapis.com",
    }.get(location, f"{location}-aiplatform.googleapis.com")
    return None if host == due else Reply(404, [("content-type", "text/html; charset=UTF-8")], _HTML_404)


def _model_call(request: Request, turn: Turn, model: str, verb: str) -> Reply:
    as_array = verb == "streamGenerateContent" and request.query.get("alt") != "sse"
    if turn.fail:
        return error(turn.fail, turn, wrapped=as_array)
    body = request.json()
    if verb == "generateContent":
        return json_reply(200, _candidate(body, turn, model), headers(), _JSON)
    if verb == "streamGenerateContent":
        return _stream(body, turn, model, as_array)
    if verb == "countTokens":
        return json_reply(200, {"totalTokens": 1000 + turn.number}, headers(), _JSON)
    vector = [float(turn.number), 0.25, -0.5]
    if verb == "predict":
        statistics = {"token_count": 1000, "truncated": False}
        predictions = [{"embeddings": {"values": vector, "statistics": statistics}} for _ in body.get("instances", [])]
        return json_reply(
            200, {"predictions": predictions, "metadata": {"billableCharacterCount": 2}}, headers(), _JSON
        )
    if verb == "embedContent":
        whole = {"embedding": {"values": vector}, "usageMetadata": {"promptTokenCount": 1000}, "truncated": False}
        return json_reply(200, whole, headers(), _JSON)
    if verb == "batchEmbedContents":
        return json_reply(200, {"embeddings": [{"values": vector} for _ in body["requests"]]}, headers(), _JSON)
    return Reply(404, [("content-type", "text/html; charset=UTF-8")], _HTML_404)


def _tool(body: dict[str, Any]) -> str | None:
    for tool in body.get("tools") or []:
        declared = tool.get("functionDeclarations") or tool.get("function_declarations")
        if declared:
            return declared[0]["name"]
    return None


def _candidate(body: dict[str, Any], turn: Turn, model: str) -> dict[str, Any]:
    tool = _tool(body)
    part: dict[str, Any] = {"functionCall": {"name": tool, "args": turn.arguments}} if tool else {"text": turn.text}
    return {
        "candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}],
        "usageMetadata": USAGE,
        "modelVersion": model,
        "responseId": f"standin-{turn.number}",
    }


def _stream(body: dict[str, Any], turn: Turn, model: str, as_array: bool) -> Reply:
    whole = _candidate(body, turn, model)
    if _tool(body):
        values = [whole]
    else:
        values = [
            {
                **whole,
                "candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": piece}]}}],
                "usageMetadata": {"promptTokenCount": 1000, "totalTokenCount": 1000},
            }
            for piece in turn.pieces
        ]
        values[-1] = {**values[-1], "usageMetadata": USAGE}
        values[-1]["candidates"][0]["finishReason"] = "STOP"
    failure = compact(error_body(503))
    if as_array:
        frames = [("[" if place == 0 else ",\r\n") + compact(value) for place, value in enumerate(values)]
        frames.append("]")
        kind, failure = _JSON, f",\r\n{failure}]"
    else:
        frames = [f"data: {compact(value)}\r\n\r\n" for value in values]
        kind, failure = "text/event-stream", f"data: {failure}\r\n\r\n"
    encoded = [frame.encode() for frame in frames]
    return Reply(200, [("content-type", kind), *headers()], frames=encoded, failure=failure.encode())


def _claude(request: Request, turn: Turn, model: str, verb: str) -> Reply:
    if turn.fail:
        return error(turn.fail, turn)
    body = request.json()
    if model == "count-tokens":
        return json_reply(200, {"input_tokens": 1000 + turn.number}, headers(), _JSON)
    if verb not in {"rawPredict", "streamRawPredict"} or "anthropic_version" not in body:
        return error(400, turn)
    name = model.replace("@", "-")
    return anthropic.messages(body, turn, headers(), model=name, streamed=verb == "streamRawPredict")


def _models(request: Request, turn: Turn) -> Reply:
    if "publishers" in request.path:
        names = [f"publishers/google/models/{name}" for name in ("gemini-2.5-flash", f"standin-{turn.number}")]
        return json_reply(
            200, {"publisherModels": [{"name": name, "versionId": "1"} for name in names]}, headers(), _JSON
        )
    names = [f"models/{name}" for name in ("gemini-2.5-flash", f"standin-{turn.number}")]
    return json_reply(200, {"models": [{"name": name, "displayName": name} for name in names]}, headers(), _JSON)


def _upload(request: Request, turn: Turn) -> Reply:
    """The resumable upload in its two steps; the second goes, without a key, where the reply to the first says."""
    command = request.header("x-goog-upload-command") or ""
    if command == "start":
        address = (
            f"{request.scheme}://{request.host}{request.path}?upload_id=standin-{turn.number}&upload_protocol=resumable"
        )
        extra = [("x-goog-upload-url", address), ("x-goog-upload-status", "active")]
        return Reply(200, [("content-type", "text/plain; charset=utf-8"), *headers(), *extra])
    name = f"files/standin-{turn.number}"
    shape = {
        "name": name,
        "mimeType": "text/plain",
        "sizeBytes": str(len(request.body)),
        "state": "ACTIVE",
        "uri": f"https://generativelanguage.googleapis.com/v1beta/{name}",
    }
    final = [("x-goog-upload-status", "final")]
    reply = json_reply(200, {"file": shape}, [*headers(), *final], _JSON)
    reply.body = json.dumps({"file": shape}, indent=2).encode()
    return reply
