"""A wait before anything else happens to a request."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Any, ClassVar

from proxies.dataplane.faults.base import Draw, Fault, Stage, setting

MAX_S = 3600.0
_GROUPS = "seconds alone, min with max, mean with deviation, or some of p50 to p100"
_LEAST = 1e-12  # a normal distribution has no end to start from


def _percentile(percent: int, example: float) -> Any:
    help = f"Seconds: {percent}% of the requests wait no longer than that."
    return setting(None, help, ge=0, le=MAX_S, example=example)


@dataclass(frozen=True)
class Delay(Fault):
    """Several on one request add up.

    Percentiles: straight lines from 0 seconds at 0% through the points given; past the last one, that one.
    """

    kind: ClassVar[str] = "delay"
    title: ClassVar[str] = "Delay"
    summary: ClassVar[str] = (
        "The request waits before anything else happens to it, for a fixed or a random time; then it gets its real "
        f"reply. Set {_GROUPS}."
    )
    stage: ClassVar[Stage] = Stage.DELAY

    seconds: float | None = setting(None, "Seconds every request waits.", ge=0, le=MAX_S, example=2.0)
    min: float | None = setting(None, "With max: seconds, every wait between the two as likely.", ge=0, le=MAX_S)
    max: float | None = setting(None, "With min: seconds a request waits at most.", ge=0, le=MAX_S)
    mean: float | None = setting(
        None, "With deviation: the middle of normally distributed waits, in seconds. None is below 0.", ge=0, le=MAX_S
    )
    deviation: float | None = setting(
        None, "With mean: their standard deviation, in seconds; two waits in three are within it.", ge=0, le=MAX_S
    )
    p50: float | None = _percentile(50, 0.8)
    p75: float | None = _percentile(75, 1.5)
    p90: float | None = _percentile(90, 4.0)
    p95: float | None = _percentile(95, 8.0)
    p99: float | None = _percentile(99, 20.0)
    p100: float | None = _percentile(100, 45.0)

    def check(self) -> str | None:
        given = [
            name
            for name, values in (
                ("seconds", (self.seconds,)),
                ("min", (self.min, self.max)),
                ("mean", (self.mean, self.deviation)),
                ("p50", [value for _, value in self._points]),
            )
            if any(value is not None for value in values)
        ]
        if len(given) != 1:
            return f"{given[1] if given else 'seconds'}: use {_GROUPS}"
        if (self.min is None) != (self.max is None):
            return f"{'min' if self.min is None else 'max'}: give min and max together"
        if (self.mean is None) != (self.deviation is None):
            return f"{'mean' if self.mean is None else 'deviation'}: give mean and deviation together"
        if self.min is not None and self.max is not None and self.min > self.max:
            return "max: use at least as many seconds as min"
        for (_, lower), (percent, upper) in pairwise(self._points):
            if upper < lower:
                return f"p{percent}: use at least as many seconds as the percentile before it"
        return None

    def wait_s(self, draw: Draw) -> float:
        if self.seconds is not None:
            return self.seconds
        at = draw("delay")
        if self.min is not None and self.max is not None:
            return self.min + at * (self.max - self.min)
        if self.mean is not None:
            if not self.deviation:
                return self.mean
            return min(max(NormalDist(self.mean, self.deviation).inv_cdf(max(at, _LEAST)), 0.0), MAX_S)
        return self._on_profile(at * 100)

    @property
    def _points(self) -> list[tuple[int, float]]:
        named = (
            (50, self.p50), (75, self.p75), (90, self.p90), (95, self.p95), (99, self.p99), (100, self.p100),
        )  # fmt: skip
        return [(percent, value) for percent, value in named if value is not None]

    def _on_profile(self, at: float) -> float:
        lower_at, lower = 0, 0.0
        for upper_at, upper in self._points:
            if at < upper_at:
                return lower + (upper - lower) * (at - lower_at) / (upper_at - lower_at)
            lower_at, lower = upper_at, upper
        return lower
