"""How a provider fails: the value types of its errors, quotas and spoilt replies, and the interface each provider's
module in this package implements.

Pure like all of `providers`: the clock's reading and the request's id are values of `Asked`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal, NamedTuple, Protocol

from providers.base import Call, ErrorReply, Header


class Reason(StrEnum):
    """A failure people know by name. Every provider has each of them: its own reply where there is one, else the one
    that comes nearest."""

    RATE_LIMIT = "rate_limit"  # too many requests
    TOKEN_LIMIT = "token_limit"  # too many tokens
    THROTTLING = "throttling"  # Bedrock's word for both; elsewhere as rate_limit
    QUOTA = "quota"  # nothing left to spend
    OVERLOADED = "overloaded"  # 529 at Anthropic, 503 elsewhere
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    INVALID_KEY = "invalid_key"
    PERMISSION_DENIED = "permission_denied"
    MODEL_NOT_FOUND = "model_not_found"
    CONTEXT_LENGTH = "context_length"
    CONTENT_FILTER = "content_filter"
    INVALID_REQUEST = "invalid_request"
    REQUEST_TOO_LARGE = "request_too_large"


class Edit(StrEnum):
    """What a semantic fault makes of a reply that arrives in one piece."""

    REFUSAL = "refusal"  # the model declines, the way this dialect says so
    LENGTH = "length"  # the answer stops short, as if max_tokens had been reached
    INVALID_TOOL_ARGUMENTS = "invalid_tool_arguments"  # the arguments of a tool call are not what they should be
    EMPTY_CONTENT = "empty_content"  # a successful answer without content


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that is failed. `headers`: lower-case names, several fields of one name joined by a comma. `now`:
    seconds since the epoch. `request_id`: a UUID of this one request. `model`: "" when none is known. `events_sent`: of
    a stream that has begun, for dialects that number their events."""

    call: Call
    request_id: str
    now: float
    model: str = ""
    is_streaming: bool = False
    query: bytes = b""
    headers: Mapping[bytes, bytes] | None = None
    events_sent: int = 0


@dataclass(frozen=True, slots=True)
class Quota:
    """What a rate limit leaves to one client. A limit of None: there is none of that sort, and nothing is said of it.

    `reset_..._s`: seconds until all of it is there again.
    """

    limit_requests: int | None = None
    remaining_requests: int = 0
    reset_requests_s: float = 0.0
    limit_tokens: int | None = None
    remaining_tokens: int = 0
    reset_tokens_s: float = 0.0


class Wanted(NamedTuple):
    """Which failure is asked for. Of a whole reply, at least one of `status` (400 to 599; one the provider does not
    document gets its generic shape) and `reason` is given; with both, the reply for the reason under that status.

    `message` and `code` replace the usual ones. `retry_after_s` None: what the provider usually says, which may be
    nothing; 0 or more: that, in its own headers.
    """

    status: int | None = None
    reason: Reason | None = None
    message: str | None = None
    code: str | None = None
    retry_after_s: float | None = None


class ReplyEditor(Protocol):
    """Edits one reply, whole or event by event. `has_edited` says whether anything was changed so far."""

    has_edited: bool

    def whole(self, body: bytes) -> bytes | None:
        """The edited body of a reply that is not a stream; None when there is nothing in it to edit."""
        ...

    def event(self, event: bytes) -> Sequence[bytes]:
        """What to send in the place of one whole event of a stream (framing included), in order; empty: nothing."""
        ...

    def finish(self) -> Sequence[bytes]:
        """Events still to be sent when the stream has ended cleanly."""
        ...


class ProviderFaults(ABC):
    """One provider, failing. One module in `providers/faults/` holds one subclass and `FAULTS = Subclass()`. Holds no
    state."""

    provider: ClassVar[str]
    """The provider's id."""

    def error(
        self,
        asked: Asked,
        *,
        status: int | None = None,
        reason: Reason | None = None,
        message: str | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
    ) -> ErrorReply:
        """The provider's genuine error reply: body, headers and request id as it sends them. See `Wanted`."""
        return self.make_error(asked, Wanted(status, reason, message, code, retry_after_s))

    @abstractmethod
    def make_error(self, asked: Asked, wanted: Wanted) -> ErrorReply:
        """What `error` gives."""

    @abstractmethod
    def limited(
        self, asked: Asked, quota: Quota, exceeded: Literal["requests", "tokens"], retry_after_s: float
    ) -> ErrorReply:
        """The reply to a request over the proxy's own limit: the provider's 429 with the limit's numbers and the wait
        in its own headers and words, quota headers included."""

    @abstractmethod
    def quota_headers(self, quota: Quota, now: float) -> Sequence[Header]:
        """The headers by which the provider tells a client what is left; empty when it has none."""

    def stream_error(
        self,
        asked: Asked,
        content_type: bytes,
        *,
        status: int | None = None,
        reason: Reason | None = None,
        message: str | None = None,
    ) -> bytes:
        """The error as it is told inside a stream that has begun, framed for the stream's content type (SSE or AWS
        event stream). Without status and reason: what a provider says mostly."""
        return self.make_stream_error(asked, content_type, Wanted(status, reason, message))

    @abstractmethod
    def make_stream_error(self, asked: Asked, content_type: bytes, wanted: Wanted) -> bytes:
        """What `stream_error` gives."""

    @abstractmethod
    def is_terminator(self, asked: Asked, event: bytes) -> bool:
        """Whether a whole event (framing included) is the one, or one of those, by which a stream of this call says
        that it is complete."""

    @abstractmethod
    def editor(self, asked: Asked, edit: Edit, content_type: bytes, text: str | None = None) -> ReplyEditor | None:
        """An editor for one successful reply to this call; None when the call's replies have nothing of the kind.

        `content_type`: the reply's. `text`: the words of a refusal, None for usual ones.
        """
