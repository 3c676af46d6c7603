"""Makes recordings: what of a reply may be stored, and the tap that collects it as it passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from providers.base import Header, Usage
from proxies.dataplane.config import CacheConfig
from proxies.dataplane.headers import CONTROL_PREFIX, HOP_BY_HOP
from proxies.dataplane.stores.base import Recording

_NEVER_STORED = HOP_BY_HOP | {b"set-cookie", b"set-cookie2", b"date"}
_MAX_AGE = re.compile(rb"(?:^|,)\s*(s-maxage|max-age)\s*=\s*\"?(\d{1,12})\"?\s*(?=,|$)")


@lru_cache(maxsize=4096)
def _stored_name(name: bytes, unsafe: frozenset[bytes]) -> bytes:
    """The name under which a header is stored, empty if it never is."""
    lower = name.lower()
    return b"" if lower in _NEVER_STORED or lower in unsafe or lower.startswith(CONTROL_PREFIX) else lower


def recordable_headers(headers: Iterable[Header], unsafe: frozenset[bytes]) -> tuple[Header, ...]:
    """The headers a replay may repeat, names in lower case, of a reply whose hop-by-hop ones are left out already.

    `unsafe`: the provider's own exceptions (rate-limit numbers).
    """
    return tuple([(lower, value) for name, value in headers if (lower := _stored_name(name, unsafe))])


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Whether a reply may be stored, and until when (seconds since the epoch; None: for ever)."""

    is_storable: bool
    expires_at: float | None = None


_UNSTORABLE = Lifetime(False)


def lifetime(status: int, headers: Sequence[Header], config: CacheConfig, now: float) -> Lifetime:
    """What a reply's head says about storing it. `headers` as the upstream sent them; `now`: seconds since the epoch.

    Only whole successes: a 206 is a part. The upstream's `no-store`, `private`, `s-maxage` and `max-age` (less `age`)
    count only if the proxy obeys them; `no-cache` does not bind, since some providers send it with every stream.
    Source: RFC 9111 section 5.2.2; azure_openai's streams carry `no-cache, must-revalidate`.
    """
    if not 200 <= status < 300 or status == 206:
        return _UNSTORABLE
    ends = [] if config.ttl_s is None else [now + config.ttl_s]
    if config.obeys_upstream:
        fields = [(name.lower(), value) for name, value in headers]
        control = b",".join(value.lower() for name, value in fields if name == b"cache-control")
        directives = {item.partition(b"=")[0].strip() for item in control.split(b",")}
        if b"no-store" in directives or b"private" in directives:
            return _UNSTORABLE
        ages = dict(_MAX_AGE.findall(control))
        most = ages.get(b"s-maxage", ages.get(b"max-age"))
        if most is not None:
            age = next((int(value) for name, value in fields if name == b"age" and value.isdigit()), 0)
            if int(most) <= age:
                return _UNSTORABLE
            ends.append(now + int(most) - age)
    return Lifetime(True, min(ends, default=None))


class RecordingTap:
    """Collects a reply's frames as they pass, up to `limit_bytes`; past that it lets go of everything.

    `clock` gives monotonic seconds; `started_at` is when the request went up. `frames` is shared with the flight's
    followers.
    """

    __slots__ = ("_clock", "_last_at", "_limit_bytes", "delays_ms", "frames", "is_full", "size_bytes")

    def __init__(self, limit_bytes: int, clock: Callable[[], float], started_at: float) -> None:
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._last_at = started_at
        self.frames: list[bytes] = []
        self.delays_ms: list[int] = []
        self.size_bytes = 0
        self.is_full = False  # the reply was too long to be recorded

    def feed(self, frame: bytes) -> None:
        if self.is_full or not frame:
            return
        self.size_bytes += len(frame)
        if self.size_bytes > self._limit_bytes:
            self.is_full = True
            self.frames = []
            self.delays_ms = []
            return
        now = self._clock()
        self.frames.append(frame)
        self.delays_ms.append(int((now - self._last_at) * 1000))
        self._last_at = now

    def recording(
        self,
        *,
        status: int,
        headers: Iterable[Header],
        unsafe_headers: frozenset[bytes],
        lifetime: Lifetime,
        now: float,
        epoch: int,
        is_streaming: bool,
        operation: str,
        model: str,
        prompt_hash: str,
        usage: Usage,
        digests: bytes = b"{}",
    ) -> Recording | None:
        """The recording of a reply that ended cleanly and is whole, None if it may not be or could not be kept.

        To be called only then: a reply that broke off, or one whose usage reader says it is not whole, is never
        recorded.
        """
        if self.is_full or not lifetime.is_storable:
            return None
        return Recording(
            status=status,
            headers=recordable_headers(headers, unsafe_headers),
            frames=tuple(self.frames),
            delays_ms=tuple(self.delays_ms),
            is_streaming=is_streaming,
            recorded_at=now,
            operation=operation,
            model=model,
            prompt_hash=prompt_hash,
            usage=usage,
            digests=digests,
            expires_at=lifetime.expires_at,
            epoch=epoch,
        )
