"""What Google says to each failure on Vertex AI and the Gemini API: status, name, words and details.

Source: google.rpc.Code and error_details.proto, ai.google.dev/gemini-api/docs/troubleshooting, the Vertex AI error
pages, and error replies quoted in public issue reports, read November 2026.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from providers.emulated.dialects import google_errors
from providers.emulated.dialects.google_errors import error_info, is_gemini, missing_model
from providers.faults.base import Asked, Reason

_TYPE = "type.googleapis.com/google.rpc."
_GEMINI_SERVICE = "generativelanguage.googleapis.com"
_VERTEX_SERVICE = "aiplatform.googleapis.com"
_GEMINI_REQUESTS = "generate_content_paid_tier_requests"
_GEMINI_TOKENS = "generate_content_paid_tier_input_token_count"

# google.rpc.Code, as error bodies name them.
_NAMES = frozenset(
    {
        "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "UNAUTHENTICATED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
        "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
    }
)  # fmt: skip


class Failure(NamedTuple):
    """An error as Google writes it. None: what is usual for the status it has by itself."""

    status: int
    name: str | None = None
    message: str | None = None
    details: tuple[Mapping[str, Any], ...] = ()


def failure(
    asked: Asked, status: int | None, reason: Reason | None, message: str | None = None, code: str | None = None
) -> Failure:
    """`code`: one of google.rpc.Code takes the place of the status' name, any other is the reason of an ErrorInfo."""
    usual = _failure(asked, reason) if reason is not None else Failure(500 if status is None else status)
    name, words = google_errors.usual(usual.status, asked.call.path)
    made = Failure(
        usual.status if status is None else status,
        usual.name or name,
        message if message is not None else usual.message or words,
        usual.details,
    )
    if code in _NAMES:
        return made._replace(name=code)
    if code is not None:
        kept = [detail for detail in made.details if detail["@type"] != _TYPE + "ErrorInfo"]
        made = made._replace(details=(error_info(code, service=_service(asked)), *kept))
    return made


def quota_failure(asked: Asked, limit: int | None, *, is_tokens: bool) -> Failure:
    """A limit per minute that is exceeded; None: some limit. The Gemini API names it in details as well."""
    path = asked.call.path
    model = asked.model.rpartition("/")[2]
    if not is_gemini(path):
        return Failure(429, "RESOURCE_EXHAUSTED", _vertex_quota(asked, model, is_tokens=is_tokens))
    metric = f"{_GEMINI_SERVICE}/{_GEMINI_TOKENS if is_tokens else _GEMINI_REQUESTS}"
    most = limit if limit is not None else 1_000_000 if is_tokens else 150
    what = "InputTokensPerModelPerMinute" if is_tokens else "RequestsPerMinutePerProjectPerModel"
    violation = {
        "quotaMetric": metric,
        "quotaId": f"GenerateContent{what}-PaidTier" if is_tokens else f"Generate{what}-PaidTier",
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": str(most),
    }
    link = {
        "description": "Learn more about Gemini API quotas",
        "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
    }
    words = (
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: "
        f"https://ai.dev/rate-limit. \n* Quota exceeded for metric: {metric}, limit: {most}, model: {model}"
    )
    details = ({"@type": _TYPE + "Help", "links": [link]}, {"@type": _TYPE + "QuotaFailure", "violations": [violation]})
    return Failure(429, "RESOURCE_EXHAUSTED", words, details)


def with_wait(failed: Failure, seconds: float, *, is_told: bool) -> Failure:
    """The same with a RetryInfo. `is_told`: the words end with the wait, too."""
    info = {"@type": _TYPE + "RetryInfo", "retryDelay": f"{math.ceil(seconds)}s"}
    message = failed.message
    if is_told and message is not None:
        message = f"{message}\nPlease retry in {seconds:g}s."
    return failed._replace(message=message, details=(*failed.details, info))


def _failure(asked: Asked, reason: Reason) -> Failure:
    gemini = is_gemini(asked.call.path)
    match reason:
        case Reason.RATE_LIMIT | Reason.THROTTLING:
            return quota_failure(asked, None, is_tokens=False)
        case Reason.TOKEN_LIMIT:
            return quota_failure(asked, None, is_tokens=True)
        case Reason.QUOTA:
            return _spent(asked, is_prepaid=gemini)
        case Reason.OVERLOADED:
            return Failure(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
        case Reason.SERVER_ERROR:
            words = (
                "An internal error has occurred. Please retry or report in "
                "https://developers.generativeai.google/guide/troubleshooting"
            )
            return Failure(500, "INTERNAL", words if gemini else None)
        case Reason.UNAVAILABLE:
            return Failure(503, "UNAVAILABLE")
        case Reason.TIMEOUT:
            return Failure(504, "DEADLINE_EXCEEDED")
        case Reason.INVALID_KEY:
            return _invalid_key(asked, is_key=gemini or _has_key(asked))
        case Reason.PERMISSION_DENIED:
            return Failure(403, "PERMISSION_DENIED") if gemini else _denied(asked)
        case Reason.MODEL_NOT_FOUND:
            return Failure(404, "NOT_FOUND", missing_model(asked.call.path, asked.model))
        case Reason.CONTEXT_LENGTH:
            words = "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576)."
            return Failure(400, "INVALID_ARGUMENT", words)
        case Reason.CONTENT_FILTER:
            # A refused prompt is a 200 with a `blockReason`; as an error there is only what the image models say.
            words = (
                "The prompt could not be submitted. This prompt contains sensitive words that violate Google's "
                "Responsible AI practices. Try rephrasing the prompt. If you think this was an error, send feedback. "
                "Support codes: 42876398"
            )
            return Failure(400, "INVALID_ARGUMENT", words)
        case Reason.INVALID_REQUEST:
            return Failure(400, "INVALID_ARGUMENT")
        case Reason.REQUEST_TOO_LARGE:
            most = 20_971_520 if gemini else 524_288_000
            return Failure(400, "INVALID_ARGUMENT", f"Request payload size exceeds the limit: {most} bytes.")


def _spent(asked: Asked, *, is_prepaid: bool) -> Failure:
    if is_prepaid:
        words = (
            "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your "
            "project and billing."
        )
        return Failure(429, "RESOURCE_EXHAUSTED", words)
    project = _project(asked)
    words = (
        f"This API method requires billing to be enabled. Please enable billing on project #{project} by visiting "
        f"https://console.developers.google.com/billing/enable?project={project} then retry. If you enabled billing "
        "for this project recently, wait a few minutes for the action to propagate to our systems and retry."
    )
    details = error_info("BILLING_DISABLED", service=_VERTEX_SERVICE, consumer=f"projects/{project}")
    return Failure(403, "PERMISSION_DENIED", words, (details,))


def _invalid_key(asked: Asked, *, is_key: bool) -> Failure:
    if not is_key:
        return Failure(401, "UNAUTHENTICATED", None, (error_info("ACCESS_TOKEN_EXPIRED", service=_VERTEX_SERVICE),))
    words = "API key not valid. Please pass a valid API key."
    localized = {"@type": _TYPE + "LocalizedMessage", "locale": "en-US", "message": words}
    return Failure(
        400, "INVALID_ARGUMENT", words, (error_info("API_KEY_INVALID", service=_service(asked)), localized)
    )  # fmt: skip


def _denied(asked: Asked) -> Failure:
    path = asked.call.path.decode("latin-1")
    resource = path.partition("/projects/")[2].rpartition(":")[0]
    resource = f"projects/{resource}" if resource else path.strip("/")
    permission = "aiplatform.endpoints.predict"
    words = f"Permission '{permission}' denied on resource '//{_VERTEX_SERVICE}/{resource}' (or it may not exist)."
    info = error_info("IAM_PERMISSION_DENIED", resource=resource, permission=permission)
    return Failure(403, "PERMISSION_DENIED", words, ({**info, "domain": _VERTEX_SERVICE},))


def _vertex_quota(asked: Asked, model: str, *, is_tokens: bool) -> str:
    """Google's own models and other publishers' are counted by different names."""
    path = asked.call.path
    publisher = path.partition(b"/publishers/")[2].partition(b"/")[0].decode("latin-1")
    if publisher and publisher != "google":
        what = "input_tokens_per_minute" if is_tokens else "requests"
        metric, model = f"online_prediction_{what}_per_base_model", f"{publisher}-{model.partition('@')[0]}"
    elif is_tokens:
        metric = "generate_content_input_tokens_per_minute_per_base_model"
    else:
        metric = "generate_content_requests_per_minute_per_project_per_base_model"
    return (
        f"Quota exceeded for {_VERTEX_SERVICE}/{metric} with base model: {model}. Please submit a quota increase "
        "request. https://cloud.google.com/vertex-ai/docs/generative-ai/quotas-genai."
    )


def _has_key(asked: Asked) -> bool:
    headers = asked.headers or {}
    return b"x-goog-api-key" in headers or any(field.startswith(b"key=") for field in asked.query.split(b"&"))


def _service(asked: Asked) -> str:
    return _GEMINI_SERVICE if is_gemini(asked.call.path) else _VERTEX_SERVICE


def _project(asked: Asked) -> str:
    path = asked.call.path.decode("latin-1")
    return path.partition("/projects/")[2].partition("/")[0] or "1234567890"
