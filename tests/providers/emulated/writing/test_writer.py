"""Some text answers every prompt, soon."""

from __future__ import annotations

import itertools

import pytest

from providers.emulated.question import Turn
from tests.providers.emulated.conversations import say


@pytest.mark.parametrize("prompt", ["", " ", "\n", "?", "!!!", "a", "\ud800", "🦆", "\x00", "1", "-", "“”"])
def test_the_strangest_prompt_gets_an_answer(prompt: str) -> None:
    said = say(prompt)
    assert said
    said.encode()


def test_an_instruction_is_found_before_and_after_a_long_text() -> None:
    text = "Ducks are birds that swim on ponds. " * 60
    assert say(f"Count to 3\n\n{text}") == "1, 2, 3"
    assert say(f"{text}\n\nCount to 3") == "1, 2, 3"


WORDS = (
    "say", "count to", "list three", "translate", "my name is", "keys", "a ", '"', " ", "the ", "1", "2+", "(", "word ",
    "summary", ": ", "poem about ", "code ", "is ", "\n", "x-", "to french", "remember", "what is the ", "exactly ",
    "you are ",
)  # fmt: skip


@pytest.mark.parametrize("words", [*itertools.pairwise(WORDS)])
def test_a_prompt_that_repeats_itself_endlessly_does_not_take_endlessly(words: tuple[str, ...]) -> None:
    for trigger in ("say ", "translate ", "json keys ", "summarise ", "what is my ", "code poem list "):
        prompt = trigger + "".join(words) * 1000
        assert say(prompt)
        assert say(Turn("system", prompt[:900] + " only with always"), Turn("user", prompt[:590]))
