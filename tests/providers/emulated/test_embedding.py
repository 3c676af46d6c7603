"""Embeddings: length, likeness, and the two encodings."""

from __future__ import annotations

import base64
import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.emulated.embedding import embed, to_base64


def likeness(left: str, right: str, dimensions: int = 1536) -> float:
    pairs = zip(embed(left, dimensions), embed(right, dimensions), strict=True)
    return sum(one * other for one, other in pairs)


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(st.text(max_size=60), st.sampled_from([1, 2, 3, 8, 256, 768, 1536, 3072, 4096]))
def test_a_vector_has_the_length_one_whatever_the_text(text: str, dimensions: int) -> None:
    vector = embed(text, dimensions)
    assert len(vector) == dimensions
    assert math.isclose(math.hypot(*vector), 1, rel_tol=1e-9)
    assert embed(text, dimensions) == vector


def test_alike_texts_are_near_each_other_and_others_are_not() -> None:
    text = "The cat sat on the mat in the sun"
    assert likeness(text, "A cat sat on a mat in the sun") > 0.7
    assert likeness(text, "the cats sat on the mats") > 0.6
    assert abs(likeness(text, "Quarterly revenue grew by ten percent")) < 0.15
    assert likeness(text, "My cat likes fish") > likeness(text, "Quarterly revenue grew by ten percent")


def test_the_nearest_document_is_the_one_that_answers_the_question() -> None:
    documents = [
        "Ducks are birds that swim and eat water plants.",
        "The invoice is due thirty days after delivery.",
        "Paris is the capital of France and its largest city.",
    ]
    for question, answer in (
        ("What is the capital of France?", 2),
        ("When is the invoice due?", 1),
        ("What do ducks eat?", 0),
    ):
        nearest = max(range(3), key=lambda at: likeness(question, documents[at]))
        assert nearest == answer


def test_the_order_of_words_counts_a_little() -> None:
    assert 0.7 < likeness("dog bites man", "man bites dog") < 0.99


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert likeness("日本語の文章です", "日本語の本です") > 0.4


@pytest.mark.parametrize("text", ["", " ", "!!!", "\ud800", "a" * 100_000, "word " * 50_000], ids=range(6))
def test_texts_without_words_and_very_long_ones_have_vectors(text: str) -> None:
    assert math.isclose(math.hypot(*embed(text, 16)), 1, rel_tol=1e-9)


def test_base64_is_little_endian_float32() -> None:
    vector = embed("ducks", 8)
    data = base64.b64decode(to_base64(vector))
    assert len(data) == 32
    assert list(struct.unpack("<8f", data)) == pytest.approx(vector, abs=1e-7)
