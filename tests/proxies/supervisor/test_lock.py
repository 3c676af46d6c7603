"""One supervisor per data directory."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from proxies.supervisor.lock import AlreadyRunning, DataDirectoryLock

HOLDS = """
import sys
from pathlib import Path
from proxies.supervisor.lock import DataDirectoryLock
lock = DataDirectoryLock(Path(sys.argv[1]))
lock.take()
print("taken", flush=True)
sys.stdin.read()
"""


def test_a_taken_lock_names_its_holder_and_is_free_after_the_holder_was_killed(tmp_path: Path) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "taken\n"
        with pytest.raises(AlreadyRunning, match=rf"another supervisor \(pid {holder.pid}\) already runs for "):
            DataDirectoryLock(tmp_path).take()
        holder.kill()
    lock = DataDirectoryLock(tmp_path)
    lock.take()
    with pytest.raises(AlreadyRunning):
        DataDirectoryLock(tmp_path).take()


def test_a_full_disk_does_not_keep_the_lock_from_being_taken(tmp_path: Path) -> None:
    lock = DataDirectoryLock(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # every write to a file fails, as on a full disk
    try:
        lock.take()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "supervisor.lock").read_bytes() == b""
    with pytest.raises(AlreadyRunning):
        DataDirectoryLock(tmp_path).take()
