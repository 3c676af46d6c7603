"""`/healthz` and `/readyz`."""

from __future__ import annotations

import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.test import Client
from django.utils import timezone
from model_bakery import baker
from pytest_django import Settings

from proxies.models import ProxyRuntime, SupervisorHeartbeat
from rubberduck import access, health
from tests.rubberduck.servers import free_port, running_web

HERE = socket.gethostname()


def beat(*, host: str = HERE, pid: int | None = None, age_s: float = 0) -> None:
    then = timezone.now() - timedelta(seconds=age_s)
    baker.make(SupervisorHeartbeat, host=host, pid=pid or os.getpid(), started_at=then, heartbeat_at=then)


@pytest.mark.django_db(transaction=True)
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


@pytest.mark.django_db(transaction=True)
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


@pytest.mark.django_db(transaction=True)
def test_an_old_heartbeat_or_one_of_a_dead_process_is_no_supervisor(client: Client) -> None:
    beat(age_s=60)
    assert client.get("/healthz").json()["supervisor"] == "missing"
    SupervisorHeartbeat.objects.all().delete()
    beat(pid=2**22 + 1)  # above the largest process id Linux gives
    assert client.get("/healthz").json()["supervisor"] == "missing"
    beat(host="another-machine", pid=2**22 + 1)
    assert client.get("/healthz").json()["supervisor"] == "ok"


@pytest.mark.django_db(transaction=True)
def test_tables_that_are_missing_are_a_database_that_fails(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SupervisorHeartbeat._meta, "db_table", "nothing")
    assert client.get("/healthz").status_code == 503


@pytest.mark.django_db(transaction=True)
def test_whom_the_lists_refuse_learns_nothing_while_the_database_hangs(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SITE_OVERRIDES = {"global_block": ["192.0.2.7"]}
    monkeypatch.setattr(access, "global_access", fresh := access.GlobalAccess())
    monkeypatch.setattr(health, "global_access", fresh)
    monkeypatch.setattr(health, "PATIENCE_S", 0.05)
    release = threading.Event()
    monkeypatch.setattr(health, "_ask_database", lambda: release.wait(60) and health._FAILED)
    try:
        assert client.get("/healthz").status_code == 503
        assert client.get("/healthz", REMOTE_ADDR="192.0.2.7").status_code == 403  # type: ignore[arg-type]
        (waiting,) = [thread for thread in threading.enumerate() if thread.name == "health"]
    finally:
        release.set()
    waiting.join()


class Silent(socketserver.BaseRequestHandler):
    """Takes a connection and says nothing, as a server does that hangs."""

    def handle(self) -> None:
        while self.request.recv(4096):
            pass


@pytest.fixture
def hanging_port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silent) as server:
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize("is_there", [True, False])
def test_a_database_that_hangs_or_is_gone_is_said_in_time(tmp_path: Path, hanging_port: int, is_there: bool) -> None:
    web_port, database_port = free_port(), hanging_port if is_there else free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "RUBBERDUCK_ENV_FILE": "",
        "RUBBERDUCK_DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"postgresql://duck:se-cret@127.0.0.1:{database_port}/duck?connect_timeout=600",
    }
    with running_web(web_port, environment):
        replies = [httpx.get(f"http://127.0.0.1:{web_port}/{path}", timeout=60) for path in ("healthz", "readyz")]
    for reply in replies:
        assert reply.status_code == 503
        assert "se-cret" not in reply.text
        assert reply.json() == {
            "status": "error",
            "version": "0.1.0",
            "database": "error",
            "supervisor": "unknown",
            "running_proxies": None,
            "failed_proxies": None,
        }


@pytest.mark.django_db(transaction=True)
def test_test_overrides_are_shown(client: Client, settings: Settings) -> None:
    settings.TESTING, settings.CONNECT_TO = True, {("api.openai.com", 443): ("127.0.0.1", 9443)}
    assert client.get("/healthz").json()["testing"] == {"connect_to": ["api.openai.com:443 -> 127.0.0.1:9443"]}


@pytest.mark.django_db(transaction=True)
def test_nothing_is_changed_through_it(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
    assert client.head("/healthz").status_code == 200
