"""What idle proxies cost: start-up, memory of one more proxy (idle, after use), CPU of the whole tree.

Usage: python bench/workers_bench.py [--proxies 200] [--seconds 30] [--first-port 21000]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proxies", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long the idle CPU is watched")
    parser.add_argument("--first-port", type=int, default=21000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rubberduck-bench-") as directory:
        print(json.dumps(measure(Path(directory), options.proxies, options.seconds, options.first_port), indent=2))


def measure(directory: Path, proxies: int, seconds: float, first_port: int) -> dict[str, float]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "rubberduck.settings",
        "RUBBERDUCK_ENV_FILE": "",
        "RUBBERDUCK_DATA_DIR": str(directory),
        "DATABASE_URL": "",
    }
    manage = [sys.executable, str(ROOT / "manage.py")]
    subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)
    # An upstream that refuses: a request costs a proxy its whole path, and nothing listens on port 1.
    create = f"""
from proxies.models import Proxy
Proxy.objects.bulk_create(
    Proxy(name=f"p{{n}}", provider="openai", port={first_port} + n, desired_state="running", upstream="http://127.0.0.1:1")
    for n in range({proxies})
)
"""
    subprocess.run([*manage, "shell", "-v0", "-c", create], env=environment, check=True)
    ports = range(first_port, first_port + proxies)
    began = time.monotonic()
    with (directory / "log").open("wb") as log:
        supervisor = subprocess.Popen([*manage, "runproxies"], env=environment, stdout=log, stderr=log)
    try:
        record = directory / "run" / "processes.json"
        wait_until(lambda: running(directory) == proxies, supervisor)
        all_running = time.monotonic()
        processes = json.loads(record.read_text())
        workers = [entry["pid"] for entry in processes if entry["port"] is not None]
        everything = [supervisor.pid, *(entry["pid"] for entry in processes)]
        time.sleep(3)
        cpu_before, watched_from = cpu_s(everything), time.monotonic()
        time.sleep(seconds)
        cores = (cpu_s(everything) - cpu_before) / (time.monotonic() - watched_from)
        supervisor_cores = cpu_s([supervisor.pid])
        idle_pss = [pss_mib(pid) for pid in workers]
        for port in ports:
            for _ in range(20):
                request(port)
        used_pss = [pss_mib(pid) for pid in workers]
    finally:
        supervisor.send_signal(signal.SIGTERM)
        stopping = time.monotonic()
        supervisor.wait(PATIENCE_S)
    return {
        "proxies": proxies,
        "until_all_run_s": round(all_running - began, 2),
        "idle_cpu_percent_of_a_core": round(cores * 100, 2),
        "supervisor_cpu_in_all_s": round(supervisor_cores, 2),
        "pss_idle_mib": round(statistics.median(idle_pss), 2),
        "pss_after_20_requests_mib": round(statistics.median(used_pss), 2),
        "stop_s": round(time.monotonic() - stopping, 2),
    }


def wait_until(condition: Callable[[], bool], supervisor: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if supervisor.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the supervisor does not get its proxies to run")
        time.sleep(0.02)


def running(directory: Path) -> int:
    connection = sqlite3.connect(directory / "db.sqlite3")
    try:
        count: int = connection.execute("SELECT count(*) FROM proxies_proxyruntime WHERE state = 'running'").fetchone()[
            0
        ]
        return count
    finally:
        connection.close()


def request(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(b"GET /v1/models HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        while sock.recv(65536):
            pass


def cpu_s(pids: list[int]) -> float:
    """User and system time of these processes."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def pss_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"no PSS for process {pid}")


if __name__ == "__main__":
    main()
