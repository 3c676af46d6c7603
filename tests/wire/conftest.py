"""The stand-in upstream, one per test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.wire.standin.client import StandIn


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A running stand-in; tests tell their requests apart by number or by salt, so nobody needs to reset it."""
    running = StandIn(tmp_path_factory.mktemp("standin"))
    yield running
    running.close()
