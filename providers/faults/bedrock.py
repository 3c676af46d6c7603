"""How Bedrock fails: exceptions by type in replies and inside event streams, no quota headers, and spoilt replies of
Converse and of the models' own bodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

import orjson

from providers.base import ErrorReply, Header
from providers.faults.base import Asked, Edit, ProviderFaults, Quota, Reason, ReplyEditor, Wanted
from providers.faults.registry import get_faults
from providers.faults.replies.bedrock_converse import ConverseEditor, read_frame
from providers.faults.replies.bedrock_invoke import InvokeEditor, ends_stream
from providers.wire import event_stream
from providers.wire.aws import bearer_token
from providers.wire.bedrock_errors import USUAL, WORDS, error_type

_VALIDATION = "ValidationException"
_THROTTLING = "ThrottlingException"
_ACCESS = "AccessDeniedException"

# Source: bedrock-runtime service-2.json (botocore 1.44.5) for types and statuses; the wordings as users quote them in
# public issue reports ("Too many connections" is the 503 of an overloaded model); read November 2026.
_REASONS: Mapping[Reason, tuple[int, str, str]] = {
    Reason.RATE_LIMIT: (429, _THROTTLING, WORDS[_THROTTLING]),
    Reason.TOKEN_LIMIT: (429, _THROTTLING, "Too many tokens, please wait before trying again."),
    Reason.THROTTLING: (429, _THROTTLING, WORDS[_THROTTLING]),
    Reason.QUOTA: (400, "ServiceQuotaExceededException", WORDS["ServiceQuotaExceededException"]),
    Reason.OVERLOADED: (503, "ServiceUnavailableException", "Too many connections, please wait before trying again."),
    Reason.SERVER_ERROR: (500, *USUAL[500]),
    Reason.UNAVAILABLE: (503, *USUAL[503]),
    Reason.TIMEOUT: (408, *USUAL[408]),
    Reason.INVALID_KEY: (403, *USUAL[401]),
    Reason.PERMISSION_DENIED: (403, *USUAL[403]),
    Reason.MODEL_NOT_FOUND: (400, _VALIDATION, "The provided model identifier is invalid."),
    Reason.CONTEXT_LENGTH: (400, _VALIDATION, "Input is too long for requested model."),
    Reason.CONTENT_FILTER: (400, _VALIDATION, "Output blocked by content filtering policy"),
    Reason.INVALID_REQUEST: (400, *USUAL[400]),
    Reason.REQUEST_TOO_LARGE: (413, *USUAL[413]),
}
# Where the service has another type for the same thing under another status.
_UNDER_STATUS: Mapping[tuple[Reason, int], tuple[str, str]] = {
    (Reason.QUOTA, 429): (_THROTTLING, "Too many tokens per day, please wait before trying again."),
    (Reason.MODEL_NOT_FOUND, 404): USUAL[404],
}
_OF_THE_MODEL = frozenset({Reason.CONTEXT_LENGTH, Reason.CONTENT_FILTER})
_BAD_KEY = "Authentication failed: Please make sure your API Key is valid."
_BAD_TOKEN = "Invalid bearer token"

# Source: bedrock-runtime service-2.json (botocore 1.44.5), ResponseStream and ConverseStreamOutput.
_IN_STREAM: Mapping[str, str] = {
    "InternalServerException": "internalServerException",
    "ModelErrorException": "modelStreamErrorException",
    "ModelStreamErrorException": "modelStreamErrorException",
    "ModelTimeoutException": "modelTimeoutException",
    "ServiceUnavailableException": "serviceUnavailableException",
    _THROTTLING: "throttlingException",
    _VALIDATION: "validationException",
}
_VENDORS = {"messages": "anthropic", "chat": "openai", "responses": "openai"}  # whose dialect a flavor of ours is
_CONVERSE = frozenset({"converse", "converse_stream"})
_INVOKE = frozenset({"invoke", "invoke_stream"})


class BedrockFaults(ProviderFaults):
    """The runtime and its neighbours; below the paths of other vendors, their dialects in Bedrock's headers."""

    provider = "bedrock"

    def make_error(self, asked: Asked, wanted: Wanted) -> ErrorReply:
        """`code` is the type ("ModelNotReadyException"): that is what SDKs choose their class by. A status without a
        type of its own gets none, so that boto3's code is the status."""
        status, reason, message, code, retry_after_s = wanted
        status, type, words = _chosen(asked, status, reason)
        if code is not None:
            type, words = code, WORDS.get(code, words)
        is_of_the_door = reason is Reason.INVALID_KEY
        headers = [(b"content-type", b"application/json"), (b"x-amzn-requestid", asked.request_id.encode("ascii"))]
        if type:
            headers.append((b"x-amzn-errortype", error_type(type, is_of_the_door=is_of_the_door)))
        if retry_after_s is not None:
            headers += _waits(retry_after_s)
        said = words if message is None else message
        vendor = _vendor_of(asked)
        if vendor is not None:
            told = get_faults(vendor).error(asked, status=status, reason=reason, message=said, code=code)
            if told.body.startswith(b"{"):  # else a page of what stands before the vendor's own service
                return ErrorReply(status, tuple(headers), told.body)
        # The checks of IAM and of API keys write a capital letter, those of signatures and the service do not.
        name = "Message" if is_of_the_door and type == _ACCESS else "message"
        body: dict[str, Any] = {name: said}
        if type == "ModelErrorException":
            body |= {"originalStatusCode": 500, "resourceName": asked.model or asked.call.model or ""}
        return ErrorReply(status, tuple(headers), orjson.dumps(body))

    def limited(
        self, asked: Asked, quota: Quota, exceeded: Literal["requests", "tokens"], retry_after_s: float
    ) -> ErrorReply:
        reason = Reason.RATE_LIMIT if exceeded == "requests" else Reason.TOKEN_LIMIT
        return self.error(asked, reason=reason, retry_after_s=retry_after_s)

    def quota_headers(self, quota: Quota, now: float) -> Sequence[Header]:
        """None: Bedrock says nothing of what is left."""
        return ()

    def make_stream_error(self, asked: Asked, content_type: bytes, wanted: Wanted) -> bytes:
        """An exception frame of a type that the stream's model knows: what has none there gets the one that comes
        nearest. By itself: the model's failure to go on."""
        status, reason, message, *_ = wanted
        vendor = _VENDORS.get(_flavor(asked))
        if vendor is not None:
            faults = get_faults(vendor)
            return faults.stream_error(asked, content_type, status=status, reason=reason, message=message)
        if status is None and reason is None:
            status, type, words = 424, "ModelStreamErrorException", WORDS["ModelStreamErrorException"]
        else:
            status, type, words = _chosen(asked, status, reason)
        name = _IN_STREAM.get(type) or ("validationException" if status < 500 else "internalServerException")
        if name == "modelTimeoutException" and _flavor(asked) != "invoke_stream":
            name = "modelStreamErrorException"
        body: dict[str, Any] = {"message": words if message is None else message}
        if name == "modelStreamErrorException":
            body |= {"originalStatusCode": 500 if status == 424 else status, "originalMessage": body["message"]}
        return event_stream.build_exception(name, orjson.dumps(body))

    def is_terminator(self, asked: Asked, event: bytes) -> bool:
        """`messageStop` and the `metadata` after it, of InvokeModel the chunk with the metrics; else the vendor's."""
        flavor = _flavor(asked)
        if flavor in _VENDORS:
            return get_faults(_VENDORS[flavor]).is_terminator(asked, event)
        name, payload = read_frame(event) or ("", {})
        return ends_stream(payload) if name == "chunk" else name in ("messageStop", "metadata")

    def editor(self, asked: Asked, edit: Edit, content_type: bytes, text: str | None = None) -> ReplyEditor | None:
        flavor = _flavor(asked)
        if flavor in _CONVERSE:
            return ConverseEditor(edit, text)
        if flavor in _INVOKE:
            return InvokeEditor(edit, text)
        if flavor in _VENDORS:
            return get_faults(_VENDORS[flavor]).editor(asked, edit, content_type, text)
        return None


def _chosen(asked: Asked, status: int | None, reason: Reason | None) -> tuple[int, str, str]:
    """Status, type ("" for none) and usual words."""
    if reason is None:
        found = 500 if status is None else status
        type, words = USUAL.get(found) or ("", _phrase(found))
        return found, type, words
    usual, type, words = _REASONS[reason]
    if status is not None:
        type, words = _UNDER_STATUS.get((reason, status), (type, words))
    if reason is Reason.INVALID_KEY:
        if _vendor_of(asked) is not None:
            usual, words = 401, _BAD_TOKEN
        elif bearer_token((asked.headers or {}).get(b"authorization", b"")):
            type, words = _ACCESS, _BAD_KEY
    elif reason in _OF_THE_MODEL and _flavor(asked) in _CONVERSE:
        words = f"The model returned the following errors: {words}"
    return usual if status is None else status, type, words


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"The request failed with status {status}"


def _waits(seconds: float) -> list[Header]:
    """A wait as each client looks for it: Bedrock sends none by itself.

    Source: botocore/retries/standard.py (1.44.5) reads the one in milliseconds, Anthropic's clients the one in seconds,
    the AWS SDK for JavaScript (3.1163.0) the first it meets of both.
    """
    milliseconds = max(0, round(seconds * 1000))
    return [
        (b"x-amz-retry-after", b"%d" % milliseconds),
        (b"retry-after", b"%d" % -(-milliseconds // 1000)),
    ]


def _vendor_of(asked: Asked) -> str | None:
    """Whose words the errors of a path are in; None for Bedrock's own."""
    path = asked.call.path
    return "anthropic" if path.startswith(b"/anthropic/") else "openai" if path.startswith(b"/openai/") else None


def _flavor(asked: Asked) -> str:
    return asked.call.operation.flavor if asked.call.operation is not None else ""


FAULTS = BedrockFaults()
