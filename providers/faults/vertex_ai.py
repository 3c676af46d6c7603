"""How Vertex AI and the Gemini API fail: Google's errors, Claude's in Anthropic's words, and spoilt replies of the
three dialects they speak."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import orjson

from providers.base import Call, ErrorReply, Header
from providers.emulated.base import EmulatedReply
from providers.emulated.dialects import google_errors, vertex_claude_errors
from providers.emulated.dialects.google_errors import is_gemini
from providers.faults import anthropic
from providers.faults.base import Asked, Edit, ProviderFaults, Quota, Reason, ReplyEditor, Wanted
from providers.faults.replies import anthropic_errors
from providers.faults.replies.anthropic_messages import SseEditor, message_edit
from providers.faults.replies.gemini import GeminiEditor, ends_stream
from providers.faults.replies.gemini_interactions import InteractionEditor
from providers.faults.replies.google_errors import Failure, failure, quota_failure, with_wait
from providers.faults.replies.openai_chat import ChatEditor
from providers.wire import sse

_USUAL_WAIT_S = 34.0

# What Google's front end answers by itself, in HTML. Source: its error pages, read November 2026.
_FRONT_END: Mapping[int, tuple[str, str]] = {
    408: ("Request Timeout", "Your client has taken too long to issue its request."),
    411: ("Length Required", "<code>POST</code> requests require a <code>Content-length</code> header."),
    413: ("Request Entity Too Large", "Your client issued a request that was too large."),
    414: ("Request-URI Too Large", "The requested URL is too large to process."),
    502: (
        "Server Error",
        "The server encountered a temporary error and could not complete your request.<p>Please try again in 30 "
        "seconds.",
    ),
}

# What Claude's own service answers; all else is Google's, who stands before it. The prompt's length is found there, and
# under another status than Anthropic's. Source: public issue reports, read November 2026.
_CLAUDES_STATUSES = frozenset({400, 422, 500, 529})
_CLAUDES_REASONS = frozenset(
    {
        Reason.OVERLOADED,
        Reason.SERVER_ERROR,
        Reason.CONTEXT_LENGTH,
        Reason.CONTENT_FILTER,
        Reason.INVALID_REQUEST,
    }
)


class VertexAIFaults(ProviderFaults):
    provider = "vertex_ai"

    def make_error(self, asked: Asked, wanted: Wanted) -> ErrorReply:
        """`code`: one of google.rpc.Code takes the place of the status' name, any other is the reason of an ErrorInfo;
        for Claude's own errors as Anthropic's.

        A wait is told in a RetryInfo and, if it was asked for, in `retry-after`: the OpenAI and Anthropic clients look
        nowhere else.
        """
        status, reason, message, code, retry_after_s = wanted
        if _is_claudes(asked.call, status, reason):
            return _with_retry_after(_claude_error(asked, status, reason, message, code), retry_after_s)
        page = _FRONT_END.get(status) if status is not None else None
        if status is not None and page and reason is None and message is None and code is None:
            return _with_retry_after(google_errors.html_error(status, *page), retry_after_s)
        failed = failure(asked, status, reason, message, code)
        is_limit = reason in (Reason.RATE_LIMIT, Reason.TOKEN_LIMIT, Reason.THROTTLING)
        if retry_after_s is not None:
            failed = with_wait(failed, retry_after_s, is_told=is_limit and message is None and _is_told(asked))
        elif is_limit and is_gemini(asked.call.path):
            failed = with_wait(failed, _USUAL_WAIT_S, is_told=message is None)
        return _google_reply(asked, failed, retry_after_s)

    def limited(
        self, asked: Asked, quota: Quota, exceeded: Literal["requests", "tokens"], retry_after_s: float
    ) -> ErrorReply:
        is_tokens = exceeded == "tokens"
        failed = quota_failure(asked, quota.limit_tokens if is_tokens else quota.limit_requests, is_tokens=is_tokens)
        wait_s = max(1.0, retry_after_s)
        return _google_reply(asked, with_wait(failed, wait_s, is_told=_is_told(asked)), wait_s)

    def quota_headers(self, quota: Quota, now: float) -> Sequence[Header]:
        """None: Google tells nobody."""
        return ()

    def make_stream_error(self, asked: Asked, content_type: bytes, wanted: Wanted) -> bytes:
        status, reason, message, *_ = wanted
        if status is None and reason is None:
            reason = Reason.OVERLOADED
        if _is_claude(asked.call):
            failed = anthropic_errors.failure(asked, status, reason, message)
            return anthropic_errors.stream_event(failed, vertex_claude_errors.request_id_of(asked))
        # What Google says in a stream is what it says before one; only the framing is another.
        body = orjson.loads(_google_reply(asked, failure(asked, status, reason, message), None).body)
        error = body[0] if isinstance(body, list) else body
        if _name(asked.call).startswith("interactions."):
            return sse.encode(orjson.dumps(error | {"event_type": "error"}), "error")
        return b"data: " + orjson.dumps(error) + b"\r\n\r\n"

    def is_terminator(self, asked: Asked, event: bytes) -> bool:
        if _is_claude(asked.call):
            return anthropic.is_terminator(event)
        name = _name(asked.call)
        if name.startswith("generate_content"):
            return ends_stream(event)
        if name.startswith("interactions."):
            parsed = next(sse.events(event), None)
            return parsed is not None and parsed.name in ("interaction.completed", "interaction.complete", "done")
        return b"data: [DONE]" in event

    def editor(self, asked: Asked, edit: Edit, content_type: bytes, text: str | None = None) -> ReplyEditor | None:
        name = _name(asked.call)
        if name.startswith("generate_content"):
            return GeminiEditor(edit, text)
        if name.startswith("raw_predict") and _is_claude(asked.call):
            return SseEditor(message_edit(edit, text))
        if name == "interactions.create":
            return InteractionEditor(edit, text)
        if name == "chat.completions" or name.startswith("raw_predict"):
            return ChatEditor(edit, text)
        return None


def _name(call: Call) -> str:
    return call.operation.name if call.operation is not None else ""


def _is_claude(call: Call) -> bool:
    return b"/publishers/anthropic/" in call.path and _name(call).startswith(("raw_predict", "messages."))


def _is_claudes(call: Call, status: int | None, reason: Reason | None) -> bool:
    if not _is_claude(call):
        return False
    return status in _CLAUDES_STATUSES if reason is None else reason in _CLAUDES_REASONS


def _claude_error(
    asked: Asked, status: int | None, reason: Reason | None, message: str | None, code: str | None
) -> EmulatedReply:
    if reason is Reason.CONTEXT_LENGTH:
        status, message = status or 413, "Prompt is too long" if message is None else message
    failed = anthropic_errors.failure(asked, status, reason, message, code)
    return vertex_claude_errors.error_reply(
        asked, failed.status, failed.message, type=failed.type, details=failed.details
    )  # fmt: skip


def _is_told(asked: Asked) -> bool:
    """Whether words about a limit end with the wait: the Gemini API's do."""
    return is_gemini(asked.call.path)


def _google_reply(asked: Asked, failed: Failure, retry_after_s: float | None) -> ErrorReply:
    status, message = failed.status, failed.message
    reply = google_errors.error_reply(asked, status, message, name=failed.name, details=failed.details)
    return _with_retry_after(reply, retry_after_s)


def _with_retry_after(reply: EmulatedReply, seconds: float | None) -> ErrorReply:
    headers = tuple(reply.headers)
    if seconds is not None:
        headers += ((b"retry-after", b"%d" % math.ceil(seconds)),)
    return ErrorReply(reply.status, headers, _body(reply))


def _body(reply: EmulatedReply) -> bytes:
    assert isinstance(reply.body, bytes)
    return reply.body


FAULTS = VertexAIFaults()
