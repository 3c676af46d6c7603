"""Claude on Vertex AI: Anthropic's messages in rawPredict and streamRawPredict, the model in the path.

Source: anthropic 2.12.0 `lib/vertex/_client.py`, and replies quoted in public issue reports, read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from providers.emulated.acting import count_input
from providers.emulated.base import EmulatedReply, EmulatedRequest, Refused
from providers.emulated.desk import Desk
from providers.emulated.dialects.anthropic_errors import ErrorShape
from providers.emulated.dialects.anthropic_events import message_events, sse_frames
from providers.emulated.dialects.anthropic_messages import (
    MessageRequest,
    message_reply,
    read_json,
    read_message_request,
)
from providers.emulated.dialects.anthropic_models import is_known
from providers.emulated.dialects.google_errors import EVENTS, refuse
from providers.emulated.dialects.vertex_claude_errors import JSON, error_reply, headers

# The second is what anthropic 2.x sends, the first what came before.
_VERSIONS = ("vertex-2023-10-16", "2026-10-21")


class VertexShape(ErrorShape):
    """Anthropic's error body in Google's headers; a model that is not there is Google's own error."""

    __slots__ = ("_request",)
    id_mark = "vrtx_"

    def __init__(self, request: EmulatedRequest) -> None:
        self._request = request

    def refuse(
        self, status: int, message: str, *, type: str | None = None, details: Mapping[str, Any] | None = None
    ) -> Refused:
        return Refused(error_reply(self._request, status, message, type=type, details=details))


def answer_claude(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """rawPredict and streamRawPredict. Raises Refused, CannedFailure."""
    shape = VertexShape(request)
    body = read_json(request.body, shape)
    asked = _read(request, desk, shape, body, request.call.model or "")
    operation = request.call.operation
    streams_unasked = operation is not None and operation.name == "raw_predict.stream"
    asked.is_streaming = body.get("stream") is True or (streams_unasked and body.get("stream") is not False)
    answer = desk.answer(asked.question)
    if asked.is_streaming:
        frames = sse_frames(message_events(answer, asked))
        return EmulatedReply(
            200, headers(request, EVENTS), frames, delay_s=answer.delay_s, is_repeatable=answer.is_repeatable
        )
    delay_s = answer.whole_delay_s
    data = orjson.dumps(message_reply(answer, asked))
    return EmulatedReply(
        200, headers(request, JSON), data, answer.output_tokens, delay_s, answer.is_repeatable
    )  # fmt: skip


def count_claude_tokens(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """`count-tokens:rawPredict`, the model in the body. Raises Refused, CannedFailure."""
    shape = VertexShape(request)
    body = read_json(request.body, shape)
    model = body.pop("model", None)
    if not isinstance(model, str) or not model:
        raise shape.refuse(400, "model: Field required")
    asked = _read(request, desk, shape, {"anthropic_version": _VERSIONS[0]} | body, model, is_counting=True)
    is_repeatable = desk.intercept(asked.question)
    data = orjson.dumps({"input_tokens": count_input(asked.question)})
    return EmulatedReply(200, headers(request, JSON), data, is_repeatable=is_repeatable)


def _read(
    request: EmulatedRequest,
    desk: Desk,
    shape: VertexShape,
    body: dict[str, Any],
    model: str,
    *,
    is_counting: bool = False,
) -> MessageRequest:
    own_name = model.replace("@", "-")
    if desk.is_strict and not is_known(own_name):
        raise refuse(
            request,
            f"Publisher Model `publishers/anthropic/models/{model[:256]}` was not found or your project does not have "
            "access to it. Please ensure you are using a valid model version.",
            404,
        )
    if "model" in body:
        raise shape.refuse(400, "model: Extra inputs are not permitted")
    version = body.get("anthropic_version")
    if version is None:
        raise shape.refuse(400, "anthropic_version: Field required")
    if version not in _VERSIONS:
        raise shape.refuse(400, f"anthropic_version: Input should be '{_VERSIONS[0]}' or '{_VERSIONS[1]}'")
    operation = request.call.operation
    name = "" if operation is None else operation.name
    return read_message_request(
        body, shape=shape, operation=name, model=own_name, version=version, is_counting=is_counting
    )
