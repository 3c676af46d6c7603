"""OpenAI's Responses API: answers, the state it keeps of them, and what can be done with it.

    answer_responses(request, desk, shape=SHAPE)      the operations `responses...` and `conversations...`

Source: openai-python 3.54.0 `resources/responses/responses.py`, and refusals of the API quoted in public issue reports
and test suites, read November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from providers.emulated import tokens
from providers.emulated.acting import count_input
from providers.emulated.answer import Answer, created_at
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_conversations import CONVERSATION_HANDLERS
from providers.emulated.dialects.openai_errors import (
    EVENT_STREAM,
    JSON,
    Invalid,
    Shape,
    intercept,
    read_object,
    wrong_type,
)
from providers.emulated.dialects.openai_errors import missing as missing_parameter
from providers.emulated.dialects.openai_responses_body import (
    require_model,
)
from providers.emulated.dialects.openai_responses_events import stream_frames
from providers.emulated.dialects.openai_responses_input import (
    listed_items,
    match_calls,
    seal,
)
from providers.emulated.dialects.openai_responses_output import (
    Ids,
    dump,
    filter_results,
    output_items,
    response_object,
    unfinished,
)
from providers.emulated.dialects.openai_responses_question import Asked
from providers.emulated.dialects.openai_responses_state import (
    StoredResponse,
    keep_conversation,
    keep_response,
    page_of,
    path_ids,
    read_number,
    read_query,
    remove_response,
    require_response,
)
from providers.emulated.question import Turn

_EXTRA_BYTES = 2048
_SUMMARY_CHARACTERS = 8000


def answer_responses(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    """The reply to one of `RESPONSES_OPERATIONS`. Raises Invalid, CannedFailure, Refused."""
    assert request.call.operation is not None
    name = request.call.operation.name
    if name not in _ASKING:
        intercept(desk, name, "", request)
    return _HANDLERS[name](request, desk, shape)


def _create(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    body = read_object(request.body)
    model = require_model(body)
    if "input" not in body and body.get("prompt") is None:
        raise missing_parameter("input")
    if "input" in body and body["input"] is None:
        raise wrong_type("input", "a string", {})
    shape.check_model(desk, model)
    asked = Asked(body, model, desk, is_lenient=shape.is_lenient)
    if asked.is_empty:
        raise Invalid(
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must be provided.",
            None,
            "missing_required_parameter",
        )
    question = asked.question("responses", asked.digest())
    match_calls(asked.turns)
    answer = desk.answer(question)
    ids = Ids(answer.digest)
    text = answer.text
    output = output_items(answer, text, ids, body, asked.plain_tools, thinks=asked.thinks)
    response = response_object(body, shape.model(request, model), ids, answer, output, thinks=asked.thinks)
    if shape.filters_content:
        response["content_filters"] = filter_results(len(question.prompt), len(text))
    is_background = response["background"]
    is_streaming = body.get("stream") is True
    used = answer.input_tokens + (body.get("max_output_tokens") or 16)
    reply = EmulatedReply(
        200,
        shape.headers(request, used, EVENT_STREAM if is_streaming else JSON),
        b"",
        is_repeatable=answer.is_repeatable and asked.conversation is None and not is_background,
    )
    if is_streaming:
        options = body.get("stream_options") or {}
        is_padded = shape.obfuscates and options.get("include_obfuscation") is not False
        reply.body = stream_frames(response, answer, is_padded=is_padded)
        reply.delay_s = answer.delay_s
    elif is_background:
        reply.body = dump(unfinished(response, "queued"))
    else:
        reply.body = dump(response)
        reply.tokens = answer.output_tokens
        reply.delay_s = answer.whole_delay_s
    said = Turn("assistant", text, tool_uses=tuple(answer.tool_uses))
    _keep(desk, asked, response, answer, said, len(request.body), is_pending=is_background and not is_streaming)
    return reply


def _keep(
    desk: Desk,
    asked: Asked,
    response: dict[str, Any],
    answer: Answer,
    said: Turn,
    body_bytes: int,
    *,
    is_pending: bool,
) -> None:
    """Puts the response where it is looked for later, and into its conversation."""
    size = body_bytes * 3 + answer.output_tokens * 64 + _EXTRA_BYTES
    before = asked.previous.size_bytes if asked.previous is not None else len(asked.earlier) * 8
    turns = [*asked.turns, said]
    stored = StoredResponse(
        response, answer, turns, asked.given, asked.previous, asked.earlier, size + before, is_pending
    )  # fmt: skip
    if response["background"] or response["store"]:
        keep_response(desk, stored)
    if asked.conversation is not None:
        keep_conversation(desk, asked.conversation, [*stored.own_items(), *response["output"]], size)


def _retrieve(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    stored = require_response(desk, path_ids(request, b"responses")[0])
    query = read_query(request)
    if query.get("stream") != "true":
        stored.is_pending = False
        return EmulatedReply(200, shape.headers(request), dump(stored.response))
    if not stored.response["background"]:
        raise Invalid(
            "This response cannot be streamed because it was not created with background=true.",
            "stream",
            "invalid_request_error",
        )
    stored.is_pending = False
    after = read_number(query, "starting_after", -1, 0, 999_999_999)
    frames = stream_frames(
        stored.response, stored.answer, is_padded=shape.obfuscates and query.get("include_obfuscation") != "false"
    )  # fmt: skip
    return EmulatedReply(200, shape.headers(request, None, EVENT_STREAM), frames[after + 1 :])


def _delete(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    given = path_ids(request, b"responses")[0]
    require_response(desk, given)
    remove_response(desk, given)
    return EmulatedReply(200, shape.headers(request), dump({"id": given, "object": "response", "deleted": True}))


def _cancel(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    stored = require_response(desk, path_ids(request, b"responses")[0])
    if not stored.response["background"]:
        raise Invalid("Cannot cancel a synchronous response.")
    if stored.is_pending:
        stored.response = unfinished(stored.response, "cancelled")
        stored.is_pending = False
    return EmulatedReply(200, shape.headers(request), dump(stored.response))


def _input_items(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    stored = require_response(desk, path_ids(request, b"responses")[0])
    return EmulatedReply(200, shape.headers(request), dump(page_of(request, stored.input_items())))


def _count(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    body = read_object(request.body)
    model = body.get("model")
    asked = Asked(body, model if isinstance(model, str) else "", desk, is_lenient=shape.is_lenient)
    question = asked.question("responses.input_tokens", asked.digest())
    is_repeatable = desk.intercept(question)
    counted = {"object": "response.input_tokens", "input_tokens": count_input(question)}
    return EmulatedReply(200, shape.headers(request), dump(counted), is_repeatable=is_repeatable)


def _compact(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    body = read_object(request.body)
    asked = Asked(body, require_model(body), desk, is_lenient=shape.is_lenient)
    made = asked.digest()
    question = asked.question("responses.compact", made)
    is_repeatable = desk.intercept(question)
    ids = Ids(made)
    items = asked.previous.input_items() + asked.previous.response["output"] if asked.previous is not None else []
    items += listed_items(asked.given, ids.given)
    kept = [item for item in items if item["type"] == "message" and item["role"] == "user"]
    summary = "\n".join([f"{turn.role}: {turn.text}" for turn in asked.turns if turn.text])[-_SUMMARY_CHARACTERS:]
    sealed = {"id": ids.item("cmp", 0), "type": "compaction", "encrypted_content": seal(summary)}
    counted = count_input(question)
    written = tokens.count(summary)
    compacted = {
        "id": ids.response(),
        "object": "response.compaction",
        "created_at": created_at(made),
        "output": [*kept, sealed],
        "usage": {
            "input_tokens": counted,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": counted + written,
        },
    }
    return EmulatedReply(200, shape.headers(request, counted), dump(compacted), is_repeatable=is_repeatable)


_ASKING = frozenset({"responses", "responses.input_tokens", "responses.compact"})
"""Operations that ask a model something: canned replies are looked for when the question is known."""

_HANDLERS: Mapping[str, Callable[[EmulatedRequest, Desk, Shape], EmulatedReply]] = {
    "responses": _create,
    "responses.retrieve": _retrieve,
    "responses.delete": _delete,
    "responses.cancel": _cancel,
    "responses.input_items.list": _input_items,
    "responses.input_tokens": _count,
    "responses.compact": _compact,
    **CONVERSATION_HANDLERS,
}

RESPONSES_OPERATIONS = tuple(_HANDLERS)
"""The operations this dialect answers."""
