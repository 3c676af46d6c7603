"""The runner of `make run`, on small programs: what dies comes back, and the end is orderly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 20.0
# Starts the programs given as NAME=COMMAND=STOP_LIMIT_S, without what surrounds them in `make run`.
HARNESS = """
import os, sys
sys.path.insert(0, "scripts")
from run import Program, Runner
programs = []
for argument in sys.argv[1:]:
    name, command, limit_s = argument.split("=")
    programs.append(Program(name, command, f"{name} |", float(limit_s)))
Runner(programs, os.environ, lambda: [], None).run()
print("the runner has ended", flush=True)
"""


class Running:
    def __init__(self, *programs: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HARNESS, *programs], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self.output = ""

    def read(self) -> str:
        assert self.process.stdout is not None
        while chunk := self.process.stdout.read():
            self.output += chunk.decode()
        return self.output

    def wait_for(self, text: str, times: int = 1) -> None:
        wait_until(lambda: self.read().count(text) >= times, lambda: f"{times} x {text!r} in:\n{self.output}")

    def wait_for_end(self) -> int:
        code = self.process.wait(PATIENCE_S)
        self.read()
        return code


def wait_until(condition: Callable[[], bool], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what()}"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


@pytest.fixture
def run() -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*programs: str) -> Running:
        started.append(Running(*programs))
        return started[-1]

    yield start
    for running in started:
        running.process.kill()
        running.process.wait()
        assert running.process.stdout is not None
        running.process.stdout.close()


Run = Callable[..., Running]


def test_lines_stand_behind_the_name_of_their_program(run: Run) -> None:
    running = run("one=sh -c 'echo first; printf last; sleep 60'=5", "two=sh -c 'echo other >&2; sleep 60'=5")
    running.wait_for("one | first\n")
    running.wait_for("two | other\n")
    running.process.send_signal(signal.SIGINT)
    assert running.wait_for_end() == 0
    assert "one | last\n" in running.output


def test_a_program_that_dies_comes_back_and_the_others_do_not_notice(run: Run) -> None:
    running = run("weak=sh -c 'echo born; kill -9 $$'=5", "steady=sh -c 'echo here $$; exec sleep 60'=5")
    running.wait_for("weak | born", times=3)
    running.wait_for("weak | was ended by SIGKILL; starting it again in 1 s")
    assert running.output.count("steady | here") == 1


def test_the_end_waits_for_a_program_that_is_still_busy(run: Run, tmp_path: Path) -> None:
    done = tmp_path / "done"
    running = run(f"busy=sh -c 'trap \"sleep 1; touch {done}; exit\" TERM; echo ready; sleep 60 & wait'=15")
    running.wait_for("ready")
    running.process.send_signal(signal.SIGINT)
    assert running.wait_for_end() == 0
    assert done.exists()


def test_a_program_that_does_not_end_is_killed_at_its_limit(run: Run) -> None:
    running = run("deaf=sh -c 'trap \"\" TERM; echo pid $$ .; while :; do sleep 0.1; done'=0.5")
    running.wait_for(" .")
    pid = int(running.output.split()[3])
    running.process.send_signal(signal.SIGTERM)
    assert running.wait_for_end() == 0
    assert not is_running(pid)


def test_a_second_signal_is_passed_on(run: Run) -> None:
    running = run("proud=sh -c 'trap \"echo once\" TERM; echo ready; sleep 60 & wait; echo waiting; wait; echo bye'=60")
    running.wait_for("ready")
    running.process.send_signal(signal.SIGINT)
    running.wait_for("waiting")
    running.process.send_signal(signal.SIGINT)
    assert running.wait_for_end() == 0
    assert running.output.count("proud | once") == 2


def test_programs_are_told_when_the_runner_itself_is_killed(run: Run) -> None:
    running = run("orphan=sh -c 'echo pid $$ .; exec sleep 60'=5")
    running.wait_for(" .")
    pid = int(running.output.split()[3])
    running.process.kill()
    wait_until(lambda: not is_running(pid), lambda: f"the end of process {pid}")
    assert not is_running(pid)
