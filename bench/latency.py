"""How much later a reply comes than from the peer, at a low, fixed rate: one request here, one there, in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.client import Client, expect_ok

WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Target:
    """`make_request` is called with the number of the request."""

    port: int
    make_request: Callable[[int], bytes]


def latencies_ms(targets: Sequence[Target], *, per_s: float, count: int) -> list[list[float]]:
    """Sorted times from sending to the last byte, for each target; `per_s` is the rate at each of them."""
    clients = [Client(target.port) for target in targets]
    found: list[list[float]] = [[] for _ in targets]
    gap_s = 1 / per_s / len(targets)
    due = time.perf_counter()
    for number in range(count + WARM_UP):
        for target, client, times in zip(targets, clients, found, strict=True):
            request = target.make_request(number)
            due = max(due + gap_s, time.perf_counter() - gap_s)
            if (wait_s := due - time.perf_counter()) > 0:
                time.sleep(wait_s)
            began = time.perf_counter()
            head, _ = client.ask(request)
            took = time.perf_counter() - began
            expect_ok(head)
            if number >= WARM_UP:
                times.append(took * 1000)
    for client in clients:
        client.close()
    return [sorted(times) for times in found]


def percentile(ordered: Sequence[float], percent: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
