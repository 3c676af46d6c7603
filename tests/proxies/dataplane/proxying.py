"""A real proxy between plain sockets: the server, the app and its transport in the test's loop, with an upstream and
clients that tests play byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import orjson
import uvloop

from providers.base import Header, Origin
from providers.registry import get_provider
from proxies.dataplane.app import ProxyApp
from proxies.dataplane.config import CacheConfig, ProxyConfig
from proxies.dataplane.records import RequestRecord
from proxies.dataplane.signing import CredentialSource
from proxies.dataplane.stores.base import Store
from proxies.dataplane.stores.memory import MemoryStore
from proxies.dataplane.stores.tiered import TieredStore
from proxies.dataplane.transport import Transport, TransportLimits
from proxies.dataplane.upstream_policy import UpstreamPolicy
from proxies.supervisor.server import ProxyServer, ServerLimits
from tests.proxies.dataplane.raw_upstream import Peer, RawUpstream

UVLOOP = {"uvloop": uvloop.new_event_loop}  # for a module's LOOP_FACTORIES: what workers run on
CHAT = "/v1/chat/completions"
SECRET = "sk-planted-0123456789abcdef"
SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


class MovedClock:
    """Both clocks of the data plane. Tests move the wall clock ahead, or let time pass on both; that for durations goes
    on by itself besides."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.passed_s = 0.0

    def wall(self) -> float:
        return 1_790_000_000.0 + self.ahead_s + self.passed_s

    def monotonic(self) -> float:
        return time.monotonic() + self.passed_s


class ListSink:
    """Keeps the lines it is given, as the spool would."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.watch: Callable[[], None] = lambda: None  # called before each record is kept

    def write(self, record: RequestRecord) -> None:
        self.watch()
        self.lines.append(record.line())

    @property
    def records(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.lines]


@dataclasses.dataclass
class Asked:
    """A request as the upstream got it, and the connection it came over."""

    peer: Peer
    head: bytes
    body: bytes

    @property
    def target(self) -> bytes:
        return self.head.split(b" ", 2)[1]

    @property
    def method(self) -> bytes:
        return self.head.split(b" ", 1)[0]

    @property
    def headers(self) -> list[Header]:
        """Name (as it came) and value."""
        lines = self.head[:-4].split(b"\r\n")[1:]
        return [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]

    def values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name]

    async def answer(self, reply: bytes) -> None:
        await self.peer.send(reply)


async def read_asked(peer: Peer) -> Asked:
    """The next whole request: by content-length, chunked or without body."""
    head = await peer.read_until(b"\r\n\r\n")
    if re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
        body = b""
        while size := int(await peer.read_until(b"\r\n"), 16):
            body += await peer.read_exactly(size)
            await peer.read_exactly(2)
        await peer.read_exactly(2)
        return Asked(peer, head, body)
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return Asked(peer, head, await peer.read_exactly(int(length[1])) if length else b"")


@dataclasses.dataclass
class Got:
    """A reply as the client got it; `chunks` as they were framed, None when it was not chunked."""

    status: int
    headers: list[Header]
    body: bytes = b""
    chunks: list[bytes] | None = None

    def values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name]

    def value(self, name: bytes) -> bytes | None:
        return next(iter(self.values(name)), None)

    @property
    def cache(self) -> bytes | None:
        return self.value(b"x-rubberduck-cache")

    @property
    def outcome(self) -> bytes | None:
        return self.value(b"x-rubberduck-outcome")

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Client(Peer):
    """The client's side of one connection."""

    async def head(self) -> Got:
        lines = (await self.read_until(b"\r\n\r\n"))[:-4].split(b"\r\n")
        headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines[1:])]
        return Got(int(lines[0].split(b" ")[1]), headers)

    async def chunk(self) -> bytes:
        """The next chunk of a chunked body, b"" for the last."""
        size = int(await self.read_until(b"\r\n"), 16)
        data = await self.read_exactly(size)
        assert await self.read_exactly(2) == b"\r\n"
        return data

    async def reply(self, *, is_head: bool = False) -> Got:
        """The next whole reply."""
        got = await self.head()
        if is_head or got.status in (204, 304):
            return got
        if got.value(b"transfer-encoding") == b"chunked":
            got.chunks = []
            while chunk := await self.chunk():
                got.chunks.append(chunk)
            got.body = b"".join(got.chunks)
        else:
            length = got.value(b"content-length")
            assert length is not None
            got.body = await self.read_exactly(int(length))
        return got

    async def ask(self, raw: bytes) -> Got:
        await self.send(raw)
        return await self.reply(is_head=raw.startswith(b"HEAD "))

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        rest = self.received
        self.received = b""
        while data := await self.recv():
            rest += data
        return rest


def request(
    method: str = "POST",
    target: str = CHAT,
    body: bytes = b"",
    headers: Sequence[tuple[str, str]] = (),
    *,
    content_type: str | None = "application/json",
) -> bytes:
    """The bytes of a request with a host and, if it has a body, its length."""
    lines = [f"{method} {target} HTTP/1.1", "Host: proxy.test:8001"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
        if content_type is not None:
            lines.append(f"Content-Type: {content_type}")
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def chat(text: str = "hello", *, headers: Sequence[tuple[str, str]] = (), **members: Any) -> bytes:
    """The bytes of an OpenAI chat request."""
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **members}
    return request(body=orjson.dumps(body), headers=headers)


def ok(body: bytes, *headers: str, status: str = "200 OK", content_type: str = "application/json") -> bytes:
    """The bytes of an upstream's unary reply."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def completion(number: int = 1, **members: Any) -> bytes:
    """A chat completion as an upstream answers it."""
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    return orjson.dumps({"id": f"c-{number}", "model": "gpt-4o-mini-2024-07-18", "usage": usage, **members})


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(number: int, **members: Any) -> bytes:
    """One event of a chat stream."""
    return (
        b"data: " + orjson.dumps({"id": number, "model": "gpt-4o-mini-2024-07-18", "choices": [], **members}) + b"\n\n"
    )


DONE = event(99, usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}) + b"data: [DONE]\n\n"


class ScriptedUpstream(RawUpstream):
    """An upstream whose requests are answered by the test (`next`), or by `script` when there is one."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__(host)
        self.script: Callable[[Asked], Awaitable[None]] | None = None
        self.asked: list[Asked] = []
        self.is_manual = False
        self._callers: asyncio.Queue[Peer] = asyncio.Queue()
        self._queue: asyncio.Queue[Asked] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._keep(self._accept_all())

    def _keep(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept_all(self) -> None:
        while True:
            sock, _ = await asyncio.get_running_loop().sock_accept(self.listener)
            sock.setblocking(False)
            peer = Peer(sock)
            self.peers.append(peer)
            if self.is_manual:
                self._callers.put_nowait(peer)
            else:
                self._keep(self._listen(peer))

    async def caller(self) -> Peer:
        """The next connection, nothing read from it yet; needs `is_manual`."""
        async with asyncio.timeout(20):
            return await self._callers.get()

    async def _listen(self, peer: Peer) -> None:
        """Reads the next request; a later one over the same connection only if a script answers this one."""
        while True:
            try:
                asked = await read_asked(peer)
            except (AssertionError, OSError, TimeoutError):  # the proxy closed it, or the test did
                return
            self.asked.append(asked)
            if self.script is None:
                self._queue.put_nowait(asked)
                return
            await self.script(asked)
            if peer.sock.fileno() < 0:
                return

    async def next(self) -> Asked:
        """The next request to arrive."""
        async with asyncio.timeout(20):
            return await self._queue.get()

    async def answer_next(self, reply: bytes) -> Asked:
        """Answers the next request and goes on listening on its connection."""
        asked = await self.next()
        await asked.answer(reply)
        self.go_on(asked)
        return asked

    def go_on(self, asked: Asked) -> None:
        """Listens again on the connection of a request that the test has answered."""
        self._keep(self._listen(asked.peer))

    def always(self, make: Callable[[Asked], bytes] | bytes) -> None:
        """Answers every request from here on."""

        async def script(asked: Asked) -> None:
            await asked.answer(make if isinstance(make, bytes) else make(asked))

        self.script = script

    def count(self) -> None:
        """Answers every request with a completion that holds its number."""
        self.always(lambda _: ok(completion(len(self.asked))))

    async def aclose(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.close()


class Proxying:
    """What a test knows of its proxy."""

    def __init__(
        self,
        config: ProxyConfig,
        upstream: ScriptedUpstream,
        *,
        lasting: Store | None,
        limits: ServerLimits,
        transport: Transport | None,
        environ: dict[str, str],
    ) -> None:
        self.config = config
        self.upstream = upstream
        self.sink = ListSink()
        self.clock = MovedClock()
        self.memory = MemoryStore()
        self.policy = UpstreamPolicy(config)
        self.transport = transport or Transport(check_address=self.policy.check)
        self.app = ProxyApp(
            config,
            store=TieredStore(self.memory, lasting),
            sink=self.sink,
            transport=self.transport,
            credentials=CredentialSource(environ),
            digest_key=b"test",
            clock=self.clock,
        )
        self.server = ProxyServer(self.app, limits=limits)
        self.clients: list[Client] = []

    @property
    def port(self) -> int:
        return self.config.port

    @property
    def records(self) -> list[dict[str, Any]]:
        return self.sink.records

    def swap(self, **changes: Any) -> None:
        """Another configuration, as a worker takes it; `cache` is a dict of changes to the cache's own."""
        if isinstance(cache := changes.get("cache"), dict):
            changes["cache"] = dataclasses.replace(self.config.cache, **cache)
        self.config = dataclasses.replace(self.config, generation=self.config.generation + 1, **changes)
        self.app.swap(self.config)
        if self.policy.swap(self.config):
            self.transport.forget_connections()

    async def client(self, *, receive_buffer: int | None = None) -> Client:
        sock = socket.socket()
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        client = Client(sock)
        self.clients.append(client)
        return client

    async def ask(self, raw: bytes) -> Got:
        """One request over a connection of its own, and the whole reply."""
        client = await self.client()
        got = await client.ask(raw)
        client.close()
        return got

    async def send(self, raw: bytes) -> Client:
        client = await self.client()
        await client.send(raw)
        return client

    async def record(self, count: int = 1) -> dict[str, Any]:
        """The record of exchange number `count`, once it is written."""
        await until(lambda: len(self.sink.lines) >= count)
        return self.records[count - 1]


async def until(is_so: Callable[[], bool]) -> None:
    """Waits until something is so; fails when it never is."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110  # what we watch for has no event of its own
            await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def proxying(
    provider: str = "openai",
    *,
    cache: dict[str, Any] | None = None,
    lasting: Store | None = None,
    limits_of_server: dict[str, Any] | None = None,
    transport: Transport | None = None,
    transport_limits: TransportLimits | None = None,
    environ: dict[str, str] | None = None,
    prefix: str = "",
    **settings: Any,
) -> AsyncIterator[Proxying]:
    """A proxy to a scripted upstream; `settings` are fields of ProxyConfig, `cache` those of its CacheConfig.

    At the end nothing may be left over: no exchange, flight, busy upstream connection or task, and no more than one
    record an exchange.
    """
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    upstream = ScriptedUpstream()
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    origin = Origin("http", "127.0.0.1", upstream.port, prefix)
    values = {"upstream": origin, "bind": "127.0.0.1", "port": listener.getsockname()[1], **settings}
    config = ProxyConfig(1, "test", get_provider(provider), cache=CacheConfig(**(cache or {})), **values)
    if transport_limits is not None:
        transport = Transport(limits=transport_limits)
    tasks = asyncio.all_tasks() | upstream._tasks
    proxy = Proxying(
        config,
        upstream,
        lasting=lasting,
        limits=ServerLimits(**(limits_of_server or {})),
        transport=transport,
        environ=environ or {},
    )
    await proxy.server.start(listener)
    try:
        yield proxy
        for client in proxy.clients:
            client.close()
        await until(lambda: proxy.server.in_flight == 0)
        await until(lambda: _is_quiet(proxy))
    finally:
        for client in proxy.clients:
            client.close()
        await proxy.server.stop()
        await proxy.transport.aclose()
        await upstream.aclose()
    left = [task for task in asyncio.all_tasks() - tasks if not task.done()]
    assert left == []
    assert complaints == []
    ids = [record["id"] for record in proxy.records]
    assert len(ids) == len(set(ids))


def _is_quiet(proxy: Proxying) -> bool:
    stats = proxy.transport.stats()
    return len(proxy.app.flights) == 0 and stats["open"] == stats["idle"]
