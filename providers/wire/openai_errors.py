"""What OpenAI says when it refuses, and the heads of its replies: shared by all that answers in its place.

Source: platform.openai.com/docs/guides/error-codes and /rate-limits, developers.openai.com/api/docs/guides/error-codes,
and replies quoted in public issue reports, read November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from providers.base import Header

UNPARSABLE = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
    "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble "
    "figuring out how to fix this, please contact us through our help center at help.openai.com.)"
)
NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API "
    "from your browser and are prompted for a username and password. You can obtain an API key from "
    "https://platform.openai.com/account/api-keys."
)

Usual = tuple[str, str, str | None]
"""Message, type, code."""

USUAL: Mapping[int, Usual] = {
    400: ("Your request was malformed or missing some required parameters.", "invalid_request_error", None),
    401: (
        "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
        "invalid_request_error",
        "invalid_api_key",
    ),
    403: ("Country, region, or territory not supported", "request_forbidden", "unsupported_country_region_territory"),
    404: ("The requested resource was not found.", "invalid_request_error", None),
    413: ("Maximum content size limit (26214400) exceeded", "server_error", None),
    429: (
        "Rate limit reached for requests. Please try again in 20s. "
        "Visit https://platform.openai.com/account/rate-limits to learn more.",
        "requests",
        "rate_limit_exceeded",
    ),
    500: ("The server had an error while processing your request. Sorry about that!", "server_error", None),
    503: ("The engine is currently overloaded, please try again later", "server_error", None),
}
"""What is usually said with a status."""

ORGANIZATION = "org-rubberduck"
PROJECT = "proj_rubberduck"

_NAME = re.compile(rb"[A-Za-z0-9_-]{1,64}")


def usual(status: int) -> Usual:
    """What is said with any status from 400 to 599."""
    return USUAL.get(status) or USUAL[400 if status < 500 else 500]


def no_model(model: str) -> str:
    """What is said to a model that there is not."""
    return f"The model `{model}` does not exist or you do not have access to it."


def payer(headers: Mapping[bytes, bytes] | None, name: bytes, otherwise: str) -> str:
    """The organization or project a request names in the header `name`."""
    found = headers.get(name, b"").strip() if headers else b""
    return found.decode() if _NAME.fullmatch(found) else otherwise


def request_id_header(request_id: str) -> Header:
    """`request_id`: a UUID."""
    return b"x-request-id", b"req_" + request_id.replace("-", "").encode()


def reply_head(request_id: str, organization: str = ORGANIZATION, project: str = PROJECT) -> list[Header]:
    """The headers of every reply to a client that is known, but for the content type."""
    name, value = request_id_header(request_id)
    # Chosen by the request's id: a plausible number, not a measured one.
    processing_ms = 100 + int(value[-4:], 16) % 400 if len(value) >= 8 else 100
    return [
        (name, value),
        (b"openai-organization", organization.encode()),
        (b"openai-project", project.encode()),
        (b"openai-processing-ms", b"%d" % processing_ms),
        (b"openai-version", b"2020-10-01"),
    ]


def go_duration(milliseconds: int) -> bytes:
    """A time as the rate-limit headers write it: `0s`, `9ms`, `8.64s`, `6m0s`."""
    if milliseconds < 1000:
        return b"%dms" % milliseconds if milliseconds else b"0s"
    minutes, rest = divmod(milliseconds, 60_000)
    seconds = b"%g" % (rest / 1000) + b"s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return b"%dh%dm%b" % (hours, minutes, seconds)
    return b"%dm%b" % (minutes, seconds) if minutes else seconds
