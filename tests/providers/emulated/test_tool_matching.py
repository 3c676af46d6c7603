"""Which tools a prompt asks for."""

from __future__ import annotations

import orjson
import pytest
from jsonschema import Draft202012Validator

from providers.emulated.acting import act
from providers.emulated.answer import Stop
from providers.emulated.question import Question, Tool, ToolChoice
from providers.emulated.tool_matching import is_final, wanted_tools
from tests.providers.emulated.conversations import ADD, CALCULATOR, CITY, MULTIPLY, TIME, WEATHER, calls, talk
from tests.providers.emulated.offers import ROWS

ALL = [WEATHER, TIME, CALCULATOR, ADD, MULTIPLY, Tool("book_flight", "Book a flight", CITY)]


def names(question: Question) -> list[str]:
    return [name for name, _ in calls(act(question))]


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("What's the weather in Paris?", "get_weather"),
        ("Is it going to rain in Oslo?", "get_weather"),
        ("Use get_time for Berlin", "get_time"),
        ("please get time, in Berlin", "get_time"),
        ("Book a flight to London", "book_flight"),
        ("What is 12 * 7?", "calculator"),
        ("Call the tool.", "get_weather"),
    ],
)
def test_a_prompt_that_asks_for_a_tool_gets_it_called(prompt: str, name: str) -> None:
    answer = act(talk(prompt, tools=ALL))
    assert [use.name for use in answer.tool_uses] == [name]
    assert answer.stop is Stop.TOOLS


@pytest.mark.parametrize(
    "prompt",
    [
        "Hello",
        "Say hello.",
        "Thanks!",
        "Tell me a joke",
        "What is the capital of France?",
        "My name is Ann",
        "",
        "Write a poem",
    ],
)
def test_small_talk_calls_no_tool(prompt: str) -> None:
    assert names(talk(prompt, tools=ALL)) == []


def test_a_tool_is_not_called_when_the_request_or_the_prompt_forbids_it() -> None:
    assert names(talk("weather in Paris", tools=ALL, tool_choice=ToolChoice("none"))) == []
    assert names(talk("What is the weather in Paris? Do not use tools.", tools=ALL)) == []


def test_a_sum_is_given_to_the_tool_for_it() -> None:
    assert calls(act(talk("What is 2 plus 3?", tools=[ADD, MULTIPLY]))) == [("add", '{"a":2,"b":3}')]
    assert calls(act(talk("What is 12 times 7?", tools=[CALCULATOR]))) == [("calculator", '{"expression":"12 * 7"}')]
    assert names(talk("What is 12 times 7?", tools=[TIME])) == []


def test_two_tools_for_one_thing_are_not_both_called() -> None:
    forecast = Tool("get_weather_forecast", "Get the weather of the next days", CITY)
    assert names(talk("What is the weather in Paris?", tools=[forecast, WEATHER])) == ["get_weather"]


def test_each_tool_gets_its_part_of_the_prompt_if_each_part_says_something() -> None:
    parts = wanted_tools([TIME, WEATHER], "The weather in Paris, then the time in Rome", is_forced=False)
    assert [(tool.name, part) for tool, part in parts] == [
        ("get_weather", "weather in Paris, then the "),
        ("get_time", "time in Rome"),
    ]
    whole = "The weather and the time in Rome"
    assert [part for _, part in wanted_tools([TIME, WEATHER], whole, is_forced=False)] == [whole, whole]


def test_an_everyday_word_in_a_prompt_names_no_tool() -> None:
    assert names(talk("What is the latest?", tools=[Tool("test")])) == []
    assert names(talk("Answer me.", tools=[Tool("answer")])) == []


@pytest.mark.parametrize(
    "name", ["final_result", "final_answer", "submit_answer", "respond", "output", "final_result_Person"]
)
def test_names_agent_frameworks_give_to_final_answers_are_known(name: str) -> None:
    assert is_final(name)


@pytest.mark.parametrize("name", ["get_weather", "submit_order", "get_result", "answer_phone", "complete_order"])
def test_other_names_are_tools_like_any_other(name: str) -> None:
    assert not is_final(name)


@pytest.mark.parametrize(("offered", "prompt", "expected"), ROWS)
def test_a_prompt_gets_the_tools_called_that_a_model_would_call(
    offered: list[Tool], prompt: str, expected: list[str]
) -> None:
    made = calls(act(talk(prompt, tools=offered)))
    assert [name for name, _ in made] == expected
    schemas = {one.name: one.schema for one in offered}
    for name, arguments in made:
        assert Draft202012Validator(schemas[name]).is_valid(orjson.loads(arguments))
