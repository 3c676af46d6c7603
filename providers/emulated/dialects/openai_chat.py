"""Chat completions in OpenAI's dialect, as OpenAI, Azure OpenAI, Vertex AI, Gemini and Bedrock answer them.

    answer_chat(request, desk, shape=SHAPE) -> EmulatedReply

`shape` (openai_errors.Shape) holds what differs between them: error bodies, reply headers, model names, content filter
results, and how much is refused that only OpenAI's own models refuse.

Source: openai-python 3.54.0 `types/chat/chat_completion.py`, read November 2026.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

import orjson

from providers.base import Usage
from providers.emulated import media
from providers.emulated.answer import Answer, Stop, alphanumeric, created_at, hexadecimal
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_chat_request import ChatRequest, read_chat
from providers.emulated.dialects.openai_chat_stream import stream_chat
from providers.emulated.dialects.openai_errors import EVENT_STREAM, Invalid, Shape, dump, read_object, stream_reply
from providers.emulated.dialects.openai_filters import CHOICE_FILTERS, PROMPT_FILTERS
from providers.emulated.dialects.openai_logprobs import token_logprobs
from providers.emulated.dialects.openai_moderations import moderated

_FINISH = {
    Stop.END: "stop",
    Stop.SEQUENCE: "stop",
    Stop.LENGTH: "length",
    Stop.TOOLS: "tool_calls",
    Stop.REFUSAL: "stop",
}


def answer_chat(request: EmulatedRequest, desk: Desk, *, shape: Shape, model: str | None = None) -> EmulatedReply:
    """The reply, unary or streamed. `model`: the one the path names, if it does. Raises Refused, CannedFailure."""
    try:
        asked = read_chat(read_object(request.body), desk, shape, model)
    except Invalid as invalid:
        return shape.error(request, invalid)
    return reply_to(asked, request, desk, shape)


def reply_to(asked: ChatRequest, request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    """The reply to a request that is in order. Raises Refused, CannedFailure."""
    first = desk.answer(asked.question)
    answers = [first]
    if asked.choices > 1:
        answers += [desk.answer(asked.question, index) for index in range(1, asked.choices)]
    model = shape.model(request, asked.question.model)
    head = {
        "id": "chatcmpl-" + alphanumeric(first.digest, "chatcmpl", 29),
        "object": "chat.completion",
        "created": created_at(first.digest),
        "model": model,
    }
    usage = usage_of(answers, has_audio=asked.audio_format is not None)
    tail: dict[str, Any] = {
        "service_tier": asked.service_tier,
        "system_fingerprint": fingerprint(asked.question.model),
    }
    if asked.moderation_model is not None:
        tail["moderation"] = _moderation(asked, answers)
    is_repeatable = all(answer.is_repeatable for answer in answers)
    choices = [choice(asked, answer, index) for index, answer in enumerate(answers)]
    if asked.body.get("store") is True:
        keep(desk, asked, {**head, "choices": choices, "usage": usage, **tail})
    total = usage["total_tokens"]
    if asked.is_streaming:
        head["object"] = "chat.completion.chunk"
        moderation = tail.pop("moderation", None)
        frames = stream_chat(
            asked,
            answers,
            choices,
            head | tail,
            usage,
            filters_content=shape.filters_content,
            moderation=moderation,
        )
        reply = stream_reply(shape, request, frames, total, is_repeatable=is_repeatable)
        reply.make_headers = lambda again: shape.headers(again, total, EVENT_STREAM)
    else:
        if shape.filters_content:
            head["prompt_filter_results"] = PROMPT_FILTERS
            for made in choices:
                made["content_filter_results"] = {} if made["message"].get("tool_calls") else CHOICE_FILTERS
        body = orjson.dumps({**head, "choices": choices, "usage": usage, **tail})
        reply = EmulatedReply(200, shape.headers(request, total), body, tokens=usage["completion_tokens"])
        reply.is_repeatable = is_repeatable
        reply.make_headers = lambda again: shape.headers(again, total)
    if asked.is_streaming and not asked.includes_usage:
        reply.usage = Usage(model=model or None, service_tier=asked.service_tier)
    elif asked.audio_format is None:
        reply.usage = Usage(
            input_tokens=first.input_tokens,
            output_tokens=usage["completion_tokens"],
            cached_tokens=first.cached_tokens,
            reasoning_tokens=usage["completion_tokens_details"]["reasoning_tokens"],
            model=model or None,
            service_tier=asked.service_tier,
        )
    reply.delay_s = first.delay_s if asked.is_streaming else first.whole_delay_s
    return reply


def keep(desk: Desk, asked: ChatRequest, completion: dict[str, Any]) -> None:
    """Stores a completion, with what is told of it later."""
    question, body = asked.question, asked.body
    completion |= {
        "request_id": None,
        "tool_choice": body.get("tool_choice"),
        "seed": question.seed,
        "top_p": body.get("top_p", 1.0),
        "temperature": 1.0 if question.temperature is None else question.temperature,
        "presence_penalty": body.get("presence_penalty", 0.0),
        "frequency_penalty": body.get("frequency_penalty", 0.0),
        "input_user": body.get("user"),
        "tools": body.get("tools"),
        "metadata": body.get("metadata") or {},
        "response_format": body.get("response_format"),
    }
    stored = {"completion": completion, "messages": body["messages"]}
    desk.shelf.put("chat.completion", completion["id"], stored, len(dump(completion)) + len(dump(body["messages"])))


def _moderation(asked: ChatRequest, answers: list[Answer]) -> dict[str, Any]:
    model = asked.moderation_model or ""
    turns = asked.question.turns
    said = "\n".join([turn.text for turn in turns if turn.role == "user"])
    has_image = any("image" in turn.attachments for turn in turns)
    return {
        "input": moderated(model, said, has_image=has_image),
        "output": moderated(model, "\n".join([answer.text for answer in answers])),
    }


def choice(asked: ChatRequest, answer: Answer, index: int) -> dict[str, Any]:
    """One of a reply's `choices`."""
    text: str | None = answer.text
    uses = answer.tool_uses
    finish = _FINISH[answer.stop]
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    if uses:
        message["content"] = text or None
        if asked.is_legacy:
            message["function_call"] = {"name": uses[0].name, "arguments": uses[0].arguments}
            finish = "function_call" if finish == "tool_calls" else finish
        else:
            message["tool_calls"] = [
                {
                    "id": "call_" + use.id,
                    "type": "function",
                    "function": {"name": use.name, "arguments": use.arguments},
                }
                if use.name not in asked.custom
                else {"id": "call_" + use.id, "type": "custom", "custom": custom_call(use.name, use.arguments)}
                for use in uses
            ]
        if asked.is_tool_named and finish != "length":
            # Chosen on purpose: a call that was asked for by name is no decision of the model.
            # Source: platform.openai.com/docs/guides/function-calling, read November 2026.
            finish = "stop"
    elif answer.stop is Stop.REFUSAL:
        message["content"], message["refusal"] = None, text
    elif asked.audio_format is not None:
        message["content"] = None
        message["audio"] = {
            "id": "audio_" + hexadecimal(answer.digest, f"audio {index}", 32),
            "data": base64.b64encode(media.speech(asked.audio_format.removesuffix("16"), text or "")[0]).decode(),
            "expires_at": created_at(answer.digest) + 3600,
            "transcript": text,
        }
    logprobs: Any = None
    if asked.logprobs is not None:
        found = [token_logprobs(answer.digest, piece.text, asked.logprobs) for piece in answer.pieces]
        is_refusal = message["refusal"] is not None
        logprobs = {"content": None if is_refusal else found, "refusal": found if is_refusal else None}
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}


def custom_call(name: str, arguments: str) -> dict[str, str]:
    """A call of a tool that takes plain text."""
    try:
        given = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        given = None
    return {"name": name, "input": str(given["input"]) if isinstance(given, dict) and "input" in given else arguments}


def usage_of(answers: list[Answer], *, has_audio: bool = False) -> dict[str, Any]:
    """The prompt counts once, however many answers there are to it."""
    first = answers[0]
    output = reasoning = 0
    for answer in answers:
        output += answer.output_tokens
        reasoning += answer.reasoning_tokens
    return {
        "prompt_tokens": first.input_tokens,
        "completion_tokens": output,
        "total_tokens": first.input_tokens + output,
        "prompt_tokens_details": {"cached_tokens": first.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": output - reasoning if has_audio else 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


@lru_cache(256)
def fingerprint(model: str) -> str:
    """The same for the same model, as long as nothing changes."""
    return "fp_" + hexadecimal(model.encode("utf-8", "surrogatepass"), "fingerprint", 10)
