"""One client request and all that happens until the last byte is out: the object that travels through the stages."""

from __future__ import annotations

import random
import time
from asyncio import Task, get_running_loop
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from providers.base import PASS_CREDENTIALS, BodyFacts, Call, CredentialPlan, Header, Origin
from providers.wire.retries import client_attempt
from proxies.dataplane.cache import NORMAL, CacheDecision
from proxies.dataplane.cache_key import BodyKey
from proxies.dataplane.headers import joined_fields
from proxies.dataplane.records import RequestRecord
from proxies.dataplane.runtime import Runtime
from proxies.dataplane.single_flight import Flight

if TYPE_CHECKING:
    from proxies.dataplane.faults.base import Injection
    from proxies.dataplane.rate_limit import Bucket

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

NO_FACTS = BodyFacts()

LINGER_S = 1.0
"""How long the upstream may take to end a reply whose last event the client has had when it leaves."""


class Connection(Protocol):
    """What the server offers beyond ASGI, in `scope["extensions"]["rubberduck"]`."""

    raw_headers: list[Header]  # names as received, otherwise as scope["headers"]
    is_http2: bool
    body_timed_out: bool
    is_gone: bool  # nothing more can reach the client
    task: Task[None] | None  # the one that runs the app
    on_left: Callable[[], None] | None  # called once when the client goes away before the reply is complete
    on_drain: Callable[[float], None] | None  # called when the server begins to drain, with the seconds that are left

    @property
    def is_draining(self) -> bool: ...

    async def send_whole(self, status: int, headers: list[Header], body: bytes) -> None: ...

    def cut(self) -> None: ...

    def reset(self) -> None: ...


class Reading(Protocol):
    """A reply on its way from the upstream: how much of it has come, and whether its last event has."""

    size_bytes: int

    def seems_whole(self) -> bool: ...


class Clock(Protocol):
    """Two clocks: `wall` in seconds since the epoch, `monotonic` in seconds for durations."""

    def wall(self) -> float: ...

    def monotonic(self) -> float: ...


class SystemClock:
    wall = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


class Exchange:
    """One client request in flight. Made by `app`, filled by the stages of `pipeline`, dropped when the last byte is
    out."""

    __slots__ = (
        "at_end", "body", "body_key", "bucket", "call", "connection", "damages", "decision", "facts", "fields",
        "flight", "has_had_all", "has_head_gone_out", "has_left", "headers", "is_recorded", "key", "may_record",
        "method", "origin", "path", "plan", "query", "reading", "receive", "record", "reply_headers", "reservation",
        "runtime", "send", "started_at", "task", "upstream_started_at",
    )  # fmt: skip

    def __init__(
        self,
        scope: dict[str, Any],
        receive: Receive,
        send: Send,
        runtime: Runtime,
        call: Call,
        task: Task[Any],
        clock: Clock,
    ) -> None:
        self.runtime = runtime
        self.connection: Connection = scope["extensions"]["rubberduck"]
        self.receive = receive
        self.send = send
        self.task = task
        self.method: str = scope["method"]
        self.path: bytes = scope["raw_path"]
        self.query: bytes = scope["query_string"]
        self.headers: list[Header] = scope["headers"]
        self.fields = joined_fields(self.headers)
        self.call = call
        self.facts = NO_FACTS
        self.plan: CredentialPlan = PASS_CREDENTIALS
        self.origin: Origin | None = None
        self.body: bytes | AsyncIterator[bytes] = b""
        self.body_key: BodyKey | None = None  # None while the body is not whole in memory
        self.decision: CacheDecision = NORMAL
        self.key = b""  # the cache key, once the cache was asked
        self.flight: Flight | None = None  # the one this exchange leads
        self.has_head_gone_out = False
        self.has_left = False
        self.reading: Reading | None = None  # the upstream reply behind this one
        self.has_had_all = False  # the client left, but not before that
        self.is_recorded = False
        self.may_record = True  # False: a fault may end the reply early, which then leaves no recording
        self.damages: Sequence[Injection] = ()  # the faults to be done to the reply on its way, in their order
        self.reply_headers: Sequence[Header] = ()  # what a successful reply says besides; same names give way
        self.bucket: Bucket | None = None  # of the rate limit: where its tokens are settled at the end
        self.reservation = 0  # tokens reserved for it there
        self.at_end: Sequence[Callable[[RequestRecord], None]] = ()  # called once, before the record is written
        self.started_at = clock.monotonic()
        self.upstream_started_at = 0.0
        self.connection.on_left = self.leave
        config = runtime.config
        wall = clock.wall()
        client = scope["client"]
        self.record = RequestRecord(
            id=uuid7(wall),
            started_at_us=int(wall * 1_000_000),
            proxy_id=config.proxy_id,
            proxy_name=config.name,
            provider=config.provider.id,
            client_ip=client[0] if client else "",
            method=self.method,
            path=self.path.decode("latin-1"),
            operation=call.operation.name if call.operation is not None else "",
            model=call.model or "",
            client_attempt=client_attempt(self.fields),
        )

    def leave(self) -> None:
        """The client is gone. Ends this exchange at once, unless others wait for the reply it is reading.

        SDKs hang up at their dialect's last event ("[DONE]") rather than wait for the end of the body, which may come
        in a packet of its own: such a client has had all, and its reply is given the moment it needs to be recorded.
        """
        self.has_left = True
        reading = self.reading
        if reading is not None and self.record.is_streaming:
            has_edits = any(injection.has_happened for injection in self.damages)  # bytes tell nothing then
            if has_edits or self.record.reply_bytes == reading.size_bytes:
                self.has_had_all = reading.seems_whole()
        if self.flight is None or self.flight.leave(self.task.cancel):
            if self.has_had_all:
                get_running_loop().call_later(LINGER_S, self.task.cancel)
            else:
                self.task.cancel()


def uuid7(wall: float) -> str:
    """A UUIDv7 for a moment in seconds since the epoch. Unique, not secret: Python's generator is reseeded in every
    forked worker."""
    milliseconds = int(wall * 1000)
    bits = random.getrandbits(74)
    return "%08x-%04x-7%03x-%04x-%012x" % (  # noqa: UP031  # an f-string with the same formats takes half as long again
        milliseconds >> 16 & 0xFFFFFFFF,
        milliseconds & 0xFFFF,
        bits >> 62,
        0x8000 | bits >> 48 & 0x3FFF,
        bits & 0xFFFFFFFFFFFF,
    )
