"""Prompts with a frame around the question: labels to choose from, a context to answer from, an agent's transcript."""

from __future__ import annotations

import re

from providers.emulated.json_schema.reading import feeling
from providers.emulated.json_schema.wording import Prompt, from_prompt
from providers.emulated.question import Question
from providers.emulated.writing.arithmetic import expression
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.quoting import beginning, window

_OPTION = r"[\"'`“]?[A-Za-z][\w-]{0,30}(?: (?!or\b|and\b)[\w-]{1,20})?[\"'`”]?"
_OPTIONS = re.compile(
    r"\b(?:(?:classif|categor|label)\w*\b[^\n:;]{0,80}?(?:\b(?:as|into|in|with|by)\b|\()"
    r"|one of(?: the(?: following)?)?(?: categories| labels| classes| options| words)?"
    r"|(?:categories|classes|labels|options)(?: are|(?=\s*[:(\[]))|(?:sentiment|intent)(?: as| is)"
    r"|(?:reply|respond|answer|output|return)(?: only| just)?(?: with| either| one of)(?: only| either)?)"
    r"(?: either| one of| only)?(?: the(?: following)?)?(?: categories| labels| classes| options| words)?"
    rf"\s*[:([]?\s*({_OPTION}(?:(?:\s*,\s*(?:or |and )?|\s+or\s+|\s*[/|]\s*){_OPTION}){{1,15}})",
    re.I,
)
_BETWEEN = re.compile(r"\s*,\s*(?:or |and )?|\s+or\s+|\s*[/|]\s*", re.I)
_YES_NO = frozenset({"yes", "no", "true", "false"})

_EXTRACT = re.compile(
    r"\bextract (?:all |the |every |any |each )*(?:\w+ )?(e-?mails?|dates?|names?|people|persons?|urls?|links?)\b", re.I
)
_KINDS = (
    ("e", ("email",)),
    ("date", ("date",)),
    ("name", ("name",)),
    ("pe", ("name",)),
    ("url", ("url",)),
    ("link", ("url",)),
)
_ASKED = re.compile(r"(?:^|\n)\W{0,4}(?:(?:user )?question|query)[*_ \t]{0,3}[:\n]\W{0,4}([^\n]{3,600})", re.I)
_TAGGED = re.compile(r"<(?:question|query)>\s*(.{3,600}?)\s*</", re.I | re.S)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
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
_MARK = re.compile(r"^(?:[\s#*>-]+|\[\w{1,8}\]|\d{1,3}[.)]\s)+")
_FOLLOW_UP = re.compile(r"follow[- ]?up (?:question|input)\s*:\s*([^\n]{1,1000})", re.I)
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
    rest = f"{text[: found.start()]} {text[found.end() :]}"
    if "positive" in known and "negative" in known:
        return known.get(feeling(rest.lower()), known["positive"])
    # The article is no option A.
    spoken = {
        low: len(re.findall(rf"\b{re.escape(label)}\b", rest, 0 if len(label) == 1 else re.I))
        for low, label in known.items()
    }
    best = max(spoken, key=spoken.__getitem__)
    return known[best] if spoken[best] else choice.of([*known.values()])


def extract(ask: str, question: Question, choice: Choice) -> str | None:
    """The addresses, days or names that a prompt wants taken out of its text."""
    found = _EXTRACT.search(ask)
    if found is None:
        return None
    prompt = Prompt(window(question.prompt)[found.end() :])
    kind = found[1].lower()
    names = next((names for start, names in _KINDS if kind.startswith(start)), ())
    values = list(
        dict.fromkeys(value for at in range(20) for name in names if (value := from_prompt(name, prompt, at)))
    )
    return "\n".join(values) or None


def asked_at_the_end(prompt: str) -> str:
    """The question that a prompt names as such, "" if none: the last one after `Question:`."""
    if "uestion" not in prompt and "uery" not in prompt and "QUESTION" not in prompt:
        return ""
    tail = prompt[-4096:]
    named = _ASKED.findall(tail)
    if named:
        return str(named[-1]).strip()
    found = _TAGGED.search(tail)
    return found[1].strip() if found else ""


def from_context(question: Question) -> str | None:
    """The sentence of the given context that has most to do with the question, None if no context is given."""
    prompt = question.prompt
    if prompt[-24:].rstrip().endswith("uestion:"):
        again = _FOLLOW_UP.search(prompt[-2048:])
        return window(again[1].strip()) if again else None
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
    for sentence in _SENTENCE_END.split(context):
        if len(sentence) < 15:
            continue
        shared = len(wanted & _telling(sentence))
        if (shared > most or (shared == most > 0 and len(sentence) < len(best))) and not sentence.lstrip().startswith(
            ("Question", "question")
        ):
            best, most = sentence, shared
    if best:
        return window(beginning(_MARK.sub("", best), 300))
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
