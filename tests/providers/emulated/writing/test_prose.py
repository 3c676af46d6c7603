"""Paragraphs show which request arrived, and are as long as it wants them."""

from __future__ import annotations

import pytest

from providers.emulated.acting import act
from providers.emulated.question import Turn
from providers.emulated.writing.prose import number_of, wanted_length
from tests.providers.emulated.conversations import say, talk


def test_the_prompt_and_the_system_message_are_recognised_in_the_answer() -> None:
    said = say(Turn("system", "You are a helpful assistant."), Turn("user", "I wonder about zebras."))
    assert "I wonder about zebras." in said
    assert "You are a helpful assistant" in said


def test_an_ordinary_answer_has_15_to_120_tokens() -> None:
    for prompt in ("Explain how sails work.", "I like trains.", "Is the earth round?", "word " * 2000, "你好，世界"):
        for seed in range(6):
            assert 15 <= act(talk(prompt, seed=seed)).output_tokens <= 120


def test_a_question_for_yes_or_no_is_answered_so() -> None:
    assert say("Is the earth round?").startswith(("Yes", "No"))
    assert say("Can you help me?").startswith("Yes, gladly")


def test_a_long_prompt_is_recognised_by_its_beginning_and_its_end() -> None:
    said = say("Alpha comes first. " + "Then more of it. " * 300 + "Omega comes last.")
    assert "Alpha" in said
    assert "Omega" in said


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("Write about ducks in 200 words.", 200),
        ("Write a 50 word paragraph on cats", 50),
        ("Write a 500-word essay about cats", 500),
        ("Write 3 paragraphs about cats", 180),
        ("Explain gravity in one sentence.", 20),
        ("Discuss gravity in 1000000 words.", 2000),
        ("Discuss gravity in 100 tokens.", 75),
        ("Discuss gravity in detail.", 300),
    ],
)
def test_an_answer_is_about_as_long_as_asked_for(prompt: str, words: int) -> None:
    assert words * 0.6 <= len(say(prompt).split()) <= words * 1.6


def test_paragraphs_and_bullets_are_counted() -> None:
    assert say("Explain tea in 4 bullet points").count("\n- ") == 4
    assert say("Explain tea in two sentences.").count(".") == 2
    assert len(say("Explain tea in 5 lines").splitlines()) == 7
    assert say("Explain tea briefly").count(".") == 1
    assert say("Please answer in one word: what colour is the sky?").count(" ") == 0


def test_sentences_of_a_long_answer_do_not_repeat_soon() -> None:
    sentences = say("Write about ducks in 600 words.").replace("\n", " ").split(". ")
    assert len(set(sentences)) == len(sentences)


def test_no_length_is_wanted_where_none_is_named() -> None:
    assert wanted_length("What is a word?") is None
    assert wanted_length("Tell me in 2 lines") == (2, "line")
    assert wanted_length("run 12 word word word") is None
    assert wanted_length("She made 3 points that convinced everybody.") is None
    assert wanted_length("200 words on ducks") == (200, "word")
    assert wanted_length("Ducks: 3 short sentences, please") == (3, "sentence")


@pytest.mark.parametrize(
    ("word", "number"),
    [("7", 7), ("-3", -3), ("seven", 7), ("a single", 1), ("umpteen", None), (None, None), ("²", None)],
)
def test_numbers_are_read_in_digits_and_words(word: str | None, number: int | None) -> None:
    assert number_of(word) == number
