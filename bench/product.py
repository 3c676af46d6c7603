"""Rubberduck as it is run: its own data directory, `manage.py runproxies`, proxies made with `manage.py proxy`."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from bench.processes import BenchError, bind, end, free_ports, on_core, wait_until

ROOT = Path(__file__).resolve().parents[1]


class Product:
    """A supervisor with its log writer on one core, each proxy's worker on the other."""

    def __init__(self, directory: Path, *, worker_core: int, other_core: int) -> None:
        self._directory = directory
        self._worker_core = worker_core
        self._other_core = other_core
        self._manage = [sys.executable, str(ROOT / "manage.py")]
        self._log = directory / "supervisor.log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RUBBERDUCK_")},
            "DJANGO_SETTINGS_MODULE": "rubberduck.settings",
            "RUBBERDUCK_ENV_FILE": "",
            "RUBBERDUCK_DATA_DIR": str(directory),
            "DATABASE_URL": "",
        }
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.manage("migrate", "-v0")
        with self._log.open("wb") as log:
            self._supervisor = subprocess.Popen(
                [*self._manage, "runproxies"],
                env=self._environment,
                stdout=log,
                stderr=log,
                preexec_fn=on_core(self._other_core),
            )
        wait_until(lambda: self._processes(), "the supervisor starts its log writer")

    def stop(self) -> None:
        if self._supervisor is not None:
            end(self._supervisor)

    def manage(self, *arguments: str) -> str:
        done = subprocess.run([*self._manage, *arguments], env=self._environment, capture_output=True, text=True)
        if done.returncode:
            raise BenchError(f"manage.py {' '.join(arguments)} failed: {done.stderr.strip()}")
        return done.stdout

    def add_proxy(self, name: str, upstream_port: int | None, *, cache: str = "on") -> int:
        """A running openai proxy's port. `upstream_port` None: it answers by itself."""
        port = free_ports(1)[0]
        upstream = "emulated" if upstream_port is None else f"http://127.0.0.1:{upstream_port}"
        self.manage(
            "proxy", "create", name, "--provider", "openai", "--port", str(port), "--upstream", upstream,
            "--cache", cache, "--start",
        )  # fmt: skip
        self.bind_worker(port)
        return port

    def bind_worker(self, port: int) -> None:
        bind(self.worker_pid(port), self._worker_core)

    def worker_pid(self, port: int) -> int:
        for entry in self._processes():
            if entry["port"] == port:
                return int(entry["pid"])
        raise BenchError(f"no worker serves port {port}; the supervisor's log: {self._log.read_text()[-2000:]}")

    def has_new_worker(self, port: int, old_pid: int) -> bool:
        return any(entry["port"] == port and entry["pid"] != old_pid for entry in self._processes())

    def log_writer_pids(self) -> list[int]:
        return [int(entry["pid"]) for entry in self._processes() if entry["port"] is None]

    def logged_ids(self) -> set[str]:
        """The ids of all rows of the log, as 32 hexadecimal digits."""
        connection = sqlite3.connect(self._directory / "db.sqlite3", timeout=30)
        try:
            return {row[0] for row in connection.execute("SELECT id FROM logs_requestlog")}
        finally:
            connection.close()

    def wait_logged(self) -> None:
        """Until the log writer has caught up with the spools."""
        spool = self._directory / "spool"
        state = spool / "state.json"

        def pending() -> int:
            try:
                offsets = json.loads(state.read_text())["offsets"]
            except (OSError, ValueError):
                offsets = {}
            return sum(max(0, path.stat().st_size - offsets.get(path.name, 0)) for path in spool.glob("*.jsonl"))

        def is_written() -> bool:
            try:
                return pending() == 0
            except FileNotFoundError:  # drained and deleted between two looks
                return False

        wait_until(is_written, "the log writer catches up", 300)
        time.sleep(0.2)

    def _processes(self) -> list[dict[str, object]]:
        if self._supervisor is not None and self._supervisor.poll() is not None:
            raise BenchError(f"the supervisor ended: {self._log.read_text()[-2000:]}")
        try:
            found: list[dict[str, object]] = json.loads((self._directory / "run" / "processes.json").read_text())
        except (OSError, ValueError):
            return []
        return found
