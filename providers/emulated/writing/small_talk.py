"""Greetings, thanks, who one is, and saying what one is told to say."""

from __future__ import annotations

import re

from providers.emulated.question import Question
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.prose import number_of
from providers.emulated.writing.quoting import WINDOW, window

_HELLOS = r"hello|hi|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|bonjour|hola|hallo|ciao"
_GREETING = re.compile(
    rf"\s*({_HELLOS})\b(?:[ ,]+(?:there|everyone|again|friend|[\w-]+))?\s*[!.,?]*\s*(.*)", re.I | re.S
)
_HELLO_TO = re.compile(
    rf"\b(?:say|write|reply|respond|answer)(?: with)?(?: an?| a \w+)? [\"'“]?({_HELLOS})\b[\"'”]?"
    r"(?: to (the \w+|[\w-]+))?(?=\s*(?:[.!,]|$|in\b|back\b|and\b|please\b))",
    re.I,
)
_HOW_ARE_YOU = re.compile(r"\b(?:how (?:are|do) you(?: doing| do)?|how's it going|what's up)\b", re.I)
_ORDER = re.compile(
    r"(?:\b(?:say|reply|respond|answer|output|print|write|return|echo|repeat|type|send)\b)"
    r"(?P<how>(?:\s+(?:back|only|just|with|exactly|the|this|these|following|single|one|word for word|word|words|phrase"
    r"|text|string|sentence|message|letter|number|digit|literally|verbatim|after me|exact))*)"
    r"\s*(?P<colon>:?)\s*(?P<what>\S.{0,3000})",
    re.I | re.S,
)
_EXACTLY = re.compile(r"exact|only|just|literal|verbatim|after me", re.I)
# Verbs that mostly ask for something else than to be echoed, and those that hardly ever do.
_LOOSE = frozenset({"write", "return", "output", "type", "send", "answer"})
_MOST_WORDS = {"say": 8, "echo": 8, "repeat": 40}
_TIMES = re.compile(r"(.{1,200}?),? (\d{1,2}|twice|two|three|four|five|six|seven|eight|nine|ten)(?: times)?", re.S)
_QUOTED = re.compile(r"[\"“'`«](.+?)[\"”'`»](?=\W|$)", re.S)
_REST = re.compile(
    r",?\s*\b(?:and|with)\s+(?:absolutely )?nothing (?:else|more)\b.*|[,.;]?\s+(?:do not|don't|no) .*", re.I | re.S
)
_NO_SAYING = re.compile(
    r"(?:something|anything|everything|nothing|an?(?=\s+\w)|some|what|why|how|who|when|where|which|in|it|that|if|whether|more"
    r"|your|my|about|as|to|of|me|him|her|us|using|code|python|json|valid|or|numbers|digits|results?|answers?|letters"
    r"|names?|city|country|value|title|capital|option|choice|list|final|correct|and"
    r"|\d+ (?:words?|sentences?|paragraphs?|lines?|characters?))\b",
    re.I,
)
_FORBIDDEN = re.compile(r"(?:\bnot|n['’]t|\bnever|\bnot to|\bwithout)\s+(?:ever |just |please )?$")
_TOLD = re.compile(r"\b(?:said|says|people|they|he|she|we|who|why|often|must|to)\W+$")
_SAY_AGAIN = re.compile(r"(?:please )?(?:repeat|echo|say|reply|respond)\b", re.I)
_EITHER = re.compile(r"\b(yes|true)\b[\"'”]? or [\"'“]?(no|false)\b", re.I)
_PERSONA = re.compile(
    r"\b(?:[Yy]ou are|[Yy]our name is|[Yy]ou're)(?: called| named)? ([A-Z][\w-]*(?: [A-Z][\w-]*){0,3})"
)
_TRADE = re.compile(r"\b[Yy]ou are (an? [^.,;:\n]{2,60})")


def system_text(question: Question) -> str:
    """The beginning of what the system messages say."""
    for turn in question.turns:
        if turn.role == "system" and turn.text:
            return window(turn.text[:WINDOW])
    return ""


def persona(question: Question) -> str:
    """Who the system message says the model is, "" if it does not."""
    text = system_text(question)
    if "ou" not in text:
        return ""
    if found := _PERSONA.search(text):
        return found[1]
    found = _TRADE.search(text)
    return found[1] if found else ""


def _is_no_order(text: str, place: int) -> bool:
    """Whether the verb at this place is forbidden, or told of in a question."""
    before = text[max(0, place - 24) : place].lower()
    if _FORBIDDEN.search(before):
        return True
    return text.rstrip().endswith("?") and _TOLD.search(before) is not None


def dictated(text: str, *, is_rule: bool = False) -> str | None:
    """What a text tells one to say word for word, or None: `Reply with exactly: pong` gives `pong`. `is_rule`: it is
    meant for every answer, so that several words must be quoted or called exact."""
    found = _ORDER.search(text)
    if found is None or _is_no_order(text, found.start()) or (found["what"][0] == "(" and not found["how"]):
        return None
    quoted = _QUOTED.match(found["what"])
    if quoted:
        return quoted[1]
    verb = found[0].split(None, 1)[0].lower()
    what = _REST.sub("", found["what"]).strip()
    is_exact = _EXACTLY.search(found["how"]) is not None
    if is_rule and " " in what and "exact" not in found["how"].lower():
        return None
    if (verb in _LOOSE and not is_exact) or not any(map(str.isalnum, what)) or _NO_SAYING.match(what):
        return None
    if found["colon"]:
        return what[:-1] if what.endswith(".") and " " not in what else what
    line = re.split(r"(?<=[.!?])\s|\n", what, maxsplit=1)[0]
    if len(line.split()) > _MOST_WORDS.get(verb, 8 if is_exact else 1):
        return None
    line = line[:-1] if line.endswith(".") and line.count(".") == 1 else line
    times = _TIMES.fullmatch(line) if verb in _MOST_WORDS and line.endswith(("times", "twice")) else None
    if times:
        return " ".join([times[1]] * (2 if times[2] == "twice" else number_of(times[2]) or 1))
    return line


def say(ask: str, question: Question, choice: Choice) -> str | None:
    """What one is told to say, a greeting warmly."""
    found = _HELLO_TO.search(ask)
    if found and not _is_no_order(ask, found.start()):
        whom = found[2]
        hello = found[1].capitalize()
        if whom and whom.lower() != "me":
            more = choice.of(("It is good to meet you.", "How are you today?"))
            return f"{hello}, {whom[0].upper() + whom[1:]}! {more}"
        if len(ask) < 40:
            return f"{hello}! {choice.of(('How can I help you today?', 'It is good to hear from you.'))}"
        return f"{hello}!"
    if found := _EITHER.search(ask):
        return choice.of((found[1], found[2])).capitalize() + "."
    is_longer = len(question.prompt) > len(ask) and _SAY_AGAIN.match(ask) is not None
    return dictated(window(question.prompt) if is_longer else ask)


def greet(ask: str, question: Question, choice: Choice) -> str | None:
    signal = ask.lower().strip(" .!?")
    if signal == "ping":
        return "pong"
    if signal in {"test", "testing", "this is a test"}:
        return "Test received: everything works. What would you like to try next?"
    found = _GREETING.match(ask)
    if found is None:
        if _HOW_ARE_YOU.search(ask) and len(ask) < 80:
            return "I am doing well, thank you for asking. " + choice.of(("How can I help?", "What can I do for you?"))
        return None
    rest = found[2].strip()
    if _HOW_ARE_YOU.search(ask):
        return f"{found[1].capitalize()}! I am doing well, thank you. " + choice.of(
            ("How can I help you today?", "And you?")
        )
    if len(rest.split()) > 3 or "?" in rest:
        return None
    who = persona(question)
    introduction = f" I am {who}." if who else ""
    return f"{found[1].capitalize()}!{introduction} " + choice.of(
        ("How can I help you today?", "What can I do for you?", "It is good to hear from you. What is on your mind?")
    )


def thank(ask: str, question: Question, choice: Choice) -> str | None:
    low = ask.lower()
    if len(ask) > 60:
        return None
    if "thank" in low or low.startswith(("thx", "cheers")):
        return (
            choice.of(("You are welcome! ", "My pleasure. "))
            + "Let me know if there is anything else I can do for you."
        )
    if "bye" in low or "good night" in low:
        return choice.of(("Goodbye! ", "Until next time! ")) + "Come back whenever you like."
    return None


_IDENTITY = re.compile(
    r"\b(?:who are you|about yourself|what are you|what(?:'s| is) your name|what model are you|which (?:ai "
    r"|language )?model (?:are|is)"
    r"|introduce yourself|are you (?:an? )?(?:ai|bot|human|robot|language model))\b",
    re.I,
)


def introduce(ask: str, question: Question, choice: Choice) -> str | None:
    if not _IDENTITY.search(ask):
        return None
    who = persona(question)
    model = window(question.model)[:100] or "a language model"
    return (
        f"I am {who}. " if who else ""
    ) + f"You are talking to {model}, emulated by Rubberduck: no real model was asked."
