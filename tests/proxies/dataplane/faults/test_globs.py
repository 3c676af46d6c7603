"""Globs cover what they say, and refuse long texts quickly."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxies.dataplane.faults.globs import covers, is_literal, matcher, prefix


@pytest.mark.parametrize(
    ("glob", "text", "expected"),
    [
        ("gpt-4*", "gpt-4o-mini", True),
        ("gpt-4*", "GPT-4o", False),
        ("gpt-4?", "gpt-4o", True),
        ("gpt-4?", "gpt-4", False),
        ("*mini", "gpt-4o-mini", True),
        ("*4o*mini*", "gpt-4o-mini", True),
        ("a*a", "a", False),
        ("*", "", True),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("/v1/*/x", "/v1/a/b/x", True),
        ("a*", "a\nb", True),
        ("a", "a\n", False),
        ("ab*?bc", "abbc", False),
        ("ab*?bc", "abxbc", True),
    ],
)
def test_a_glob_covers_what_it_says(glob: str, text: str, expected: bool) -> None:
    assert covers((glob,), text) is expected


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_globs_agree_with_the_shells(glob: str, text: str) -> None:
    assert covers((glob,), text) is fnmatch.fnmatchcase(text, glob)


def test_one_of_several_globs_is_enough() -> None:
    assert covers(("a*", "b"), "b")
    assert covers(("a", "b"), "b")
    assert not covers(("a*", "b"), "c")


def test_a_text_made_to_be_tried_again_and_again_is_refused_at_once() -> None:
    # every star more would square the time of an expression that goes back
    assert not covers(("*a" * 30 + "b",), "a" * 5000)


def test_what_a_glob_begins_with_and_whether_it_is_one() -> None:
    assert [prefix("gpt-*"), prefix("gpt"), prefix("?x"), prefix("")] == ["gpt-", "gpt", "", ""]
    assert [is_literal("gpt"), is_literal("g*"), is_literal("g?")] == [True, False, False]
    assert matcher(("a",)) is matcher(("a",))
