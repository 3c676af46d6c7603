"""Formats of texts: every one that is made has it, and near misses have not."""

from __future__ import annotations

import datetime
import ipaddress

import pytest
from jsonschema import Draft202012Validator

from providers.emulated.json_schema.formats import has_format, texts_of

FORMATS = [
    "date", "time", "date-time", "duration", "email", "idn-email", "hostname", "ipv4", "ipv6", "uri", "url", "iri",
    "uri-reference", "uuid", "json-pointer", "relative-json-pointer", "regex", "byte", "base64",
]  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_made_has_the_format_and_another_variation_is_another_text(name: str) -> None:
    made = [texts_of(name, variation, b"seed", 0)[0] for variation in range(20)]
    assert all(has_format(text, name) for text in made)
    assert len(set(made)) == 20
    checker = Draft202012Validator.FORMAT_CHECKER
    assert all(checker.conforms(text, name) for text in made)


@pytest.mark.parametrize(
    "name", ["email", "uri", "hostname", "date-time", "time", "duration", "json-pointer", "base64"]
)
@pytest.mark.parametrize("low", [40, 77])
def test_a_longer_text_of_the_format_is_made_when_asked_for(name: str, low: int) -> None:
    longer = [text for text in texts_of(name, 0, b"", low) if len(text) >= low]
    assert longer
    assert any(has_format(text, name) for text in longer)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2026-02-30", "date"), ("2026-1-1", "date"), ("12:00", "time"), ("25:00:00Z", "time"), ("P", "duration"),
        ("PT", "duration"), ("1D", "duration"), ("nobody", "email"), ("a b@c.de", "email"), ("-a.com", "hostname"),
        ("1.2.3.256", "ipv4"), ("::g", "ipv6"), ("no scheme", "uri"), ("x" * 36, "uuid"), ("[", "regex"),
        ("~2", "json-pointer"),
        ("2026-01-01 12:00:00Z", "date-time"), ("=", "base64"),
    ],
)  # fmt: skip
def test_near_misses_have_not_the_format(text: str, name: str) -> None:
    assert not has_format(text, name)


def test_dates_and_addresses_are_what_the_standard_library_reads() -> None:
    assert datetime.datetime.fromisoformat(texts_of("date-time", 3, b"", 0)[0]).tzinfo is not None
    assert ipaddress.ip_address(texts_of("ipv6", 3, b"", 0)[0]).version == 6


def test_a_format_that_is_not_known_is_no_rule_and_has_no_texts() -> None:
    assert has_format("anything", "x-unheard-of")
    assert texts_of("x-unheard-of", 0, b"", 0) == []
