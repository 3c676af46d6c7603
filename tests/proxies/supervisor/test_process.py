"""Forking, tried in processes of its own: a test run has threads and loops that forbid it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from proxies.supervisor.exit_codes import ExitCode, end_in_words
from proxies.supervisor.process import is_alive, process_started

ROOT = Path(__file__).resolve().parents[3]
PREAMBLE = """
import os, signal, socket, sys, threading, time
import django
django.setup()
from django.db import connection
from proxies.supervisor.exit_codes import ExitCode
from proxies.supervisor.process import ForkRefused, assert_may_fork, fork_child, process_started
"""


def _run(code: str, tmp_path: Path, **variables: str) -> str:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "rubberduck.settings",
        "RUBBERDUCK_DATA_DIR": str(tmp_path),
        "RUBBERDUCK_ENV_FILE": "",
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + code], env=environment, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


REFUSAL = """
try:
    assert_may_fork()
    print("allowed")
except ForkRefused as error:
    print(error)
os._exit(0)
"""


def test_a_process_with_nothing_to_share_may_fork(tmp_path: Path) -> None:
    assert _run("sys.stdout.reconfigure(line_buffering=True)" + REFUSAL, tmp_path) == "allowed"


def test_a_second_thread_forbids_the_fork(tmp_path: Path) -> None:
    code = """
sys.stdout.reconfigure(line_buffering=True)
threading.Thread(target=time.sleep, args=(600,), name="sleeper", daemon=True).start()
"""
    assert _run(code + REFUSAL, tmp_path) == "threads are running: MainThread, sleeper (2 in all)"


def test_an_epoll_forbids_the_fork(tmp_path: Path) -> None:
    code = """
sys.stdout.reconfigure(line_buffering=True)
import select
poller = select.epoll()
"""
    assert _run(code + REFUSAL, tmp_path).endswith("is an epoll: some import built an event loop")


def test_a_closed_connection_that_sqlite_has_kept_open_forbids_the_fork(tmp_path: Path) -> None:
    code = """
sys.stdout.reconfigure(line_buffering=True)
cursor = connection.cursor().cursor.execute("SELECT 1 UNION SELECT 2")
connection.close()
"""
    said = _run(code + REFUSAL, tmp_path, DATABASE_URL="")
    assert said.endswith("is the database: a closed connection has left it open")


def test_an_open_database_connection_forbids_the_fork(tmp_path: Path) -> None:
    code = """
sys.stdout.reconfigure(line_buffering=True)
connection.ensure_connection()
"""
    assert _run(code + REFUSAL, tmp_path) == "a database connection is open"


def test_the_modules_of_the_supervisor_leave_nothing_that_forbids_the_fork(tmp_path: Path) -> None:
    code = """
sys.stdout.reconfigure(line_buffering=True)
from proxies.supervisor import loop, worker
worker.prepare()
"""
    assert _run(code + REFUSAL, tmp_path) == "allowed"


def test_every_emulator_and_fault_is_loaded_once_for_all_workers(tmp_path: Path) -> None:
    code = """
from proxies.supervisor import worker
worker.prepare()
from providers.registry import all_providers
names = [f"providers.{room}.{name}" for room in ("emulated", "faults") for name in all_providers()]
print(all(name in sys.modules for name in [*names, "proxies.dataplane.faults.hang"]))
"""
    assert _run(code, tmp_path) == "True"


def test_a_child_inherits_nothing_but_what_it_is_given(tmp_path: Path) -> None:
    code = """
given, other = socket.socket(), socket.socket()
signal.signal(signal.SIGTERM, lambda number, frame: None)

def main(channel):
    names = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            names.add((int(name), os.readlink(f"/proc/self/fd/{name}").partition(":")[0]))
        except OSError:
            pass
    kept = {number for number, kind in names if number > 2 and kind == "socket"}
    channel.send(
        "ready",
        sockets=kept == {channel.fileno(), given.fileno()},
        session=os.getsid(0) == os.getpid(),
        default_signal=signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
        unblocked=signal.pthread_sigmask(signal.SIG_BLOCK, []) == set(),
        name=open("/proc/self/comm").read().strip(),
        stdin=os.readlink("/proc/self/fd/0"),
    )
    return ExitCode.BOOT_FAILED

child = fork_child(main, name="duck:8001", keep=[given.fileno()])
started = process_started(child.pid)
_, status = os.waitpid(child.pid, 0)
message = child.channel.receive()[0]
print(message, os.waitstatus_to_exitcode(status), started in ("", child.started), sep="|")
"""
    assert _run(code, tmp_path) == (
        "{'type': 'ready', 'sockets': True, 'session': True, 'default_signal': True, 'unblocked': True, "
        f"'name': 'duck:8001', 'stdin': '/dev/null'}}|{ExitCode.BOOT_FAILED}|True"
    )


def test_an_unexpected_error_in_a_child_is_shown_and_has_an_exit_code(tmp_path: Path) -> None:
    code = """
os.dup2(1, 2)

def main(channel):
    raise ValueError("not foreseen")

child = fork_child(main, name="duck:8001")
_, status = os.waitpid(child.pid, 0)
print(os.waitstatus_to_exitcode(status))
"""
    lines = _run(code, tmp_path).splitlines()
    assert lines[-2:] == ["ValueError: not foreseen", str(int(ExitCode.CRASHED))]


def test_a_process_is_known_by_its_pid_and_its_start() -> None:
    child = subprocess.Popen(["sleep", "600"])
    try:
        started = process_started(child.pid)
        assert is_alive(child.pid, started)
        assert not is_alive(child.pid, "1-0")
        assert not is_alive(child.pid, "")
    finally:
        child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie from here on
    assert not is_alive(child.pid, started)
    child.wait()


def test_ends_are_told_in_words() -> None:
    assert end_in_words(9) == "was ended by SIGKILL"
    assert end_in_words(0) == "ended by itself"
    assert end_in_words(ExitCode.BOOT_FAILED << 8) == "could not start serving"
    assert end_in_words(77 << 8) == "ended with code 77"
    assert end_in_words(62) == "was ended by signal 62"


LIMITED = """
import resource
from proxies.supervisor.process import OPEN_FILES, raise_file_limit
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
raise_file_limit()
wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
print(resource.getrlimit(resource.RLIMIT_NOFILE) == (wanted, hard))
resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
raise_file_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE) == (wanted, wanted))
"""


def test_as_many_files_may_be_open_as_the_system_allows(tmp_path: Path) -> None:
    assert _run(LIMITED, tmp_path) == "True\nTrue"
