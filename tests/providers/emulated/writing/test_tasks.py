"""Small tasks are done as they are asked for."""

from __future__ import annotations

import orjson
import pytest

from providers.emulated.question import Turn
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.tasks import short_answer
from tests.providers.emulated.conversations import say
from tests.providers.emulated.questions import ask


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Count to 5", "1, 2, 3, 4, 5"),
        ("Count from 3 to six.", "3, 4, 5, 6"),
        ("Count down from 3 to 1, one per line", "3\n2\n1"),
        ("What is 2+2? Answer with only the number.", "4"),
        ("What is the capital of France? One word.", "Paris"),
        ("What is the capital of France?", "The capital of France is Paris."),
        ("capital of the united kingdom", "The capital of the United Kingdom is London."),
        ("Translate 'good morning' to French", "bonjour"),
        ("Translate to Spanish: Hello world", "Hola mundo"),
        ("Translate the following English text to German: I love the cat", "German: I love die Katze"),
        ("How do you say thank you in German?", "danke"),
    ],
)
def test_the_task_is_done(prompt: str, said: str) -> None:
    assert say(prompt) == said


def test_a_sum_is_worked_out() -> None:
    assert "84" in say("What is 12 times 7?")


@pytest.mark.parametrize(
    ("prompt", "number"), [("List three fruits", 3), ("Give me 5 reasons to learn Rust", 5), ("Name 12 colours", 12)]
)
def test_a_list_has_as_many_entries_as_asked_for(prompt: str, number: int) -> None:
    lines = [line for line in say(prompt).splitlines() if line[:1].isdigit()]
    assert len(lines) == len(set(lines)) == number


def test_a_list_can_be_plain() -> None:
    assert say("Name three colors, comma separated").count(", ") == 2
    assert say("List 2 fruits only").startswith("1. ")


def test_a_summary_is_made_of_the_text() -> None:
    text = "The sun rose over the green hills. Birds began to sing in the trees. By noon the village was awake."
    said = say(f"Summarise the following text: {text}")
    assert "The sun rose over the green hills." in said
    assert "Birds" not in said
    assert "French revolution" in say("Summarize the French revolution.")
    assert "the sun rose" in say(f"{text}\n\nSummarize this.").lower()


@pytest.mark.parametrize("kind", ["haiku", "poem", "limerick", "joke", "story"])
def test_verse_is_about_its_subject(kind: str) -> None:
    said = say(f"Write a {kind} about ducks")
    assert "ducks" in said.lower()
    assert said[0].isupper()


def test_a_haiku_has_three_lines() -> None:
    assert len(say("Write a haiku about the sea").splitlines()) == 3


@pytest.mark.parametrize(
    ("prompt", "inside"),
    [
        ("Write a python function that reverses a string", "[::-1]"),
        ("Write a JavaScript function to debounce events", "function debounce_events("),
        ("Show me a SQL query for orders", "SELECT"),
        ("Write hello world in Python code", 'print("Hello, world!")'),
    ],
)
def test_code_comes_in_a_block_of_its_language(prompt: str, inside: str) -> None:
    said = say(prompt)
    assert said.count("```") == 2
    assert inside in said


def test_json_asked_for_in_prose_has_the_members_named() -> None:
    assert list(orjson.loads(say("Return JSON with keys name and age"))) == ["name", "age"]
    assert list(orjson.loads(say('Give me a JSON object with the fields "title", "year" and "genre" please.'))) == [
        "title",
        "year",
        "genre",
    ]
    said = say(Turn("system", "Reply in JSON with keys: city, country."), Turn("user", "Where is the Louvre? JSON."))
    assert list(orjson.loads(said)) == ["city", "country"]
    assert orjson.loads(say("What is 2+2? Reply in JSON.")) == {"answer": "4"}
    assert orjson.loads(say('Output JSON like this: {"a": [1, 2]}')) == {"a": [1, 2]}
    assert isinstance(orjson.loads(say("Output JSON like {this} please")), dict)
    assert len(orjson.loads(say("List 4 planets as JSON"))) == 4


def test_a_json_array_is_one() -> None:
    assert len(orjson.loads(say("Return a JSON array of three fruits."))) == 3


def test_what_is_said_about_code_is_no_new_code() -> None:
    assert "def def" not in say("```python\ndef f(x): return x+1\n```\nWhat does this code do?")


def test_a_short_text_is_summarised_by_what_it_says() -> None:
    assert "quick brown fox" in say("Summarize the following text in 12 words: The quick brown fox jumps over a dog.")
    assert "following text" not in say(
        "Summarize the following text in 12 words: The quick brown fox jumps over a dog."
    )


def test_the_answer_in_few_words() -> None:
    choice = Choice(1)
    assert short_answer(ask("What is the capital of Italy?"), choice) == "Rome"
    assert short_answer(ask("What is 12*12?"), choice) == "144"
    assert short_answer(ask("Translate 'good morning' to French"), choice) == "bonjour"
    assert short_answer(ask("Tell me about ducks"), choice) == ""


@pytest.mark.parametrize("prompt", ["Tell me a story", "Write a poem", "Write a haiku about tea", "Tell me a joke"])
def test_seeds_tell_different_tales_unless_the_temperature_is_zero(prompt: str) -> None:
    told = {
        temperature: {say(prompt, seed=seed, temperature=temperature) for seed in range(10)} for temperature in (0, 1)
    }
    assert len(told[0]) == 1
    assert len(told[1]) > 2
