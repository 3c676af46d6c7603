"""The real web server of an installation of its own, with two users and staff, and their tokens."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.process.deployment import ROOT, Deployment, can_connect, wait_until

MARKER = "planted-7b1e"
"""In everything that the owner has, and so in nothing that others are shown."""
WHO = ("owner", "other", "staff", "reader", "anonymous")
"""`reader` holds a token of the owner that may only read."""

_MAKE_ACCOUNTS = """
from accounts.models import User
from accounts.services import token_create
result = {}
for who in ("owner", "other", "staff"):
    make = User.objects.create_superuser if who == "staff" else User.objects.create_user
    user = make(f"{who}@example.com", "correct horse battery")
    result[who] = token_create(user=user, name=who, scope="write")[1]
    if who == "owner":
        result["reader"] = token_create(user=user, name="reader", scope="read")[1]
"""


class ApiServer:
    """daphne on loopback. `tokens`: who -> token."""

    def __init__(self, directory: Path, database_url: str, ports: Iterator[int]) -> None:
        self.deployment = Deployment(directory, database_url, ports)
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port: int = sock.getsockname()[1]
        self.deployment.environment |= {
            "RUBBERDUCK_WEB_BIND": f"127.0.0.1:{self.port}",
            "RUBBERDUCK_PROXY_PORTS": "30000-30999",  # nothing listens: there is no supervisor
        }
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.tokens: dict[str, str] = self.deployment.ask(_MAKE_ACCOUNTS)
        self._client = httpx.Client(timeout=60)
        self._log = directory / "web.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "daphne", "--bind", "127.0.0.1", "--port", str(self.port)),
                    *("--verbosity", "0", "rubberduck.asgi:application"),
                ],
                env=self.deployment.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )
        wait_until(lambda: can_connect(self.port) or self._process.poll() is not None, "a web server")
        assert self._process.poll() is None, self.log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def headers(self, who: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens[who]}"} if who in self.tokens else {}

    def ask(self, who: str, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """`path` after /api/v1."""
        content = {"json": body} if body is not None else {}
        headers = {**self.headers(who), **options.pop("headers", {})}
        url = f"{self.base_url}/api/v1{path}"
        return self._client.request(method, url, headers=headers, **content, **options)

    def close(self) -> None:
        self._client.close()
        self._process.kill()
        self._process.wait()
        self.deployment.close()
