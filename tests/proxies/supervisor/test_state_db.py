"""The supervisor's side of the database."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from model_bakery import baker

from accounts.models import SiteSettings
from proxies.models import ObservedState, Proxy, ProxyRuntime, SupervisorHeartbeat
from proxies.supervisor.orphans import Recorded
from proxies.supervisor.planning import Desired, Observed
from proxies.supervisor.state_db import HostLock, PatientOptions, StateDatabase

ROOT = Path(__file__).resolve().parents[3]
RUNNING = Observed(
    state=ObservedState.RUNNING, bind="127.0.0.1", port=8001, pid=7, pid_started="1-a", applied=(3, 2), in_flight=5
)


def _proxy(**fields: object) -> Proxy:
    proxy: Proxy = baker.make(Proxy, **{"provider": "openai", "port": 8001, **fields})
    return proxy


@pytest.mark.django_db
def test_what_is_wanted_is_read_with_the_defaults_filled_in() -> None:
    SiteSettings.objects.create(pk=1, generation=9)
    first = _proxy(desired_state="running", generation=3, bind="")
    second = _proxy(name="second", port=8002, bind="::1")
    assert StateDatabase("here").read_desired() == {
        first.pk: Desired("running", 3, 9, "127.0.0.1", 8001),
        second.pk: Desired("stopped", 1, 9, "::1", 8002),
    }


@pytest.mark.django_db
def test_a_state_is_written_over_the_one_before() -> None:
    proxy = _proxy()
    database = StateDatabase("here")
    assert database.write({proxy.pk: Observed()}, 0.0) == {proxy.pk}
    assert database.write({proxy.pk: RUNNING}, 0.0) == {proxy.pk}
    row = ProxyRuntime.objects.get()
    assert (row.host, row.state, row.pid, row.port, row.in_flight) == ("here", "running", 7, 8001, 5)
    assert (row.applied_generation, row.applied_site_generation) == (3, 2)
    assert row.retry_at is None


@pytest.mark.django_db
def test_the_next_try_of_a_failed_proxy_is_written_as_a_time_of_day_with_the_generation_that_was_tried() -> None:
    proxy = _proxy()
    failed = Observed().start_failed(
        Desired("running", 4, 1, "127.0.0.1", 8001), "port_taken", "port 8001 is taken", 50.0
    )
    before = timezone.now()
    StateDatabase("here").write({proxy.pk: failed}, 50.0)
    row = ProxyRuntime.objects.get()
    assert (row.state, row.reason_code, row.reason) == ("failed", "port_taken", "port 8001 is taken")
    assert row.applied_generation == 4
    assert row.retry_at is not None
    assert timedelta(seconds=4.9) < row.retry_at - before < timedelta(seconds=60)


@pytest.mark.django_db(transaction=True)
def test_a_proxy_that_was_just_deleted_does_not_keep_the_others_from_being_written() -> None:
    proxy = _proxy()
    assert StateDatabase("here").write({proxy.pk: RUNNING, proxy.pk + 1: RUNNING}, 0.0) == {proxy.pk, proxy.pk + 1}
    assert list(ProxyRuntime.objects.values_list("proxy_id", "state")) == [(proxy.pk, "running")]


@pytest.mark.django_db
def test_recorded_processes_are_those_of_this_host() -> None:
    here, there = _proxy(), _proxy(name="there", port=8002)
    StateDatabase("here").write({here.pk: RUNNING}, 0.0)
    StateDatabase("there").write({there.pk: replace(RUNNING, pid=8)}, 0.0)
    assert StateDatabase("here").read_recorded() == [Recorded(7, "1-a", 8001)]


@pytest.mark.django_db
def test_a_heartbeat_leaves_the_log_writers_columns_alone_and_ends_with_the_supervisor() -> None:
    database = StateDatabase("here")
    database.beat()
    SupervisorHeartbeat.objects.update(spool_bytes=77)
    database.beat()
    row = SupervisorHeartbeat.objects.get()
    assert (row.host, row.pid, row.spool_bytes) == ("here", os.getpid(), 77)
    database.say_goodbye()
    assert not SupervisorHeartbeat.objects.exists()


def test_a_database_that_cannot_be_reached_is_no_error_and_is_told_once(tmp_path: Path) -> None:
    code = """
import logging
import django
django.setup()
logging.getLogger().handlers[0].stream = __import__("sys").stdout
from proxies.supervisor.planning import Observed
from proxies.supervisor.state_db import StateDatabase
database = StateDatabase("here")
assert database.read_desired() is None
assert database.read_desired() is None
assert database.write({1: Observed()}, 0.0) == set()
assert database.read_recorded() == []
database.beat()
"""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "rubberduck.settings",
        "RUBBERDUCK_DATA_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("cannot read the database: ") == 1


LOCKED = """
import gc, os, sqlite3, sys
gc.disable()
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.conf import settings
from django.db import connections
from proxies.models import Proxy
from proxies.supervisor.planning import Observed
from proxies.supervisor.state_db import PatientOptions, StateDatabase

proxy = Proxy.objects.create(name="mine", provider="openai", port=8001)
PatientOptions().shorten()
database = StateDatabase("here")
other = sqlite3.connect(settings.DATABASES["default"]["NAME"], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
assert database.write({proxy.pk: Observed()}, 0.0) == set()
database.beat()
other.close()
connections.close_all()
links = (f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd"))
print([link for link in links if "sqlite3" in os.path.realpath(link)])
"""


def test_a_failed_write_leaves_no_sqlite_connection_behind(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "rubberduck.settings",
        "RUBBERDUCK_DATA_DIR": str(tmp_path),
        "RUBBERDUCK_ENV_FILE": "",
        "DATABASE_URL": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", LOCKED], env=environment, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "cannot write the database: database is locked" in done.stderr
    assert done.stdout == "[]\n"


@pytest.mark.django_db(transaction=True)
def test_one_supervisor_per_host_name_on_postgresql() -> None:
    lock, rival, elsewhere = HostLock("here"), HostLock("here"), HostLock("there")
    is_shared = connection.vendor == "postgresql"  # SQLite's data directory is locked by a file
    try:
        assert lock.take()
        assert lock.take()
        assert rival.take() is not is_shared
        assert elsewhere.take()
    finally:
        for each in (lock, rival, elsewhere):
            if each._connection is not None:
                each._connection.close()


@pytest.mark.django_db(transaction=True)
def test_the_supervisor_is_impatient_and_its_children_are_not() -> None:
    options = connection.settings_dict["OPTIONS"]
    patient = dict(options)
    changed = PatientOptions()
    try:
        changed.shorten()
        assert connection.settings_dict["OPTIONS"] != patient
        if connection.vendor == "sqlite":
            assert connection.settings_dict["OPTIONS"]["timeout"] == 0.1
        else:
            with connection.cursor() as cursor:
                cursor.execute("SHOW lock_timeout")
                assert cursor.fetchone() == ("100ms",)
    finally:
        connection.close()
        changed.restore()
    assert connection.settings_dict["OPTIONS"] == patient


@pytest.mark.django_db
def test_what_hosts_have_left_that_are_not_heard_of_any_more_is_deleted() -> None:
    proxy, now = _proxy(), timezone.now()
    for host, seen_days_ago, changed_days_ago in (
        ("here", None, 30),
        ("lives, unchanged for long", 0, 30),
        ("stopped yesterday", None, 1),
        ("killed long ago", 30, 30),
        ("stopped long ago", None, 30),
    ):
        row = baker.make(ProxyRuntime, proxy=proxy, host=host, state="running")
        ProxyRuntime.objects.filter(pk=row.pk).update(updated_at=now - timedelta(days=changed_days_ago))
        if seen_days_ago is not None:
            seen_at = now - timedelta(days=seen_days_ago)
            baker.make(SupervisorHeartbeat, host=host, pid=1, started_at=seen_at, heartbeat_at=seen_at)
    StateDatabase("here").forget_silent_hosts()
    kept = set(ProxyRuntime.objects.values_list("host", flat=True))
    assert kept == {"here", "lives, unchanged for long", "stopped yesterday"}
    assert list(SupervisorHeartbeat.objects.values_list("host", flat=True)) == ["lives, unchanged for long"]
