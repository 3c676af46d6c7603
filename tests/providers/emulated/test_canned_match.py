"""Conditions of canned replies, one by one."""

from __future__ import annotations

import pytest
import regex

from providers.emulated.canned_match import (
    SEARCHED_CHARACTERS,
    Condition,
    HasToolResult,
    ModelIs,
    OperationIs,
    PromptContains,
    PromptMatches,
    SystemContains,
    ToolOffered,
    one_of,
)
from providers.emulated.question import Question
from tests.providers.emulated.questions import after_a_tool, ask


def holds(condition: Condition, question: Question) -> bool:
    return condition.holds(question, question.prompt)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o*", "gpt-4o-mini", True),
        ("*mini", "gpt-4o-mini", True),
        ("g*-*i", "gpt-4o-mini", True),
        ("*", "", True),
        ("gpt.4o", "gpt-4o", False),  # a dot is a dot
        ("us.*:0", "us.anthropic.claude\n:0", True),
    ],
)
def test_a_star_stands_for_any_text(pattern: str, text: str, fits: bool) -> None:
    assert bool(one_of([pattern]).fullmatch(text)) is fits
    assert bool(one_of(["other", pattern, "more*"]).fullmatch(text)) is fits


def test_one_of_the_operations_and_models_is_enough() -> None:
    assert holds(OperationIs(one_of(["responses", "chat.*"])), ask())
    assert not holds(OperationIs(one_of(["responses"])), ask())
    assert holds(ModelIs(one_of(["claude-*", "gpt-*"])), ask())
    assert not holds(ModelIs(one_of(["claude-*"])), ask())


def test_all_texts_must_be_in_the_last_prompt() -> None:
    assert holds(PromptContains(("Say", "hello")), ask())
    assert not holds(PromptContains(("Say", "goodbye")), ask())
    assert not holds(PromptContains(("hello",)), ask("x", system="hello"))


def test_the_system_turns_are_searched_for_themselves() -> None:
    assert holds(SystemContains(("pirate",)), ask(system="You are a pirate."))
    assert not holds(SystemContains(("pirate",)), ask("pirate"))


def test_a_regular_expression_is_searched_at_both_ends_of_a_long_prompt() -> None:
    condition = PromptMatches(regex.compile(r"needle \d"))
    hay = "x" * 2 * SEARCHED_CHARACTERS
    assert holds(condition, ask("a needle 1 here"))
    assert holds(condition, ask("needle 1" + hay))
    assert holds(condition, ask(hay + "needle 1"))
    assert not holds(condition, ask(hay + "needle 1" + hay))
    assert not holds(condition, ask("a needle"))


def test_a_regular_expression_that_would_search_for_ever_does_not_hold() -> None:
    assert not holds(PromptMatches(regex.compile(r"^(a|aa)+$")), ask("a" * 200 + "!"))


def test_a_tool_on_offer_and_a_tool_s_result_are_told_apart() -> None:
    assert holds(ToolOffered(("other", "get_weather")), ask(tools=("get_weather",)))
    assert not holds(ToolOffered(("get",)), ask(tools=("get_weather",)))
    assert holds(HasToolResult(True), after_a_tool())
    assert not holds(HasToolResult(False), after_a_tool())
    assert holds(HasToolResult(False), ask(tools=("get_weather",)))
