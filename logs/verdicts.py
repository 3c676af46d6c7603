"""What the log says of how clients deal with failures: did they wait, back off, retry what can be retried, give up?

Pure. An *attempt* here is the client's own: one request of a call that its SDK repeats. Attempts belong to one call
when they come from one client with one prompt hash; the client's retry headers tell where a call begins, and without
them a request that follows a failure within `CALL_GAP_S` is taken for its retry. A reply that was damaged on its way
counts as a success here: SDKs do not repeat what has begun.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

CALL_GAP_S = 120.0
"""A request that comes later after a failure than this, and has no retry header, is a call of its own."""
OPEN_S = 30.0
"""A failure that nothing has followed for so long, after the wait it told, was given up on."""
MAX_RETRIES = 10
"""More retries than these for one call, and a client does not give up in time. SDKs make 2 to 4 by themselves."""
AT_ONCE_S = 0.05
"""A retry sooner than this came without any back-off."""
TOLERANCE_S = 0.02
"""Clocks and schedulers: a wait this much shorter than told still counts as kept."""

_WORTH_A_RETRY = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One exchange as the verdicts need it. Times in seconds since the epoch. `status` None: no reply came."""

    client: str
    prompt_hash: str
    started_at: float
    ended_at: float
    status: int | None
    number: int | None = None  # by the client's own headers, from 0
    told_wait_s: float | None = None

    @property
    def has_failed(self) -> bool:
        return self.status is None or self.status >= 400

    @property
    def is_worth_a_retry(self) -> bool:
        return self.status is None or self.status >= 500 or self.status in _WORTH_A_RETRY


@dataclass(slots=True)
class Verdicts:
    """Counts over all calls that met a failure.

    `calls` = `recovered` + `gave_up` + `gave_up_at_once` + `left_alone` + `never_gave_up` + `retried_in_vain` + those
    still `open`.
    """

    calls: int = 0
    retries: int = 0
    waited_as_told: int = 0  # retries after at least the wait the reply told
    came_too_soon: int = 0  # retries before it was over
    backed_off: int = 0  # retries after a pause, where no wait was told
    retried_at_once: int = 0  # retries without one
    pauses_grew: int = 0  # calls with several untold retries whose last pause was longer than the first
    pauses_did_not_grow: int = 0
    recovered: int = 0  # calls that ended well after retries
    gave_up: int = 0  # calls that ended after some retries, in time
    gave_up_at_once: int = 0  # calls that were not retried although a retry was worth it
    never_gave_up: int = 0  # calls with more than MAX_RETRIES retries
    left_alone: int = 0  # calls that failed for good and were not retried: right
    retried_in_vain: int = 0  # calls that were retried although their failure was for good: wrong
    open: int = 0  # calls whose next attempt may still come

    def rows(self) -> list[tuple[str, int, str]]:
        """Question, how often the answer was good, and how often bad, in words; only what was seen."""
        table = (
            ("waited as long as told", self.waited_as_told, self.came_too_soon, "came too soon"),
            ("backed off", self.backed_off, self.retried_at_once, "retried at once"),
            ("pauses grew", self.pauses_grew, self.pauses_did_not_grow, "did not grow"),
            ("left alone what cannot be retried", self.left_alone, self.retried_in_vain, "retried it"),
            ("retried what can be retried", self.recovered + self.gave_up, self.gave_up_at_once, "did not"),
            ("gave up in time", self.gave_up, self.never_gave_up, f"made more than {MAX_RETRIES} retries"),
        )
        return [(question, good, f"{bad} {words}") for question, good, bad, words in table if good or bad]


@dataclass(slots=True)
class _Call:
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def last(self) -> Attempt:
        return self.attempts[-1]


def judge(attempts: Iterable[Attempt], now: float) -> Verdicts:
    """The verdicts on one proxy's clients. `attempts` in the order in which they began; `now`: seconds since the
    epoch."""
    verdicts = Verdicts()
    waiting: dict[tuple[str, str], list[_Call]] = {}  # calls that have failed so far, by client and prompt
    for attempt in attempts:
        key = (attempt.client, attempt.prompt_hash)
        calls = waiting.setdefault(key, [])
        call = _continued(calls, attempt)
        if call is None:
            if not attempt.has_failed:
                continue
            call = _Call()
            calls.append(call)
        call.attempts.append(attempt)
        if not attempt.has_failed:
            calls.remove(call)
            _close(verdicts, call, now)
    for calls in waiting.values():
        for call in calls:
            _close(verdicts, call, now)
    return verdicts


def _continued(calls: list[_Call], attempt: Attempt) -> _Call | None:
    """The call that an attempt goes on with, None when it begins one."""
    if attempt.number == 0:
        return None
    for call in reversed(calls):
        last = call.last
        if attempt.number is not None and last.number is not None:
            if attempt.number == last.number + 1:
                return call
        elif attempt.number is None and last.ended_at <= attempt.started_at <= last.ended_at + CALL_GAP_S:
            return call
    return None


def _close(verdicts: Verdicts, call: _Call, now: float) -> None:
    attempts = call.attempts
    verdicts.calls += 1
    verdicts.retries += len(attempts) - 1
    pauses: list[float] = []
    was_in_vain = False
    for before, after in pairwise(attempts):
        pause = after.started_at - before.ended_at
        if before.told_wait_s is not None:
            if pause >= before.told_wait_s - TOLERANCE_S:
                verdicts.waited_as_told += 1
            else:
                verdicts.came_too_soon += 1
        else:
            pauses.append(pause)
            if pause >= AT_ONCE_S:
                verdicts.backed_off += 1
            else:
                verdicts.retried_at_once += 1
        was_in_vain = was_in_vain or not before.is_worth_a_retry
    if len(pauses) > 1:
        if pauses[-1] > pauses[0]:
            verdicts.pauses_grew += 1
        else:
            verdicts.pauses_did_not_grow += 1
    if was_in_vain:
        verdicts.retried_in_vain += 1
    elif len(attempts) - 1 > MAX_RETRIES:
        verdicts.never_gave_up += 1
    elif not call.last.has_failed:
        verdicts.recovered += 1
    elif not call.last.is_worth_a_retry:
        verdicts.left_alone += 1
    elif now < call.last.ended_at + (call.last.told_wait_s or 0.0) + OPEN_S:
        verdicts.open += 1
    elif len(attempts) > 1:
        verdicts.gave_up += 1
    else:
        verdicts.gave_up_at_once += 1
