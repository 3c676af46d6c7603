"""The raw ASGI callable of one proxy: bytes in, an Exchange through the pipeline, bytes out."""

from __future__ import annotations

from typing import Any

import httpx

from proxies.dataplane.config import ProxyConfig
from proxies.dataplane.delivery import Delivery
from proxies.dataplane.exchange import Clock, Exchange, Receive, Send, SystemClock
from proxies.dataplane.faulting import Faulting
from proxies.dataplane.forwarding import Forwarding
from proxies.dataplane.limiting import Limiting
from proxies.dataplane.misses import Explainer
from proxies.dataplane.pipeline import Pipeline
from proxies.dataplane.records import RecordSink
from proxies.dataplane.replaying import Replaying
from proxies.dataplane.runtime import Runtime
from proxies.dataplane.signing import CredentialSource
from proxies.dataplane.single_flight import SingleFlight
from proxies.dataplane.stores.tiered import TieredStore
from proxies.dataplane.upstream import Upstream

_SYSTEM_CLOCK = SystemClock()


class ProxyApp:
    """Serves one proxy. `swap` gives it a new configuration; running exchanges finish under the old one.

    `transport` is called with raw httpx requests, `credentials` resolves references, `digest_key` keys the digests by
    which a replay miss finds the nearest recording.
    """

    def __init__(
        self,
        config: ProxyConfig,
        *,
        store: TieredStore,
        sink: RecordSink,
        transport: httpx.AsyncBaseTransport,
        credentials: CredentialSource,
        digest_key: bytes,
        clock: Clock = _SYSTEM_CLOCK,
    ) -> None:
        self.runtime = Runtime(config)
        self.flights = SingleFlight(config.limits.recording_bytes)
        self._clock = clock
        explainer = Explainer(digest_key)
        self._limiting = Limiting(config, clock)
        self._faulting = Faulting(config, clock)
        self._pipeline = Pipeline(
            self._limiting,
            self._faulting,
            Replaying(store, explainer, clock),
            Forwarding(Upstream(transport, credentials, clock), self.flights, store, explainer, clock),
            Delivery(sink, clock, self._limiting),
        )

    def swap(self, config: ProxyConfig) -> None:
        """Takes effect for every exchange that starts from now on."""
        self.runtime = Runtime(config)
        self._limiting.swap(config)
        self._faulting.swap(config)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        runtime = self.runtime
        task = scope["extensions"]["rubberduck"].task  # asyncio.current_task() costs a system call
        call = runtime.call(scope["method"], scope["raw_path"])
        await self._pipeline.run(Exchange(scope, receive, send, runtime, call, task, self._clock))
