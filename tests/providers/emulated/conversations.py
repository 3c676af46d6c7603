"""Conversations, tools and answers for tests of what an emulated model says."""

from __future__ import annotations

import hashlib
from typing import Any

from providers.emulated.acting import act
from providers.emulated.answer import Answer
from providers.emulated.question import Question, Tool, ToolChoice, ToolResult, Turn

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool("get_weather", "Get the current weather in a given location", CITY)
TIME = Tool("get_time", "Get the time in a city", CITY)
PAIR = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a", "b"]}
ADD = Tool("add", "Add two numbers", PAIR)
MULTIPLY = Tool("multiply", "Multiply two numbers", PAIR)
CALCULATOR = Tool(
    "calculator",
    "Evaluate a mathematical expression",
    {"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
)
FINAL = Tool(
    "final_result",
    "The final response which ends this conversation",
    {"type": "object", "properties": {"temperature": {"type": "number"}}, "required": ["temperature"]},
)
ANY = ToolChoice("any")


def talk(*said: str | Turn, **fields: Any) -> Question:
    """A question; texts are the user's and the assistant's in turn. Its digest stands for all of it."""
    turns = [one if isinstance(one, Turn) else Turn(("user", "assistant")[at % 2], one) for at, one in enumerate(said)]
    digest = hashlib.sha256(repr((turns, sorted(fields.items()))).encode("utf-8", "surrogatepass")).digest()
    return Question("chat.completions", fields.pop("model", "gpt-4o"), digest, turns, **fields)


def say(*said: str | Turn, **fields: Any) -> str:
    """What is answered."""
    return act(talk(*said, **fields)).text


def calls(answer: Answer) -> list[tuple[str, str]]:
    return [(use.name, use.arguments) for use in answer.tool_uses]


def with_results(question: Question, answer: Answer, *results: str, is_error: bool = False) -> Question:
    """The same conversation once the tools have come back with these texts, one for each call."""
    uses = tuple(answer.tool_uses)
    came = tuple(ToolResult(use.id, "", text, is_error) for use, text in zip(uses, results, strict=True))
    return talk(
        *question.turns,
        Turn("assistant", tool_uses=uses),
        Turn("tool", tool_results=came),
        tools=question.tools,
        tool_choice=question.tool_choice,
        may_call_many=question.may_call_many,
        output=question.output,
    )
