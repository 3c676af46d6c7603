"""Tokens are counted without being cut, and the count is that of the pieces."""

from __future__ import annotations

import timeit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.emulated import tokens
from providers.emulated.question import Tool, ToolResult, ToolUse, Turn

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=())) | st.text("aZ9_ \n\t.,é中😀\ud800", max_size=60)


@given(ANY_TEXT)
@settings(max_examples=500, derandomize=True, deadline=None)
def test_pieces_join_to_the_text_and_are_as_many_as_are_counted(text: str) -> None:
    pieces = tokens.pieces(text)
    assert "".join(pieces) == text
    assert len(pieces) == tokens.count(text)
    assert all(pieces)


@pytest.mark.parametrize(
    "text", [" " * 1000, "\n" * 17, "a" * 1000, "." * 99, "中" * 50, "", " ", "a ", " a", "a\n\n\n"]
)
def test_runs_of_one_character_are_counted_as_they_are_cut(text: str) -> None:
    assert len(tokens.pieces(text)) == tokens.count(text)


def test_prose_has_about_four_or_five_characters_a_token() -> None:
    text = "Internationally, the fair was regarded as a success; 412 people attended it, and most stayed until the end."
    assert 3.5 < len(text) / tokens.count(text) < 5.5


def test_words_are_not_cut_unless_they_are_long() -> None:
    assert tokens.pieces("The duck swims, happily.") == ["The", " duck", " swims", ",", " happily", "."]
    assert tokens.pieces("information") == ["infor", "mation"]


def test_each_chinese_character_and_each_emoji_is_a_token() -> None:
    assert tokens.count("你好世界") == 4
    assert tokens.count("🦆🦆") == 2


def test_counting_a_long_text_costs_a_small_part_of_cutting_it() -> None:
    text = "The quick brown fox jumps over the lazy dog, and then some more. " * 1500
    counting = min(timeit.repeat(lambda: tokens.count(text), number=2, repeat=3))
    cutting = min(timeit.repeat(lambda: tokens.pieces(text), number=2, repeat=3))
    assert counting < cutting / 2


def test_a_turn_counts_all_that_it_holds() -> None:
    text = tokens.count_turn(Turn("user", "one two three"))
    assert text == 3 + tokens.TURN_TOKENS
    assert tokens.count_turn(Turn("user", "one two three", ("image",))) == text + tokens.ATTACHMENT_TOKENS["image"]
    assert tokens.count_turn(Turn("user", "one two three", ("unheard-of",))) > text
    assert tokens.count_turn(Turn("assistant", tool_uses=(ToolUse("1", "get", '{"a":1}'),))) > tokens.TURN_TOKENS + 5
    assert tokens.count_turn(Turn("tool", tool_results=(ToolResult("1", "", "one two"),))) > tokens.TURN_TOKENS + 2


def test_a_tool_counts_its_schema() -> None:
    bare = tokens.count_tools([Tool("get", "Get it")])
    assert tokens.count_tools([Tool("get", "Get it", {"type": "object", "properties": {"city": {}}})]) > bare


def test_a_schema_that_cannot_be_written_counts_all_the_same() -> None:
    deep: dict[str, object] = {}
    for _ in range(600):
        deep = {"properties": deep}
    assert tokens.count_value(deep) > 0
    assert tokens.count_value({"title": "\ud800"}) > 0
