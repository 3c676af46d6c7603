"""Google's error replies and reply headers, which Vertex AI and the Gemini API share.

Source: google.rpc.Code with its HTTP mapping, the wire sheet's captures, and public reports of the messages, read
November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import orjson

from providers.base import Call, Header
from providers.emulated.base import EmulatedReply, EmulatedRequest, Refused

JSON: Header = (b"content-type", b"application/json; charset=UTF-8")
EVENTS: Header = (b"content-type", b"text/event-stream")
_HTML: Header = (b"content-type", b"text/html; charset=UTF-8")

_STATUSES: Mapping[int, tuple[str, str]] = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: (
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    ),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: ("NOT_FOUND", "Requested entity was not found."),
    409: ("ABORTED", "The operation was aborted."),
    412: ("FAILED_PRECONDITION", "Precondition check failed."),
    413: ("INVALID_ARGUMENT", "Request payload size exceeds the limit: 67108864 bytes."),
    429: (
        "RESOURCE_EXHAUSTED",
        "Resource exhausted. Please try again later. Please refer to "
        "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.",
    ),
    499: ("CANCELLED", "The operation was cancelled."),
    500: ("INTERNAL", "Internal error encountered."),
    501: ("UNIMPLEMENTED", "Operation is not implemented, or supported, or enabled."),
    503: ("UNAVAILABLE", "The service is currently unavailable."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}
_GEMINI_429 = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    "head to: https://ai.google.dev/gemini-api/docs/rate-limits."
)

Details = Sequence[Mapping[str, Any]]


class Addressed(Protocol):
    """What an error reply needs to know of its request."""

    @property
    def call(self) -> Call: ...
    @property
    def query(self) -> bytes: ...
    @property
    def request_id(self) -> str: ...


def is_gemini(path: bytes) -> bool:
    """Whether a path is the Gemini API's, not Vertex AI's: no project, no publisher, no `v1beta1`."""
    return not (
        b"/projects/" in path or b"/publishers/" in path or path.startswith((b"/v1beta1/", b"/upload/v1beta1/"))
    )


def is_openai(path: bytes) -> bool:
    """Whether a path is one of the OpenAI-compatible ones."""
    return b"/endpoints/openapi/" in path or (b"/openai/" in path and is_gemini(path))


def headers(request: Addressed, content_type: Header = JSON) -> list[Header]:
    """The headers of any reply; Google sends neither a request id nor rate limits."""
    duration_ms = 180 + int(request.request_id[-3:], 16) % 900
    return [
        content_type,
        (b"vary", b"Origin"),
        (b"vary", b"X-Origin"),
        (b"vary", b"Referer"),
        (b"server", b"scaffolding on HTTPServer2"),
        (b"x-xss-protection", b"0"),
        (b"x-frame-options", b"SAMEORIGIN"),
        (b"x-content-type-options", b"nosniff"),
        (b"server-timing", b"gfet4t7; dur=%d" % duration_ms),
    ]


def json_reply(request: EmulatedRequest, body: Any, *, is_repeatable: bool = True) -> EmulatedReply:
    """A reply of 200 as Google prints JSON: indented."""
    data = orjson.dumps(body, option=orjson.OPT_INDENT_2)
    return EmulatedReply(200, headers(request), data, is_repeatable=is_repeatable)


def usual(status: int, path: bytes) -> tuple[str, str]:
    """What an error with this status is called, and what it usually says. `path`: the call's."""
    if status == 429 and is_gemini(path):
        return _STATUSES[429][0], _GEMINI_429
    return _STATUSES.get(status, ("UNKNOWN", f"The request failed with status {status}."))


def error_reply(
    request: Addressed,
    status: int,
    message: str | None = None,
    *,
    name: str | None = None,
    details: Details = (),
) -> EmulatedReply:
    """An error in Google's shape. A stream without `alt=sse` and the OpenAI-compatible routes wrap it in an array."""
    usual_name, usual_message = usual(status, request.call.path)
    error: dict[str, Any] = {
        "code": status,
        "message": usual_message if message is None else message,
        "status": name or usual_name,
    }
    if details:
        error["details"] = list(details)
    operation = request.call.operation
    if operation is not None and operation.name.startswith("interactions.") and status not in (401, 403):
        code = "invalid_request" if status == 400 else error["status"].lower()
        error = {"message": error["message"], "code": code}
    body: Any = {"error": error}
    if _is_wrapped(request):
        body = [body]
    fields = headers(request)
    if status == 401:
        fields.append((b"www-authenticate", b'Bearer realm="https://accounts.google.com/"'))
    return EmulatedReply(status, fields, orjson.dumps(body, option=orjson.OPT_INDENT_2))


def refuse(
    request: EmulatedRequest, message: str, status: int = 400, *, name: str | None = None, details: Details = ()
) -> Refused:
    """The exception to raise for an error reply."""
    return Refused(error_reply(request, status, message, name=name, details=details))


def bad_request(request: EmulatedRequest, violations: Sequence[tuple[str, str]]) -> Refused:
    """A request that is not the message it should be. `violations`: field path ("" for the whole) and description."""
    listed = [
        {"field": path, "description": text} if path else {"description": text} for path, text in violations
    ]  # fmt: skip
    detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": listed}
    return refuse(request, "\n".join(text for _, text in violations), details=[detail])


def not_emulated(request: EmulatedRequest) -> Refused:
    """For an operation of Google's that is not answered here."""
    operation = request.call.operation
    named = f"the operation {operation.name}" if operation else f"{request.method} on this path"
    return refuse(request, f"Rubberduck's emulation of this provider does not answer {named}.", 404)


def error_info(reason: str, **metadata: str) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": metadata,
    }


def missing_model(path: bytes, model: str) -> str:
    """What is said of a model that is not there. `path`: the call's."""
    named = path.decode("latin-1")
    shown = model[:256]
    if is_gemini(path):
        version = named.split("/")[1]
        verb = named.rpartition(":")[2] if ":" in named else "generateContent"
        return (
            f"models/{shown} is not found for API version {version}, or is not supported for {verb}. Call ListModels "
            "to see the list of available models and their supported methods."
        )
    resource = named.partition("/projects/")[2].rpartition(":")[0]
    named = f"projects/{resource}" if resource else f"publishers/google/models/{shown}"
    return (
        f"Publisher Model `{named}` was not found or your project does not have access to it. Please ensure you are "
        "using a valid model version. For more information, see: "
        "https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions"
    )


def html_not_found(request: Addressed) -> EmulatedReply:
    """What Google's front end says to a URL that no service knows."""
    path = request.call.path.decode("latin-1").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return html_error(404, "Not Found", f"The requested URL <code>{path}</code> was not found on this server.")


def html_error(status: int, title: str, sentence: str) -> EmulatedReply:
    """A page of Google's front end. `sentence`: HTML."""
    body = (
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n"
        '  <meta name=viewport content="initial-scale=1, minimum-scale=1, width=device-width">\n'
        f"  <title>Error {status} ({title})!!1</title>\n"
        f"  <p><b>{status}.</b> <ins>That’s an error.</ins>\n"
        f"  <p>{sentence}  <ins>That’s all we know.</ins>\n"
    )
    fields: list[Header] = [_HTML, (b"referrer-policy", b"no-referrer")]
    return EmulatedReply(status, fields, body.encode())


def _is_wrapped(request: Addressed) -> bool:
    operation = request.call.operation
    if operation is None:
        return False
    if operation.name in ("generate_content.stream", "raw_predict.stream"):
        return not is_sse(request.query)
    return is_openai(request.call.path)


def is_sse(query: bytes) -> bool:
    """Whether a query asks for server-sent events."""
    return b"alt=sse" in query and any(
        field in (b"alt=sse", b"%24alt=sse", b"$alt=sse") for field in query.split(b"&")
    )  # fmt: skip
