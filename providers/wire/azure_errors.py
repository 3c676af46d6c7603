"""What Azure OpenAI says when it refuses, and the heads of its replies: shared by all that answers in its place.

Source: learn.microsoft.com/azure/ai-foundry/openai reference, and replies quoted in public issue reports, read November
2026.
"""

from __future__ import annotations

from collections.abc import Mapping

from providers.base import Header

NO_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource."
)
NO_TOKEN = (
    "Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired."
)
NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
    "please wait a moment and try again."
)

Usual = tuple[str, str]
"""Code, message."""

USUAL: Mapping[int, Usual] = {
    400: ("BadRequest", "The request is invalid."),
    401: ("401", NO_KEY),
    403: ("AccessDenied", "Access denied due to Virtual Network/Firewall rules."),
    404: ("404", "Resource not found"),
    408: ("Timeout", "The operation was timeout."),
    413: ("RequestEntityTooLarge", "The request is too large."),
    429: (
        "429",
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded call "
        "rate limit of your current OpenAI S0 pricing tier. Please retry after 20 seconds. Please contact Azure "
        "support service if you would like to further increase the default rate limit.",
    ),
    500: ("InternalServerError", "Internal server error"),
    503: ("503", "Service temporarily unavailable"),
}
"""What is usually said with a status."""

REGION = "East US 2"


def usual(status: int) -> Usual:
    """What is said with any status from 400 to 599."""
    return USUAL.get(status) or USUAL[400 if status < 500 else 500]


def reply_head(request_id: str, deployment: str | None) -> list[Header]:
    """The headers of every reply, but for the content type. `deployment`: the one the path names."""
    written = request_id.encode()
    head = [
        (b"apim-request-id", written),
        (b"x-request-id", written),
        (b"x-ms-region", REGION.encode()),
        (b"strict-transport-security", b"max-age=31536000; includeSubDomains; preload"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if deployment is not None and deployment.isascii() and deployment.isprintable():
        head.append((b"x-ms-deployment-name", deployment.encode()))
    return head
