"""The proxies with faults that the tests of this directory talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulated.serving import EmulatedProxies


@pytest.fixture(scope="session")
def emulated() -> Iterator[EmulatedProxies]:
    proxies = EmulatedProxies()
    yield proxies
    proxies.close()
