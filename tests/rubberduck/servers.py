"""Programs that stand beside Rubberduck on a server, for the length of a test: PostgreSQL, Redis, nginx."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts import postgres

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # nginx is not on everybody's


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, f"{process.args!r} has ended"
            assert time.monotonic() < deadline, f"nobody listens on {port}"
            time.sleep(0.02)


@contextlib.contextmanager
def running(
    command: Sequence[str], port: int, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The program while it runs; it listens on the port when this begins. Its environment is ours if none is given."""
    program = shutil.which(command[0], path=PATH)
    assert program, f"{command[0]} was not found"
    process = subprocess.Popen([program, *command[1:]], env=environment, stdin=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait()


def running_web(
    port: int, environment: Mapping[str, str]
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """The web server alone."""
    command = [sys.executable, "-m", "daphne", "--port", str(port), "--verbosity", "0", "rubberduck.asgi:application"]
    return running(command, port, {**environment, "PYTHONPATH": str(ROOT)})


def redis_command(port: int, *options: str) -> list[str]:
    return ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--loglevel", "warning", *options]


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server that believes everybody. Its superuser is postgres, and its socket lies in `directory`."""

    port: int
    directory: Path

    @property
    def environment(self) -> dict[str, str]:
        """For createuser, createdb, pg_dump and their kind."""
        return {"PGPORT": str(self.port), "PATH": f"{postgres.programs()}:{PATH}"}


@contextlib.contextmanager
def postgres_cluster() -> Iterator[Cluster]:
    user, programs = postgres.unprivileged(), postgres.programs()
    directory = Path(tempfile.mkdtemp(prefix="rubberduck-cluster-"))  # a short path: a socket's has 107 characters
    try:
        if user:
            shutil.chown(directory, user.pw_uid, user.pw_gid)
        directory.chmod(0o755)
        data, port = str(directory / "data"), free_port()
        initdb = [str(programs / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
        switch = postgres.become(user)
        subprocess.run([*initdb, "--no-sync"], check=True, preexec_fn=switch, cwd=directory, stdout=subprocess.DEVNULL)
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(directory), "-c", "fsync=off"]
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen(
                [str(programs / "postgres"), "-D", data, *options],
                preexec_fn=switch,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            wait_for_port(port, server)
            yield Cluster(port, directory)
        finally:
            server.send_signal(signal.SIGQUIT)  # at once
            server.wait()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
