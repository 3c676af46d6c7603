"""A real proxy server on a loopback port in a thread of its own, and a raw client to talk to it byte by byte."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvloop

from proxies.supervisor.server import ProxyServer, ServerLimits

T = TypeVar("T")
WAIT_S = 20.0


@dataclass
class Reply:
    """A reply read off the wire; `chunks` as they were framed, None when the body was not chunked."""

    status: int
    head: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    chunks: list[bytes] | None = None

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


class RawClient:
    """A blocking socket with just enough HTTP to read replies."""

    def __init__(self, port: int, **options: int) -> None:
        self.sock = socket.socket()
        for name, value in options.items():
            self.sock.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        self.sock.settimeout(WAIT_S)
        try:
            self.sock.connect(("127.0.0.1", port))
        except OSError:
            self.sock.close()
            raise
        self.buffer = b""

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> RawClient:
        self.sock.sendall(data)
        return self

    def _more(self) -> bool:
        data = self.sock.recv(65536)
        self.buffer += data
        return bool(data)

    def take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            if not self._more():
                raise EOFError(self.buffer)
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            if not self._more():
                raise EOFError(self.buffer)
        return self.take(self.buffer.index(mark) + len(mark))

    def head(self) -> Reply:
        head = self.until(b"\r\n\r\n")
        lines = head[:-4].split(b"\r\n")
        headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines[1:])]
        return Reply(int(lines[0].split()[1]), head, headers, b"")

    def reply(self, method: str = "GET") -> Reply:
        """The next reply, whole. EOFError when the connection ends before it does."""
        reply = self.head()
        length = reply.header(b"content-length")
        if method == "HEAD" or reply.status in (204, 304):
            return reply
        if reply.header(b"transfer-encoding") == b"chunked":
            reply.chunks = []
            while size := int(self.until(b"\r\n"), 16):
                reply.chunks.append(self.take(size))
                assert self.take(2) == b"\r\n"
            assert self.take(2) == b"\r\n"
            reply.body = b"".join(reply.chunks)
        elif length is not None:
            reply.body = self.take(int(length))
        else:
            reply.body = self.rest()
        return reply

    def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        while self._more():
            pass
        rest, self.buffer = self.buffer, b""
        return rest

    def ends(self) -> bool:
        """Whether the server ends the connection without sending another byte."""
        return self.rest() == b""


@dataclass
class Served:
    """What a test knows of its server; `seen` is for the app to leave notes in."""

    server: ProxyServer
    loop: asyncio.AbstractEventLoop
    port: int
    seen: list[Any] = field(default_factory=list)

    def client(self, **options: int) -> RawClient:
        return RawClient(self.port, **options)

    def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Await something in the server's loop."""

        async def work() -> T:
            return await call()

        return asyncio.run_coroutine_threadsafe(work(), self.loop).result(WAIT_S)

    def start(self, call: Callable[[], Awaitable[Any]]) -> Any:
        async def work() -> Any:
            return await call()

        return asyncio.run_coroutine_threadsafe(work(), self.loop)

    def wait_for(self, condition: Callable[[], bool]) -> bool:
        """Turn the server's loop until `condition` holds; False when it never does."""

        async def poll() -> bool:
            deadline = self.loop.time() + WAIT_S
            while not condition():
                if self.loop.time() > deadline:
                    return False
                await asyncio.sleep(0.005)
            return True

        return self.run(poll)


@contextmanager
def serving(app: Any, *, provides_http2: bool = True, **limits: Any) -> Iterator[Served]:
    """Serve `app`; `limits` are fields of ServerLimits. An exception in a protocol callback fails the test."""
    loop = uvloop.new_event_loop()
    errors: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: errors.append(context))
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    server = ProxyServer(app, limits=ServerLimits(**limits), provides_http2=provides_http2)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    served = Served(server, loop, port)
    try:
        served.run(lambda: server.start(listener))
        yield served
    finally:
        served.run(server.stop)
        served.run(loop.shutdown_default_executor)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WAIT_S)
        loop.close()
    assert errors == []


# --- apps

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n"


async def read_body(receive: Any) -> bytes | None:
    """The whole body; None when the client left or fell silent first."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message["body"]
        if not message["more_body"]:
            return body


async def answer(send: Any, body: bytes, *, status: int = 200, headers: Any = ()) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-length", b"%d" % len(body)), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def mirror(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it was asked."""
    body = await read_body(receive)
    if body is None:
        return
    connection = scope["extensions"]["rubberduck"]
    seen = {
        "method": scope["method"],
        "version": scope["http_version"],
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
        "raw_headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in connection.raw_headers],
        "authority": connection.authority.decode() if connection.authority is not None else None,
        "body": body.decode("latin-1"),
    }
    await answer(send, json.dumps(seen).encode())


def mirrored(client: RawClient) -> dict[str, Any]:
    reply = client.reply()
    assert reply.status == 200
    seen: dict[str, Any] = json.loads(reply.body)
    return seen
