"""The part of bedrock-runtime.{region}.amazonaws.com (and of the model list of bedrock.{region}.amazonaws.com).

Source of shapes: Amazon Bedrock API reference and botocore 1.44.5's service-2.json, read November 2026.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from tests.wire.standin import anthropic, sigv4
from tests.wire.standin.eventstream import event, exception
from tests.wire.standin.messages import Headers, Reply, Request, Turn, json_reply

_ROUTE = re.compile(r"/model/([^/]+)/(converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)")
_ERRORS = {
    400: ("ValidationException", "The provided model identifier is invalid."),
    401: ("UnrecognizedClientException", "The security token included in the request is invalid."),
    403: ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    404: ("ResourceNotFoundException", "Could not resolve the foundation model from the provided model identifier."),
    408: ("ModelTimeoutException", "Model has timed out in processing the request. Try your request again."),
    424: ("ModelErrorException", "The model returned the following errors: stand-in"),
    429: ("ThrottlingException", "Too many requests, please wait before trying again."),
    500: (
        "InternalServerException",
        "The system encountered an unexpected error during processing. Try your request again.",
    ),
    503: ("ServiceUnavailableException", "Bedrock is unable to process your request."),
}
USAGE = {
    "inputTokens": 1000,
    "outputTokens": 100,
    "totalTokens": 1600,
    "cacheReadInputTokens": 300,
    "cacheWriteInputTokens": 200,
}
_EVENT_STREAM = "application/vnd.amazon.eventstream"


def answer(request: Request, turn: Turn) -> Reply:
    """Plays Bedrock: signatures are verified for the host the request arrived at, bearer keys by their prefix."""
    bearer = request.header("authorization") or ""
    if bearer.startswith("Bearer "):
        if not bearer.startswith("Bearer bedrock-api-key-"):
            return error(403, "AccessDeniedException", "Invalid API Key format: Must start with pre-defined prefix")
    elif refused := sigv4.refusal(request):
        return error(*refused, key="Message" if refused[1] == "MissingAuthenticationTokenException" else "message")
    if any(name.lower().startswith("x-aws-") for name, _ in request.headers):
        return error(400, "ValidationException", "Credential headers reached the upstream.")
    if turn.fail:
        kind, message = _ERRORS.get(turn.fail, ("InternalServerException", f"Stand-in error {turn.fail}"))
        return error(turn.fail, kind, message)
    if request.method == "GET" and request.path == "/foundation-models":
        names = ("anthropic.claude-haiku-4-5-20251001-v1:0", f"standin.model-{turn.number}")
        arn = "arn:aws:bedrock:us-east-1::foundation-model"
        models = [{"modelArn": f"{arn}/{name}", "modelId": name, "modelName": name} for name in names]
        return json_reply(200, {"modelSummaries": models}, headers())
    found = _ROUTE.fullmatch(request.path)
    if found is None or request.method != "POST":
        return error(404, "UnknownOperationException", "")
    return _OPERATIONS[found[2]](request.json(), turn, unquote(found[1]))


def headers() -> Headers:
    """Reply headers of the genuine service (spec sheet, docs)."""
    return [("x-amzn-requestid", str(uuid4()))]


def error(status: int, kind: str, message: str, key: str = "message") -> Reply:
    """The provider's error: the type travels in a header, the message in the body."""
    return json_reply(
        status, {key: message}, [*headers(), ("x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/")]
    )


def _converse(body: dict[str, Any], turn: Turn, model: str) -> Reply:
    tool = _tool(body)
    content: dict[str, Any] = {"text": turn.text}
    if tool:
        content = {"toolUse": {"toolUseId": f"tooluse_{turn.number}", "name": tool, "input": turn.arguments}}
    whole = {
        "output": {"message": {"role": "assistant", "content": [content]}},
        "stopReason": "tool_use" if tool else "end_turn",
        "usage": USAGE,
        "metrics": {"latencyMs": 412},
    }
    return json_reply(200, whole, headers())


def _converse_stream(body: dict[str, Any], turn: Turn, model: str) -> Reply:
    tool = _tool(body)
    frames = [event("messageStart", {"role": "assistant"})]
    if tool:
        start = {"toolUse": {"toolUseId": f"tooluse_{turn.number}", "name": tool}}
        frames.append(event("contentBlockStart", {"contentBlockIndex": 0, "start": start}))
        deltas: list[dict[str, Any]] = [{"toolUse": {"input": piece}} for piece in turn.arguments_pieces]
    else:
        deltas = [{"text": piece} for piece in turn.pieces]
    frames += [event("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}) for delta in deltas]
    frames.append(event("contentBlockStop", {"contentBlockIndex": 0}))
    frames.append(event("messageStop", {"stopReason": "tool_use" if tool else "end_turn"}))
    frames.append(event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 412}}))
    failure = exception("throttlingException", "Too many tokens, please wait before trying again.")
    return Reply(200, [("content-type", _EVENT_STREAM), *headers()], frames=frames, failure=failure)


def _invoke(body: dict[str, Any], turn: Turn, model: str) -> Reply:
    counts = [
        ("x-amzn-bedrock-invocation-latency", "889"),
        ("x-amzn-bedrock-input-token-count", "1000"),
        ("x-amzn-bedrock-output-token-count", "100"),
    ]
    if "inputText" in body:
        whole: dict[str, Any] = {"embedding": [float(turn.number), 0.25, -0.5], "inputTextTokenCount": 1000}
        return json_reply(200, whole, [*headers(), *counts[:2]])
    if "anthropic_version" not in body:
        return error(400, "ValidationException", "anthropic_version: Field required")
    return json_reply(200, anthropic.message(body, turn, model), [*headers(), *counts])


def _invoke_stream(body: dict[str, Any], turn: Turn, model: str) -> Reply:
    if "anthropic_version" not in body:
        return error(400, "ValidationException", "anthropic_version: Field required")
    events = [value for value in anthropic.stream_events(body, turn, model) if value["type"] != "ping"]
    events[-1]["amazon-bedrock-invocationMetrics"] = {
        "inputTokenCount": 1000,
        "outputTokenCount": 100,
        "invocationLatency": 889,
        "firstByteLatency": 412,
        "cacheReadInputTokenCount": 300,
        "cacheWriteInputTokenCount": 200,
    }
    frames = [
        event("chunk", {"bytes": base64.b64encode(json.dumps(value).encode()).decode(), "p": "abcdefghij"})
        for value in events
    ]
    failure = exception("throttlingException", "Too many tokens, please wait before trying again.")
    extra = [("x-amzn-bedrock-content-type", "application/json")]
    return Reply(200, [("content-type", _EVENT_STREAM), *headers(), *extra], frames=frames, failure=failure)


def _count_tokens(body: dict[str, Any], turn: Turn, model: str) -> Reply:
    return json_reply(200, {"inputTokens": 1000 + turn.number}, headers())


def _tool(body: dict[str, Any]) -> str | None:
    tools = (body.get("toolConfig") or {}).get("tools")
    return tools[0]["toolSpec"]["name"] if tools else None


_OPERATIONS = {
    "converse": _converse,
    "converse-stream": _converse_stream,
    "invoke": _invoke,
    "invoke-with-response-stream": _invoke_stream,
    "count-tokens": _count_tokens,
}
