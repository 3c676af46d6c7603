"""What `match` and `when` take, what they refuse, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from proxies.dataplane.access import AccessList
from proxies.dataplane.faults.conditions import read_match, read_when, write_match, write_when
from proxies.dataplane.faults.rules import Match, When
from proxies.dataplane.faults.settings import InvalidField


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, Match()),
        ({}, Match()),
        ({"operation": "chat.*"}, Match(operation=("chat.*",))),
        ({"model": ["gpt-4*", "o3"]}, Match(model=("gpt-4*", "o3"))),
        ({"path": "/v1/*", "prompt_hash": "ab*"}, Match(path=("/v1/*",), prompt_hash=("ab*",))),
        ({"streaming": False}, Match(streaming=False)),
        ({"header": {"X-B": "1", "x-a": ["2", "3"]}}, Match(header=(("x-a", ("2", "3")), ("x-b", ("1",))))),
        ({"client": ["10.0.0.0/8", "::1"]}, Match(client=AccessList(("10.0.0.0/8", "::1")))),
        ({"model": None, "streaming": None, "header": None, "client": None}, Match()),
    ],
)
def test_a_match_is_read(value: Any, expected: Match) -> None:
    assert read_match(value) == expected
    assert read_match(write_match(expected)) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("gpt-4o", "match: use a mapping such as {model: gpt-4*}"),
        ({1: "x"}, "match: use texts for the names of its members, not (int)"),
        ({"modle": "x"}, "match.modle: there is no such part of match; did you mean model?"),
        ({"every": 3}, "match.every: it stands in when, as in when: {every: ...}"),
        ({"rate": 0.5}, "match.rate: it stands in the rule itself, beside match and when"),
        ({"model": 4}, "match.model: use a text, or a list of up to 100 texts"),
        ({"model": []}, "match.model: use a text, or a list of up to 100 texts"),
        ({"model": ["x"] * 101}, "match.model: use a text, or a list of up to 100 texts"),
        ({"model": ""}, "match.model: use texts of 1 to 500 characters"),
        ({"model": [None]}, "match.model: use texts of 1 to 500 characters"),
        ({"path": "x" * 501}, "match.path: use texts of 1 to 500 characters"),
        ({"path": b"/v1"}, "match.path: use texts of 1 to 500 characters"),
        ({"streaming": "yes"}, "match.streaming: use true or false"),
        ({"header": "x-a"}, "match.header: use a mapping of names and texts"),
        ({"header": {"x a": "1"}}, "match.header: x a is not the name of a header"),
        ({"header": {"x-a": 1}}, "match.header.x-a: use a text, or a list of up to 100 texts"),
        ({"header": {"x-a": "1", "X-A": "2"}}, "match.header: X-A stands there twice; case does not count"),
        ({"client": "10.0.0.256"}, "match.client: 10.0.0.256 is not an IP address, a CIDR range or a wildcard"),
        ({"client": ["::1", "10.0.0.1/8"]}, "match.client: 10.0.0.1/8 is an address inside a range; write 10.0.0.0/8"),
    ],
)
def test_a_match_nobody_can_obey_is_refused(value: Any, words: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_match(value)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, When()),
        ({"every": 3, "after": 10}, When(every=3, after=10)),
        ({"first": 2}, When(first=2)),
        ({"between_s": [30, 60.5]}, When(between_s=(30.0, 60.5))),
        ({"window": "22:00-06:30"}, When(window=(79_200, 23_400))),
        ({"window": "00:00-24:00"}, When(window=(0, 86_400))),
        ({"every": None, "first": None, "after": None, "between_s": None, "window": None}, When()),
    ],
)
def test_a_when_is_read(value: Any, expected: When) -> None:
    assert read_when(value) == expected
    assert read_when(write_when(expected)) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3, "when: use a mapping such as {every: 3}"),
        ({"evry": 3}, "when.evry: there is no such part of when; did you mean every?"),
        ({"model": "x"}, "when.model: it stands in match, as in match: {model: ...}"),
        ({"every": 0}, "when.every: use a whole number from 1 to 1000000000"),
        ({"first": 1.5}, "when.first: use a whole number from 1 to 1000000000"),
        ({"after": True}, "when.after: use a whole number from 1 to 1000000000"),
        ({"every": 3, "first": 2}, "when.first: it would never fire: every 3 is none of these 2 requests"),
        ({"every": 5, "after": 5, "first": 4}, "when.first: it would never fire: every 5 is none of these 4 requests"),
        ({"between_s": 30}, "when.between_s: use two numbers of seconds, such as [30, 60]"),
        ({"between_s": [1, 2, 3]}, "when.between_s: use two numbers of seconds, such as [30, 60]"),
        ({"between_s": "12"}, "when.between_s: use two numbers of seconds, such as [30, 60]"),
        ({"between_s": [-1, 2]}, "when.between_s: use a number from 0 to 1000000000"),
        ({"between_s": [5, 5]}, "when.between_s: the second number must be larger than the first"),
        ({"window": "22-6"}, 'when.window: use times of day in UTC, such as "22:00-06:00"'),
        ({"window": "24:00-06:00"}, 'when.window: use times of day in UTC, such as "22:00-06:00"'),
        ({"window": "22:00-24:01"}, 'when.window: use times of day in UTC, such as "22:00-06:00"'),
        ({"window": "06:00-06:00"}, "when.window: it ends when it begins; for the whole day leave it out"),
        ({"window": 1320}, 'when.window: use times of day in UTC, such as "22:00-06:00"'),
    ],
)
def test_a_when_nobody_can_obey_is_refused(value: Any, words: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_when(value)
    assert str(caught.value) == words
