"""The numbers of cached tokens: what was sent before, as far as the provider keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.acting import act
from providers.emulated.prompt_cache import MIN_TOKENS, STEP, PromptCache
from providers.emulated.question import Question, Turn
from tests.providers.emulated.conversations import ADD, WEATHER, talk

LONG = " ".join(f"Rule {number}: be kind to ducks." for number in range(200))


def send(cache: PromptCache, *said: str | Turn, **fields: Any) -> tuple[int, int, int]:
    """Input, cached and cache-write tokens."""
    question: Question = talk(*said, **fields)
    answer = act(question)
    cache.apply(question, answer)
    return answer.input_tokens, answer.cached_tokens, answer.cache_write_tokens


def test_a_prompt_is_cached_the_second_time_in_whole_steps_and_never_to_its_last_token() -> None:
    cache = PromptCache()
    whole, cached, written = send(cache, LONG)
    assert whole > MIN_TOKENS
    assert (cached, written) == (0, 0)
    _, cached, written = send(cache, LONG)
    assert cached == (whole - 1) // STEP * STEP
    assert written == 0


def test_a_short_prompt_is_never_cached() -> None:
    cache = PromptCache()
    for caches in ("auto", (1,)):
        assert [send(cache, "Hello", caches=caches)[1:] for _ in range(2)] == [(0, 0), (0, 0)]


def test_a_longer_conversation_is_cached_as_far_as_it_was_sent() -> None:
    cache = PromptCache()
    before, *_ = send(cache, LONG, "Quack.")
    whole, cached, _ = send(cache, LONG, "Quack.", "And what about geese? " * 100)
    assert before - STEP <= cached <= before < whole


def test_two_prompts_with_the_same_beginning_share_it_within_one_turn() -> None:
    cache = PromptCache()
    whole, *_ = send(cache, LONG + " What is rule 3?")
    _, cached, _ = send(cache, LONG + " What is rule 7, and why does it say what it says?")
    assert whole - 2 * STEP <= cached <= whole


def test_a_common_beginning_of_less_than_the_least_is_not_cached() -> None:
    cache = PromptCache()
    send(cache, LONG[:2000] + "x" * 8000)
    assert send(cache, LONG[:2000] + "y" * 8000)[1] == 0


@pytest.mark.parametrize(
    "other",
    [{"model": "gpt-4o-mini"}, {"tools": [WEATHER]}],
    ids=["model", "tools"],
)
def test_another_model_and_other_tools_have_a_cache_of_their_own(other: dict[str, Any]) -> None:
    cache = PromptCache()
    send(cache, LONG)
    assert send(cache, LONG, **other)[1] == 0
    assert send(cache, LONG, **other)[1] > 0


def test_what_is_marked_is_written_first_and_read_later() -> None:
    cache = PromptCache()
    system = Turn("system", LONG)
    whole, cached, written = send(cache, system, Turn("user", "Hello"), caches=(1,))
    assert cached == 0
    assert MIN_TOKENS <= written < whole
    assert send(cache, system, Turn("user", "Another question"), caches=(1,))[1:] == (written, 0)


def test_a_later_mark_reads_what_an_earlier_one_wrote_and_writes_the_rest() -> None:
    cache = PromptCache()
    _, _, first = send(cache, LONG, caches=(1,))
    _, cached, written = send(cache, LONG, "Quack.", LONG, caches=(3,))
    assert cached == first
    assert written > MIN_TOKENS
    assert send(cache, LONG, "Quack.", LONG, "And?", caches=(1, 3))[1:] == (first + written, 0)


def test_only_what_was_marked_is_kept() -> None:
    cache = PromptCache()
    send(cache, LONG, "Quack.", LONG, caches=(3,))
    assert send(cache, LONG, caches=(1,))[1] == 0
    assert send(cache, LONG, "Quack.", LONG, caches=())[1:] == (0, 0)


def test_tools_alone_can_be_marked() -> None:
    cache = PromptCache()
    many = [WEATHER, ADD] * 60
    _, cached, written = send(cache, "Hello", tools=many, caches=(0,))
    assert cached == 0
    assert written > MIN_TOKENS
    assert send(cache, "Hi", tools=many, caches=(0,))[1:] == (written, 0)


@pytest.mark.parametrize("marks", [(-3,), (99,), (1, 1, 0)])
def test_marks_beyond_the_conversation_do_no_harm(marks: tuple[int, ...]) -> None:
    cache = PromptCache()
    whole, cached, written = send(cache, LONG, caches=marks)
    assert 0 <= cached + written <= whole


def test_it_forgets_what_was_not_used_for_longest() -> None:
    cache = PromptCache(max_beginnings=64)
    send(cache, LONG)
    for number in range(8):
        send(cache, f"{number} {LONG}")
    assert send(cache, LONG)[1] == 0
    assert len(cache._seen) <= 64
