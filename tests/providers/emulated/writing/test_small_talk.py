"""Greetings, and saying what one is told to say."""

from __future__ import annotations

import pytest

from providers.emulated.question import Turn
from providers.emulated.writing.small_talk import dictated, persona
from tests.providers.emulated.conversations import say, talk


@pytest.mark.parametrize(
    "prompt",
    [
        "Say hello.",
        "Hello",
        "hello!",
        "Hello, how are you?",
        "Hello, world!",
        "Say hello in one word",
        "say hello back",
    ],
)
def test_a_hello_is_answered_with_a_hello(prompt: str) -> None:
    assert say(prompt).startswith("Hello")


def test_a_greeting_is_returned_in_its_own_words_and_to_whom_it_is_meant() -> None:
    assert say("Good morning!").startswith("Good morning!")
    assert say("Say hello to Ann").startswith("Hello, Ann!")


def test_a_question_after_a_greeting_is_answered() -> None:
    assert "4" in say("Hi! What is 2+2?")
    assert "Paris" in say("Hello, what is the capital of France?")


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Reply with exactly: pong", "pong"),
        ("Reply with exactly the word pong.", "pong"),
        ("Say 'ok' and nothing else", "ok"),
        ('Respond with "All good."', "All good."),
        ("Repeat after me: the rain in Spain", "the rain in Spain"),
        ("Echo: hello world", "hello world"),
        ("say banana", "banana"),
        ("Please output only the word YES", "YES"),
        ("ping", "pong"),
        ("Repeat the word duck 3 times", "duck duck duck"),
        ("Reply with the letter A", "A"),
    ],
)
def test_what_is_dictated_is_said_word_for_word(prompt: str, said: str) -> None:
    assert say(prompt) == said


@pytest.mark.parametrize(
    "prompt",
    [
        "Say something nice",
        "Write a poem",
        "Answer in French",
        "Say it again",
        "What do you say?",
        "Write 10 words about it",
        "Please respond with helpful information",
        "Answer this: is it late?",
    ],
)
def test_an_order_without_words_dictates_nothing(prompt: str) -> None:
    assert dictated(prompt) is None


def test_a_long_text_is_repeated_too() -> None:
    text = "All the ducks are swimming in the water. " * 30
    assert say(f"Repeat after me: {text}").startswith(text[:500])


def test_a_system_message_may_dictate_every_answer() -> None:
    for order in ("Always respond with 'Meow'.", "Reply only with Meow", "You must always reply with exactly: Meow"):
        assert say(Turn("system", order), Turn("user", "Why is the sky blue?")) == "Meow"


@pytest.mark.parametrize(
    "order",
    ["Always respond with helpful information.", "Reply only with verified facts.", "Answer only with what you know."],
)
def test_a_system_message_about_manners_dictates_nothing(order: str) -> None:
    assert "the sky" in say(Turn("system", order), Turn("user", "Explain the sky"))


def test_yes_or_no_is_answered_with_one_of_them() -> None:
    assert say("Answer yes or no: is water wet?") in {"Yes.", "No."}
    assert say("Respond with 'yes' or 'no': is the sky blue?") in {"Yes.", "No."}
    assert say("True or false: ducks swim. Answer only true or false.") in {"True.", "False."}


def test_thanks_and_goodbyes_are_returned() -> None:
    assert "welcome" in say("Thank you!", seed=3) + say("Thank you!", seed=4) + say("Thanks!")
    assert "Come back" in say("Goodbye")


def test_the_model_is_who_the_system_message_says() -> None:
    asked = talk(Turn("system", "You are Quack, a duck."), Turn("user", "Hi"))
    assert persona(asked) == "Quack"
    assert persona(talk(Turn("system", "You are a helpful assistant."))) == "a helpful assistant"
    assert persona(talk("Hi")) == ""
    assert "I am Quack" in say(*asked.turns)


def test_asked_who_it_is_the_model_admits_that_it_is_emulated() -> None:
    said = say("Who are you?", model="gpt-4o")
    assert "gpt-4o" in said
    assert "emulated by Rubberduck" in said
    assert say("Tell me about yourself", model="gpt-4o") == say("What is your name?", model="gpt-4o")


def test_how_one_is_and_whether_one_hears_are_answered() -> None:
    assert say("How are you?").startswith("I am doing well")
    assert say("test").startswith("Test received")


@pytest.mark.parametrize(
    "prompt",
    ["Do not say hello.", "Don't repeat the word banana", "She said: say cheese. Why do people say that?"],
)
def test_what_one_is_told_not_to_say_is_not_said_alone(prompt: str) -> None:
    assert len(say(prompt).split()) > 8


def test_word_for_word_is_how_and_not_what() -> None:
    assert say("Repeat this word for word: The cat sat.") == "The cat sat."
