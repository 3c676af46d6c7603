"""What tools are for, and what prompts want done."""

from __future__ import annotations

import pytest

from providers.emulated.tool_purposes import purposes, serving, wants_facts, wishes


@pytest.mark.parametrize(
    ("words", "description", "members", "expected"),
    [
        (("search", "web"), "", ("query",), {"search"}),
        (("google", "search", "result", "json"), "", ("query",), {"search"}),
        (("ask", "oracle"), "a search engine for current events.", ("query",), {"search"}),
        (("search", "flight"), "", ("origin",), set()),
        (("read", "file"), "", ("path",), {"read"}),
        (("edit", "file"), "", ("path", "old"), {"edit"}),
        (("delete", "file"), "", ("path",), {"delete"}),
        (("search", "file"), "", ("path",), set()),
        (("create", "webhook"), "", ("url",), set()),
        (("browser", "navigate"), "", ("url",), {"url"}),
        (("send", "email"), "", ("to", "body"), {"email"}),
        (("read", "email"), "", ("id",), set()),
        (("bash",), "", ("command",), {"shell"}),
    ],
)
def test_a_tool_says_what_it_is_for(
    words: tuple[str, ...], description: str, members: tuple[str, ...], expected: set[str]
) -> None:
    assert purposes(words, description, members) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Open https://example.com/notes.txt", [("url",)]),
        ("Write to bob@example.org", [("email",)]),
        ("Is bob@example.org a valid address?", []),
        ("What is in /tmp?", [("list", "read", "shell")]),
        ("What is in /tmp/a.txt?", [("read", "shell")]),
        ("Change the title in README.md", [("edit", "write", "read", "shell")]),
        ("Delete /tmp/a.txt", [("delete", "shell")]),
        ("Rename a.txt to b.txt", [("move", "edit", "shell")]),
        ("What is Node.js?", []),
        ("Is it this and/or that?", []),
        ("AAPL price?", [("stock",)]),
        ("What does NASA do?", []),
        ("How many users signed up?", [("database",)]),
        ("How many legs does a spider have?", []),
        ("npm install", [("shell",)]),
        ("", []),
    ],
)
def test_a_prompt_says_what_it_wants_done(prompt: str, expected: list[tuple[str, ...]]) -> None:
    assert wishes(prompt) == expected


@pytest.mark.parametrize(
    "prompt", ["Who won?", "Do you know who won?", "How tall is it?", "Is Paris in France?", "Search for ducks"]
)
def test_questions_of_fact_can_be_looked_up(prompt: str) -> None:
    assert wants_facts(prompt)


@pytest.mark.parametrize(
    "prompt",
    ["Who are you?", "What do you think?", "What should I wear?", "Write about search engines", "Is it?", "x" * 500],
)
def test_other_prompts_ask_for_no_facts(prompt: str) -> None:
    assert not wants_facts(prompt)


def test_the_first_purpose_that_a_tool_has_serves() -> None:
    offered = [frozenset({"read"}), frozenset({"list"})]
    assert serving(("list", "read"), offered) == 1
    assert serving(("edit", "read"), offered) == 0
    assert serving(("email",), offered) is None
