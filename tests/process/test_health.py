"""A supervisor that hangs, as `/readyz` sees it."""

from __future__ import annotations

import signal

import httpx

from tests.process.deployment import Deployment, wait_until
from tests.rubberduck.servers import free_port, running_web

AGE_THE_HEARTBEAT = """
from datetime import timedelta
from django.db.models import F
from proxies.models import SupervisorHeartbeat
SupervisorHeartbeat.objects.update(heartbeat_at=F("heartbeat_at") - timedelta(minutes=1))
result = None
"""


def test_a_supervisor_that_hangs_counts_as_missing_and_one_that_goes_on_as_there(deployment: Deployment) -> None:
    supervisor = deployment.start_supervisor()
    port = free_port()

    def supervisor_is(state: str) -> bool:
        reply = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60)
        assert reply.status_code == (200 if reply.json()["supervisor"] == "ok" else 503)
        return bool(reply.json()["supervisor"] == state)

    with running_web(port, deployment.environment):
        wait_until(lambda: supervisor_is("ok"), "a supervisor")
        supervisor.send_signal(signal.SIGSTOP)
        deployment.ask(AGE_THE_HEARTBEAT)  # as if it had hung for a while
        assert supervisor_is("missing")
        supervisor.send_signal(signal.SIGCONT)
        wait_until(lambda: supervisor_is("ok"), "the supervisor's next heartbeat")
