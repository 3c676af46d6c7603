"""What a model thinks before it answers."""

from __future__ import annotations

from providers.emulated import tokens
from providers.emulated.question import Question, ToolUse
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.quoting import clip, window


def think(question: Question, uses: list[ToolUse], choice: Choice) -> list[str]:
    """The thoughts' pieces, no more than the request allows."""
    prompt = clip(window(question.prompt), 100)
    said = [
        choice.of(("The user asks: ", "Let me see what is asked: "))
        + (f"“{prompt}”." if prompt else "nothing in words yet.")
    ]
    if uses:
        names = " and ".join(dict.fromkeys(use.name for use in uses))
        said.append(
            f"I do not know that by myself, but {names} can tell me. I will call {'it' if len(uses) == 1 else 'them'}."
        )
    elif question.has_tool_result:
        said.append("The tools have answered. I have all I need, so I will put the results into words.")
    elif question.output is not None:
        said.append("The answer has to be JSON. I will fill in each member in turn and add nothing around it.")
    else:
        said.append(
            choice.of(
                (
                    "What matters is a direct answer. I will state it first, then say why, and stop there.",
                    "First I make sure I understand the question. Then the shortest helpful answer is the best one.",
                )
            )
        )
    pieces = tokens.pieces("\n".join(said))
    return pieces if question.thinking_tokens is None else pieces[: max(0, question.thinking_tokens)]
