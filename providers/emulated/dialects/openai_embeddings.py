"""Embeddings in OpenAI's dialect, as floats and in base64.

Source: openai-python 3.54.0 `types/embedding_create_params.py`, and refusals quoted in public issue reports, read
November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.emulated import tokens
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects import openai_checks as checks
from providers.emulated.dialects.openai_errors import Invalid, Shape, dump, intercept, missing, read_object
from providers.emulated.dialects.openai_models import KNOWN
from providers.emulated.embedding import embed, to_base64

_DIMENSIONS = {"text-embedding-3-large": 3072, "text-embedding-3-small": 1536, "text-embedding-ada-002": 1536}
_USUAL_DIMENSIONS = 1536
_MOST_INPUTS = 2048
_MOST_TOKENS = 8192
_MOST_TOKENS_TOGETHER = 300_000

_CHECKS: Mapping[str, checks.Check] = {
    "dimensions": checks.integer(1),
    "encoding_format": checks.one_of("float", "base64"),
    "input": checks.anything,
    "model": checks.text,
    "user": checks.text,
}


def answer_embeddings(request: EmulatedRequest, desk: Desk, *, shape: Shape, model: str | None = None) -> EmulatedReply:
    """`embeddings`. `model`: the one the path names, if it does. Raises Invalid, Refused, CannedFailure."""
    body = read_object(request.body)
    model = checks.model_of(body) if model is None else model
    if "input" not in body:
        raise missing("input")
    checks.check_members(body, _CHECKS, is_lenient=shape.is_lenient, unknown=checks.unrecognized_argument)
    shape.check_model(desk, model)
    if not shape.is_lenient and model in KNOWN and not model.startswith("text-embedding"):
        refusal = Invalid("You are not allowed to generate embeddings from this model", status=403)
        raise shape.unfit("embeddings", model, refusal)
    dimensions = _dimensions(body, model)
    inputs = _inputs(body["input"])
    is_repeatable = intercept(desk, "embeddings", model, request, inputs[0][0])
    counts = [count for _, count in inputs]
    for count in counts:
        if count > _MOST_TOKENS:
            raise Invalid(
                f"This model's maximum context length is {_MOST_TOKENS} tokens, however you requested {count} tokens "
                f"({count} in your prompt; 0 for the completion). Please reduce your prompt; or completion length."
            )
    total = sum(counts)
    if total > _MOST_TOKENS_TOGETHER:
        raise Invalid(
            f"Requested {total} tokens, max {_MOST_TOKENS_TOGETHER} tokens per request",
            code="max_tokens_per_request",
            type="max_tokens_per_request",
        )
    is_base64 = body.get("encoding_format") == "base64"
    data = []
    for index, (text, _) in enumerate(inputs):
        vector = embed(text, dimensions)
        data.append({"object": "embedding", "index": index, "embedding": to_base64(vector) if is_base64 else vector})
    reply = {
        "object": "list",
        "data": data,
        "model": shape.model(request, model),
        "usage": {"prompt_tokens": total, "total_tokens": total},
    }
    return EmulatedReply(200, shape.headers(request, total), dump(reply), is_repeatable=is_repeatable)


def _dimensions(body: Mapping[str, Any], model: str) -> int:
    most = _DIMENSIONS.get(model)
    asked: int | None = body.get("dimensions")
    if asked is None:
        return most or _USUAL_DIMENSIONS
    if model == "text-embedding-ada-002":
        raise Invalid("This model does not support specifying dimensions.")
    if asked > (most or 4096):
        raise Invalid(
            f"Invalid value for 'dimensions' = {asked}. Must be less than or equal to {most or 4096}.", "dimensions"
        )
    return asked


def _inputs(value: Any) -> list[tuple[str, int]]:
    """Texts and their tokens. Token ids stand for themselves."""
    if isinstance(value, str):
        return [_text(value)]
    if not isinstance(value, list):
        raise _invalid_input()
    if not value:
        raise _invalid_input()
    if _are_tokens(value):
        return [_token_text(value)]
    checks.check_length(value, "input", 1, _MOST_INPUTS)
    found = []
    for entry in value:
        if isinstance(entry, str):
            found.append(_text(entry))
        elif isinstance(entry, list) and entry and _are_tokens(entry):
            found.append(_token_text(entry))
        else:
            raise _invalid_input()
    return found


def _text(value: str) -> tuple[str, int]:
    if not value:
        raise _invalid_input()
    return value, tokens.count(value)


def _are_tokens(value: list[Any]) -> bool:
    return all(type(entry) is int and entry >= 0 for entry in value)


def _token_text(value: list[int]) -> tuple[str, int]:
    return " ".join([str(entry) for entry in value]), len(value)


def _invalid_input() -> Invalid:
    return Invalid(
        "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
    )
