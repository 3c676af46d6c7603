"""A supervisor that is killed leaves no orphan, and the next one takes over."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess

from tests.process.deployment import Deployment, can_connect, http_get, is_running, wait_until
from tests.process.upstream import Tally, Upstream, fetch


def _kill(supervisor: subprocess.Popen[bytes]) -> None:
    supervisor.kill()
    supervisor.wait(30)


async def test_workers_leave_when_their_supervisor_is_killed(deployment: Deployment, upstream: Upstream) -> None:
    def scenario() -> None:
        _, port = deployment.start(upstream.port)
        pids = [entry["pid"] for entry in deployment.processes()]
        _kill(deployment._processes[-1])
        wait_until(lambda: not any(is_running(pid) for pid in pids), "the end of all processes")
        assert not can_connect(port)

    await asyncio.to_thread(scenario)


async def test_the_next_supervisor_serves_while_the_orphan_finishes_its_request(
    deployment: Deployment, upstream: Upstream
) -> None:
    proxy_id, port = await asyncio.to_thread(deployment.start, upstream.port)
    tally = Tally()
    slow = asyncio.create_task(fetch(port, tally, "/slow?delay=6"))
    await upstream.is_asked.wait()
    orphan = deployment.worker_pid(port)

    def take_over() -> int | None:
        _kill(deployment._processes[-1])
        deployment.start_supervisor()
        wait_until(lambda: deployment.worker_pid(port) not in (orphan, None), "another worker")
        deployment.wait_state(proxy_id, "running")
        assert http_get(port) == "one"
        return deployment.worker_pid(port)

    assert await asyncio.to_thread(take_over) != orphan
    await slow
    assert tally.answers == {"one": 1}
    assert tally.lost == []


async def test_an_orphan_that_hangs_is_ended_and_its_port_served(deployment: Deployment, upstream: Upstream) -> None:
    def scenario() -> None:
        proxy_id, port = deployment.start(upstream.port)
        orphan = deployment.worker_pid(port)
        assert orphan is not None
        os.kill(orphan, signal.SIGSTOP)  # sees no end of file
        _kill(deployment._processes[-1])
        deployment.start_supervisor()
        wait_until(lambda: not is_running(orphan), "the orphan's end")
        wait_until(lambda: deployment.worker_pid(port) not in (orphan, None), "another worker")
        deployment.wait_state(proxy_id, "running")
        assert http_get(port) == "one"

    await asyncio.to_thread(scenario)


async def test_a_process_that_merely_has_the_recorded_pid_is_left_alone(
    deployment: Deployment, upstream: Upstream
) -> None:
    def scenario() -> None:
        bystander = subprocess.Popen(["sleep", "600"])
        try:
            run = deployment.directory / "run"
            run.mkdir()
            (run / "processes.json").write_text(f'[{{"pid": {bystander.pid}, "started": "1-0", "port": null}}]')
            deployment.start(upstream.port)
            assert bystander.poll() is None
        finally:
            bystander.kill()
            bystander.wait()

    await asyncio.to_thread(scenario)
