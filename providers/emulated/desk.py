"""What one emulated proxy works with: its settings, its canned replies, and all that it remembers."""

from __future__ import annotations

from collections.abc import Sequence

from providers.emulated.acting import act
from providers.emulated.answer import Answer
from providers.emulated.canned import CannedReplies, CannedReply
from providers.emulated.prompt_cache import PromptCache
from providers.emulated.question import Question
from providers.emulated.repeats import Repeats
from providers.emulated.shelf import Shelf


class Desk:
    """One per proxy; belongs to one thread. `is_strict`: unknown models, and questions no canned reply matches, are
    errors.

    `repeats` are replies to give again; `touches` counts what was looked up or changed here that makes a reply depend
    on the requests before.
    """

    def __init__(self, *, is_strict: bool = False, canned: Sequence[CannedReply] = ()) -> None:
        self.is_strict = is_strict
        self.repeats = Repeats()
        self.touches = 0
        self._shelf = Shelf()
        self._prompt_cache = PromptCache()
        self._canned = CannedReplies(canned)

    @property
    def shelf(self) -> Shelf:
        """What stateful requests keep."""
        self.touches += 1
        return self._shelf

    def change(self, *, is_strict: bool, canned: Sequence[CannedReply]) -> None:
        """Takes new settings; memories stay. Canned replies count their calls anew if the list is another one."""
        self.is_strict = is_strict
        self.repeats.clear()
        if tuple(canned) != self._canned.replies:
            self._canned = CannedReplies(canned)

    def answer(self, question: Question, index: int = 0) -> Answer:
        """What a model says to the question: a canned reply if one matches, else the default behaviour.

        `index` numbers the choices of one request (`n`); ask for 0 first: only that counts as a call. Raises
        CannedFailure, Refused.
        """
        canned = self._canned.answer(question, index, is_strict=self.is_strict)
        answer = act(question, index) if canned.answer is None else canned.answer
        answer.is_repeatable = canned.is_repeatable
        if self._prompt_cache.apply(question, answer):
            self.touches += 1
        return answer

    def intercept(self, question: Question) -> bool:
        """For operations that answer with something other than prose (embeddings, images, files, ...): lets a canned
        error or body take the reply's place. Whether the reply made instead is repeatable.

        Raises CannedFailure, Refused.
        """
        return self._canned.intercept(question, is_strict=self.is_strict)
