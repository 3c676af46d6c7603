"""InvokeModel for Nova: the parts of Converse in a body and events of its own.

Source: AWS "Amazon Nova: complete request schema", read November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from providers.emulated.answer import Answer
from providers.emulated.dialects.bedrock_converse import read_converse
from providers.emulated.dialects.bedrock_converse_reply import STOP_REASONS, content_blocks, message_events
from providers.emulated.dialects.bedrock_schema import GUARDRAIL, Event, Family
from providers.emulated.question import Question


def _read(body: dict[str, Any], operation: str, model: str) -> Question:
    if GUARDRAIL in body:
        body = {name: value for name, value in body.items() if name != GUARDRAIL}
    return read_converse(body, operation=operation, model=model)


def _reply(body: dict[str, Any], model: str, answer: Answer) -> dict[str, Any]:
    return {
        "output": {"message": {"content": content_blocks(answer), "role": "assistant"}},
        "stopReason": STOP_REASONS[answer.stop],
        "usage": _usage(answer),
    }


def _events(body: dict[str, Any], model: str, answer: Answer) -> Iterator[Event]:
    metadata = orjson.dumps({"usage": _usage(answer), "metrics": {}, "trace": {}})
    for name, payload, generated, delay_s in message_events(answer, metadata):
        yield b'{"%b":%b}' % (name.encode(), payload), generated, delay_s


def _usage(answer: Answer) -> dict[str, int]:
    return {
        "inputTokens": answer.input_tokens - answer.cached_tokens - answer.cache_write_tokens,
        "outputTokens": answer.output_tokens,
        "totalTokens": answer.input_tokens + answer.output_tokens,
        "cacheReadInputTokenCount": answer.cached_tokens,
        "cacheWriteInputTokenCount": answer.cache_write_tokens,
    }


NOVA = Family(_read, _reply, _events)
