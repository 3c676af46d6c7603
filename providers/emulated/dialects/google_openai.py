"""The OpenAI-compatible routes of Vertex AI and of the Gemini API, and other publishers' models in rawPredict.

Source: the OpenAI compatibility guides of both services, read November 2026.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from providers.base import Header
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.gemini_embeddings import default_size
from providers.emulated.dialects.gemini_models import is_known, known_names
from providers.emulated.dialects.google_errors import EVENTS, JSON, error_reply, headers, is_gemini, json_reply, refuse
from providers.emulated.dialects.openai_chat import answer_chat
from providers.emulated.dialects.openai_embeddings import answer_embeddings
from providers.emulated.dialects.openai_errors import Invalid, Shape, missing_model, read_object
from providers.emulated.dialects.openai_images import answer_images


class GoogleShape(Shape):
    """Google's error bodies and headers around OpenAI's replies."""

    is_lenient = True

    def error(self, request: EmulatedRequest, invalid: Invalid) -> EmulatedReply:
        return error_reply(request, invalid.status, invalid.message)

    def headers(
        self, request: EmulatedRequest, tokens: int | None = None, content_type: Header = JSON
    ) -> list[Header]:  # fmt: skip
        is_stream = content_type[1].startswith(b"text/event-stream")
        return headers(request, EVENTS if is_stream else content_type)

    def check_model(self, desk: Desk, name: str) -> None:
        """Only Google's own: other publishers' models are many."""
        publisher, _, own_name = name.rpartition("/")
        if desk.is_strict and publisher in ("", "google", "models") and not is_known(own_name):
            raise missing_model(name)


class PublishedShape(GoogleShape):
    """For other publishers' models, of which none is unknown."""

    def check_model(self, desk: Desk, name: str) -> None:
        return


SHAPE = GoogleShape()
_PUBLISHED = PublishedShape()


def chat(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    return _answered(request, desk, answer_chat)


def embeddings(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """As long as Google's own, if the request does not say how long."""
    try:
        body = read_object(request.body)
    except Invalid as invalid:
        return SHAPE.error(request, invalid)
    model = body.get("model")
    if body.get("dimensions") is None and isinstance(model, str):
        body["dimensions"] = default_size(model.rpartition("/")[2])
    return _answered(_with_body(request, body), desk, answer_embeddings)


def images(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    return _answered(request, desk, answer_images)


def answer_published(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """rawPredict of Mistral, Llama and others: chat completions, the model in the path."""
    operation = request.call.operation
    try:
        body = read_object(request.body)
    except Invalid as invalid:
        return SHAPE.error(request, invalid)
    if operation is not None and operation.name == "raw_predict.stream" and body.get("stream") is not False:
        body["stream"] = True
    return _answered(_with_body(request, body), desk, answer_chat, shape=_PUBLISHED, model=request.call.model or "")


def list_models(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    prefix = "models/" if is_gemini(request.call.path) else "google/"
    data = [{"id": prefix + name, "object": "model", "owned_by": "google"} for name in known_names()]
    return json_reply(request, {"object": "list", "data": data})


def get_model(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    name = request.call.model or ""
    try:
        SHAPE.check_model(desk, name)
    except Invalid as invalid:
        return SHAPE.error(request, invalid)
    return json_reply(request, {"id": name, "object": "model", "owned_by": "google"})


def _with_body(request: EmulatedRequest, body: dict[str, Any]) -> EmulatedRequest:
    """Raises Refused for a body that is nested too deeply."""
    try:
        data = orjson.dumps(body)
    except TypeError:  # orjson reads deeper nesting than it writes
        raise refuse(request, "Invalid JSON payload received. Message too deep.") from None
    return EmulatedRequest(
        request.method, request.call, request.query, request.headers, data, request.now, request.request_id
    )


def _answered(
    request: EmulatedRequest,
    desk: Desk,
    answer: Callable[..., EmulatedReply],
    *,
    shape: GoogleShape = SHAPE,
    **named: Any,
) -> EmulatedReply:
    try:
        return answer(request, desk, shape=shape, **named)
    except Invalid as invalid:
        return shape.error(request, invalid)
