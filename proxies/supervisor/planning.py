"""What to do next for a proxy: pure functions of what is wanted, what is so, and the time.

    wanted + observed + now -> plan() -> action -> done by the loop -> Observed.<event>() -> observed

Times are seconds on the supervisor's monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from proxies.models import DesiredState, ObservedState

READY_LIMIT_S = 10.0  # from the fork to `ready`
PING_EVERY_S = 10.0
PINGS_UNANSWERED_MAX = 3
DRAIN_GRACE_S = 5.0  # past the drain limit, before TERM
TERM_GRACE_S = 2.0  # past TERM, before KILL
START_RETRY_S = 5.0  # after a start that could not even be tried
RELOAD_RETRY_S = 2.0
BACK_OFF_FIRST_S = 0.5
BACK_OFF_MAX_S = 30.0
BACK_OFF_JITTER = 0.25  # of the back-off, either way
CRASHES_MAX = 5
CRASH_WINDOW_S = 60.0
CRASH_LOOP_RETRY_S = 60.0


class Action(StrEnum):
    START = "start"  # bind unless bound, fork
    RELOAD = "reload"  # have the worker read its snapshot again
    DRAIN = "drain"  # close our copy of the listener, have the worker finish what it has
    TERM = "term"
    KILL = "kill"  # wanted: the proxy is stopped afterwards
    KILL_HUNG = "kill_hung"  # a crash: the proxy is started again afterwards
    RELEASE = "release"  # nothing runs and nothing shall: close the listener
    FORGET = "forget"  # the proxy is gone


@dataclass(frozen=True, slots=True)
class Desired:
    """What the user asked for."""

    state: str
    generation: int
    site_generation: int
    bind: str
    port: int


@dataclass(frozen=True, slots=True)
class Observed:
    """What is so. Every method is an event that happened and returns what is so after it."""

    state: ObservedState = ObservedState.STOPPED
    reason_code: str = ""
    reason: str = ""
    bind: str = ""  # where it listens, or last tried to
    port: int = 0
    pid: int | None = None  # None: no process
    pid_started: str = ""
    tried_generation: int = 0  # at the last start
    applied: tuple[int, int] = (0, 0)  # generation and site generation the worker serves
    asked: tuple[int, int] = (0, 0)  # those of the last reload
    deadline: float = 0.0  # starting: to be ready; draining: to be gone
    retry_at: float = 0.0  # backing off, failed: the next start; running: the next try of a failed reload
    running_since: float = 0.0
    last_signal: str = ""  # "", "term", "kill": sent to this process
    ends_stopped: bool = False  # whether the end of this process is wanted
    pings_unanswered: int = 0
    crashes: tuple[float, ...] = ()  # those of the last CRASH_WINDOW_S
    is_on_trial: bool = False  # a crash loop it has not yet outlived: the next crash is enough
    crashes_in_row: int = 0  # with no CRASH_WINDOW_S of service between them
    restarts: int = 0  # since the supervisor started
    in_flight: int = 0

    def started(
        self, desired: Desired, *, pid: int, pid_started: str, applied: tuple[int, int], now: float
    ) -> Observed:
        return replace(
            self,
            state=ObservedState.STARTING,
            bind=desired.bind,
            port=desired.port,
            pid=pid,
            pid_started=pid_started,
            tried_generation=desired.generation,
            applied=applied,
            asked=applied,
            deadline=now + READY_LIMIT_S,
            retry_at=0.0,
            last_signal="",
            ends_stopped=False,
            pings_unanswered=0,
            restarts=self.restarts + (self.crashes_in_row > 0),
            in_flight=0,
        )

    def ready(self, now: float) -> Observed:
        if self.state is not ObservedState.STARTING:
            return self
        return replace(self, state=ObservedState.RUNNING, reason_code="", reason="", running_since=now)

    def start_failed(self, desired: Desired, code: str, words: str, now: float) -> Observed:
        """No process was started: the address, the configuration or the system does not allow it."""
        return replace(
            self,
            state=ObservedState.FAILED,
            reason_code=code,
            reason=words,
            bind=desired.bind,
            port=desired.port,
            tried_generation=desired.generation,
            retry_at=now + START_RETRY_S,
        )

    def asked_to_reload(self, desired: Desired) -> Observed:
        return replace(self, asked=(desired.generation, desired.site_generation), retry_at=0.0)

    def reloaded(self, applied: tuple[int, int]) -> Observed:
        return replace(self, applied=applied, reason_code="", reason="")

    def reload_failed(self, words: str, now: float) -> Observed:
        return replace(self, reason_code="reload_failed", reason=words, asked=(0, 0), retry_at=now + RELOAD_RETRY_S)

    def pinged(self) -> Observed:
        return replace(self, pings_unanswered=self.pings_unanswered + 1)

    def answered(self, in_flight: int) -> Observed:
        return replace(self, pings_unanswered=0, in_flight=in_flight)

    def draining(self, limit_s: float, now: float) -> Observed:
        return replace(
            self,
            state=ObservedState.DRAINING,
            reason_code="",
            reason="",
            ends_stopped=True,
            deadline=now + limit_s + DRAIN_GRACE_S,
        )

    def termed(self, now: float) -> Observed:
        return replace(self, last_signal="term", deadline=now + TERM_GRACE_S)

    def killed(self, *, is_wanted: bool) -> Observed:
        return replace(self, last_signal="kill", ends_stopped=is_wanted)

    def stopped(self) -> Observed:
        return Observed(restarts=self.restarts)

    def ended(self, how: str, now: float, dice: Callable[[], float]) -> Observed:
        """The process is gone. `how` in words, without a subject; `dice` gives 0.0 to 1.0."""
        if self.ends_stopped:
            return self.stopped()
        has_served_long = self.state is ObservedState.RUNNING and now - self.running_since >= CRASH_WINDOW_S
        in_row = 1 if has_served_long else self.crashes_in_row + 1
        crashes = (*(at for at in self.crashes if now - at < CRASH_WINDOW_S), now)
        gone = replace(
            self, pid=None, pid_started="", last_signal="", crashes=crashes, crashes_in_row=in_row, in_flight=0
        )
        if len(crashes) >= CRASHES_MAX or (self.is_on_trial and not has_served_long):
            words = f"the worker {how}; after {in_row} crashes the next start is in {CRASH_LOOP_RETRY_S:.0f} s"
            return replace(
                gone,
                state=ObservedState.FAILED,
                reason_code="crash_loop",
                reason=words,
                crashes=(),
                is_on_trial=True,
                retry_at=now + CRASH_LOOP_RETRY_S,
            )
        wait_s = min(BACK_OFF_FIRST_S * 2.0 ** (in_row - 1), BACK_OFF_MAX_S)
        wait_s *= 1 - BACK_OFF_JITTER + 2 * BACK_OFF_JITTER * dice()
        return replace(
            gone,
            state=ObservedState.BACKING_OFF,
            reason_code="crashed",
            reason=f"the worker {how}",
            is_on_trial=False,
            retry_at=now + wait_s,
        )


def plan(desired: Desired | None, observed: Observed, now: float) -> Action | None:
    """The one thing to do now, or None. `desired` None: the proxy's row has vanished."""
    wants_running = desired is not None and desired.state == DesiredState.RUNNING
    if observed.pid is None:
        return _plan_without_process(desired, observed, now, wants_running=wants_running)
    if observed.last_signal == "kill":
        return None
    if desired is not None and desired.state == DesiredState.KILLED:
        return Action.KILL
    if observed.state is ObservedState.DRAINING:
        if now < observed.deadline:
            return None
        return Action.KILL if observed.last_signal == "term" else Action.TERM
    has_moved = desired is not None and (desired.bind, desired.port) != (observed.bind, observed.port)
    if observed.state is ObservedState.STARTING:
        if not wants_running or has_moved:
            return Action.KILL
        return Action.KILL_HUNG if now >= observed.deadline else None
    if not wants_running or has_moved:
        return Action.DRAIN
    if observed.pings_unanswered > PINGS_UNANSWERED_MAX:
        return Action.KILL_HUNG
    assert desired is not None
    wanted = (desired.generation, desired.site_generation)
    if wanted not in (observed.applied, observed.asked) and now >= observed.retry_at:
        return Action.RELOAD
    return None


def _plan_without_process(
    desired: Desired | None, observed: Observed, now: float, *, wants_running: bool
) -> Action | None:
    if observed.state is ObservedState.STOPPED:
        if desired is None:
            return Action.FORGET
        return Action.START if wants_running else None
    assert observed.state in (ObservedState.BACKING_OFF, ObservedState.FAILED)
    if desired is None or not wants_running or (desired.bind, desired.port) != (observed.bind, observed.port):
        return Action.RELEASE
    has_changed = desired.generation != observed.tried_generation
    return Action.START if has_changed or now >= observed.retry_at else None
