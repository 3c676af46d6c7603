"""The words that a text wants something done with."""

from __future__ import annotations

import pytest

from providers.emulated.json_schema.errands import command, errand, errand_of, identifier


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("old_string", "old"),
        ("newText", "new"),
        ("find", "old"),
        ("replace", "new"),
        ("new_name", ""),
        ("target", ""),
        ("body", "message"),
        ("emailSubject", "subject"),
        ("content", "content"),
        ("query", ""),
        ("", ""),
        ("123", ""),
    ],
)
def test_names_say_which_part_of_an_errand_they_hold(name: str, kind: str) -> None:
    assert errand_of(name) == kind


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("old", "replace foo with bar in notes.txt", "foo"),
        ("new", "replace foo with bar in notes.txt", "bar"),
        ("old", 'Change "red wine" to "tea".', "red wine"),
        ("new", 'Change "red wine" to "tea".', "tea"),
        ("new", "rename `a` to `b`", "b"),
        ("old", "What is new?", None),
        ("message", "Email bob@example.org that I am late", "I am late"),
        ("message", "Let him know that lunch is ready.", "lunch is ready"),
        ("message", "Send an email to Ann: see you at noon.", "see you at noon"),
        ("message", "I think that ducks are nice", None),
        ("message", "Email Ann", None),
        ("subject", "Send an email with the subject Lunch saying hello", "Lunch"),
        ("subject", "Email Ann that I am late", "I am late"),
        ("content", "Save hello to greeting.txt", "hello"),
        ("content", 'Write "two words" into a file called /tmp/a', "two words"),
        ("content", "Read a.txt", None),
    ],
)
def test_an_errand_is_about_the_words_in_the_text(kind: str, text: str, words: str | None) -> None:
    assert errand(kind, text) == words


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("order_id", "Where is order 123?", "123"),
        ("orderId", "Where is my order #A-77?", "A-77"),
        ("issue_key", "Close PROJ-12 please", "PROJ-12"),
        ("id", "Show me #5", "5"),
        ("order_id", "Where is my package?", None),
        ("order", "order 123", None),
    ],
)
def test_things_go_by_what_the_text_calls_them(name: str, text: str, found: str | None) -> None:
    assert identifier(name, text) == found


@pytest.mark.parametrize(
    ("text", "paths", "typed"),
    [
        ("ls -la", [], "ls -la"),
        ("Please run `git status` now", [], "git status"),
        ("What is in /tmp?", ["/tmp"], "ls /tmp"),
        ("Show me a.txt", ["a.txt"], "cat a.txt"),
        ("Make me happy", [], None),
    ],
)
def test_a_shell_gets_something_to_run(text: str, paths: list[str], typed: str | None) -> None:
    assert command(text, paths) == typed
