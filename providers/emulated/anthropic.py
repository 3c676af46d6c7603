"""The Anthropic API answering by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from providers.base import Header
from providers.emulated.acting import count_input
from providers.emulated.base import CannedFailure, EmulatedReply, EmulatedRequest, Emulator, Frame, Refused
from providers.emulated.desk import Desk
from providers.emulated.dialects import anthropic_batches as batches
from providers.emulated.dialects import anthropic_files as files
from providers.emulated.dialects.anthropic_complete import (
    completion_frames,
    completion_reply,
    read_completion_request,
)
from providers.emulated.dialects.anthropic_errors import (
    AnthropicShape,
    ErrorShape,
    error_body,
    error_reply,
    id_headers,
    request_id_of,
    usual_message,
    usual_type,
)
from providers.emulated.dialects.anthropic_events import message_events, sse_frames
from providers.emulated.dialects.anthropic_messages import (
    MessageRequest,
    content_blocks,
    message_id,
    message_reply,
    read_json,
    read_message_request,
)
from providers.emulated.dialects.anthropic_models import is_known, model_info, model_list
from providers.emulated.dialects.anthropic_options import check_length
from providers.emulated.dialects.anthropic_pages import read_page, read_query
from providers.emulated.dialects.anthropic_threads import keep_thread, resume_thread
from providers.emulated.dialects.anthropic_times import written_to_the_second
from providers.emulated.question import Question

VERSIONS = frozenset({b"2023-01-01", b"2023-06-01", b"2026-10-21"})
"""Source: docs.claude.com/en/api/versioning, read November 2026."""

_HOST = re.compile(rb"[A-Za-z0-9._:\[\]-]{1,255}")
_ALWAYS_ALLOWED = 4096
_JSON: Header = (b"content-type", b"application/json")
_SSE: Header = (b"content-type", b"text/event-stream; charset=utf-8")
_NO_CACHE: Header = (b"cache-control", b"no-cache")
# Plausible limits of an account: per minute.
_REQUESTS, _INPUT, _OUTPUT = 4_000, 2_000_000, 400_000


class AnthropicEmulator(Emulator):
    provider = "anthropic"

    def answer(self, request: EmulatedRequest, desk: Desk) -> EmulatedReply:
        shape = AnthropicShape(request)
        _check_headers(request, shape)
        operation = request.call.operation
        if operation is None:
            raise shape.refuse(404, "Not Found")
        answer = _ANSWERS.get(operation.name)
        if answer is None:
            raise shape.refuse(
                404, f"Rubberduck's emulation of Anthropic does not answer {operation.name}.", type="not_found_error"
            )
        return answer(request, desk, shape)

    def error(
        self, request: EmulatedRequest, status: int, message: str | None, *, type: str | None, code: str | None
    ) -> EmulatedReply:
        details = {"error_code": code} if code else None
        return error_reply(request, status, message, type=type, details=details)


def _check_headers(request: EmulatedRequest, shape: ErrorShape) -> None:
    headers = request.headers
    key = headers.get(b"x-api-key")
    bearer = headers.get(b"authorization")
    if key is None and bearer is None:
        raise shape.refuse(401, "x-api-key header is required")
    if not key:
        if bearer is None:
            raise shape.refuse(401, "invalid x-api-key")
        scheme, _, token = bearer.partition(b" ")
        if scheme.lower() != b"bearer" or not token.strip():
            raise shape.refuse(401, "Invalid bearer token")
    version = headers.get(b"anthropic-version")
    if not version:
        raise shape.refuse(400, "anthropic-version: header is required")
    if version not in VERSIONS:
        shown = version.decode("utf-8", "replace")[:80]
        raise shape.refuse(400, f'anthropic-version: "{shown}" is not a valid version')


def _messages(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    body = read_json(request.body, shape)
    has_thread = body.get("thread") is not None
    if has_thread:
        body = resume_thread(body, shelf=desk.shelf, shape=shape)
    asked = _read_messages(request, desk, shape, body)
    answer = desk.answer(asked.question)
    if has_thread:
        size_bytes = 4 * (len(request.body) + 8 * (answer.input_tokens + answer.output_tokens))
        reply_id, content = message_id(answer, asked), content_blocks(answer, asked)
        keep_thread(body, reply_id, content, shelf=desk.shelf, size_bytes=size_bytes)
        answer.is_repeatable = False  # a recorded reply would name a conversation that nobody holds

    def make_headers(again: EmulatedRequest) -> list[Header]:
        start = (_SSE, _NO_CACHE) if asked.is_streaming else (_JSON,)
        return [
            *start, *_reply_headers(again), *_limit_headers(again, answer.input_tokens, answer.output_tokens)
        ]  # fmt: skip

    headers = make_headers(request)
    if asked.is_streaming:
        frames = sse_frames(message_events(answer, asked))
        reply = EmulatedReply(200, headers, frames, delay_s=answer.delay_s, is_repeatable=answer.is_repeatable)
    else:
        data = orjson.dumps(message_reply(answer, asked))
        reply = EmulatedReply(200, headers, data, answer.output_tokens, answer.whole_delay_s, answer.is_repeatable)
    reply.make_headers = make_headers
    return reply


def _read_messages(
    request: EmulatedRequest, desk: Desk, shape: ErrorShape, body: dict[str, Any], *, is_counting: bool = False
) -> MessageRequest:
    operation = request.call.operation
    assert operation is not None
    version = request.headers[b"anthropic-version"].decode()
    asked = read_message_request(body, shape=shape, operation=operation.name, version=version, is_counting=is_counting)
    _check_model(asked.model, desk, shape)
    most = asked.question.max_tokens
    # A header can lift the limit, and batches have another one.
    can_be_too_long = most is not None and most > _ALWAYS_ALLOWED and operation.name == "messages"
    if most and can_be_too_long and b"output-" not in request.headers.get(b"anthropic-beta", b""):
        check_length(shape, most, asked.model)
    return asked


def _check_model(model: str, desk: Desk, shape: ErrorShape) -> None:
    if desk.is_strict and not is_known(model):
        raise shape.refuse(404, f"model: {model}")


def _count_tokens(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    body = read_json(request.body, shape)
    if body.get("thread") is not None:
        body = resume_thread(body, shelf=desk.shelf, shape=shape)
    asked = _read_messages(request, desk, shape, body, is_counting=True)
    is_repeatable = desk.intercept(asked.question)
    return _json(request, {"input_tokens": count_input(asked.question)}, is_repeatable=is_repeatable)


def _completions(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    body = read_json(request.body, shape)
    question = read_completion_request(body, shape=shape, operation="completions")
    _check_model(question.model, desk, shape)
    answer = desk.answer(question)
    headers = [*_reply_headers(request), *_limit_headers(request, answer.input_tokens, answer.output_tokens)]
    if body.get("stream"):
        return _stream(completion_frames(answer, question.model), headers, answer.delay_s, answer.is_repeatable)
    data = orjson.dumps(completion_reply(answer, question.model))
    head = [_JSON, *headers]
    return EmulatedReply(200, head, data, answer.output_tokens, answer.whole_delay_s, answer.is_repeatable)


def _list_models(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    is_repeatable = desk.intercept(_plain_question(request))
    query = read_query(request.query)
    lifecycles = frozenset(query.get("lifecycle", ("active", "deprecated")))
    return _json(request, model_list(read_page(query, shape), lifecycles), is_repeatable=is_repeatable)


def _retrieve_model(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    is_repeatable = desk.intercept(_plain_question(request))
    model = request.call.model or ""
    info = model_info(model)
    if info is None:
        raise shape.refuse(404, f"model: {model}")
    return _json(request, info, is_repeatable=is_repeatable)


def _upload_file(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    desk.intercept(_plain_question(request))
    content_type = request.headers.get(b"content-type", b"")
    return _json(
        request,
        files.upload_file(request.body, content_type, shelf=desk.shelf, shape=shape, now=request.now),
        is_repeatable=False,
    )


def _list_files(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    desk.intercept(_plain_question(request))
    found = files.list_files(read_query(request.query), shelf=desk.shelf, shape=shape)
    return _json(request, found, is_repeatable=False)


def _retrieve_file(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    desk.intercept(_plain_question(request))
    return _json(request, files.find_file(_id(request, 2), shelf=desk.shelf, shape=shape), is_repeatable=False)


def _delete_file(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    desk.intercept(_plain_question(request))
    return _json(request, files.delete_file(_id(request, 2), shelf=desk.shelf, shape=shape), is_repeatable=False)


def _download_file(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    desk.intercept(_plain_question(request))
    raise files.refuse_download(_id(request, 2), shelf=desk.shelf, shape=shape)


def _create_batch(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    desk.intercept(_plain_question(request))
    body = read_json(request.body, shape)
    made = batches.create_batch(body, shelf=desk.shelf, shape=shape, now=request.now, size_bytes=len(request.body))
    return _json(request, made.described(_base_url(request)), is_repeatable=False)


def _retrieve_batch(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    desk.intercept(_plain_question(request))
    return _json(request, _ended(request, desk, shape).described(_base_url(request)), is_repeatable=False)


def _ended(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> batches.Batch:
    """The batch that the path names, its processing finished."""
    batch = batches.find_batch(_id(request, 3), shelf=desk.shelf, shape=shape)
    batch.end(lambda params: _perform(params, request, desk, shape), request.now)
    return batch


def _list_batches(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    desk.intercept(_plain_question(request))
    page = read_page(read_query(request.query), shape)
    found = batches.all_batches(desk.shelf)
    for batch in found:
        batch.end(lambda params: _perform(params, request, desk, shape), request.now)
    return _json(request, batches.list_batches(found, page, _base_url(request)), is_repeatable=False)


def _cancel_batch(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    desk.intercept(_plain_question(request))
    batch = batches.find_batch(_id(request, 3), shelf=desk.shelf, shape=shape)
    batches.cancel_batch(batch, request.now)
    return _json(request, batch.described(_base_url(request)), is_repeatable=False)


def _delete_batch(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    desk.intercept(_plain_question(request))
    batch = batches.find_batch(_id(request, 3), shelf=desk.shelf, shape=shape)
    return _json(request, batches.delete_batch(batch, shelf=desk.shelf, shape=shape), is_repeatable=False)


def _batch_results(request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> EmulatedReply:
    desk.intercept(_plain_question(request))
    results = _ended(request, desk, shape).results or b""
    headers = [(b"content-type", b"application/x-jsonl"), *_reply_headers(request)]
    return EmulatedReply(200, headers, results, is_repeatable=False)


def _perform(params: dict[str, Any], request: EmulatedRequest, desk: Desk, shape: ErrorShape) -> dict[str, Any]:
    """One request of a batch: its result."""
    try:
        asked = _read_messages(request, desk, shape, params)
        asked.question.operation = "messages"
        asked.service_tier = "batch"
        return {"type": "succeeded", "message": message_reply(desk.answer(asked.question), asked)}
    except Refused as refusal:
        refused = refusal.reply.body
        error = orjson.loads(refused) if isinstance(refused, bytes) else None
        if not isinstance(error, dict) or error.get("type") != "error":
            error = error_body("api_error", usual_message(500), request_id_of(request))
        return {"type": "errored", "error": error}
    except CannedFailure as failure:
        kind = failure.type or usual_type(failure.status)
        message = failure.message or usual_message(failure.status)
        return {"type": "errored", "error": error_body(kind, message, request_id_of(request))}


_ANSWERS: Mapping[str, Callable[[EmulatedRequest, Desk, ErrorShape], EmulatedReply]] = {
    "messages": _messages,
    "messages.count_tokens": _count_tokens,
    "completions": _completions,
    "models.list": _list_models,
    "models.retrieve": _retrieve_model,
    "files.upload": _upload_file,
    "files.list": _list_files,
    "files.retrieve_metadata": _retrieve_file,
    "files.delete": _delete_file,
    "files.download": _download_file,
    "messages.batches.create": _create_batch,
    "messages.batches.retrieve": _retrieve_batch,
    "messages.batches.list": _list_batches,
    "messages.batches.cancel": _cancel_batch,
    "messages.batches.delete": _delete_batch,
    "messages.batches.results": _batch_results,
}


def _id(request: EmulatedRequest, place: int) -> str:
    """The id in the path, which comes after so many segments."""
    return request.call.path.split(b"/")[place + 1].decode("latin-1")


def _plain_question(request: EmulatedRequest) -> Question:
    """What a call without prose asks."""
    operation = request.call.operation
    name = operation.name if operation is not None else ""
    return Question(name, request.call.model or "", bytes(32), [], caches=())


def _base_url(request: EmulatedRequest) -> str:
    """Where the client finds this API: the SDKs fetch the results of a batch from the address they are told."""
    host = request.headers.get(b"host", b"")
    return f"http://{host.decode()}" if _HOST.fullmatch(host) else "https://api.anthropic.com"


def _json(request: EmulatedRequest, body: Mapping[str, Any], *, is_repeatable: bool) -> EmulatedReply:
    return EmulatedReply(200, [_JSON, *_reply_headers(request)], orjson.dumps(body), is_repeatable=is_repeatable)


def _stream(frames: list[Frame], headers: list[Header], delay_s: float, is_repeatable: bool) -> EmulatedReply:
    return EmulatedReply(200, [_SSE, _NO_CACHE, *headers], frames, delay_s=delay_s, is_repeatable=is_repeatable)


def _reply_headers(request: EmulatedRequest) -> list[Header]:
    return id_headers(request_id_of(request))


def _limit_headers(request: EmulatedRequest, input_tokens: int, output_tokens: int) -> list[Header]:
    """The quota headers: as if this were the only request of its minute. Remaining tokens are rounded to thousands."""
    reset = _reset(int(request.now) + 1)
    left_input = max(0, _INPUT - input_tokens) // 1000 * 1000
    left_output = max(0, _OUTPUT - output_tokens) // 1000 * 1000
    return [
        (b"anthropic-ratelimit-requests-limit", b"%d" % _REQUESTS),
        (b"anthropic-ratelimit-requests-remaining", b"%d" % (_REQUESTS - 1)),
        (b"anthropic-ratelimit-requests-reset", reset),
        (b"anthropic-ratelimit-input-tokens-limit", b"%d" % _INPUT),
        (b"anthropic-ratelimit-input-tokens-remaining", b"%d" % left_input),
        (b"anthropic-ratelimit-input-tokens-reset", reset),
        (b"anthropic-ratelimit-output-tokens-limit", b"%d" % _OUTPUT),
        (b"anthropic-ratelimit-output-tokens-remaining", b"%d" % left_output),
        (b"anthropic-ratelimit-output-tokens-reset", reset),
        (b"anthropic-ratelimit-tokens-limit", b"%d" % (_INPUT + _OUTPUT)),
        (b"anthropic-ratelimit-tokens-remaining", b"%d" % (left_input + left_output)),
        (b"anthropic-ratelimit-tokens-reset", reset),
    ]


@lru_cache(maxsize=4)
def _reset(moment_s: int) -> bytes:
    return written_to_the_second(moment_s).encode()


EMULATOR = AnthropicEmulator()
