"""Log probabilities that go with emulated texts: plausible, in order, and the same for the same text."""

from __future__ import annotations

import math
import zlib
from typing import Any

_OTHERS = (
    " the", " a", ".", ",", " and", " to", " of", " in", " is", " that", " for", " it", " with", " as", " on", " I",
    " be", " this", " or", "\n", " an",
)  # fmt: skip


def probabilities(digest: bytes, token: str, count: int) -> list[float]:
    """Of the token itself and of `count` others, falling; their sum is below 1."""
    roll = zlib.crc32(token.encode("utf-8", "surrogatepass"), zlib.crc32(digest[:8])) % 1000
    own = 0.55 + 0.449 * roll / 1000
    rest = 1 - own
    return [own, *(rest * 0.5**place * 0.9 for place in range(1, count + 1))]


def alternatives(token: str, count: int) -> list[str]:
    """Texts that might have come instead."""
    return [other for other in _OTHERS if other != token][:count]


def token_logprobs(digest: bytes, token: str, top: int) -> dict[str, Any]:
    """One entry of `logprobs.content`. `top`: how many are named, the token itself among them."""
    chances = probabilities(digest, token, max(top - 1, 0))
    named = [token, *alternatives(token, top - 1)] if top else []
    return {
        **_one(token, chances[0]),
        "top_logprobs": [_one(other, chance) for other, chance in zip(named, chances, strict=False)],
    }


def _one(token: str, chance: float) -> dict[str, Any]:
    return {
        "token": token,
        "logprob": round(math.log(chance), 6),
        "bytes": list(token.encode("utf-8", "surrogatepass")),
    }
