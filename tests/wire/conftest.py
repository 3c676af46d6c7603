"""The stand-in upstream and the Rubberduck in front of it, one of each per test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.process.conftest import make_database, worker_number  # noqa: F401  fixtures
from tests.wire.rubberduck import Rubberduck
from tests.wire.standin.client import StandIn


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A running stand-in; tests tell their requests apart by number or by salt, so nobody needs to reset it."""
    running = StandIn(tmp_path_factory.mktemp("standin"))
    yield running
    running.close()


@pytest.fixture(scope="session")
def untrusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Another stand-in, whose certificate nobody has been told to trust."""
    running = StandIn(tmp_path_factory.mktemp("untrusted"))
    yield running
    running.close()


@pytest.fixture(scope="session")
def rubberduck(
    tmp_path_factory: pytest.TempPathFactory,
    standin: StandIn,
    make_database: Callable[[Path], str],  # noqa: F811
    worker_number: int,  # noqa: F811
) -> Iterator[Rubberduck]:
    """A running installation whose proxies reach the stand-in under the providers' real host names."""
    directory = tmp_path_factory.mktemp("rubberduck")
    running = Rubberduck(directory, standin, make_database(directory), worker_number)
    yield running
    running.close()
