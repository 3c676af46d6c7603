"""The tasks process, as `Procfile` starts it, does what is on its schedule."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.deployment import ROOT, Deployment, wait_until

RECORD = """
from datetime import timedelta
from django.utils import timezone
from proxies.models import Recording
now = timezone.now()
for key, hours in (("expired", -1), ("good", 1)):
    Recording.objects.create(
        proxy_id=proxy_id, epoch=0, key=key, status=200, headers=[], body=b"{}", frame_sizes=[2], delays_ms=[1],
        size_bytes=2, recorded_at=now - timedelta(hours=2), expires_at=now + timedelta(hours=hours),
    )
result = None
"""
KEYS = """
from proxies.models import Recording
result = list(Recording.objects.values_list("key", flat=True))
"""
# What the tasks process does twice a minute; not waited for.
SCHEDULE = """
from django_q.models import OrmQ
from django_q.scheduler import scheduler
scheduler()
result = OrmQ.objects.count()
"""


@pytest.fixture
def tasks(deployment: Deployment, tmp_path: Path) -> Iterator[Path]:
    """A cluster that runs; the path of what it prints."""
    output = tmp_path / "tasks.log"
    with output.open("wb") as log:
        cluster = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "qcluster"],
            env=deployment.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    yield output
    cluster.send_signal(signal.SIGTERM)
    try:
        cluster.wait(20)
    finally:
        if cluster.poll() is None:
            os.killpg(cluster.pid, signal.SIGKILL)
            cluster.wait()


def test_recordings_that_expired_are_deleted_by_the_tasks_process(deployment: Deployment, tasks: Path) -> None:
    proxy_id, _ = deployment.create_proxy(upstream_port=1, state="stopped")
    deployment.ask(RECORD, proxy_id=proxy_id)
    assert deployment.ask(SCHEDULE) >= 0
    keys = wait_until(lambda: (found := deployment.ask(KEYS)) == ["good"] and found, "a housekeeping run", 60)
    assert keys == ["good"], tasks.read_text()
