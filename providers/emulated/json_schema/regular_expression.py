"""Reads regular expressions as JSON Schema means them: ECMA 262, and what Python adds to its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, Union

from providers.emulated.json_schema.document import Unsatisfiable

_LONGEST = 4_000
_DEEPEST = 40
_LAST = 0x10FFFF
Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of any of the ranges, ends included."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Repeat:
    """`high` None: without end."""

    part: Node
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Group:
    number: int
    part: Node


@dataclass(frozen=True, slots=True)
class Place:
    """A condition on where one is: the start, the end, at a word's edge or not."""

    what: Literal["start", "end", "edge", "inside"]


@dataclass(frozen=True, slots=True)
class Look:
    part: Node
    is_ahead: bool
    is_negative: bool


@dataclass(frozen=True, slots=True)
class Back:
    """What the group matched, once more."""

    number: int


Node = Union[Characters, Sequence, Choice, Repeat, Group, Place, Look, Back]  # noqa: UP007 - the names come later


def _complement(ranges: Ranges) -> Ranges:
    rest, start = [], 0
    for low, high in ranges:
        if start < low:
            rest.append((start, low - 1))
        start = high + 1
    if start <= _LAST:
        rest.append((start, _LAST))
    return tuple(rest)


def _union(ranges: list[tuple[int, int]]) -> Ranges:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def _of(text: str) -> Ranges:
    return _union([(ord(character), ord(character)) for character in text])


_DIGITS: Ranges = ((48, 57),)
_WORDS: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACES = _of("\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B))))
_ESCAPED_SETS = {
    "d": _DIGITS,
    "D": _complement(_DIGITS),
    "w": _WORDS,
    "W": _complement(_WORDS),
    "s": _SPACES,
    "S": _complement(_SPACES),
}
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}
_NOT_NEWLINE = _complement(_of("\n\r\u2028\u2029"))
# The characters up to U+024F that have the property: enough to choose from, and to tell common texts.
_UPPER = _of("".join(c for c in map(chr, range(0x250)) if c.isupper()))
_LOWER = _of("".join(c for c in map(chr, range(0x250)) if c.islower()))
_LETTERS = _union([*_of("".join(c for c in map(chr, range(0x250)) if c.isalpha())), (0x370, 0x1FFF), (0x3040, 0xD7FF)])
_PUNCTUATION = _of("!\"#%&'()*,-./:;?@[\\]_{}¡§«¶·»¿")
_PROPERTIES = {
    "L": _LETTERS, "Letter": _LETTERS, "Alphabetic": _LETTERS, "Alpha": _LETTERS,
    "Lu": _UPPER, "Uppercase_Letter": _UPPER, "Uppercase": _UPPER,
    "Ll": _LOWER, "Lowercase_Letter": _LOWER, "Lowercase": _LOWER,
    "N": _DIGITS, "Nd": _DIGITS, "Number": _DIGITS, "Decimal_Number": _DIGITS, "M": ((0x300, 0x36F),),
    "P": _PUNCTUATION, "Punctuation": _PUNCTUATION, "S": _of("$+<=>^`|~¢£¤¥¦¨©¬®¯°±´¸×÷"),
    "Z": _of(" \u00a0\u2028\u2029"), "Zs": _of(" \u00a0"), "Emoji": ((0x1F300, 0x1FAFF),),
    "Extended_Pictographic": ((0x1F300, 0x1FAFF),), "Script=Latin": _LETTERS[:-2], "Latin": _LETTERS[:-2],
}  # fmt: skip


@dataclass(slots=True)
class _Reader:
    source: str
    at: int = 0
    groups: int = 0
    names: dict[str, int] = field(default_factory=dict)
    ignores_case: bool = False
    depth: int = 0

    def fail(self) -> Unsatisfiable:
        return Unsatisfiable(f"the pattern {self.source[:200]!r} cannot be read at character {self.at}")

    def take(self, text: str) -> bool:
        if self.source.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def next(self) -> str:
        if self.at >= len(self.source):
            raise self.fail()
        self.at += 1
        return self.source[self.at - 1]

    def until(self, end: str) -> str:
        stop = self.source.find(end, self.at)
        if stop < 0:
            raise self.fail()
        text = self.source[self.at : stop]
        self.at = stop + len(end)
        return text

    def choice(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.fail()
        branches = [self.sequence()]
        while self.take("|"):
            branches.append(self.sequence())
        self.depth -= 1
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def sequence(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            part = self.term()
            if part is not None:
                parts.append(self.repeated(part))
        return Sequence(tuple(parts))

    def repeated(self, part: Node) -> Node:
        while True:
            if self.take("*"):
                low, high = 0, None
            elif self.take("+"):
                low, high = 1, None
            elif self.take("?"):
                low, high = 0, 1
            else:
                bounds = self.bounds()
                if bounds is None:
                    return part
                low, high = bounds
            # A lazy or possessive one matches no other texts, but for rare possessive ones.
            if not self.take("?"):
                self.take("+")
            part = Repeat(part, low, high)

    def bounds(self) -> tuple[int, int | None] | None:
        end = self.source.find("}", self.at)
        if not self.source.startswith("{", self.at) or end < 0 or end - self.at > 24:
            return None
        low, comma, high = self.source[self.at + 1 : end].partition(",")
        if not (low.isdigit() or (comma and high.isdigit() and not low)) or not (high.isdigit() or not high):
            return None
        self.at = end + 1
        least = int(low or 0)
        most = None if comma and not high else int(high) if comma else least
        if most is not None and most < least:
            raise self.fail()
        return least, most

    def term(self) -> Node | None:
        character = self.next()
        if character == "(":
            return self.group()
        if character == "[":
            return self.characters()
        if character == ".":
            return Characters(_NOT_NEWLINE)
        if character == "^":
            return Place("start")
        if character == "$":
            return Place("end")
        if character == "\\":
            return self.escaped()
        if character in "*+?":
            raise self.fail()
        return self.literal(character)

    def literal(self, character: str) -> Characters:
        return Characters(self.folded(_of(character)))

    def folded(self, ranges: Ranges) -> Ranges:
        if not self.ignores_case:
            return ranges
        more = [(low, high) for low, high in ranges]
        for low, high in ranges:
            for first, last, step in ((65, 90, 32), (97, 122, -32)):
                if max(low, first) <= min(high, last):
                    more.append((max(low, first) + step, min(high, last) + step))
        return _union(more)

    def group(self) -> Node | None:
        looks = {"?=": (True, False), "?!": (True, True), "?<=": (False, False), "?<!": (False, True)}
        for mark, (is_ahead, is_negative) in looks.items():
            if self.take(mark):
                return Look(self.closed(), is_ahead, is_negative)
        if self.take("?P="):
            return Back(self.names.get(self.until(")"), 0))
        if self.take("?:") or self.take("?>"):
            return self.closed()
        if self.take("?P<") or self.take("?<"):
            self.names[self.until(">")] = self.groups + 1
        elif self.take("?#"):
            self.until(")")
            return None
        elif self.take("?"):
            return self.flagged()
        self.groups += 1
        number = self.groups
        return Group(number, self.closed())

    def flagged(self) -> Node | None:
        start = self.at
        while self.at < len(self.source) and self.source[self.at] in "aimsux-":
            self.at += 1
        flags = self.source[start : self.at]
        before, self.ignores_case = self.ignores_case, "i" in flags.partition("-")[0]
        if "x" in flags:
            raise self.fail()
        if self.take(")"):
            return None
        if not self.take(":"):
            raise self.fail()
        inner = self.closed()
        self.ignores_case = before
        return inner

    def closed(self) -> Node:
        inner = self.choice()
        if not self.take(")"):
            raise self.fail()
        return inner

    def escaped(self) -> Node:
        character = self.next()
        if character == "b":
            return Place("edge")
        if character == "B":
            return Place("inside")
        if character == "A":
            return Place("start")
        if character in "Zz":
            return Place("end")
        if character in "123456789":
            digits = character
            while len(digits) < 3 and self.source[self.at : self.at + 1].isdigit():
                digits += self.next()
            return Back(int(digits))
        if character == "k" and self.take("<"):
            return Back(self.names.get(self.until(">"), 0))
        return Characters(self.folded(self.escape(character)))

    def escape(self, character: str) -> Ranges:
        """What an escape means inside and outside of brackets."""
        if character in _ESCAPED_SETS:
            return _ESCAPED_SETS[character]
        if character in _ESCAPED:
            return _of(_ESCAPED[character])
        if character == "c":
            return _of(chr(ord(self.next()) % 32))
        if character in "pP":
            name = self.until("}")[1:] if self.source[self.at : self.at + 1] == "{" else self.next()
            ranges = _PROPERTIES.get(name.split("=")[-1] if name.startswith("General_Category=") else name)
            if ranges is None:
                raise self.fail()
            return ranges if character == "p" else _complement(ranges)
        length = {"x": 2, "u": 4, "U": 8}.get(character)
        if length is None:
            return _of(character)
        digits = self.until("}")[1:] if self.take_brace() else self.source[self.at : self.at + length]
        if self.source[self.at - 1] != "}":
            self.at += length
        try:
            return _of(chr(int(digits, 16)))
        except (ValueError, OverflowError):
            raise self.fail() from None

    def take_brace(self) -> bool:
        return self.source[self.at : self.at + 1] == "{"

    def characters(self) -> Node:
        is_negative = self.take("^")
        ranges: list[tuple[int, int]] = []
        if self.source[self.at : self.at + 1] == "]" and self.source.find("]", self.at + 1) < 0:
            self.at += 1
            return Characters(((0, _LAST),) if is_negative else ())
        is_first = True
        while is_first or not self.take("]"):
            is_first = False
            low = self.one()
            if (
                len(low) == 1
                and low[0][0] == low[0][1]
                and self.source[self.at : self.at + 1] == "-"
                and self.source[self.at + 1 : self.at + 2] not in ("]", "")
            ):
                self.at += 1
                high = self.one()
                if len(high) == 1 and high[0][0] == high[0][1]:
                    if high[0][0] < low[0][0]:
                        raise self.fail()
                    ranges.append((low[0][0], high[0][0]))
                    continue
                ranges.extend([(45, 45), *high])
            ranges.extend(low)
        read = self.folded(_union(ranges))
        return Characters(_complement(read) if is_negative else read)

    def one(self) -> Ranges:
        character = self.next()
        if character != "\\":
            return _of(character)
        escaped = self.next()
        return _of("\b") if escaped == "b" else self.escape(escaped)


@lru_cache(256)
def read(source: str) -> Node:
    """The pattern's tree. Raises Unsatisfiable for what is no pattern, or too much of one."""
    if len(source) > _LONGEST:
        raise Unsatisfiable(f"a pattern of {len(source)} characters is too long")
    reader = _Reader(source)
    tree = reader.choice()
    if reader.at < len(source):
        raise reader.fail()
    return tree
