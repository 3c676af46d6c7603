"""Starting, stopping, killing and moving proxies, with real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time

from proxies.supervisor.exit_codes import ExitCode
from tests.process.deployment import Deployment, can_connect, http_get, is_running, wait_until
from tests.process.upstream import Tally, Upstream, fetch


async def test_proxies_that_shall_run_are_served_and_the_others_are_not(
    deployment: Deployment, upstream: Upstream
) -> None:
    def scenario() -> tuple[str, bool, bool]:
        _, port = deployment.start(upstream.port)
        stopped_id, stopped_port = deployment.create_proxy(upstream_port=upstream.port, state="stopped")
        deployment.wait_state(stopped_id, "stopped")
        was_open = can_connect(stopped_port)
        deployment.service("proxy_start", stopped_id)
        deployment.wait_state(stopped_id, "running")
        return http_get(port), was_open, can_connect(stopped_port)

    assert await asyncio.to_thread(scenario) == ("one", False, True)


async def test_every_process_is_a_session_of_its_own(deployment: Deployment, upstream: Upstream) -> None:
    await asyncio.to_thread(deployment.start, upstream.port)
    pids = [entry["pid"] for entry in deployment.processes()]
    assert len(pids) == 2
    assert [os.getsid(pid) for pid in pids] == pids


async def test_a_supervisor_started_by_nohup_outlives_its_terminal(deployment: Deployment) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        supervisor = deployment.launch_supervisor()
    finally:
        signal.signal(signal.SIGHUP, before)

    def scenario() -> None:
        wait_until(lambda: "the supervisor runs" in deployment.log, "a supervisor that runs")
        supervisor.send_signal(signal.SIGHUP)
        proxy_id, _ = deployment.create_proxy(upstream_port=1)
        deployment.wait_state(proxy_id, "running")
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(30) == ExitCode.DONE

    await asyncio.to_thread(scenario)


async def test_a_taken_port_is_named_with_its_holder_and_served_once_it_is_free(
    deployment: Deployment, upstream: Upstream
) -> None:
    def scenario() -> None:
        port = next(deployment.ports)
        with socket.create_server(("127.0.0.1", port)):
            proxy_id, _ = deployment.create_proxy(upstream_port=upstream.port, port=port)
            deployment.start_supervisor()
            failed = deployment.wait_state(proxy_id, "failed")
            assert failed["reason_code"] == "port_taken"
            assert f"port {port} on 127.0.0.1 is in use by another program (pid {os.getpid()}, " in failed["reason"]
        running = deployment.wait_state(proxy_id, "running")
        assert running["reason"] == ""
        assert http_get(port) == "one"

    await asyncio.to_thread(scenario)


async def test_a_stop_lets_requests_in_flight_finish_and_refuses_new_ones(
    deployment: Deployment, upstream: Upstream
) -> None:
    proxy_id, port = await asyncio.to_thread(deployment.start, upstream.port)
    tally = Tally()
    slow = asyncio.create_task(fetch(port, tally, "/slow?delay=3"))
    await upstream.is_asked.wait()
    await asyncio.to_thread(deployment.service, "proxy_stop", proxy_id)
    draining = await asyncio.to_thread(deployment.wait_state, proxy_id, "draining")
    assert draining["pid"]
    await asyncio.to_thread(wait_until, lambda: not can_connect(port), "a closed port")
    assert not slow.done()
    await slow
    assert tally.answers == {"one": 1}
    await asyncio.to_thread(deployment.wait_state, proxy_id, "stopped")


async def test_a_kill_ends_requests_in_flight_at_once(deployment: Deployment, upstream: Upstream) -> None:
    proxy_id, port = await asyncio.to_thread(deployment.start, upstream.port)
    tally = Tally()
    slow = asyncio.create_task(fetch(port, tally, "/slow?delay=600"))
    await upstream.is_asked.wait()
    await asyncio.to_thread(deployment.service, "proxy_kill", proxy_id)
    await slow
    assert len(tally.lost) == 1
    stopped = await asyncio.to_thread(deployment.wait_state, proxy_id, "stopped")
    assert stopped["pid"] is None
    assert not can_connect(port)


async def test_a_deleted_proxy_is_stopped(deployment: Deployment, upstream: Upstream) -> None:
    def scenario() -> None:
        proxy_id, port = deployment.start(upstream.port)
        pid = deployment.worker_pid(port)
        assert pid is not None
        deployment.service("proxy_delete", proxy_id)
        wait_until(lambda: not is_running(pid), "the worker's end")
        assert not can_connect(port)
        assert deployment.ask("from proxies.models import ProxyRuntime; result = ProxyRuntime.objects.count()") == 0

    await asyncio.to_thread(scenario)


async def test_a_second_supervisor_is_refused_in_words(deployment: Deployment, upstream: Upstream) -> None:
    def scenario() -> None:
        _, port = deployment.start(upstream.port)
        seen = len(deployment.log)
        second = deployment.launch_supervisor()
        assert second.wait(30) == ExitCode.ALREADY_RUNNING
        assert "another supervisor (pid " in deployment.log[seen:]
        assert http_get(port) == "one"

    await asyncio.to_thread(scenario)


async def test_a_stopped_supervisor_leaves_nothing_and_its_successor_restores_everything(
    deployment: Deployment, upstream: Upstream
) -> None:
    def scenario() -> None:
        proxy_id, port = deployment.start(upstream.port)
        pids = [entry["pid"] for entry in deployment.processes()]
        supervisor = deployment._processes[-1]
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(30) == ExitCode.DONE
        assert not any(is_running(pid) for pid in pids)
        assert deployment.runtime(proxy_id)["state"] == "stopped"
        assert not can_connect(port)
        deployment.start_supervisor()
        deployment.wait_state(proxy_id, "running")
        assert http_get(port) == "one"

    await asyncio.to_thread(scenario)


async def test_a_second_signal_ends_a_long_drain(deployment: Deployment, upstream: Upstream) -> None:
    _, port = await asyncio.to_thread(deployment.start, upstream.port)
    supervisor = deployment._processes[-1]
    tally = Tally()
    slow = asyncio.create_task(fetch(port, tally, "/slow?delay=600"))
    await upstream.is_asked.wait()
    supervisor.send_signal(signal.SIGTERM)
    await asyncio.to_thread(wait_until, lambda: not can_connect(port), "a closed port")
    assert supervisor.poll() is None
    began = time.monotonic()
    supervisor.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(supervisor.wait, 30) == ExitCode.DONE
    assert time.monotonic() - began < 15  # the drain limit is 20 s
    await slow
    assert len(tally.lost) == 1


async def test_a_proxy_moves_to_another_port(deployment: Deployment, upstream: Upstream) -> None:
    def scenario() -> None:
        proxy_id, port = deployment.start(upstream.port)
        moved = next(deployment.ports)
        assert deployment.update(proxy_id, port=moved) == "live"
        assert deployment.wait_state(proxy_id, "running")["port"] == moved
        assert http_get(moved) == "one"
        assert not can_connect(port)

    await asyncio.to_thread(scenario)
