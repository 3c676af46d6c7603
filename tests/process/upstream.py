"""An upstream on loopback that says who it is, and clients that count what became of their requests."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


class Upstream:
    """Answers every request with its label, `?delay=SECONDS` later."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.port = 0
        self.requests = 0
        self.is_asked = asyncio.Event()
        self._server: asyncio.Server
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Upstream:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                self.is_asked.set()
                target = head.split(b" ", 2)[1]
                if b"delay=" in target:
                    await asyncio.sleep(float(target.partition(b"delay=")[2]))
                body = self.label.encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._serving.discard(task)
            writer.close()


@dataclass
class Tally:
    """What became of the requests: `answers` by body, `refused` connections, `lost`: accepted and never answered.

    `ids`: those of the answered requests, as the proxy named them.
    """

    answers: Counter[str] = field(default_factory=Counter)
    ids: set[str] = field(default_factory=set)
    refused: int = 0
    lost: list[str] = field(default_factory=list)

    def answered(self, head: bytes, body: str) -> None:
        self.answers[body] += 1
        self.ids.add(head.partition(b"x-rubberduck-request-id: ")[2].partition(b"\r\n")[0].decode())


async def fetch(port: int, tally: Tally, path: str = "/hello") -> None:
    """One request on a connection of its own."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 30)
    except (ConnectionRefusedError, TimeoutError):
        tally.refused += 1
        return
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        tally.answered(*await _reply(reader))
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        tally.lost.append(repr(error))
    finally:
        writer.close()


async def _reply(reader: asyncio.StreamReader) -> tuple[bytes, str]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    return head, (await reader.readexactly(length)).decode()


async def keep_asking(port: int, tally: Tally, path: str = "/hello") -> None:
    """Requests on a kept connection, and on a new one whenever the proxy has announced its close; until refused."""
    while not tally.refused:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            tally.refused += 1
            return
        try:
            is_open = True
            while is_open:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
                head, body = await _reply(reader)
                tally.answered(head, body)
                is_open = b"connection: close" not in head
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            tally.lost.append(repr(error))
        finally:
            writer.close()


async def under_load(ask: Callable[[], Awaitable[None]], clients: int, act: Callable[[], None]) -> None:
    """Runs `act` in a thread while `clients` clients `ask` again and again; they stop when it has returned."""
    acting = asyncio.create_task(asyncio.to_thread(act))

    async def go_on() -> None:
        while not acting.done():
            await ask()

    await asyncio.gather(acting, *(go_on() for _ in range(clients)))
