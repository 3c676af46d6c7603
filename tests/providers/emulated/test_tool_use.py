"""Tools are called when a prompt asks for them, with what it says, and an agent's loop ends."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.emulated.acting import act
from providers.emulated.answer import Stop
from providers.emulated.question import Question, Tool, ToolChoice, ToolResult, ToolUse, Turn
from tests.providers.emulated.conversations import (
    ADD,
    ANY,
    CALCULATOR,
    CITY,
    FINAL,
    MULTIPLY,
    TIME,
    WEATHER,
    calls,
    talk,
    with_results,
)
from tests.providers.emulated.offers import (
    BASH,
    EDIT,
    EMAIL,
    IMAGE,
    ISSUE,
    LIST,
    MAGIC,
    NAVIGATE,
    ORDER,
    STOCK,
    WEB,
    WRITE,
)

ALL = [WEATHER, TIME, CALCULATOR, ADD, MULTIPLY, Tool("book_flight", "Book a flight", CITY)]


def names(question: Question) -> list[str]:
    return [name for name, _ in calls(act(question))]


# --- with what


def test_arguments_come_from_the_prompt() -> None:
    assert calls(act(talk("What's the weather in Lisbon?", tools=[WEATHER]))) == [("get_weather", '{"city":"Lisbon"}')]


def test_several_things_asked_for_are_parallel_calls() -> None:
    assert calls(act(talk("weather in Paris and Rome", tools=[WEATHER]))) == [
        ("get_weather", '{"city":"Paris"}'),
        ("get_weather", '{"city":"Rome"}'),
    ]


def test_several_tools_asked_for_are_parallel_calls_each_with_its_own_part() -> None:
    prompt = "What's the weather in Paris and the time in Rome?"
    assert calls(act(talk(prompt, tools=ALL))) == [("get_weather", '{"city":"Paris"}'), ("get_time", '{"city":"Rome"}')]
    assert calls(act(talk("Add 3 and 4, multiply 5 by 6", tools=[ADD, MULTIPLY]))) == [
        ("add", '{"a":3,"b":4}'),
        ("multiply", '{"a":5,"b":6}'),
    ]


def test_a_tool_without_a_schema_is_called_with_nothing() -> None:
    assert calls(act(talk("roll the dice", tools=[Tool("roll_dice")]))) == [("roll_dice", "{}")]


# --- one at a time


def test_calls_come_one_after_another_where_only_one_is_allowed() -> None:
    question = talk("weather in Paris and Rome", tools=[WEATHER], may_call_many=False)
    seen = []
    for _ in range(3):
        answer = act(question)
        seen += calls(answer)
        if not answer.tool_uses:
            break
        question = with_results(question, answer, "sunny")
    assert seen == [("get_weather", '{"city":"Paris"}'), ("get_weather", '{"city":"Rome"}')]
    assert "sunny" in act(question).text


# --- after the results


@pytest.mark.parametrize("prompt", ["weather in Paris", "weather and time in Paris and Rome", "Call the tool."])
def test_an_agent_loop_ends_with_the_results_in_words(prompt: str) -> None:
    question = talk(prompt, tools=ALL)
    answer = act(question)
    question = with_results(question, answer, *[f"result {place}" for place in range(len(answer.tool_uses))])
    last = act(question)
    assert last.tool_uses == []
    assert last.stop is Stop.END
    assert all(f"result {place}" in last.text for place in range(len(answer.tool_uses)))


def test_results_whose_calls_are_not_in_the_conversation_end_the_loop() -> None:
    question = talk("weather in Paris", Turn("tool", tool_results=(ToolResult("1", "", "sunny"),)), tools=[WEATHER])
    assert "sunny" in act(question).text


def test_a_new_prompt_after_results_is_judged_anew() -> None:
    question = talk("weather in Paris", tools=[WEATHER])
    question = with_results(question, act(question), "sunny")
    turns = [*question.turns, Turn("assistant", "It is sunny."), Turn("user", "And the weather in Rome?")]
    assert calls(act(talk(*turns, tools=[WEATHER]))) == [("get_weather", '{"city":"Rome"}')]


def test_results_in_a_user_turn_are_results_all_the_same() -> None:
    use = ToolUse("1", "get_weather", "{}")
    turns = [
        Turn("user", "weather in Paris"),
        Turn("assistant", tool_uses=(use,)),
        Turn("user", "Go on.", tool_results=(ToolResult("1", "", "sunny"),)),
    ]
    answer = act(talk(*turns, tools=[WEATHER]))
    assert answer.tool_uses == []
    assert "sunny" in answer.text


# --- forced calls


def test_a_forced_call_is_made_whatever_the_prompt_says() -> None:
    assert names(talk("Hello", tools=[WEATHER], tool_choice=ANY)) == ["get_weather"]
    assert names(talk("Hello", tools=ALL, tool_choice=ToolChoice("named", ("get_time",)))) == ["get_time"]
    assert names(talk("weather", tools=ALL, tool_choice=ToolChoice("named", ("get_time",)))) == ["get_time"]
    assert names(talk("Hello", tools=[], tool_choice=ANY)) == []


def test_a_forced_call_is_made_even_after_results() -> None:
    question = talk("weather in Paris", tools=[WEATHER], tool_choice=ANY)
    assert names(with_results(question, act(question), "sunny")) == ["get_weather"]


def test_the_tool_that_takes_the_final_answer_is_called_last_with_what_was_found() -> None:
    question = talk("What's the weather in Paris?", tools=[FINAL, WEATHER], tool_choice=ANY)
    first = act(question)
    assert calls(first) == [("get_weather", '{"city":"Paris"}')]
    assert calls(act(with_results(question, first, '{"temperature": 23.5}'))) == [
        ("final_result", '{"temperature":23.5}')
    ]


def test_a_tool_not_yet_called_is_preferred_after_results() -> None:
    report = Tool("WeatherReport", "Writes it down", CITY)
    question = talk("weather in Paris", tools=[Tool("get_weather", "", CITY), report], tool_choice=ANY)
    first = act(question)
    assert [use.name for use in first.tool_uses] == ["get_weather"]
    assert names(with_results(question, first, "sunny")) == ["WeatherReport"]


def test_a_framework_that_waits_for_its_final_tool_gets_it_though_it_does_not_force_it() -> None:
    question = talk("What's the weather in Paris?", tools=[FINAL, WEATHER])
    first = act(question)
    assert [use.name for use in first.tool_uses] == ["get_weather"]
    second = with_results(question, first, '{"temperature": 23.5}')
    last = act(second)
    assert [use.name for use in last.tool_uses] == ["final_result"]
    assert act(with_results(second, last, "ok")).tool_uses == []


def test_arguments_are_objects_whatever_the_schema_says() -> None:
    answer = act(talk("Hello", tools=[Tool("x", "", {"type": "string"})], tool_choice=ANY))
    assert orjson.loads(answer.tool_uses[0].arguments) == {}


@pytest.mark.parametrize(
    ("offered", "prompt", "arguments"),
    [
        (NAVIGATE, "Open https://example.com", {"url": "https://example.com"}),
        (STOCK, "AAPL price?", {"symbol": "AAPL"}),
        (CALCULATOR, "What's 3 + 4?", {"expression": "3 + 4"}),
        (ADD, "What's 3 + 4?", {"a": 3, "b": 4}),
        (MAGIC, "apply the magic function to 3", {"input": 3}),
        (LIST, "What is in /tmp?", {"path": "/tmp"}),
        (WEB, "Who won the world cup in 2022?", {"query": "Who won the world cup in 2022?"}),
        (
            EDIT,
            "replace foo with bar in notes.txt",
            {"path": "notes.txt", "old_string": "foo", "new_string": "bar"},
        ),
        (
            EDIT,
            'In src/app.py, change "red" to "dark blue".',
            {"path": "src/app.py", "old_string": "red", "new_string": "dark blue"},
        ),
        (
            EMAIL,
            "Email bob@example.org that I am late",
            {"to": "bob@example.org", "subject": "I am late", "body": "I am late"},
        ),
        (
            EMAIL,
            "Send ann@example.org an email with the subject Lunch saying see you at noon.",
            {"to": "ann@example.org", "subject": "Lunch", "body": "see you at noon"},
        ),
        (WRITE, "Save hello to greeting.txt", {"path": "greeting.txt", "content": "hello"}),
        (
            ISSUE,
            "File a bug: the login page crashes",
            {"title": "the login page crashes", "body": "the login page crashes"},
        ),
        (ORDER, "Where is order 123?", {"order_id": "123"}),
        (BASH, "What is in /tmp?", {"command": "ls /tmp"}),
        (IMAGE, "Draw a duck on a pond", {"prompt": "Draw a duck on a pond"}),
    ],
)
def test_arguments_are_taken_from_the_prompt(offered: Tool, prompt: str, arguments: dict[str, Any]) -> None:
    [(name, made)] = calls(act(talk(prompt, tools=[offered])))
    assert (name, orjson.loads(made)) == (offered.name, arguments)


def test_a_letter_goes_to_an_address_though_the_prompt_names_none() -> None:
    [(_, made)] = calls(act(talk("Send an email", tools=[EMAIL])))
    assert "@" in orjson.loads(made)["to"]
