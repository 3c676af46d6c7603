"""InvokeModel for the many models that take chat completions: gpt-oss, Mistral, Jamba, Qwen, DeepSeek and others.

Source: AWS "Inference request parameters and response fields for foundation models", read November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from providers.base import Header
from providers.emulated.answer import Answer, alphanumeric, created_at
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.bedrock_catalog import base_id, check_model
from providers.emulated.dialects.bedrock_errors import Refusal, error_reply
from providers.emulated.dialects.bedrock_schema import GUARDRAIL, Event
from providers.emulated.dialects.openai_chat import choice, usage_of
from providers.emulated.dialects.openai_chat_request import ChatRequest, read_chat
from providers.emulated.dialects.openai_chat_stream import stream_chat
from providers.emulated.dialects.openai_errors import JSON, Invalid, Shape

_EARLY_MISTRAL = ("mistral.mistral-large-2", "mistral.mistral-small-2", "mistral.mistral-7b", "mistral.mixtral-")
_DATA = len("data: ")


class BedrockShape(Shape):
    """Bedrock's headers and errors around OpenAI's dialect."""

    is_lenient = True

    def error(self, request: EmulatedRequest, invalid: Invalid) -> EmulatedReply:
        reply = error_reply(request, invalid.status, invalid.message, code=invalid.code)
        if request.call.path.startswith(b"/openai/"):
            error = {
                "message": invalid.message, "type": invalid.type, "param": invalid.param, "code": invalid.code,
            }  # fmt: skip
            reply.body = orjson.dumps({"error": error, "message": invalid.message})
        return reply

    def headers(self, request: EmulatedRequest, tokens: int | None = None, content_type: Header = JSON) -> list[Header]:
        return [content_type, (b"x-amzn-requestid", request.request_id.encode())]

    def check_model(self, desk: Desk, name: str) -> None:
        check_model(name, is_strict=desk.is_strict)


SHAPE = BedrockShape()


def read(body: dict[str, Any], desk: Desk, *, operation: str, model: str, is_streaming: bool) -> ChatRequest:
    """What a body asks, whatever it says of streaming itself. Raises Refusal."""
    if GUARDRAIL in body:
        body = {name: value for name, value in body.items() if name != GUARDRAIL}
    try:
        asked = read_chat(body | {"stream": is_streaming}, desk, SHAPE, model)
    except Invalid as invalid:
        raise Refusal(invalid.message, invalid.status) from None
    asked.question.operation = operation
    asked.includes_usage = True
    return asked


def reply(asked: ChatRequest, answers: list[Answer]) -> dict[str, Any]:
    """The whole reply."""
    choices = [choice(asked, answer, index) for index, answer in enumerate(answers)]
    if _is_early_mistral(asked):
        return {"choices": [_early(made) for made in choices]}
    return _head(asked, answers) | {"choices": choices, "usage": usage_of(answers)}


def events(asked: ChatRequest, answers: list[Answer]) -> Iterator[Event]:
    """The events of the streamed reply."""
    choices = [choice(asked, answer, index) for index, answer in enumerate(answers)]
    head = _head(asked, answers) | {"object": "chat.completion.chunk"}
    is_early = _is_early_mistral(asked)
    for frame in stream_chat(asked, answers, choices, head, usage_of(answers), filters_content=False):
        data = frame.data[_DATA:].rstrip()
        if data == b"[DONE]":
            return
        if is_early:
            chunk = orjson.loads(data)
            if not chunk["choices"]:
                return
            data = orjson.dumps({"choices": [_early(made) for made in chunk["choices"]]})
        yield data, frame.tokens, frame.delay_s


def _is_early_mistral(asked: ChatRequest) -> bool:
    return base_id(asked.question.model).startswith(_EARLY_MISTRAL)


def _early(made: dict[str, Any]) -> dict[str, Any]:
    """A choice as the first Mistral models have it, whole or in a stream."""
    message = made["message"] if "message" in made else {"role": "assistant", "content": ""} | made["delta"]
    kept = {name: message[name] for name in ("role", "content", "tool_calls") if name in message}
    return {"index": made["index"], "message": kept, "stop_reason": made["finish_reason"]}


def _head(asked: ChatRequest, answers: list[Answer]) -> dict[str, Any]:
    digest = answers[0].digest
    return {
        "id": "chatcmpl-" + alphanumeric(digest, "chatcmpl", 29),
        "object": "chat.completion",
        "created": created_at(digest),
        "model": base_id(asked.question.model),
        "service_tier": asked.service_tier,
    }
