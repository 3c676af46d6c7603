"""The API with a supervisor: what it answers is so on the proxy's port."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.serving import ApiServer
from tests.process.deployment import can_connect, wait_until

KEY = {"authorization": "Bearer sk-anything"}
QUESTION = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def live(tmp_path: Path, make_database: Callable[[Path], str], ports: Iterator[int]) -> Iterator[ApiServer]:
    server = ApiServer(tmp_path, make_database(tmp_path), ports)
    server.deployment.start_supervisor()
    yield server
    server.close()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def test_what_a_reply_says_is_so_on_the_proxys_port(live: ApiServer) -> None:
    port = free_port()
    fields = {"provider": "openai", "upstream": "emulated", "port": port, "desired_state": "running"}
    made = live.ask("owner", "PUT", "/proxies/by-name/live", fields)
    assert (made.status_code, made.json()["applied"], made.json()["state"]) == (201, "live", "running"), made.text
    place, url = f"/proxies/{made.json()['id']}", f"{made.json()['base_url']}/v1/chat/completions"
    assert httpx.post(url, json=QUESTION, headers=KEY).status_code == 200

    changed = live.ask("owner", "PUT", f"{place}/faults", [{"fault": "error", "status": 503}]).json()
    assert (changed["generation"], changed["applied"]) == (2, "live")
    assert httpx.post(url, json=QUESTION, headers=KEY).status_code == 503
    changed = live.ask("owner", "PATCH", place, {"faults": {"enabled": False}, "access": {"block": ["*"]}}).json()
    assert (changed["generation"], changed["applied_generation"], changed["applied"]) == (3, 3, "live")
    assert httpx.post(url, json=QUESTION, headers=KEY).status_code == 403

    stopped = live.ask("owner", "PUT", f"{place}/desired-state?wait_s=20", {"desired_state": "stopped"}).json()
    assert (stopped["state"], stopped["applied"]) == ("stopped", "stopped")
    assert not can_connect(port)


def test_a_stop_drains_and_a_kill_cuts(live: ApiServer) -> None:
    fields = {"provider": "openai", "upstream": "emulated", "port": free_port(), "desired_state": "running"}
    made = live.ask("owner", "PUT", "/proxies/by-name/slow", {**fields, "emulation": {"ttft_s": 300}}).json()
    assert made["applied"] == "live", made
    place = f"/proxies/{made['id']}"
    ended: list[str] = []

    def ask() -> None:
        try:
            httpx.post(f"{made['base_url']}/v1/chat/completions", json=QUESTION, headers=KEY, timeout=60)
        except httpx.HTTPError as error:
            ended.append(type(error).__name__)

    client = threading.Thread(target=ask)
    client.start()
    wait_until(lambda: live.ask("owner", "GET", place).json()["in_flight"] == 1, "a request in flight")
    stopped = live.ask("owner", "PUT", f"{place}/desired-state?wait_s=0.5", {"desired_state": "stopped"}).json()
    assert (stopped["desired_state"], stopped["applied"], stopped["in_flight"]) == ("stopped", "draining", 1)
    changed = live.ask("owner", "PUT", f"{place}/limits", {"rpm": 5}).json()
    assert (changed["applied"], changed["reason"]) == ("draining", "")
    assert client.is_alive()
    several = {"ids": [made["id"]], "desired_state": "killed"}
    killed = live.ask("owner", "POST", "/proxies/desired-states?wait_s=20", several).json()["items"][0]
    assert (killed["desired_state"], killed["state"], killed["applied"]) == ("killed", "stopped", "stopped")
    client.join(timeout=30)
    assert ended != []


def test_a_taken_port_is_said_in_words_and_a_second_start_tries_again(live: ApiServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not live.ask("owner", "GET", f"/ports/{port}").json()["is_available"]
        fields = {"name": "late", "provider": "openai", "upstream": "emulated", "port": port}
        made = live.ask("owner", "POST", "/proxies", {**fields, "desired_state": "running"}).json()
        assert (made["state"], made["reason_code"], made["applied"]) == ("failed", "port_taken", "failed")
        assert str(port) in made["reason"]
    started = live.ask("owner", "PUT", f"/proxies/{made['id']}/desired-state?wait_s=20", {"desired_state": "running"})
    assert (started.json()["state"], started.json()["applied"]) == ("running", "live")
