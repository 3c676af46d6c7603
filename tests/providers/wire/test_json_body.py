"""JSON bodies of unknown shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import Usage
from providers.wire.json_body import (
    MISSING,
    JsonReader,
    count,
    find_member,
    is_json,
    mapping,
    media_type,
    number,
    parse,
    text,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def total(body: Any) -> Usage:
    return Usage(input_tokens=count(mapping(body, "usage").get("n")), model=text(mapping(body).get("model")))


def reader_of(data: bytes, size: int = 50_000) -> JsonReader:
    reader = JsonReader(total)
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    return reader


@pytest.mark.parametrize("data", [b"", b"{", b"nul", b"\xff", b"[" * 5000, b'{"a":1}x'])
def test_bytes_that_are_not_json_are_missing(data: bytes) -> None:
    assert parse(data) is MISSING


@pytest.mark.parametrize(
    ("value", "known"), [(3, 3), (0, 0), (-1, None), (True, None), (1.5, None), ("3", None), (None, None)]
)
def test_a_count_is_a_non_negative_integer(value: Any, known: int | None) -> None:
    assert count(value) is known or count(value) == known


def test_a_boolean_is_no_number_and_an_empty_text_is_none() -> None:
    assert number(True) is None
    assert number(1) == 1.0
    assert text("") is None
    assert text(1) is None


@given(JSON, st.lists(st.text(max_size=3), max_size=3))
def test_a_path_into_anything_gives_an_object(value: Any, path: list[str]) -> None:
    assert isinstance(mapping(value, *path), dict)


@given(JSON, JSON)
def test_a_member_is_found_in_json_cut_at_the_front(other: Any, value: Any) -> None:
    data = json.dumps({"other": {"nested": other}, "usage": {"value": value}}).encode()
    found = find_member(data[3:], "usage")
    assert found == {"value": value}


def test_a_member_quoted_inside_a_string_is_not_found() -> None:
    assert find_member(json.dumps({"text": '"usage": {"n": 1}'}).encode(), "usage") is MISSING


def test_a_media_type_has_no_parameters_and_no_case() -> None:
    assert media_type([(b"content-type", b"Application/JSON; charset=utf-8")]) == b"application/json"
    assert media_type([]) == b""
    assert is_json([(b"content-type", b"application/problem+json")])
    assert not is_json([(b"content-type", b"text/plain")])


def test_a_body_is_read_and_whole() -> None:
    reader = reader_of(b'{"model":"m","usage":{"n":5}}', size=3)
    assert reader.finish() == Usage(input_tokens=5, model="m")
    assert reader.is_whole


@pytest.mark.parametrize("data", [b'{"usage":{"n":5}', b"", b"<html>", b'{"error":{"message":"x"},"usage":{"n":5}}'])
def test_a_broken_or_unsuccessful_body_is_not_whole(data: bytes) -> None:
    reader = reader_of(data)
    reader.finish()
    assert not reader.is_whole


def test_a_body_too_long_to_hold_still_tells_its_usage() -> None:
    filler = b'"data":["' + b"A" * 4_000_000 + b'"]'
    for data in (b'{"model":"m",' + filler + b',"usage":{"n":5}}', b'{"usage":{"n":5},"model":"m",' + filler + b"}\n"):
        reader = reader_of(data)
        assert reader.finish() == Usage(input_tokens=5, model="m")
        assert reader.is_whole


def test_a_long_body_cut_short_is_not_whole() -> None:
    reader = reader_of(b'{"model":"m","data":["' + b"A" * 4_000_000)
    reader.finish()
    assert not reader.is_whole
