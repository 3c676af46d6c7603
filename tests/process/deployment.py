"""A whole installation in a temporary directory, with real processes, for tests to start, ask and hurt."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0  # the longest a condition may take on a busy machine; met conditions end the wait at once


def wait_until(condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """The first true value of `condition`; an AssertionError that names `what` if there is none in time."""
    deadline = time.monotonic() + patience_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {patience_s:g} s in vain for: {what}"
        time.sleep(0.02)
    return value


def can_connect(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(2)
        return sock.connect_ex(("127.0.0.1", port)) == 0


def http_get(port: int, path: str = "/hello", timeout_s: float = PATIENCE_S) -> str:
    """The body of the reply. Raises OSError when there is none."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
        reply = b""
        while chunk := sock.recv(65536):
            reply += chunk
    if not reply:
        raise ConnectionError("closed without an answer")
    return reply.partition(b"\r\n\r\n")[2].decode()


class Deployment:
    """`environment`: the variables of every process of this installation."""

    def __init__(self, directory: Path, database_url: str, ports: Iterator[int]) -> None:
        self.directory = directory
        self.ports = ports
        first = next(ports)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "rubberduck.settings",
            "RUBBERDUCK_ENV_FILE": "",
            "RUBBERDUCK_DATA_DIR": str(directory),
            "RUBBERDUCK_PROXY_PORTS": f"{first}-{first + 1}",
            "RUBBERDUCK_DRAIN_S": "20",
            "DATABASE_URL": database_url,
        }
        self._processes: list[subprocess.Popen[bytes]] = []
        self._console: subprocess.Popen[bytes] | None = None

    # --- the supervisor

    @property
    def log(self) -> str:
        path = self.directory / "supervisor.log"
        return path.read_text() if path.exists() else ""

    def start_supervisor(self) -> subprocess.Popen[bytes]:
        """Returns once it looks after the proxies."""
        seen = len(self.log)
        supervisor = self.launch_supervisor()
        wait_until(lambda: "the supervisor runs" in self.log[seen:], "a supervisor that runs")
        return supervisor

    def launch_supervisor(self) -> subprocess.Popen[bytes]:
        with (self.directory / "supervisor.log").open("ab") as log:
            supervisor = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "runproxies"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
            )
        self._processes.append(supervisor)
        return supervisor

    def processes(self) -> list[dict[str, Any]]:
        """`{pid, started, port}` of every process the supervisor has forked, as it recorded them."""
        found: list[dict[str, Any]] = json.loads((self.directory / "run" / "processes.json").read_text())
        return found

    def worker_pid(self, port: int) -> int | None:
        return next((entry["pid"] for entry in self.processes() if entry["port"] == port), None)

    # --- the database, through a Django process

    def ask(self, code: str, **values: Any) -> Any:
        """Runs `code` in a process with Django set up, `values` as its variables; what it assigns to `result`."""
        if self._console is None:
            self._console = self._open_console()
        return _ask(self._console, code, values)

    def ask_in_another_process(self, code: str, **values: Any) -> Any:
        """The same beside what `ask` does meanwhile."""
        return _ask(self._open_console(), code, values)

    def _open_console(self) -> subprocess.Popen[bytes]:
        console = subprocess.Popen(
            [sys.executable, "-m", "tests.process.console"],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        self._processes.append(console)
        return console

    def create_proxy(self, *, upstream_port: int, state: str = "running", **fields: Any) -> tuple[int, int]:
        """A proxy row as services would write it; its (id, port)."""
        port = fields.pop("port", None) or next(self.ports)
        code = """
from proxies.models import Proxy
from proxies.wakeup import wake_supervisor
result = Proxy.objects.create(provider="openai", **fields).pk
wake_supervisor()
"""
        upstream = f"http://127.0.0.1:{upstream_port}"
        row = {"name": f"on {port}", "port": port, "upstream": upstream, "desired_state": state, **fields}
        return self.ask(code, fields=row), port

    def service(self, name: str, proxy_id: int, **arguments: Any) -> None:
        """Calls a function of `proxies.services` on a proxy."""
        code = f"""
from proxies import services
from proxies.models import Proxy
services.{name}(proxy=Proxy.objects.get(pk=proxy_id), **arguments)
result = None
"""
        self.ask(code, proxy_id=proxy_id, arguments=arguments)

    def update(self, proxy_id: int, **changes: Any) -> str:
        """Changes a proxy and waits as an API call does; what the wait says."""
        code = """
from proxies.models import Proxy
from proxies.services import proxy_update, wait_applied
proxy = proxy_update(proxy=Proxy.objects.get(pk=proxy_id), changes=changes)
progress = wait_applied(proxy, timeout_s=30)
result = progress.reason or progress.applied
"""
        answer: str = self.ask(code, proxy_id=proxy_id, changes=changes)
        return answer

    def runtime(self, proxy_id: int) -> dict[str, Any]:
        """The observed state as the database shows it; empty before there is one."""
        code = """
from proxies.models import ProxyRuntime
fields = ("state", "reason_code", "reason", "pid", "port", "applied_generation", "in_flight", "restarts")
result = ProxyRuntime.objects.filter(proxy_id=proxy_id).values(*fields).first() or {}
"""
        found: dict[str, Any] = self.ask(code, proxy_id=proxy_id)
        return found

    def wait_state(self, proxy_id: int, state: str, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self.runtime(proxy_id)
            return found if found.get("state") == state else None

        found: dict[str, Any] = wait_until(look, f"proxy {proxy_id} {state}; log:\n{self.log}", patience_s)
        return found

    def logged_ids(self) -> list[str]:
        """The ids of all rows of the log."""
        code = """
from logs.models import RequestLog
result = [str(found) for found in RequestLog.objects.values_list("id", flat=True)]
"""
        found: list[str] = self.ask(code)
        return found

    def start(self, upstream_port: int) -> tuple[int, int]:
        """A supervisor with one running proxy; its (id, port)."""
        proxy_id, port = self.create_proxy(upstream_port=upstream_port)
        self.start_supervisor()
        self.wait_state(proxy_id, "running")
        return proxy_id, port

    def close(self) -> None:
        """Ends every process that this installation has, whatever state a failed test left it in."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        with contextlib.suppress(OSError, ValueError):
            for entry in self.processes():
                if is_running(entry["pid"], entry["started"]):
                    os.kill(entry["pid"], signal.SIGKILL)


def _ask(console: subprocess.Popen[bytes], code: str, values: dict[str, Any]) -> Any:
    assert console.stdin is not None
    assert console.stdout is not None
    console.stdin.write(json.dumps({"code": code, "values": values}).encode() + b"\n")
    console.stdin.flush()
    answer = json.loads(console.stdout.readline())
    assert "error" not in answer, answer["error"]
    return answer["result"]


def is_running(pid: int, started: str | None = None) -> bool:
    """Whether the process lives and is no zombie; with `started`, whether it is still that very process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] not in ("Z", "X") and (started is None or started.startswith(f"{fields[19]}-"))
