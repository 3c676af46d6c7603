"""Questions that want a single word for an answer."""

from __future__ import annotations

import re

from providers.emulated.json_schema.document import words
from providers.emulated.json_schema.reading import feeling
from providers.emulated.question import Question
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.quoting import window
from providers.emulated.writing.tasks import short_answer

_WANTED = re.compile(r"\b(?:a single|one|1|single)[ -]word\b", re.I)
_CLAUSE_END = re.compile(r"[.:,?!\n]|$")
_ASKED = re.compile(r"\b(who|whom|whose|where|when|which|what|how (?:many|much|old))\b([^?\n.!]{0,200})", re.I)
_OFFERS = re.compile(r"\b(?:yes|no|true|false)\b", re.I)
_YES_NO = re.compile(
    r"(?:^|[.:,!\n]\s*)(?:is|are|was|were|do|does|did|can|has|have|will|should)\b[^?\n]{2,200}\?", re.I
)
_COLORS = re.compile(
    r"\b(?:red|green|blue|yellow|orange|purple|violet|pink|brown|black|white|gr[ae]y|gold|silver)\b", re.I
)
_NUMBER = re.compile(
    r"\b(?:\d{1,12}(?:[.,]\d{1,6})?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|hundred)\b",
    re.I,
)
_TIME = re.compile(
    r"\b(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|today|tomorrow|yesterday|(?:1[5-9]|20)\d\d|January|February|March"
    r"|April|May|June|July|August|September|October|November|December|noon|midnight|\d{1,2}(?::\d\d)? ?[ap]m)\b"
)
_PLACE = re.compile(r"\b(?:in|at|to|from|near)\s+(?:the\s+)?([A-Z]\w+|\w{4,})")
_SAID = re.compile(r"\b(?:is|was|are|were) (?:called |named )?(?:the |an? )?(\w+)")
_CHOICES = re.compile(r"\b(\w{1,30}(?:, \w{1,30}){0,8}),? or (\w{1,30})\b")
_NAME = re.compile(r"\b[A-ZÀ-ÖØ-Þ][\w'’-]*\w")
_NO_NAMES = words(
    "the an it its he she they we you this that these those there here then when where who what which why how in on at "
    "if but and or so my our your his her their for from to of by with as not no yes please answer context question "
    "yesterday today tomorrow last after before while since monday tuesday wednesday thursday friday saturday sunday"
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_WORDS = re.compile(r"\w+")
_EMPTY = words(
    "the a an of in on at to for by with is are was were be did do does has have had it that this and or who what when "
    "where which whom whose how many much color colour word single one answer"
)


def answer_in_a_word(prompt: str, question: Question, choice: Choice) -> str | None:
    """The word that answers: one that is known, else one that the text around the question has, else `Unknown`.

    None for a prompt that wants no single word, or that asks nothing.
    """
    found = _WANTED.search(prompt)
    if found is None:
        rules = [turn.text for turn in question.turns if turn.role == "system" and len(turn.text) < 1000]
        if not any(_WANTED.search(rule) for rule in rules if "word" in rule):
            return None
        rest = prompt
    else:
        # The clause that says so is no part of the question.
        begins = max(prompt.rfind(mark, 0, found.start()) for mark in ".?!:\n,") + 1
        end = _CLAUSE_END.search(prompt, found.end())
        ends = end.end() if end and end.end() - found.end() < 40 else found.end()
        rest = f"{prompt[:begins]} {prompt[ends:]}".strip()
    if _OFFERS.search(rest) and "?" not in rest:
        return None
    known = short_answer(question, choice)
    if known:
        return known
    if "sentiment" in prompt:
        return feeling(rest).capitalize()
    every = [*_ASKED.finditer(rest)]
    offered = _CHOICES.search(prompt)
    listed: list[str] = [*offered[1].split(", "), offered[2]] if offered else []
    options = [option for option in listed if option.lower() not in _EMPTY]
    if not every and options:
        return next((option for option in options if prompt.count(option) > 2), None) or choice.of(options)
    if not every:
        return choice.of(("Yes", "No")) if _YES_NO.search(rest) else None
    asked = every[-1]
    told = [rest[: asked.start()], rest[asked.end() :]]
    told += [window(turn.text) for turn in question.turns if turn.text and turn.text != question.prompt]
    return _found_in(told, asked[1].lower(), asked[2]) or (choice.of(options) if options else "Unknown")


def _found_in(texts: list[str], asked: str, about: str) -> str:
    """The word of the right kind that stands nearest to what is asked about, "" if there is none."""
    wanted = {_stem(word) for word in _WORDS.findall(about.lower())} - _EMPTY
    best, nearest = "", 10_000
    for text in texts:
        for sentence in _SENTENCE_END.split(text[:4096]):
            places = [found.start() for found in _WORDS.finditer(sentence.lower()) if _stem(found[0]) in wanted]
            if not places and asked not in ("where", "when"):
                continue
            for word, start in _candidates(sentence, asked, about.lower()):
                # Who does something mostly stands before what is done.
                distance = min(place - start if place > start else 30 + start - place for place in places or [999])
                distance += 40 * (len(wanted) - len(places))
                if distance < nearest and _stem(word.lower()) not in wanted:
                    best, nearest = word, distance
    return best


def _candidates(sentence: str, asked: str, about: str) -> list[tuple[str, int]]:
    if asked.startswith("who"):
        return [(found[0], found.start()) for found in _NAME.finditer(sentence) if found[0].lower() not in _NO_NAMES]
    if asked == "where":
        return [(found[1], found.start()) for found in _PLACE.finditer(sentence)]
    if asked.startswith("how"):
        pattern = _NUMBER
    elif asked == "when":
        pattern = _TIME
    elif "colo" in about:
        pattern = _COLORS
    else:
        return [(found[1], found.start(1)) for found in _SAID.finditer(sentence)]
    return [(found[0], found.start()) for found in pattern.finditer(sentence)]


def _stem(word: str) -> str:
    for end in ("ing", "ed", "es", "s"):
        if word.endswith(end) and len(word) > len(end) + 2:
            return word[: -len(end)]
    return word
