"""Paragraphs on any topic, of any length."""

from __future__ import annotations

import re
from itertools import islice

from providers.emulated.question import Question
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.quoting import clip, topic

NUMBERS = {
    1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten",
    12: "twelve",
}  # fmt: skip
_NUMBERED = {word: number for number, word in NUMBERS.items()} | {
    "a": 1, "an": 1, "single": 1, "couple": 2, "few": 3, "zero": 0, "fifteen": 15, "twenty": 20, "fifty": 50,
    "hundred": 100, "thousand": 1000,
}  # fmt: skip
_LENGTH = re.compile(
    r"\b(\d{1,9}|one|two|three|four|five|six|seven|eight|nine|ten|twenty|fifty|hundred|a single|single|a couple of"
    r"|a few|few|(?<=in )a|(?<=write )a|(?<=me )a)(?:[- ]|\s+or (?:fewer|less|more)\s+|\s+short\s+|\s+long\s+)"
    r"(word|sentence|paragraph|line|bullet|point|token|character)(s?)\b",
    re.I,
)
# A number and a unit ask for a length only in such company: "in 200 words", "a 50 word summary", "200 words on ducks".
_LEAD_WORDS = (
    "a about around as exactly give in least limit me most of only over roughly than the to under use with within write"
    " your"
)
_LEADS = frozenset(_LEAD_WORDS.split())
_FOLLOWS = re.compile(r"\s*(?:$|[.,:;!?)]|(?:about|at|explaining|long|max|maximum|on|or|please)\b)", re.I)
_SENTENCES_EACH = {"sentence": 1, "paragraph": 4, "line": 1, "bullet": 1, "point": 1}
_WORDS_EACH = {"word": 100, "token": 75, "character": 18}  # a hundred of them

_SUBJECTS = (
    "What matters most", "A good place to begin", "The part people often miss", "In practice, the key",
    "The usual advice", "What experience teaches", "The lesson most people draw", "The first rule",
    "The second rule", "What helps most", "The thing to remember", "One more point",
)  # fmt: skip
_PREDICATES = (
    "is that small steps, checked often, lead further than one big leap.",
    "is to look at a real example before settling on a rule.",
    "is to see how the parts depend on each other, and which of them can be changed on its own.",
    "is to keep what is simple simple, and to leave the rest until it is needed.",
    "is a clear goal, because everything else can be measured against it.",
    "is to ask who it is for and what they would notice first.",
    "is that the details look different once they are written down.",
    "is the balance between speed and care.",
    "is to compare two options side by side instead of judging one alone.",
    "is that context decides: the same choice can be right in one place and wrong in another.",
    "is to leave room for what is not known yet.",
    "is that experience and evidence usually point the same way, given time.",
    "is to write down what was decided and why.",
)


def number_of(word: str | None) -> int | None:
    """The number that digits or a word say, or None."""
    if word is None:
        return None
    word = word.lower().strip()
    if word.lstrip("-").isdecimal() and len(word) < 10 and word.isascii():
        return int(word)
    return _NUMBERED.get(word.split()[-1] if word.startswith("a ") else word)


_ASKED = ("You asked about", "Here is what I can tell you about", "Let us look at")
_WROTE = ("You wrote:", "You said:", "This is what I read:")
_BODIES = (
    "In short, start with what you already know, try it on a small example, and build up from there."
    " Two things usually decide how well it goes: a clear goal and quick feedback.",
    "The main point is simple: the parts matter less than how they fit together."
    " Look at one real case first, then compare it with another, and the pattern will show.",
    "There are three things to keep in mind: what it is for, what it costs, and what could go wrong."
    " Most questions about it come back to one of these.",
    "The short answer is that it depends on what matters most to you."
    " A simple option that meets the need today is often better than a perfect one tomorrow.",
)
_ENDS = (
    "Tell me more about your situation and I can be more specific.",
    "Let me know which part you would like to go into.",
    "If you like, I can give an example.",
)
_YES = ("Yes, in most cases. You asked:", "Yes. To your question,", "No, not usually. You asked:")


def wanted_length(ask: str) -> tuple[int, str] | None:
    """How long an answer is asked to be, and what that is counted in; None if nothing is said."""
    for found in islice(_LENGTH.finditer(ask), 3):
        number = number_of(found[1])
        if number is not None and _is_wish(ask, found):
            return number, found[2].lower()
    low = ask.lower()
    is_long = "essay" in low or ("article" in low and "write" in low)
    if is_long or "in detail" in low or "detailed" in low or "long answer" in low:
        return 5, "paragraph"
    if "briefly" in low or "in short" in low or "concise" in low:
        return 1, "sentence"
    return None


def _is_wish(ask: str, found: re.Match[str]) -> bool:
    if found[0][len(found[1])] == "-":
        return True
    before = ask[max(0, found.start() - 20) : found.start()].lower().split()
    if not before or before[-1] in _LEADS:
        return True
    return found[3] != "" and _FOLLOWS.match(ask, found.end()) is not None


def write_at_length(ask: str, question: Question, choice: Choice) -> str | None:
    """Sentences on the topic, as long as the prompt wants them; None if it says nothing about that."""
    wanted = wanted_length(ask)
    if wanted is None:
        return None
    number, unit = wanted
    start = f"About {topic(ask) or f'“{clip(ask, 80)}”'}:"
    if unit in _SENTENCES_EACH:
        number = max(1, min(number, 100 // _SENTENCES_EACH[unit]))
        parts = [" ".join(_sentences(choice, place, _SENTENCES_EACH[unit])) for place in range(number)]
        if unit == "paragraph":
            return "\n\n".join([f"{start} {parts[0]}", *parts[1:]])
        if unit == "sentence":
            return " ".join([start, *parts])
        mark = "" if unit == "line" else "- "
        return f"{start}\n\n" + "\n".join(mark + part for part in parts)
    words = max(1, min(number, 2000) * _WORDS_EACH[unit] // 100)
    if words <= 3:
        return " ".join(("Certainly", "and", "gladly")[:words])
    text = " ".join([start, *_sentences(choice, 0, words // 8 + 1)])
    return " ".join(text.split()[:words]).rstrip(".,:;") + "."


def _sentences(choice: Choice, part: int, number: int) -> list[str]:
    """The sentences of one part of a text. There are 156 of them before one comes again."""
    first = choice.number + part * number
    return [f"{_SUBJECTS[place % 12]} {_PREDICATES[place % 13]}" for place in range(first, first + number)]


def restate(ask: str, question: Question, choice: Choice, *, before: str, system: str, is_yes_no: bool) -> str:
    """A paragraph that shows which request arrived: it quotes the prompt, and briefly the message before and the
    system message where there are any."""
    about = topic(ask) if len(ask) <= 300 else ""
    is_favour = not about and ask[:12].lower().startswith(("can you", "could you", "will you", "would you"))
    if is_yes_no and not is_favour and not about:
        said = f"{choice.of(_YES)} “{clip(ask, 80)}”"
    elif is_favour:
        said = f"Yes, gladly. You asked: “{clip(ask, 80)}”"
    elif about:
        said = f"{choice.of(_ASKED)} {about}."
    else:
        said = f"{choice.of(_WROTE)} “{clip(ask, 80)}”"
    said = f"{said} {choice.of(_BODIES)}"
    if system:
        said = f"{said} I am keeping to my instructions: “{clip(system, 60)}”."
    said = f"{said} {choice.of(_ENDS)}"
    return f"Going on from “{clip(before, 60)}”: {said}" if before else said
