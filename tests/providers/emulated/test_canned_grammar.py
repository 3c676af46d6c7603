"""The grammar of canned replies: what is taken, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.emulated.base import CannedFailure, Refused
from providers.emulated.canned_grammar import MAX_BYTES, MAX_DEPTH, MAX_ENTRIES, InvalidCannedReplies, read_replies
from tests.providers.emulated.questions import ask


def reason(entries: Any) -> str:
    with pytest.raises(InvalidCannedReplies) as caught:
        read_replies(entries)
    return str(caught.value)


def of_match(**match: Any) -> str:
    return reason([{"match": match, "reply": {"text": "x"}}])


def of_reply(**reply: Any) -> str:
    return reason([{"reply": reply}])


def test_every_condition_is_read_alone_or_as_a_list() -> None:
    alone = {
        "operation": "chat.*",
        "model": "gpt-*",
        "prompt_contains": "hello",
        "prompt_matches": "(?i)say",
        "system_contains": "pirate",
        "tool": "get_weather",
        "has_tool_result": False,
        "nth": 1,
    }
    listed = {
        name: [value] if name not in ("prompt_matches", "has_tool_result") else value for name, value in alone.items()
    }
    first, second = read_replies([{"match": alone, "reply": {"text": "x"}}, {"match": listed, "reply": {"text": "x"}}])
    assert first == second
    assert {condition.name for condition in first.conditions} == alone.keys() - {"nth"}
    assert first.nth == {1}
    question = ask(system="You are a pirate.", tools=("get_weather",))
    assert first.matches(question, question.prompt)


def test_an_entry_without_match_fits_everything() -> None:
    (entry,) = read_replies([{"reply": {"text": "x"}}])
    assert (entry.conditions, entry.nth) == ((), frozenset())
    assert entry.matches(ask(), "")


def test_equal_lists_give_equal_replies() -> None:
    entries = [{"match": {"prompt_matches": "a+", "model": ["a*", "b"]}, "reply": {"chunks": ["a", "b"]}}]
    assert read_replies(entries) == read_replies(entries)
    assert read_replies(entries) != read_replies([{**entries[0], "reply": {"text": "ab"}}])


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({}, "Use a list of entries, each with match and reply."),
        (None, "Use a list of entries, each with match and reply."),
        (["x"], "entry 1: Use an object."),
        ([{"reply": {"text": "a"}}, {"match": {}}], "entry 2, reply: This field is required."),
        ([{"reply": {"text": "a"}, "then": 1}], "entry 1, then: There is no such field."),
        ([{"match": None, "reply": {"text": "a"}}], "entry 1, match: Use an object."),
        ([{"reply": {"text": "a"}}] * (MAX_ENTRIES + 1), f"There are 201 entries; {MAX_ENTRIES} is the most."),
    ],
)
def test_what_is_no_list_of_entries_is_named(entries: Any, words: str) -> None:
    assert reason(entries) == words


@pytest.mark.parametrize(
    ("match", "words"),
    [
        ({"operation": 5}, "entry 1, match.operation.1: Input should be a valid string."),
        ({"model": []}, "entry 1, match.model: List should have at least 1 item after validation, not 0."),
        ({"model": ["a", ""]}, "entry 1, match.model.2: String should have at least 1 character."),
        (
            {"prompt_matches": "("},
            "entry 1, match.prompt_matches: This is no regular expression: missing ) at position 1.",
        ),
        (
            {"operation": ["chat.completions", "chat.completion"]},
            "entry 1, match.operation: No provider has an operation 'chat.completion'; use the names in the log, as in "
            "chat.completions.",
        ),
        ({"has_tool_result": "yes"}, "entry 1, match.has_tool_result: Input should be a valid boolean."),
        ({"nth": 0}, "entry 1, match.nth.1: Input should be greater than or equal to 1."),
        ({"nth": True}, "entry 1, match.nth.1: Input should be a valid integer."),
        ({"prompt": "x"}, "entry 1, match.prompt: There is no such field."),
    ],
)
def test_a_condition_that_cannot_be_is_named(match: dict[str, Any], words: str) -> None:
    assert of_match(**match) == words


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ({}, "entry 1, reply: Give one of text, json, chunks, tool_calls, error, body."),
        ({"thinking": "x"}, "entry 1, reply: Give one of text, json, chunks, tool_calls, error, body."),
        ({"text": "a", "json": 1}, "entry 1, reply: json cannot be combined with text."),
        ({"text": "a", "chunks": ["a"]}, "entry 1, reply: chunks cannot be combined with text."),
        ({"text": "a", "status": 200}, "entry 1, reply: status cannot be combined with text."),
        ({"error": {"status": 500}, "text": "a"}, "entry 1, reply: text cannot be combined with error."),
        ({"body": "a", "text": "a"}, "entry 1, reply: text cannot be combined with body."),
        (
            {"chunks": ["a"], "raw": True, "finish": "stop"},
            "entry 1, reply: finish cannot be combined with raw chunks.",
        ),
        ({"text": "a", "raw": True}, "entry 1, reply: text cannot be combined with raw chunks."),
        ({"text": 1}, "entry 1, reply.text: Input should be a valid string."),
        ({"text": "a", "finish": "tool_calls"}, "entry 1, reply: finish is tool_calls, but there are none."),
        (
            {"text": "a", "finish": "end"},
            "entry 1, reply.finish: Input should be 'stop', 'length', 'tool_calls' or 'refusal'.",
        ),
        ({"tool_calls": [{"name": ""}]}, "entry 1, reply.tool_calls.1.name: String should have at least 1 character."),
        (
            {"tool_calls": [{"name": "a", "arguments": "{}"}]},
            "entry 1, reply.tool_calls.1.arguments: Input should be a valid dictionary.",
        ),
        ({"error": {"status": 200}}, "entry 1, reply.error.status: Input should be greater than or equal to 400."),
        ({"error": {}}, "entry 1, reply.error.status: This field is required."),
        ({"body": "x", "status": 204}, "entry 1, reply: A reply with status 204 has no body."),
        ({"body": "", "status": 100}, "entry 1, reply.status: Input should be greater than or equal to 200."),
        (
            {"body": "x", "headers": {"Content-Length": "1"}},
            "entry 1, reply.headers: Content-Length is not for a canned reply to choose.",
        ),
        ({"body": "x", "headers": {"a b": "1"}}, "entry 1, reply.headers: 'a b' is no name of a header."),
        (
            {"error": {"status": 500, "headers": {"x": "a\r\nset-cookie: b"}}},
            "entry 1, reply.error.headers: The value of x holds characters that a header cannot.",
        ),
        ({"body": "x", "content_type": "a\nb"}, "entry 1, reply.content_type: Use printable ASCII."),
        ({"text": "a", "delay_s": 601}, "entry 1, reply.delay_s: Input should be less than or equal to 600."),
        ({"chunks": [{"delay_s": 1}]}, "entry 1, reply.chunks.1.text: This field is required."),
        ({"text": "a", "usage": {"total": 1}}, "entry 1, reply.usage.total: There is no such field."),
    ],
)
def test_a_reply_that_cannot_be_is_named(reply: dict[str, Any], words: str) -> None:
    assert of_reply(**reply) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("\ud800", "entry 1: Texts must be valid Unicode: there is half of a surrogate pair."),
        (float("nan"), "entry 1: Numbers must be finite."),
        (2**63, "entry 1: Integers must fit into 64 bits."),
        ({1: 2}, "entry 1: Names of members must be texts; put them in quotes."),
        ({"a": {"\udfff": 1}}, "entry 1: Texts must be valid Unicode: there is half of a surrogate pair."),
        ([b"bytes"], "entry 1: Use JSON values only; there is a bytes."),
    ],
)
def test_values_that_no_dialect_could_write_are_refused(value: Any, words: str) -> None:
    assert of_reply(json=value) == words


def test_what_is_too_deep_or_too_long_is_refused() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert of_reply(json=deep) == f"entry 1: Nested more than {MAX_DEPTH} deep."
    assert of_reply(text="x" * MAX_BYTES).endswith(f"bytes as JSON; {MAX_BYTES} is the most.")


def test_several_reasons_come_together_up_to_a_handful() -> None:
    words = reason([{"reply": {"text": number}} for number in range(7)])
    assert words.startswith("entry 1, reply.text: Input should be a valid string. entry 2, reply.text")
    assert words.endswith(" And 2 more.")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    ["text", "json", "chunks", "tool_calls", "error", "body", "raw", "status", "headers", "thinking", "finish", "usage"]
)
MATCHES = st.sampled_from(["operation", "model", "prompt_contains", "prompt_matches", "tool", "has_tool_result", "nth"])


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of odd regular expressions
@given(st.dictionaries(MATCHES, JSON, max_size=3), st.dictionaries(FIELDS, JSON, max_size=3))
def test_any_json_is_either_refused_in_words_or_answers(match: dict[str, Any], reply: dict[str, Any]) -> None:
    refusal = ""
    try:
        (entry,) = read_replies([{"match": match, "reply": reply}])
        entry.matches(ask(), "Say hello.")
        gives_prose = entry.reply.is_prose
        answer = entry.reply.give(ask(), 0, is_repeatable=True)
    except InvalidCannedReplies as error:
        refusal = str(error)
    except (CannedFailure, Refused):
        assert not gives_prose
    else:
        assert answer.text.encode() is not None
    assert refusal == "" or refusal.startswith("entry 1")
