"""A proxy's configuration with what a worker derives from it once: memos that live as long as the configuration does."""

from __future__ import annotations

import httpx

from providers.base import Call, Origin
from proxies.dataplane.cache_key import CacheKeys
from proxies.dataplane.config import ProxyConfig

_MAX_CALLS = 2048
_MAX_PATH_BYTES = 1024  # longer ones are not remembered: clients choose them


class Runtime:
    """One generation of a proxy in a worker. Running exchanges keep the one they started with."""

    __slots__ = ("_calls", "_urls", "config", "keys", "provider", "timeout")

    def __init__(self, config: ProxyConfig) -> None:
        self.config = config
        self.provider = config.provider
        self.keys = CacheKeys(config)
        self.timeout = {
            "connect": config.timeouts.connect_s,
            "read": config.timeouts.silence_s,
            "write": config.timeouts.silence_s,
            "pool": config.timeouts.connect_s,
        }
        self._calls: dict[tuple[str, bytes], Call] = {}
        self._urls: dict[Origin, httpx.URL] = {}

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

    def url(self, origin: Origin) -> httpx.URL:
        """The origin as an httpx.URL, which takes microseconds to build; the path travels in the request's `target` extension."""
        url = self._urls.get(origin)
        if url is None:
            if len(self._urls) >= _MAX_CALLS:
                self._urls.clear()
            url = self._urls[origin] = httpx.URL(scheme=origin.scheme, host=origin.host, port=origin.port, path="/")
        return url
