"""Decides which tools a model calls, and with what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson

from providers.emulated.answer import alphanumeric
from providers.emulated.json_schema import Unsatisfiable, values_for
from providers.emulated.question import Question, Tool, ToolUse
from providers.emulated.tool_matching import is_final, wanted_tools
from providers.emulated.writing.arithmetic import expression
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.findings import last_results
from providers.emulated.writing.quoting import window

_AWAITED = re.compile(r"final[_-]?(?:result|answer|response|output)", re.I)
_SUMS = frozenset({"expression", "expr", "formula", "equation", "calculation"})
_PLAIN = frozenset({"type", "description", "title", "default", "examples"})
_LETTER = frozenset({"subject", "body"})
_MAX_CALLS = 8
_RESULT_WINDOW = 500


def call_tools(question: Question, index: int, choice: Choice) -> list[ToolUse]:
    """The calls that come next, [] for an answer in words."""
    mode = question.tool_choice.mode
    if mode == "none" or not question.tools:
        return []
    prompt, called = _asked(question)
    is_forced = mode != "auto"
    offered = question.tools
    if mode == "named" and question.tool_choice.names:
        names = question.tool_choice.names
        offered = [tool for tool in offered if tool.name in names] or [Tool(name) for name in names]
    wanted = wanted_tools(offered, prompt, is_forced=is_forced)
    seed = choice.seed
    calls = [(tool, value) for tool, part in wanted for value in _arguments(tool, part, seed)]
    left = _not_called(calls, called)
    if not left:
        tool = _forced(offered, called) if is_forced else _awaited(offered, called)
        left = [(tool, _arguments(tool, _known(prompt, question), seed)[0])] if tool else []
    if not question.may_call_many:
        left = left[:1]
    return [
        ToolUse(alphanumeric(question.digest, f"tool {index} {place}", 24), tool.name, _json(value))
        for place, (tool, value) in enumerate(left[:_MAX_CALLS])
    ]


def _asked(question: Question) -> tuple[str, Counter[str]]:
    """What the user asked last, and how often each tool was called since. One that is not named counts as ""."""
    called: Counter[str] = Counter()
    prompt = None
    for turn in reversed(question.turns):
        called.update([use.name for use in turn.tool_uses])
        if turn.role == "user" and turn.text and not turn.tool_results:
            prompt = turn.text
            break
    if question.has_tool_result and not called:
        called.update([result.name for result in last_results(question)])
    return window(question.prompt if prompt is None else prompt), called


def _not_called(calls: list[tuple[Tool, Any]], called: Counter[str]) -> list[tuple[Tool, Any]]:
    if not called:
        return calls
    if called[""]:
        return []
    left = []
    done = called.copy()
    for tool, value in calls:
        if done[tool.name] > 0:
            done[tool.name] -= 1
        else:
            left.append((tool, value))
    return left


def _forced(offered: list[Tool], called: Counter[str]) -> Tool:
    """The tool to call when one must be: one that ends the work, else one not called yet, else the first."""
    for tool in offered:
        if is_final(tool.name):
            return tool
    return next((tool for tool in offered if not called[tool.name]), offered[0])


def _awaited(offered: list[Tool], called: Counter[str]) -> Tool | None:
    """The tool that an agent framework waits for although the request does not force it."""
    for tool in offered:
        if _AWAITED.match(tool.name) and not called[tool.name]:
            return tool
    return None


def known(question: Question) -> str:
    """All that values may be taken from: what the user asked, and what tools answered."""
    return _known(_asked(question)[0], question)


def _known(prompt: str, question: Question) -> str:
    """All that arguments may be taken from once tools have answered."""
    if not question.has_tool_result:
        return prompt
    return "\n".join([prompt, *(window(result.text)[:_RESULT_WINDOW] for result in last_results(question)[:8])])


def _arguments(tool: Tool, prompt: str, seed: bytes) -> list[Any]:
    """Instances of the tool's schema: several if the prompt names several things to ask for."""
    schema = tool.schema if isinstance(tool.schema, Mapping) else {}
    if not schema:
        return [{}]
    try:
        values = values_for(schema, prompt, seed=seed)
    except Unsatisfiable:
        return [{}]
    return [_fitted(schema, value, prompt) for value in values]


def _fitted(schema: Mapping[str, Any], value: Any, prompt: str) -> Any:
    """The value with the prompt's sum where a calculator wants one, and an address where a letter does."""
    properties = schema.get("properties")
    if isinstance(value, dict) and isinstance(properties, Mapping):
        for name in _SUMS.intersection(value):
            if _is_plain(properties.get(name)):
                value[name] = expression(prompt[:400]) or value[name]
        if "@" not in str(value.get("to", "@")) and not _LETTER.isdisjoint(value) and _is_plain(properties.get("to")):
            value["to"] = "ada@example.com"
    return value


def _is_plain(kind: Any) -> bool:
    """Whether any text will do for a property."""
    return isinstance(kind, Mapping) and kind.get("type") == "string" and kind.keys() <= _PLAIN


def _json(value: Any) -> str:
    return orjson.dumps(value if isinstance(value, dict) else {}).decode()
