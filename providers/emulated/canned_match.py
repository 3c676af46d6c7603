"""What a canned reply may ask of a request before it answers: one small class per condition."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol

import regex

from providers.emulated.question import Question

SEARCHED_CHARACTERS = 32 * 1024
"""How much of either end of a long prompt a regular expression is searched in."""
SEARCH_S = 0.05
"""How long that may take: an expression that needs longer does not hold. Nothing else is served meanwhile."""
_MODEL_CHARACTERS = 1000


class Condition(Protocol):
    """`name` as the grammar has it. `prompt` is the question's, read once for all conditions."""

    name: ClassVar[str]

    def holds(self, question: Question, prompt: str) -> bool: ...


def one_of(globs: Iterable[str]) -> re.Pattern[str]:
    """To be matched in full: one of the texts, in which `*` stands for any text, also none."""
    return re.compile("|".join(".*".join(map(re.escape, glob.split("*"))) for glob in globs), re.DOTALL)


@dataclass(frozen=True, slots=True)
class OperationIs:
    name: ClassVar[str] = "operation"
    pattern: re.Pattern[str]

    def holds(self, question: Question, prompt: str) -> bool:
        return self.pattern.fullmatch(question.operation) is not None


@dataclass(frozen=True, slots=True)
class ModelIs:
    name: ClassVar[str] = "model"
    pattern: re.Pattern[str]

    def holds(self, question: Question, prompt: str) -> bool:
        return self.pattern.fullmatch(question.model[:_MODEL_CHARACTERS]) is not None


@dataclass(frozen=True, slots=True)
class PromptContains:
    """All of the texts."""

    name: ClassVar[str] = "prompt_contains"
    texts: tuple[str, ...]

    def holds(self, question: Question, prompt: str) -> bool:
        return all(text in prompt for text in self.texts)


@dataclass(frozen=True, slots=True)
class PromptMatches:
    name: ClassVar[str] = "prompt_matches"
    pattern: regex.Pattern[str]

    def holds(self, question: Question, prompt: str) -> bool:
        if len(prompt) <= 2 * SEARCHED_CHARACTERS:
            return self._is_in(prompt)
        return self._is_in(prompt[:SEARCHED_CHARACTERS]) or self._is_in(prompt[-SEARCHED_CHARACTERS:])

    def _is_in(self, text: str) -> bool:
        try:
            return self.pattern.search(text, timeout=SEARCH_S) is not None
        except TimeoutError:
            return False


@dataclass(frozen=True, slots=True)
class SystemContains:
    """All of the texts, in the system turns taken together."""

    name: ClassVar[str] = "system_contains"
    texts: tuple[str, ...]

    def holds(self, question: Question, prompt: str) -> bool:
        system = "\n".join([turn.text for turn in question.turns if turn.role == "system"])
        return all(text in system for text in self.texts)


@dataclass(frozen=True, slots=True)
class ToolOffered:
    """A tool of one of the names."""

    name: ClassVar[str] = "tool"
    names: tuple[str, ...]

    def holds(self, question: Question, prompt: str) -> bool:
        return any(tool.name in self.names for tool in question.tools)


@dataclass(frozen=True, slots=True)
class HasToolResult:
    name: ClassVar[str] = "has_tool_result"
    value: bool

    def holds(self, question: Question, prompt: str) -> bool:
        return question.has_tool_result is self.value
