"""Canned replies: what a user wants said to requests that match. `canned_grammar` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from providers.emulated.answer import Answer
from providers.emulated.base import CannedFailure
from providers.emulated.canned_answers import Reply
from providers.emulated.canned_match import Condition
from providers.emulated.question import Question

_MAX_MODEL = 200  # characters of its name in a message


@dataclass(frozen=True, slots=True)
class CannedReply:
    """One entry of the list: the reply to requests for which all conditions hold.

    `nth`: only to these of them, counted from 1; empty: to all.
    """

    reply: Reply
    conditions: tuple[Condition, ...] = ()
    nth: frozenset[int] = frozenset()

    def matches(self, question: Question, prompt: str) -> bool:
        """Whether it fits, `nth` aside."""
        for condition in self.conditions:  # noqa: SIM110  several times as quick as all() of so few
            if not condition.holds(question, prompt):
                return False
        return True


@dataclass(slots=True)
class Found:
    """`answer` None: nothing matched. `is_repeatable`: whether the same request finds the same the next time."""

    answer: Answer | None
    is_repeatable: bool = True


class CannedReplies:
    """A list of canned replies, and how often each has been asked for."""

    def __init__(self, replies: Sequence[CannedReply]) -> None:
        self.replies = tuple(replies)
        self._counts = [0] * len(self.replies)
        self._last: tuple[bytes, CannedReply | None, bool] = (b"", None, True)

    def answer(self, question: Question, index: int, *, is_strict: bool) -> Found:
        """The first match. Raises CannedFailure, Refused.

        Choices after the first (`index` above 0) get what the first one got, and do not count.
        """
        if not self.replies:
            return Found(None)
        digest, entry, is_repeatable = self._last
        if index == 0 or digest != question.digest:
            entry, is_repeatable = self._find(question, is_prose=True)
            self._last = (question.digest, entry, is_repeatable)
        if entry is not None:
            return Found(entry.reply.give(question, index, is_repeatable=is_repeatable), is_repeatable)
        if is_strict:
            raise self._nothing_matches(question, is_repeatable)
        return Found(None, is_repeatable)

    def intercept(self, question: Question, *, is_strict: bool) -> bool:
        """A canned error or raw body for an operation without prose. Raises CannedFailure, Refused.

        Replies that a model would say do not apply, and do not count; in strict mode too, an operation that no entry
        answers is answered as usual.
        """
        if not self.replies:
            return True
        entry, is_repeatable = self._find(question, is_prose=False)
        if entry is not None:
            entry.reply.give(question, 0, is_repeatable=is_repeatable)
        return is_repeatable

    def _find(self, question: Question, *, is_prose: bool) -> tuple[CannedReply | None, bool]:
        """The entry that answers, and whether it would again. Entries with `nth` count every request that fits them,
        whoever answers it."""
        prompt = question.prompt
        found: CannedReply | None = None
        is_repeatable = True
        for number, entry in enumerate(self.replies):
            if entry.reply.is_prose and not is_prose:
                continue
            if entry.nth:
                if not entry.matches(question, prompt):
                    continue
                is_repeatable = False
                self._counts[number] += 1
                if found is None and self._counts[number] in entry.nth:
                    found = entry
            elif found is None and entry.matches(question, prompt):
                found = entry
        return found, is_repeatable

    def _nothing_matches(self, question: Question, is_repeatable: bool) -> CannedFailure:
        """Says what was asked and what came nearest, and nothing of the prompt."""
        prompt = question.prompt
        lacks: list[list[str]] = []
        for entry in self.replies:
            missing = [found.name for found in entry.conditions if not found.holds(question, prompt)]
            lacks.append(missing or ["nth"])
        nearest = min(range(len(lacks)), key=lambda number: len(lacks[number]))
        model = question.model[:_MAX_MODEL].encode("utf-8", "replace").decode()
        entries = "1 entry" if len(lacks) == 1 else f"{len(lacks)} entries"
        message = (
            f"No canned reply matches this request, and the proxy is strict: operation {question.operation}, "
            f"model {model or 'none'}; {entries} tried. Entry {nearest + 1} comes nearest: it does not fit by "
            f"{', '.join(lacks[nearest])}."
        )
        return CannedFailure(404, message, code="no_canned_reply", is_repeatable=is_repeatable)
