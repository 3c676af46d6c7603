"""OpenAI, failing: the replies of the service itself, and of the edge in front of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import orjson

from providers.base import ErrorReply, Header
from providers.faults.base import Asked, Quota, Reason, Wanted
from providers.faults.openai_service import JSON, OpenAIServiceFaults, error_page, retry_headers
from providers.wire.openai_errors import (
    ORGANIZATION,
    PROJECT,
    go_duration,
    no_model,
    payer,
    reply_head,
    request_id_header,
    usual,
)

_MORE = "Visit https://platform.openai.com/account/rate-limits to learn more."
_RATE_LIMITS = frozenset({Reason.RATE_LIMIT, Reason.THROTTLING, Reason.TOKEN_LIMIT})
_MINUTE, _DAY = 60, 86_400

# The limits that a simulated client has run into, and what it asked for.
_RPM = 500
_TPM, _TPD = 30_000, 900_000
_LEFT_TOKENS = 63
_USUAL_WAITS_S = {"requests": 0.12, "tokens": 0.644}

# Source: developers.cloudflare.com/support/troubleshooting/http-status-codes, read November 2026.
_EDGE_TITLES = {
    502: "Bad Gateway",
    504: "Gateway Time-out",
    520: "Web server is returning an unknown error",
    521: "Web server is down",
    522: "Connection timed out",
    523: "Origin is unreachable",
    524: "A timeout occurred",
    525: "SSL handshake failed",
    526: "Invalid SSL certificate",
    527: "Railgun error",
    528: "Unknown error",
    529: "Site is overloaded",
}


class _Said(NamedTuple):
    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None


# Source: developers.openai.com/api/docs/guides/error-codes, openai-python 3.54.0 `README.md`, and replies quoted in
# public issue reports, read November 2026. What depends on nothing of the request:
_REASONS: Mapping[Reason, _Said] = {
    Reason.QUOTA: _Said(
        429,
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
        "insufficient_quota",
        "insufficient_quota",
    ),
    Reason.OVERLOADED: _Said(
        503,
        "Our servers are currently overloaded. Please try again later.",
        "service_unavailable_error",
        "server_is_overloaded",
    ),
    Reason.SERVER_ERROR: _Said(500, *usual(500)),
    Reason.UNAVAILABLE: _Said(503, *usual(503)),
    Reason.TIMEOUT: _Said(
        408,
        "Timed out generating response. Please try again with a shorter prompt or with `max_tokens` set to a lower "
        "value.",
        "internal_error",
        "request_timeout",
    ),
    # Nothing of the key that came is shown, masked or not.
    Reason.INVALID_KEY: _Said(
        401,
        "Incorrect API key provided: sk-********************************. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        code="invalid_api_key",
    ),
    Reason.CONTENT_FILTER: _Said(
        400,
        "Your request was rejected as a result of our safety system. Your prompt may contain text that is not allowed "
        "by our safety system.",
        code="content_policy_violation",
    ),
    Reason.INVALID_REQUEST: _Said(400, *usual(400)),
    Reason.REQUEST_TOO_LARGE: _Said(
        413, "Maximum content size limit (26214400) exceeded (26214401 bytes read)", "server_error"
    ),
}
_BY_STATUS: Mapping[int, _Said] = {
    401: _REASONS[Reason.INVALID_KEY],
    408: _REASONS[Reason.TIMEOUT],
    409: _Said(409, "The resource was updated by another request."),
    413: _REASONS[Reason.REQUEST_TOO_LARGE],
    415: _Said(
        415,
        "Unsupported content type: 'text/plain'. This API method only accepts 'application/json' requests, but you "
        "specified the header 'Content-Type: text/plain'. Please try again with a supported content type.",
        code="unsupported_content_type",
    ),
    422: _Said(422, "Unable to process the request despite the format being correct."),
}


class OpenAIFaults(OpenAIServiceFaults):
    provider = "openai"

    def make_error(self, asked: Asked, wanted: Wanted) -> ErrorReply:
        status, reason, message, code, retry_after_s = wanted
        if reason in _RATE_LIMITS or (reason is None and status == 429):
            unit: Literal["requests", "tokens"] = "tokens" if reason is Reason.TOKEN_LIMIT else "requests"
            wait_s = _USUAL_WAITS_S[unit] if retry_after_s is None else retry_after_s
            limit = _limit_for(unit, wait_s)
            headers = [*self.quota_headers(limit.quota(), asked.now), *retry_headers(wait_s)]
            return _reply(asked, _over(asked, limit, wait_s), status, message, code, headers)
        waits = [] if retry_after_s is None else retry_headers(retry_after_s)
        if status in _EDGE_TITLES and reason is None and message is None and code is None:
            return _edge(asked, status, waits)
        return _reply(asked, _said(asked, status, reason), status, message, code, waits)

    def limited(
        self, asked: Asked, quota: Quota, exceeded: Literal["requests", "tokens"], retry_after_s: float
    ) -> ErrorReply:
        if exceeded == "requests":
            most, left, requested = quota.limit_requests or 0, quota.remaining_requests, 1
        else:
            most, left = quota.limit_tokens or 0, quota.remaining_tokens
            requested = min(most, left + max(1, round(retry_after_s * most / _MINUTE)))
        limit = _Limit(exceeded, most, left, requested, _MINUTE)
        headers = [*self.quota_headers(quota, asked.now), *retry_headers(retry_after_s)]
        return _reply(asked, _over(asked, limit, retry_after_s), None, None, None, headers)

    def quota_headers(self, quota: Quota, now: float) -> Sequence[Header]:
        found: list[Header] = []
        for unit, most, left, reset_s in (
            (b"requests", quota.limit_requests, quota.remaining_requests, quota.reset_requests_s),
            (b"tokens", quota.limit_tokens, quota.remaining_tokens, quota.reset_tokens_s),
        ):
            if most is not None:
                found.append((b"x-ratelimit-limit-" + unit, b"%d" % most))
                found.append((b"x-ratelimit-remaining-" + unit, b"%d" % left))
                found.append((b"x-ratelimit-reset-" + unit, go_duration(math.ceil(reset_s * 1000))))
        return found

    def told(self, asked: Asked, status: int | None, reason: Reason | None, message: str | None) -> dict[str, Any]:
        if reason in _RATE_LIMITS or (reason is None and status == 429):
            unit: Literal["requests", "tokens"] = "tokens" if reason is Reason.TOKEN_LIMIT else "requests"
            wait_s = _USUAL_WAITS_S[unit]
            said = _over(asked, _limit_for(unit, wait_s), wait_s)
        else:
            said = _said(asked, status, reason)
        return _error(said, message, None)


class _Limit(NamedTuple):
    """A limit that is reached. `left`: of it, before the request that is refused."""

    unit: Literal["requests", "tokens"]
    most: int
    left: int
    requested: int
    period_s: int

    def quota(self) -> Quota:
        """What is left, and when all of it is there again; of the other unit there is enough."""
        reset_s = self.period_s * (self.most - self.left) / self.most
        if self.unit == "requests":
            return Quota(self.most, self.left, reset_s, _TPM, _TPM - 24, 24 * _MINUTE / _TPM)
        return Quota(_RPM, _RPM - 1, _MINUTE / _RPM, self.most, self.left, reset_s)


def _limit_for(unit: Literal["requests", "tokens"], wait_s: float) -> _Limit:
    """A limit under which a client has to wait just that long, as limits fill up again steadily."""
    if unit == "tokens":
        most, period_s = (_TPM, _MINUTE) if wait_s <= 45 else (_TPD, _DAY)
        return _Limit(unit, most, _LEFT_TOKENS, _LEFT_TOKENS + max(1, round(wait_s * most / period_s)), period_s)
    period_s = _MINUTE if wait_s <= _MINUTE else _DAY
    return _Limit(unit, max(1, round(period_s / wait_s)) if wait_s > 0 else _RPM, 0, 1, period_s)


def _over(asked: Asked, limit: _Limit, wait_s: float) -> _Said:
    """What is said to a request over a limit."""
    words = f"{limit.unit} per {'min' if limit.period_s == _MINUTE else 'day'}"
    initials = f"{limit.unit[0].upper()}P{'M' if limit.period_s == _MINUTE else 'D'}"
    organization = payer(asked.headers, b"openai-organization", ORGANIZATION)
    return _Said(
        429,
        f"Rate limit reached for {asked.model or 'requests'} in organization {organization} on {words} ({initials}): "
        f"Limit {limit.most}, Used {limit.most - limit.left}, Requested {limit.requested}. Please try again in "
        f"{go_duration(math.ceil(wait_s * 1000)).decode()}. {_MORE}",
        limit.unit,
        "rate_limit_exceeded",
    )


def _said(asked: Asked, status: int | None, reason: Reason | None) -> _Said:
    """What is said with any other error."""
    if reason is None:
        if status is None:
            return _REASONS[Reason.SERVER_ERROR]
        if status == 404 and asked.model:
            return _no_such_model(asked)
        if status == 405:
            method = asked.call.operation.method if asked.call.operation is not None else "GET"
            path = asked.call.path.decode("latin-1")
            hint = "(HINT: Perhaps you meant to use a different HTTP method?)"
            return _Said(405, f"Not allowed to {method} on {path}. {hint}", code="method_not_supported")
        return _BY_STATUS.get(status) or _Said(status, *usual(status))
    if reason is Reason.MODEL_NOT_FOUND:
        return _no_such_model(asked)
    if reason is Reason.PERMISSION_DENIED:
        return _no_permission(asked)
    if reason is Reason.CONTEXT_LENGTH:
        return _too_long(asked)
    return _REASONS[reason]


def _no_such_model(asked: Asked) -> _Said:
    return _Said(404, no_model(asked.model), code="model_not_found")


def _no_permission(asked: Asked) -> _Said:
    if asked.model:
        project = payer(asked.headers, b"openai-project", PROJECT)
        return _Said(403, f"Project `{project}` does not have access to model `{asked.model}`", code="model_not_found")
    return _Said(
        403,
        "You have insufficient permissions for this operation. Missing scopes: api.model.read. Check that you have the "
        "correct role in your organization (Reader, Writer, Owner) and project (Member, Owner), and if you're using a "
        "restricted API key, that it has the necessary scopes.",
    )


def _too_long(asked: Asked) -> _Said:
    name = asked.call.operation.name if asked.call.operation is not None else ""
    if name.startswith("responses"):
        return _Said(
            400,
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
            code="context_length_exceeded",
            param="input",
        )
    if name in ("completions", "embeddings"):
        most, spare = (4097, 16) if name == "completions" else (8192, 0)
        return _Said(
            400,
            f"This model's maximum context length is {most} tokens, however you requested {most + 1024} tokens "
            f"({most + 1024 - spare} in your prompt; {spare} for the completion). Please reduce your prompt; or "
            "completion length.",
        )
    return _Said(
        400,
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130023 tokens. "
        "Please reduce the length of the messages.",
        code="context_length_exceeded",
        param="messages",
    )


def _error(said: _Said, message: str | None, code: str | None) -> dict[str, Any]:
    return {"message": message or said.message, "type": said.type, "param": said.param, "code": code or said.code}


def _reply(
    asked: Asked, said: _Said, status: int | None, message: str | None, code: str | None, headers: Sequence[Header]
) -> ErrorReply:
    status = status or said.status
    head = (
        [request_id_header(asked.request_id)]
        if status == 401  # to a client it does not know, the service names nobody
        else reply_head(
            asked.request_id,
            payer(asked.headers, b"openai-organization", ORGANIZATION),
            payer(asked.headers, b"openai-project", PROJECT),
        )
    )
    return ErrorReply(status, (JSON, *head, *headers), orjson.dumps({"error": _error(said, message, code)}))


def _edge(asked: Asked, status: int, headers: Sequence[Header]) -> ErrorReply:
    """Cloudflare's page, which knows no request id of OpenAI's."""
    ray = asked.request_id.replace("-", "")[-16:].encode()
    head = ((b"content-type", b"text/html"), (b"server", b"cloudflare"), (b"cf-ray", ray + b"-IAD"))
    return ErrorReply(status, (*head, *headers), error_page(status, _EDGE_TITLES[status], "cloudflare"))


FAULTS = OpenAIFaults()
