"""Ports for proxies: the next free one of the configured range."""

from __future__ import annotations

import errno
import socket

from django.conf import settings

from proxies.errors import NoFreePort
from proxies.models import Proxy


def next_free_port(bind: str, *, besides: frozenset[int] = frozenset()) -> int:
    """The lowest port of the range that no proxy has and that can be bound on `bind` now. Raises NoFreePort.

    Another process may take it a moment later; the unique constraint and the supervisor's bind have the last word.
    """
    low, high = settings.PROXY_PORTS
    taken = set(Proxy.objects.filter(port__range=(low, high)).values_list("port", flat=True))
    taken |= besides | {settings.WEB_BIND[1]}
    for port in range(low, high + 1):
        if port not in taken and can_be_bound(bind, port):
            return port
    raise NoFreePort(
        fields={"port": f"Every port from {low} to {high} is taken; name another one or widen RUBBERDUCK_PROXY_PORTS."}
    )


def can_be_bound(bind: str, port: int) -> bool:
    """Whether nobody listens there now."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
            # With SO_REUSEADDR a second bind succeeds until somebody listens.
            probe.listen(1)
        except OSError as error:
            # An address this machine lacks is the supervisor's to report; it says nothing about the port.
            return error.errno == errno.EADDRNOTAVAIL
    return True
