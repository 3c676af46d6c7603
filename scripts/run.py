"""Runs the programs of the Procfile together and starts each again when it ends, until Ctrl-C lets all of them finish.

One thread; each program's lines go to the terminal behind its name. The programs do not depend on each other's lives:
the proxies go on while the web is being restarted.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from first_run import FirstRun, is_at_a_terminal, is_yes

ROOT = Path(__file__).resolve().parent.parent
PYTHON = Path(sys.executable)

STOP_LIMIT_S = 10.0  # from TERM to KILL; the supervisor has its drain limit and SUPERVISOR_EXTRA_S instead
SUPERVISOR_EXTRA_S = 20.0  # its log writer ends after the proxies
HURRIED_S = 5.0  # the limit after a second Ctrl-C
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 30.0  # before a program that ended is started again; doubles
STEADY_S = 20.0  # a program that ran this long is started again after the first delay
WATCH_EVERY_S = 1.0
ASK_EVERY_S = 0.1  # whether the web answers yet
PR_SET_PDEATHSIG = 1  # Source: prctl(2)
COLOURS = (36, 35, 33, 32)
FRONTEND = "frontend"  # watches its sources by itself


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tie_to_runner() -> None:
    """Runs in the child: TERM when the runner dies, however it dies, so that a next run finds its ports free."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Program:
    """One line of the Procfile. Times are of the monotonic clock; `start_at` is None while it runs.

    `is_lasting`: started again whenever it ends.
    """

    name: str
    command: str
    label: str
    stop_limit_s: float
    is_lasting: bool = True
    process: subprocess.Popen[bytes] | None = None
    start_at: float | None = 0.0
    started_at: float = 0.0
    delay_s: float = FIRST_DELAY_S
    kill_at: float = float("inf")
    rest: bytes = field(default=b"", repr=False)  # of a line not yet complete

    def start(self, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {self.command}"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's Ctrl-C is for the runner alone
            preexec_fn=tie_to_runner,
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self.started_at, self.start_at, self.kill_at = time.monotonic(), None, float("inf")

    def tell(self, number: signal.Signals) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)

    def show(self, chunk: bytes) -> None:
        """Prints the complete lines of what came; at the end (b"") also an incomplete one."""
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        if not chunk and self.rest:
            lines, self.rest = [*lines, self.rest], b""
        for line in lines:
            say(f"{self.label} {line.decode(errors='replace')}")


class Runner:
    """`environment` is the programs'. `greet` is asked until it says that it has greeted: then it gives what to run if
    the person at the terminal says yes to what was asked last, or []. `watch` gives a value that changes with the
    sources, or is None."""

    def __init__(
        self,
        programs: list[Program],
        environment: Mapping[str, str],
        greet: Callable[[], list[Program] | None],
        watch: Callable[[], object] | None,
    ) -> None:
        self._programs = programs
        self._environment = environment
        self._greet: Callable[[], list[Program] | None] | None = greet
        self._offered: list[Program] = []
        self._watch = watch
        self._selector = selectors.DefaultSelector()
        self._stop_signals = self._stops_answered = 0

    def run(self) -> None:
        """Returns when a signal has asked for the end and every program has ended."""
        ours, theirs = socket.socketpair()
        for sock in (ours, theirs):
            sock.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._selector.register(ours, selectors.EVENT_READ)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, frame: self._note_stop())
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        seen = self._watch() if self._watch else None
        while not self._stop_signals or any(program.process for program in self._programs):
            for key, _ in self._selector.select(self._pause_s()):
                if isinstance(key.data, Program):
                    self._read(key.data)
                elif key.fileobj is sys.stdin:
                    self._take_answer()
                else:
                    ours.recv(4096)
            if self._watch and not self._stop_signals and (now := self._watch()) != seen:
                seen = now
                self._restart_all()
            self._look_after()
            if self._greet and (offered := self._greet()) is not None:
                self._greet = None
                if offered:
                    self._offered = offered
                    self._selector.register(sys.stdin, selectors.EVENT_READ)

    def _take_answer(self) -> None:
        """What was typed, to the question; a runner that has been put into the background asks no more."""
        self._selector.unregister(sys.stdin)
        if is_at_a_terminal() and is_yes(os.read(sys.stdin.fileno(), 4096)):
            self._programs += self._offered

    def _note_stop(self) -> None:
        self._stop_signals += 1

    def _pause_s(self) -> float | None:
        times = [program.kill_at for program in self._programs if program.kill_at != float("inf")]
        if not self._stop_signals:
            times += [program.start_at for program in self._programs if program.start_at is not None]
        if self._watch or self._greet:
            times.append(time.monotonic() + (ASK_EVERY_S if self._greet else WATCH_EVERY_S))
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _read(self, program: Program) -> None:
        """What has come so far. The end of the output unregisters it; the process may live on."""
        assert program.process is not None
        assert program.process.stdout is not None
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(program.process.stdout.fileno(), 65536)
            program.show(chunk)
            if not chunk:
                self._selector.unregister(program.process.stdout)

    def _look_after(self) -> None:
        now = time.monotonic()
        if self._stop_signals > self._stops_answered:
            self._stop(now)
        for program in list(self._programs):
            if program.process is not None and program.process.poll() is not None:
                self._ended(program, now)
            elif program.process is not None and now >= program.kill_at:
                program.kill_at = float("inf")
                program.tell(signal.SIGKILL)
            if (
                program.process is None
                and program.start_at is not None
                and now >= program.start_at
                and not self._stop_signals
            ):
                program.start(self._environment)
                assert program.process is not None
                assert program.process.stdout is not None
                self._selector.register(program.process.stdout, selectors.EVENT_READ, program)

    def _ended(self, program: Program, now: float) -> None:
        assert program.process is not None
        assert program.process.stdout is not None
        if program.process.stdout in self._selector.get_map():
            self._read(program)  # its last words; children of its own may hold the pipe open
            program.show(b"")
        if program.process.stdout in self._selector.get_map():
            self._selector.unregister(program.process.stdout)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.process.pid, signal.SIGTERM)  # such children, when it could not end them itself
        program.process.stdout.close()
        code = program.process.returncode
        program.process = None
        if not program.is_lasting:
            self._programs.remove(program)
            return
        if self._stop_signals or program.kill_at != float("inf"):
            program.start_at = now
            say(f"{program.label} stopped")
            return
        program.delay_s = FIRST_DELAY_S if now - program.started_at > STEADY_S else program.delay_s
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        say(f"{program.label} {how}; starting it again in {program.delay_s:g} s")
        program.start_at = now + program.delay_s
        program.delay_s = min(program.delay_s * 2, LONGEST_DELAY_S)

    def _stop(self, now: float) -> None:
        is_first = self._stops_answered == 0
        self._stops_answered += 1
        if is_first:
            say("\nStopping. Requests that are being answered may finish; Ctrl-C again to end them.")
        for program in self._programs:
            if program.process is not None:
                program.kill_at = now + (program.stop_limit_s if is_first else HURRIED_S)
                program.tell(signal.SIGTERM)

    def _restart_all(self) -> None:
        say("==> The sources have changed: starting everything again")
        for program in self._programs:
            if program.process is not None and program.name != FRONTEND and program.kill_at == float("inf"):
                program.kill_at = time.monotonic() + program.stop_limit_s
                program.tell(signal.SIGTERM)


def read_procfile(path: Path) -> dict[str, str]:
    pairs = (line.partition(":")[::2] for line in path.read_text().splitlines() if line.strip())
    return {name.strip(): command.strip() for name, command in pairs}


def load_settings(host: str, port: str) -> ModuleType:
    """The project's settings, with what the command line says. Exits in words when something in them is wrong."""
    sys.path.insert(0, str(ROOT))
    from django.core.exceptions import ImproperlyConfigured

    from rubberduck.env import read_env_file

    try:
        if host or port:
            file = read_env_file(Path(os.environ.get("RUBBERDUCK_ENV_FILE") or ROOT / ".env"))
            bind = os.environ.get("RUBBERDUCK_WEB_BIND") or file.get("RUBBERDUCK_WEB_BIND") or "127.0.0.1:8000"
            set_host, _, set_port = bind.rpartition(":")
            host = host or set_host or "127.0.0.1"
            host = f"[{host}]" if ":" in host and not host.startswith("[") else host
            os.environ["RUBBERDUCK_WEB_BIND"] = f"{host}:{port or set_port}"
        from rubberduck import settings
    except ImproperlyConfigured as error:
        sys.exit(f"\n{error}")
    return settings


def is_running(settings: ModuleType) -> bool:
    """Whether a supervisor has the data directory."""
    with (settings.DATA_DIR / "supervisor.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def check_nothing_is_in_the_way(settings: ModuleType) -> None:
    """Exits in words when the data directory or the web port is taken."""
    if is_running(settings):
        sys.exit(
            f"\nRubberduck is already running for {settings.DATA_DIR}.\n"
            "A second copy needs a data directory and ports of its own: set RUBBERDUCK_DATA_DIR,\n"
            "RUBBERDUCK_WEB_BIND and RUBBERDUCK_PROXY_PORTS (.env.example explains them)."
        )
    host, port = settings.WEB_BIND
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen()
    except OSError as error:
        sys.exit(
            f"\nThe web address {host}:{port} cannot be used: {error.strerror or error}.\n"
            "Choose another one with make run PORT=8080 (and HOST=...), or RUBBERDUCK_WEB_BIND in .env."
        )


def prepare_database(command: str, environment: Mapping[str, str]) -> None:
    """Quiet unless it fails; then it exits in the command's words."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {command}"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"\n{done.stdout}{done.stderr}\nRubberduck did not start; the reason stands above.")


def source_times() -> object:
    """Changes when a Python file of the project does."""
    rooms = ("accounts", "logs", "providers", "proxies", "rubberduck")
    return {path: path.stat().st_mtime_ns for room in rooms for path in (ROOT / room).rglob("*.py")}


def web_answers(settings: ModuleType) -> bool:
    host, port = settings.WEB_BIND
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def greeting(settings: ModuleType) -> str:
    host, port = settings.WEB_BIND
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    manage = ".venv/bin/python manage.py"
    return f"""
  Rubberduck {settings.VERSION}

  Web      http://{shown}:{port}/
  Admin    http://{shown}:{port}/admin/
  API      http://{shown}:{port}/api/v1/docs
  Data     {settings.DATA_DIR}

  First account   http://{shown}:{port}/setup

  In another terminal
  First proxy     {manage} proxy create my-proxy --provider openai --start

  Ctrl-C stops everything.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="", help="the web's address; else RUBBERDUCK_WEB_BIND, else 127.0.0.1")
    parser.add_argument("--port", default="", help="the web's port; else RUBBERDUCK_WEB_BIND, else 8000")
    parser.add_argument(
        "--dev", action="store_true", help="debug on; everything starts again when a source file changes"
    )
    options = parser.parse_args()
    if options.dev:
        os.environ.setdefault("RUBBERDUCK_DEBUG", "1")
    settings = load_settings(options.host, options.port)
    check_nothing_is_in_the_way(settings)
    environment = {
        **os.environ,
        "PATH": f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}",
        "HOST": settings.WEB_BIND[0],
        "PORT": str(settings.WEB_BIND[1]),
        "PYTHONUNBUFFERED": "1",
    }
    commands = read_procfile(ROOT / "Procfile")
    prepare_database(commands.pop("release"), environment)
    if options.dev:
        commands[FRONTEND] = "npm --prefix frontend run watch"
    width = max(map(len, commands))
    programs = []
    for (name, command), colour in zip(commands.items(), COLOURS, strict=False):
        label = f"{name.ljust(width)} |"
        label = f"\033[{colour}m{label}\033[0m" if sys.stdout.isatty() else label
        limit_s = settings.DRAIN_S + SUPERVISOR_EXTRA_S if name == "supervisor" else STOP_LIMIT_S
        programs.append(Program(name, command, label, limit_s))

    first_run = FirstRun(environment, tie_to_runner)

    def greet() -> list[Program] | None:
        if not first_run.is_known or not web_answers(settings):
            return None
        say(greeting(settings))
        if not (first_run.is_first and first_run.offers()):
            return []
        # Without a name before its lines, for they are commands to copy.
        return [Program("demo", "python manage.py demo", "", STOP_LIMIT_S, is_lasting=False)]

    Runner(programs, environment, greet, source_times if options.dev else None).run()


if __name__ == "__main__":
    main()
