"""What a canned reply may be: something a model says, an error of the provider, or a body as it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from providers.base import Header
from providers.emulated.acting import count_input
from providers.emulated.answer import Answer, Piece, Stop, alphanumeric
from providers.emulated.base import CannedFailure, EmulatedReply, Frame, Refused
from providers.emulated.question import Question, ToolUse
from providers.emulated.tokens import count, count_tool_use


@dataclass(frozen=True, slots=True)
class Reply(ABC):
    """One thing to answer. `delay_s`: a wait before it."""

    is_prose: ClassVar[bool] = False
    """Whether it answers a conversation only; the others answer any operation."""
    delay_s: float

    @abstractmethod
    def give(self, question: Question, index: int, *, is_repeatable: bool) -> Answer:
        """The answer to choice `index` of a question. Raises CannedFailure and Refused."""


@dataclass(frozen=True, slots=True)
class Said(Reply):
    """What a model says. `calls` are names and JSON arguments; None tokens are counted."""

    is_prose: ClassVar[bool] = True
    pieces: tuple[Piece, ...]
    thinking_pieces: tuple[str, ...]
    calls: tuple[tuple[str, str], ...]
    stop: Stop
    output_tokens: int
    input_tokens: int | None

    def give(self, question: Question, index: int, *, is_repeatable: bool) -> Answer:
        return Answer(
            digest=question.digest,
            pieces=list(self.pieces),
            thinking_pieces=list(self.thinking_pieces),
            tool_uses=[
                ToolUse(alphanumeric(question.digest, f"tool {index} {number}", 24), name, arguments)
                for number, (name, arguments) in enumerate(self.calls)
            ],
            stop=self.stop,
            stop_sequence=None,
            input_tokens=count_input(question) if self.input_tokens is None else self.input_tokens,
            output_tokens=self.output_tokens,
            reasoning_tokens=min(len(self.thinking_pieces), self.output_tokens),
            delay_s=self.delay_s,
            is_repeatable=is_repeatable,
            shows_thinking=True,
        )


def count_output(texts: tuple[str, ...], thinking_pieces: tuple[str, ...], calls: tuple[tuple[str, str], ...]) -> int:
    """The tokens of an answer's parts together."""
    called = sum(count_tool_use(ToolUse("", name, arguments)) for name, arguments in calls)
    return sum(map(count, texts)) + len(thinking_pieces) + called


@dataclass(frozen=True, slots=True)
class Failure(Reply):
    """An error in the provider's shape. None: what the provider usually says with this status."""

    status: int
    message: str | None
    type: str | None
    code: str | None
    headers: tuple[Header, ...]

    def give(self, question: Question, index: int, *, is_repeatable: bool) -> Answer:
        raise CannedFailure(
            self.status, self.message, type=self.type, code=self.code, headers=self.headers, delay_s=self.delay_s,
            is_repeatable=is_repeatable,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verbatim(Reply):
    """A body sent as it is, whole or as chunks, each with the wait before it."""

    status: int
    headers: tuple[Header, ...]
    body: bytes | tuple[tuple[bytes, float], ...]

    def give(self, question: Question, index: int, *, is_repeatable: bool) -> Answer:
        body = self.body
        sent = body if isinstance(body, bytes) else [Frame(data, delay_s=delay_s) for data, delay_s in body]
        raise Refused(EmulatedReply(self.status, self.headers, sent, delay_s=self.delay_s, is_repeatable=is_repeatable))
