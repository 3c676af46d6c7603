"""What `make run` promises: parts come back by themselves, the end is orderly, and what is in the way is named."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading

from tests.e2e.installation import ROOT, Installation, wait_until
from tests.wire.standin.client import StandIn


def test_a_web_that_dies_comes_back_and_the_proxies_serve_meanwhile(fresh: Installation, standin: StandIn) -> None:
    fresh.start()
    port = fresh.create_proxy("mine", "openai", "--upstream", f"{standin.url}/v1")
    supervisor = fresh.programs("runproxies")
    (web,) = fresh.programs("daphne")
    os.kill(web, signal.SIGKILL)
    assert fresh.get("/v1/models", port)[0] == 200
    wait_until(lambda: web not in fresh.programs("daphne") and fresh.health(), lambda: fresh.output)
    assert fresh.programs("runproxies") == supervisor
    assert "was ended by SIGKILL; starting it again" in fresh.output


def test_a_supervisor_that_dies_comes_back_with_its_proxies(fresh: Installation, standin: StandIn) -> None:
    fresh.start()
    port = fresh.create_proxy("mine", "openai", "--upstream", f"{standin.url}/v1")
    supervisor = min(fresh.programs("runproxies"))
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: "was ended by SIGKILL; starting it again" in fresh.output, lambda: fresh.output)

    def serves_again() -> bool:
        try:
            return fresh.get("/v1/models", port)[0] == 200
        except OSError:
            return False

    wait_until(lambda: supervisor not in fresh.programs("runproxies") and serves_again(), lambda: fresh.output)
    assert fresh.health()["database"] == "ok"


def test_ctrl_c_lets_an_answer_finish_and_leaves_no_process_behind(fresh: Installation, standin: StandIn) -> None:
    fresh.start()
    port = fresh.create_proxy("mine", "openai", "--upstream", f"{standin.url}/v1")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    message = {"role": "user", "content": "Hello, paced 300ms please."}
    body = json.dumps({"model": "gpt-4o-mini", "stream": True, "messages": [message]})
    headers = {"content-type": "application/json", "authorization": "Bearer unused"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    reply = connection.getresponse()
    first = reply.readline()
    stopping = threading.Thread(target=fresh.stop)
    stopping.start()
    rest = reply.read()
    connection.close()
    stopping.join()
    assert first.startswith(b"data: ")
    assert rest.rstrip().endswith(b"data: [DONE]")
    assert fresh.runner is not None
    assert fresh.runner.returncode == 0
    assert fresh.processes() == {}


def test_a_second_start_finds_everything_as_it_was(fresh: Installation, standin: StandIn) -> None:
    fresh.start()
    port = fresh.create_proxy("mine", "openai", "--upstream", f"{standin.url}/v1")
    fresh.stop()
    fresh.start()
    wait_until(lambda: fresh.health()["running_proxies"] == 1, lambda: fresh.output)
    assert fresh.get("/v1/models", port)[0] == 200
    assert f"{fresh.url}/admin/" in fresh.output


def test_a_taken_web_port_is_named_before_anything_starts(fresh: Installation) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", fresh.web_port))
        other.listen()
        done = run(fresh)
    assert done.returncode == 1
    assert f"The web address 127.0.0.1:{fresh.web_port} cannot be used: Address already in use." in done.stderr
    assert not (fresh.data_dir / "db.sqlite3").exists()


def test_a_data_directory_in_use_is_named(fresh: Installation) -> None:
    fresh.start()
    done = run(fresh)
    assert done.returncode == 1
    assert f"already running for {fresh.data_dir}" in done.stderr


def test_a_setting_that_is_wrong_is_named(fresh: Installation) -> None:
    fresh.environment["RUBBERDUCK_DRAIN_S"] = "soon"
    done = run(fresh)
    assert done.returncode == 1
    assert "RUBBERDUCK_DRAIN_S='soon' is not accepted" in done.stderr


def test_debug_pages_for_a_whole_network_are_refused(fresh: Installation) -> None:
    fresh.environment |= {"RUBBERDUCK_DEBUG": "1", "RUBBERDUCK_WEB_BIND": f"0.0.0.0:{fresh.web_port}"}
    done = run(fresh)
    assert done.returncode == 1
    assert "RUBBERDUCK_DEBUG is on" in done.stderr


def run(installation: Installation) -> subprocess.CompletedProcess[str]:
    """A start that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "scripts/run.py"],
        cwd=ROOT,
        env=installation.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
