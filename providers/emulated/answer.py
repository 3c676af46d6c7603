"""What a model says to a question, whatever dialect it goes out in."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import overload

from providers.emulated import tokens
from providers.emulated.question import ToolUse


class Stop(StrEnum):
    """Why an answer ends."""

    END = "end"
    LENGTH = "length"
    SEQUENCE = "sequence"
    TOOLS = "tools"
    REFUSAL = "refusal"


@dataclass(slots=True)
class Piece:
    """A part of a text as it is streamed: about one token. `delay_s` is a canned reply's."""

    text: str
    delay_s: float = 0.0


class Pieces(Sequence[Piece]):
    """A text as its pieces, one token each. Cut only when they are looked at: most replies go out whole."""

    __slots__ = ("_cut", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._cut: list[Piece] | None = None

    def _pieces(self) -> list[Piece]:
        if self._cut is None:
            self._cut = [*map(Piece, tokens.pieces(self.text))]
        return self._cut

    def __len__(self) -> int:
        return tokens.count(self.text) if self._cut is None else len(self._cut)

    def __bool__(self) -> bool:
        return self.text != ""

    def __iter__(self) -> Iterator[Piece]:
        return iter(self._pieces())

    @overload
    def __getitem__(self, place: int) -> Piece: ...

    @overload
    def __getitem__(self, place: slice) -> list[Piece]: ...

    def __getitem__(self, place: int | slice) -> Piece | list[Piece]:
        return self._pieces()[place]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Pieces):
            return self.text == other.text
        return isinstance(other, list) and self._pieces() == other

    __hash__ = None  # type: ignore[assignment]  # as a list's


def text_of(pieces: Sequence[Piece]) -> str:
    """The pieces joined."""
    return pieces.text if isinstance(pieces, Pieces) else "".join([piece.text for piece in pieces])


@dataclass(slots=True)
class Answer:
    """`text` is the pieces joined, `thinking` its own pieces joined. A tool use's id is an alphanumeric text of 24
    characters for the dialect to put its prefix before. `shows_thinking`: also where the request did not ask to see it.

    `input_tokens` includes cached and cache-write tokens; `output_tokens` includes reasoning tokens and tool calls.
    """

    digest: bytes
    pieces: Sequence[Piece]
    thinking_pieces: list[str]
    tool_uses: list[ToolUse]
    stop: Stop
    stop_sequence: str | None
    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    delay_s: float = 0.0
    is_repeatable: bool = True
    shows_thinking: bool = False

    @property
    def text(self) -> str:
        return text_of(self.pieces)

    @property
    def whole_delay_s(self) -> float:
        """How long a reply waits that is not streamed: for all pieces."""
        if isinstance(self.pieces, Pieces):
            return self.delay_s
        return self.delay_s + sum([piece.delay_s for piece in self.pieces])

    @property
    def thinking(self) -> str:
        return "".join(self.thinking_pieces)


def alphanumeric(digest: bytes, label: str, length: int) -> str:
    """Letters and digits for an id (at most 42), the same for the same digest and label."""
    digits = b64encode(hashlib.sha256(label.encode() + digest).digest(), b"Aa")
    return digits[:length].decode()


def hexadecimal(digest: bytes, label: str, length: int) -> str:
    """Hexadecimal digits for an id (at most 64), the same for the same digest and label."""
    return hashlib.sha256(label.encode() + digest).hexdigest()[:length]


_EPOCH = 1_767_225_600  # 2026-01-01
_SPAN = 25_000_000


def created_at(digest: bytes) -> int:
    """The moment an answer says it was made, in seconds since the epoch: chosen by the request, so that the same
    request gets the same reply byte for byte."""
    return _EPOCH + int.from_bytes(digest[:6], "big") % _SPAN
