"""Tries the way to a proxy's upstream: its address is looked up, judged and connected to, as a worker would do it."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass

import httpx
from django.conf import settings

from providers.base import Origin
from proxies.dataplane.addresses import parse_upstream
from proxies.dataplane.config import ProxyConfig
from proxies.dataplane.transport import AddressRefused, addresses_to_dial, make_ssl_context
from proxies.dataplane.upstream import connect_words, tls_words
from proxies.dataplane.upstream_policy import UpstreamPolicy
from proxies.models import Proxy
from proxies.snapshot import load_config

MOST_S = 10.0


@dataclass(frozen=True, slots=True)
class UpstreamCheck:
    """`stage`: how far it came: none (there is nothing to connect to), resolve, policy, connect, tls, done. `is_ok`
    None: it cannot be said. `message` in the words a proxy has for it."""

    is_ok: bool | None
    stage: str
    message: str
    upstream: str
    tls: str
    duration_ms: float


def check_upstream(proxy: Proxy) -> UpstreamCheck:
    """Blocks, for the proxy's time to connect at most. Raises Proxy.DoesNotExist."""
    config = load_config(proxy.pk)
    text = proxy.upstream or config.provider.default_upstream or ""
    if text == "emulated":
        return UpstreamCheck(True, "none", "This proxy answers by itself; there is no upstream.", text, "", 0.0)
    if not text:
        words = "Each request tells the upstream, by its region or location; there is no single address to try."
        return UpstreamCheck(None, "none", words, "", "", 0.0)
    origin = parse_upstream(text)
    started = time.monotonic()
    stage, message, tls = asyncio.run(_try(origin, config))
    duration_ms = round((time.monotonic() - started) * 1000, 1)
    return UpstreamCheck(stage == "done", stage, message, text, tls, duration_ms)


async def _try(origin: Origin, config: ProxyConfig) -> tuple[str, str, str]:
    """Stage, message, TLS version."""
    name = origin.authority
    host, port = config.connect_to.get((origin.host, origin.port), ("", origin.port))
    limit_s = min(config.timeouts.connect_s, MOST_S)
    try:
        async with asyncio.timeout(limit_s):
            addresses = [host] if host else await addresses_to_dial(origin.host, port, UpstreamPolicy(config).check)
            return await _connect(origin, addresses, port)
    except AddressRefused as error:
        return "policy", f"The upstream {name} may not be used: {error}.", ""
    except httpx.ConnectError as error:
        return "resolve", f"The upstream {name} cannot be reached: {connect_words(error.__cause__ or error)}.", ""
    except TimeoutError:
        return "connect", f"The upstream {name} did not accept a connection in {limit_s:g} s.", ""


def _context() -> ssl.SSLContext:
    ca_file = settings.UPSTREAM_CA_FILE
    return make_ssl_context(None if ca_file is None else str(ca_file))


async def _connect(origin: Origin, addresses: list[str], port: int) -> tuple[str, str, str]:
    context = _context() if origin.scheme == "https" else None
    refusal: OSError = ConnectionRefusedError()
    for address in addresses:
        try:
            _, writer = await asyncio.open_connection(
                address, port, ssl=context, server_hostname=origin.host if context else None
            )
        except ssl.SSLError as error:
            return "tls", f"No trusted TLS connection to the upstream {origin.authority}: {tls_words(error)}.", ""
        except OSError as error:
            refusal = error
            continue
        session = writer.get_extra_info("ssl_object")
        writer.transport.abort()
        return "done", f"The upstream {origin.authority} accepts connections.", session.version() if session else ""
    return "connect", f"The upstream {origin.authority} cannot be reached: {connect_words(refusal)}.", ""
