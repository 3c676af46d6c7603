"""What came back from tools, told in words."""

from __future__ import annotations

from typing import Any

import orjson

from providers.emulated.question import Question, ToolResult, ToolUse
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.quoting import beginning, window

_MAX_QUOTED = 600
_MAX_TURNS = 40
_MAX_JSON = 8192


def last_results(question: Question) -> list[ToolResult]:
    """The results the conversation ends with, of all its last turns that hold results."""
    found: list[ToolResult] = []
    for turn in reversed(question.turns):
        if not turn.tool_results:
            break
        found[:0] = turn.tool_results
    return found


def report(question: Question, choice: Choice) -> str:
    """A final answer that quotes every result."""
    results = last_results(question)
    uses = {use.id: use for turn in question.turns[-_MAX_TURNS:] for use in turn.tool_uses}
    said = [_told(result, _source(result, uses.get(result.id), is_one=len(results) == 1)) for result in results[:16]]
    if len(results) > 16:
        said.append(f"There are {len(results) - 16} more results.")
    if all(result.is_error for result in results):
        end = "You may want to try again, or give me other details."
    else:
        end = choice.of(("Let me know if you need anything else.", "Is there anything else you would like to know?"))
    separator = " " if len(said) == 1 else "\n"
    return separator.join([*said, end])


def _source(result: ToolResult, use: ToolUse | None, *, is_one: bool) -> str:
    """`get_weather`, with its arguments where several calls are told apart by them: `get_weather (Paris)`."""
    name = window(result.name or (use.name if use else "")) or "the tool"
    if is_one or use is None or len(use.arguments) > 200:
        return name
    try:
        arguments = orjson.loads(window(use.arguments))
    except ValueError:
        return name
    values = [str(value) for value in arguments.values()] if isinstance(arguments, dict) else []
    return f"{name} ({', '.join(values)})" if values else name


def _told(result: ToolResult, name: str) -> str:
    text = result.text.strip()
    if result.is_error:
        return f"{name} did not work: {_quoted(text) or 'it gave no reason'}."
    if not text:
        return f"{name} is done; it returned nothing."
    if text[0] in "{[" and len(text) <= _MAX_JSON:
        try:
            value = orjson.loads(text)
        except ValueError:
            return f"{name} says: {_quoted(text)}"
        if isinstance(value, dict) and "error" in value and len(value) <= 2:
            return f"{name} did not work: {_in_words(value['error'])}."
        return f"According to {name}: {_in_words(value) or 'nothing'}."
    told = _quoted(text)
    return f"{name} says: {told}" + ("" if told.endswith((".", "!", "?", "…")) else ".")


def _quoted(text: str) -> str:
    return beginning(window(text), _MAX_QUOTED)


def _in_words(value: Any, depth: int = 0) -> str:
    if isinstance(value, dict):
        parts = [f"{name}: {_in_words(part, depth + 1)}" for name, part in list(value.items())[:20]]
        return _nested("; " if depth == 0 and any("," in part for part in parts) else ", ", parts, depth)
    if isinstance(value, list):
        parts = [_in_words(part, depth + 1) for part in value[:10]]
        if len(value) > 10:
            parts.append(f"and {len(value) - 10} more")
        return _nested(", ", parts, depth)
    if isinstance(value, str):
        return beginning(value, 200)
    return orjson.dumps(value).decode()


def _nested(separator: str, parts: list[str], depth: int) -> str:
    joined = separator.join(parts) if depth < 6 else "…"
    return joined if depth == 0 else f"({joined})"
