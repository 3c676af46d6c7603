"""Counts tokens, and cuts texts into them.

No provider's tokenizer: a rule that comes near them for words, code and Chinese, and that is cheap to count by. A token
is a word of up to 7 letters, half of a longer word, a sign, or a character past U+07FF; the white space before belongs
to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from providers.emulated.question import Tool, ToolUse, Turn

_LETTER = "0-9A-Za-z_\u0080-\u07ff"
_SPACE = " \t\n\r\x0b\x0c"
# A run of n letters is 1 + n // 8 pieces, a run of n white spaces n // 8 more than none: both are countable without
# a regex.
_PIECE = re.compile(
    f"[{_SPACE}]{{0,7}}(?:"
    f"[{_LETTER}]{{1,7}}(?![{_LETTER}])"
    f"|[^{_LETTER}{_SPACE}]"
    f"|(?<![{_LETTER}])(?:[{_LETTER}]{{5}}(?=[{_LETTER}]{{3,8}}(?![{_LETTER}]))|[{_LETTER}]{{7}})"
    f"|[{_LETTER}]{{1,8}}"
    f")|[{_SPACE}]{{1,8}}"
)


def _kind_of(byte: int) -> int:
    """A byte of UTF-8 as what it starts: a letter, white space, or a token of its own."""
    if byte < 0x80:
        sign = chr(byte)
        return ord("a" if sign.isalnum() or sign == "_" else " " if sign in _SPACE else ".")
    return ord("a" if byte < 0xE0 else ".")


_KINDS = bytes(map(_kind_of, range(256)))
_CONTINUATIONS = bytes(range(0x80, 0xC0))

TURN_TOKENS = 4
TOOL_TOKENS = 8
# Chosen on purpose: providers count by size and length, which nobody here decodes.
ATTACHMENT_TOKENS: Mapping[str, int] = {"image": 765, "audio": 320, "video": 1320, "document": 1500}


def pieces(text: str) -> list[str]:
    """The text in parts of one token each; joined they are the text."""
    return _PIECE.findall(text)


def count(text: str) -> int:
    """How many tokens a text has: as many as it has pieces, much sooner."""
    if text.isascii():
        return _count(text.encode().translate(_KINDS))
    return _count(text.encode("utf-8", "surrogatepass").translate(_KINDS, _CONTINUATIONS))


def _count(kinds: bytes) -> int:
    found = (
        kinds.count(b".")
        + kinds.count(b" a")
        + kinds.count(b".a")
        + kinds.startswith(b"a")
        + kinds.count(b"aaaaaaaa")
        + kinds.count(b"        ")
    )
    if kinds.endswith(b" "):
        found += (len(kinds) - len(kinds.rstrip())) % 8 > 0
    return found


def count_value(value: Any) -> int:
    """How many tokens a value has as JSON."""
    try:
        data = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # deeper than orjson writes, or text that is no Unicode
        return 1024
    return _count(data.translate(_KINDS, _CONTINUATIONS))


def count_tool_use(use: ToolUse) -> int:
    return count(use.name) + count(use.arguments)


def count_tools(tools: Iterable[Tool]) -> int:
    """What the tools on offer add to a prompt."""
    return sum(TOOL_TOKENS + count(tool.name) + count(tool.description) + count_value(tool.schema) for tool in tools)


def count_turn(turn: Turn) -> int:
    """What one message adds to a prompt."""
    found = TURN_TOKENS + count(turn.text)
    if turn.attachments:
        found += sum(ATTACHMENT_TOKENS.get(kind, 256) for kind in turn.attachments)
    if turn.tool_uses:
        found += sum(TOOL_TOKENS + count_tool_use(use) for use in turn.tool_uses)
    if turn.tool_results:
        found += sum(TOOL_TOKENS + count(result.text) for result in turn.tool_results)
    return found
