"""Converse replies: an answer as one message, or as the events of ConverseStream. Nova streams the same events.

Source: bedrock-runtime service-2.json (botocore 1.44.5), ConverseResponse and ConverseStreamOutput; read November 2026.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from providers.emulated import tokens
from providers.emulated.answer import Answer, Stop, hexadecimal
from providers.emulated.base import Frame
from providers.emulated.dialects.bedrock_frames import PADDINGS, Framer
from providers.emulated.question import ToolUse
from providers.wire.json_body import mapping, parse

STOP_REASONS: Mapping[Stop, str] = {
    Stop.END: "end_turn",
    Stop.LENGTH: "max_tokens",
    Stop.SEQUENCE: "stop_sequence",
    Stop.TOOLS: "tool_use",
    Stop.REFUSAL: "content_filtered",
}
_FRAMERS = {
    name: Framer(name)
    for name in (
        "messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata",
    )
}  # fmt: skip
_ENDINGS = tuple(b',"p":"%b"}' % padding for padding in PADDINGS)

Event = tuple[str, bytes, int, float]
"""An event's name, its JSON, the tokens generated for it, and a wait before it."""


def converse_reply(body: Mapping[str, Any], answer: Answer) -> bytes:
    """The whole reply to a Converse body."""
    reply: dict[str, Any] = {
        "metrics": {"latencyMs": latency_ms(answer)},
        "output": {"message": {"content": content_blocks(answer), "role": "assistant"}},
        "stopReason": STOP_REASONS[answer.stop],
        "usage": usage(answer, body),
    }
    fields = _asked_fields(body, answer)
    if fields:
        reply["additionalModelResponseFields"] = fields
    return orjson.dumps(reply | _echoes(body))


def converse_frames(body: Mapping[str, Any], answer: Answer) -> list[Frame]:
    """The frames of a ConverseStream reply."""
    metadata = {"metrics": {"latencyMs": latency_ms(answer)}, "usage": usage(answer, body)} | _echoes(body)
    fields = _asked_fields(body, answer)
    events = message_events(answer, orjson.dumps(metadata), orjson.dumps(fields) if fields else b"")
    digest = answer.digest
    return [
        Frame(_FRAMERS[name].frame(payload[:-1] + _ENDINGS[digest[place & 31]]), generated, delay_s)
        for place, (name, payload, generated, delay_s) in enumerate(events)
    ]


def message_events(answer: Answer, metadata: bytes, fields: bytes = b"") -> Iterator[Event]:
    """The events of one message, in order. `metadata` and `fields` are JSON objects."""
    yield "messageStart", b'{"role":"assistant"}', 0, 0.0
    index = 0
    if answer.thinking_pieces:
        start = b'{"contentBlockIndex":0,"delta":{"reasoningContent":{"%b":%b}}}'
        for thought in answer.thinking_pieces:
            yield "contentBlockDelta", start % (b"text", orjson.dumps(thought)), 1, 0.0
        yield "contentBlockDelta", start % (b"signature", orjson.dumps(signature(answer))), 0, 0.0
        yield "contentBlockStop", b'{"contentBlockIndex":0}', 0, 0.0
        index = 1
    if answer.pieces:
        before = b'{"contentBlockIndex":%d,"delta":{"text":' % index
        for piece in answer.pieces:
            yield "contentBlockDelta", b"%b%b}}" % (before, orjson.dumps(piece.text)), 1, piece.delay_s
        yield "contentBlockStop", b'{"contentBlockIndex":%d}' % index, 0, 0.0
        index += 1
    for use in answer.tool_uses:
        started = orjson.dumps({"toolUse": {"name": use.name, "toolUseId": tool_use_id(use.id)}})
        yield "contentBlockStart", b'{"contentBlockIndex":%d,"start":%b}' % (index, started), 0, 0.0
        before = b'{"contentBlockIndex":%d,"delta":{"toolUse":{"input":' % index
        for part in tokens.pieces(use.arguments) if _is_whole(use) else ():
            yield "contentBlockDelta", b"%b%b}}}" % (before, orjson.dumps(part)), 1, 0.0
        yield "contentBlockStop", b'{"contentBlockIndex":%d}' % index, 0, 0.0
        index += 1
    reason = STOP_REASONS[answer.stop].encode()
    stop = b'{"additionalModelResponseFields":%b,"stopReason":"%b"}' % (fields, reason) if fields else None
    yield "messageStop", stop or b'{"stopReason":"%b"}' % reason, 0, 0.0
    yield "metadata", metadata, 0, 0.0


def content_blocks(answer: Answer) -> list[dict[str, Any]]:
    """The blocks of the reply's message: what was thought, what is said, what is called."""
    blocks: list[dict[str, Any]] = []
    if answer.thinking_pieces:
        thought = {"signature": signature(answer), "text": answer.thinking}
        blocks.append({"reasoningContent": {"reasoningText": thought}})
    if answer.pieces:
        blocks.append({"text": answer.text})
    for use in answer.tool_uses:
        called = {"input": tool_input(use), "name": use.name, "toolUseId": tool_use_id(use.id)}
        blocks.append({"toolUse": called})
    return blocks


def tool_input(use: ToolUse) -> orjson.Fragment:
    """The arguments as JSON: an empty object when they were cut off."""
    return orjson.Fragment(use.arguments if _is_whole(use) else "{}")


def _is_whole(use: ToolUse) -> bool:
    return type(parse(use.arguments.encode("utf-8", "replace"))) is dict


def tool_use_id(id: str) -> str:
    """The id of a tool call as Bedrock writes it."""
    return f"tooluse_{id[:22]}"


def signature(answer: Answer) -> str:
    """What stands for the signature of the thinking: to be sent back with it, and not looked at."""
    return b64encode(bytes.fromhex(hexadecimal(answer.digest, "signature", 64)) * 3).decode()


def latency_ms(answer: Answer) -> int:
    """What a model would have taken: the same for the same request, so that its reply is."""
    return 180 + 9 * answer.output_tokens + answer.digest[31] % 64


def usage(answer: Answer, body: Mapping[str, Any]) -> dict[str, Any]:
    """`inputTokens` leaves out what the prompt cache gave and took."""
    cached, written = answer.cached_tokens, answer.cache_write_tokens
    counted: dict[str, Any] = {
        "inputTokens": answer.input_tokens - cached - written,
        "outputTokens": answer.output_tokens,
        "totalTokens": answer.input_tokens + answer.output_tokens,
        "cacheReadInputTokens": cached,
        "cacheWriteInputTokens": written,
    }
    if written:
        counted["cacheDetails"] = [{"inputTokens": written, "ttl": _ttl(body)}]
    return counted


def _ttl(body: Mapping[str, Any]) -> str:
    """How long the prompt cache keeps what is written: as long as any cache point asks for."""
    messages = [mapping(message).get("content") for message in body.get("messages") or ()]
    for blocks in (mapping(body, "toolConfig").get("tools"), body.get("system"), *messages):
        for block in blocks or ():
            if mapping(block, "cachePoint").get("ttl") == "1h":
                return "1h"
    return "5m"


def _echoes(body: Mapping[str, Any]) -> dict[str, Any]:
    """The members that say how the request was served: as it asked."""
    found: dict[str, Any] = {}
    latency = mapping(body, "performanceConfig").get("latency")
    if latency in ("standard", "optimized"):
        found["performanceConfig"] = {"latency": latency}
    tier = mapping(body, "serviceTier").get("type")
    if tier in ("priority", "default", "flex", "reserved"):
        found["serviceTier"] = {"type": tier}
    return found


def _asked_fields(body: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    """Members of the model's own reply that the request points at; what it does not have is left out."""
    pointers = body.get("additionalModelResponseFieldPaths")
    if not pointers:
        return {}
    own = {"stop_reason": STOP_REASONS[answer.stop], "stop_sequence": answer.stop_sequence, "role": "assistant"}
    return {pointer[1:]: own[pointer[1:]] for pointer in pointers if pointer[1:] in own}
