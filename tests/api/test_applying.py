"""Scripts that apply the same description at the same time end in the same state, and without an error."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import httpx
import yaml

from tests.api.serving import ApiServer

DESCRIPTION = """
checkout:
  provider: openai
  upstream: emulated
  tags: [ci, eu]
  cache: {mode: replay, ttl_s: 3600}
  faults:
    seed: 7
    rules:
      - {fault: error, status: 429, rate: 0.1, match: {model: gpt-*}}
search:
  provider: anthropic
  upstream: emulated
  port: 30777
  limits: {rpm: 60}
Search Two:
  provider: openai
  upstream: emulated
  access: {allow: [10.0.0.0/8]}
  desired_state: running
other:
  provider: vertex_ai
  upstream: emulated
"""
SCRIPTS = 8
ROUNDS = 2


def apply(server: ApiServer, barrier: threading.Barrier, statuses: list[int], problems: list[str]) -> None:
    """What such a script does: one PUT for each proxy of the file."""
    with httpx.Client(base_url=f"{server.base_url}/api/v1", headers=server.headers("owner"), timeout=60) as client:
        for _ in range(ROUNDS):
            for name, fields in yaml.safe_load(DESCRIPTION).items():
                barrier.wait(timeout=60)
                reply = client.put(
                    f"/proxies/by-name/{name}",
                    content=yaml.safe_dump(fields),
                    headers={"content-type": "application/yaml"},
                )
                statuses.append(reply.status_code)
                if reply.status_code not in (200, 201):
                    problems.append(f"{name}: {reply.text}")


def test_scripts_at_the_same_time_end_in_the_same_state(server: ApiServer) -> None:
    barrier = threading.Barrier(SCRIPTS)
    statuses: list[int] = []
    problems: list[str] = []
    threads = [threading.Thread(target=apply, args=(server, barrier, statuses, problems)) for _ in range(SCRIPTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    wanted: dict[str, dict[str, Any]] = yaml.safe_load(DESCRIPTION)
    assert Counter(statuses) == {201: len(wanted), 200: len(wanted) * (SCRIPTS * ROUNDS - 1)}
    ports = set()
    for name, fields in wanted.items():
        proxy = server.ask("owner", "GET", f"/proxies/by-name/{name}").json()
        assert proxy["name"] == name
        assert proxy["generation"] == 1  # what was the same was not written again
        ports.add(proxy["port"])
        for field, value in fields.items():
            stored = proxy[field]
            assert (stored if not isinstance(value, dict) else {part: stored[part] for part in value}) == value
    assert len(ports) == len(wanted)


def test_descriptions_that_differ_leave_one_of_them(server: ApiServer) -> None:
    def put(mode: str) -> None:
        body = {"provider": "openai", "upstream": "emulated", "description": mode, "cache": {"mode": mode}}
        with httpx.Client(timeout=60) as client:
            url = f"{server.base_url}/api/v1/proxies/by-name/contested"
            replies.append(client.put(url, json=body, headers=server.headers("owner")).status_code)

    replies: list[int] = []
    modes = ("off", "on", "replay", "refresh")
    threads = [threading.Thread(target=put, args=(mode,)) for mode in modes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(replies) == {201: 1, 200: 3}
    proxy = server.ask("owner", "GET", "/proxies/by-name/contested").json()
    assert proxy["description"] == proxy["cache"]["mode"]
