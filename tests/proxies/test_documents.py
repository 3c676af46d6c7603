"""JSON and YAML that people write, and what is refused of it."""

from __future__ import annotations

from typing import Any

import pytest

from proxies.documents import MAX_DOCUMENT_BYTES, line_of, read_document, write_yaml
from proxies.errors import Invalid


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('[{"a": 1.5, "b": null}]', [{"a": 1.5, "b": None}]),
        (b'\t{"tabs": "are fine in JSON"}', {"tabs": "are fine in JSON"}),
        ("- match: {a: gpt-*}\n  text: |\n    a\n    b\n", [{"match": {"a": "gpt-*"}, "text": "a\nb\n"}]),
        ("day: 2024-01-01\nflag: true\nsize: 7\nno:", {"day": "2024-01-01", "flag": True, "size": 7, False: None}),
        ("'2024-01-01'", "2024-01-01"),
        ("[NaN]", ["NaN"]),
        ("", None),
        ("# only a comment", None),
    ],
)
def test_json_and_yaml_are_read(text: str | bytes, value: Any) -> None:
    assert read_document(text) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1,", "This is neither JSON nor YAML: did not find expected node content in line 2, column 1."),
        ("a: 1\nb: [", "This is neither JSON nor YAML: did not find expected node content in line 3, column 1."),
        ("a: 1\na: 2", "This is neither JSON nor YAML: a name stands there twice in line 1, column 1."),
        ('[{"a": 1, "a": 2}]', "This is neither JSON nor YAML: a name stands there twice in line 1, column 2."),
        ("a: &x 1\nb: *x", "Aliases (*name) are not read; write the value out."),
        (
            "!!python/object/apply:os.getcwd []",
            "This is neither JSON nor YAML: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object/apply:os.getcwd' in line 1, column 1.",
        ),
        (b"\xff", "The text is not valid UTF-8."),
        ("x" * (MAX_DOCUMENT_BYTES + 1), f"The text takes 2097153 bytes; {MAX_DOCUMENT_BYTES} is the most."),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(text: str | bytes, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_document(text, field="emulation.replies")
    assert caught.value.fields == {"emulation.replies": words}
    with pytest.raises(Invalid) as caught:
        read_document(text)
    assert (caught.value.message, caught.value.fields) == (words, {})


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 5000, "- " * 1_000_000, "\ud800", "a: \x00", "\x00"])
def test_hostile_texts_are_refused_and_harm_nothing(text: str) -> None:
    with pytest.raises(Invalid):
        read_document(text)


def test_what_is_written_is_read_again() -> None:
    shared = {"city": "Paris"}
    value = [{"text": "two\nlines\n", "day": "2024-01-01", "yes": "no", "b": shared, "a": shared, "empty": []}]
    text = write_yaml(value)
    assert read_document(text) == value
    assert "text: |" in text
    assert text.index("b:") < text.index("a:")


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a: 1\nb:\n  - x\n  - y: {z: 2}\n", ("b",), 3),
        ("a: 1\nb:\n  - x\n  - y: {z: 2}\n", ("b", 1, "y", "z"), 4),
        ('{"a": [1,\n2]}', ("a", 1), 2),
        ('{"a": [1,\n2]}', ("a", 7), 1),
        ('{"a": [1,\n2]}', ("b",), 1),
        ('\n{"a": ["\\ud83d\\ude00"]}', ("a",), 1),  # JSON that is no YAML
    ],
)
def test_the_line_of_a_value_is_found(text: str, path: tuple[str | int, ...], line: int) -> None:
    assert read_document(text)
    assert line_of(text, path) == line
