"""The offer of a first start: asked at a terminal, said elsewhere, and done once after a yes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 20.0
# The runner with one lasting program, which asks as soon as it can.
HARNESS = """
import os, sys
sys.path.insert(0, "scripts")
from first_run import FirstRun
from run import Program, Runner
asker = FirstRun.__new__(FirstRun)
def greet():
    return [Program("demo", "sh -c 'echo made $$'", "demo |", 5, is_lasting=False)] if asker.offers() else []
steady = Program("steady", "sh -c 'echo here; exec sleep 60'", "steady |", 5)
Runner([steady], os.environ, greet, None).run()
print("the runner has ended", flush=True)
"""


class Terminal:
    """The runner at a terminal of its own."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        os.set_blocking(self._master, False)

        def own_the_terminal() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [sys.executable, "-c", HARNESS],
            cwd=ROOT,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            preexec_fn=own_the_terminal,
        )
        os.close(slave)
        self.output = ""

    def read(self) -> str:
        with contextlib.suppress(BlockingIOError, OSError):  # OSError: the other side has closed it
            while chunk := os.read(self._master, 65536):
                self.output += chunk.decode()
        return self.output

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.read():
            assert time.monotonic() < deadline, f"waited in vain for {text!r} in:\n{self.output}"
            time.sleep(0.02)

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE_S)
        self.read()
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
def terminal() -> Iterator[Callable[[], Terminal]]:
    made: list[Terminal] = []

    def start() -> Terminal:
        made.append(Terminal())
        return made[-1]

    yield start
    for one in made:
        one.close()


QUESTION = "Make one emulated proxy per provider to try things? [Y/n]"


@pytest.mark.parametrize("answer", ["\n", "y\n", " Yes \n"])
def test_a_yes_makes_it_once_and_the_rest_runs_on(terminal: Callable[[], Terminal], answer: str) -> None:
    running = terminal()
    running.wait_for(QUESTION)
    running.wait_for("steady | here")
    running.type(answer)
    running.wait_for("demo | made")
    assert running.end() == 0
    assert running.output.count("demo | made") == 1
    assert "demo | ended" not in running.output
    assert "the runner has ended" in running.output


@pytest.mark.parametrize("answer", ["n\n", "what?\n", "\x04"])
def test_anything_else_makes_nothing(terminal: Callable[[], Terminal], answer: str) -> None:
    running = terminal()
    running.wait_for(QUESTION)
    running.wait_for("steady | here")
    running.type(answer)
    running.type("y\n")  # it listens no more
    assert running.end() == 0
    assert "demo |" not in running.output


def test_nobody_is_asked_where_there_is_no_terminal() -> None:
    harness = HARNESS.replace("Runner([steady]", "greet(); raise SystemExit; Runner([steady]")
    done = subprocess.run(
        [sys.executable, "-c", harness], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert "There is no proxy yet." in done.stdout
    assert ".venv/bin/python manage.py demo" in done.stdout
    assert QUESTION not in done.stdout


@pytest.mark.parametrize("listed", ["[]\n", "[{}]\n", ""])
def test_only_an_empty_list_of_proxies_is_a_first_run(tmp_path: Path, listed: str) -> None:
    code = (
        "import sys, subprocess; sys.path.insert(0, 'scripts'); import first_run, os\n"
        f"first_run.ROOT = first_run.Path({str(tmp_path)!r})\n"
        "run = first_run.FirstRun(os.environ, lambda: None)\n"
        "run._lister.wait()\n"
        "print(run.is_known, run.is_first)\n"
    )
    (tmp_path / "manage.py").write_text(f"print({listed!r}, end='')")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"True {listed.strip() == '[]'}\n"
