"""How Anthropic fails: errors with request id, quota headers and hints for retries, and spoilt messages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import orjson

from providers.base import ErrorReply, Header
from providers.emulated.dialects.anthropic_errors import error_body, id_headers, request_id_of
from providers.emulated.dialects.anthropic_times import written_to_the_second
from providers.faults.base import Asked, Edit, ProviderFaults, Quota, Reason, ReplyEditor, Wanted
from providers.faults.replies.anthropic_complete import CompletionEditor
from providers.faults.replies.anthropic_errors import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    REQUESTS,
    Failure,
    failure,
    limit_message,
    stream_event,
)
from providers.faults.replies.anthropic_messages import SseEditor, message_edit
from providers.wire import sse

_JSON: Header = (b"content-type", b"application/json")
_HTML: Header = (b"content-type", b"text/html; charset=UTF-8")
_MINUTE_S = 60
_LIMITS = frozenset({Reason.RATE_LIMIT, Reason.TOKEN_LIMIT, Reason.THROTTLING})

# What Cloudflare, before the service, answers by itself. Source: developers.cloudflare.com, 5xx errors, read November
# 2026; held by public issue reports for 502 and 520.
_EDGE_PAGES = {
    502: "Bad gateway",
    520: "Web server is returning an unknown error",
    521: "Web server is down",
    522: "Connection timed out",
    523: "Origin is unreachable",
    524: "A timeout occurred",
    525: "SSL handshake failed",
    526: "Invalid SSL certificate",
    527: "Railgun error",
    530: "Origin DNS error",
}
_PAGE = (
    "<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n"
    "<center><h1>{status} {title}</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
)


class AnthropicFaults(ProviderFaults):
    provider = "anthropic"

    def make_error(self, asked: Asked, wanted: Wanted) -> ErrorReply:
        """`code`: one of Anthropic's error types takes the type's place, any other is the `details.error_code`.

        502 and Cloudflare's own statuses are its pages, unless there are words or a code to be said.
        """
        status, reason, message, code, retry_after_s = wanted
        failed = failure(asked, status, reason, message, code)
        if failed.status == 413:
            return _too_large(asked, failed, retry_after_s)
        if failed.status in _EDGE_PAGES and reason is None and message is None and code is None:
            page = _PAGE.format(status=failed.status, title=_EDGE_PAGES[failed.status])
            return _edge_reply(asked, failed.status, _HTML, page.encode(), retry_after_s)
        headers: list[Header] = []
        if reason in _LIMITS or (reason is None and failed.status == 429):
            is_tokens = reason is Reason.TOKEN_LIMIT
            # When a bucket that refills all the time holds enough again.
            retry_after_s = retry_after_s if retry_after_s is not None else 8 if is_tokens else 2
            headers += _usual_limits(asked.now, max(_MINUTE_S, retry_after_s), is_tokens=is_tokens)
        return _reply(asked, failed, headers, retry_after_s)

    def limited(
        self, asked: Asked, quota: Quota, exceeded: Literal["requests", "tokens"], retry_after_s: float
    ) -> ErrorReply:
        limit = quota.limit_requests if exceeded == "requests" else quota.limit_tokens
        failed = failure(asked, 429, Reason.RATE_LIMIT, limit_message(asked.model, limit or 0, exceeded))
        # Never 0, for which the SDKs have a wait of their own.
        return _reply(asked, failed, self.quota_headers(quota, asked.now), max(1.0, retry_after_s))

    def quota_headers(self, quota: Quota, now: float) -> Sequence[Header]:
        headers: list[Header] = []
        if quota.limit_requests is not None:
            headers += _limit("requests", quota.limit_requests, quota.remaining_requests, now + quota.reset_requests_s)
        if quota.limit_tokens is not None:
            headers += _limit("tokens", quota.limit_tokens, quota.remaining_tokens, now + quota.reset_tokens_s)
        return headers

    def make_stream_error(self, asked: Asked, content_type: bytes, wanted: Wanted) -> bytes:
        status, reason, message, *_ = wanted
        if status is None and reason is None:
            reason = Reason.OVERLOADED
        return stream_event(failure(asked, status, reason, message), request_id_of(asked))

    def is_terminator(self, asked: Asked, event: bytes) -> bool:
        return is_terminator(event)

    def editor(self, asked: Asked, edit: Edit, content_type: bytes, text: str | None = None) -> ReplyEditor | None:
        operation = asked.call.operation
        flavor = operation.name if operation is not None else ""
        if flavor == "messages":
            return SseEditor(message_edit(edit, text))
        if flavor == "completions" and edit is not Edit.INVALID_TOOL_ARGUMENTS:
            return CompletionEditor(edit, text)
        return None


def is_terminator(event: bytes) -> bool:
    """Whether an event ends a message, or a legacy completion."""
    if b"message_stop" not in event and b"stop_reason" not in event:
        return False
    parsed = next(sse.events(event), None)
    body = parsed.object() if parsed is not None else {}
    kind = body.get("type")
    return kind == "message_stop" or (kind == "completion" and body.get("stop_reason") is not None)


def _reply(asked: Asked, failed: Failure, more: Sequence[Header], retry_after_s: float | None) -> ErrorReply:
    request_id = request_id_of(asked)
    status = failed.status
    # An account without money is not worth a retry; else what the SDKs would do of their own accord.
    is_retryable = status in (408, 409, 429) or status >= 500
    should_retry = is_retryable and failed.reason is not Reason.QUOTA
    body = orjson.dumps(error_body(failed.type, failed.message, request_id, failed.details))
    headers = (
        _JSON,
        *id_headers(request_id),
        *more,
        *_retry_after(retry_after_s),
        (b"x-should-retry", b"true" if should_retry else b"false"),
    )
    return ErrorReply(status, headers, body)


def _too_large(asked: Asked, failed: Failure, retry_after_s: float | None) -> ErrorReply:
    """The edge's: in the service's shape, but without an id, since the service never saw the request."""
    error: dict[str, object] = {"type": failed.type, "message": failed.message}
    if failed.details:
        error["details"] = failed.details
    return _edge_reply(asked, 413, _JSON, orjson.dumps({"error": error}), retry_after_s)


def _edge_reply(
    asked: Asked, status: int, content_type: Header, body: bytes, retry_after_s: float | None
) -> ErrorReply:
    ray = asked.request_id.replace("-", "")[:16].encode() + b"-IAD"
    headers = (content_type, *_retry_after(retry_after_s), (b"server", b"cloudflare"), (b"cf-ray", ray))
    return ErrorReply(status, headers, body)


def _retry_after(seconds: float | None) -> tuple[Header, ...]:
    return () if seconds is None else ((b"retry-after", b"%d" % math.ceil(seconds)),)


def _usual_limits(now: float, reset_s: float, *, is_tokens: bool) -> list[Header]:
    """The quota headers of an account that has sent too much in the last minute."""
    full, empty = now, now + reset_s
    left = 0 if is_tokens else INPUT_TOKENS
    tokens_reset = empty if is_tokens else full
    return [
        *_limit("requests", REQUESTS, REQUESTS - 1 if is_tokens else 0, full + 2 if is_tokens else empty),
        *_limit("input-tokens", INPUT_TOKENS, left, tokens_reset),
        *_limit("output-tokens", OUTPUT_TOKENS, OUTPUT_TOKENS, full),
        *_limit("tokens", INPUT_TOKENS + OUTPUT_TOKENS, left + OUTPUT_TOKENS, tokens_reset),
    ]


def _limit(unit: str, limit: int, remaining: int, reset_at: float) -> list[Header]:
    values = (
        ("limit", str(limit)),
        ("remaining", str(remaining)),
        ("reset", written_to_the_second(math.ceil(reset_at))),
    )
    return [(f"anthropic-ratelimit-{unit}-{what}".encode(), value.encode()) for what, value in values]


FAULTS = AnthropicFaults()
