"""What the cache may do with one request: read, write, forward. Decided from the proxy's mode, the request's headers
and its operation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from providers.base import BodyFacts, Operation
from proxies.dataplane.config import CacheConfig, CacheMode, TemperatureRule
from proxies.dataplane.records import CacheResult


class CacheControl(StrEnum):
    """What a request asks for with `x-rubberduck-cache`."""

    BYPASS = "bypass"  # neither read nor write
    REFRESH = "refresh"  # forward and overwrite
    ONLY = "only"  # a recording or an error, nothing goes upstream


@dataclass(frozen=True, slots=True)
class CacheDecision:
    """`result` is what the log says unless a recording answers. `reason`: in words, why the cache is not used as usual.

    When neither reading nor forwarding is allowed, or reading finds nothing and forwarding is not allowed, the reply is
    the provider's `no_recording` error.
    """

    may_read: bool
    may_write: bool
    may_forward: bool
    result: CacheResult
    reason: str = ""


class BadControl(ValueError):
    """An `x-rubberduck-cache` header nobody can obey; the text is for the client's 400."""


NORMAL = CacheDecision(True, True, True, CacheResult.MISS)
_OFF = CacheDecision(False, False, True, CacheResult.OFF, "the proxy's cache is off")
_REFRESH_MODE = CacheDecision(False, True, True, CacheResult.REFRESH, "the proxy is in refresh mode")
_REFRESH = CacheDecision(False, True, True, CacheResult.REFRESH, "the request asked for a fresh reply")
_BYPASS = CacheDecision(False, False, True, CacheResult.BYPASS, "the request asked to go past the cache")
_REPLAY = CacheDecision(True, False, False, CacheResult.MISS, "the proxy is in replay mode")
_ONLY = CacheDecision(True, False, False, CacheResult.MISS, "the request asked for a recording only")
_UNCACHEABLE = "calls of this kind are never cached"
_STATEFUL = "the request depends on what the provider remembers, or asks it to answer later"
_TOO_LARGE = "the request body is too large to be compared with recorded ones"
_RANDOM = "the request asks for a temperature above 0, which this proxy does not cache"
_NOT_DETERMINISTIC = "this proxy caches only requests with an explicit temperature of 0"
_CACHE_OFF = "the request asked for a recording only, and the proxy's cache is off"
_PASSED = {
    reason: CacheDecision(False, False, True, CacheResult.BYPASS, reason)
    for reason in (_UNCACHEABLE, _STATEFUL, _TOO_LARGE, _RANDOM, _NOT_DETERMINISTIC)
}
_REFUSED = {
    reason: CacheDecision(False, False, False, CacheResult.MISS, reason)
    for reason in (_UNCACHEABLE, _STATEFUL, _TOO_LARGE, _CACHE_OFF)
}


def decide(
    config: CacheConfig,
    operation: Operation | None,
    facts: BodyFacts,
    control: bytes | None,
    cache_control: bytes | None,
    *,
    is_body_whole: bool,
) -> CacheDecision:
    """Decides for one request. `control` is its `x-rubberduck-cache` header, `cache_control` its `Cache-Control`; the
    first one wins.

    `is_body_whole` is False when the body was too large to be read and hashed. In replay mode nothing is ever
    forwarded, and no header changes that. The temperature rule says what may be recorded and answered in place of the
    upstream; where there is no upstream to ask (replay mode, `only`), whatever was recorded may answer. Raises
    BadControl.
    """
    asked = _read_control(control) if control is not None else None
    mode = config.mode
    is_only = mode is CacheMode.REPLAY or asked is CacheControl.ONLY
    if mode is CacheMode.OFF:
        return _REFUSED[_CACHE_OFF] if is_only else _OFF
    passed = _REFUSED if is_only else _PASSED
    if operation is None or not operation.is_cacheable:
        return passed[_UNCACHEABLE]
    if not is_body_whole:
        return passed[_TOO_LARGE]
    if not facts.may_cache:
        return passed[_STATEFUL]
    if is_only:
        return _REPLAY if mode is CacheMode.REPLAY else _ONLY
    if asked is None and cache_control is not None:
        asked = _read_cache_control(cache_control)
    if asked is CacheControl.BYPASS:
        return _BYPASS
    if config.temperature_rule is not TemperatureRule.ALWAYS:
        temperature = facts.temperature
        if temperature is not None and temperature > 0:
            return _PASSED[_RANDOM]
        if (
            config.temperature_rule is TemperatureRule.ONLY_DETERMINISTIC
            and operation.is_sampling
            and temperature is None
        ):
            return _PASSED[_NOT_DETERMINISTIC]
    if asked is CacheControl.REFRESH:
        return _REFRESH
    return _REFRESH_MODE if mode is CacheMode.REFRESH else NORMAL


def _read_control(value: bytes) -> CacheControl:
    try:
        return CacheControl(value.decode("latin-1").strip().lower())
    except ValueError:
        raise BadControl("x-rubberduck-cache must be one of: bypass, refresh, only.") from None


def _read_cache_control(value: bytes) -> CacheControl | None:
    """`no-store` forbids keeping the reply, `no-cache` asks for a fresh one. Source: RFC 9111 section 5.2.1."""
    directives = {item.partition(b"=")[0].strip() for item in value.lower().split(b",")}
    if b"no-store" in directives:
        return CacheControl.BYPASS
    return CacheControl.REFRESH if b"no-cache" in directives else None
