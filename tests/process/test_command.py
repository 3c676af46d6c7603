"""`manage.py proxy` against a real supervisor: it returns when what it says is so."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from typing import Any

from tests.process.deployment import ROOT, Deployment, can_connect, http_get
from tests.process.upstream import Upstream


def run(deployment: Deployment, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "proxy", *arguments],
        env=deployment.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def run_json(deployment: Deployment, *arguments: str) -> Any:
    done = run(deployment, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


async def test_a_proxy_is_made_changed_and_ended_from_the_command_line(
    deployment: Deployment, upstream: Upstream, other_upstream: Upstream
) -> None:
    def scenario() -> None:
        deployment.start_supervisor()
        url = f"http://127.0.0.1:{upstream.port}"
        made = run_json(deployment, "create", "mine", "--provider", "openai", "--upstream", url, "--start")
        assert (made["state"], made["desired_state"], made["reason"]) == ("running", "running", "")
        assert http_get(made["port"]) == "one"

        changed = run(deployment, "set", "mine", f"upstream=http://127.0.0.1:{other_upstream.port}")
        assert changed.stdout == "mine: changed, and live\n"
        assert http_get(made["port"]) == "two"

        moved = run_json(deployment, "set", "mine", f"port={next(deployment.ports)}")
        assert http_get(moved["port"]) == "two"
        assert not can_connect(made["port"])

        assert run_json(deployment, "stop", "mine")["state"] == "stopped"
        assert not can_connect(moved["port"])
        assert run(deployment, "start", "mine").stdout == f"mine: running at {moved['base_url']}\n"
        assert run_json(deployment, "stop", "mine", "--kill")["state"] == "stopped"
        assert run(deployment, "delete", "mine").stdout == "mine: deleted\n"
        assert run_json(deployment, "list") == []

    await asyncio.to_thread(scenario)


async def test_a_taken_port_and_a_missing_supervisor_end_with_1_and_the_reason(deployment: Deployment) -> None:
    def scenario() -> None:
        port = next(deployment.ports)
        arguments = ("create", "mine", "--provider", "openai", "--port", str(port), "--start")
        missing = run(deployment, *arguments)
        assert missing.returncode == 1
        assert "The supervisor is not running" in missing.stderr
        with socket.create_server(("127.0.0.1", port)):
            deployment.start_supervisor()
            taken = run(deployment, "start", "mine")
            assert taken.returncode == 1
            assert f"port {port} on 127.0.0.1 is in use by another program" in taken.stderr
        again = run(deployment, "start", "mine")
        assert (again.returncode, again.stderr) == (0, "")

    await asyncio.to_thread(scenario)


def test_a_reader_that_has_had_enough_is_no_failure_worth_a_traceback(deployment: Deployment) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, str(ROOT / "manage.py"), "proxy", "list"]
    done = subprocess.run(
        command, env=deployment.environment, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


async def test_a_terminal_that_knows_ascii_only_is_shown_the_rest_escaped(deployment: Deployment) -> None:
    def scenario() -> None:
        made = run(deployment, "create", "mine", "--provider", "openai", "--description", "a fine “duck”")
        assert made.returncode == 0, made.stderr
        deployment.environment |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        shown = run(deployment, "show", "mine")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert r"a fine \u201cduck\u201d" in shown.stdout

    await asyncio.to_thread(scenario)
