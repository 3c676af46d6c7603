"""Prompts are said again in part: on one line, at whole words, as text that can be written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.emulated.writing.quoting import WINDOW, beginning, clip, topic, window

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("ask", "about"),
    [
        ("Explain how sails work.", "how sails work"),
        ("What is the best way to learn Rust?", "the best way to learn Rust"),
        ("Hello, can you please tell me about the Romans? Thanks", "the Romans"),
        ("Write a 500-word essay about cats.", "cats"),
        ("Tell me about ducks in two sentences.", "ducks"),
        ("Describe the sea briefly", "the sea"),
        ("I like trains.", ""),
        ("Can you help me?", ""),
        ("", ""),
    ],
)
def test_the_topic_is_what_a_question_is_about(ask: str, about: str) -> None:
    assert topic(ask) == about


def test_a_clipped_text_keeps_its_beginning_and_its_end() -> None:
    text = "first " + "middle " * 500 + "last"
    said = clip(text, 60)
    assert said.startswith("first middle")
    assert said.endswith("middle last")
    assert len(said) <= 64
    assert clip("a short\n text") == "a short text"


def test_a_beginning_ends_at_a_word() -> None:
    assert beginning("one two three four", 12) == "one two …"
    assert beginning("one two", 12) == "one two"


def test_a_window_is_the_beginning_and_the_end_of_a_long_text() -> None:
    assert window("short") == "short"
    seen = window("a" * 10_000 + "z" * 10_000)
    assert seen.startswith("a" * WINDOW)
    assert seen.endswith("z" * WINDOW)
    assert len(seen) < 2 * WINDOW + 10


@given(ANY_TEXT, st.integers(10, 100))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_any_text_is_clipped_to_its_length_on_one_line(text: str, length: int) -> None:
    for said in (clip(text, length), beginning(text, length)):
        assert len(said) <= length + 3
        assert "\n" not in said
    window(text).encode()
    assert len(topic(window(text))) <= 120
