"""Wordings are chosen by the request, or by its prompt alone."""

from __future__ import annotations

from providers.emulated.writing.choice import Choice, choose
from tests.providers.emulated.conversations import talk


def test_a_row_of_choices_uses_the_number_up() -> None:
    choice = Choice(1 + 3 * (2 + 4 * 1))
    assert [choice.of("abc"), choice.of("wxyz"), choice.of("nm"), choice.of("nm")] == ["b", "y", "m", "n"]


def test_at_temperature_zero_only_the_prompt_decides() -> None:
    asked = [talk("Why?", temperature=0, seed=seed, model=model) for seed in (1, 2) for model in "ab"]
    assert len({choose(question, index).number for question in asked for index in (0, 1)}) == 1
    assert choose(talk("Why?", temperature=0), 0) != choose(talk("How?", temperature=0), 0)


def test_with_a_seed_or_a_temperature_the_whole_request_decides() -> None:
    for fields in ({"seed": 1}, {"temperature": 0.7}):
        assert choose(talk("Why?", model="a", **fields), 0) != choose(talk("Why?", model="b", **fields), 0)


def test_neighbouring_indices_choose_differently_first() -> None:
    for fields in ({}, {"seed": 1}):
        question = talk("Why?", **fields)
        assert len({choose(question, index).of("abcd") for index in range(4)}) == 4


def test_the_seed_is_eight_bytes_however_large_the_number() -> None:
    assert Choice(2**80 + 5).seed == (5).to_bytes(8, "big")
