"""Questions for tests of what is behind the dialects."""

from __future__ import annotations

import hashlib
from typing import Any

from providers.emulated.question import Question, Tool, ToolResult, Turn


def ask(prompt: str = "Say hello.", *, system: str = "", tools: tuple[str, ...] = (), **fields: Any) -> Question:
    """One question, as a chat of one user turn asks it. Its digest is the prompt's."""
    turns = [Turn("system", system)] if system else []
    turns.append(Turn("user", prompt))
    given: dict[str, Any] = {
        "operation": "chat.completions",
        "model": "gpt-4o-mini",
        "digest": hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest(),
        "turns": turns,
        "tools": [Tool(name) for name in tools],
        **fields,
    }
    return Question(**given)


def after_a_tool(prompt: str = "What is the weather?") -> Question:
    """One that ends with a tool's result."""
    question = ask(prompt, tools=("get_weather",))
    question.turns.append(Turn("tool", tool_results=(ToolResult("1", "get_weather", "sunny"),)))
    return question
