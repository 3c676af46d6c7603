"""Everything that `make run` starts, in a temporary directory with ports of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0  # the longest a condition may take on a busy machine; met conditions end the wait at once


def wait_until(condition: Callable[[], Any], what: Callable[[], str]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:g} s in vain for {what()}"
        time.sleep(0.02)
    return value


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Installation:
    """`ports` gives ports for proxies. `environment` is that of every process."""

    def __init__(self, directory: Path, ports: Iterator[int], environment: Mapping[str, str]) -> None:
        self.web_port = free_port()
        self.data_dir = directory / "data"
        self.ports = ports
        first = next(ports)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "RUBBERDUCK_ENV_FILE": "",
            "RUBBERDUCK_DATA_DIR": str(self.data_dir),
            "RUBBERDUCK_WEB_BIND": f"127.0.0.1:{self.web_port}",
            "RUBBERDUCK_PROXY_PORTS": f"{first}-{first}",
            **environment,
        }
        self.output_file = directory / "output"
        self.runner: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        return self.output_file.read_text(errors="replace")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    def start(self) -> None:
        """Returns when web and supervisor are there."""
        with self.output_file.open("ab") as output:
            self.runner = subprocess.Popen(
                [sys.executable, "scripts/run.py"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        wait_until(
            lambda: self.health().get("status") == "ok", lambda: f"a healthy installation; output:\n{self.output}"
        )

    def health(self) -> dict[str, Any]:
        """What `/healthz` says; empty when the web does not answer."""
        try:
            found: dict[str, Any] = json.loads(self.get("/healthz")[1])
        except (OSError, http.client.HTTPException):
            return {}
        return found

    def get(self, path: str, port: int | None = None) -> tuple[int, bytes]:
        """Status and body of a page of the web, or of what listens on `port`."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.web_port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path, headers={"authorization": "Bearer unused"})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def manage(self, *arguments: str) -> str:
        """What a `manage.py` command prints. An AssertionError shows why one fails."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def create_proxy(self, name: str, provider: str, *options: str) -> int:
        """The port of a new, running proxy."""
        port = next(self.ports)
        self.manage("proxy", "create", name, "--provider", provider, "--port", str(port), "--start", *options)
        return port

    def programs(self, name: str) -> list[int]:
        """The running process ids whose command line holds `name`, of this installation only."""
        return [pid for pid, command in self.processes().items() if name in command]

    def processes(self) -> dict[int, str]:
        """Process id -> command line of everything this installation runs, wherever its parents have gone."""
        mark = f"RUBBERDUCK_DATA_DIR={self.data_dir}\0".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if mark in (entry / "environ").read_bytes():
                        found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def stop(self) -> None:
        """As Ctrl-C does; returns when the runner has ended."""
        assert self.runner is not None
        self.runner.send_signal(signal.SIGINT)
        self.runner.wait(PATIENCE_S)

    def close(self) -> None:
        """Ends what a failed test left."""
        if self.runner is not None and self.runner.poll() is None:
            self.runner.kill()
            self.runner.wait()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
