"""What clients notice of a drain, a crash and a new configuration while they keep asking: nothing."""

from __future__ import annotations

import asyncio
import os
import signal

from tests.process.deployment import Deployment, wait_until
from tests.process.upstream import Tally, Upstream, fetch, keep_asking, under_load

CLIENTS = 32
CRASHES = 2


async def test_a_drain_under_load_loses_no_request(deployment: Deployment, upstream: Upstream) -> None:
    proxy_id, port = await asyncio.to_thread(deployment.start, upstream.port)
    tally = Tally()
    clients = [asyncio.create_task(keep_asking(port, tally)) for _ in range(CLIENTS // 2)]

    async def ask_until_refused() -> None:
        while not tally.refused:
            await fetch(port, tally)

    clients += [asyncio.create_task(ask_until_refused()) for _ in range(CLIENTS // 2)]
    await asyncio.to_thread(wait_until, lambda: tally.answers["one"] >= 10 * CLIENTS, "a proxy under load")
    await asyncio.to_thread(deployment.service, "proxy_stop", proxy_id)
    await asyncio.gather(*clients)
    await asyncio.to_thread(deployment.wait_state, proxy_id, "stopped")
    assert tally.lost == []
    assert sum(tally.answers.values()) == upstream.requests


async def test_nobody_is_refused_while_a_crashed_worker_is_replaced(deployment: Deployment, upstream: Upstream) -> None:
    proxy_id, port = await asyncio.to_thread(deployment.start, upstream.port)
    tally = Tally()

    def crash() -> None:
        for _ in range(CRASHES):
            answered = tally.answers["one"]
            wait_until(lambda: tally.answers["one"] >= answered + CLIENTS, "answers before the crash")  # noqa: B023
            pid = deployment.worker_pid(port)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: deployment.worker_pid(port) not in (pid, None), "another worker")  # noqa: B023
            deployment.wait_state(proxy_id, "running")

    async def ask() -> None:
        await fetch(port, tally)
        await asyncio.sleep(0.01)

    await under_load(ask, CLIENTS, crash)
    assert tally.refused == 0
    # Cut are only those that the killed worker had accepted; whoever waited in the backlog was answered.
    assert len(tally.lost) <= CLIENTS * CRASHES
    assert tally.answers["one"] >= CLIENTS * CRASHES
    assert (await asyncio.to_thread(deployment.runtime, proxy_id))["restarts"] == CRASHES


async def test_a_new_configuration_under_load_drops_nothing_and_is_live_when_the_call_returns(
    deployment: Deployment, upstream: Upstream, other_upstream: Upstream
) -> None:
    proxy_id, port = await asyncio.to_thread(deployment.start, upstream.port)
    tally, after = Tally(), Tally()
    pid = deployment.worker_pid(port)
    slow = asyncio.create_task(fetch(port, tally, "/slow?delay=3"))

    def change() -> None:
        for target in [other_upstream, upstream] * 5 + [other_upstream]:
            assert deployment.update(proxy_id, upstream=f"http://127.0.0.1:{target.port}") == "live"

    await under_load(lambda: fetch(port, tally), CLIENTS, change)
    await asyncio.gather(*(fetch(port, after) for _ in range(10)))
    await slow
    assert after.answers == {"two": 10}
    assert tally.lost == []
    assert tally.refused == 0
    assert tally.answers.keys() == {"one", "two"}
    assert deployment.worker_pid(port) == pid
