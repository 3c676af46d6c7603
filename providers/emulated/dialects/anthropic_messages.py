"""The Anthropic Messages dialect: a request into a question, an answer into a message.

Spoken at Anthropic itself, in Bedrock's InvokeModel and in Vertex AI's rawPredict. Each cloud brings its own
`ErrorShape`:

    request = read_message_request(read_json(data, shape), shape=shape, operation=..., model=..., version=...)
    answer = desk.answer(request.question)
    body = orjson.dumps(message_reply(answer, request))             # or, streamed,
    for event in message_events(answer, request): ...               # in anthropic_events
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from providers.emulated.answer import Answer, Stop, alphanumeric
from providers.emulated.base import digest_of
from providers.emulated.dialects import anthropic_fields as fields
from providers.emulated.dialects.anthropic_content import Conversation, Marks
from providers.emulated.dialects.anthropic_errors import ErrorShape
from providers.emulated.dialects.anthropic_options import read_output, read_sampling, read_stops, read_thinking
from providers.emulated.dialects.anthropic_tools import read_tool_choice, read_tools
from providers.emulated.question import AUTO, Question, ToolUse

# Source: anthropic-sdk-python 2.12.0 and 0.125.0, `types/message_create_params.py` and their beta ones, and their
# Bedrock and Vertex clients; read November 2026.
MEMBERS = frozenset(
    {
        "anthropic_beta",
        "anthropic_version",
        "billing_policy",
        "cache_control",
        "compaction",
        "container",
        "context_management",
        "diagnostics",
        "fallback_credit_token",
        "fallbacks",
        "inference_geo",
        "max_tokens",
        "mcp_servers",
        "messages",
        "metadata",
        "model",
        "output_config",
        "output_format",
        "service_tier",
        "speed",
        "stop_sequences",
        "stream",
        "system",
        "task_budget",
        "temperature",
        "thinking",
        "thread",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
        "user_profile_id",
    }
)
"""Members a request may have; with any other it is refused."""

STOP_REASONS: Mapping[Stop, str] = {
    Stop.END: "end_turn",
    Stop.LENGTH: "max_tokens",
    Stop.SEQUENCE: "stop_sequence",
    Stop.TOOLS: "tool_use",
    Stop.REFUSAL: "refusal",
}


@dataclass(slots=True)
class MessageRequest:
    """A question and what else its reply depends on. `model` is what the reply calls the model; it may be changed.

    `shows_thinking`: False when thinking blocks come with a signature but without their text. `cache_ttl`: "5m" or
    "1h", for what is written to the prompt cache. `service_tier` is the one the reply names.
    """

    question: Question
    model: str
    id_mark: str = ""
    is_streaming: bool = False
    shows_thinking: bool = True
    cache_ttl: str = "5m"
    service_tier: str = "standard"
    speed: str | None = None


def read_json(data: bytes, shape: ErrorShape) -> dict[str, Any]:
    """The body as an object."""
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise fields.invalid(shape, f"The request body is not valid JSON: {error}") from None
    if not isinstance(body, dict):
        raise fields.invalid(shape, "Input should be an object")
    return body


def read_message_request(
    body: dict[str, Any],
    *,
    shape: ErrorShape,
    operation: str,
    model: str | None = None,
    version: str = "2023-06-01",
    is_counting: bool = False,
) -> MessageRequest:
    """What a Messages body asks. `model`: the one named elsewhere, None if the body names it. `is_counting`: for
    count_tokens, which takes no `max_tokens`.

    Raises what `shape.refuse` makes, for a body the genuine service would not take.
    """
    if model is None:
        model = fields.filled_text(shape, fields.required(shape, body, "model", ""), "model")
    if not body.keys() <= MEMBERS:
        unknown = next(name for name in body if name not in MEMBERS)
        raise fields.invalid(shape, f"{unknown}: Extra inputs are not permitted")
    max_tokens = body.get("max_tokens", fields.MISSING)
    if max_tokens is fields.MISSING or is_counting:
        if not is_counting:
            raise fields.invalid(shape, "max_tokens: Field required")
        max_tokens = None
    elif type(max_tokens) is not int or max_tokens < 0:
        max_tokens = fields.integer(shape, max_tokens, "max_tokens", 0)
    try:
        digest = digest_of(body, model)
    except TypeError:  # orjson reads deeper nesting than it writes
        raise fields.invalid(shape, "The request body is not valid JSON: nested too deeply") from None
    marks = Marks(shape)
    tools, names = read_tools(shape, body["tools"], marks) if body.get("tools") is not None else ([], set())
    conversation = Conversation(shape, marks, version)
    if body.get("system") is not None:
        conversation.system(body["system"])
    conversation.messages(fields.required(shape, body, "messages", ""))
    question = Question(operation, model, digest, conversation.turns, tools, max_tokens=max_tokens, caches=())
    request = MessageRequest(question, model, shape.id_mark)
    if body.get("tool_choice") is not None:
        choice, question.may_call_many = read_tool_choice(shape, body["tool_choice"], names)
        question.tool_choice = choice if tools else AUTO
    read_sampling(shape, body, question, version)
    _read_options(shape, body, request)
    if body.get("thinking") is not None:
        request.shows_thinking = read_thinking(shape, body["thinking"], question, conversation)
    if body.get("cache_control") is not None:
        marks.take(body, "", len(conversation.turns))
    if marks.total:
        marks.check()
        question.caches = tuple(marks.found)
        request.cache_ttl = marks.ttl
    return request


def _read_options(shape: ErrorShape, body: Mapping[str, Any], request: MessageRequest) -> None:
    question = request.question
    if body.get("stream") is not None:
        request.is_streaming = fields.boolean(shape, body["stream"], "stream")
    if body.get("stop_sequences") is not None:
        question.stops = read_stops(shape, body["stop_sequences"])
    if body.get("metadata") is not None:
        metadata = fields.mapping(shape, body["metadata"], "metadata")
        if metadata.get("user_id") is not None:
            fields.text(shape, metadata["user_id"], "metadata.user_id")
    if body.get("service_tier") is not None:
        fields.one_of(shape, body["service_tier"], "service_tier", ("auto", "standard_only"))
    if body.get("speed") is not None:
        request.speed = fields.one_of(shape, body["speed"], "speed", ("standard", "fast"))
    question.output = read_output(shape, body)


def message_reply(answer: Answer, request: MessageRequest) -> dict[str, Any]:
    """The whole message."""
    return {
        "model": request.model,
        "id": message_id(answer, request),
        "type": "message",
        "role": "assistant",
        "content": content_blocks(answer, request),
        "stop_reason": STOP_REASONS[answer.stop],
        "stop_sequence": answer.stop_sequence,
        "stop_details": stop_details(answer),
        "usage": message_usage(answer, request, answer.output_tokens),
    }


def message_id(answer: Answer, request: MessageRequest) -> str:
    return f"msg_{request.id_mark}01{alphanumeric(answer.digest, 'message', 22)}"


def tool_use_id(use: ToolUse, request: MessageRequest) -> str:
    return f"toolu_{request.id_mark}01{use.id[-22:]}"


def content_blocks(answer: Answer, request: MessageRequest) -> list[dict[str, Any]]:
    """Thinking, then text, then tool uses."""
    blocks: list[dict[str, Any]] = []
    if answer.thinking_pieces:
        thinking = answer.thinking if request.shows_thinking else ""
        blocks.append({"type": "thinking", "thinking": thinking, "signature": signature(answer)})
    if answer.pieces:
        blocks.append({"type": "text", "text": answer.text})
    for use in answer.tool_uses:
        blocks.append({"type": "tool_use", "id": tool_use_id(use, request), "name": use.name, "input": tool_input(use)})
    return blocks


def tool_input(use: ToolUse) -> dict[str, Any]:
    """The arguments as an object: an empty one when they were cut off."""
    try:
        found = orjson.loads(use.arguments)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def signature(answer: Answer) -> str:
    """What stands for the genuine seal on a thinking block: of its alphabet and about its length."""
    return "".join(["EqQB", *[alphanumeric(answer.digest, f"signature {part}", 42) for part in range(5)], "GAE="])


def stop_details(answer: Answer) -> dict[str, Any] | None:
    if answer.stop is not Stop.REFUSAL:
        return None
    return {"type": "refusal", "category": None, "explanation": None}


def message_usage(answer: Answer, request: MessageRequest, output_tokens: int) -> dict[str, Any]:
    """Usage in Anthropic's way: `input_tokens` leaves out what was read from and written to the prompt cache."""
    written = answer.cache_write_tokens
    is_hour = request.cache_ttl == "1h"
    usage: dict[str, Any] = {
        "input_tokens": max(0, answer.input_tokens - answer.cached_tokens - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": answer.cached_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": 0 if is_hour else written,
            "ephemeral_1h_input_tokens": written if is_hour else 0,
        },
        "output_tokens": output_tokens,
        "service_tier": request.service_tier,
        "inference_geo": "global",
    }
    if request.question.thinks or answer.reasoning_tokens:
        usage["output_tokens_details"] = {"thinking_tokens": answer.reasoning_tokens}
    if request.speed is not None:
        usage["speed"] = request.speed
    return usage
