"""How clients deal with failures, told from when their requests came."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from logs.verdicts import MAX_RETRIES, OPEN_S, Attempt, Verdicts, judge

LATER = 10_000.0


def attempt(
    at: float, status: int | None, *, number: int | None = None, told: float | None = None, **of: str
) -> Attempt:
    """One request that took 0.1 s."""
    return Attempt(of.get("client", "127.0.0.1"), of.get("prompt", "p"), at, at + 0.1, status, number, told)


def seen(*attempts: Attempt, now: float = LATER) -> dict[str, int]:
    """The counts that are not 0."""
    return {name: count for name, count in asdict(judge(attempts, now)).items() if count}


def test_calls_that_succeed_are_not_judged() -> None:
    assert seen(attempt(0, 200, number=0), attempt(1, 200, number=0)) == {}


def test_a_client_that_waits_as_told_and_recovers() -> None:
    kept = seen(attempt(0, 429, number=0, told=2), attempt(2.11, 200, number=1))
    assert kept == {"calls": 1, "retries": 1, "waited_as_told": 1, "recovered": 1}


def test_a_client_that_comes_before_the_wait_is_over() -> None:
    assert seen(attempt(0, 429, number=0, told=2), attempt(1.5, 200, number=1))["came_too_soon"] == 1


def test_pauses_are_measured_from_the_end_of_the_failure() -> None:
    assert "waited_as_told" in seen(attempt(0, 429, told=1), attempt(1.1, 200))
    assert "came_too_soon" in seen(attempt(0, 429, told=1), attempt(1.05, 200))


def test_growing_pauses_are_told_from_hammering() -> None:
    polite = seen(attempt(0, 500), attempt(0.6, 500), attempt(1.7, 200))
    assert polite == {"calls": 1, "retries": 2, "backed_off": 2, "pauses_grew": 1, "recovered": 1}
    rude = seen(attempt(0, 500), attempt(0.11, 500), attempt(0.22, 200))
    assert rude["retried_at_once"] == 2
    assert rude["pauses_did_not_grow"] == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_fails_for_good_is_to_be_left_alone(status: int) -> None:
    assert seen(attempt(0, status)) == {"calls": 1, "left_alone": 1}
    assert seen(attempt(0, status), attempt(1, status))["retried_in_vain"] == 1


@pytest.mark.parametrize("status", [None, 408, 409, 429, 500, 503, 529])
def test_what_may_pass_is_to_be_retried(status: int | None) -> None:
    assert seen(attempt(0, status)) == {"calls": 1, "gave_up_at_once": 1}
    assert seen(attempt(0, status), attempt(1, status))["gave_up"] == 1


def test_a_call_may_go_on_until_its_time_is_over() -> None:
    failure = attempt(0, 503, told=100)
    assert seen(failure, now=100.1 + OPEN_S - 1) == {"calls": 1, "open": 1}
    assert seen(failure, now=100.1 + OPEN_S + 1) == {"calls": 1, "gave_up_at_once": 1}


def test_a_client_without_end_is_found_out() -> None:
    endless = [attempt(float(n), 500) for n in range(MAX_RETRIES + 2)]
    assert seen(*endless)["never_gave_up"] == 1
    assert "never_gave_up" not in seen(*endless[:-1])


def test_a_retry_header_that_begins_anew_begins_a_new_call() -> None:
    found = seen(attempt(0, 500, number=0), attempt(1, 500, number=0), attempt(2, 200, number=1))
    assert found == {"calls": 2, "retries": 1, "backed_off": 1, "recovered": 1, "gave_up_at_once": 1}


def test_calls_in_flight_at_once_are_kept_apart_by_their_retry_headers() -> None:
    found = seen(
        attempt(0.0, 429, number=0, told=1), attempt(0.05, 429, number=0, told=1),
        attempt(1.2, 429, number=1, told=1), attempt(1.3, 200, number=1), attempt(2.4, 200, number=2),
    )  # fmt: skip
    assert found == {"calls": 2, "retries": 3, "waited_as_told": 3, "recovered": 2}


def test_without_headers_a_request_that_came_during_the_failure_is_no_retry() -> None:
    assert seen(attempt(0, 500), attempt(0.05, 500)) == {"calls": 2, "gave_up_at_once": 2}


def test_without_headers_a_request_long_after_a_failure_is_a_call_of_its_own() -> None:
    assert seen(attempt(0, 500), attempt(500, 500)) == {"calls": 2, "gave_up_at_once": 2}


def test_clients_and_prompts_are_judged_apart() -> None:
    found = seen(
        attempt(0, 500), attempt(1, 200, client="10.0.0.1"), attempt(1, 200, prompt="q"), attempt(2, 200, number=0)
    )
    assert found == {"calls": 1, "gave_up_at_once": 1}


def test_the_table_holds_only_what_was_seen() -> None:
    assert Verdicts().rows() == []
    rows = judge([attempt(0, 429, told=1), attempt(0.2, 429, told=1), attempt(1.4, 200)], LATER).rows()
    assert rows[0] == ("waited as long as told", 1, "1 came too soon")
    assert [row[0] for row in rows] == ["waited as long as told", "retried what can be retried"]


def test_every_call_ends_in_exactly_one_way() -> None:
    ends: list[Any] = [200, 400, 429, None]
    attempts = [attempt(float(n), ends[n * 7 % 4], prompt=str(n % 5)) for n in range(300)]
    verdicts = judge(attempts, 400.0)
    ways = ("recovered", "gave_up", "gave_up_at_once", "left_alone", "never_gave_up", "retried_in_vain", "open")
    assert verdicts.calls == sum(getattr(verdicts, name) for name in ways) > 50
