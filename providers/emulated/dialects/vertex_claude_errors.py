"""What Claude's own service says when it fails on Vertex AI: Anthropic's error bodies in Google's headers.

Source: error replies quoted in public issue reports, read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from providers.base import Header
from providers.emulated.base import EmulatedReply
from providers.emulated.dialects import google_errors
from providers.emulated.dialects.anthropic_errors import Identified, error_body, usual_type
from providers.emulated.dialects.google_errors import Addressed

JSON: Header = (b"content-type", b"application/json")


def error_reply(
    request: Addressed,
    status: int,
    message: str,
    *,
    type: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> EmulatedReply:
    """`type`: Anthropic's name of the error, None for the usual one of the status."""
    body = error_body(type or usual_type(status), message, request_id_of(request), details)
    return EmulatedReply(status, headers(request, JSON), orjson.dumps(body))


def headers(request: Addressed, content_type: Header) -> list[Header]:
    """The headers of any reply of Claude's."""
    return [*google_errors.headers(request, content_type), (b"request-id", request_id_of(request).encode())]


def request_id_of(request: Identified) -> str:
    """The id of this one request as this cloud writes it."""
    return "req_vrtx_011C" + request.request_id.replace("-", "")[12:]
