"""Runs a command with DATABASE_URL naming a PostgreSQL server of its own, which is gone afterwards.

Usage: postgres.py COMMAND ARGUMENT...
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

START_LIMIT_S = 60


def programs() -> Path:
    """The directory of initdb and pg_ctl; Debian keeps it off the PATH. Exits in words when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        sys.exit("PostgreSQL was not found. On Debian and Ubuntu: sudo apt install postgresql")
    return found[-1].parent if found else Path(str(on_path)).resolve().parent


def unprivileged() -> pwd.struct_passwd | None:
    """Who the server runs as: PostgreSQL refuses root. None when we are not root and may stay who we are."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    sys.exit("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as.")


def become(user: pwd.struct_passwd | None) -> Callable[[], None] | None:
    if user is None:
        return None

    def switch() -> None:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)

    return switch


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def main() -> int:
    user, bin_dir = unprivileged(), programs()
    home = Path(tempfile.mkdtemp(prefix="rubberduck-postgres-"))
    try:
        if user:
            os.chown(home, user.pw_uid, user.pw_gid)
        data, port = home / "data", free_port()

        def server(*command: str | Path) -> None:
            done = subprocess.run(
                command,
                cwd=home,
                preexec_fn=become(user),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                check=False,
            )
            if done.returncode:
                sys.exit(f"This failed: {' '.join(map(str, command))}")

        server(
            bin_dir / "initdb", "-D", data, "-U", "rubberduck", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )
        # Nothing of this outlives the run, so nothing needs to be forced to the disk.
        options = f"-h 127.0.0.1 -p {port} -k {home} -c fsync=off -c max_connections=300"
        server(
            bin_dir / "pg_ctl", "-D", data, "-w", "-t", str(START_LIMIT_S), "-l", home / "log", "-o", options, "start"
        )
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        try:
            url = f"postgresql://rubberduck@127.0.0.1:{port}/postgres"
            return subprocess.run(sys.argv[1:], env={**os.environ, "DATABASE_URL": url}, check=False).returncode
        finally:
            server(bin_dir / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
