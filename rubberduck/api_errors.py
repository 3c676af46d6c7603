"""The one shape of the API's errors, for what the API refuses and for what never reached it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja.openapi.schema import OpenAPISchema

PREFIX = "/api/"


class ErrorCode(StrEnum):
    """What programs may tell apart. Codes are added, never changed."""

    INVALID = "invalid"
    MALFORMED = "malformed"
    NO_FREE_PORT = "no_free_port"
    LAST_STAFF = "last_staff"
    NOT_SIGNED_IN = "not_signed_in"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    AMBIGUOUS = "ambiguous"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    REFUSED = "refused"
    INTERNAL_ERROR = "internal_error"
    UNAVAILABLE = "unavailable"


STATUS: Final[Mapping[str, int]] = {
    ErrorCode.NOT_SIGNED_IN: 401,
    ErrorCode.NOT_ALLOWED: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.AMBIGUOUS: 409,
    ErrorCode.CONFLICT: 409,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorCode.TOO_MANY_ATTEMPTS: 429,
    ErrorCode.INTERNAL_ERROR: 500,
    ErrorCode.UNAVAILABLE: 503,
}
"""The other codes are 400."""
MEANINGS: Final[Mapping[int, tuple[ErrorCode, str]]] = {
    400: (ErrorCode.MALFORMED, "The request cannot be read."),
    401: (ErrorCode.NOT_SIGNED_IN, "Sign in first."),
    403: (ErrorCode.NOT_ALLOWED, "This is not allowed."),
    404: (ErrorCode.NOT_FOUND, "There is nothing at this address."),
    405: (ErrorCode.METHOD_NOT_ALLOWED, "This address does not take this method."),
    413: (ErrorCode.TOO_LARGE, "The request is too large."),
    415: (ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send JSON or YAML."),
    429: (ErrorCode.TOO_MANY_ATTEMPTS, "Too many attempts; try again later."),
    500: (ErrorCode.INTERNAL_ERROR, "Something went wrong here; the console of the web process says what."),
    503: (ErrorCode.UNAVAILABLE, "The database cannot be asked now; try again later."),
}

ERROR_SCHEMA: Final[dict[str, Any]] = {
    "title": "Error",
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "enum": [code.value for code in ErrorCode]},
                "message": {"type": "string", "description": "For people."},
                "fields": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "description": "Field, dotted where nested -> what is wrong with it.",
                },
            },
            "required": ["code", "message", "fields"],
            "additionalProperties": False,
        }
    },
    "required": ["error"],
    "additionalProperties": False,
}


def error_body(code: str, message: str, fields: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "fields": dict(fields or {})}}


class ApiErrorsMiddleware:
    """Gives the shape to refusals from outside of the API: unknown routes and methods, foreign hosts, crashes. No reply
    of the API is for a cache: some tell one person's affairs at addresses that may end in .css."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        status = response.status_code
        if not request.path_info.startswith(PREFIX):
            return response
        response.headers.setdefault("Cache-Control", "no-store")
        if (
            status >= 400
            and isinstance(response, HttpResponse)
            and not response.get("Content-Type", "").startswith("application/json")
        ):
            code, message = MEANINGS.get(status, (ErrorCode.REFUSED, f"{response.reason_phrase}."))
            response.content = json.dumps(error_body(code, message)).encode()
            response["Content-Type"] = "application/json; charset=utf-8"
            if response.has_header("Content-Length"):
                response["Content-Length"] = str(len(response.content))
        return response


def document_errors(schema: OpenAPISchema) -> None:
    """Adds to each operation of the schema the errors it can answer with."""
    schema["components"].setdefault("schemas", {})["Error"] = ERROR_SCHEMA
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            statuses = [400, 503]
            if "security" in operation:
                statuses += [401, 403]
            if "{" in path:
                statuses.append(404)
            if "requestBody" in operation:
                statuses += [404, 413, 415]
            # ninja numbers them; what an operation declares itself stays.
            declared = {int(status): reply for status, reply in operation["responses"].items()}
            for status in statuses:
                declared.setdefault(status, {"description": MEANINGS[status][1], "content": content})
            operation["responses"] = {str(status): declared[status] for status in sorted(declared)}
            for status, reply in operation["responses"].items():
                if int(status) >= 400 and "content" not in reply:
                    reply["content"] = content
