"""What an emulator is: the request it is given, the reply it makes, and the interface that providers implement.

Pure like all of `providers`: the clock's reading and the request's id are values of the request.

    EmulatedRequest -> Emulator.answer -> (a dialect) Question -> Desk.answer -> Answer -> (the dialect) EmulatedReply
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from providers.base import Call, Header, Usage

if TYPE_CHECKING:
    from providers.emulated.desk import Desk


@dataclass(slots=True)
class EmulatedRequest:
    """One request as it would have gone upstream. `headers`: lower-case names, several fields of one name joined by a
    comma. `now`: seconds since the epoch. `request_id`: a UUID of this one request, for reply headers only."""

    method: str
    call: Call
    query: bytes
    headers: Mapping[bytes, bytes]
    body: bytes
    now: float
    request_id: str


@dataclass(slots=True)
class Frame:
    """One piece of a streamed reply. `tokens`: how many were generated for it, which is what a proxy's pace counts.

    `delay_s`: a wait of its own before it, asked for by a canned reply.
    """

    data: bytes
    tokens: int = 0
    delay_s: float = 0.0


@dataclass(slots=True)
class EmulatedReply:
    """A reply: lower-case headers (content-type included; no content-length, no date), the whole body or its frames.

    `tokens`: generated for a whole body, so that it takes the time a model would. `delay_s`: a wait before the head.
    `is_repeatable`: False when the same request may be answered otherwise the next time, so that it is not recorded.
    `usage`: what the whole body says was used, for whoever would read it from there; None where that is left to them.
    `make_headers`: the head of this reply to the same request at another time; None when more than its head depends on
    the moment or on the request's id.
    """

    status: int
    headers: Sequence[Header]
    body: bytes | Sequence[Frame]
    tokens: int = 0
    delay_s: float = 0.0
    is_repeatable: bool = True
    usage: Usage | None = None
    make_headers: Callable[[EmulatedRequest], Sequence[Header]] | None = None


class Refused(Exception):
    """The provider would not take this request; `reply` is its own error reply. Raised by dialects, caught by
    `respond`."""

    def __init__(self, reply: EmulatedReply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class CannedFailure(Exception):
    """A canned reply asks for an error. None: what the provider usually says with this status."""

    def __init__(
        self,
        status: int,
        message: str | None = None,
        *,
        type: str | None = None,
        code: str | None = None,
        headers: Sequence[Header] = (),
        delay_s: float = 0.0,
        is_repeatable: bool = True,
    ) -> None:
        super().__init__(status)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.headers = headers
        self.delay_s = delay_s
        self.is_repeatable = is_repeatable


class Emulator(ABC):
    """One provider, answering by itself. One module in `providers/emulated/` holds one subclass and
    `EMULATOR = Subclass()`. Holds no state of its own: what must be remembered is on the desk."""

    provider: ClassVar[str]
    """The provider's id."""

    @abstractmethod
    def answer(self, request: EmulatedRequest, desk: Desk) -> EmulatedReply:
        """The reply, whatever the request. Raises Refused and CannedFailure, nothing else."""

    @abstractmethod
    def error(
        self, request: EmulatedRequest, status: int, message: str | None, *, type: str | None, code: str | None
    ) -> EmulatedReply:
        """The provider's error reply with any status from 400 to 599; None: its usual message, type or code for it."""


def respond(emulator: Emulator, request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """What `emulator` answers. Never raises for anything a client can send."""
    try:
        return emulator.answer(request, desk)
    except Refused as refusal:
        return refusal.reply
    except CannedFailure as failure:
        made = emulator.error(request, failure.status, failure.message, type=failure.type, code=failure.code)
        replaced = {name for name, _ in failure.headers}
        kept = [(name, value) for name, value in made.headers if name not in replaced]
        return EmulatedReply(
            made.status, [*kept, *failure.headers], made.body, delay_s=failure.delay_s,
            is_repeatable=failure.is_repeatable,
        )  # fmt: skip


_NO_CHOICE_OF_ANSWER = frozenset({"stream", "stream_options"})


def digest_of(body: Mapping[str, Any], *context: str, without: Collection[str] = _NO_CHOICE_OF_ANSWER) -> bytes:
    """32 bytes that stand for what a request asks: equal for equal requests, streamed or not.

    `context`: what else decides the answer (the model in the path, ...). `without`: members that do not.
    """
    meant = {name: value for name, value in body.items() if name not in without}
    data = orjson.dumps(meant, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256("\0".join(context).encode("utf-8", "surrogatepass") + b"\0" + data).digest()
