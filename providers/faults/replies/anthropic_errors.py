"""What Anthropic's service says to each failure: status, type, words and code, whatever the cloud it runs on.

Source: docs.claude.com/en/api/errors and /rate-limits, anthropic-sdk-python 2.12.0 `types/shared/`, and error replies
quoted in public issue reports, read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from providers.emulated.dialects.anthropic_errors import usual_message, usual_type
from providers.faults.base import Asked, Reason
from providers.wire import sse

REQUESTS, INPUT_TOKENS, OUTPUT_TOKENS = 50, 30_000, 8_000
"""The limits of an account whose limit is exceeded, per minute: those of the first tier."""

_TYPES = frozenset(
    {
        "invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error",
        "request_too_large", "rate_limit_error", "timeout_error", "api_error", "overloaded_error", "conflict_error",
    }
)  # fmt: skip
_MORE = (
    ". For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current "
    "usage. Please reduce the prompt length or the maximum tokens requested, or try again later. You may also contact "
    "sales at https://claude.com/contact-sales to discuss your options for a rate limit increase."
)
_ORGANIZATION = "2d0b6c1e-5f7a-4c0e-9b64-0e6a1d5f3a27"
_SPENT = "enforced_spend_limit_reached"

# Status, and words where the status says too little. A reason keeps its own type under another status.
_STATUSES: Mapping[Reason, int] = {
    Reason.RATE_LIMIT: 429,
    Reason.TOKEN_LIMIT: 429,
    Reason.THROTTLING: 429,
    Reason.QUOTA: 429,
    Reason.OVERLOADED: 529,
    Reason.SERVER_ERROR: 500,
    Reason.UNAVAILABLE: 503,
    Reason.TIMEOUT: 504,
    Reason.INVALID_KEY: 401,
    Reason.PERMISSION_DENIED: 403,
    Reason.MODEL_NOT_FOUND: 404,
    Reason.CONTEXT_LENGTH: 400,
    Reason.CONTENT_FILTER: 400,
    Reason.INVALID_REQUEST: 400,
    Reason.REQUEST_TOO_LARGE: 413,
}
_WORDS: Mapping[Reason, str] = {
    Reason.UNAVAILABLE: "Service temporarily unavailable",
    Reason.CONTEXT_LENGTH: "prompt is too long: 208310 tokens > 200000 maximum",
    Reason.CONTENT_FILTER: "Output blocked by content filtering policy",
    Reason.INVALID_REQUEST: "messages: Field required",
}


class Failure(NamedTuple):
    """An error as Anthropic writes it. `reason` None: nothing but the status is known of it."""

    status: int
    type: str
    message: str
    details: Mapping[str, Any] | None
    reason: Reason | None


def failure(
    asked: Asked, status: int | None, reason: Reason | None, message: str | None = None, code: str | None = None
) -> Failure:
    """`code`: one of Anthropic's types takes the type's place, any other is the `details.error_code`."""
    usual = 500 if reason is None else _STATUSES[reason]
    given = usual if status is None else status
    if reason is Reason.QUOTA:
        kind, words, details = _spent(given, asked.now)
    else:
        usual = given if reason is None else usual
        kind, words, details = usual_type(usual), _words(asked, usual, reason), None
    if code in _TYPES:
        kind = code
    elif code is not None:
        details = {"error_code": code}
    return Failure(given, kind, words if message is None else message, details, reason)


def limit_message(model: str, limit: int, unit: str) -> str:
    """What is said of a limit per minute that is exceeded. `unit`: "requests", "input tokens"."""
    named = f", model: {model}" if model else ""
    return (
        f"This request would exceed your organization's rate limit of {limit:,} {unit} per minute "
        f"(org: {_ORGANIZATION}{named}){_MORE}"
    )


def stream_event(failed: Failure, request_id: str) -> bytes:
    """The error as an event of a stream that has begun. `request_id`: as the cloud writes it."""
    error = {"details": failed.details, "type": failed.type, "message": failed.message}
    return sse.encode(orjson.dumps({"type": "error", "error": error, "request_id": request_id}), "error")


def _words(asked: Asked, status: int, reason: Reason | None) -> str:
    if reason in (Reason.RATE_LIMIT, Reason.THROTTLING) or (reason is None and status == 429):
        return limit_message(asked.model, REQUESTS, "requests")
    if reason is Reason.TOKEN_LIMIT:
        return limit_message(asked.model, INPUT_TOKENS, "input tokens")
    if reason is Reason.MODEL_NOT_FOUND:
        return f"model: {asked.model}" if asked.model else "Not Found"
    headers = asked.headers or {}
    if status == 401 and b"x-api-key" not in headers and b"authorization" in headers:
        return "Invalid bearer token"
    return usual_message(status) if reason is None else _WORDS.get(reason) or usual_message(status)


def _spent(status: int, now: float) -> tuple[str, str, Mapping[str, Any] | None]:
    """Nothing left to spend: the account's tier has ended (429), a limit set by the customer has (400), or the money
    has (402). Access comes back with the next month."""
    if status == 402:
        return usual_type(402), usual_message(402), None
    today = datetime.fromtimestamp(now, UTC)
    year, month = divmod(today.year * 12 + today.month, 12)
    regain = f"You will regain access on {year:04}-{month + 1:02}-01 at 00:00 UTC."
    if status == 400:
        return usual_type(400), f"You have reached your specified API usage limits. {regain}", None
    words = (
        "You have reached your API usage limits: your organization has crossed its monthly API usage threshold, set "
        f"based on your organization's API tier. {regain}"
    )
    return usual_type(429), words, {"error_code": _SPENT}
