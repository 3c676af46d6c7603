"""A whole Rubberduck for the SDKs: one supervisor with its proxies, whose upstream host names lead to the stand-in."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.process.deployment import ROOT, Deployment, wait_until
from tests.wire.sdks import Result
from tests.wire.standin.client import StandIn

# The real names that proxies connect to, on the stand-in's certificate too.
HOSTS = (
    "api.openai.com",
    "api.anthropic.com",
    "standin.openai.azure.com",
    "bedrock-runtime.us-east-1.amazonaws.com",
    "bedrock.us-east-1.amazonaws.com",
    "bedrock-runtime.eu-west-1.amazonaws.com",
    "us-central1-aiplatform.googleapis.com",
    "us-east5-aiplatform.googleapis.com",
    "aiplatform.googleapis.com",
    "generativelanguage.googleapis.com",
)
# The key pair behind the credential reference os.environ/STANDIN; clients use the other one the stand-in knows.
CREDENTIAL = "os.environ/STANDIN"
PROXY_KEY = "ASIASTANDIN000000002"
_PAIR = {
    "STANDIN_ACCESS_KEY_ID": PROXY_KEY,
    "STANDIN_SECRET_ACCESS_KEY": "standin-secret-key-two",
    "STANDIN_SESSION_TOKEN": "standin-session-token",
}
AZURE = "https://standin.openai.azure.com"
FIRST_PORT = 24_000
PORTS = 60

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunningProxy:
    """A proxy that `manage.py proxy create` made. `url` has no path."""

    id: int
    name: str
    provider: str
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Rubberduck:
    """An installation in a directory of its own; proxies are made when they are first asked for."""

    def __init__(self, directory: Path, standin: StandIn, database_url: str, worker_number: int) -> None:
        first = FIRST_PORT + worker_number * PORTS
        self.standin = standin
        self.deployment = Deployment(directory, database_url, iter(range(first, first + PORTS)))
        self.deployment.environment |= {
            "RUBBERDUCK_PROXY_PORTS": f"{first}-{first + PORTS - 1}",
            "RUBBERDUCK_TESTING": "1",
            "RUBBERDUCK_CONNECT_TO": standin.connect_to(*HOSTS),
            "RUBBERDUCK_UPSTREAM_CA_FILE": standin.ca_file,
            **_PAIR,
        }
        self._proxies: dict[str, RunningProxy] = {}
        self._supervisor = self.deployment.start_supervisor()

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `manage.py` as somebody in a shell would."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.run(
            command, env=self.deployment.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def proxy(self, name: str, provider: str, *options: str, **fields: Any) -> RunningProxy:
        """The running proxy of this name, made with these options (and `change`d) if there is none yet."""
        if name not in self._proxies:
            done = self.manage("proxy", "create", name, "--provider", provider, *options, "--start", "--json")
            assert done.returncode == 0, done.stderr + self.deployment.log
            made = json.loads(done.stdout)
            assert made["state"] == "running"
            self._proxies[name] = RunningProxy(made["id"], name, provider, made["port"])
            if fields:
                self.change(self._proxies[name], **fields)
        return self._proxies[name]

    def forget_recordings(self, proxy: RunningProxy) -> None:
        """The next calls are misses, whoever made them before; returns when that is live."""
        code = """
from proxies.models import Proxy
from proxies.services import proxy_invalidate, wait_applied
result = wait_applied(proxy_invalidate(proxy=Proxy.objects.get(pk=proxy_id)), timeout_s=30).applied
"""
        assert self.deployment.ask(code, proxy_id=proxy.id) == "live"

    def change(self, proxy: RunningProxy, **changes: Any) -> None:
        """Changes fields by their dotted API names, `.` written `__`; returns when it is live."""
        dotted = {name.replace("__", "."): value for name, value in changes.items()}
        assert self.deployment.update(proxy.id, **dotted) == "live"

    def rows(self, since: datetime) -> dict[str, Row]:
        """The log rows of exchanges that began after a moment, by request id; amounts of money as text."""
        code = """
from logs.models import RequestLog
def plain(value):
    return value if isinstance(value, (int, float, bool, type(None))) else str(value)
result = [
    {name: plain(value) for name, value in row.items()}
    for row in RequestLog.objects.filter(started_at__gte=since).order_by("seq").values()
]
"""
        return {row["id"]: row for row in self.deployment.ask(code, since=since.isoformat())}

    def rows_with(self, attempts: int, proxy: RunningProxy, since: datetime) -> list[Row]:
        """A proxy's log rows since a moment, once they account for that many calls upstream."""

        def look() -> list[Row] | None:
            rows = [row for row in self.rows(since).values() if row["proxy_id"] == proxy.id]
            return rows if sum(row["attempts"] for row in rows) >= attempts else None

        found: list[Row] = wait_until(look, f"{attempts} calls upstream in the log")
        return found

    def rows_of(self, results: dict[str, Result], since: datetime) -> dict[str, Row]:
        """The log row of every scenario whose reply told its request id, by scenario; waits for the log writer."""
        ids = {
            name: result["headers"]["x-rubberduck-request-id"]
            for name, result in results.items()
            if "x-rubberduck-request-id" in result["headers"]
        }

        def look() -> dict[str, Row] | None:
            rows = self.rows(since)
            return rows if rows.keys() >= set(ids.values()) else None

        rows = wait_until(look, "log rows of all scenarios")
        return {name: rows[id_] for name, id_ in ids.items()}

    def stop(self) -> None:
        """Stops the supervisor as an operator would; everything is written that is to be written."""
        self._supervisor.send_signal(signal.SIGTERM)
        assert self._supervisor.wait(timeout=60) == 0

    def close(self) -> None:
        """Ends every process of the installation."""
        self.deployment.close()
