"""Patterns: which texts match, and texts made to match, against Python's own engine."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.emulated.json_schema.document import Unsatisfiable
from providers.emulated.json_schema.patterns import pattern_of

PATTERNS = [
    r"^[a-z]+$", r"^\d{3}-\d{4}$", r"^[A-Z]{2,5}$", r"foo|bar", r"^(foo|ba[rz]){1,3}$", r"[0-9]+", r"^x-", r"^.{3,8}$",
    r"^[^\s@]+@[^\s@]+\.[a-z]{2,}$", r"^#[0-9a-fA-F]{6}$", r"^\+?[1-9]\d{1,14}$", r"^\w+$", r"^(?:a|b)*c?$", r"a{2}",
    r"^(?=.*[A-Z])(?=.*\d)[A-Za-z\d]{8,}$", r"^(?!.*--)[a-z-]+$", r"^\S+$", r"\bcat\b", r"^[\w.-]+$", r"^[\]\\-]+$",
    r"^(19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", r"^https?://[^\s/$.?#].[^\s]*$", r"^\x41\u0042$", r"^$",
    r"^([01]?\d|2[0-3]):[0-5]\d$", r"^(\d{1,3}\.){3}\d{1,3}$", r"^[A-Z0-9._%+-]+@[A-Z0-9.-]+\.[A-Z]{2,}$",
    r"(?i)^duck$",
    r"^(?P<year>\d{4})$", r"^a.c$", r"x*", r"^[a-f\d]{8}-[a-f\d]{4}$", r"^v\d+(\.\d+){0,2}(-[a-z]+)?$", r"(?<=a)b",
]  # fmt: skip


@pytest.mark.parametrize("source", PATTERNS)
def test_the_texts_made_match(source: str) -> None:
    made = [text for variation in range(3) for text in pattern_of(source).texts("example", 0, None, variation)]
    assert made
    assert all(re.search(source, text) for text in made)


@pytest.mark.parametrize("source", PATTERNS)
@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(text=st.text("aAbBcCfFox09-@._#+ /:\\]", max_size=10))
def test_matching_agrees_with_python(source: str, text: str) -> None:
    assert pattern_of(source).matches(text) == bool(re.search(source, text))


@pytest.mark.parametrize(
    ("source", "low", "high"),
    [
        (r"^[a-z]+$", 20, 20), (r"^[a-z ]*$", 0, 1), (r"^\w{1,64}$", 40, 50), (r"foo", 30, 31), (r"^(ab|c)+$", 17, 18),
        (r"^[A-Z]+-\d+$", 12, 14), (r"^.{8,}$", 100, 200), (r"^\d*$", 7, 7),
    ],
)  # fmt: skip
def test_the_texts_made_have_the_length_asked_for(source: str, low: int, high: int) -> None:
    text = next(iter(pattern_of(source).texts("example", low, high, 0)))
    assert low <= len(text) <= high
    assert re.search(source, text)


def test_texts_look_readable() -> None:
    assert next(iter(pattern_of(r"^[a-z_]+$").texts("city", 0, None, 0))) == "city"
    assert next(iter(pattern_of(r"^[A-Z]{3}-\d{4}$").texts("code", 0, None, 0))) == "COD-1234"


def test_another_variation_gives_another_text() -> None:
    texts = {next(iter(pattern_of(r"^[A-Z]{3}\d$").texts("code", 0, None, at))) for at in range(5)}
    assert len(texts) == 5


def test_a_back_reference_gives_the_same_text_twice() -> None:
    pattern = pattern_of(r"^([a-z]+)-\1$")
    text = next(iter(pattern.texts("duck", 0, None, 0)))
    assert text == "duck-duck"
    assert pattern.matches(text)


@pytest.mark.parametrize("source", [r"^(a+)+$", r"^(a|a)*$", r"^(a*)*$", r"(.*)*x"])
def test_matching_never_takes_exponential_time(source: str) -> None:
    assert not pattern_of(source).matches("a" * 200 + "!")


@pytest.mark.parametrize(
    "source", ["[a", "(a", "a)", "*a", "a{3,1}", r"\p{Nonsense}", "[z-a]", "(" * 100, "a" * 5000, "\\"]
)
def test_what_is_no_pattern_is_refused(source: str) -> None:
    with pytest.raises(Unsatisfiable, match="pattern"):
        pattern_of(source)


def test_words_of_ecma_that_python_does_not_know_are_understood() -> None:
    assert pattern_of(r"^\p{Lu}\p{L}+$").matches("Ärger")
    assert pattern_of(r"^\u{41}\cJ?$").matches("A")
    assert pattern_of(r"^(?<a>x)\k<a>$").has_back
    assert pattern_of(r"^[^]$").matches("\n")
