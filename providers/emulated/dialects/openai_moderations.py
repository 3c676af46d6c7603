"""Moderations in OpenAI's dialect: some plain words are flagged.

Source: openai-python 3.54.0 `types/moderation.py`, and platform.openai.com/docs/guides/moderation, read November 2026.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any

from providers.emulated.answer import hexadecimal
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects import openai_checks as checks
from providers.emulated.dialects.openai_errors import (
    Invalid,
    Shape,
    digest,
    dump,
    intercept,
    missing,
    read_object,
    unsupported_value,
    wrong_type,
)

_CATEGORIES = (
    "harassment", "harassment/threatening", "sexual", "hate", "hate/threatening", "illicit", "illicit/violent",
    "self-harm/intent", "self-harm/instructions", "self-harm", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip
_OF_IMAGES = {"self-harm", "self-harm/intent", "self-harm/instructions", "sexual", "violence", "violence/graphic"}
# A word -> the categories it is flagged for.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "attack": ("violence",),
    "bomb": ("violence", "illicit", "illicit/violent"),
    "explosive": ("violence", "illicit", "illicit/violent"),
    "gore": ("violence", "violence/graphic"),
    "hate": ("hate", "harassment"),
    "idiot": ("harassment",),
    "kill": ("violence",),
    "meth": ("illicit",),
    "murder": ("violence",),
    "porn": ("sexual",),
    "shoot": ("violence",),
    "shoplift": ("illicit",),
    "stab": ("violence", "violence/graphic"),
    "stupid": ("harassment",),
    "suicide": ("self-harm", "self-harm/intent"),
    "torture": ("violence", "violence/graphic"),
}
_FLAGGED = re.compile(rf"\b({'|'.join(_WORDS)})(?:s|ed|er|ing|ling)?\b", re.IGNORECASE)
_THREAT = re.compile(r"\b(?:going to|gonna|will|i'll) (?:kill|hurt|murder|shoot|stab|attack)\b", re.IGNORECASE)
_CHECKS: Mapping[str, checks.Check] = {"input": checks.anything, "model": checks.text}
_MOST_CHARACTERS = 100_000


def answer_moderations(request: EmulatedRequest, desk: Desk, *, shape: Shape) -> EmulatedReply:
    """`moderations`. Raises Invalid, Refused, CannedFailure."""
    body = read_object(request.body)
    if body.get("input") is None:
        raise missing("input")
    checks.check_members(body, _CHECKS, is_lenient=shape.is_lenient, unknown=checks.unrecognized_argument)
    model = body.get("model") or "omni-moderation-latest"
    shape.check_model(desk, model)
    if "moderation" not in model and not shape.is_lenient:
        raise Invalid(
            f"Invalid value for 'model' = {model}. Please check the OpenAPI documentation and try again.", "model"
        )
    inputs = _inputs(body["input"])
    is_repeatable = intercept(desk, "moderations", model, request, inputs[0][0])
    reply = {
        "id": "modr-" + hexadecimal(digest(body), "modr", 32),
        "model": "text-moderation-007" if model.startswith("text-moderation") else model,
        "results": [_result(text, has_text=has_text, has_image=has_image) for text, has_text, has_image in inputs],
    }
    return EmulatedReply(200, shape.headers(request), dump(reply), is_repeatable=is_repeatable)


def moderated(model: str, text: str, *, has_image: bool = False) -> dict[str, Any]:
    """What a completion that asks for moderation tells of its prompt or of its answer."""
    result = {"type": "moderation_result", "model": model, **_result(text, has_text=bool(text), has_image=has_image)}
    return {"type": "moderation_results", "model": model, "results": [result]}


def _inputs(value: Any) -> list[tuple[str, bool, bool]]:
    """Texts, and whether there is text and an image: one for a text, one each for texts, one for all parts together."""
    if isinstance(value, str):
        return [(value, True, False)]
    if not isinstance(value, list):
        raise wrong_type("input", "one of a string, array of strings, or array of objects", value)
    checks.check_length(value, "input", 1, None)
    if isinstance(value[0], str):
        for index, entry in enumerate(value):
            checks.text(entry, f"input[{index}]")
        return [(entry, True, False) for entry in value]
    texts = []
    has_image = False
    for index, part in enumerate(value):
        param = f"input[{index}]"
        checks.mapping(part, param)
        kind = part.get("type")
        if kind == "text":
            if part.get("text") is None:
                raise missing(f"{param}.text")
            checks.text(part["text"], f"{param}.text")
            texts.append(part["text"])
        elif kind == "image_url":
            if part.get("image_url") is None:
                raise missing(f"{param}.image_url")
            checks.mapping(part["image_url"], f"{param}.image_url")
            if not isinstance(part["image_url"].get("url"), str):
                raise missing(f"{param}.image_url.url")
            has_image = True
        else:
            if kind is None:
                raise missing(f"{param}.type")
            checks.text(kind, f"{param}.type")
            raise unsupported_value(f"{param}.type", kind, ("text", "image_url"))
    return [(" ".join(texts), bool(texts), has_image)]


def _result(text: str, *, has_text: bool, has_image: bool) -> dict[str, Any]:
    found: set[str] = set()
    looked_at = text[:_MOST_CHARACTERS]
    for match in _FLAGGED.finditer(looked_at):
        found.update(_WORDS[match[1].lower()])
    if _THREAT.search(looked_at):
        found.add("harassment/threatening")
    scores = {}
    applied = {}
    for name in _CATEGORIES:
        # Small and different from text to text, as those of a classifier are.
        roll = zlib.crc32(f"{name}\0{looked_at}".encode("utf-8", "surrogatepass")) % 10_000
        scores[name] = round(0.72 + roll / 40_000, 6) if name in found else round(1e-6 + roll * 2e-7, 9)
        kinds = ["text"] if has_text else []
        if has_image and name in _OF_IMAGES:
            kinds.append("image")
        applied[name] = kinds
    return {
        "flagged": bool(found),
        "categories": {name: name in found for name in _CATEGORIES},
        "category_scores": scores,
        "category_applied_input_types": applied,
    }
