"""What was said earlier in a conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from providers.emulated.question import Question
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.quoting import beginning, window

_MAX_TURNS = 200
_NAME = re.compile(
    r"\b(?:[Mm]y name is|[Mm]y name's|[Cc]all me|I am called|I'm called|[Tt]his is|I am"
    r"|I'm)\s+([A-Z][\w'-]*(?: [A-Z][\w'-]*)?)"
)
_SPOKEN_NAME = re.compile(r"\bmy name(?: is|'s)\s+(\w[\w'-]*)", re.I)
_INTRODUCTION = re.compile(r"\s*(?:hi|hello|hey)\b[^.]{0,20}?\b(?:I'm|I am)\s+([A-Z][\w'-]*)[\s.!]*$", re.I)
_STATEMENT = re.compile(r"\b(?:my|the|our)\s+([\w -]{2,40}?)\s+(?:is|was|are|=)\s*:?\s+([^.!?\n,;]{1,80})", re.I)
_PLACE = re.compile(r"\bI (?:live|work) (?:in|at)\s+([A-Z][\w'-]*(?: [A-Z][\w'-]*)*)")
_ASKED_FOR = re.compile(
    r"\b(?:what(?:'s| is| was| are| were)|tell me|do you (?:remember|know|recall)|remind me(?: of)?|repeat)\s+"
    r"(?:again\s+)?(?:what\s+)?(?:my|the|our)\s+([\w -]{2,40}?)(?:\s+(?:is|was|are|were|again|i told you"
    r"|i gave you|from before"
    r"|that i\b.*))*\s*[?.!]*\s*$",
    re.I | re.M,
)
_WHERE = re.compile(r"\bwhere do i (?:live|work)\b", re.I)
_WHO_AM_I = re.compile(r"\bwho am i\b", re.I)
_SAID = re.compile(
    r"\bwhat (?:did|have|had) (?:i|we|you) (?:just |first |originally |previously )?(?:say|said|ask|asked|tell"
    r"|told|write|talk|discuss)"
    r"|\bwhat was my (?:first|last|previous|earlier) (?:question|message|request|prompt)|\bmy (?:first|previous"
    r"|last) (?:question|message)",
    re.I,
)
_REMEMBER = re.compile(
    r"\b(?:please )?(?:remember|keep in mind|note|memori[sz]e)(?: that| this| the following)?[: ]+(.{2,200})",
    re.I | re.S,
)


def earlier(question: Question) -> Iterator[str]:
    """What the user said before the last message, newest first."""
    is_last = True
    for turn in reversed(question.turns[-_MAX_TURNS:]):
        if turn.role == "user" and turn.text:
            if not is_last:
                yield window(turn.text)
            is_last = False


def recall(ask: str, question: Question, choice: Choice) -> str | None:
    """The answer to a question about the conversation itself."""
    if _SAID.search(ask):
        return _said(ask, question)
    if _WHO_AM_I.search(ask):
        name = _find_name(question)
        return f"You are {name}." if name else None
    if _WHERE.search(ask):
        for text in earlier(question):
            if found := _PLACE.search(text):
                return f"You told me {found[0].replace('I ', 'you ', 1)}."
    found = _ASKED_FOR.search(ask)
    if found is None:
        return None
    wanted = found[1].strip().lower()
    if wanted in {"name", "full name", "first name"}:
        name = _find_name(question)
        if name:
            return f"Your name is {name}."
        return "You have not told me your name yet. What shall I call you?"
    for text in earlier(question):
        for statement in _STATEMENT.finditer(text):
            if statement[1].strip().lower() == wanted:
                whose = "Your" if re.search(rf"\bmy\s+{re.escape(wanted)}", ask, re.I) else "The"
                return f"{whose} {wanted} is {statement[2].strip()}."
    return None


def note(ask: str, question: Question, choice: Choice) -> str | None:
    """A word on something the user says about himself."""
    found = _SPOKEN_NAME.search(ask) or _INTRODUCTION.match(ask)
    if found and "?" not in ask:
        proper = _NAME.search(ask)
        name = proper[1] if proper else found[1].capitalize()
        return (
            choice.of((f"Nice to meet you, {name}!", f"It is a pleasure to meet you, {name}."))
            + " How can I help you today?"
        )
    found = _REMEMBER.search(ask)
    if found:
        return f"Noted: {beginning(found[1].strip(), 150)} I will remember it for the rest of this conversation."
    return None


def _find_name(question: Question) -> str | None:
    texts = [window(question.prompt), *earlier(question)]
    for pattern in (_SPOKEN_NAME, _NAME):
        for text in texts:
            if found := pattern.search(text):
                proper = _NAME.search(text) if pattern is _SPOKEN_NAME else None
                name = proper[1] if proper and proper[1].startswith(found[1]) else found[1]
                return name[0].upper() + name[1:]
    return None


def _said(ask: str, question: Question) -> str:
    said = list(earlier(question))
    if not said:
        return "This is the first message of our conversation: you have not said anything before it."
    if "first" in ask.lower() or "originally" in ask.lower():
        return f"The first thing you said was: “{beginning(said[-1], 200)}”"
    if len(said) == 1:
        return f"Earlier you said: “{beginning(said[0], 200)}”"
    return f"You have written {len(said)} messages before this one. The last of them was: “{beginning(said[0], 200)}”"
