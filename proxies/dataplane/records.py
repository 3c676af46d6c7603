"""What is remembered of an exchange: one line in the spool, one row in the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from itertools import islice
from typing import Protocol

import orjson

MAX_INTEGER = 2**63 - 1
MAX_DETAILS = 32
TEXT_LIMITS = {
    "proxy_name": 100, "provider": 40, "client_ip": 45, "method": 20, "path": 2000, "operation": 80, "model": 300,
    "prompt_hash": 64, "access_list": 200, "fault": 200, "endpoint": 300, "reply_model": 300, "service_tier": 40,
    "error_kind": 40, "error": 500,
}  # fmt: skip


class Outcome(StrEnum):
    """Why an exchange ended as it did: the first that applies, in this order."""

    BLOCKED = "blocked"
    LIMITED = "limited"
    FAULT = "fault"  # the reply was replaced or damaged on purpose; a delay alone is none
    CLIENT_LEFT = "client_left"
    ERROR = "error"  # ours, or an upstream status >= 400
    HIT = "hit"
    MISS = "miss"
    BYPASS = "bypass"


class CacheResult(StrEnum):
    HIT = "hit"
    MISS = "miss"
    BYPASS = "bypass"
    REFRESH = "refresh"
    OFF = "off"


@dataclass(slots=True)
class RequestRecord:
    """One exchange, as far as it is remembered: no bodies, no keys, no headers.

    `started_at_us` is microseconds since the epoch, durations are milliseconds. None means unknown or not applicable,
    never 0.
    """

    id: str  # UUIDv7; also the client's x-rubberduck-request-id
    started_at_us: int
    proxy_id: int
    proxy_name: str
    provider: str
    client_ip: str
    method: str
    path: str  # as it came, without query
    operation: str = ""  # "" for a target the provider does not know
    model: str = ""
    prompt_hash: str = ""
    status: int | None = None  # what the client was sent; None if nothing was
    outcome: str = "error"
    latency_ms: float = 0.0
    first_byte_ms: float | None = None  # until the head of the reply went out
    upstream_ms: float | None = None  # request sent up until the upstream's last byte
    is_streaming: bool = False
    cache: str = "off"
    rate_limit: str = "passed"  # or limited
    is_estimated: bool = False  # the rate limit counted tokens that nobody told, by an estimate
    access: str = "passed"  # or blocked
    access_list: str = ""  # the list and entry that blocked
    fault: str = ""  # kinds, comma separated
    decision: int | None = None  # the number of this exchange at the fault stage, from 1 in every run
    client_attempt: int | None = None  # as the client's own retry header counts, from 0
    retry_after_ms: int | None = None  # the wait that the reply told the client
    endpoint: str = ""  # the upstream origin, "https://api.openai.com"
    attempts: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    reply_model: str = ""  # the model the reply names: what is priced
    service_tier: str = ""
    usage_details: Mapping[str, float] = field(default_factory=dict)  # see providers.base.Usage.details
    error_kind: str = ""
    error: str = ""  # in our own words, never text from a body
    request_bytes: int = 0
    reply_bytes: int = 0

    def line(self) -> bytes:
        """This record as one line of JSON, newline included: printable by any database, clamped to what its columns
        hold."""
        try:
            line = orjson.dumps(self)
        except TypeError:  # a lone surrogate, or an integer past 64 bits
            return self._clamped()
        if len(line) > 1500 or b"\\u0000" in line:
            return self._clamped()
        return line + b"\n"

    def _clamped(self) -> bytes:
        values: dict[str, object] = {}
        for item in fields(self):
            value: object = getattr(self, item.name)
            if isinstance(value, str):
                value = _printable(value[: TEXT_LIMITS.get(item.name, 300)])
            elif isinstance(value, int) and not isinstance(value, bool):
                value = max(0, min(value, MAX_INTEGER))
            elif isinstance(value, Mapping):
                kept = islice(value.items(), MAX_DETAILS)
                value = {_printable(name[:60]): float(max(0, min(amount, MAX_INTEGER))) for name, amount in kept}
            values[item.name] = value
        return orjson.dumps(values) + b"\n"


def _printable(text: str) -> str:
    """PostgreSQL takes no NUL, and nobody takes half a surrogate pair."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


class RecordSink(Protocol):
    """Takes finished records: cheap, never raises, and what it took survives the death of this process."""

    def write(self, record: RequestRecord) -> None: ...
