"""Access lists as people edit them: single entries put in and taken out, and files whose lines are named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from proxies.dataplane.access import AccessList, InvalidAccessEntry
from proxies.documents import line_of, read_document
from proxies.errors import Invalid

# A document begins with one of its names, quoted or not, or with a mark of its own; anything else is plain lines.
_DOCUMENT = re.compile(r"\{|---|%|[\"']?\w+[\"']?\s*:(\s|$)")


def read_access_file(data: bytes, names: Sequence[str], file: str) -> dict[str, list[str]]:
    """The lists a file names, by name. It is YAML or JSON (`{allow: [...], block: [...]}`) or plain text: `allow` or
    `block` and one entry a line, `#` begins a comment. Raises Invalid, which names file and line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{file}: The text is not valid UTF-8.") from None
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    first = next(filter(None, lines), "")
    lists, place = _read_document(text, names, file) if _DOCUMENT.match(first) else _read_lines(lines, names, file)
    if not lists:
        raise Invalid(f"{file}: The file names none of the lists {', '.join(names)}.")
    for name, entries in lists.items():
        try:
            AccessList.parse(entries)
        except InvalidAccessEntry as error:
            number = error.line - 1
            words = f"{name} {str(entries[number])[:60]!r} {error.reason}"
            raise Invalid(f"{file}, line {place(name, number)}: {words}.") from None
    return lists


def edited(
    stored: Mapping[str, Sequence[str]], added: Mapping[str, Sequence[str]], removed: Iterable[str]
) -> dict[str, list[str]]:
    """All lists, after entries were taken out of whichever hold them, and others put at their ends. Raises Invalid."""
    lists: dict[str, list[str]] = {name: list(entries) for name, entries in stored.items()}
    for entry in removed:
        if not any(entry.strip().lower() in (known.lower() for known in entries) for entries in lists.values()):
            raise Invalid(f"remove: {entry!r} is in none of the lists.")
        for name, entries in lists.items():
            lists[name] = [known for known in entries if known.lower() != entry.strip().lower()]
    for name, new in added.items():
        for entry in new:
            try:
                AccessList.parse([entry])
            except InvalidAccessEntry as error:
                raise Invalid(f"{name}: {entry[:60]!r} {error.reason}.") from None
        lists[name] = list(dict.fromkeys([*lists[name], *(entry.strip() for entry in new)]))
    return lists


_Found = tuple[dict[str, list[str]], Callable[[str, int], int]]
"""The lists by name, and in which line of the file an entry of one of them stands."""


def _read_lines(lines: Sequence[str], names: Sequence[str], file: str) -> _Found:
    lists: dict[str, list[str]] = {}
    places: dict[str, list[int]] = {}
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        word, *entries = line.split()
        if word not in names:
            raise Invalid(f"{file}, line {number}: Begin with {' or '.join(names)}, as in `block 203.0.113.7`.")
        if len(entries) != 1:
            raise Invalid(f"{file}, line {number}: Write one address, range or wildcard after {word!r}.")
        lists.setdefault(word, []).append(entries[0])
        places.setdefault(word, []).append(number)
    return lists, lambda name, index: places[name][index]


def _read_document(text: str, names: Sequence[str], file: str) -> _Found:
    try:
        document = read_document(text)
    except Invalid as error:
        raise Invalid(f"{file}: {error.message}") from None
    if not isinstance(document, Mapping):
        raise Invalid(f"{file}: Use a mapping with {' and '.join(names)}.")
    lists: dict[str, list[str]] = {}
    for name, entries in document.items():
        if name not in names:
            raise Invalid(f"{file}: {name!r} is none of the lists {', '.join(names)}.")
        if entries is not None and not isinstance(entries, list):
            raise Invalid(f"{file}, line {line_of(text, (name,))}: {name}: Use a list of addresses.")
        lists[name] = [entry.strip() if isinstance(entry, str) else entry for entry in entries or []]
    return lists, lambda name, index: line_of(text, (name, index))
