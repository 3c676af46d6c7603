"""What a rule's `match` and `when` say: plain values into both, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from proxies.dataplane.access import AccessList, InvalidAccessEntry
from proxies.dataplane.faults.rules import Match, When
from proxies.dataplane.faults.settings import InvalidField, is_clean, number, range_words, read_number, shown, unknown

MAX_ALTERNATIVES = 100  # texts of one part of a match
MAX_TEXT = 500  # characters of one
MAX_COUNT = 1_000_000_000
MAX_SECONDS = 1_000_000_000

RULE_WORDS = ("rate", "match", "when", "id")  # beside a fault and its settings
SCRIPT_WORDS = ("script", "repeat", "match", "when", "id")
STEP_WORDS = ("times", "for_s")  # beside a step's fault
MATCH_WORDS = ("operation", "path", "model", "streaming", "header", "client", "prompt_hash")
WHEN_WORDS = ("every", "first", "after", "between_s", "window")

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # Source: RFC 9110 section 5.6.2
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))", re.ASCII)


def read_match(value: Any) -> Match:
    """Raises InvalidField."""
    if value is None:
        return Match()
    members = mapping(value, "match", "use a mapping such as {model: gpt-4*}")
    for name in members:
        if name not in MATCH_WORDS:
            raise misplaced(name, "match.", "part of match", MATCH_WORDS)
    streaming = members.get("streaming")
    if streaming is not None and not isinstance(streaming, bool):
        raise InvalidField("match.streaming", "use true or false")
    client = None
    if members.get("client") is not None:
        entries = _texts(members["client"], "match.client")
        try:
            client = AccessList.parse(entries)
        except InvalidAccessEntry as error:
            raise InvalidField("match.client", f"{shown(entries[error.line - 1])} {error.reason}") from None
    return Match(
        operation=_globs(members, "operation"),
        path=_globs(members, "path"),
        model=_globs(members, "model"),
        streaming=streaming,
        header=_read_header(members.get("header")),
        client=client,
        prompt_hash=_globs(members, "prompt_hash"),
    )


def _read_header(value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if value is None:
        return ()
    read: dict[str, tuple[str, ...]] = {}
    for name, globs in mapping(value, "match.header", "use a mapping of names and texts").items():
        if not _HEADER.fullmatch(name):
            raise InvalidField("match.header", f"{shown(name)} is not the name of a header")
        if name.lower() in read:
            raise InvalidField("match.header", f"{name} stands there twice; case does not count")
        read[name.lower()] = _texts(globs, f"match.header.{name}")
    return tuple(sorted(read.items()))


def _globs(members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return () if members.get(name) is None else _texts(members[name], f"match.{name}")


def _texts(value: Any, field: str) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, Sequence) or not 1 <= len(texts) <= MAX_ALTERNATIVES:
        raise InvalidField(field, f"use a text, or a list of up to {MAX_ALTERNATIVES} texts")
    for text in texts:
        if not isinstance(text, str) or not 1 <= len(text) <= MAX_TEXT or not is_clean(text):
            raise InvalidField(field, f"use texts of 1 to {MAX_TEXT} characters")
    return tuple(texts)


def read_when(value: Any) -> When:
    """Raises InvalidField."""
    if value is None:
        return When()
    members = mapping(value, "when", "use a mapping such as {every: 3}")
    for name in members:
        if name not in WHEN_WORDS:
            raise misplaced(name, "when.", "part of when", WHEN_WORDS)
    every, first, after = (
        None if members.get(name) is None else whole(members[name], f"when.{name}")
        for name in ("every", "first", "after")
    )
    before = after or 0
    if every is not None and first is not None and (before + first) // every == before // every:
        raise InvalidField("when.first", f"it would never fire: every {every} is none of these {first} requests")
    return When(
        every=every,
        first=first,
        after=after,
        between_s=None if members.get("between_s") is None else _read_between(members["between_s"]),
        window=None if members.get("window") is None else _read_window(members["window"]),
    )


def _read_between(value: Any) -> tuple[float, float]:
    field = "when.between_s"
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or len(value) != 2:
        raise InvalidField(field, "use two numbers of seconds, such as [30, 60]")
    begin, end = (seconds(moment, field, ge=0) for moment in value)
    if end <= begin:
        raise InvalidField(field, "the second number must be larger than the first")
    return begin, end


def _read_window(value: Any) -> tuple[int, int]:
    found = _WINDOW.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidField("when.window", 'use times of day in UTC, such as "22:00-06:00"')
    parts = [int(part) for part in found.groups() if part is not None]
    begin, end = (parts[0] * 60 + parts[1]) * 60, (parts[2] * 60 + parts[3]) * 60
    if begin == end:
        raise InvalidField("when.window", "it ends when it begins; for the whole day leave it out")
    return begin, end


def write_match(match: Match) -> dict[str, Any]:
    """What `read_match` reads, without parts that hold for every request."""
    written: dict[str, Any] = {}
    for name in ("operation", "path", "model", "prompt_hash"):
        if texts := getattr(match, name):
            written[name] = _one_or_all(texts)
    if match.streaming is not None:
        written["streaming"] = match.streaming
    if match.header:
        written["header"] = {name: _one_or_all(texts) for name, texts in match.header}
    if match.client is not None:
        written["client"] = _one_or_all(match.client.allow)
    return written


def _one_or_all(texts: tuple[str, ...]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else list(texts)


def write_when(when: When) -> dict[str, Any]:
    """What `read_when` reads, without parts that are not there."""
    counts = {"every": when.every, "first": when.first, "after": when.after}
    written: dict[str, Any] = {name: count for name, count in counts.items() if count is not None}
    if when.between_s is not None:
        written["between_s"] = [number(moment) for moment in when.between_s]
    if when.window is not None:
        written["window"] = "-".join(f"{second // 3600:02}:{second // 60 % 60:02}" for second in when.window)
    return written


def mapping(value: Any, field: str, otherwise: str) -> Mapping[str, Any]:
    """A mapping of names. Raises InvalidField with the reason `otherwise`."""
    if not isinstance(value, Mapping):
        raise InvalidField(field, otherwise)
    for name in value:
        if not isinstance(name, str):
            raise InvalidField(field, f"use texts for the names of its members, not {shown(name)}")
    return value


def whole(value: Any, field: str) -> int:
    """A count from 1. Raises InvalidField."""
    read: int | None = read_number(value, is_whole=True, ge=1, le=MAX_COUNT)
    if read is None:
        raise InvalidField(field, f"use a whole number from 1 to {MAX_COUNT}")
    return read


def seconds(value: Any, field: str, *, ge: float | None = None, gt: float | None = None) -> float:
    """Raises InvalidField."""
    read: float | None = read_number(value, is_whole=False, ge=ge, gt=gt, le=MAX_SECONDS)
    if read is None:
        raise InvalidField(field, f"use a number{range_words(ge, gt, MAX_SECONDS)}")
    return read


ELSEWHERE = {
    **dict.fromkeys(MATCH_WORDS, "stands in match, as in match: {%s: ...}"),
    **dict.fromkeys(WHEN_WORDS, "stands in when, as in when: {%s: ...}"),
    **dict.fromkeys(STEP_WORDS, "is for the steps of a script"),
    "rate": "stands in the rule itself, beside match and when",
    "repeat": "is for scripts",
    "script": "makes a rule of its own, without a fault beside it",
}
"""Where words of the grammar belong that people write in the wrong place."""


def misplaced(name: str, before: str, of: str, known: Sequence[str]) -> InvalidField:
    """What is wrong with a member that stands where it does not belong, or is unknown."""
    hint = ELSEWHERE.get(name)
    if hint is None:
        return InvalidField(before + shown(name), unknown(name, of, known))
    return InvalidField(before + name, "it " + (hint % name if "%s" in hint else hint))
