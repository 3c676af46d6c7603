"""Which addresses this worker may connect to: the address policy in force, and never the proxy itself."""

from __future__ import annotations

import socket

from proxies.dataplane.addresses import address_refusal, is_own_address
from proxies.dataplane.config import ProxyConfig
from proxies.dataplane.transport import AddressRefused, OwnAddress

_ANYWHERE = ("0.0.0.0", "::")


class UpstreamPolicy:
    """The transport's `check_address`, under the proxy's configuration of the moment."""

    def __init__(self, config: ProxyConfig) -> None:
        self._config = config

    def swap(self, config: ProxyConfig) -> bool:
        """Takes the next configuration. True if it judges addresses otherwise: open connections were made under the
        old."""
        before, self._config = self._config, config
        return (before.may_reach_private, before.bind, before.port) != (
            config.may_reach_private,
            config.bind,
            config.port,
        )

    def check(self, ip: str, port: int) -> AddressRefused | None:
        """The error to raise instead of connecting, None when the address is fine."""
        config = self._config
        if port == config.port and (is_own_address(ip, config.bind) or (config.bind in _ANYWHERE and _is_local(ip))):
            return OwnAddress(f"{ip}:{port} is this proxy itself")
        if port == config.web_port and _is_local(ip):
            return AddressRefused(f"{ip}:{port} is the web interface of this installation")
        reason = address_refusal(ip, may_reach_private=config.may_reach_private)
        return None if reason is None else AddressRefused(reason)


def _is_local(ip: str) -> bool:
    """Whether an address is one of this machine's: only those can be bound."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((ip, 0))
    except OSError:
        return False
    return True
