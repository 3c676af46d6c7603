"""InvokeModel and its stream: finds the family of a body, and puts Bedrock's headers or frames around the reply.

Source: bedrock-runtime service-2.json (botocore 1.44.5); AWS "Inference request parameters and response fields for
foundation models"; read November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import orjson

from providers.base import Header
from providers.emulated.answer import Answer
from providers.emulated.base import EmulatedReply, EmulatedRequest, Frame, digest_of
from providers.emulated.desk import Desk
from providers.emulated.dialects import bedrock_chat, bedrock_embeddings, bedrock_images
from providers.emulated.dialects.anthropic_events import message_events
from providers.emulated.dialects.anthropic_messages import message_reply
from providers.emulated.dialects.bedrock_catalog import base_id
from providers.emulated.dialects.bedrock_claude import read_claude
from providers.emulated.dialects.bedrock_cohere import COMMAND_R
from providers.emulated.dialects.bedrock_converse_reply import latency_ms
from providers.emulated.dialects.bedrock_embeddings import Made, Maker
from providers.emulated.dialects.bedrock_errors import Refusal, headers, parse_object
from providers.emulated.dialects.bedrock_frames import CONTENT_TYPE, PADDINGS, chunk
from providers.emulated.dialects.bedrock_nova import NOVA
from providers.emulated.dialects.bedrock_prompts import CLAUDE_PROMPT, DEEPSEEK, LLAMA, MISTRAL, TITAN
from providers.emulated.dialects.bedrock_rerank import rerank
from providers.emulated.dialects.bedrock_schema import Event, Family, malformed, not_an_object
from providers.emulated.question import Question, Turn


class Told(NamedTuple):
    """An answer, and how to write it. `output_tokens`: of all its choices."""

    answer: Answer
    reply: Callable[[], dict[str, Any]]
    events: Callable[[], Iterable[Event]]
    output_tokens: int


# By what a model's own id begins with; the first that fits.
_MAKERS: tuple[tuple[str, Maker], ...] = (
    ("amazon.titan-embed-text-v2", bedrock_embeddings.titan_2),
    ("amazon.titan-embed-image", bedrock_embeddings.titan_image),
    ("amazon.titan-embed", bedrock_embeddings.titan_1),
    ("amazon.nova-2-multimodal-embeddings", bedrock_embeddings.nova),
    ("amazon.titan-image", bedrock_images.amazon),
    ("amazon.nova-canvas", bedrock_images.amazon),
    ("amazon.rerank", rerank),
    ("cohere.rerank", rerank),
    ("cohere.embed", bedrock_embeddings.cohere),
    ("stability.", bedrock_images.stability),
)
_FAMILIES: tuple[tuple[str, Family], ...] = (
    ("amazon.nova", NOVA),
    ("amazon.titan", TITAN),
    ("meta.llama", LLAMA),
    ("cohere.command", COMMAND_R),
)
# For models whose id tells nothing: by a member that only bodies of this kind have.
_MAKERS_BY_MEMBER: Mapping[str, Maker] = {
    "texts": bedrock_embeddings.cohere,
    "taskType": bedrock_images.amazon,
    "text_prompts": bedrock_images.stability,
}
_FAMILIES_BY_MEMBER: Mapping[str, Family] = {
    "textGenerationConfig": TITAN,
    "inputText": TITAN,
    "max_gen_len": LLAMA,
    "max_tokens_to_sample": CLAUDE_PROMPT,
    "message": COMMAND_R,
    "inferenceConfig": NOVA,
    "schemaVersion": NOVA,
}


def answer_invoke(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """The reply to InvokeModel. Raises Refusal, Refused, CannedFailure."""
    model = request.call.model or ""
    body = _body(request)
    maker = _maker(model, body)
    if maker is not None:
        return _make(request, desk, maker, body, model)
    told = _tell(request, desk, body, model, is_streaming=False)
    answer = told.answer
    reply = orjson.dumps(told.reply())
    fields = [*headers(request), *_counts(answer, told.output_tokens), *_echoes(request)]
    return EmulatedReply(200, fields, reply, told.output_tokens, answer.whole_delay_s, answer.is_repeatable)


def answer_invoke_stream(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """The reply to InvokeModelWithResponseStream. Raises Refusal, Refused, CannedFailure."""
    model = request.call.model or ""
    body = _body(request)
    if _maker(model, body) is not None:
        raise Refusal("The model is unsupported for streaming")
    told = _tell(request, desk, body, model, is_streaming=True)
    answer = told.answer
    digest = answer.digest
    events = list(told.events())
    last, tokens, delay_s = events[-1]
    metrics = orjson.dumps(_metrics(answer, told.output_tokens))
    events[-1] = (b'%b,"amazon-bedrock-invocationMetrics":%b}' % (last[:-1], metrics), tokens, delay_s)
    frames = [
        Frame(chunk(event, PADDINGS[digest[place & 31]]), tokens, delay_s)
        for place, (event, tokens, delay_s) in enumerate(events)
    ]
    fields = [
        (b"content-type", CONTENT_TYPE),
        (b"x-amzn-requestid", request.request_id.encode()),
        (b"x-amzn-bedrock-content-type", b"application/json"),
        *_echoes(request),
    ]
    return EmulatedReply(200, fields, frames, delay_s=answer.delay_s, is_repeatable=answer.is_repeatable)


def read_invoke(request: EmulatedRequest, desk: Desk, data: bytes, model: str) -> Question:
    """The question that InvokeModel would ask with this body: for counting. Raises Refusal, Refused."""
    body = parse_object(data, not_an_object())
    family = _family(model, body)
    if isinstance(family, Family):
        return family.read(body, "count_tokens", model)
    if family == "claude":
        return read_claude(request, body, operation="count_tokens", model=model, is_counting=True).question
    return bedrock_chat.read(body, desk, operation="count_tokens", model=model, is_streaming=False).question


def _body(request: EmulatedRequest) -> dict[str, Any]:
    body = parse_object(request.body, not_an_object())
    if not body:
        raise malformed("#: minimum size: 1, found: 0")
    return body


def _maker(model: str, body: dict[str, Any]) -> Maker | None:
    """What makes a reply without prose, None for models that write."""
    name = base_id(model)
    for start, maker in _MAKERS:
        if name.startswith(start):
            return maker
    if "." in name:
        return None
    return next((maker for member, maker in _MAKERS_BY_MEMBER.items() if member in body), None)


def _family(model: str, body: dict[str, Any]) -> Family | Literal["claude", "chat"]:
    """A family, or "claude" or "chat", which have readers of their own."""
    name = base_id(model)
    for start, family in _FAMILIES:
        if name.startswith(start):
            return family
    if name.startswith("anthropic.") or "anthropic_version" in body:
        return CLAUDE_PROMPT if "prompt" in body and "messages" not in body else "claude"
    if "." not in name:
        for member, family in _FAMILIES_BY_MEMBER.items():
            if member in body:
                return family
    if "prompt" in body and "messages" not in body:
        return DEEPSEEK if name.startswith("deepseek.") else MISTRAL
    return "chat"


def _tell(request: EmulatedRequest, desk: Desk, body: dict[str, Any], model: str, *, is_streaming: bool) -> Told:
    family = _family(model, body)
    operation = "invoke.stream" if is_streaming else "invoke"
    if isinstance(family, Family):
        answer = desk.answer(family.read(body, operation, model))
        return Told(
            answer,
            lambda: family.reply(body, model, answer),
            lambda: family.events(body, model, answer),
            answer.output_tokens,
        )
    if family == "claude":
        asked = read_claude(request, body, operation=operation, model=model)
        answer = desk.answer(asked.question)
        return Told(
            answer,
            lambda: message_reply(answer, asked),
            # A ping keeps server-sent events alive; frames carry none.
            lambda: [event[1:] for event in message_events(answer, asked) if event.name != "ping"],
            answer.output_tokens,
        )
    chat = bedrock_chat.read(body, desk, operation=operation, model=model, is_streaming=is_streaming)
    answers = [desk.answer(chat.question, index) for index in range(chat.choices)]
    return Told(
        answers[0],
        lambda: bedrock_chat.reply(chat, answers),
        lambda: bedrock_chat.events(chat, answers),
        sum([answer.output_tokens for answer in answers]),
    )


def _make(
    request: EmulatedRequest, desk: Desk, maker: Maker, body: dict[str, Any], model: str
) -> EmulatedReply:  # fmt: skip
    made = maker(body, model)
    is_repeatable = intercept(desk, "invoke", model, body, made)
    fields: list[Header] = [
        *headers(request),
        (b"x-amzn-bedrock-invocation-latency", b"%d" % (80 + made.input_tokens // 8)),
        (b"x-amzn-bedrock-input-token-count", b"%d" % made.input_tokens),
        *_echoes(request),
    ]
    return EmulatedReply(200, fields, orjson.dumps(made.reply), is_repeatable=is_repeatable)


def intercept(desk: Desk, operation: str, model: str, body: dict[str, Any], made: Made) -> bool:
    """Lets a canned reply take the place of one without prose. Raises Refused, CannedFailure."""
    return desk.intercept(Question(operation, model, digest_of(body, model), [Turn("user", made.prompt)]))


def _counts(answer: Answer, output_tokens: int) -> list[Header]:
    cached, written = answer.cached_tokens, answer.cache_write_tokens
    fields = [
        (b"x-amzn-bedrock-invocation-latency", b"%d" % latency_ms(answer)),
        (b"x-amzn-bedrock-input-token-count", b"%d" % (answer.input_tokens - cached - written)),
        (b"x-amzn-bedrock-output-token-count", b"%d" % output_tokens),
    ]
    if cached or written:
        fields += (
            (b"x-amzn-bedrock-cache-read-input-token-count", b"%d" % cached),
            (b"x-amzn-bedrock-cache-write-input-token-count", b"%d" % written),
        )
    return fields


def _metrics(answer: Answer, output_tokens: int) -> dict[str, int]:
    cached, written = answer.cached_tokens, answer.cache_write_tokens
    metrics = {
        "inputTokenCount": answer.input_tokens - cached - written,
        "outputTokenCount": output_tokens,
        "invocationLatency": latency_ms(answer),
        "firstByteLatency": 180 + answer.digest[31] % 64,
    }
    if cached or written:
        metrics |= {"cacheReadInputTokenCount": cached, "cacheWriteInputTokenCount": written}
    return metrics


_ECHOED = (b"x-amzn-bedrock-performanceconfig-latency", b"x-amzn-bedrock-service-tier")


def _echoes(request: EmulatedRequest) -> list[Header]:
    """The headers that say how the request was served: as it asked."""
    given = request.headers
    return [(name, given[name]) for name in _ECHOED if name in given]
