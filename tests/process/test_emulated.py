"""An emulated proxy in a real worker: no connection leads out of it, and its settings change while it serves."""

from __future__ import annotations

import http.client
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.process.deployment import Deployment, wait_until

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]}


def ask(port: int, body: dict[str, Any] | None = None) -> http.client.HTTPResponse:
    """The head of a reply; reading its body to the end closes the connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"authorization": "Bearer unused", "content-type": "application/json", "connection": "close"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body or CHAT), headers)
    return connection.getresponse()


def text(port: int) -> str:
    said: str = json.loads(ask(port).read())["choices"][0]["message"]["content"]
    return said


def status(port: int) -> int:
    with ask(port) as reply:
        reply.read()
        return reply.status


def connections(deployment: Deployment, port: int) -> dict[int, list[int]]:
    """Local -> remote ports of the TCP connections of the worker on a port, but those to the database. A listener's
    remote port is 0."""
    pid = deployment.worker_pid(port)
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        if found := re.fullmatch(r"socket:\[(\d+)\]", str(entry.readlink())):
            inodes.add(found[1])
    database_port = urlsplit(deployment.environment["DATABASE_URL"]).port
    ports: dict[int, list[int]] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            local, remote = (int(address.rpartition(":")[2], 16) for address in fields[1:3])
            if fields[9] in inodes and remote != database_port:
                ports.setdefault(local, []).append(remote)
    return ports


def start(deployment: Deployment, **fields: Any) -> tuple[int, int]:
    proxy_id, port = deployment.create_proxy(upstream_port=1, upstream="emulated", **fields)
    deployment.start_supervisor()
    deployment.wait_state(proxy_id, "running")
    return proxy_id, port


def test_all_connections_of_a_worker_are_its_clients(deployment: Deployment) -> None:
    canned = [{"reply": {"chunks": ["one ", {"text": "two", "delay_s": 2}]}}]
    _, port = start(deployment, emulation_replies=canned)
    reply = ask(port, {**CHAT, "stream": True})
    assert reply.readline().startswith(b"data: ")
    during = connections(deployment, port)
    assert during.keys() == {port}
    assert len(during[port]) == 2  # the listener, and the client that is being answered
    assert reply.read().rstrip().endswith(b"data: [DONE]")
    assert connections(deployment, port).keys() == {port}


def test_a_worker_with_an_upstream_has_a_connection_more(deployment: Deployment) -> None:
    """The test above can fail."""
    _, emulated_port = start(deployment)
    other_id, port = deployment.create_proxy(upstream_port=emulated_port)
    deployment.wait_state(other_id, "running")
    assert text(port)
    found = connections(deployment, port)
    assert [remotes for local, remotes in found.items() if local != port] == [[emulated_port]]


def test_canned_replies_are_live_when_the_change_is_and_old_recordings_do_not_answer(deployment: Deployment) -> None:
    proxy_id, port = start(deployment)
    usual = text(port)
    assert text(port) == usual

    def put(said: str) -> str:
        return deployment.update(proxy_id, **{"emulation.replies": [{"reply": {"text": said}}]})

    assert put("First.") == "live"
    assert text(port) == "First."
    assert put("Second.") == "live"
    assert text(port) == "Second."
    assert put("First.") == "live"
    reply = ask(port)
    assert reply.headers["x-rubberduck-cache"] == "hit"  # recorded under these very settings
    assert b"First." in reply.read()
    assert deployment.update(proxy_id, **{"emulation.replies": None}) == "live"
    assert text(port) == usual


def test_a_worker_remembers_how_often_a_reply_was_asked_for_through_other_changes(deployment: Deployment) -> None:
    canned = [{"match": {"nth": [1, 2]}, "reply": {"error": {"status": 503}}}, {"reply": {"text": "At last."}}]
    proxy_id, port = start(deployment, emulation_replies=canned)
    assert status(port) == 503
    assert deployment.update(proxy_id, description="another one") == "live"
    assert status(port) == 503
    assert [text(port) for _ in range(2)] == ["At last."] * 2


def test_what_an_emulated_reply_would_have_cost_is_in_the_log(deployment: Deployment) -> None:
    _, port = start(deployment)
    assert text(port)
    assert text(port)
    code = """
from logs.models import RequestLog
rows = RequestLog.objects.order_by("seq").values_list("endpoint", "cache", "cost_usd", "cost_avoided_usd")
result = [[str(value) for value in row] for row in rows]
"""
    rows = wait_until(lambda: len(found := deployment.ask(code)) == 2 and found, "two rows in the log")
    (endpoint, cache, cost, avoided), hit = rows
    assert (endpoint, cache) == ("emulated", "miss")
    assert float(cost) == float(hit[2]) == 0
    assert float(avoided) == float(hit[3]) > 0
    assert hit[1] == "hit"
