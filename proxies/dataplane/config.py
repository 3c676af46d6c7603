"""A proxy's frozen configuration: everything a worker needs to know, complete and valid, from one generation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from providers.base import Origin, Provider
from providers.emulated.canned import CannedReply
from proxies.dataplane.access import AccessList
from proxies.dataplane.faults.rules import FaultConfig

CREDENTIAL_REFERENCE = re.compile(r"os\.environ/(?P<prefix>[A-Za-z_][A-Za-z0-9_]*)|profile:(?P<profile>[^\s/][^\n]*)")
"""Where a credential is found, instead of the credential."""


class CacheMode(StrEnum):
    OFF = "off"
    ON = "on"
    REPLAY = "replay"
    REFRESH = "refresh"


class TemperatureRule(StrEnum):
    """Which sampling calls may be cached."""

    ALWAYS = "always"
    UNLESS_RANDOM = "unless_random"
    ONLY_DETERMINISTIC = "only_deterministic"


class PaceKind(StrEnum):
    IMMEDIATE = "immediate"
    FIXED = "fixed"
    RANDOM = "random"
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a recording is replayed. `fixed`: wait `min_s` before the reply; `random`: between `min_s` and `max_s`;
    `recorded`: every chunk as late as it came."""

    kind: PaceKind = PaceKind.IMMEDIATE
    min_s: float = 0.0
    max_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CacheConfig:
    mode: CacheMode = CacheMode.ON
    epoch: int = 0  # part of every cache key; raising it invalidates everything
    ttl_s: float | None = None
    temperature_rule: TemperatureRule = TemperatureRule.ALWAYS
    pace: Pace = Pace()
    is_single_flight: bool = True
    obeys_upstream: bool = False  # no-store, private and max-age of the upstream bind us
    ignored_pointers: tuple[str, ...] = ()  # JSON pointers left out of the key, per proxy


@dataclass(frozen=True, slots=True)
class EmulationConfig:
    """How an emulated upstream behaves. `is_strict`: unknown models, and questions no canned reply matches, are errors.

    The times are 0 for at once: `ttft_s` until the first token, then `tokens_per_s`. `jitter` from 0 to 1 lets each
    wait vary by that share of it, up and down. `digest` stands for what decides the answers, in the cache key: a reply
    recorded under other settings is no answer under these.
    """

    is_strict: bool = False
    ttft_s: float = 0.0
    tokens_per_s: float = 0.0
    jitter: float = 0.0
    canned: tuple[CannedReply, ...] = ()
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    hash_bytes: int = 32 * 1024 * 1024  # longer request bodies are streamed through uncached
    max_bytes: int = 1024 * 1024 * 1024  # longer ones are refused
    recording_bytes: int = 32 * 1024 * 1024  # longer replies are not recorded


@dataclass(frozen=True, slots=True)
class Timeouts:
    connect_s: float = 10.0
    silence_s: float = 600.0  # between two bytes of the upstream


class LimitScope(StrEnum):
    """Whose requests one rate limit counts together."""

    PROXY = "proxy"
    CLIENT = "client"  # one address
    CREDENTIAL = "credential"  # one key, known by a hash in memory only


class OverLimit(StrEnum):
    """What happens to a request over the limit."""

    REJECT = "reject"
    HOLD = "hold"  # it waits for its turn, up to `hold_s`, and is rejected after that


@dataclass(frozen=True, slots=True)
class RateLimitConfig:
    """Requests and tokens per minute, over any 60 seconds. None: no limit of that sort."""

    rpm: int | None = None
    tpm: int | None = None
    scope: LimitScope = LimitScope.PROXY
    over_limit: OverLimit = OverLimit.REJECT
    hold_s: float = 0.0
    counts_hits: bool = True  # False: only requests that go upstream count, and faults come first
    shows_quota: bool = False  # successful replies carry the provider's quota headers with our numbers

    @property
    def is_on(self) -> bool:
        return self.rpm is not None or self.tpm is not None


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """One proxy at one generation."""

    proxy_id: int
    name: str
    provider: Provider
    bind: str
    port: int
    generation: int = 0
    site_generation: int = 0
    upstream: Origin | None = None  # None: the provider's default, or derived from the request
    credential: str = ""  # a reference: "os.environ/NAME" prefix or "profile:NAME"; never a secret
    region: str = ""  # the region to sign for when a request names none
    global_access: AccessList = field(default_factory=AccessList)
    access: AccessList = field(default_factory=AccessList)
    trusted_proxies: AccessList = field(default_factory=AccessList)
    may_reach_private: bool = True
    web_port: int = 0  # of this installation's web, which may take who comes from this machine for a trusted proxy
    cache: CacheConfig = CacheConfig()
    limits: BodyLimits = BodyLimits()
    timeouts: Timeouts = Timeouts()
    emulation: EmulationConfig = EmulationConfig()
    rate_limit: RateLimitConfig = RateLimitConfig()
    faults: FaultConfig = FaultConfig()
    connect_to: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        host = "127.0.0.1" if self.bind in ("0.0.0.0", "::") else self.bind
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
