"""Emulated proxies over real sockets, in a thread of the test process: the data plane as a worker runs it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from concurrent.futures import Future
from typing import Any

import uvloop

from providers.base import Origin
from providers.registry import get_provider
from proxies.dataplane.addresses import parse_upstream
from proxies.dataplane.app import ProxyApp
from proxies.dataplane.config import CacheConfig, CacheMode, EmulationConfig, ProxyConfig
from proxies.dataplane.emulated_transport import EmulatedTransport
from proxies.dataplane.records import RequestRecord
from proxies.dataplane.signing import CredentialSource
from proxies.dataplane.stores.memory import MemoryStore
from proxies.dataplane.stores.tiered import TieredStore
from proxies.dataplane.transport import Transport
from proxies.supervisor.server import ProxyServer, ServerLimits


class Records:
    """A record sink that keeps what it is given, as plain data."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def write(self, record: RequestRecord) -> None:
        self._lines.append(record.line())

    @property
    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self._lines)]


class EmulatedProxy:
    """One proxy. `url` is its base URL, without a path; `records` what it has logged."""

    def __init__(self, provider: str, cache: CacheMode, emulation: EmulationConfig, upstream: Origin) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.records = Records()
        self.config = ProxyConfig(
            1,
            "emulated",
            get_provider(provider),
            bind="127.0.0.1",
            port=self.port,
            upstream=upstream,
            cache=CacheConfig(mode=cache),
            emulation=emulation,
        )
        self.server: ProxyServer

    async def start(self) -> None:
        transport = EmulatedTransport(self.config, Transport())
        app = ProxyApp(
            self.config,
            store=TieredStore(MemoryStore(), None),
            sink=self.records,
            transport=transport,
            credentials=CredentialSource({}),
            digest_key=b"test",
        )
        self.server = ProxyServer(app, limits=ServerLimits())
        await self.server.start(self._listener)


class EmulatedProxies:
    """Proxies made on demand, all in one thread's event loop: the workers' own kind unless another is given."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="emulated proxies", daemon=True)
        self._thread.start()
        self._made: list[EmulatedProxy] = []
        self._plain: dict[str, EmulatedProxy] = {}

    def proxy(
        self, provider: str, *, cache: str = "off", upstream: str = "emulated", **emulation: Any
    ) -> EmulatedProxy:
        """A proxy of its own; `emulation` are fields of EmulationConfig."""
        made = EmulatedProxy(provider, CacheMode(cache), EmulationConfig(**emulation), parse_upstream(upstream))
        self._run(made.start())
        self._made.append(made)
        return made

    def url(self, provider: str) -> str:
        """The base URL of a proxy with default settings and no cache, the same one for every test."""
        if provider not in self._plain:
            self._plain[provider] = self.proxy(provider)
        return self._plain[provider].url

    def _run(self, work: Any) -> None:
        done: Future[None] = asyncio.run_coroutine_threadsafe(work, self._loop)
        done.result(20)

    def close(self) -> None:
        for made in self._made:
            self._run(made.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()
