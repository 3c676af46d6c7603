"""What edited replies of Bedrock's models say, and how far they come."""

from __future__ import annotations

REFUSAL = "I'm sorry, but I can't help with that."


def half(text: str) -> str:
    """The first half; of a single character all."""
    return text[: (len(text) + 1) // 2]
