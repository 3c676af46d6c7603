"""The default behaviour: what a model would say to a question."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from providers.emulated import tokens
from providers.emulated.answer import Answer, Piece, Pieces, Stop, text_of
from providers.emulated.json_schema import Unsatisfiable, generate
from providers.emulated.question import Question, ToolUse
from providers.emulated.tool_use import call_tools, known
from providers.emulated.writing.choice import Choice, choose
from providers.emulated.writing.findings import report
from providers.emulated.writing.tasks import json_text, short_answer
from providers.emulated.writing.thinking import think
from providers.emulated.writing.writer import write


def act(question: Question, index: int = 0) -> Answer:
    """An answer to the question; `index` numbers the choices of one request."""
    choice = choose(question, index)
    uses = call_tools(question, index, choice) if question.tools else []
    thoughts = think(question, uses, choice) if question.thinks else []
    said = ""
    if not uses:
        if question.output is not None:
            said = _fill_in(question, choice)
        elif question.has_tool_result:
            said = report(question, choice)
        else:
            said = write(question, choice)
        said = _gone_on(question, said)
    return limited(question, Pieces(said), thoughts, uses)


def _gone_on(question: Question, said: str) -> str:
    """What is left to say where the request itself begins the answer, as with `{` for JSON."""
    turn = question.turns[-1] if question.turns else None
    if turn is None or turn.role != "assistant" or not turn.text:
        return said
    begun = turn.text.strip()
    text = said
    if begun in {"{", "["} and not text.startswith(begun):
        text = _fill_in(question, choose(question, 0))
        text = text if begun == "{" else f"[{text}]"
    return text[len(begun) :].lstrip() or text if text.startswith(begun) else said


def limited(question: Question, said: Sequence[Piece], thoughts: list[str], uses: list[ToolUse]) -> Answer:
    """The answer that is left of what a model would say once the request's stop sequences and `max_tokens` have cut it.

    Thoughts come first, then text, then calls. A call that is cut keeps the beginning of its arguments, which then are
    no JSON; one whose name is not out yet is dropped. `max_tokens` of 0 and below leaves nothing.
    """
    stop = Stop.TOOLS if uses else Stop.END
    sequence = None
    if question.stops and said:
        said, sequence = _stopped(said, question.stops)
        if sequence is not None:
            stop, uses = Stop.SEQUENCE, []
    reasoning = len(thoughts)
    used = reasoning + len(said)
    costs = [tokens.count_tool_use(use) for use in uses] if uses else []
    used += sum(costs)
    most = question.max_tokens
    if most is not None and used > most:
        used = max(most, 0)
        stop, sequence = Stop.LENGTH, None
        thoughts = thoughts[:used]
        reasoning = len(thoughts)
        said = said[: used - reasoning]
        uses = _calls_within(uses, costs, used - reasoning - len(said))
    return Answer(
        digest=question.digest,
        pieces=said,
        thinking_pieces=thoughts,
        tool_uses=uses,
        stop=stop,
        stop_sequence=sequence,
        input_tokens=count_input(question),
        output_tokens=used,
        reasoning_tokens=reasoning,
    )


def count_input(question: Question) -> int:
    """The tokens of a question: what count_tokens says and what usage says."""
    found = tokens.count_tools(question.tools) if question.tools else 0
    for turn in question.turns:
        found += tokens.count_turn(turn)
    return found


def _stopped(said: Sequence[Piece], stops: tuple[str, ...]) -> tuple[Sequence[Piece], str | None]:
    """What comes before the first stop sequence, and which it was."""
    text = text_of(said)
    end, sequence = min(
        ((place, stop) for stop in stops if stop and (place := text.find(stop)) >= 0), default=(0, None)
    )
    if sequence is None:
        return said, None
    kept: list[Piece] = []
    for piece in said:
        if end <= 0:
            break
        kept.append(piece if len(piece.text) <= end else Piece(piece.text[:end], piece.delay_s))
        end -= len(piece.text)
    return kept, sequence


def _calls_within(uses: list[ToolUse], costs: list[int], most: int) -> list[ToolUse]:
    kept = []
    for use, cost in zip(uses, costs, strict=True):
        if cost <= most:
            kept.append(use)
            most -= cost
            continue
        room = most - tokens.count(use.name)
        if room > 0:
            kept.append(ToolUse(use.id, use.name, "".join(tokens.pieces(use.arguments)[:room])))
        break
    return kept


def _fill_in(question: Question, choice: Choice) -> str:
    """JSON as the request's schema wants it; the values come from the prompt and from what tools found."""
    output = question.output
    hints = known(question)
    if output is not None and output.schema:
        try:
            answer = short_answer(question, choice)
            return orjson.dumps(generate(output.schema, seed=choice.seed, hints=hints, answer=answer)).decode()
        except Unsatisfiable:
            return "{}"
    return json_text(hints, question, choice)
