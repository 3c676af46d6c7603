"""What services that speak OpenAI's dialect say when they refuse, and the heads of their replies.

A dialect module raises `Invalid`, which knows no service; the service's `Shape` makes the reply of it:

    answer_chat(request, desk, shape=SHAPE)      Invalid -> SHAPE.error(request, invalid) -> EmulatedReply
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from providers.base import Header
from providers.emulated.base import EmulatedReply, EmulatedRequest, Frame, digest_of
from providers.emulated.desk import Desk
from providers.emulated.question import Question, Turn
from providers.wire.openai_errors import UNPARSABLE, go_duration, no_model, reply_head, usual

JSON: Header = (b"content-type", b"application/json")
EVENT_STREAM: Header = (b"content-type", b"text/event-stream; charset=utf-8")


class Invalid(Exception):
    """A request that is refused. `param` names the member it is about, as `messages[0].role`."""

    def __init__(
        self,
        message: str,
        param: str | None = None,
        code: str | None = None,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status
        self.type = type


def missing(param: str) -> Invalid:
    return Invalid(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")


def wrong_type(param: str, expected: str, value: Any) -> Invalid:
    """`expected`: "a string", "an array of objects", "one of a string or array of strings"."""
    return Invalid(
        f"Invalid type for '{param}': expected {expected}, but got {_kind(value)} instead.", param, "invalid_type"
    )


def unsupported_value(param: str, value: object, supported: Sequence[str]) -> Invalid:
    """A text that is not one of those allowed."""
    quoted = [f"'{name}'" for name in supported]
    listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
    if len(quoted) == 2:
        listed = " and ".join(quoted)
    return Invalid(f"Invalid value: '{value}'. Supported values are: {listed}.", param, "invalid_value")


def missing_model(model: str) -> Invalid:
    """What is said to a model that there is not."""
    return Invalid(no_model(model), None, "model_not_found", status=404)


def not_emulated(name: str) -> Invalid:
    """For operations the provider has and its emulation has not."""
    return Invalid(
        f"Rubberduck's emulation does not answer '{name}'; point the proxy at the provider itself to use it.",
        None,
        "not_emulated",
        status=404,
    )


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a decimal"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object a body is. Raises Invalid."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Invalid(UNPARSABLE) from None
    if not isinstance(value, dict):
        raise Invalid(UNPARSABLE)
    return value


def digest(body: Mapping[str, Any], *context: str) -> bytes:
    """`digest_of`, for any body a client can send. Raises Invalid when it is nested deeper than can be written."""
    try:
        return digest_of(body, *context)
    except orjson.JSONEncodeError:
        raise Invalid(UNPARSABLE) from None


def intercept(desk: Desk, operation: str, model: str, request: EmulatedRequest, prompt: str = "") -> bool:
    """Lets a canned reply take the place of one that is not prose: `Desk.intercept`."""
    turns = [Turn("user", prompt)] if prompt else []
    return desk.intercept(Question(operation, model, b"", turns))


class Shape:
    """What differs between the services: error bodies, reply headers, model names, and how strictly bodies are read.

    This one is OpenAI's own, but for its models. `is_lenient`: members and values that only OpenAI's own models know or
    refuse are let through. `filters_content`: replies carry Azure's content filter results. `obfuscates`: chunks of
    streams are padded.
    """

    is_lenient = False
    filters_content = False
    obfuscates = False

    def error(self, request: EmulatedRequest, invalid: Invalid) -> EmulatedReply:
        body = {
            "error": {
                "message": invalid.message,
                "type": invalid.type,
                "param": invalid.param,
                "code": invalid.code,
            }
        }
        return EmulatedReply(invalid.status, self.headers(request), dump(body))

    def usual_error(
        self, request: EmulatedRequest, status: int, message: str | None, type: str | None, code: str | None
    ) -> EmulatedReply:
        """The reply with a status; None: what the service usually says with it."""
        said, kind, own_code = usual(status)
        reply = self.error(
            request,
            Invalid(
                message or said,
                None,
                code or (own_code if message is None or status == 429 else None),
                status=status,
                type=type or kind,
            ),
        )
        if status == 429:
            reply.headers = [*reply.headers, (b"retry-after", b"20"), (b"retry-after-ms", b"20000")]
        return reply

    def headers(self, request: EmulatedRequest, tokens: int | None = None, content_type: Header = JSON) -> list[Header]:
        """The head of a reply. `tokens`: how many it counts for in the rate limit; None: it does not count."""
        head = [content_type, *reply_head(request.request_id)]
        if tokens is not None:
            used = min(tokens, _TOKENS_PER_MINUTE)
            head += (
                (b"x-ratelimit-limit-requests", b"10000"),
                (b"x-ratelimit-limit-tokens", b"%d" % _TOKENS_PER_MINUTE),
                (b"x-ratelimit-remaining-requests", b"9999"),
                (b"x-ratelimit-remaining-tokens", b"%d" % (_TOKENS_PER_MINUTE - used)),
                (b"x-ratelimit-reset-requests", b"6ms"),
                (b"x-ratelimit-reset-tokens", go_duration(used * 60_000 // _TOKENS_PER_MINUTE)),
            )
        return head

    def model(self, request: EmulatedRequest, name: str) -> str:
        """The model as replies name it."""
        return name

    def unfit(self, operation: str, model: str, invalid: Invalid) -> Invalid:
        """What is said to an operation that the model is not made for. `invalid`: what OpenAI says."""
        return invalid

    def check_model(self, desk: Desk, name: str) -> None:
        """Raises Invalid for a model that a strict service does not have."""


_TOKENS_PER_MINUTE = 2_000_000


def dump(value: Any) -> bytes:
    """JSON bytes of a reply, which may hold what a client sent."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # it writes fewer levels than it reads
        return json.dumps(value, separators=(",", ":")).encode()


def stream_reply(
    shape: Shape, request: EmulatedRequest, frames: list[Frame], tokens: int | None, *, is_repeatable: bool = True
) -> EmulatedReply:
    """A streamed reply; `tokens` as in `Shape.headers`."""
    return EmulatedReply(200, shape.headers(request, tokens, EVENT_STREAM), frames, is_repeatable=is_repeatable)
