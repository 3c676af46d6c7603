"""A database that is locked or gone changes nothing for the proxies that run."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

from tests.process.deployment import Deployment, http_get, wait_until
from tests.process.upstream import Tally, Upstream, fetch, under_load

LOCKED_S = 30.0
CLIENTS = 8

LOCK_FOR = """
import time
from django.apps import apps
from django.db import connection, transaction

with transaction.atomic():
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            tables = ", ".join(f'"{model._meta.db_table}"' for model in apps.get_models())
            cursor.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        else:
            cursor.execute("UPDATE proxies_proxy SET name = name")
    open(flag, "w").close()
    time.sleep(seconds)
result = None
"""


async def test_proxies_serve_and_crashed_ones_come_back_while_the_database_is_locked(
    deployment: Deployment, upstream: Upstream
) -> None:
    proxy_id, port = await asyncio.to_thread(deployment.start, upstream.port)
    flag = deployment.directory / "locked"
    tally = Tally()

    def lock() -> None:
        deployment.ask(LOCK_FOR, flag=str(flag), seconds=LOCKED_S)

    def crash() -> float:
        wait_until(flag.exists, "a locked database")
        pid = deployment.worker_pid(port)
        assert pid is not None
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: deployment.worker_pid(port) not in (pid, None), "another worker")
        assert http_get(port) == "one"
        return time.monotonic() - began

    async def ask() -> None:
        await fetch(port, tally)
        await asyncio.sleep(0.05)

    crashing = asyncio.create_task(asyncio.to_thread(crash))
    await under_load(ask, CLIENTS, lock)
    assert await crashing < LOCKED_S / 2
    assert tally.refused == 0
    assert len(tally.lost) <= CLIENTS
    assert tally.answers["one"] > CLIENTS * LOCKED_S

    def settled() -> bool:
        found = deployment.runtime(proxy_id)
        return found["restarts"] == 1 and found["pid"] == deployment.worker_pid(port)

    await asyncio.to_thread(wait_until, settled, "the new worker in the database")

    def is_logged() -> bool:
        return tally.ids <= set(deployment.logged_ids())

    assert len(tally.ids) == tally.answers["one"]
    await asyncio.to_thread(wait_until, is_logged, "a log with all answered requests")


async def test_proxies_that_are_started_after_a_failed_write_reach_their_database(
    deployment: Deployment, upstream: Upstream
) -> None:
    """A statement that nobody has dropped keeps a closed SQLite connection open, and a fork would share what it has in
    memory."""
    proxy_id, port = await asyncio.to_thread(deployment.start, upstream.port)

    def scenario() -> None:
        for number in range(2):
            flag = deployment.directory / f"locked {number}"
            pid = deployment.worker_pid(port)
            assert pid is not None
            complaints = deployment.log.count("cannot write the database")
            holding = threading.Thread(
                target=deployment.ask_in_another_process, args=(LOCK_FOR,), kwargs={"flag": str(flag), "seconds": 2.0}
            )
            holding.start()
            wait_until(flag.exists, "a locked database")
            os.kill(pid, signal.SIGKILL)  # what the supervisor then has to write, it cannot
            wait_until(lambda: deployment.log.count("cannot write the database") > complaints, "a failed write")  # noqa: B023
            holding.join()
            wait_until(lambda: deployment.worker_pid(port) not in (pid, None), "another worker")  # noqa: B023
            deployment.wait_state(proxy_id, "running")
        started_id, started_port = deployment.create_proxy(upstream_port=upstream.port)
        deployment.wait_state(started_id, "running")
        assert deployment.update(started_id, description="new") == "live"
        assert deployment.update(proxy_id, description="new") == "live"
        assert http_get(started_port) == "one"
        assert "disk I/O error" not in deployment.log
        assert "locking protocol" not in deployment.log

    await asyncio.to_thread(scenario)
