"""What tests of the data plane share: event loops to run on, and an upstream played by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from proxies.dataplane.transport import Transport
from tests.proxies.dataplane.raw_upstream import RawUpstream, raw_upstream


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """A module that names LOOP_FACTORIES runs its async tests on each of them."""
    return getattr(item.module, "LOOP_FACTORIES", {"asyncio": asyncio.new_event_loop})


@pytest.fixture
async def upstream() -> AsyncIterator[RawUpstream]:
    async with raw_upstream() as running:
        yield running


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    made = Transport()
    yield made
    await made.aclose()
