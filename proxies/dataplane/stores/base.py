"""What a cache store is: recordings by cache key. A store that is down behaves as empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from providers.base import Header, Usage


@dataclass(frozen=True, slots=True)
class Recording:
    """One stored upstream reply, as it came.

    `frames`: the body's chunks in order (content-encoded bytes), none of them empty. `delays_ms`: for each frame,
    milliseconds since the previous one (the first: since the request went up). `headers`: lower-case, what may never be
    replayed already left out. `digests`: a JSON object, pointer -> keyed digest of the request's value there
    (`nearest`), never the value. `size_bytes` counts headers, body and digests.
    """

    status: int
    headers: tuple[Header, ...]
    frames: tuple[bytes, ...]
    delays_ms: tuple[int, ...]
    is_streaming: bool
    recorded_at: float  # seconds since the epoch
    operation: str = ""
    model: str = ""
    prompt_hash: str = ""
    usage: Usage = field(default_factory=Usage)
    digests: bytes = b"{}"
    expires_at: float | None = None  # seconds since the epoch; None: never
    epoch: int = 0  # the proxy's cache epoch when it was recorded
    size_bytes: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        size = sum(map(len, self.frames)) + sum([len(name) + len(value) for name, value in self.headers])
        object.__setattr__(self, "size_bytes", size + len(self.digests))

    def is_fresh(self, now: float, ttl_s: float | None) -> bool:
        """Whether it may still answer at `now` (seconds since the epoch), under the time to live in force now."""
        if self.expires_at is not None and now >= self.expires_at:
            return False
        return ttl_s is None or now < self.recorded_at + ttl_s


@dataclass(frozen=True, slots=True)
class RecordingSummary:
    """What a replay miss needs to know of a recording to say how near it comes."""

    operation: str
    model: str
    prompt_hash: str
    recorded_at: float  # seconds since the epoch
    digests: bytes


@dataclass(frozen=True, slots=True)
class StoreStats:
    recordings: int
    size_bytes: int


class Store(Protocol):
    """Recordings of one proxy by cache key (32 bytes). Used on the event loop, which no method may block.

    Never raises: a failing store misses.
    """

    async def get(self, key: bytes, *, is_last_resort: bool = False) -> Recording | None:
        """`is_last_resort`: nothing else can answer, so no effort is spared (a store may otherwise guess that it has
        nothing)."""
        ...

    def put(self, key: bytes, recording: Recording) -> None:
        """Takes the recording and writes it in its own time; it may be lost."""
        ...

    async def candidates(self, operation: str, epoch: int) -> Sequence[RecordingSummary]:
        """Some recordings of an operation, the newest first; for the "nearest recording" of a replay miss."""
        ...

    async def purge(self) -> None:
        """Forgets everything."""
        ...

    async def stats(self) -> StoreStats: ...
