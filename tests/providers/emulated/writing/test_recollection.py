"""What was said earlier in a conversation is known later."""

from __future__ import annotations

import pytest

from providers.emulated.question import Turn
from providers.emulated.writing.recollection import earlier
from tests.providers.emulated.conversations import say, talk


@pytest.mark.parametrize(
    ("told", "asked", "said"),
    [
        ("My name is Ann", "What is my name?", "Your name is Ann."),
        ("Hi, I'm Bob Smith.", "what's my name?", "Your name is Bob Smith."),
        ("my name is ann", "Do you remember my name?", "Your name is Ann."),
        ("Call me Ishmael.", "Who am I?", "You are Ishmael."),
        ("My favourite colour is dark green.", "What is my favourite colour?", "Your favourite colour is dark green."),
        ("The secret word is banana.", "What is the secret word?", "The secret word is banana."),
        ("I live in New York.", "Where do I live?", "You told me you live in New York."),
        ("What is a duck?", "What did I ask?", "Earlier you said: “What is a duck?”"),
    ],
)
def test_what_the_user_told_is_answered_from_the_conversation(told: str, asked: str, said: str) -> None:
    assert say(told, "I see.", asked) == said


def test_what_comes_later_counts() -> None:
    assert say("The code is 1.", "ok", "The code is 2.", "ok", "What is the code?") == "The code is 2."


def test_the_first_and_the_last_thing_said_are_told_apart() -> None:
    conversation = ("One duck.", "ok", "Two ducks.", "ok")
    assert "One duck." in say(*conversation, "What was my first message?")
    said = say(*conversation, "What did I just say?")
    assert "Two ducks." in said
    assert "2 messages" in said


def test_what_was_never_said_is_not_made_up() -> None:
    assert say("What is my name?").startswith("You have not told me your name yet.")

    assert say("What did I say before?").startswith("This is the first message")


def test_an_introduction_is_greeted_by_name() -> None:
    assert "Ann" in say("My name is Ann")
    assert "Ann" in say("Hello, my name is Ann.")
    assert "Bob" in say("hi, I'm Bob")


def test_what_is_to_be_remembered_is_noted() -> None:
    assert "the number 42" in say("Please remember the number 42.")


def test_another_question_goes_on_from_the_one_before() -> None:
    said = say("Tell me about ducks.", "Ducks swim.", "And geese?")
    assert "Tell me about ducks." in said
    assert "And geese?" in said


def test_the_last_message_is_not_an_earlier_one_and_the_newest_comes_first() -> None:
    assert list(earlier(talk("a", "x", "b", "y", "c"))) == ["b", "a"]
    assert list(earlier(talk(Turn("user", "")))) == []
