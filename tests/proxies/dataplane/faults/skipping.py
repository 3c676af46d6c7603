"""An event loop that does not wait: its clock stands still, and when nothing but timers is left it is moved to the next
one."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
from collections.abc import AsyncIterator
from typing import Any

from proxies.dataplane.faults.base import Fault
from tests.proxies.dataplane.faults.faulty import faulty
from tests.proxies.dataplane.proxying import Proxying

_KERNEL_S = 0.002  # what is on its way within this machine is there by then


class _Selector(selectors.DefaultSelector):
    """Looks at what is ready, and moves the clock instead of waiting for it."""

    moved_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(_KERNEL_S)
        if not ready:
            self.moved_s += timeout
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    """Time passes by its timers alone: for tests whose every peer runs in this loop."""

    def __init__(self) -> None:
        self._moving = _Selector()
        super().__init__(self._moving)

    def time(self) -> float:
        return 1000.0 + self._moving.moved_s


SKIPPING = {"skipping": SkippingLoop}  # for a module's LOOP_FACTORIES


def since(began_at: float) -> float:
    """Seconds on the loop's clock."""
    return asyncio.get_running_loop().time() - began_at


@contextlib.asynccontextmanager
async def slowed(*faults: Fault) -> AsyncIterator[Proxying]:
    """A proxy that keeps the loop's time; every request meets the faults."""
    async with faulty(*faults) as proxy:
        proxy.clock.monotonic = asyncio.get_running_loop().time
        yield proxy
