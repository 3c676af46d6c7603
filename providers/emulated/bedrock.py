"""Bedrock, answering by itself: the runtime, and what people ask of the control plane and the agents' runtime."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from providers.base import Header
from providers.emulated.acting import count_input
from providers.emulated.base import EmulatedReply, EmulatedRequest, Emulator
from providers.emulated.desk import Desk
from providers.emulated.dialects import bedrock_catalog, bedrock_guardrails, bedrock_rerank
from providers.emulated.dialects.anthropic_events import message_events, sse_frames
from providers.emulated.dialects.anthropic_messages import message_reply, read_json, read_message_request
from providers.emulated.dialects.bedrock_catalog import check_converses, check_model
from providers.emulated.dialects.bedrock_chat import SHAPE
from providers.emulated.dialects.bedrock_claude import BedrockShape
from providers.emulated.dialects.bedrock_converse import read_converse
from providers.emulated.dialects.bedrock_converse_reply import converse_frames, converse_reply
from providers.emulated.dialects.bedrock_embeddings import Made
from providers.emulated.dialects.bedrock_errors import (
    Refusal,
    constraint,
    error_reply,
    headers,
    not_json,
    parse_object,
)
from providers.emulated.dialects.bedrock_frames import CONTENT_TYPE
from providers.emulated.dialects.bedrock_invoke import answer_invoke, answer_invoke_stream, intercept, read_invoke
from providers.emulated.dialects.openai_chat import answer_chat
from providers.emulated.dialects.openai_errors import Invalid
from providers.emulated.dialects.openai_responses import answer_responses
from providers.emulated.question import Question
from providers.wire import aws

Handler = Callable[[EmulatedRequest, Desk], EmulatedReply]
"""Raises Refusal, Invalid, Refused and CannedFailure."""

_DEFAULT_REGION = "us-east-1"


class Bedrock(Emulator):
    """Any credential will do, none will not."""

    provider = "bedrock"

    def answer(self, request: EmulatedRequest, desk: Desk) -> EmulatedReply:
        try:
            _check_credentials(request)
            operation = request.call.operation
            if operation is None:
                raise _unknown(request.call.path)
            handler = _HANDLERS.get(operation.name)
            if handler is None:
                raise Refusal(_NOT_ANSWERED.format(operation.name), 404, _UNKNOWN)
            model = request.call.model
            if model is not None:
                check_model(model, is_strict=desk.is_strict)
            return handler(request, desk)
        except Refusal as refusal:
            return error_reply(request, refusal.status, refusal.message, type=refusal.type)
        except Invalid as invalid:
            return SHAPE.error(request, invalid)

    def error(
        self, request: EmulatedRequest, status: int, message: str | None, *, type: str | None, code: str | None
    ) -> EmulatedReply:
        return error_reply(request, status, message, type=type, code=code)


_UNKNOWN = "UnknownOperationException"
_NOT_ANSWERED = "Rubberduck's emulation does not answer {}; point the proxy at Bedrock itself to use it."


def _unknown(path: bytes) -> Refusal:
    """For paths that are none of the operations we know; this one there is, for HTTP/2 both ways at once."""
    if path.endswith(b"/invoke-with-bidirectional-stream"):
        return Refusal(_NOT_ANSWERED.format("InvokeModelWithBidirectionalStream"), 404, _UNKNOWN)
    return Refusal("The requested operation is not recognized by the service.", 404, _UNKNOWN)


def _check_credentials(request: EmulatedRequest) -> None:
    fields = request.headers
    if fields.get(b"authorization") or fields.get(b"x-api-key"):
        return
    if fields.get(b"x-aws-access-key") and fields.get(b"x-aws-secret-key"):
        return
    if b"X-Amz-Signature=" in request.query:
        return
    raise Refusal("Missing Authentication Token", 403, "MissingAuthenticationTokenException")


def _converse(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    model = request.call.model or ""
    check_converses(model)
    body = parse_object(request.body, not_json())
    answer = desk.answer(read_converse(body, operation="converse", model=model))
    return EmulatedReply(
        200, headers(request), converse_reply(body, answer), answer.output_tokens, answer.whole_delay_s,
        answer.is_repeatable, make_headers=headers,
    )  # fmt: skip


def _converse_stream(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    model = request.call.model or ""
    check_converses(model)
    body = parse_object(request.body, not_json())
    answer = desk.answer(read_converse(body, operation="converse.stream", model=model))
    return EmulatedReply(
        200, _stream_headers(request), converse_frames(body, answer), delay_s=answer.delay_s,
        is_repeatable=answer.is_repeatable, make_headers=_stream_headers,
    )  # fmt: skip


def _stream_headers(request: EmulatedRequest) -> list[Header]:
    return [(b"content-type", CONTENT_TYPE), (b"x-amzn-requestid", request.request_id.encode())]


def _count_tokens(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    body = parse_object(request.body, not_json())
    model = request.call.model or ""
    asked = body.get("input")
    if type(asked) is not dict:
        raise constraint("input", asked, "Member must not be null")
    question: Question
    if type(asked.get("converse")) is dict:
        question = read_converse(asked["converse"], operation="count_tokens", model=model)
    elif type(asked.get("invokeModel")) is dict:
        encoded = asked["invokeModel"].get("body")
        try:
            data = b64decode(encoded, validate=True) if type(encoded) is str else b""
        except (Base64Error, ValueError):
            data = b""
        question = read_invoke(request, desk, data, model)
    else:
        raise Refusal("The CountTokensInput object at input must set one of the following keys: invokeModel, converse.")
    is_repeatable = desk.intercept(question)
    return _json(request, {"inputTokens": count_input(question)}, is_repeatable=is_repeatable)


def _made(make: Callable[[dict[str, Any]], Made]) -> Handler:
    """A handler of an operation whose reply needs only its body."""

    def handle(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
        body = parse_object(request.body, not_json())
        made = make(body)
        operation = request.call.operation
        is_repeatable = intercept(desk, operation.name if operation else "", "", body, made)
        return _json(request, made.reply, is_repeatable=is_repeatable)

    return handle


def _rerank(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    body = parse_object(request.body, not_json())
    made = bedrock_rerank.rerank_sources(body)
    model = bedrock_rerank.model_of(body)
    check_model(model, is_strict=desk.is_strict)
    return _json(request, made.reply, is_repeatable=intercept(desk, "rerank", model, body, made))


def _list_models(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """The list of the control plane, or as OpenAI's and Anthropic's clients read it."""
    is_repeatable = _intercept_plain(request, desk)
    path = request.call.path
    if path.startswith(b"/openai/"):
        reply = bedrock_catalog.openai_list()
    elif path.startswith(b"/anthropic/"):
        reply = bedrock_catalog.anthropic_list()
    else:
        reply = bedrock_catalog.list_models(request.query, _region(request))
    return _json(request, reply, is_repeatable=is_repeatable)


def _get_model(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    is_repeatable = _intercept_plain(request, desk)
    reply = bedrock_catalog.get_model(request.call.model or "", _region(request))
    return _json(request, reply, is_repeatable=is_repeatable)


def _list_profiles(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    is_repeatable = _intercept_plain(request, desk)
    reply = bedrock_catalog.list_profiles(request.query, _region(request))
    return _json(request, reply, is_repeatable=is_repeatable)


def _messages(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """Anthropic's own path, as Bedrock serves it besides."""
    shape = BedrockShape(request)
    body = read_json(request.body, shape)
    asked = read_message_request(body, shape=shape, operation="messages")
    check_model(asked.question.model, is_strict=desk.is_strict)
    answer = desk.answer(asked.question)
    if asked.is_streaming:
        fields = [(b"content-type", b"text/event-stream; charset=utf-8"), *headers(request)[1:]]
        frames = sse_frames(message_events(answer, asked))
        return EmulatedReply(200, fields, frames, delay_s=answer.delay_s, is_repeatable=answer.is_repeatable)
    reply = orjson.dumps(message_reply(answer, asked))
    return EmulatedReply(
        200, headers(request), reply, answer.output_tokens, answer.whole_delay_s, answer.is_repeatable
    )  # fmt: skip


def _count_messages(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    shape = BedrockShape(request)
    body = read_json(request.body, shape)
    asked = read_message_request(body, shape=shape, operation="messages.count_tokens", is_counting=True)
    check_model(asked.question.model, is_strict=desk.is_strict)
    is_repeatable = desk.intercept(asked.question)
    return _json(request, {"input_tokens": count_input(asked.question)}, is_repeatable=is_repeatable)


def _chat(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    return answer_chat(request, desk, shape=SHAPE)


def _responses(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    return answer_responses(request, desk, SHAPE)


def _intercept_plain(request: EmulatedRequest, desk: Desk) -> bool:
    operation = request.call.operation
    return desk.intercept(Question(operation.name if operation else "", request.call.model or "", bytes(32), []))


def _json(request: EmulatedRequest, reply: Mapping[str, Any], *, is_repeatable: bool) -> EmulatedReply:
    return EmulatedReply(200, headers(request), orjson.dumps(reply), is_repeatable=is_repeatable)


def _region(request: EmulatedRequest) -> str:
    """Where the request says it goes."""
    signature = aws.read_signature(request.headers.get(b"authorization", b""))
    return signature.region if signature is not None and signature.region else _DEFAULT_REGION


_HANDLERS: Mapping[str, Handler] = {
    "chat.completions": _chat,
    "converse": _converse,
    "converse.stream": _converse_stream,
    "count_tokens": _count_tokens,
    "guardrails.apply": _made(bedrock_guardrails.apply_guardrail),
    "guardrails.check": _made(bedrock_guardrails.check_content),
    "inference_profiles.list": _list_profiles,
    "invoke": answer_invoke,
    "invoke.stream": answer_invoke_stream,
    "messages": _messages,
    "messages.count_tokens": _count_messages,
    "models.get": _get_model,
    "models.list": _list_models,
    "rerank": _rerank,
    "responses": _responses,
}

EMULATOR = Bedrock()
