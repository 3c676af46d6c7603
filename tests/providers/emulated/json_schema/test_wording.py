"""What is read from a prompt, and what a property's name suggests."""

from __future__ import annotations

import pytest

from providers.emulated.json_schema.wording import Prompt, fitted, from_prompt, topic_of, word


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("weather in Paris and Rome", ["Paris", "Rome"]),
        ("Weather in San Francisco, CA?", ["San Francisco, CA"]),
        ("compare Oslo with the rain in New York, Lima and Rio de Janeiro.", ["New York", "Lima", "Rio de Janeiro"]),
        ("What happens in January in Berlin?", ["Berlin"]),
        ("nothing of the kind", []),
        ("", []),
    ],
)
def test_places_of_a_prompt(text: str, places: list[str]) -> None:
    assert Prompt(text).places == places


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("city", "place"), ("departureCity", "place"), ("from_city", "origin"), ("to", "place"), ("user_name", "name"),
        ("first_name", "first"), ("city_name", "place"), ("createdAt", "datetime"), ("time_zone", "zone"),
        ("searchQuery", "prompt"), ("URL", "url"), ("xyz", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_name_says_what_a_property_holds(name: str, topic: str) -> None:
    assert topic_of(name) == topic


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("email", "write to ada@ducks.org, please", "ada@ducks.org"),
        ("url", "fetch https://ducks.org/pond?x=1.", "https://ducks.org/pond?x=1"),
        ("date", "book it for 2026-03-04", "2026-03-04"),
        ("expression", "what is 12 * (3 + 4)?", "12 * (3 + 4)"),
        ("query", "ducks near me", "ducks near me"),
        ("origin", "fly from Oslo to Rome", "Oslo"),
        ("destination", "fly from Oslo to Rome", "Rome"),
        ("color", "ducks near me", None),
    ],
)
def test_a_value_is_read_from_the_prompt(name: str, text: str, value: str | None) -> None:
    assert from_prompt(name, Prompt(text), 0) == value


def test_numbers_are_taken_once_each_and_in_range() -> None:
    prompt = Prompt("between 5 and 2.5, not gpt-4 or 2026-01-02")
    assert prompt.next_number(0, 10, is_whole=True) == 5
    assert prompt.next_number(0, 10, is_whole=True) is None
    assert prompt.next_number(0, 10, is_whole=False) == 2.5
    assert prompt.next_number(0, 10, is_whole=False) is None


def test_mentions_are_whole_words() -> None:
    prompt = Prompt("Is it RED or dark-blue?")
    assert prompt.mentions("red")
    assert prompt.mentions("blue")
    assert not prompt.mentions("dar")
    assert not prompt.mentions("")


@pytest.mark.parametrize("name", ["city", "email", "xyz", "title", "id"])
def test_every_variation_is_another_text(name: str) -> None:
    assert len({word(name, variation, 0) for variation in range(40)}) == 40


@pytest.mark.parametrize(("low", "high"), [(0, 0), (0, 3), (5, 5), (30, 31), (100, None), (12, 400)])
def test_a_text_is_fitted_into_its_bounds(low: int, high: int | None) -> None:
    for variation in (0, 3):
        text = fitted("a readable text", low, high, variation)
        assert len(text) >= low
        assert high is None or len(text) <= high
        assert text == text.strip()


def test_a_prompt_with_half_a_character_is_no_trouble() -> None:
    assert Prompt("in \ud800 Paris").text.encode()
