"""Errors in Anthropic's words: what each status is called, and the shape that each cloud gives them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import orjson

from providers.base import Header
from providers.emulated.base import EmulatedReply, EmulatedRequest, Refused

# Source: docs.anthropic.com/en/api/errors and anthropic-sdk-python 2.12.0 `_exceptions.py`, read November 2026.
_TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_MESSAGES: Mapping[int, str] = {
    400: "Invalid request",
    401: "invalid x-api-key",
    402: "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
    "purchase credits.",
    403: "Your API key does not have permission to use the specified resource.",
    404: "Not Found",
    408: "Request timed out",
    409: "The request conflicts with the current state of the resource.",
    413: "Request exceeds the maximum size",
    429: "This request would exceed your organization's rate limit of 50 requests per minute. For details, refer to: "
    "https://docs.claude.com/en/api/rate-limits. You can see the response headers for current usage. Please reduce the "
    "prompt length or the maximum tokens requested, or try again later.",
    504: "Request timed out",
    529: "Overloaded",
}


def usual_type(status: int) -> str:
    """What Anthropic calls an error with this status, from 400 to 599."""
    return _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")


def usual_message(status: int) -> str:
    """What Anthropic usually says with this status."""
    return _MESSAGES.get(status, "Invalid request" if status < 500 else "Internal server error")


class Identified(Protocol):
    """A request that has an id: a UUID."""

    @property
    def request_id(self) -> str: ...


class ErrorShape(ABC):
    """How one cloud writes the errors of this dialect, and how it marks its ids."""

    id_mark: ClassVar[str] = ""
    """What stands in ids before their number, as in `msg_bdrk_01...`: "" at Anthropic itself."""

    @abstractmethod
    def refuse(
        self, status: int, message: str, *, type: str | None = None, details: Mapping[str, Any] | None = None
    ) -> Refused:
        """The refusal to raise. `type`: Anthropic's name of the error, None for the usual one of the status."""


class AnthropicShape(ErrorShape):
    """Anthropic's own: `{"type": "error", "error": {"type", "message"}, "request_id"}`."""

    __slots__ = ("_request",)

    def __init__(self, request: EmulatedRequest) -> None:
        self._request = request

    def refuse(
        self, status: int, message: str, *, type: str | None = None, details: Mapping[str, Any] | None = None
    ) -> Refused:
        return Refused(error_reply(self._request, status, message, type=type, details=details))


def error_reply(
    request: EmulatedRequest,
    status: int,
    message: str | None,
    *,
    type: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> EmulatedReply:
    """Anthropic's error reply. None: the usual message or type of the status."""
    request_id = request_id_of(request)
    headers = [(b"content-type", b"application/json"), *id_headers(request_id)]
    if status == 429:
        headers.append((b"retry-after", b"1"))
    headers.append((b"x-should-retry", b"true" if status in (408, 409, 429) or status >= 500 else b"false"))
    body = error_body(type or usual_type(status), message or usual_message(status), request_id, details)
    return EmulatedReply(status, headers, orjson.dumps(body))


def error_body(type: str, message: str, request_id: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"type": type, "message": message}
    if details:
        error["details"] = details
    return {"type": "error", "error": error, "request_id": request_id}


def request_id_of(request: Identified) -> str:
    """The id of this one request as Anthropic writes it: `req_` and 24 characters."""
    return "req_011C" + request.request_id.replace("-", "")[12:]


def id_headers(request_id: str) -> list[Header]:
    """The headers of every reply."""
    return [(b"request-id", request_id.encode()), (b"anthropic-organization-id", _ORGANIZATION)]


_ORGANIZATION = b"2d0b6c1e-5f7a-4c0e-9b64-0e6a1d5f3a27"
