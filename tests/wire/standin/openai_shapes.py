"""What every reply of api.openai.com shares: headers, error bodies, streams, dated model names.

Source of shapes: OpenAI API reference (platform.openai.com/docs/api-reference) and openai 3.54.0's types, read
November 2026.
"""

from __future__ import annotations

from uuid import uuid4

from tests.wire.standin.messages import Headers, Reply, Request, Turn, json_reply

DATED = {"gpt-4o-mini": "gpt-4o-mini-2024-07-18", "gpt-4o": "gpt-4o-2024-08-06"}

_ERRORS = {
    400: ("invalid_request_error", None, "Unrecognized request argument supplied: nonsense"),
    401: (
        "invalid_request_error",
        "invalid_api_key",
        "Incorrect API key provided: sk-wrong. You can find your API key at https://platform.openai.com/account/api-keys.",
    ),
    403: (
        "request_forbidden",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
    ),
    404: (
        "invalid_request_error",
        "model_not_found",
        "The model `gpt-none` does not exist or you do not have access to it.",
    ),
    429: (
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for gpt-4o-mini in organization org-standin on requests per min (RPM): Limit 500, "
        "Used 500, Requested 1. Please try again in 120ms. "
        "Visit https://platform.openai.com/account/rate-limits to learn more.",
    ),
    500: ("server_error", None, "The server had an error while processing your request. Sorry about that!"),
    503: ("server_error", None, "The engine is currently overloaded, please try again later"),
}


def headers(turn: Turn) -> Headers:
    """Reply headers of the genuine service (spec sheet, docs)."""
    return [
        ("x-request-id", f"req_{uuid4().hex}"),
        ("openai-organization", "org-standin"),
        ("openai-project", "proj_standin"),
        ("openai-processing-ms", "412"),
        ("openai-version", "2020-10-01"),
        ("x-ratelimit-limit-requests", "5000"),
        ("x-ratelimit-limit-tokens", "160000"),
        ("x-ratelimit-remaining-requests", str(5000 - turn.number)),
        ("x-ratelimit-remaining-tokens", "159976"),
        ("x-ratelimit-reset-requests", "12ms"),
        ("x-ratelimit-reset-tokens", "6m0s"),
        ("cf-cache-status", "DYNAMIC"),
        ("set-cookie", f"__cf_bm=standin-{turn.number}; path=/; HttpOnly; Secure"),
        ("set-cookie", f"_cfuvid=standin-{turn.number}; path=/; HttpOnly; Secure"),
        ("alt-svc", 'h3=":443"; ma=86400'),
    ]


def error(status: int, turn: Turn, *, message: str = "", code: str | None = "") -> Reply:
    """The provider's error body for a status; unlisted statuses use the generic shape."""
    kind, usual_code, usual = _ERRORS.get(
        status, ("server_error" if status >= 500 else "invalid_request_error", None, "")
    )
    body = {
        "message": message or usual or f"Stand-in error {status}",
        "type": kind,
        "param": None,
        "code": usual_code if code == "" else code,
    }
    extra = [("retry-after", "1"), ("retry-after-ms", "120")] if status == 429 else []
    return json_reply(status, {"error": body}, [*headers(turn), *extra])


def not_found(request: Request, turn: Turn) -> Reply:
    """An unknown address."""
    return error(404, turn, message=f"Invalid URL ({request.method} {request.path})", code=None)


def sse(turn: Turn, frames: list[str], failure: str, extra: Headers | None = None) -> Reply:
    """A stream of server-sent events."""
    head = [("content-type", "text/event-stream; charset=utf-8"), *(headers(turn) if extra is None else extra)]
    return Reply(200, head, frames=[frame.encode() for frame in frames], failure=failure.encode())
