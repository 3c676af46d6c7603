"""Takes words out of a prompt to say them again."""

from __future__ import annotations

import re

WINDOW = 2048
_SOFT = " \t\r\n,;:-–—"
_LEAD = re.compile(
    r"(?:(?:please|hi|hello|hey|so|ok|okay|and|now|then|also|well)\b[,!.]?\s+)*"
    r"(?:(?:can|could|would|will) you\s+(?:please\s+|kindly\s+)?|i (?:want|would like|need"
    r"|'d like) (?:you )?to\s+|please\s+)?"
    r"(?P<about>tell (?:me|us)(?: (?:more|something|a bit|everything))?(?: about)?\s+|explain(?: to me"
    r"| in detail)?\s+|describe\s+"
    r"|discuss\s+|talk about\s+|write (?:me )?(?:an? )?[\w -]{0,40}?\b(?:about|on)\s+|give (?:me|us)\s+|show me\s+"
    r"|i(?:'d| would)? (?:want|like) to know\s+|help (?:me|us) with\s+"
    r"|(?:what|who|where)(?:'s| is| are| was| were)\s+(?=the|an?\b))?",
    re.IGNORECASE,
)

_HOW_LONG = re.compile(
    r",?\s+(?:in|within|using|with)\s+(?:about |exactly |at most |under |less than |no more than "
    r"|only )?[\w-]{1,10}(?: \w{1,10})?\s+"
    r"(?:words?|sentences?|paragraphs?|lines?|tokens|characters|bullet points|bullets|points)$|,?\s+(?:briefly"
    r"|in short|in detail|please)$",
    re.IGNORECASE,
)


def window(text: str) -> str:
    """The beginning and the end of a text, as text that can be written: what a long one is judged by."""
    if len(text) > 2 * WINDOW:
        text = f"{text[:WINDOW]} … {text[-WINDOW:]}"
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def clip(text: str, length: int = 100) -> str:
    """The text on one line, up to about `length` characters: beginning and end if it is longer, at whole words."""
    if len(text) > 4 * length:
        head, tail = text[:length], text[-length:]
        return f"{_start(' '.join(head.split()), length * 2 // 3)} … {_end(' '.join(tail.split()), length // 3)}"
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    return f"{_start(line, length * 2 // 3)} … {_end(line, length // 3)}"


def beginning(text: str, length: int = 60) -> str:
    """The text on one line, cut at a word with three dots if it is longer than `length`."""
    line = " ".join(text[: length * 2].split())
    return line if len(line) <= length else f"{_start(line, length)} …"


def _start(line: str, length: int) -> str:
    cut = line.rfind(" ", 1, length + 1)
    return line[: cut if cut > length // 2 else length].rstrip(_SOFT)


def _end(line: str, length: int) -> str:
    place = max(0, len(line) - length)
    cut = line.find(" ", place)
    return line[cut + 1 if 0 <= cut < len(line) - 1 else place :].lstrip(_SOFT)


def without_length(text: str) -> str:
    """The text without a wish at its end for how long the answer should be: `the sea in two sentences`, `the sea`."""
    return _HOW_LONG.sub("", text)


def topic(ask: str) -> str:
    """What a question is about, "" if it cannot be told: `Explain how sails work.` gives `how sails work`."""
    line = " ".join(ask.split())
    found = _LEAD.match(line)
    if found is None or not found["about"]:
        return ""
    cut = line[found.end() :]
    end = min((place for place in map(cut.find, (". ", "? ", "! ", "\n")) if place > 0), default=len(cut))
    cut = without_length(cut[:end].rstrip(" .?!:"))
    return cut if len(cut) <= 120 else ""
