"""Numbers within bounds, multiples of a step where one is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from providers.emulated.json_schema.reading import amount
from providers.emulated.json_schema.wording import Prompt, is_answer

Bound = tuple[float, bool] | None
"""A number and whether it is itself excluded; None: no bound."""

_MOST = 60


def numbers(
    low: Bound, high: Bound, steps: list[float], wanted: float, variation: int, *, is_whole: bool
) -> Iterator[float]:
    """Candidates from `wanted` on, each within the bounds and most of them multiples of all steps."""
    if steps or is_whole:
        yield from _multiples(low, high, _common(steps, is_whole=is_whole), wanted, variation)
        return
    yield from _any(low, high, wanted + variation)


def said_number(
    prompt: Prompt, name: str, variation: int, least: float, most: float, *, is_whole: bool
) -> int | float | None:
    """The number that a prompt gives a property: its answer, one that stands by the name, else the next one."""
    if prompt.answer and is_answer(name) and variation == 0:
        try:
            known = int(prompt.answer) if is_whole else float(prompt.answer)
        except ValueError:
            return None
        return known if least <= known <= most else None
    given = amount(name, prompt.text) if variation == 0 else None
    if given is not None and least <= given <= most and not (is_whole and isinstance(given, float)):
        return given
    return prompt.next_number(least, most, is_whole=is_whole)


def within(value: float, low: Bound, high: Bound) -> bool:
    if low is not None and (value < low[0] or (low[1] and value == low[0])):
        return False
    return high is None or not (value > high[0] or (high[1] and value == high[0]))


def _common(steps: list[float], *, is_whole: bool) -> Fraction:
    """The least common multiple."""
    common = Fraction(1) if is_whole else None
    for step in steps:
        exact = Fraction(str(step))
        if common is None:
            common = exact
        else:
            common = Fraction(
                math.lcm(common.numerator * exact.denominator, exact.numerator * common.denominator),
                common.denominator * exact.denominator,
            )
    return common or Fraction(1)


def _multiples(low: Bound, high: Bound, step: Fraction, wanted: float, variation: int) -> Iterator[float]:
    least = None if low is None else math.ceil(Fraction(low[0]) / step)
    most = None if high is None else math.floor(Fraction(high[0]) / step)
    if low is not None and least is not None and low[1] and least * step == Fraction(low[0]):
        least += 1
    if high is not None and most is not None and high[1] and most * step == Fraction(high[0]):
        most -= 1
    start = round(Fraction(str(wanted)) / step)
    if most is not None and start > most:
        start = most
    if least is not None and start < least:
        start = least
    for more in range(_MOST):
        place = start + variation + more
        if most is not None and place > most:
            if least is None:
                place = start - variation - more
            else:
                # Round and round, so that every variation is another one as long as there are any.
                place = least + (place - least) % (most - least + 1) if most >= least else least
        yield _plain(place * step)
    for bound in (least, most):
        if bound is not None:
            yield _plain(bound * step)
    yield 0


def _plain(exact: Fraction) -> float:
    if exact.denominator == 1:
        return exact.numerator
    try:
        return float(exact)
    except OverflowError:
        return math.inf


def _any(low: Bound, high: Bound, wanted: float) -> Iterator[float]:
    yield wanted
    bottom, top = low[0] if low else None, high[0] if high else None
    if bottom is not None and top is not None:
        for share in (0.5, 0.25, 0.75, 0.1, 0.9):
            yield bottom + (top - bottom) * ((share + (wanted % 97) / 1000) % 1)
        yield bottom + (top - bottom) / 2
    for bound, sign in ((bottom, 1), (top, -1)):
        if bound is not None:
            yield bound + sign * (wanted % 97)
            yield bound + sign * 1
            yield bound + sign * 0.5
            yield bound
            yield math.nextafter(bound, sign * math.inf)
