"""An engine on its own: exchanges as plain values, a clock that tests move, and what chance would do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from proxies.dataplane.faults.engine import FaultEngine
from proxies.dataplane.faults.grammar import read_rules
from proxies.dataplane.faults.rules import FaultConfig


class StillClock:
    """Both clocks of the data plane; they move when a test moves them."""

    def __init__(self, wall_s: float = 0.0) -> None:
        self.wall_s = wall_s
        self.monotonic_s = 1000.0

    def wall(self) -> float:
        return self.wall_s

    def monotonic(self) -> float:
        return self.monotonic_s

    def advance(self, seconds: float) -> None:
        self.wall_s += seconds
        self.monotonic_s += seconds


class Deciding:
    """One engine. `ask` puts one exchange to it and gives the kinds that happen, with the status of errors."""

    def __init__(self, *entries: dict[str, Any], seed: int = 1, wall_s: float = 0.0) -> None:
        self.clock = StillClock(wall_s)
        self.config = FaultConfig(read_rules(list(entries)), seed=seed)
        self.engine = FaultEngine(self.config, self.clock)

    def ask(
        self,
        *,
        operation: str = "chat.completions",
        model: str = "gpt-4o",
        is_streaming: bool = False,
        path: str = "/v1/chat/completions",
        fields: Mapping[bytes, bytes] | None = None,
        client: str = "192.0.2.7",
        prompt_hash: str = "abc123",
    ) -> str:
        """ "" when nothing happens, else such as "delay+error 503"."""
        decision = self.engine.decide(operation, model, is_streaming, path, fields or {}, client, prompt_hash)
        if decision is None:
            return ""
        chosen = [*decision.delays, *([decision.replacement] if decision.replacement else []), *decision.damages]
        return "+".join(
            one.fault.kind + (f" {status}" if (status := getattr(one.fault, "status", None)) else "") for one in chosen
        )

    def ask_often(self, times: int, **request: Any) -> list[str]:
        return [self.ask(**request) for _ in range(times)]


def error(status: int = 503, **members: Any) -> dict[str, Any]:
    return {"fault": "error", "status": status, **members}


def is_likely(count: int, times: int, rate: float, p: float = 0.001) -> bool:
    """Whether an exact two-sided binomial test at `p` accepts `count` in `times` draws of `rate`."""

    def chance(k: int) -> float:
        ways = math.lgamma(times + 1) - math.lgamma(k + 1) - math.lgamma(times - k + 1)
        return math.exp(ways + k * math.log(rate) + (times - k) * math.log1p(-rate))

    at_most = math.fsum(map(chance, range(count + 1)))
    at_least = math.fsum(map(chance, range(count, times + 1)))
    return min(at_most, at_least) > p / 2
