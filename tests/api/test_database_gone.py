"""The API while the database cannot be reached: 503 in the shape of all errors, whatever was asked, by whomever."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.api.test_matrix import MATRIX
from tests.process.deployment import ROOT, Deployment, can_connect, wait_until

NUMBERS = {"proxy_id": 1, "name": "mine", "entry_id": 1, "token_id": 1, "user_id": 1, "port": 30_999}


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory, ports: Iterator[int]) -> Iterator[str]:
    """A web server whose database listens nowhere."""
    directory = tmp_path_factory.mktemp("gone")
    with socket.socket() as closed, socket.socket() as free:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        database_url = f"postgres://nobody@127.0.0.1:{closed.getsockname()[1]}/nothing"
        environment = {
            **Deployment(directory, database_url, ports).environment,
            "RUBBERDUCK_WEB_BIND": f"127.0.0.1:{port}",
        }
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "daphne", "--bind", "127.0.0.1", "--port", str(port)),
                *("--verbosity", "0", "rubberduck.asgi:application"),
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        )
        try:
            wait_until(lambda: can_connect(port) or server.poll() is not None, "a web server")
            yield f"http://127.0.0.1:{port}/api/v1"
        finally:
            server.kill()
            server.wait()


@pytest.mark.parametrize("who", ["a token", "a session", "nobody"])
def test_every_route_says_that_it_is_unavailable(base_url: str, who: str) -> None:
    headers = {
        "a token": {"authorization": "Bearer rdk_" + "x" * 43},
        "a session": {"cookie": f"rubberduck_session_{httpx.URL(base_url).port}={'x' * 32}"},
        "nobody": {},
    }[who]
    found: dict[str, tuple[int, str]] = {}
    with httpx.Client(headers=headers, timeout=60) as client:
        for (method, path), route in MATRIX.items():
            body = None if route.body is None else json.dumps(route.body).encode()
            reply = client.request(
                method,
                base_url + path.format(**NUMBERS) + route.query,
                content=body,
                headers={"content-type": "application/json"},
            )
            error = reply.json().get("error", {}) if isinstance(reply.json(), dict) else {}
            found[f"{method} {path}"] = (reply.status_code, error.get("code", ""))
    # Who brings nothing is told to; what needs no database is answered as ever.
    expected = {
        f"{method} {path}": (200, "")
        if path == "/providers"
        else (403, "not_allowed")
        if (method, path) == ("POST", "/setup")
        else (401, "not_signed_in")
        if who == "nobody" and route.kind not in ("public", "nobody")
        else (503, "unavailable")
        for (method, path), route in MATRIX.items()
    }
    assert found == expected
