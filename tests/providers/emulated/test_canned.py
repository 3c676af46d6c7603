"""Which canned reply answers: the first that fits, counted, and loudly none."""

from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.base import CannedFailure, Refused
from providers.emulated.canned import CannedReplies
from providers.emulated.canned_grammar import read_replies
from providers.emulated.desk import Desk
from tests.providers.emulated.questions import after_a_tool, ask


def canned(*entries: dict[str, Any]) -> CannedReplies:
    return CannedReplies(read_replies(list(entries)))


def said(replies: CannedReplies, prompt: str = "Say hello.", index: int = 0) -> str | None:
    answer = replies.answer(ask(prompt), index, is_strict=False).answer
    return None if answer is None else answer.text


def entry(text: str, **match: Any) -> dict[str, Any]:
    return {"match": match, "reply": {"text": text}}


def test_the_first_that_fits_answers() -> None:
    replies = canned(entry("a", model="claude-*"), entry("b", prompt_contains="hello"), entry("c"))
    assert said(replies) == "b"
    assert said(replies, "Say nothing.") == "c"


def test_all_conditions_of_an_entry_must_hold() -> None:
    replies = canned(entry("a", model="gpt-*", operation="chat.*", prompt_matches="^Say", tool="t"))
    assert said(replies) is None
    assert replies.answer(ask(tools=("t",)), 0, is_strict=False).answer is not None


def test_without_entries_nothing_is_said() -> None:
    assert said(canned()) is None
    assert canned().intercept(ask(), is_strict=True)
    assert canned().answer(ask(), 0, is_strict=True).answer is None  # strict then concerns models alone


def test_the_nth_request_is_counted_among_those_that_fit() -> None:
    replies = canned(entry("second", nth=2, prompt_contains="hello"), entry("first and fourth", nth=[1, 4]))
    assert [said(replies) for _ in range(5)] == ["first and fourth", "second", None, "first and fourth", None]


def test_a_request_counts_for_every_entry_that_it_fits() -> None:
    replies = canned(*(entry(str(n), nth=n) for n in (1, 2, 3)))
    assert [said(replies) for _ in range(4)] == ["1", "2", "3", None]


def test_what_does_not_fit_the_rest_of_an_entry_does_not_count() -> None:
    replies = canned(entry("second hello", nth=2, prompt_contains="hello"))
    assert [said(replies, prompt) for prompt in ("hello", "bye", "hello")] == [None, None, "second hello"]


def test_further_choices_get_what_the_first_got_and_do_not_count() -> None:
    replies = canned(entry("once", nth=1))
    assert [said(replies, index=index) for index in (0, 1, 2)] == ["once"] * 3
    assert said(replies) is None
    assert said(replies, index=1) is None


def test_what_depends_on_the_number_of_requests_is_not_repeatable() -> None:
    replies = canned(entry("x", nth=2, prompt_contains="hello"), entry("y"))
    assert not replies.answer(ask("hello"), 0, is_strict=False).is_repeatable
    assert replies.answer(ask("bye"), 0, is_strict=False).is_repeatable


def test_only_errors_and_bodies_answer_operations_without_prose() -> None:
    question = ask(operation="embeddings", model="text-embedding-3-small")
    replies = canned(
        entry("prose"),
        {"match": {"operation": "embeddings", "nth": 2}, "reply": {"error": {"status": 503}}},
        {"match": {"operation": "files.*"}, "reply": {"body": "{}"}},
    )
    assert not replies.intercept(question, is_strict=False)
    with pytest.raises(CannedFailure):
        replies.intercept(question, is_strict=False)
    assert not replies.intercept(question, is_strict=True)  # as usual: it has no prose to be strict about
    with pytest.raises(Refused):
        replies.intercept(ask(operation="files.create", model=""), is_strict=False)
    assert replies.intercept(ask(operation="models.list", model=""), is_strict=True)


def test_in_strict_mode_a_question_that_nothing_fits_is_a_loud_error() -> None:
    replies = canned(
        entry("a", model="claude-*", prompt_contains="secret"),
        entry("b", prompt_contains="goodbye"),
    )
    with pytest.raises(CannedFailure) as caught:
        replies.answer(ask("my secret plan"), 0, is_strict=True)
    assert (caught.value.status, caught.value.code) == (404, "no_canned_reply")
    assert caught.value.message == (
        "No canned reply matches this request, and the proxy is strict: operation chat.completions, model gpt-4o-mini; "
        "2 entries tried. Entry 1 comes nearest: it does not fit by model."
    )
    with pytest.raises(CannedFailure) as caught:
        canned(entry("a", nth=9)).answer(after_a_tool(), 0, is_strict=True)
    assert caught.value.message is not None
    assert caught.value.message.endswith("1 entry tried. Entry 1 comes nearest: it does not fit by nth.")
    assert not caught.value.is_repeatable
    with pytest.raises(CannedFailure) as caught:
        canned(entry("a", model="x")).answer(ask(model="\ud800" + "y" * 1000), 0, is_strict=True)
    assert caught.value.message is not None
    assert f"model ?{'y' * 199};" in caught.value.message


def test_a_desk_counts_anew_when_its_list_changes_and_only_then() -> None:
    def replies() -> Any:
        return read_replies([entry("once", nth=1, prompt_matches="hel+o", model="gpt-*")])

    desk = Desk(canned=replies())
    assert desk.answer(ask()).text == "once"
    desk.change(is_strict=True, canned=replies())
    with pytest.raises(CannedFailure):
        desk.answer(ask())
    desk.change(is_strict=True, canned=(*replies(), *read_replies([entry("other", model="x")])))
    assert desk.answer(ask()).text == "once"


def test_a_desk_says_whether_its_answer_is_repeatable() -> None:
    desk = Desk(canned=read_replies([entry("x", nth=2)]))
    assert not desk.answer(ask()).is_repeatable
    assert Desk().answer(ask()).is_repeatable
