"""Azure OpenAI, failing: the replies of the gateway in front of a resource, and of the models behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl

import orjson

from providers.base import ErrorReply, Header
from providers.faults.base import Asked, Quota, Reason, Wanted
from providers.faults.openai import FAULTS as OPENAI
from providers.faults.openai_service import JSON, OpenAIServiceFaults, error_page, retry_headers
from providers.wire.azure_errors import NO_DEPLOYMENT, NO_KEY, NO_TOKEN, REGION, reply_head, usual

_RATE_LIMITS = frozenset({Reason.RATE_LIMIT, Reason.THROTTLING, Reason.TOKEN_LIMIT})
_USUAL_WAITS_S: Mapping[str, float] = {"requests": 6, "tokens": 37}
_USUAL_RPM, _USUAL_TPM = 1500, 150_000
_POLICIES = {"requests": b"DeploymentRatelimit-Call", "tokens": b"DeploymentRatelimit-Token"}

# The gateway in front of many resources: its page, not the service's.
_EDGE_TITLES = {502: "Bad Gateway", 504: "Gateway Time-out"}
_EDGE = "Microsoft-Azure-Application-Gateway/v2"

# Errors that come from where a model runs, which says so.
_BEHIND_THE_GATEWAY = frozenset({400, 408, 429, 500, 503})
_SESSION: Header = (b"azureml-model-session", b"d068-20241021164632")

_FILTER_RESULT: dict[str, Any] = {
    "hate": {"filtered": False, "severity": "safe"},
    "jailbreak": {"filtered": True, "detected": True},
    "self_harm": {"filtered": False, "severity": "safe"},
    "sexual": {"filtered": False, "severity": "safe"},
    "violence": {"filtered": False, "severity": "safe"},
}
_FILTERED = (
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify "
    "your prompt and retry. To learn more about our content filtering policies please read our documentation: "
    "https://go.microsoft.com/fwlink/?linkid=2198766"
)
_MODEL_FAILED = (
    "The server had an error processing your request. Sorry about that! You can retry your request, or contact us "
    "through an Azure support request at: https://go.microsoft.com/fwlink/?linkid=2213926 if you keep seeing this "
    "error. (Please include the request ID {id} in your email.)"
)
_OPERATIONS = {
    "audio.speech": "Speech_Create",
    "audio.transcriptions": "Transcriptions_Create",
    "audio.translations": "Translations_Create",
    "completions": "Completions_Create",
    "embeddings": "Embeddings_Create",
    "images.generations": "ImageGenerations_Create",
    "responses": "Responses_Create",
}


class _Said(NamedTuple):
    """`is_gateway`: said by API Management, which has no `error` object. `more`: what else stands in that object."""

    status: int
    code: str | None
    message: str
    is_gateway: bool = False
    more: Mapping[str, Any] | None = None


# Source: learn.microsoft.com/azure/ai-foundry/openai reference, /azure/api-management/quota-policy, and replies quoted
# in public issue reports, read November 2026. What depends on nothing of the request:
_REASONS: Mapping[Reason, _Said] = {
    Reason.QUOTA: _Said(
        403, None, "Out of call volume quota. Quota will be replenished in 3.12:00:00.", is_gateway=True
    ),
    Reason.OVERLOADED: _Said(
        503,
        "ServiceUnavailable",
        "The service is temporarily unable to process your request. Please try again later.",
    ),
    Reason.SERVER_ERROR: _Said(500, *usual(500)),
    Reason.UNAVAILABLE: _Said(503, *usual(503)),
    Reason.TIMEOUT: _Said(408, *usual(408)),
    Reason.MODEL_NOT_FOUND: _Said(404, "DeploymentNotFound", NO_DEPLOYMENT),
    Reason.CONTENT_FILTER: _Said(
        400,
        "content_filter",
        _FILTERED,
        more={
            "type": None,
            "param": "prompt",
            "status": 400,
            "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": _FILTER_RESULT},
        },
    ),
    Reason.INVALID_REQUEST: _Said(400, *usual(400)),
    Reason.REQUEST_TOO_LARGE: _Said(413, *usual(413)),
}


class AzureOpenAIFaults(OpenAIServiceFaults):
    provider = "azure_openai"

    def make_error(self, asked: Asked, wanted: Wanted) -> ErrorReply:
        status, reason, message, code, retry_after_s = wanted
        if reason in _RATE_LIMITS or (reason is None and status == 429):
            unit: Literal["requests", "tokens"] = "tokens" if reason is Reason.TOKEN_LIMIT else "requests"
            wait_s = _USUAL_WAITS_S[unit] if retry_after_s is None else retry_after_s
            headers = _limit_headers(_spent(unit, wait_s), unit, wait_s)
            return _reply(asked, _over(asked, unit, wait_s), status, message, code, headers)
        waits = [] if retry_after_s is None else retry_headers(retry_after_s)
        if status in _EDGE_TITLES and reason is None and message is None and code is None:
            head = ((b"content-type", b"text/html"), (b"server", _EDGE.encode()))
            return ErrorReply(status, (*head, *waits), error_page(status, _EDGE_TITLES[status], _EDGE))
        return _reply(asked, _said(asked, status, reason), status, message, code, waits)

    def limited(
        self, asked: Asked, quota: Quota, exceeded: Literal["requests", "tokens"], retry_after_s: float
    ) -> ErrorReply:
        headers = _limit_headers(quota, exceeded, retry_after_s)
        return _reply(asked, _over(asked, exceeded, retry_after_s), None, None, None, headers)

    def quota_headers(self, quota: Quota, now: float) -> Sequence[Header]:
        return _quota_headers(quota)

    def told(self, asked: Asked, status: int | None, reason: Reason | None, message: str | None) -> dict[str, Any]:
        if reason in _RATE_LIMITS or (reason is None and status == 429):
            unit: Literal["requests", "tokens"] = "tokens" if reason is Reason.TOKEN_LIMIT else "requests"
            said = _over(asked, unit, _USUAL_WAITS_S[unit])
        elif reason is Reason.SERVER_ERROR or (reason is None and status in (None, 500)):
            # A stream that has begun is the model's own: it fails in OpenAI's words.
            text = message or _MODEL_FAILED.format(id=asked.request_id)
            return {"message": text, "type": "server_error", "param": None, "code": None}
        else:
            said = _said(asked, status, reason)
        return _error(said, message, None)


def _said(asked: Asked, status: int | None, reason: Reason | None) -> _Said:
    """What is said with any error but a limit's."""
    if reason is None:
        if status == 401:
            return _no_access(asked)
        if status == 404 and (asked.call.model or asked.model):
            return _REASONS[Reason.MODEL_NOT_FOUND]
        found = status or 500
        return _Said(found, *usual(found))
    if reason is Reason.INVALID_KEY:
        return _no_access(asked)
    if reason is Reason.PERMISSION_DENIED:
        return _no_permission(asked)
    if reason is Reason.CONTEXT_LENGTH:  # refusals of the model's own are OpenAI's
        told = OPENAI.told(asked, None, reason, None)
        return _Said(400, told["code"], told["message"], more={"type": told["type"], "param": told["param"]})
    return _REASONS[reason]


def _no_access(asked: Asked) -> _Said:
    """A wrong key, or a token of Entra ID: one that is sent as such, or looks like it where keys are sent alike."""
    headers = asked.headers or {}
    scheme, _, token = headers.get(b"authorization", b"").strip().partition(b" ")
    if headers.get(b"api-key") or scheme.lower() != b"bearer":
        return _Said(401, "401", NO_KEY)
    if asked.call.path.startswith(b"/openai/v1/") and token.count(b".") < 2:
        return _Said(401, "401", NO_KEY)
    return _Said(401, "Unauthorized", NO_TOKEN)


def _no_permission(asked: Asked) -> _Said:
    name = asked.call.operation.name if asked.call.operation is not None else "models"
    path = name.replace(".", "/")
    return _Said(
        401,
        "PermissionDenied",
        f"The principal `{asked.request_id}` lacks the required data action "
        f"`Microsoft.CognitiveServices/accounts/OpenAI/deployments/{path}/action` to perform "
        f"`POST /openai/deployments/{{deployment-id}}/{path}` operation.",
    )


def _over(asked: Asked, unit: Literal["requests", "tokens"], wait_s: float) -> _Said:
    """What is said to a request over a limit: by deployment in the older words, in the v1 style in the newer."""
    name = asked.call.operation.name if asked.call.operation is not None else ""
    operation = _OPERATIONS.get(name, "ChatCompletions_Create")
    version = next((value for key, value in parse_qsl(asked.query.decode("latin-1")) if key == "api-version"), "v1")
    kind = "call" if unit == "requests" else "token"
    after = f"Please retry after {math.ceil(wait_s)} seconds."
    if asked.call.path.startswith(b"/openai/v1/"):
        model = asked.model or "this model"
        return _Said(
            429,
            "429",
            f"Your requests to {model} for {model} in {REGION} have exceeded the {kind} rate limit for your current "
            f"AIServices S0 pricing tier. This request was for {operation} under Azure OpenAI API version {version}. "
            f"{after} To increase your default rate limit, visit: https://aka.ms/oai/quotaincrease.",
        )
    return _Said(
        429,
        "429",
        f"Requests to the {operation} Operation under Azure OpenAI API version {version} have exceeded {kind} rate "
        f"limit of your current OpenAI S0 pricing tier. {after} Please contact Azure support service if you would like "
        "to further increase the default rate limit.",
    )


def _error(said: _Said, message: str | None, code: str | None) -> dict[str, Any]:
    found = {"code": code or said.code or str(said.status), "message": message or said.message}
    if not said.more:
        return found
    made = {"message": found["message"], "type": None, "param": None, "code": code or said.code, **said.more}
    if "status" in made:
        made["status"] = said.status
    return made


def _reply(
    asked: Asked, said: _Said, status: int | None, message: str | None, code: str | None, headers: Sequence[Header]
) -> ErrorReply:
    status = status or said.status
    body: dict[str, Any]
    if said.is_gateway and code is None:
        body = {"statusCode": status, "message": message or said.message}
    else:
        body = {"error": _error(said._replace(status=status), message, code)}
    head = reply_head(asked.request_id, asked.call.model)
    if status in _BEHIND_THE_GATEWAY:
        head.append(_SESSION)
    return ErrorReply(status, (JSON, *head, *headers), orjson.dumps(body))


def _spent(unit: Literal["requests", "tokens"], wait_s: float) -> Quota:
    """What a simulated client has left."""
    if unit == "requests":
        return Quota(_USUAL_RPM, 0, wait_s, _USUAL_TPM, _USUAL_TPM - 24, 0.0)
    return Quota(_USUAL_RPM, _USUAL_RPM - 1, 0.0, _USUAL_TPM, 0, wait_s)


def _quota_headers(quota: Quota) -> list[Header]:
    found: list[Header] = []
    for unit, most, left in (
        (b"requests", quota.limit_requests, quota.remaining_requests),
        (b"tokens", quota.limit_tokens, quota.remaining_tokens),
    ):
        if most is not None:
            found.append((b"x-ratelimit-limit-" + unit, b"%d" % most))
            found.append((b"x-ratelimit-remaining-" + unit, b"%d" % left))
    return found


def _limit_headers(quota: Quota, unit: Literal["requests", "tokens"], wait_s: float) -> list[Header]:
    return [
        *_quota_headers(quota),
        (b"x-ratelimit-reset-" + unit.encode(), b"%d" % math.ceil(wait_s)),
        *retry_headers(wait_s),
        (b"policy-id", _POLICIES[unit]),
    ]


FAULTS = AzureOpenAIFaults()
