"""Plain values into faults, and faults into descriptions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from proxies.dataplane.faults.base import Fault, Stage, setting
from proxies.dataplane.faults.settings import (
    InvalidField,
    describe,
    is_clean,
    json_schema,
    number,
    range_words,
    read_number,
    read_settings,
    shown,
    unknown,
    write_settings,
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Odd(Fault):
    kind = "odd"
    title = "Odd"
    summary = "One setting of every type."
    stage = Stage.DELAY

    status: int | None = setting(None, "A status.", ge=400, le=599, example=429)
    seconds: float = setting(1.0, "Seconds.", gt=0)
    share: float | None = setting(None, "A share.", le=1)
    is_on: bool = setting(False, "Whether.")
    colour: Colour | None = setting(None, "A colour.", example=Colour.RED)
    word: str = setting("x", "A word.", max_length=5)
    text: str | None = setting(None, "A text.")

    def check(self) -> str | None:
        return "seconds: use less than 100" if self.seconds >= 100 else None

    def wait_s(self, draw: Any) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Odd()),
        ({"status": 429}, Odd(status=429)),
        ({"status": None}, Odd()),
        ({"seconds": 2}, Odd(seconds=2.0)),
        ({"share": -3.5}, Odd(share=-3.5)),
        ({"is_on": True}, Odd(is_on=True)),
        ({"colour": "blue"}, Odd(colour=Colour.BLUE)),
        ({"word": "ünïcö"}, Odd(word="ünïcö")),
        ({"text": "two\nlines"}, Odd(text="two\nlines")),
    ],
)
def test_plain_values_become_settings_of_their_type(values: dict[str, Any], expected: Odd) -> None:
    read = read_settings(Odd, values)
    assert read == expected
    assert isinstance(read.seconds, float)
    assert read.colour is expected.colour


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"status": 600}, "status: use a whole number from 400 to 599"),
        ({"status": 399}, "status: use a whole number from 400 to 599"),
        ({"status": 429.0}, "status: use a whole number from 400 to 599"),
        ({"status": True}, "status: use a whole number from 400 to 599"),
        ({"status": "429"}, "status: use a whole number from 400 to 599"),
        ({"seconds": 0}, "seconds: use a number above 0"),
        ({"seconds": True}, "seconds: use a number above 0"),
        ({"seconds": None}, "seconds: use a number above 0"),
        ({"seconds": math.nan}, "seconds: use a number above 0"),
        ({"seconds": math.inf}, "seconds: use a number above 0"),
        ({"seconds": 10**400}, "seconds: use a number above 0"),
        ({"seconds": 100}, "seconds: use less than 100"),
        ({"share": 1.1}, "share: use a number up to 1"),
        ({"share": -math.inf}, "share: use a number up to 1"),
        ({"is_on": 1}, "is_on: use true or false"),
        ({"colour": "green"}, "colour: use one of red, blue"),
        ({"colour": ["red"]}, "colour: use one of red, blue"),
        ({"word": "longer"}, "word: use text of at most 5 characters"),
        ({"word": 5}, "word: use text of at most 5 characters"),
        ({"word": None}, "word: use text of at most 5 characters"),
        ({"text": "a\rb"}, "text: use text without control characters"),
        ({"text": "\ud800"}, "text: use text without control characters"),
        ({"text": "x" * 2001}, "text: use text of at most 2000 characters"),
        ({"stauts": 429}, "stauts: there is no such setting of odd; did you mean status?"),
    ],
)
def test_what_no_setting_can_be_is_refused_with_field_and_reason(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_settings(Odd, values)
    assert str(caught.value) == words
    assert (caught.value.field, caught.value.reason) == tuple(words.split(": ", 1))


def test_only_what_is_not_as_it_is_by_default_is_written() -> None:
    assert write_settings(Odd()) == {}
    values = {"status": 429, "seconds": 2, "share": 0.5, "is_on": True, "colour": "red", "word": "y", "text": "z"}
    assert write_settings(read_settings(Odd, values)) == values
    assert [type(value) for value in write_settings(Odd(seconds=2.0, colour=Colour.RED)).values()] == [int, str]


def test_settings_describe_themselves() -> None:
    described = {one.name: one for one in describe(Odd)}
    assert list(described) == ["status", "seconds", "share", "is_on", "colour", "word", "text"]
    status = described["status"]
    assert (status.type, status.help, status.default, status.is_nullable) == ("integer", "A status.", None, True)
    assert (status.ge, status.gt, status.le, status.example) == (400, None, 599, 429)
    assert [one.type for one in described.values()] == [
        "integer", "number", "number", "boolean", "choice", "text", "text",
    ]  # fmt: skip
    assert [one.words for one in described.values()] == [
        "a whole number from 400 to 599",
        "a number above 0",
        "a number up to 1",
        "true or false",
        "one of red, blue",
        "text of at most 5 characters",
        "text of at most 2000 characters",
    ]
    assert (described["colour"].choices, described["colour"].example) == (("red", "blue"), "red")
    assert (described["seconds"].default, described["seconds"].is_nullable) == (1.0, False)


def test_the_schema_says_the_same() -> None:
    schema = json_schema(Odd)
    assert (schema["title"], schema["required"], schema["additionalProperties"]) == ("Odd", ["fault"], False)
    properties = schema["properties"]
    assert properties["fault"] == {"const": "odd"}
    assert properties["status"] == {
        "type": ["integer", "null"],
        "description": "A status.",
        "minimum": 400,
        "maximum": 599,
        "default": None,
        "examples": [429],
    }
    assert properties["seconds"] == {"type": "number", "description": "Seconds.", "exclusiveMinimum": 0, "default": 1.0}
    assert properties["colour"]["enum"] == ["red", "blue", None]
    assert properties["word"]["maxLength"] == 5


@dataclass(frozen=True)
class Listed(Fault):
    kind = "listed"
    names: list[str] = setting(None, "Names.")


@dataclass(frozen=True)
class Bare(Fault):
    kind = "bare"
    seconds: float = 1.0


@pytest.mark.parametrize("cls", [Listed, Bare])
def test_a_field_that_is_no_setting_is_refused(cls: type[Fault]) -> None:
    with pytest.raises(TypeError, match=rf"{cls.__name__}\.(names|seconds)"):
        describe(cls)


def test_words_for_ranges_numbers_and_strange_values() -> None:
    assert range_words(None, None, None) == ""
    assert [range_words(1, None, None), range_words(None, 0, 2.5), range_words(None, None, 3)] == [
        " from 1", " above 0 to 2.5", " up to 3",
    ]  # fmt: skip
    assert [number(2.0), number(2.5), number(3), repr(number(1e300))] == [2, 2.5, 3, "1e+300"]
    assert [shown("a\nb"), shown(3), shown("x" * 100)] == ["a?b", "(int)", "x" * 60]
    assert unknown("zzz", "part", ["one", "two"]) == "there is no such part; there are one, two"
    assert unknown("zzz", "part", []) == "there is no such part; there are none"


def test_numbers_are_read_within_their_range_alone() -> None:
    assert read_number(3, is_whole=True, ge=3, le=3) == 3
    assert [read_number(value, is_whole=True) for value in (False, 1.0, "1", None, 2**63)] == [None] * 5
    assert read_number(-(10**400), is_whole=False) is None


def test_text_that_can_be_sent_is_clean() -> None:
    assert [is_clean(text) for text in ("", "a b", "a\tb\n", "ü\u00a0\u200b", "\0", "\x85", "\udfff")] == [
        True, True, True, True, False, False, False,
    ]  # fmt: skip
