"""Delays: the four ways to say how long, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist, fmean
from typing import Any

import pytest

from proxies.dataplane.faults.base import Draw
from proxies.dataplane.faults.delay import Delay
from tests.proxies.dataplane.faults.faulty import faulty
from tests.proxies.dataplane.proxying import chat, completion, ok


def at(value: float) -> Draw:
    def draw(name: str) -> float:
        assert name == "delay"
        return value

    return draw


def evenly(fault: Delay, count: int = 1000) -> list[float]:
    """The waits for draws that cover [0, 1) evenly."""
    return [fault.wait_s(at((number + 0.5) / count)) for number in range(count)]


def never(name: str) -> float:
    raise AssertionError(f"a fixed delay drew {name}")


def test_a_fixed_delay_is_what_it_says_and_draws_nothing() -> None:
    assert Delay(seconds=2.5).wait_s(never) == 2.5


def test_a_uniform_delay_covers_its_range_evenly() -> None:
    waits = evenly(Delay(min=1, max=3))
    assert (min(waits), max(waits)) == (pytest.approx(1, abs=0.002), pytest.approx(3, abs=0.002))
    assert fmean(waits) == pytest.approx(2)
    assert sum(wait < 1.5 for wait in waits) == 250


def test_a_uniform_delay_may_have_no_width() -> None:
    assert set(evenly(Delay(min=2, max=2), 10)) == {2}


def test_a_normal_delay_has_the_quantiles_of_its_distribution() -> None:
    fault = Delay(mean=10, deviation=2)
    assert fault.wait_s(at(0.5)) == pytest.approx(10)
    assert fault.wait_s(at(NormalDist().cdf(1))) == pytest.approx(12)
    assert fault.wait_s(at(NormalDist().cdf(-1))) == pytest.approx(8)


@pytest.mark.parametrize(("draw", "wait"), [(0.0, 0.0), (0.1, 0.0), (1 - 2**-53, pytest.approx(9.2, abs=0.1))])
def test_a_normal_delay_is_never_negative_and_always_a_number(draw: float, wait: float) -> None:
    assert Delay(mean=1, deviation=1).wait_s(at(draw)) == wait


def test_a_normal_delay_without_deviation_is_its_mean() -> None:
    assert Delay(mean=3, deviation=0).wait_s(at(0.9)) == 3


def test_no_delay_is_longer_than_an_hour() -> None:
    assert Delay(mean=3600, deviation=3600).wait_s(at(0.99)) == 3600


@pytest.mark.parametrize(
    ("draw", "wait"),
    [(0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (0.7, 2.0), (0.9, 3.0), (0.95, 3.5), (0.99, 3.9), (0.999, 3.99)],
)
def test_a_profile_follows_straight_lines_between_its_percentiles(draw: float, wait: float) -> None:
    assert Delay(p50=1, p90=3, p100=4).wait_s(at(draw)) == pytest.approx(wait)


def test_a_profile_stays_at_its_last_percentile() -> None:
    fault = Delay(p50=1, p95=2)
    assert [fault.wait_s(at(draw)) for draw in (0.95, 0.97, 0.9999)] == [2, 2, 2]


def test_a_profile_has_as_many_requests_below_each_percentile_as_it_says() -> None:
    profile = {"p50": 1.0, "p75": 2.0, "p90": 2.0, "p95": 7.0, "p99": 30.0, "p100": 60.0}
    waits = evenly(Delay(**profile), 2000)
    shares = {name: sum(wait <= limit for wait in waits) / 20 for name, limit in profile.items()}
    assert shares == {"p50": 50, "p75": 90, "p90": 90, "p95": 95, "p99": 99, "p100": 100}


GROUPS = "use seconds alone, min with max, mean with deviation, or some of p50 to p100"


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({}, f"seconds: {GROUPS}"),
        ({"seconds": 1, "min": 1, "max": 2}, f"min: {GROUPS}"),
        ({"seconds": 1, "p99": 2}, f"p50: {GROUPS}"),
        ({"mean": 1, "deviation": 1, "p50": 2}, f"p50: {GROUPS}"),
        ({"min": 1}, "max: give min and max together"),
        ({"max": 1}, "min: give min and max together"),
        ({"min": 2, "max": 1}, "max: use at least as many seconds as min"),
        ({"mean": 1}, "deviation: give mean and deviation together"),
        ({"deviation": 1}, "mean: give mean and deviation together"),
        ({"p50": 2, "p90": 1}, "p90: use at least as many seconds as the percentile before it"),
    ],
)
def test_settings_that_make_no_sense_together_are_named(settings: dict[str, Any], complaint: str) -> None:
    assert Delay(**settings).check() == complaint


@pytest.mark.parametrize(
    "settings",
    [{"seconds": 0}, {"min": 0, "max": 1}, {"mean": 1, "deviation": 0}, {"p99": 3}, {"p50": 1, "p75": 1, "p100": 1}],
)
def test_each_way_to_say_it_is_enough(settings: dict[str, Any]) -> None:
    assert Delay(**settings).check() is None


async def test_a_delayed_reply_is_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[Callable[[str], float]] = []
    monkeypatch.setattr(Delay, "wait_s", lambda self, draw: waits.append(draw) or 0.001)
    async with faulty(Delay(seconds=1), Delay(min=1, max=2)) as proxy:
        proxy.upstream.always(ok(completion()))
        got = await proxy.ask(chat())
        assert (got.status, got.body, got.outcome) == (200, completion(), b"miss")
        assert got.value(b"x-rubberduck-fault") == b"delay,delay"
        assert len(waits) == 2
        record = await proxy.record()
        assert (record["fault"], record["outcome"], record["status"]) == ("delay,delay", "miss", 200)
