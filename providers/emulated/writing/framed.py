"""Prompts with a frame around the question: labels to choose from, a context to answer from, an agent's transcript."""

from __future__ import annotations

import re

from providers.emulated.json_schema.reading import feeling
from providers.emulated.question import Question
from providers.emulated.writing.arithmetic import expression
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.quoting import beginning, window

_OPTION = r"[\"'`“]?[A-Za-z][\w-]{0,30}(?: (?!or\b|and\b)[\w-]{1,20})?[\"'`”]?"
_OPTIONS = re.compile(
    r"\b(?:(?:classif|categor|label)\w*\b[^\n:;]{0,80}?\b(?:as|into|in|with|by)|one of|categories|classes|labels"
    r"|options|sentiment as|between|either|(?:reply|respond|answer|output|return)(?: only)?(?: with)?(?: only)?)"
    r"(?: either| one of| only)?(?: the(?: following)?)?(?: categories| labels| classes| options| words)?"
    rf"(?: are)?\s*[:([]?\s*({_OPTION}(?:(?:\s*,\s*(?:or |and )?|\s+or\s+|\s*[/|]\s*){_OPTION}){{1,15}})",
    re.I,
)
_BETWEEN = re.compile(r"\s*,\s*(?:or |and )?|\s+or\s+|\s*[/|]\s*", re.I)
_YES_NO = frozenset({"yes", "no", "true", "false"})

_ASKED = re.compile(r"(?:^|\n)\W{0,4}(?:(?:user )?question|query)\W{0,3}:\W{0,4}([^\n]{3,600})", re.I)
_TAGGED = re.compile(r"<(?:question|query)>\s*(.{3,600}?)\s*</", re.I | re.S)
_SENTENCE = re.compile(r"[^.!?\n]{15,400}(?:[.!?](?=\s|$|[\"”)])|(?=\n|$))")
_WORD = re.compile(r"\w+")
_EMPTY = frozenset(
    [
        "the",
        "and",
        "for",
        "are",
        "was",
        "were",
        "how",
        "what",
        "who",
        "when",
        "where",
        "why",
        "which",
        "does",
        "did",
        "has",
        "have",
        "had",
        "can",
        "could",
        "will",
        "would",
        "should",
        "this",
        "that",
        "with",
        "from",
        "about",
        "into",
        "your",
        "you",
        "not",
        "any",
        "all",
        "its",
        "their",
        "his",
        "her",
        "they",
        "she",
        "him",
        "than",
        "then",
        "them",
        "there",
        "question",
        "answer",
        "context",
        "please",
        "tell",
        "many",
        "much",
        "long",
        "tall",
    ]
)
_MAX_CONTEXT = 8192
_UNKNOWN = "don't know"

_TOOLS = re.compile(r"one of \[([^\]\n]{1,500})\]", re.I)
_OBSERVED = re.compile(r"Observation:\s*([^\n]{1,500})")


def classify(ask: str, question: Question, choice: Choice) -> str | None:
    """The one of the labels on offer that the text speaks for."""
    text = window(question.prompt)
    found = _OPTIONS.search(text)
    if found is None:
        return None
    labels = [label.strip(" \"'`“”.") for label in _BETWEEN.split(found[1])]
    known = {label.lower(): label for label in labels if label}
    if len(known) < 2 or not _YES_NO.isdisjoint(known):
        return None
    rest = (text[: found.start()] + " " + text[found.end() :]).lower()
    if "positive" in known and "negative" in known:
        return known.get(feeling(rest), known["positive"])
    spoken = {label: rest.count(label) for label in known}
    best = max(spoken, key=spoken.__getitem__)
    return known[best] if spoken[best] else choice.of([*known.values()])


def asked_at_the_end(prompt: str) -> str:
    """The question that a prompt names as such, "" if none: the last one after `Question:`."""
    if "uestion" not in prompt and "uery" not in prompt and "QUESTION" not in prompt:
        return ""
    tail = prompt[-4096:]
    found = None
    for found in _ASKED.finditer(tail):
        pass
    found = found or _TAGGED.search(tail)
    return found[1].strip() if found else ""


def from_context(question: Question) -> str | None:
    """The sentence of the given context that has most to do with the question, None if no context is given."""
    prompt = question.prompt
    asked = asked_at_the_end(prompt) if len(prompt) > 120 else ""
    if asked:
        context = prompt[: prompt.rfind(asked)]
        # A few words before the question are no context.
        if len(context) < 80:
            return None
    elif len(prompt) < 600 and prompt.rstrip().endswith("?"):
        context = next((turn.text for turn in question.turns if turn.role == "system" and len(turn.text) > 120), "")
        if "ontext" not in context and "<doc" not in context and "ocument" not in context:
            return None
        asked = prompt
    else:
        return None
    if len(context) > _MAX_CONTEXT:
        context = f"{context[: _MAX_CONTEXT // 2]}\n{context[-_MAX_CONTEXT // 2 :]}"
    wanted = _telling(asked)
    best, most = "", 0
    for sentence in _SENTENCE.findall(context):
        shared = len(wanted & _telling(sentence))
        if shared > most and ":" not in sentence[-2:]:
            best, most = sentence, shared
    if most >= min(2, len(wanted)) and best:
        return beginning(best.strip(" \t#*->"), 300).encode("utf-8", "replace").decode()
    return "I don't know." if _UNKNOWN in context else None


def _telling(text: str) -> set[str]:
    """The words of a text that say what it is about, without the endings that most of them can have."""
    return {
        word[:-1] if word.endswith("s") else word
        for word in _WORD.findall(text.lower())
        if (len(word) > 2 or word.isdecimal()) and word not in _EMPTY
    }


def next_step(question: Question) -> tuple[str, str] | None:
    """The next step of an agent that writes `Action:` and `Final Answer:` into one transcript.

    ("...Action Input: ...", "") to use a tool; ("...Final Answer: ", what it asks) to answer in words; None for any
    other prompt.
    """
    prompt = question.prompt
    if "Final Answer:" not in prompt or "Action Input:" not in prompt:
        return None
    transcript = prompt[max(prompt.rfind("Question:"), 0) :]
    asked = asked_at_the_end(prompt) or window(prompt[-200:]).strip()
    observed = _OBSERVED.findall(transcript)
    tools = _TOOLS.search(prompt)
    start = "" if prompt.rstrip().endswith("Thought:") else "Thought: "
    if observed:
        return f"{start}I now know the final answer\nFinal Answer: {observed[-1].strip()}", ""
    names = [name.strip(" \"'`") for name in tools[1].split(",")] if tools else []
    names = [name for name in names if name]
    if not names:
        return f"{start}I now know the final answer\nFinal Answer: ", asked
    written = expression(asked[:400])
    maths = next((name for name in names if name.lower().startswith(("calc", "math"))), None)
    if written and maths:
        return f"{start}I should work this out.\nAction: {maths}\nAction Input: {written}", ""
    name = next((name for name in names if name != maths), names[0])
    return f"{start}I should look this up.\nAction: {name}\nAction Input: {asked}", ""
