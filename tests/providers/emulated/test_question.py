"""What a question says of itself."""

from __future__ import annotations

from providers.emulated.question import Question, ToolResult, ToolUse, Turn


def question(*turns: Turn) -> Question:
    return Question("chat.completions", "m", bytes(32), list(turns))


def test_the_prompt_is_the_last_user_turn_with_text() -> None:
    asked = question(Turn("user", "first"), Turn("assistant", "said"), Turn("user", "second"), Turn("user"))
    assert asked.prompt == "second"
    assert question(Turn("system", "be kind")).prompt == ""
    assert question().prompt == ""


def test_a_tool_result_counts_only_at_the_end() -> None:
    called = Turn("assistant", tool_uses=(ToolUse("1", "f", "{}"),))
    result = Turn("tool", tool_results=(ToolResult("1", "f", "42"),))
    assert question(Turn("user", "?"), called, result).has_tool_result
    assert not question(Turn("user", "?"), called, result, Turn("user", "thanks")).has_tool_result
    assert not question().has_tool_result
