"""Whatever dies under load: what was answered is in the log, once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

from proxies.supervisor.exit_codes import ExitCode
from tests.process.deployment import Deployment, wait_until
from tests.process.upstream import Tally, Upstream, fetch, keep_asking, under_load

CLIENTS = 16
KILLS = 3


def _log_writer(deployment: Deployment) -> int:
    def look() -> int | None:
        return next((entry["pid"] for entry in deployment.processes() if entry["port"] is None), None)

    found: int = wait_until(look, "a log writer")
    return found


def _wait_logged(deployment: Deployment, tally: Tally) -> list[str]:
    """All ids in the log, once those of the answered requests are among them."""

    def look() -> list[str] | None:
        found = deployment.logged_ids()
        return found if tally.ids <= set(found) else None

    found: list[str] = wait_until(look, f"the {len(tally.ids)} answered requests in the log; {deployment.log}")
    return found


def _heartbeat(deployment: Deployment) -> dict[str, Any]:
    code = """
from proxies.models import SupervisorHeartbeat
fields = ("spool_bytes", "dropped_records", "quarantined_records")
result = SupervisorHeartbeat.objects.values(*fields).first() or {}
"""
    found: dict[str, Any] = deployment.ask(code)
    return found


async def _under_load(port: int, tally: Tally, act: Callable[[], None]) -> None:
    async def ask() -> None:
        await fetch(port, tally)
        await asyncio.sleep(0.01)

    await under_load(ask, CLIENTS, act)


async def test_an_answered_request_is_soon_in_the_log(deployment: Deployment, upstream: Upstream) -> None:
    proxy_id, port = await asyncio.to_thread(deployment.start, upstream.port)
    tally = Tally()
    await fetch(port, tally, "/v1/files?secret=1")
    assert await asyncio.to_thread(_wait_logged, deployment, tally) == list(tally.ids)
    code = """
from logs.models import RequestLog
fields = ("proxy_id", "proxy_name", "provider", "client_ip", "method", "path", "operation", "status", "outcome", "attempts", "reply_bytes")
result = RequestLog.objects.values(*fields).get()
"""  # noqa: E501
    row = await asyncio.to_thread(deployment.ask, code)
    assert row == {
        "proxy_id": proxy_id,
        "proxy_name": f"on {port}",
        "provider": "openai",
        "client_ip": "127.0.0.1",
        "method": "GET",
        "path": "/v1/files",
        "operation": "files.list",
        "status": 200,
        "outcome": "bypass",
        "attempts": 1,
        "reply_bytes": 3,
    }


async def test_workers_killed_under_load_take_no_answered_request_with_them(
    deployment: Deployment, upstream: Upstream
) -> None:
    proxy_id, port = await asyncio.to_thread(deployment.start, upstream.port)
    tally = Tally()

    def kill() -> None:
        for _ in range(KILLS):
            answered = len(tally.ids)
            wait_until(lambda: len(tally.ids) >= answered + 10 * CLIENTS, "answers before the kill")  # noqa: B023
            pid = deployment.worker_pid(port)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: deployment.worker_pid(port) not in (pid, None), "another worker")  # noqa: B023
            deployment.wait_state(proxy_id, "running")

    await _under_load(port, tally, kill)
    found = await asyncio.to_thread(_wait_logged, deployment, tally)
    assert len(found) == len(set(found)) >= KILLS * 10 * CLIENTS
    # Requests may have been recorded whose reply the kill cut off, and no others.
    assert len(set(found) - tally.ids) <= len(tally.lost) <= KILLS * CLIENTS


async def test_log_writers_killed_under_load_log_nothing_twice_and_nothing_never(
    deployment: Deployment, upstream: Upstream
) -> None:
    _, port = await asyncio.to_thread(deployment.start, upstream.port)
    tally = Tally()

    def kill() -> None:
        for _ in range(KILLS):
            answered = len(tally.ids)
            wait_until(lambda: len(tally.ids) >= answered + 10 * CLIENTS, "answers before the kill")  # noqa: B023
            pid = _log_writer(deployment)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: _log_writer(deployment) != pid, "another log writer")  # noqa: B023

    await _under_load(port, tally, kill)
    assert tally.lost == []
    found = await asyncio.to_thread(_wait_logged, deployment, tally)
    assert sorted(found) == sorted(tally.ids)

    def nothing_left() -> bool:
        return _heartbeat(deployment) == {"spool_bytes": 0, "dropped_records": 0, "quarantined_records": 0}

    await asyncio.to_thread(wait_until, nothing_left, "an empty spool in the heartbeat")


async def test_a_supervisor_that_has_stopped_leaves_an_empty_spool(deployment: Deployment, upstream: Upstream) -> None:
    _, port = await asyncio.to_thread(deployment.start, upstream.port)
    tally = Tally()
    clients = [asyncio.create_task(keep_asking(port, tally)) for _ in range(CLIENTS)]
    await asyncio.to_thread(wait_until, lambda: len(tally.ids) >= 20 * CLIENTS, "a proxy under load")
    supervisor = deployment._processes[-1]
    supervisor.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(supervisor.wait, 30) == ExitCode.DONE
    await asyncio.gather(*clients)
    assert sorted(await asyncio.to_thread(deployment.logged_ids)) == sorted(tally.ids)
    assert list((deployment.directory / "spool").glob("*.jsonl")) == []


async def test_what_a_killed_supervisor_left_in_the_spool_is_logged_by_the_next(
    deployment: Deployment, upstream: Upstream
) -> None:
    _, port = await asyncio.to_thread(deployment.start, upstream.port)
    tally = Tally()

    def crash() -> None:
        wait_until(lambda: len(tally.ids) >= 10 * CLIENTS, "a proxy under load")
        supervisor = deployment._processes[-1]
        os.kill(_log_writer(deployment), signal.SIGSTOP)
        answered = len(tally.ids)
        wait_until(lambda: len(tally.ids) >= answered + 10 * CLIENTS, "records that are only in the spool")
        supervisor.kill()
        supervisor.wait(30)

    await _under_load(port, tally, crash)
    await asyncio.to_thread(deployment.start_supervisor)
    found = await asyncio.to_thread(_wait_logged, deployment, tally)
    assert len(found) == len(set(found))
