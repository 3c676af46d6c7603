"""Globs: `*` for any text, `?` for one character, everything else for itself; case counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache


def is_literal(glob: str) -> bool:
    """Whether a glob stands for one text alone."""
    return "*" not in glob and "?" not in glob


def prefix(glob: str) -> str:
    """What every text that the glob covers begins with."""
    return re.split(r"[*?]", glob, maxsplit=1)[0]


@lru_cache(maxsize=1024)
def matcher(globs: tuple[str, ...]) -> Callable[[str], object]:
    """A function that is true of texts which one of the globs covers; linear in the text for each star."""
    if all(map(is_literal, globs)):
        return frozenset(globs).__contains__
    return re.compile("|".join(_expression(glob) for glob in globs), re.DOTALL).fullmatch


def covers(globs: tuple[str, ...], text: str) -> bool:
    """Whether one of the globs covers the text."""
    return bool(matcher(globs)(text))


def _expression(glob: str) -> str:
    first, *others = re.split(r"\*+", glob)
    expression = _literal(first)
    for place, part in enumerate(others, 1):
        # the first place where a middle part is found will do: with no way back, no text takes long to refuse
        expression += f".*{_literal(part)}" if place == len(others) else f"(?>.*?{_literal(part)})"
    return f"(?:{expression})"


def _literal(part: str) -> str:
    return ".".join(map(re.escape, part.split("?")))
