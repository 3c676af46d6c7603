"""What is read from a text before anything is made up."""

from __future__ import annotations

import pytest

from providers.emulated.json_schema import generate, values_for
from providers.emulated.json_schema.reading import (
    amount,
    company,
    currencies,
    dates,
    feeling,
    labelled,
    listed,
    makers,
    named_day,
    paths,
    people,
    quotations,
    repository,
    tickers,
)

TEXT = {"type": "string"}


def an_object(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Jason is 25 years old", ["Jason"]),
        ("Alice and Bob are going to a science fair on Friday.", ["Alice", "Bob"]),
        ("Extract: John Doe, 30 years old, john@doe.com", ["John Doe"]),
        ("Tell me about Paris", ["Paris"]),
        ("Ann O'Hara lives in Rome. She met Vincent van Gogh.", ["Ann O'Hara", "Vincent van Gogh", "Rome"]),
        ("Jürgen Müller ist da", ["Jürgen Müller"]),
        ("What is the matter?", []),
        ("Summarize it. Then stop.", []),
        ("", []),
    ],
)
def test_people_are_found_and_places_come_after_them(text: str, names: list[str]) -> None:
    assert people(text) == names


def test_a_text_of_many_kinds_gives_each_its_own() -> None:
    text = "On May 5, 2024 open src/pond/main.py in octocat/hello-world and name it 'Bug in login', due Friday"
    assert dates(text) == ["2024-05-05"]
    assert paths(text)[:1] == ["src/pond/main.py"]
    assert repository(text) == ("octocat", "hello-world")
    assert quotations(text) == ["Bug in login"]
    assert named_day(text) == "Friday"


def test_a_file_is_a_path_and_an_address_is_none() -> None:
    assert paths("Read /etc/hosts and notes.txt.") == ["/etc/hosts", "notes.txt"]
    assert paths("see https://ducks.org/pond.html or ada@ducks.org") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [("What is the price of AAPL?", ["AAPL"]), ("how are Tesla shares?", ["TSLA"]), ("Give me JSON, OK?", [])],
)
def test_shares_are_found_by_symbol_and_by_company(text: str, found: list[str]) -> None:
    assert tickers(text) == found


@pytest.mark.parametrize(
    ("text", "felt"),
    [
        ("I loved this movie!", "positive"),
        ("I hate this product", "negative"),
        ("It is not good", "negative"),
        ("It arrived on Tuesday", "neutral"),
    ],
)
def test_a_feeling_is_told_from_its_words(text: str, felt: str) -> None:
    assert feeling(text) == felt
    kinds = {"type": "string", "enum": ["positive", "neutral", "negative"]}
    asked = f"Classify as positive, negative or neutral: {text}"
    assert generate(an_object(sentiment=kinds), seed=b"", hints=asked) == {"sentiment": felt}


def test_what_follows_its_label_is_the_value() -> None:
    assert labelled("ceo", "Founded in 1976, its CEO is Tim Cook") == "Tim Cook"
    assert labelled("title", "Title: The Pond\nYear: 1999") == "The Pond"
    assert labelled("title", "what is the title of it?") is None
    assert listed("tags", "save it with tags red, green and blue") == ["red", "green", "blue"]
    assert listed("tag", "tag red, green") == []
    assert company("Ann works at Acme Corp in Oslo") == "Acme Corp"
    assert makers("Inception (2010) by Christopher Nolan") == ["Christopher Nolan"]


@pytest.mark.parametrize(
    ("name", "text", "number"),
    [
        ("total", "3 ducks, total 28.50 EUR", 28.5),
        ("passengers", "from Oslo for 2 passengers", 2),
        ("founded", "Apple was founded in 1976", 1976),
        ("count", "no number here", None),
    ],
)
def test_a_number_is_that_of_its_property(name: str, text: str, number: float | None) -> None:
    assert amount(name, text) == number


def test_a_record_is_extracted_as_a_model_would() -> None:
    person = an_object(name=TEXT, age={"type": "integer"}, email={"type": "string", "format": "email"})
    said = "Extract: John Doe, 30 years old, john@doe.com"
    assert generate(person, seed=b"", hints=said) == {"name": "John Doe", "age": 30, "email": "john@doe.com"}
    event = an_object(date=TEXT, participants={"type": "array", "items": TEXT})
    said = "Alice and Bob are going to a science fair on Friday."
    assert generate(event, seed=b"", hints=said) == {"date": "Friday", "participants": ["Alice", "Bob"]}
    users = an_object(users={"type": "array", "items": an_object(name=TEXT, age={"type": "integer"})})
    assert generate(users, seed=b"", hints="Anna is 20, Ben is 30 and Carl is 40") == {
        "users": [{"name": "Anna", "age": 20}, {"name": "Ben", "age": 30}, {"name": "Carl", "age": 40}]
    }


def test_of_the_kinds_on_offer_the_one_spoken_of_again_is_chosen() -> None:
    kinds = {"type": "string", "enum": ["billing", "technical", "account"]}
    said = "Categories: billing, technical, account. Ticket: I cannot log in to my account"
    assert generate(an_object(category=kinds), seed=b"", hints=said) == {"category": "account"}


def test_an_answer_that_is_known_fills_its_property() -> None:
    said = "What is 12*12?"
    assert generate(an_object(answer=TEXT), seed=b"", hints=said, answer="144") == {"answer": "144"}
    assert generate(an_object(result={"type": "integer"}), seed=b"", hints=said, answer="144") == {"result": 144}
    assert generate(an_object(result={"type": "integer", "maximum": 9}), seed=b"", hints="?", answer="144") == {
        "result": 1
    }


def test_a_tool_is_not_called_with_options_nobody_asked_for() -> None:
    schema = {
        "type": "object",
        "properties": {"path": TEXT, "head": {"type": "number"}, "tail": {"type": "number"}, "encoding": TEXT},
        "required": ["path"],
    }
    assert values_for(schema, "Read the file /etc/hosts") == [{"path": "/etc/hosts"}]
    assert values_for(schema, "Read /etc/hosts, tail 5")[0]["tail"] == 5
    assert set(values_for({**schema, "required": []}, "Read /etc/hosts")[0]) == {"path", "head", "tail", "encoding"}


@pytest.mark.parametrize("text", ["A B" * 400, "a.b/" * 300, "'" * 1000, "tags a, " * 200, "Aa " * 400, "1." * 500])
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    schema = an_object(name=TEXT, path=TEXT, title=TEXT, tags={"type": "array", "items": TEXT}, date=TEXT, repo=TEXT)
    assert set(generate(schema, seed=b"", hints=text)) == {"name", "path", "title", "tags", "date", "repo"}


def test_money_is_changed_from_the_first_currency_into_the_second() -> None:
    said = "Convert 100 USD to EUR"
    assert currencies(said) == ["USD", "EUR"]
    asked = an_object(amount={"type": "number"}, source=TEXT, target=TEXT)
    assert values_for(asked, said) == [{"amount": 100, "source": "USD", "target": "EUR"}]


def test_six_places_are_six_calls() -> None:
    found = values_for(an_object(city=TEXT), "What is the weather in Paris, Rome, Oslo, Lima, Cairo and Tokyo?")
    assert [value["city"] for value in found] == ["Paris", "Rome", "Oslo", "Lima", "Cairo", "Tokyo"]
