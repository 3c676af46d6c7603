"""Processes of a dead supervisor, played by real ones."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxies.supervisor.orphans import LEAVE_PORT_S, Orphans, Recorded, RunRecord
from proxies.supervisor.process import process_started

LISTENS = """
import socket, time
sock = socket.create_server(("127.0.0.1", 0))
print(sock.getsockname()[1], flush=True)
time.sleep(600)
"""


@pytest.fixture
def listening() -> Iterator[tuple[subprocess.Popen[str], Recorded]]:
    with subprocess.Popen([sys.executable, "-c", LISTENS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield process, Recorded(process.pid, process_started(process.pid), port)
        process.kill()


def test_the_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = RunRecord(tmp_path / "processes.json")
    processes = [Recorded(1, "2-a", 8001), Recorded(3, "4-a", None)]
    record.write(processes)
    assert record.read() == processes


@pytest.mark.parametrize("content", [None, "", "{", "[1]", '[{"pid": 1}]'])
def test_a_record_that_cannot_be_read_is_empty(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "processes.json"
    if content is not None:
        path.write_text(content)
    assert RunRecord(path).read() == []


def test_a_worker_that_holds_its_port_is_waited_for_and_then_killed(
    listening: tuple[subprocess.Popen[str], Recorded],
) -> None:
    process, recorded = listening
    orphans = Orphans([recorded], now=100.0, drain_s=30.0)
    assert not orphans.settle(100.0 + LEAVE_PORT_S - 0.1)
    assert process.poll() is None
    orphans.settle(100.0 + LEAVE_PORT_S)
    assert process.wait(30) == -9
    assert orphans.settle(100.0 + LEAVE_PORT_S)
    assert not orphans


def test_a_worker_off_its_port_may_drain_for_as_long_as_drains_may_last() -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        orphans = Orphans([Recorded(process.pid, process_started(process.pid), 1)], now=100.0, drain_s=30.0)
        assert orphans.settle(131.0)
        assert [entry.pid for entry in orphans.alive] == [process.pid]
        assert process.poll() is None
        orphans.settle(100.0 + 30.0 + LEAVE_PORT_S)
        assert process.wait(30) == -9


def test_a_process_without_a_port_is_killed_at_once() -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        Orphans([Recorded(process.pid, process_started(process.pid), None)], now=100.0, drain_s=30.0)
        assert process.wait(30) == -9


def test_another_process_with_the_recorded_pid_is_no_orphan() -> None:
    orphans = Orphans([Recorded(os.getpid(), "1-0", None)], now=time.monotonic(), drain_s=30.0)
    assert not orphans
