"""A proxy's configuration with what a worker derives from it once: memos that live as long as the configuration
does."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from providers.base import Call, Header, Origin
from proxies.dataplane.cache_key import CacheKeys
from proxies.dataplane.config import ProxyConfig

_MAX_CALLS = 2048
_MAX_PATH_BYTES = 1024  # longer ones are not remembered: clients choose them


@dataclass(frozen=True, slots=True)
class Destination:
    """An origin as requests need it. An httpx.URL takes microseconds to build; the path travels in the request's
    `target` extension."""

    url: httpx.URL
    host: Header
    endpoint: str  # as the record names it


class Runtime:
    """One generation of a proxy in a worker. Running exchanges keep the one they started with."""

    __slots__ = (
        "_calls", "_destinations", "config", "keys", "limits_all", "limits_misses", "may_fault", "provider", "timeout",
    )  # fmt: skip

    def __init__(self, config: ProxyConfig) -> None:
        self.config = config
        self.provider = config.provider
        self.keys = CacheKeys(config)
        limit = config.rate_limit
        self.limits_all = limit.is_on and limit.counts_hits
        self.limits_misses = limit.is_on and not limit.counts_hits
        self.may_fault = config.faults.may_act
        self.timeout = {
            "connect": config.timeouts.connect_s,
            "read": config.timeouts.silence_s,
            "write": config.timeouts.silence_s,
            "pool": config.timeouts.connect_s,
        }
        self._calls: dict[tuple[str, bytes], Call] = {}
        self._destinations: dict[Origin, Destination] = {}

    def call(self, method: str, path: bytes) -> Call:
        """What a method and a path mean, from a bounded memo."""
        call = self._calls.get((method, path))
        if call is None:
            call = self.provider.match(method, path)
            if len(path) <= _MAX_PATH_BYTES:
                if len(self._calls) >= _MAX_CALLS:
                    self._calls.clear()
                self._calls[(method, path)] = call
        return call

    def destination(self, origin: Origin) -> Destination:
        """What requests to an origin have in common, from a bounded memo."""
        destination = self._destinations.get(origin)
        if destination is None:
            if len(self._destinations) >= _MAX_CALLS:
                self._destinations.clear()
            destination = self._destinations[origin] = Destination(
                httpx.URL(scheme=origin.scheme, host=origin.host, port=origin.port, path="/"),
                (b"Host", origin.authority.encode("ascii")),
                origin.endpoint,
            )
        return destination
