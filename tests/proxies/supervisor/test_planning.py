"""The plan, row by row of the table of states."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxies.models import ObservedState
from proxies.supervisor.planning import (
    BACK_OFF_JITTER,
    BACK_OFF_MAX_S,
    CRASH_LOOP_RETRY_S,
    CRASH_WINDOW_S,
    CRASHES_MAX,
    DRAIN_GRACE_S,
    PINGS_UNANSWERED_MAX,
    READY_LIMIT_S,
    RELOAD_RETRY_S,
    START_RETRY_S,
    TERM_GRACE_S,
    Action,
    Desired,
    Observed,
    plan,
)

NOW = 1000.0
RUN = Desired("running", generation=3, site_generation=1, bind="127.0.0.1", port=8001)
STOP = replace(RUN, state="stopped")
KILL = replace(RUN, state="killed")
MOVED = replace(RUN, port=8002, generation=4)
CHANGED = replace(RUN, generation=4)
SITE_CHANGED = replace(RUN, site_generation=2)

STOPPED = Observed()
STARTING = STOPPED.started(RUN, pid=7, pid_started="1-a", applied=(3, 1), now=NOW)
RUNNING = STARTING.ready(NOW)
DRAINING = RUNNING.draining(30.0, NOW)
TERMED = DRAINING.termed(NOW + 35)
BACKING_OFF = RUNNING.ended("was ended by SIGKILL", NOW, lambda: 0.5)
PORT_TAKEN = STOPPED.start_failed(RUN, "port_taken", "port 8001 is in use", NOW)
KILLED = RUNNING.killed(is_wanted=True)
HUNG = replace(RUNNING, pings_unanswered=PINGS_UNANSWERED_MAX + 1)


@pytest.mark.parametrize(
    ("observed", "desired", "seconds_later", "action"),
    [
        pytest.param(STOPPED, RUN, 0, Action.START, id="stopped, wanted running: start"),
        pytest.param(STOPPED, STOP, 0, None, id="stopped, wanted stopped: nothing"),
        pytest.param(STOPPED, KILL, 0, None, id="stopped, wanted killed: nothing"),
        pytest.param(STOPPED, None, 0, Action.FORGET, id="stopped, deleted: forget"),
        pytest.param(PORT_TAKEN, RUN, 0, None, id="failed: waits"),
        pytest.param(PORT_TAKEN, RUN, START_RETRY_S, Action.START, id="failed: retried slowly"),
        pytest.param(PORT_TAKEN, CHANGED, 0, Action.START, id="failed, changed: retried at once"),
        pytest.param(PORT_TAKEN, MOVED, 0, Action.RELEASE, id="failed, moved: afresh"),
        pytest.param(PORT_TAKEN, STOP, 0, Action.RELEASE, id="failed, wanted stopped: stopped"),
        pytest.param(PORT_TAKEN, KILL, 0, Action.RELEASE, id="failed, wanted killed: stopped"),
        pytest.param(PORT_TAKEN, None, 0, Action.RELEASE, id="failed, deleted: stopped"),
        pytest.param(STARTING, RUN, READY_LIMIT_S - 0.1, None, id="starting: waits for ready"),
        pytest.param(STARTING, RUN, READY_LIMIT_S, Action.KILL_HUNG, id="starting, never ready: kill, then back off"),
        pytest.param(STARTING, STOP, 0, Action.KILL, id="starting, wanted stopped: kill"),
        pytest.param(STARTING, KILL, 0, Action.KILL, id="starting, wanted killed: kill"),
        pytest.param(STARTING, None, 0, Action.KILL, id="starting, deleted: kill"),
        pytest.param(STARTING, MOVED, 0, Action.KILL, id="starting, moved: kill, then start there"),
        pytest.param(STARTING, CHANGED, 0, None, id="starting, changed: reload once ready"),
        pytest.param(RUNNING, RUN, 3600, None, id="running, as wanted: nothing"),
        pytest.param(RUNNING, STOP, 0, Action.DRAIN, id="running, wanted stopped: drain"),
        pytest.param(RUNNING, None, 0, Action.DRAIN, id="running, deleted: drain"),
        pytest.param(RUNNING, KILL, 0, Action.KILL, id="running, wanted killed: kill"),
        pytest.param(RUNNING, MOVED, 0, Action.DRAIN, id="running, moved: drain, then start there"),
        pytest.param(RUNNING, CHANGED, 0, Action.RELOAD, id="running, changed: reload"),
        pytest.param(RUNNING, SITE_CHANGED, 0, Action.RELOAD, id="running, site settings changed: reload"),
        pytest.param(HUNG, RUN, 0, Action.KILL_HUNG, id="running, no pongs: kill, then back off"),
        pytest.param(DRAINING, STOP, 30 + DRAIN_GRACE_S - 0.1, None, id="draining: waits"),
        pytest.param(DRAINING, STOP, 30 + DRAIN_GRACE_S, Action.TERM, id="draining, past its limit: term"),
        pytest.param(DRAINING, RUN, 0, None, id="draining, wanted running: finish first"),
        pytest.param(DRAINING, KILL, 0, Action.KILL, id="draining, wanted killed: kill"),
        pytest.param(TERMED, STOP, 35 + TERM_GRACE_S, Action.KILL, id="draining, deaf to term: kill"),
        pytest.param(KILLED, STOP, 3600, None, id="killed: waits for the end"),
        pytest.param(KILLED, KILL, 0, None, id="killed: not killed twice"),
        pytest.param(BACKING_OFF, RUN, 0.4, None, id="backing off: waits"),
        pytest.param(BACKING_OFF, RUN, 0.5, Action.START, id="backing off: starts"),
        pytest.param(BACKING_OFF, CHANGED, 0, Action.START, id="backing off, changed: starts at once"),
        pytest.param(BACKING_OFF, STOP, 0, Action.RELEASE, id="backing off, wanted stopped: stopped"),
        pytest.param(BACKING_OFF, MOVED, 0, Action.RELEASE, id="backing off, moved: afresh"),
    ],
)
def test_plan(observed: Observed, desired: Desired | None, seconds_later: float, action: Action | None) -> None:
    assert plan(desired, observed, NOW + seconds_later) == action


def test_a_drained_worker_ends_stopped_whatever_its_exit() -> None:
    assert DRAINING.ended("was ended by SIGKILL", NOW, lambda: 0.5).state is ObservedState.STOPPED


def test_a_worker_killed_on_purpose_ends_stopped_and_a_hung_one_backs_off() -> None:
    assert KILLED.ended("was ended by SIGKILL", NOW, lambda: 0.5).state is ObservedState.STOPPED
    hung = RUNNING.killed(is_wanted=False).ended("answered no pings", NOW, lambda: 0.5)
    assert (hung.state, hung.reason_code, hung.pid) == (ObservedState.BACKING_OFF, "crashed", None)
    assert hung.reason == "the worker answered no pings"


def test_a_reload_is_asked_once_and_the_next_generation_again() -> None:
    asked = RUNNING.asked_to_reload(CHANGED)
    assert plan(CHANGED, asked, NOW) is None
    assert plan(replace(CHANGED, generation=5), asked, NOW) is Action.RELOAD
    assert plan(CHANGED, asked.reloaded((4, 1)), NOW) is None


def test_a_failed_reload_is_shown_and_retried_slowly() -> None:
    failed = RUNNING.asked_to_reload(CHANGED).reload_failed("no such provider", NOW)
    assert (failed.state, failed.reason) == (ObservedState.RUNNING, "no such provider")
    assert plan(CHANGED, failed, NOW + RELOAD_RETRY_S - 0.1) is None
    assert plan(CHANGED, failed, NOW + RELOAD_RETRY_S) is Action.RELOAD
    assert failed.reloaded((4, 1)).reason == ""


def test_pongs_make_up_for_pings() -> None:
    observed = RUNNING
    for _ in range(PINGS_UNANSWERED_MAX):
        observed = observed.pinged()
    assert plan(RUN, observed, NOW) is None
    assert plan(RUN, observed.pinged(), NOW) is Action.KILL_HUNG
    assert observed.answered(5).pings_unanswered == 0
    assert observed.answered(5).in_flight == 5


def _crash(observed: Observed, after_s: float, now: float) -> tuple[Observed, float]:
    """Started again at `now`, ready at once, crashed `after_s` later."""
    running = observed.started(RUN, pid=8, pid_started="2-a", applied=(3, 1), now=now).ready(now)
    return running.ended("was ended by SIGSEGV", now + after_s, lambda: 0.5), now + after_s


def test_back_off_doubles_up_to_its_maximum_while_crashes_stay_apart() -> None:
    observed, now, waits = STOPPED, NOW, []
    for _ in range(8):
        observed, now = _crash(observed, after_s=20.0, now=now)
        assert observed.state is ObservedState.BACKING_OFF
        waits.append(observed.retry_at - now)
        now = observed.retry_at
    assert waits == pytest.approx([0.5, 1, 2, 4, 8, 16, BACK_OFF_MAX_S, BACK_OFF_MAX_S])


def test_back_off_has_jitter_either_way() -> None:
    waits = [RUNNING.ended("crashed", NOW, lambda dice=dice: dice).retry_at - NOW for dice in (0.0, 1.0)]
    assert waits == pytest.approx([0.5 * (1 - BACK_OFF_JITTER), 0.5 * (1 + BACK_OFF_JITTER)])


def test_many_crashes_in_a_short_time_are_a_crash_loop_with_a_slow_retry() -> None:
    observed, now = STOPPED, NOW
    for _ in range(CRASHES_MAX):
        assert observed.state is not ObservedState.FAILED
        observed, now = _crash(observed, after_s=0.1, now=max(now, observed.retry_at))
    assert (observed.state, observed.reason_code) == (ObservedState.FAILED, "crash_loop")
    assert "SIGSEGV" in observed.reason
    assert plan(RUN, observed, now + CRASH_LOOP_RETRY_S - 0.1) is None
    assert plan(RUN, observed, now + CRASH_LOOP_RETRY_S) is Action.START


def test_after_a_crash_loop_one_crash_is_enough() -> None:
    looping = replace(BACKING_OFF, state=ObservedState.FAILED, reason_code="crash_loop", is_on_trial=True)
    dead = looping.started(RUN, pid=9, pid_started="3-a", applied=(3, 1), now=NOW).ended("crashed", NOW, lambda: 0.5)
    assert dead.reason_code == "crash_loop"
    later, _ = _crash(looping, after_s=1.0, now=NOW)
    assert later.reason_code == "crash_loop"


def test_long_service_forgives_earlier_crashes() -> None:
    looping = replace(BACKING_OFF, state=ObservedState.FAILED, is_on_trial=True, crashes_in_row=9)
    observed, _ = _crash(looping, after_s=CRASH_WINDOW_S, now=NOW)
    assert (observed.state, observed.crashes_in_row) == (ObservedState.BACKING_OFF, 1)


def test_restarts_count_crashes_and_not_ordinary_starts() -> None:
    assert RUNNING.restarts == 0
    again, _ = _crash(BACKING_OFF, after_s=1.0, now=NOW)
    assert again.restarts == 1
    ordinary = RUNNING.draining(30, NOW).ended("ended by itself", NOW, lambda: 0.5)
    assert ordinary.started(RUN, pid=9, pid_started="3-a", applied=(3, 1), now=NOW).restarts == 0
