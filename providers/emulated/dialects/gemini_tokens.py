"""countTokens and computeTokens: what a prompt counts for before it is sent."""

from __future__ import annotations

import base64
from typing import Any

from providers.emulated import tokens
from providers.emulated.acting import count_input
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.gemini_content import by_modality
from providers.emulated.dialects.gemini_fields import COUNT_TOKENS
from providers.emulated.dialects.gemini_question import ask
from providers.emulated.dialects.google_errors import is_gemini, json_reply, refuse
from providers.emulated.dialects.google_json import read_body


def count_tokens(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """The number that `usageMetadata.promptTokenCount` will say. Raises Refused, CannedFailure."""
    body = read_body(request, COUNT_TOKENS)
    whole = body.get("generateContentRequest")
    if whole is not None:
        if body.get("contents"):
            raise refuse(
                request, "* CountTokensRequest: only one of contents and generate_content_request may be set.\n"
            )
        body = whole
    elif not body.get("contents") and isinstance(body.get("instances"), list):
        body = body | {"contents": _contents_of(body["instances"])}
    asked = ask(request, body, desk)
    is_repeatable = desk.intercept(asked.question) and asked.is_repeatable
    total = count_input(asked.question)
    found: dict[str, Any] = {"totalTokens": total}
    if not is_gemini(request.call.path):
        found["totalBillableCharacters"] = sum(
            len("".join(turn.text.split())) for turn in asked.question.turns
        )  # fmt: skip
    elif asked.cached_tokens:
        found["cachedContentTokenCount"] = min(total, asked.cached_tokens)
    found["promptTokensDetails"] = by_modality(asked.question, total)
    return json_reply(request, found, is_repeatable=is_repeatable)


def compute_tokens(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """The tokens themselves, by content. Raises Refused, CannedFailure."""
    body = read_body(request, COUNT_TOKENS)
    if not body.get("contents") and isinstance(body.get("instances"), list):
        body = body | {"contents": _contents_of(body["instances"])}
    asked = ask(request, body, desk)
    is_repeatable = desk.intercept(asked.question) and asked.is_repeatable
    infos = []
    for content in body["contents"]:
        pieces = [
            piece for part in content["parts"] for piece in tokens.pieces(part.get("text", ""))
        ]  # fmt: skip
        infos.append(
            {
                "tokens": [base64.b64encode(piece.encode()).decode() for piece in pieces],
                "tokenIds": [str(_token_id(piece)) for piece in pieces],
                "role": content.get("role", "user"),
            }
        )
    return json_reply(request, {"tokensInfo": infos}, is_repeatable=is_repeatable)


def _contents_of(instances: list[Any]) -> list[dict[str, Any]]:
    """The older form of both requests."""
    texts = [
        text
        for instance in instances
        if isinstance(instance, dict)
        for text in (instance.get("prompt", instance.get("content")),)
        if isinstance(text, str)
    ]
    return [{"role": "user", "parts": [{"text": text} for text in texts]}] if texts else []


def _token_id(piece: str) -> int:
    """A number below a vocabulary's 262,144, the same for the same token."""
    number = 0
    for byte in piece.encode():
        number = (number * 257 + byte + 1) % 262_139
    return number
