"""Site settings through the API: they hold at once in the web and in proxies that run, and the answer says so."""

from __future__ import annotations

import asyncio
import http.client
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.process.deployment import ROOT, Deployment, can_connect, wait_until
from tests.process.upstream import Upstream

OTHER_ADDRESS = "127.0.0.2"  # of this machine too, so that the tests themselves are not shut out


@contextmanager
def running_web(deployment: Deployment) -> Iterator[str]:
    """Its URL."""
    port = next(deployment.ports)
    deployment.environment["RUBBERDUCK_WEB_BIND"] = f"127.0.0.1:{port}"
    command = ["daphne", "--bind", "127.0.0.1", "--port", str(port), "--verbosity", "0", "rubberduck.asgi:application"]
    with (deployment.directory / "web.log").open("ab") as log:
        web = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=deployment.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
        )
    try:
        wait_until(lambda: can_connect(port), "a web that answers")
        yield f"http://127.0.0.1:{port}"
    finally:
        web.kill()
        web.wait()


def status_from(source: str, port: int, path: str, forwarded_for: str = "") -> int:
    """How a request from that address is answered, which says whom it is for."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))
    try:
        connection.request("GET", path, headers={"x-forwarded-for": forwarded_for} if forwarded_for else {})
        return connection.getresponse().status
    finally:
        connection.close()


async def test_a_change_is_live_in_web_and_workers_when_the_answer_comes(
    deployment: Deployment, upstream: Upstream
) -> None:
    def scenario() -> None:
        _, port = deployment.start(upstream.port)
        token = deployment.ask("""
from accounts.models import User
from accounts.services import token_create
result = token_create(user=User.objects.create_superuser("staff@example.com"), name="test")[1]
""")
        with running_web(deployment) as url:
            web_port = int(url.rpartition(":")[2])
            with httpx.Client(base_url=f"{url}/api/v1", timeout=60, trust_env=False) as client:
                client.headers["authorization"] = f"Bearer {token}"

                def change(**fields: Any) -> dict[str, Any]:
                    reply = client.patch("/settings", json=fields)
                    assert reply.status_code == 200, reply.text
                    found: dict[str, Any] = reply.json()
                    return found

                assert status_from(OTHER_ADDRESS, port, "/hello") == 200
                first = change(global_block=[OTHER_ADDRESS])
                assert first["applied"] == "live"
                assert status_from(OTHER_ADDRESS, port, "/hello") == 403
                assert status_from(OTHER_ADDRESS, web_port, "/healthz") == 403
                assert status_from("127.0.0.1", port, "/hello") == 200

                second = change(global_block=[], allow_private_upstreams=False, allow_registration=True)
                assert (second["applied"], second["generation"]) == ("live", first["generation"] + 1)
                assert status_from(OTHER_ADDRESS, web_port, "/healthz") == 200
                assert status_from("127.0.0.1", port, "/not-recorded") == 502  # the upstream is on loopback
                assert client.get("/auth-options").json()["registration"] == "open"

                lists = {"global_allow": ["127.0.0.1", "192.0.2.7"], "trusted_proxies": [OTHER_ADDRESS]}
                third = change(**lists, allow_private_upstreams=True)
                assert third["applied"] == "live"
                for place, path in ((port, "/hello"), (web_port, "/healthz")):
                    assert status_from(OTHER_ADDRESS, place, path, "192.0.2.7") == 200
                    assert status_from(OTHER_ADDRESS, place, path, "192.0.2.8") == 403
                    assert status_from(OTHER_ADDRESS, place, path) == 403

                refused = client.patch("/settings", json={"global_block": ["127.0.0.1"]})
                assert (refused.status_code, refused.json()["error"]["code"]) == (400, "last_staff")
                assert client.get("/settings").json()["generation"] == third["generation"]

    await asyncio.to_thread(scenario)
