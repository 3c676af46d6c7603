"""Faults, limits and access lists in real workers: live when the command returns, counted on through everything."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.faults.asking import ask_all, chat
from tests.process.deployment import ROOT, Deployment, wait_until

HANGS = 1000
KIB_EACH = 40  # of one hanging exchange with its connection and task; the hang itself holds a few


def manage(deployment: Deployment, *arguments: str) -> str:
    """What a management command prints."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=deployment.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def start(deployment: Deployment, **fields: Any) -> tuple[int, int]:
    proxy_id, port = deployment.create_proxy(upstream_port=1, upstream="emulated", name="mine", **fields)
    deployment.start_supervisor()
    deployment.wait_state(proxy_id, "running")
    return proxy_id, port


def statuses(port: int, count: int) -> list[int | str]:
    return [status for status, _ in ask_all(port, [chat("hello")] * count)]


def logged(deployment: Deployment, *names: str, count: int) -> list[list[Any]]:
    """These columns of the log's rows in order, once there are `count` of them."""
    code = "from logs.models import RequestLog; result = [list(row) for row in Row.values_list(*names)]"
    code = code.replace("Row.", "RequestLog.objects.order_by('seq').")

    def look() -> list[list[Any]] | None:
        rows: list[list[Any]] = deployment.ask(code, names=list(names))
        return rows if len(rows) >= count else None

    found: list[list[Any]] = wait_until(look, f"{count} rows in the log")
    return found


def pss_kib(pid: int | None) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")))


def test_rules_are_live_when_the_command_returns_and_a_reset_repeats_the_run(
    deployment: Deployment, tmp_path: Path
) -> None:
    _, port = start(deployment, cache_mode="off")
    rules = tmp_path / "rules.yaml"
    rules.write_text("- {fault: error, status: 503, rate: 0.4}\n- {fault: error, status: 500, when: {first: 2}}\n")
    assert statuses(port, 2) == [200, 200]
    manage(deployment, "proxy", "faults", "mine", "--file", str(rules), "--seed", "7")
    seen = statuses(port, 40)
    assert seen[:2] == [500, 500]
    assert set(seen[2:]) == {200, 503}
    wait_until(
        lambda: json.loads(manage(deployment, "proxy", "faults", "mine", "--json"))["decisions"] == 40, "a count"
    )
    manage(deployment, "proxy", "faults", "mine", "--reset")
    assert json.loads(manage(deployment, "proxy", "faults", "mine", "--json"))["decisions"] == 0
    assert statuses(port, 40) == seen
    manage(deployment, "proxy", "faults", "mine", "--off")
    assert statuses(port, 2) == [200, 200]
    rows = logged(deployment, "decision", "fault", "status", "outcome", count=84)
    assert rows[2:42] == rows[42:82]
    assert [row[0] for row in rows] == [None, None, *range(1, 41), *range(1, 41), None, None]


def test_a_new_worker_begins_a_run_of_its_own(deployment: Deployment) -> None:
    proxy_id, port = start(deployment, cache_mode="off")
    manage(deployment, "proxy", "faults", "mine", "--add", "{fault: error, status: 500, when: {every: 3}}")
    assert statuses(port, 5) == [200, 200, 500, 200, 200]
    pid = deployment.worker_pid(port)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: deployment.worker_pid(port) not in (pid, None), "another worker")
    deployment.wait_state(proxy_id, "running")
    assert statuses(port, 3) == [200, 200, 500]


def test_a_thousand_hangs_are_cheap_hurt_nobody_and_end_with_their_clients(deployment: Deployment) -> None:
    _, port = start(deployment, cache_mode="on")
    manage(deployment, "proxy", "faults", "mine", "--add", "{fault: hang, match: {model: hangs}}")
    assert statuses(port, 20) == [200] * 20
    pid = deployment.worker_pid(port)
    before = pss_kib(pid)
    body = chat("x" * 20_000).replace(b'"gpt-4o-mini"', b'"hangs"')
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(HANGS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            client.sendall(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))
            clients.append(client)
        assert statuses(port, 300) == [200] * 300
        assert (pss_kib(pid) - before) / HANGS < KIB_EACH
        for client in clients:
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                raise AssertionError(f"a hang answered {client.recv(100)!r}")
    rows = logged(deployment, "fault", "status", "outcome", count=HANGS + 320)
    assert rows.count(["hang", None, "fault"]) == HANGS
    assert statuses(port, 1) == [200]


def test_limits_and_access_lists_are_live_when_the_command_returns(deployment: Deployment) -> None:
    _, port = start(deployment, cache_mode="off")
    manage(deployment, "proxy", "limits", "mine", "--rpm", "3")
    assert statuses(port, 5) == [200, 200, 200, 429, 429]
    manage(deployment, "proxy", "limits", "mine", "--clear")
    assert statuses(port, 1) == [200]
    manage(deployment, "proxy", "access", "mine", "--block", "127.0.0.0/8")
    assert statuses(port, 1) == [403]
    manage(deployment, "proxy", "access", "mine", "--clear")
    assert statuses(port, 1) == [200]
    manage(deployment, "access", "--global", "--block", "127.0.0.*")
    assert statuses(port, 1) == [403]
    manage(deployment, "access", "--global", "--clear")
    assert statuses(port, 1) == [200]
    rows = logged(deployment, "outcome", "access_list", count=10)
    assert [row[0] for row in rows[:5]] == ["bypass", "bypass", "bypass", "limited", "limited"]
    assert [row[1] for row in rows if row[0] == "blocked"] == ["proxy: block 127.0.0.0/8", "global: block 127.0.0.*"]


def test_the_show_command_says_how_clients_deal_with_failures(deployment: Deployment) -> None:
    _, port = start(deployment, cache_mode="off")
    manage(
        deployment, "proxy", "faults", "mine", "--add", "{fault: error, status: 500, retry_after: 30, when: {first: 3}}"
    )
    assert statuses(port, 4) == [500, 500, 500, 200]
    logged(deployment, "status", count=4)
    shown = manage(deployment, "proxy", "show", "mine")
    assert "3 came too soon" in shown
