"""The one error of the data plane: what went wrong on the way to or from an upstream."""

from __future__ import annotations

from enum import StrEnum


class ErrorKind(StrEnum):
    """Why an exchange failed; the value is what a log record's `error_kind` shows."""

    # the upstream, before its reply's head
    UNREACHABLE = "unreachable"  # no connection: name not found, refused, network down
    NO_ANSWER = "no_answer"  # the connection was closed or reset before a reply
    TLS = "tls"
    PROTOCOL = "protocol"  # what came back is not HTTP
    TIMEOUT = "timeout"  # connect, read, write or pool time-out
    ADDRESS_REFUSED = "address_refused"  # the upstream address policy forbids it
    LOOP = "loop"  # the proxy is its own upstream
    NO_CREDENTIALS = "no_credentials"  # nothing to sign with
    # the upstream, after its reply's head
    UPSTREAM_CUT = "upstream_cut"
    # an upstream that answered, with a status >= 400
    UPSTREAM_STATUS = "upstream_status"
    # the client
    CLIENT_LEFT = "client_left"
    BODY_TOO_LARGE = "body_too_large"
    BODY_TIMEOUT = "body_timeout"
    BAD_REQUEST = "bad_request"
    # ourselves
    NO_RECORDING = "no_recording"  # replay mode and no recording matches
    NO_UPSTREAM = "no_upstream"
    INTERNAL = "internal"


class UpstreamError(Exception):
    """An upstream that could not be reached or broke off.

    `kind` says why in one word, `message` in our own words (never text from a body, never a credential),
    `is_retryable` whether another attempt may help; `source` is who failed: "upstream", "client" or "internal".
    """

    def __init__(self, kind: ErrorKind, message: str, *, is_retryable: bool, source: str = "upstream") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.is_retryable = is_retryable
        self.source = source
