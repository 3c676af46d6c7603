"""OpenAI's models: those that are listed, what replies call them, and which of them reason.

Source: platform.openai.com/docs/models, and openai-python 3.54.0 `types/shared/chat_model.py` and its neighbours, read
November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_errors import Invalid, Shape, dump, intercept, missing_model

_LISTED = """
1743465600 babbage-002 davinci-002 gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-3.5-turbo-16k gpt-3.5-turbo-instruct
1743465600 gpt-3.5-turbo-instruct-0914 gpt-4 gpt-4-0613 gpt-4-turbo gpt-4-turbo-2024-04-09 gpt-4-turbo-preview
1723515131 gpt-4o gpt-4o-2024-05-13 gpt-4o-2024-08-06 gpt-4o-2024-11-20 gpt-4o-mini gpt-4o-mini-2024-07-18
1734034239 gpt-4o-audio-preview gpt-4o-audio-preview-2025-06-03 gpt-4o-mini-audio-preview gpt-audio gpt-audio-mini
1744316542 gpt-4.1 gpt-4.1-2025-04-14 gpt-4.1-mini gpt-4.1-mini-2025-04-14 gpt-4.1-nano gpt-4.1-nano-2025-04-14
1741388720 gpt-4o-search-preview gpt-4o-mini-search-preview
1734375816 o1 o1-2024-12-17 o1-pro o1-mini o3 o3-2025-04-16 o3-mini o3-mini-2025-01-31 o3-pro o4-mini
1744225308 o4-mini-2025-04-16
1754425777 gpt-5 gpt-5-2025-08-07 gpt-5-mini gpt-5-mini-2025-08-07 gpt-5-nano gpt-5-nano-2025-08-07 gpt-5-pro
1754425777 gpt-5-chat-latest
1762800673 gpt-5.1 gpt-5.1-2025-11-13 gpt-5.1-codex gpt-5.1-chat-latest
1765313051 gpt-5.2 gpt-5.2-2025-12-11 gpt-5.2-pro gpt-5.2-chat-latest gpt-5.3-chat-latest
1773705600 gpt-5.4 gpt-5.4-mini gpt-5.4-mini-2026-03-17 gpt-5.4-nano gpt-5.4-nano-2026-03-17
1776902400 gpt-5.5 gpt-5.5-2026-04-23 gpt-5.6-sol gpt-5.6-terra gpt-5.6-luna
1788825600 gpt-6-astra gpt-6-sol gpt-6-luna gpt-6.1-sol gpt-6.1-terra gpt-6.2-astra gpt-6.2-sol
1705948997 text-embedding-3-small text-embedding-3-large text-embedding-ada-002
1731689265 omni-moderation-latest omni-moderation-2024-09-26 text-moderation-latest text-moderation-stable
1698785189 dall-e-2 dall-e-3 gpt-image-1 gpt-image-1-mini gpt-image-1.5 gpt-image-2 gpt-image-2.5-sunburst
1788825600 gpt-image-2.5-flare gpt-image-2.6-sunburst gpt-image-2.6-flare chatgpt-image-latest
1681940951 tts-1 tts-1-hd tts-1-1106 gpt-4o-mini-tts gpt-4o-mini-tts-2025-12-15 whisper-1
1742068463 gpt-4o-transcribe gpt-4o-mini-transcribe gpt-4o-transcribe-diarize
"""
"""Lines of the time of making and the names of models."""

KNOWN: Mapping[str, int] = {
    name: int(line.split()[0]) for line in _LISTED.strip().splitlines() for name in line.split()[1:]
}
"""The models on the list, by name: when they were made, in seconds since the epoch."""

_OWN_DATES = {
    "gpt-3.5-turbo": "gpt-3.5-turbo-0125",
    "gpt-3.5-turbo-instruct": "gpt-3.5-turbo-instruct:20230824-v2",
    "gpt-4": "gpt-4-0613",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini-audio-preview": "gpt-4o-mini-audio-preview-2024-12-17",
    "gpt-4o-mini-search-preview": "gpt-4o-mini-search-preview-2025-03-11",
    "gpt-4o-search-preview": "gpt-4o-search-preview-2025-03-11",
    "gpt-5-pro": "gpt-5-pro-2025-10-06",
    "gpt-5.2-pro": "gpt-5.2-pro-2025-12-11",
    "gpt-audio": "gpt-audio-2025-08-28",
    "gpt-audio-mini": "gpt-audio-mini-2025-12-15",
    "o1-mini": "o1-mini-2024-09-12",
    "o1-pro": "o1-pro-2025-03-19",
    "o3-pro": "o3-pro-2025-06-10",
}
DATED: Mapping[str, str] = _OWN_DATES | {
    name[:-11]: name for name in KNOWN if name[-11:-6].startswith("-20") and name[:-11] not in _OWN_DATES
}
"""Models that replies name with the date of their snapshot."""


def dated(name: str) -> str:
    """The model as replies name it."""
    return DATED.get(name, name)


def is_known(name: str) -> bool:
    """Whether a strict service has the model; fine-tuned ones are made by customers."""
    return name in KNOWN or name in _ALL_DATED or name.startswith("ft:")


_ALL_DATED = frozenset(DATED.values())


def refuses_sampling(model: str) -> bool:
    """Whether a model always thinks before it answers, and takes no temperature and the like."""
    return (model.startswith(("o1", "o3", "o4", "gpt-5-", "codex-mini")) and "chat" not in model) or model == "gpt-5"


def is_reasoning(model: str) -> bool:
    """Whether a model can think before it answers."""
    return model.startswith(("o1", "o3", "o4", "gpt-5", "gpt-6", "codex-mini")) and "chat" not in model


def reasons_unasked(model: str) -> bool:
    """Whether it does when the request does not say how much. Those from 5.1 to 5.4 do not."""
    return is_reasoning(model) and not model.startswith(("gpt-5.1", "gpt-5.2", "gpt-5.3", "gpt-5.4"))


# Beginnings of names, longer ones first, and the tokens that an answer may have at most.
_MOST_OUTPUT = (
    ("gpt-3.5-turbo", 4096),
    ("gpt-4-turbo", 4096),
    ("gpt-4.1", 32_768),
    ("gpt-4o-2024-05-13", 4096),
    ("gpt-4o", 16_384),
    ("gpt-5-chat", 16_384),
    ("gpt-5", 128_000),
    ("o1", 100_000),
    ("o3", 100_000),
    ("o4", 100_000),
)


def most_output_tokens(model: str) -> int | None:
    """How long an answer of a model may be asked to be; None: unknown."""
    return next((most for start, most in _MOST_OUTPUT if model.startswith(start)), None)


def _described(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": KNOWN.get(name, 1_744_000_000),
        "owned_by": "openai-internal" if name.startswith(("tts", "whisper", "text-embedding-ada")) else "system",
    }


def answer_models(request: EmulatedRequest, desk: Desk, *, shape: Shape) -> EmulatedReply:
    """`models.list`, `models.retrieve`, `models.delete`. Raises Invalid."""
    assert request.call.operation is not None
    operation = request.call.operation.name
    model = request.call.model or ""
    is_repeatable = intercept(desk, operation, model, request)
    if operation == "models.list":
        body: Any = {"object": "list", "data": [_described(name) for name in KNOWN]}
    elif desk.is_strict and not is_known(model):
        raise missing_model(model)
    elif operation == "models.retrieve":
        body = _described(model)
    else:
        raise Invalid(
            f"You have insufficient permissions for this operation. The model `{model}` is not one of your own; only "
            "fine-tuned models can be deleted.",
            status=403,
        )
    return EmulatedReply(200, shape.headers(request), dump(body), is_repeatable=is_repeatable)
