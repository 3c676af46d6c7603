"""Texts that a regular expression matches: tells them, without ever backtracking, and makes them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from providers.emulated.json_schema.document import Exhausted, Unsatisfiable
from providers.emulated.json_schema.regular_expression import (
    Back,
    Characters,
    Choice,
    Group,
    Look,
    Node,
    Place,
    Repeat,
    Sequence,
    read,
)

_MOST_WORK = 200_000
_LONGEST = 20_000
_COMMON = ("Example123!", "example", "Example", "example-1", "example1", "EXAMPLE", "1", "12", "Ex1!")


class Pattern:
    """One pattern, searched for anywhere in a text as JSON Schema does."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._tree = read(source)
        self._repeats: list[Repeat] = []
        self._choices = 1
        self.has_back = False
        self._has_look = False
        self._survey(self._tree)
        self._made: set[str] = set()

    def _survey(self, node: Node) -> None:
        if isinstance(node, Sequence | Choice):
            parts = node.parts if isinstance(node, Sequence) else node.branches
            if isinstance(node, Choice):
                self._choices = max(self._choices, len(parts))
            for part in parts:
                self._survey(part)
        elif isinstance(node, Repeat | Group | Look):
            if isinstance(node, Repeat):
                self._repeats.append(node)
            if isinstance(node, Look):
                self._has_look = True
            self._survey(node.part)
        elif isinstance(node, Back):
            self.has_back = True

    def matches(self, text: str) -> bool:
        """Whether the text matches. Raises Unsatisfiable if that takes too long to find out."""
        if self.has_back:
            # Telling takes exponential time in general: only its own texts are known.
            return text in self._made
        return bool(_Matching(text, self.source).step(self._tree, set(range(len(text) + 1))))

    def texts(self, word: str, low: int, high: int | None, variation: int) -> Iterator[str]:
        """Texts that match and have a length from `low` to `high`, the best first; `word` lends its letters."""
        tried: set[str] = set()
        for text in self._candidates(word or "example", low, high, variation):
            if text in tried or len(text) < low or (high is not None and len(text) > high):
                continue
            tried.add(text)
            if self.has_back:
                self._made.add(text)
                yield text
            elif self.matches(text):
                yield text

    def _candidates(self, word: str, low: int, high: int | None, variation: int) -> Iterator[str]:
        # One choice after another: which branch is taken where there are several.
        for turn in range(min(self._choices, 24)):
            branch = variation + turn
            natural = self._write(word, variation, branch, None, 0)
            least = self._write(word, variation, branch, None, -1)
            yield natural
            if variation:
                yield f"{natural}{word}{variation + 1}"
            for short in (natural, least):
                if len(short) < low:
                    yield short + (word * (low // len(word) + 1))[: low - len(short)]
                    yield (word * (low // len(word) + 1))[: low - len(short)] + short
            for only in (None, *self._repeats[:12]):
                yield from self._longer(word, variation, branch, only, low)
            yield least
        if self._has_look:
            for text in _COMMON:
                yield text
                yield (text + word * (low // len(word) + 1))[:low] if len(text) < low else text[:high]
        for more in range(1, 8):
            yield self._write(word, variation + more, variation + more, None, more)

    def _longer(self, word: str, variation: int, branch: int, only: Repeat | None, low: int) -> Iterator[str]:
        """With as many more repetitions as make it just long enough, one more and one fewer."""
        fewest, most = 0, max(low, 1)
        while fewest < most:
            middle = (fewest + most) // 2
            if len(self._write(word, variation, branch, only, middle)) < low:
                fewest = middle + 1
            else:
                most = middle
        for more in (fewest, fewest + 1, fewest + 2 + variation, max(fewest - 1, 0)):
            yield self._write(word, variation, branch, only, more)

    def _write(self, word: str, variation: int, branch: int, only: Repeat | None, more: int) -> str:
        return _Writing(self, word, variation, branch, only, more).run(self._tree)


class _Matching:
    """Follows all ways through a pattern at once, as sets of places in the text: polynomial, whatever the pattern."""

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self._source = source
        self._work = 0

    def step(self, node: Node, places: set[int]) -> set[int]:
        """The places reached by matching the node from any of `places`."""
        self._work += 1 + len(places)
        if self._work > _MOST_WORK:
            raise Exhausted(f"the pattern {self._source[:200]!r} takes too long to match")
        text = self._text
        match node:
            case Characters(ranges):
                end = len(text)
                return {at + 1 for at in places if at < end and _within(ord(text[at]), ranges)}
            case Sequence(parts):
                for part in parts:
                    if not places:
                        break
                    places = self.step(part, places)
                return places
            case Choice(branches):
                return set().union(*[self.step(branch, places) for branch in branches])
            case Group(_, part):
                return self.step(part, places)
            case Repeat():
                return self._repeat(node, places)
            case Place(what):
                return {at for at in places if self._is_at(what, at)}
            case Look(part, True, is_negative):
                return {at for at in places if bool(self.step(part, {at})) != is_negative}
            case Look(part, _, is_negative):
                return {at for at in places if (at in self._ends(part, at)) != is_negative}
            case _:
                return set()

    def _repeat(self, node: Repeat, places: set[int]) -> set[int]:
        for _ in range(node.low):
            reached = self.step(node.part, places)
            if reached == places:
                break
            places = reached
        found, latest, rounds = set(places), places, 0
        while latest and (node.high is None or rounds < node.high - node.low):
            latest = self.step(node.part, latest) - found
            found |= latest
            rounds += 1
        return found

    def _ends(self, part: Node, at: int) -> set[int]:
        reached: set[int] = set()
        for start in range(at + 1):
            reached |= self.step(part, {start})
        return reached

    def _is_at(self, what: str, at: int) -> bool:
        if what == "start":
            return at == 0
        if what == "end":
            return at == len(self._text)
        around = [0 <= place < len(self._text) and _is_word(self._text[place]) for place in (at - 1, at)]
        return (around[0] != around[1]) == (what == "edge")


def _is_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code <= high for low, high in ranges)


class _Writing:
    """Makes one text. `more`: how often a repeat (`only` that one, or all) repeats beyond its least; 0: as looks
    natural; -1: as seldom as it may."""

    def __init__(
        self, pattern: Pattern, word: str, variation: int, branch: int, only: Repeat | None, more: int
    ) -> None:
        self._pattern = pattern
        self._word = word
        self._variation = variation
        self._branch = branch
        self._only = only
        self._more = more
        self._groups: dict[int, str] = {}
        self._parts: list[str] = []
        self._length = 0
        self._steps = 0
        self._letters = 0
        self._digits = variation
        self._has_varied = variation == 0

    def run(self, tree: Node) -> str:
        self._visit(tree)
        return "".join(self._parts)

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        if self._length > _LONGEST:
            raise Unsatisfiable(f"the pattern {self._pattern.source[:200]!r} asks for too long a text")

    def _visit(self, node: Node) -> None:
        self._steps += 1
        if self._steps > _LONGEST:
            raise Unsatisfiable(f"the pattern {self._pattern.source[:200]!r} asks for too long a text")
        match node:
            case Characters(ranges):
                if not ranges:
                    raise Unsatisfiable(f"the pattern {self._pattern.source[:200]!r} matches nothing")
                self._add(self._character(ranges))
            case Sequence(parts):
                for part in parts:
                    self._visit(part)
            case Choice(branches):
                self._visit(branches[self._branch % len(branches)])
            case Group(number, part):
                start = len(self._parts)
                self._visit(part)
                self._groups[number] = "".join(self._parts[start:])
            case Repeat(part):
                for _ in range(self._times(node)):
                    self._visit(part)
            case Look(part, _, False):
                self._visit(part)
            case Back(number):
                self._add(self._groups.get(number, ""))
            case _:
                pass

    def _times(self, node: Repeat) -> int:
        times = node.low
        if self._more == 0:
            if (node.high is None or node.high > 1) and isinstance(node.part, Characters):
                times = max(times, self._natural(node.part))
            elif node.high is None:
                times = max(times, 0 if isinstance(node.part, Sequence) and node.low == 0 else 1)
        elif self._more > 0 and (self._only is None or self._only is node):
            times += self._more
        return times if node.high is None else min(times, node.high)

    def _natural(self, part: Characters) -> int:
        if _within(ord("e"), part.ranges) or _within(ord("E"), part.ranges):
            return len(self._word)
        return 3 if _within(ord("1"), part.ranges) else 0

    def _character(self, ranges: tuple[tuple[int, int], ...]) -> str:
        if not self._has_varied and self._digits:
            # Another variation differs in its first character that can.
            self._has_varied = True
            varied = [code for low, high in ranges for code in range(low, min(high, low + 200) + 1) if 33 <= code < 127]
            if len(varied) > 1:
                return chr(varied[(self._variation + len(varied) // 3) % len(varied)])
            self._has_varied = False
        letter = self._word[self._letters % len(self._word)]
        for candidate in (letter, letter.upper(), letter.lower()):
            if _within(ord(candidate), ranges):
                self._letters += 1
                return candidate
        if _within(ord("e"), ranges) or _within(ord("E"), ranges):
            self._letters += 1
        for candidate in (str((self._digits + 1) % 10), "e", "E", "1", "0", "a", "-", "_", ".", " "):
            if _within(ord(candidate), ranges):
                self._digits += candidate.isdigit()
                return candidate
        for low, high in ranges:
            if high >= 33 and low < 0xD800:
                return chr(max(low, 33))
        low, high = ranges[0]
        if 0xD800 <= low <= 0xDFFF:
            raise Unsatisfiable(f"the pattern {self._pattern.source[:200]!r} asks for half a character")
        return chr(low)


@lru_cache(256)
def pattern_of(source: str) -> Pattern:
    """Raises Unsatisfiable for what is no pattern."""
    return Pattern(source)
