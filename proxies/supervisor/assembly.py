"""A proxy's data plane, put together: the app with the store, record sink, transport and credentials it works on."""

from __future__ import annotations

import hmac
import os
import ssl
from functools import cache

from django.conf import settings

from proxies.dataplane.app import ProxyApp
from proxies.dataplane.config import ProxyConfig
from proxies.dataplane.emulated_transport import EmulatedTransport
from proxies.dataplane.records import RecordSink, RequestRecord
from proxies.dataplane.signing import CredentialSource
from proxies.dataplane.stock_transport import StockTransport
from proxies.dataplane.stores.memory import MemoryStore
from proxies.dataplane.stores.tiered import TieredStore
from proxies.dataplane.transport import Transport, make_ssl_context
from proxies.dataplane.upstream_policy import UpstreamPolicy
from proxies.supervisor.store_db import DatabaseStore


class NoLog:
    """A record sink for warming up: forgets what it takes."""

    def write(self, record: RequestRecord) -> None:
        pass


class Assembly:
    """A proxy's app with the parts it works on; they outlive a configuration. Opens nothing when made.

    `lasting` None: recordings are kept in memory only.
    """

    def __init__(self, config: ProxyConfig, *, sink: RecordSink, lasting: DatabaseStore | None) -> None:
        self._policy = UpstreamPolicy(config)
        self._lasting = lasting
        self._memory = MemoryStore(settings.MEMORY_CACHE_BYTES)
        self._transport = self._make_transport()
        self._emulated = EmulatedTransport(config, self._transport)
        self.app = ProxyApp(
            config,
            store=TieredStore(self._memory, lasting),
            sink=sink,
            transport=self._emulated,
            credentials=CredentialSource(os.environ),
            digest_key=_digest_key(),
        )

    def swap(self, config: ProxyConfig) -> None:
        self.app.swap(config)
        self._emulated.swap(config)
        if self._policy.swap(config):
            self._transport.forget_connections()
        if self._lasting is not None:
            # Single recordings may have been deleted; configurations change rarely enough to read the others again.
            self._memory.purge_now()

    async def close(self, limit_s: float) -> None:
        """Writes the recordings not yet written, for at most `limit_s`, and closes the upstream connections."""
        if self._lasting is not None:
            await self._lasting.stop(limit_s)
        await self._transport.aclose()

    def _make_transport(self) -> Transport | StockTransport:
        made = StockTransport if settings.TRANSPORT == "httpx" else Transport
        return made(ssl_context=_ssl_context(), connect_to=settings.CONNECT_TO, check_address=self._policy.check)


@cache
def _ssl_context() -> ssl.SSLContext:
    ca_file = settings.UPSTREAM_CA_FILE
    return make_ssl_context(None if ca_file is None else str(ca_file))


def _digest_key() -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), b"nearest recording", "sha256")
