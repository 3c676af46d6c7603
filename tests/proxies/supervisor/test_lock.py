"""One supervisor per data directory."""

from __future__ import annotations

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
    (tmp_path / "supervisor.lock").symlink_to("/dev/full")
    lock = DataDirectoryLock(tmp_path)
    lock.take()
    assert lock._descriptor is not None
    with pytest.raises(AlreadyRunning):
        DataDirectoryLock(tmp_path).take()
