"""Installations for process tests: each has its own data directory, database and ports."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.process.deployment import ROOT, Deployment
from tests.process.upstream import Upstream

FIRST_PORT = 20_000  # below the ports the system hands out by itself
PORTS_PER_WORKER = 400


@pytest.fixture(scope="session")
def ports(worker_number: int) -> Iterator[int]:
    """Ports nobody listens on, never the same twice; each worker of a parallel run has a range of its own."""
    first = FIRST_PORT + worker_number * PORTS_PER_WORKER
    return (port for port in itertools.cycle(range(first, first + PORTS_PER_WORKER)) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.fixture(scope="session")
def worker_number() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def make_database(tmp_path_factory: pytest.TempPathFactory, worker_number: int) -> Iterator[Callable[[Path], str]]:
    """Makes a migrated database for a data directory and returns its URL ("" is SQLite in that directory)."""
    url = os.environ.get("DATABASE_URL", "")
    template_dir = tmp_path_factory.mktemp("template")
    if not url.startswith("postgres"):
        _migrate(template_dir, "")

        def copy_file(directory: Path) -> str:
            shutil.copy(template_dir / "db.sqlite3", directory / "db.sqlite3")
            return ""

        yield copy_file
        return
    base, _, query = url.partition("?")
    server = base.rpartition("/")[0]
    suffix = f"?{query}" if query else ""
    # Other packages of tests have this fixture too, each in a copy of its own.
    mark = secrets.token_hex(4)
    names = (f"process_{worker_number}_{mark}_{number}" for number in itertools.count())
    template = next(names)
    made: list[str] = []
    with psycopg.connect(url, autocommit=True) as connection:

        def create(name: str, options: str) -> str:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[call-overload]
            connection.execute(f"CREATE DATABASE {name} {options}")  # type: ignore[call-overload]
            made.append(name)
            return f"{server}/{name}{suffix}"

        _migrate(template_dir, create(template, ""))
        yield lambda directory: create(next(names), f"TEMPLATE {template}")
        for name in reversed(made):
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[call-overload]


def _migrate(directory: Path, database_url: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "RUBBERDUCK_ENV_FILE": "",
        "RUBBERDUCK_DATA_DIR": str(directory),
        "DATABASE_URL": database_url,
    }
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "-v0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def deployment(tmp_path: Path, make_database: Callable[[Path], str], ports: Iterator[int]) -> Iterator[Deployment]:
    deployment = Deployment(tmp_path, make_database(tmp_path), ports)
    yield deployment
    deployment.close()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream("one") as upstream:
        yield upstream


@pytest.fixture
async def other_upstream() -> AsyncIterator[Upstream]:
    async with Upstream("two") as upstream:
        yield upstream
