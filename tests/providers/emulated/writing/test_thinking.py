"""Thoughts say what was asked and what comes next."""

from __future__ import annotations

from providers.emulated.acting import act
from providers.emulated.question import OutputFormat
from tests.providers.emulated.conversations import WEATHER, talk, with_results


def test_thoughts_name_the_prompt_and_the_tool() -> None:
    answer = act(talk("What is the weather in Paris?", thinks=True, tools=[WEATHER]))
    assert "What is the weather in Paris?" in answer.thinking
    assert "get_weather" in answer.thinking


def test_thoughts_stay_within_their_bound() -> None:
    whole = act(talk("Why?", thinks=True))
    for most in (-1, 0, 1, 7):
        answer = act(talk("Why?", thinks=True, thinking_tokens=most))
        assert answer.reasoning_tokens == max(most, 0)
        assert whole.thinking.startswith(answer.thinking)


def test_each_situation_has_thoughts_of_its_own() -> None:
    question = talk("weather in Paris", tools=[WEATHER])
    after = with_results(question, act(question), "sunny")
    after.thinks = True
    thoughts = {
        act(talk("Why?", thinks=True)).thinking,
        act(talk("Why?", thinks=True, output=OutputFormat())).thinking,
        act(after).thinking,
        act(talk("", thinks=True)).thinking,
    }
    assert len(thoughts) == 4
