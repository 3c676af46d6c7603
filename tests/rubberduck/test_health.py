"""`/healthz` and `/readyz`."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from model_bakery import baker
from pytest_django import Settings

from proxies.models import ProxyRuntime, SupervisorHeartbeat

HERE = socket.gethostname()


def beat(*, host: str = HERE, pid: int | None = None, age_s: float = 0) -> None:
    then = timezone.now() - timedelta(seconds=age_s)
    baker.make(SupervisorHeartbeat, host=host, pid=pid or os.getpid(), started_at=then, heartbeat_at=then)


@pytest.mark.django_db
def test_a_missing_supervisor_shows_and_is_not_ready_but_healthy(client: Client) -> None:
    reply = client.get("/healthz")
    assert reply.status_code == 200
    assert reply.json() == {
        "status": "degraded",
        "version": "0.1.0",
        "database": "ok",
        "supervisor": "missing",
        "running_proxies": 0,
        "failed_proxies": 0,
    }
    assert "no-store" in reply["Cache-Control"]
    assert client.get("/readyz").status_code == 503


@pytest.mark.django_db
def test_running_and_failed_proxies_are_counted(client: Client) -> None:
    beat()
    baker.make(ProxyRuntime, host=HERE, state="running", _quantity=2)
    assert client.get("/healthz").json()["status"] == "ok"
    assert client.get("/readyz").status_code == 200
    baker.make(ProxyRuntime, host=HERE, state="failed")
    baker.make(ProxyRuntime, host="elsewhere", state="running")
    body = client.get("/readyz").json()
    assert (body["status"], body["running_proxies"], body["failed_proxies"]) == ("degraded", 2, 1)
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_an_old_heartbeat_or_one_of_a_dead_process_is_no_supervisor(client: Client) -> None:
    beat(age_s=60)
    assert client.get("/healthz").json()["supervisor"] == "missing"
    SupervisorHeartbeat.objects.all().delete()
    beat(pid=2**22 + 1)  # above the largest process id Linux gives
    assert client.get("/healthz").json()["supervisor"] == "missing"
    beat(host="another-machine", pid=2**22 + 1)
    assert client.get("/healthz").json()["supervisor"] == "ok"


@pytest.mark.django_db
def test_a_database_that_fails_makes_it_503(client: Client) -> None:
    def fail(*args: object) -> None:
        raise DatabaseError("gone")

    with connection.execute_wrapper(fail):
        reply = client.get("/healthz")
    assert reply.status_code == 503
    body = reply.json()
    assert (body["status"], body["database"], body["supervisor"]) == ("error", "error", "unknown")
    assert body["running_proxies"] is None


@pytest.mark.django_db
def test_test_overrides_are_shown(client: Client, settings: Settings) -> None:
    settings.TESTING, settings.CONNECT_TO = True, {("api.openai.com", 443): ("127.0.0.1", 9443)}
    assert client.get("/healthz").json()["testing"] == {"connect_to": ["api.openai.com:443 -> 127.0.0.1:9443"]}


@pytest.mark.django_db
def test_nothing_is_changed_through_it(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
    assert client.head("/healthz").status_code == 200
