"""What a text wants done with words of its own: this replaced by that, this sent, this written to a file."""

from __future__ import annotations

import re
from functools import lru_cache

_MOST = 1_000
_SAID = r"(?:\"([^\"\n]{1,200})\"|“([^”\n]{1,200})”|`([^`\n]{1,200})`|'([^'\n]{1,200})'|(\S[^\n,;]{0,120}?))"
_REPLACED = re.compile(
    rf"\b(?:replace|change|rename|swap|substitute|edit|update)\s+(?:every |all |the |each |occurrences of )*{_SAID}\s+"
    rf"(?:with|to|by|into|for)\s+{_SAID}(?=\s+(?:in|on|at|of|inside|everywhere|throughout)\b|[.,;!?]?\s*$|[,;]|\. )",
    re.I,
)
_OLD = frozenset({"old", "original", "before", "find", "search", "oldtext", "oldstring", "pattern", "needle", "target"})
_NEW = frozenset({"new", "replacement", "after", "replace", "newtext", "newstring"})
_SENDING = re.compile(
    r"\b(?:e-?mail|mail|send|tell|message|text|notify|post|inform|let|remind|write to|report|file|open|create|raise"
    r"|reply)\b",
    re.I,
)
_MESSAGE = re.compile(
    r"(?:\b(?:saying|says|say(?=\s+[\"“'])|(?:telling|tell|let|inform)\s+(?:him|her|them|\S+@\S+)(?:\s+know)?(?:\s+that)?"
    r"|that|with the (?:message|text|body|content)(?: of)?)\s*:?\s+"
    r"|\b(?:bug|issue|ticket|report|message|e-?mail|note)\b[^:.\n]{0,40}:\s*)[\"“']?(\S[^\n]{0,500})",
    re.I,
)
_SUBJECT = re.compile(
    r"\bsubject(?: line)?(?: of)?\s*:?\s*(?:\"([^\"\n]{1,120})\"|“([^”\n]{1,120})”|'([^'\n]{1,120})'"
    r"|(\S[^\n,.;]{0,100}?)(?=\s+(?:saying|and|with|that|body)\b|[,.;\n]|$))",
    re.I,
)
_SAVED = re.compile(
    rf"\b(?:save|write|put|append|add|store)\s+(?:the (?:text|words?|line|string)\s+)?{_SAID}\s+"
    r"(?:to|in|into|as|at the end of)\s+(?:(?:a|the|my)\s+)?(?:(?:new\s+)?file\s+)?(?:called\s+|named\s+)?"
    r"[\"'`]?[\w~./-]*[./]\w",
    re.I,
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


_COMMAND = re.compile(
    r"^\s*(?:(?:please |can you |could you )?(?:run|execute)\s+(?:the command\s+|command\s+)?)?[`\"']?"
    r"((?:ls|cat|git|npm|npx|pip|pytest|make|cargo|docker|grep|echo|cd|pwd|mkdir|rm|mv|cp|curl|python3?|node|find|df|ps"
    r"|whoami|date|uname)(?:\s[^\n`]{0,200})?)[`\"'.]*\s*$"
)
_QUOTED_COMMAND = re.compile(r"`([^`\n]{1,200})`")
_IDENTIFIED = re.compile(r"\b[A-Z]{2,6}-\d{1,8}\b|#(\d{1,12})\b")


@lru_cache(512)
def _numbered(noun: str) -> re.Pattern[str]:
    return re.compile(
        rf"\b{re.escape(noun)}s?\s*(?:id|number|no\.?|key|code)?\s*(?:is|:|=)?\s*#?([A-Za-z]{{0,6}}[-_]?\d[\w-]{{0,40}})",
        re.I,
    )


def identifier(name: str, text: str) -> str | None:
    """What a text calls a thing by, for a property like `order_id`: `order 123` gives `123`."""
    parts = [part.lower() for part in _WORD.findall(name[:60])]
    if not parts or parts[-1] not in ("id", "key", "number", "uuid", "identifier"):
        return None
    found = _numbered(parts[-2] if len(parts) > 1 else parts[-1]).search(text[:_MOST])
    if found:
        return found[1]
    found = _IDENTIFIED.search(text[:_MOST])
    return (found[1] or found[0]) if found else None


def command(text: str, paths: list[str]) -> str | None:
    """What to type into a shell for a text that says so; `paths` are those it names."""
    found = _COMMAND.match(text[:_MOST]) or _QUOTED_COMMAND.search(text[:_MOST])
    if found:
        return found[1].strip()
    if not paths:
        return None
    return f"{'cat' if '.' in paths[0].rpartition('/')[2][1:] else 'ls'} {paths[0]}"


@lru_cache(2048)
def errand_of(name: str) -> str:
    """What a property of this name holds of an errand: "old", "new", "message", "subject", "content", or ""."""
    parts = [part.lower() for part in _WORD.findall(name[:60])]
    if not parts or len(parts) > 3:
        return ""
    if parts[0] in _OLD and (len(parts) > 1 or parts[0] != "target"):
        return "old" if len(parts) == 1 or parts[-1] in _TEXTS else ""
    if parts[0] in _NEW:
        return "new" if len(parts) == 1 or parts[-1] in _TEXTS else ""
    if parts[-1] in ("subject", "title"):
        return "subject"
    if parts[-1] in ("content", "contents"):
        return "content"
    return "message" if parts[-1] in ("body", "message", "text", "description") else ""


_TEXTS = frozenset({"string", "str", "text", "value", "content", "code", "with", "snippet", "word"})


def errand(kind: str, text: str) -> str | None:
    """The words that an errand of this kind is about, None if the text is no such errand."""
    text = text[:_MOST]
    if kind == "old" or kind == "new":
        found = _REPLACED.search(text)
        return None if found is None else _first(found.groups()[:5] if kind == "old" else found.groups()[5:])
    if kind == "content":
        found = _SAVED.search(text)
        if found:
            return _first(found.groups())
    if kind == "subject":
        found = _SUBJECT.search(text)
        if found:
            return _first(found.groups())
    if not _SENDING.search(text):
        return None
    found = _MESSAGE.search(text)
    said = found[1].strip().rstrip("\"”'").removesuffix(".").strip() if found else ""
    return said or None


def _first(groups: tuple[str | None, ...]) -> str | None:
    return next((group.strip() for group in groups if group), None)
