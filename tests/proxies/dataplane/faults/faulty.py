"""Proxies whose every request meets given faults, and how their replies end on the wire."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from proxies.dataplane.faults.base import Fault
from proxies.dataplane.faults.rules import FaultConfig, Rule
from tests.proxies.dataplane.proxying import Client, Got, Proxying, proxying
from tests.proxies.supervisor.h2_client import H2Client
from tests.proxies.supervisor.serving import RawClient


def always(*faults: Fault) -> FaultConfig:
    return FaultConfig(rules=tuple(Rule(str(number), fault) for number, fault in enumerate(faults, 1)))


@contextlib.asynccontextmanager
async def faulty(*faults: Fault, provider: str = "openai", **settings: Any) -> AsyncIterator[Proxying]:
    """A proxy to a scripted upstream; `settings` as for `proxying`."""
    async with proxying(provider, faults=always(*faults), **settings) as proxy:
        yield proxy


@dataclass
class Broken:
    """A reply up to where its connection ended. `got` None: not even a head came."""

    got: Got | None
    body: bytes  # as framed
    is_reset: bool


async def broken(client: Client) -> Broken:
    """Reads a connection to its end."""
    raw = b""
    is_reset = False
    while True:
        try:
            async with asyncio.timeout(20):
                data = await asyncio.get_running_loop().sock_recv(client.sock, 65536)
        except ConnectionResetError:
            is_reset = True
            break
        if not data:
            break
        raw += data
    if not raw:
        return Broken(None, b"", is_reset)
    client.received = raw
    head = await client.head()
    return Broken(head, client.received, is_reset)


async def ask(proxy: Proxying, raw: bytes) -> Broken:
    """One request over a connection of its own, to the connection's end."""
    return await broken(await proxy.send(raw))


@dataclass
class _Port:
    port: int

    def client(self) -> RawClient:
        return RawClient(self.port)


def http2_client(port: int) -> H2Client:
    """Blocks, as all of it does: for a thread of its own."""
    return H2Client(_Port(port))  # type: ignore[arg-type]  # it only asks for a socket


@dataclass
class Stream:
    """A reply over HTTP/2. `reset`: the error code of RST_STREAM."""

    head: dict[str, str] | None
    body: bytes
    is_ended: bool
    reset: int | None


async def ask_http2(proxy: Proxying, body: bytes, path: str = "/v1/chat/completions") -> list[Stream]:
    """The same JSON request twice over one HTTP/2 connection, one after the other."""

    def work() -> list[Stream]:
        seen = []
        with http2_client(proxy.port) as client:
            for _ in range(2):
                number = client.ask(
                    [
                        (":method", "POST"), (":scheme", "http"), (":authority", "proxy.test"), (":path", path),
                        ("content-type", "application/json"), ("content-length", str(len(body))),
                    ],
                    body,
                )  # fmt: skip
                client.until(lambda number=number: number in client.ended or number in client.resets)
                seen.append(
                    Stream(
                        client.heads.get(number),
                        b"".join(client.bodies.get(number, [])),
                        number in client.ended,
                        client.resets.get(number),
                    )
                )
        return seen

    return await asyncio.to_thread(work)
