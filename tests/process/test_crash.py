"""Processes that crash, hang, or cannot be started as configured."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

from proxies.supervisor.planning import CRASHES_MAX, PING_EVERY_S, PINGS_UNANSWERED_MAX
from tests.process.deployment import PATIENCE_S, Deployment, can_connect, http_get, wait_until
from tests.process.upstream import Upstream


def _other_worker(deployment: Deployment, port: int, pid: int | None, patience_s: float = PATIENCE_S) -> int:
    def look() -> int | None:
        found = deployment.worker_pid(port)
        return found if found != pid else None

    found: int = wait_until(look, "another worker", patience_s)
    return found


async def test_a_worker_that_hangs_is_replaced_and_harms_no_other(deployment: Deployment, upstream: Upstream) -> None:
    def scenario() -> None:
        proxy_id, port = deployment.start(upstream.port)
        other_id, other_port = deployment.create_proxy(upstream_port=upstream.port)
        deployment.wait_state(other_id, "running")
        other_pid = deployment.worker_pid(other_port)
        pid = deployment.worker_pid(port)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        _other_worker(deployment, port, pid, PING_EVERY_S * (PINGS_UNANSWERED_MAX + 2) + PATIENCE_S)
        assert deployment.wait_state(proxy_id, "running")["restarts"] == 1
        assert "answered no pings" in deployment.log
        assert http_get(port) == http_get(other_port) == "one"
        assert deployment.worker_pid(other_port) == other_pid

    await asyncio.to_thread(scenario)


async def test_a_worker_that_crashes_again_and_again_has_failed_and_its_clients_are_refused(
    deployment: Deployment, upstream: Upstream
) -> None:
    def scenario() -> None:
        proxy_id, port = deployment.start(upstream.port)
        pid = None
        for _ in range(CRASHES_MAX):
            pid = _other_worker(deployment, port, pid)
            os.kill(pid, signal.SIGKILL)
        failed = deployment.wait_state(proxy_id, "failed")
        assert failed["reason_code"] == "crash_loop"
        assert failed["reason"].startswith("the worker was ended by SIGKILL; after 5 crashes the next start is in ")
        assert not can_connect(port)
        deployment.service("proxy_start", proxy_id)
        deployment.wait_state(proxy_id, "running")
        assert http_get(port) == "one"

    await asyncio.to_thread(scenario)


async def test_a_configuration_that_cannot_be_used_is_said_in_words_and_harms_no_other(
    deployment: Deployment, upstream: Upstream
) -> None:
    def scenario() -> None:
        proxy_id, port = deployment.create_proxy(upstream_port=upstream.port, upstream="no://where")
        _, other_port = deployment.start(upstream.port)
        failed = deployment.wait_state(proxy_id, "failed")
        assert failed["reason_code"] == "bad_config"
        assert failed["reason"].startswith("the stored configuration cannot be used: ")
        assert http_get(other_port) == "one"
        assert deployment.update(proxy_id, upstream=f"http://127.0.0.1:{upstream.port}") == "live"
        assert http_get(port) == "one"

    await asyncio.to_thread(scenario)


async def test_a_running_proxy_keeps_its_configuration_when_the_next_cannot_be_used(
    deployment: Deployment, upstream: Upstream
) -> None:
    def scenario() -> None:
        proxy_id, port = deployment.start(upstream.port)
        deployment.ask(
            """
from proxies.models import Proxy
from proxies.wakeup import wake_supervisor
Proxy.objects.filter(pk=proxy_id).update(upstream="no://where", generation=2)
wake_supervisor()
result = None
""",
            proxy_id=proxy_id,
        )
        wait_until(lambda: deployment.runtime(proxy_id)["reason_code"] == "reload_failed", "a failed reload")
        assert deployment.runtime(proxy_id)["state"] == "running"
        assert http_get(port) == "one"

    await asyncio.to_thread(scenario)


async def test_a_killed_log_writer_is_replaced(deployment: Deployment, upstream: Upstream) -> None:
    def log_writer() -> int | None:
        with contextlib.suppress(ValueError):
            return next((entry["pid"] for entry in deployment.processes() if entry["port"] is None), None)
        return None

    def scenario() -> None:
        _, port = deployment.start(upstream.port)
        pid = log_writer()
        assert pid is not None
        worker = deployment.worker_pid(port)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: log_writer() not in (pid, None), "another log writer")
        assert deployment.worker_pid(port) == worker

    await asyncio.to_thread(scenario)
