"""Emulated proxies over real sockets, in a thread of the test process: the data plane as a worker runs it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import uvloop

from providers.base import Origin
from providers.registry import get_provider
from proxies.dataplane.addresses import parse_upstream
from proxies.dataplane.app import ProxyApp
from proxies.dataplane.config import CacheConfig, CacheMode, EmulationConfig, ProxyConfig, RateLimitConfig
from proxies.dataplane.emulated_transport import EmulatedTransport
from proxies.dataplane.exchange import Clock, SystemClock
from proxies.dataplane.faults.grammar import read_rules
from proxies.dataplane.faults.rules import FaultConfig
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

    def __init__(
        self,
        provider: str,
        cache: CacheMode,
        emulation: EmulationConfig,
        upstream: Origin,
        faults: FaultConfig,
        rate_limit: RateLimitConfig,
        clock: Clock | None = None,
    ) -> None:
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
            faults=faults,
            rate_limit=rate_limit,
        )
        self.clock = clock or SystemClock()
        self.server: ProxyServer
        self.app: ProxyApp

    async def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        transport = EmulatedTransport(self.config, Transport())
        self.app = ProxyApp(
            self.config,
            store=TieredStore(MemoryStore(), None),
            sink=self.records,
            transport=transport,
            credentials=CredentialSource({}),
            digest_key=b"test",
            clock=self.clock,
        )
        self.server = ProxyServer(self.app, limits=ServerLimits())
        await self.server.start(self._listener)

    def swap(
        self, *, faults: list[Any] | None = None, rate_limit: dict[str, Any] | None = None, **faulting: Any
    ) -> None:
        """Other faults or another rate limit, as a worker takes them up; `faulting` are fields of FaultConfig."""
        changes: dict[str, Any] = {}
        if faults is not None:
            faulting["rules"] = read_rules(faults)
        if faulting:
            changes["faults"] = dataclasses.replace(self.config.faults, **faulting)
        if rate_limit is not None:
            changes["rate_limit"] = RateLimitConfig(**rate_limit)
        self.config = dataclasses.replace(self.config, **changes)
        self._loop_call(self.app.swap, self.config)

    def _loop_call(self, work: Callable[..., None], *values: Any) -> None:
        async def call() -> None:
            work(*values)

        asyncio.run_coroutine_threadsafe(call(), self.loop).result(20)


class EmulatedProxies:
    """Proxies made on demand, all in one thread's event loop: the workers' own kind unless another is given."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="emulated proxies", daemon=True)
        self._thread.start()
        self._made: list[EmulatedProxy] = []
        self._plain: dict[str, EmulatedProxy] = {}

    def proxy(
        self,
        provider: str,
        *,
        cache: str = "off",
        upstream: str = "emulated",
        faults: list[Any] | None = None,
        seed: int = 0,
        allows_header: bool = False,
        rate_limit: dict[str, Any] | None = None,
        clock: Clock | None = None,
        **emulation: Any,
    ) -> EmulatedProxy:
        """A proxy of its own. `faults`: rules as people write them; `rate_limit`: fields of RateLimitConfig;
        `emulation`: fields of EmulationConfig."""
        made = EmulatedProxy(
            provider,
            CacheMode(cache),
            EmulationConfig(**emulation),
            parse_upstream(upstream),
            FaultConfig(rules=read_rules(faults) if faults else (), seed=seed, allows_header=allows_header),
            RateLimitConfig(**(rate_limit or {})),
            clock,
        )
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
