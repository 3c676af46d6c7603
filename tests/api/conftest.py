"""One web server for the tests of the whole API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.serving import ApiServer
from tests.process.conftest import make_database, ports, worker_number

__all__ = ["make_database", "ports", "worker_number"]


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, make_database: Callable[[Path], str], ports: Iterator[int]
) -> Iterator[ApiServer]:
    directory = tmp_path_factory.mktemp("api")
    server = ApiServer(directory, make_database(directory), ports)
    yield server
    server.close()
