"""A question that wants one word gets one."""

from __future__ import annotations

import pytest

from providers.emulated.question import Turn
from tests.providers.emulated.conversations import say


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        ("Answer with a single word: who paid?", "Unknown"),
        ("Bob paid for lunch and Ann drove. Answer with a single word: who paid?", "Bob"),
        ("Bob paid for lunch and Ann drove. Answer with a single word: who drove?", "Ann"),
        ("The bill was paid by Ann. In one word: who paid?", "Ann"),
        ("The sky was green that day.\nAnswer with one word: what color was the sky?", "green"),
        ("There are 12 ducks on the pond. Using a single word, how many ducks are there?", "12"),
        ("Maria met Tom in Oslo. Where did they meet? Answer with one word.", "Oslo"),
        ("The party is on Friday. When is the party? One word only.", "Friday"),
        ("The cat is called Mimi. What is the name of the cat? One word only.", "Mimi"),
        ("In one word, what is the capital of France?", "Paris"),
        ("Answer in one word. What is 2+2?", "4"),
        ("Reply with one word: pong", "pong"),
    ],
)
def test_the_word_is_taken_from_the_context_where_it_has_one(prompt: str, word: str) -> None:
    assert say(prompt) == word


def test_one_of_the_words_on_offer_is_taken() -> None:
    assert say("Is this spam? Answer with a single word: spam or ham. You won a prize!") in {"spam", "ham"}
    assert say("In one word: who wrote it, Ann or Bob?") in {"Ann", "Bob"}
    assert say("Classify the sentiment in one word: I hate this") == "Negative"


def test_yes_or_no_is_a_word() -> None:
    assert say("Answer with exactly one word: is the sky blue?") in {"Yes", "No"}


def test_a_system_message_can_want_one_word_and_an_earlier_turn_can_have_it() -> None:
    rule = Turn("system", "You always answer in one word.")
    turns = [rule, Turn("user", "Ann paid for lunch."), Turn("assistant", "Noted."), Turn("user", "Who paid?")]
    assert say(*turns) == "Ann"
    assert say(rule, Turn("user", "Who paid?")) == "Unknown"
