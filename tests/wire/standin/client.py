"""The tests' handle on a running stand-in: start it, ask what it captured, stop it."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class CapturedRequest:
    """One request as it reached the stand-in. Times are `time.monotonic()` seconds; `sent_at` has one per frame."""

    number: int
    provider: str
    method: str
    target: str
    version: str
    host: str
    scheme: str
    sni: str | None
    headers: list[tuple[str, str]]
    body: bytes
    received_at: float
    status: int | None
    sent_at: list[float]
    finished_at: float | None
    client_gone_at: float | None

    def header(self, name: str) -> str | None:
        """The first value of a header, compared without case."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class StandIn:
    """A stand-in in a process of its own; it ends with this object or with the process that made it."""

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.wire.standin", "--directory", str(directory)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the stand-in did not start, exit code {self._process.wait()}")
        started = json.loads(line)
        self.http_port: int = started["http_port"]
        self.tls_port: int = started["tls_port"]
        self.ca_file: str = started["ca_file"]

    @property
    def url(self) -> str:
        """Its plain-HTTP base URL, without a trailing slash."""
        return f"http://127.0.0.1:{self.http_port}"

    def connect_to(self, *hosts: str) -> str:
        """The value of RUBBERDUCK_CONNECT_TO that leads real host names on port 443 to the TLS port."""
        return ",".join(f"{host}:443:127.0.0.1:{self.tls_port}" for host in hosts)

    def requests(self, after: int = 0) -> list[CapturedRequest]:
        """What was captured since request number `after`, in order of arrival."""
        listed = self._ask("GET", f"requests?after={after}")["requests"]
        return [
            CapturedRequest(
                **{
                    **captured,
                    "headers": [(name, value) for name, value in captured["headers"]],
                    "body": base64.b64decode(captured["body"]),
                }
            )
            for captured in listed
        ]

    def last_number(self) -> int:
        """The number of the latest request, 0 when there was none."""
        return max((captured.number for captured in self.requests()), default=0)

    def reset(self) -> None:
        """Forgets what was captured; the numbers go on."""
        self._ask("POST", "reset")

    def wait_for(
        self, claim: Callable[[CapturedRequest], bool], after: int = 0, timeout_s: float = 10
    ) -> CapturedRequest:
        """The first captured request the claim holds for; AssertionError when none turns up in time."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for captured in self.requests(after):
                if claim(captured):
                    return captured
            time.sleep(0.01)
        raise AssertionError(f"no request as claimed among {self.requests(after)}")

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()

    def _ask(self, method: str, command: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=10)
        try:
            connection.request(method, f"/__standin__/{command}", headers={"connection": "close"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
