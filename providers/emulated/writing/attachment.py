"""A word on the images, recordings and documents of a prompt."""

from __future__ import annotations

from collections import Counter

from providers.emulated.question import Question

_NUMBERS = ("no", "the", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SEEN = {"image": "see", "audio": "hear", "video": "watch", "document": "read"}
_NAMES = {"image": "image", "audio": "recording", "video": "video", "document": "document"}


def acknowledge(question: Question) -> str:
    """`I can see the image you sent. `, of the last user message that has attachments; "" if none has."""
    kinds: tuple[str, ...] = ()
    for turn in reversed(question.turns):
        if turn.role == "user" and (turn.attachments or turn.text):
            kinds = turn.attachments
            if kinds or turn.text == question.prompt:
                break
    if not kinds:
        return ""
    parts: dict[str, list[str]] = {}
    for kind, number in Counter(kinds).items():
        name = _NAMES.get(kind, "file")
        counted = f"{_NUMBERS[number] if number < len(_NUMBERS) else number} {name}{'s' if number > 1 else ''}"
        parts.setdefault(_SEEN.get(kind, "open"), []).append(counted)
    said = " and ".join(f"{verb} {' and '.join(names)}" for verb, names in parts.items())
    return f"I can {said} you sent. "
