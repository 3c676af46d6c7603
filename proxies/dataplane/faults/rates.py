"""Whether the rates of rules that replace the reply add up: those that one request can meet share one draw, and it can
give out no more than 100%."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from proxies.dataplane.access import AccessList
from proxies.dataplane.faults.base import Stage
from proxies.dataplane.faults.globs import covers, is_literal, prefix
from proxies.dataplane.faults.rules import Rule

TOLERANCE = 1e-9
_MOST_STEPS = 20_000  # of the search for the worst case; whatever it has not told apart by then can meet

_MOST_PAIRS = 100_000  # of a text and a rule to compare for one trait; with more, it tells no rules apart

Time = TypeVar("Time", int, float)
Options = list[int]
"""For one trait of a request (its model, the time): the sets of rules that some value of it lets through, as bits."""


def shares_draw(rule: Rule) -> bool:
    """Whether a rule is one of those among which one draw is split."""
    fault, when = rule.fault, rule.when
    return (
        fault is not None
        and fault.stage is Stage.REPLACE
        and rule.rate is not None
        and when.every is None
        and when.first is None
    )


def only_streaming(rule: Rule) -> bool | None:
    """Which requests a rule is for: streaming ones alone (True), others alone (False), or both. A fault that only
    streams can meet is for streams, whatever the match says."""
    if rule.match.streaming is not None or rule.fault is None:
        return rule.match.streaming
    return rule.fault.streams


def find_excess(rules: Sequence[Rule]) -> list[int] | None:
    """Indices of rules that one request can meet although their rates add up to more than 1; None when there are none.

    Rules cannot meet when they differ in a streaming flag, in literal texts or in what their globs begin with, in
    single addresses, or in their times.
    """
    sharing = [index for index, rule in enumerate(rules) if shares_draw(rule)]
    rates = [rules[index].rate or 0.0 for index in sharing]
    if sum(rates) <= 1 + TOLERANCE:
        return None
    found = _search(rates, _traits([rules[index] for index in sharing]))
    return None if found is None else [index for bit, index in enumerate(sharing) if found >> bit & 1]


def _search(rates: Sequence[float], traits: Sequence[Options]) -> int | None:
    traits = sorted((_largest(options) for options in traits), key=len)
    steps = 0

    def search(depth: int, rules: int) -> int | None:
        nonlocal steps
        steps += 1
        if sum(rate for bit, rate in enumerate(rates) if rules >> bit & 1) <= 1 + TOLERANCE:
            return None
        if depth == len(traits) or steps > _MOST_STEPS:
            return rules
        for option in _largest(rules & option for option in traits[depth]):
            found = search(depth + 1, option)
            if found is not None:
                return found
        return None

    return search(0, (1 << len(rates)) - 1)


def _largest(options: Iterable[int]) -> Options:
    """The sets that are part of no other one."""
    kept: Options = []
    for option in sorted(set(options), key=int.bit_count, reverse=True):
        if not any(option & larger == option for larger in kept):
            kept.append(option)
    return kept


def _traits(rules: Sequence[Rule]) -> list[Options]:
    names = sorted({name for rule in rules for name, _ in rule.match.header})
    texts = [
        *([getattr(rule.match, part) for rule in rules] for part in ("operation", "path", "model", "prompt_hash")),
        *([dict(rule.match.header).get(name, ()) for rule in rules] for name in names),
    ]
    streaming = [only_streaming(rule) for rule in rules]
    clients = [rule.match.client for rule in rules]
    between = [rule.when.between_s for rule in rules]
    windows = [rule.when.window for rule in rules]
    return [
        [_bits(only is not False for only in streaming), _bits(only is not True for only in streaming)],
        *map(_of_texts, texts),
        _of_clients(clients),
        [_bits(one is None or one[0] <= at < one[1] for one in between) for at in _begins(between, -1.0)],
        [_bits(one is None or in_window(one, at) for one in windows) for at in _begins(windows, -1)],
    ]


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << bit for bit, flag in enumerate(flags) if flag)


def _of_texts(parts: Sequence[tuple[str, ...]]) -> Options:
    """`parts`: each rule's globs, empty for any text. A text is one that a glob spells out, or one that begins as some
    glob does."""
    globs = {glob for part in parts for glob in part}
    if len(globs) * len(parts) > _MOST_PAIRS:
        return [(1 << len(parts)) - 1]
    starts = {prefix(glob) for glob in globs if not is_literal(glob)} | {""}
    return [
        *(_bits(not part or covers(part, text) for part in parts) for text in globs if is_literal(text)),
        *(_bits(not part or _may_begin(part, start) for part in parts) for start in starts),
    ]


def _may_begin(part: tuple[str, ...], start: str) -> bool:
    return any(start.startswith(prefix(glob)) for glob in part if not is_literal(glob))


def _of_clients(lists: Sequence[AccessList | None]) -> Options:
    entries = {entry for one in lists if one is not None for entry in one.allow}
    if len(entries) * len(lists) > _MOST_PAIRS:
        return [(1 << len(lists)) - 1]
    return [
        *(
            _bits(one is None or one.matches(entry.strip()) for one in lists)
            for entry in entries
            if not _is_range(entry)
        ),
        _bits(one is None or any(map(_is_range, one.allow)) for one in lists),
    ]


def _begins(times: Sequence[tuple[Time, Time] | None], at_another: Time) -> set[Time]:
    """When the number of rules that are on can be largest: as one of them begins, or when none with times is."""
    return {one[0] for one in times if one is not None} | {at_another}


def _is_range(entry: str) -> bool:
    return "*" in entry or "/" in entry


def in_window(window: tuple[int, int], second: float) -> bool:
    """Whether a second of the day is within a daily window."""
    begin, end = window
    return begin <= second < end if begin < end else second >= begin or second < end
