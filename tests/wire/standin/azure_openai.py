"""The part of an Azure OpenAI resource, in both its styles.

Source of shapes: Azure OpenAI REST API reference 2024-10-21 and v1, read November 2026.
"""

from __future__ import annotations

import re
from uuid import uuid4

from tests.wire.standin import openai
from tests.wire.standin.messages import Headers, Reply, Request, Turn, compact, json_reply
from tests.wire.standin.openai_responses import responses

_RATE_LIMITED = (
    "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded call "
    "rate limit of your current OpenAI S0 pricing tier. Please retry after 37 seconds. Please contact Azure support "
    "service if you would like to further increase the default rate limit."
)
_FILTERED = (
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify "
    "your prompt and retry."
)
_BAD_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource."
)
_ERRORS = {
    401: ("401", _BAD_KEY),
    403: ("AccessDenied", "Access denied due to Virtual Network/Firewall rules."),
    404: ("404", "Resource not found"),
    408: ("Timeout", "The operation was timeout."),
    429: ("429", _RATE_LIMITED),
    500: ("InternalServerError", "Internal server error"),
    503: ("503", "Service temporarily unavailable"),
}
_DEPLOYMENT = re.compile(r"/openai/deployments/([^/]+)(/.+)")
# What a deployment answers with: the customer's deployment name never appears as the model.
_MODEL = "gpt-4o-mini-2024-07-18"


def answer(request: Request, turn: Turn) -> Reply:
    """Plays https://{resource}.openai.azure.com."""
    key = request.header("api-key") or (request.header("authorization") or "").removeprefix("Bearer ")
    if not key or key == "wrong":
        return error(401, turn)
    if turn.fail:
        return error(turn.fail, turn)
    if request.path.startswith("/openai/v1/"):
        path = request.path.removeprefix("/openai/v1")
    elif not request.query.get("api-version"):
        return error(404, turn)
    elif found := _DEPLOYMENT.fullmatch(request.path):
        path = found[2]
    else:
        path = request.path.removeprefix("/openai")
        if path == request.path or path.split("/")[1] not in {"responses", "models", "files"}:
            return error(404, turn)
    if path == "/chat/completions":
        return _chat(request, turn)
    if path == "/responses":
        return responses(request, turn, headers(turn))
    if path == "/embeddings":
        return openai.embeddings(request, turn, headers(turn))
    reply = openai.operation(request, turn, path)
    reply.headers = [*reply.headers[:1], *headers(turn)]
    return error(404, turn) if reply.status == 404 else reply


def _chat(request: Request, turn: Turn) -> Reply:
    reply = openai.chat(request, turn, headers(turn), model=_MODEL)
    if reply.frames is not None:
        results = [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}}]
        first = {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": results}
        reply.frames.insert(0, f"data: {compact(first)}\n\n".encode())
    return reply


def headers(turn: Turn) -> Headers:
    """Reply headers of the genuine service (spec sheet, docs)."""
    return [
        ("apim-request-id", str(uuid4())),
        ("x-ms-client-request-id", str(uuid4())),
        ("x-request-id", str(uuid4())),
        ("x-ms-region", "North Central US"),
        ("x-ms-rai-invoked", "true"),
        ("x-ratelimit-remaining-requests", str(5000 - turn.number)),
        ("x-ratelimit-remaining-tokens", "61353"),
        ("x-accel-buffering", "no"),
        ("cache-control", "no-cache, must-revalidate"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        ("x-content-type-options", "nosniff"),
    ]


def error(status: int, turn: Turn) -> Reply:
    """The provider's error body for a status."""
    if status == 400:
        body = {
            "message": _FILTERED,
            "type": None,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": {"jailbreak": {"filtered": True, "detected": True}},
            },
        }
        return json_reply(400, {"error": body}, headers(turn))
    code, message = _ERRORS.get(status, (str(status), f"Stand-in error {status}"))
    extra = (
        [
            ("retry-after", "37"),
            ("retry-after-ms", "37000"),
            ("x-ratelimit-reset-requests", "37"),
            ("policy-id", "DeploymentRatelimit-Call"),
        ]
        if status == 429
        else []
    )
    return json_reply(status, {"error": {"code": code, "message": message}}, [*headers(turn), *extra])
