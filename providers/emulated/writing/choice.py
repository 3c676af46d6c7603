"""Which of several wordings an answer takes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from providers.emulated.question import Question

T = TypeVar("T")

_SPREAD = 0x9E3779B97F4A7C15  # 2**64 / the golden ratio


@dataclass(slots=True)
class Choice:
    """A row of choices, each of which uses up a part of `number`."""

    number: int

    def of(self, options: Sequence[T]) -> T:
        self.number, place = divmod(self.number, len(options))
        return options[place]

    @property
    def seed(self) -> bytes:
        return (self.number & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")


def choose(question: Question, index: int) -> Choice:
    """The choices for one of the answers to a question.

    With temperature 0 only the prompt decides. With neither temperature nor seed the prompt and the index do; else
    the whole request, its seed included, and the index.
    """
    if question.temperature or (question.temperature is None and question.seed is not None):
        return Choice(int.from_bytes(question.digest[:8], "big") + index)
    prompt = question.prompt[-2048:].encode("utf-8", "surrogatepass")
    number = zlib.crc32(prompt) * _SPREAD % 2**64 // 7
    return Choice(number if question.temperature is not None else number + index)
