"""The shapes in which the API describes a proxy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ninja import Schema

from proxies.dataplane.config import CacheMode, LimitScope, OverLimit, PaceKind, TemperatureRule
from proxies.models import DesiredState, ObservedState, Proxy
from proxies.schemas import COLUMNS, GROUPS, group_of
from proxies.selectors import Applied, Observation, Progress, base_url, shown_model


class AppliedOut(Schema):
    """`generation`: the number of the configuration that is stored. `applied`: live (the proxy serves with it),
    applying (not taken up yet), stopped (the proxy is not wanted running), draining (and has requests in flight),
    failed (it is wanted running and does not serve with it: `reason` says why, in words)."""

    generation: int
    applied: Applied
    reason: str


class CacheFieldsOut(Schema):
    mode: CacheMode
    ttl_s: float | None
    temperature: TemperatureRule
    pace: PaceKind
    pace_min_s: float
    pace_max_s: float
    single_flight: bool
    obeys_upstream: bool
    ignored_pointers: list[str]


class EmulationOut(Schema):
    strict: bool
    ttft_s: float
    tokens_per_s: float
    jitter: float
    replies: list[Any]


class LimitsOut(Schema):
    rpm: int | None
    tpm: int | None
    per: LimitScope
    over_limit: OverLimit
    hold_s: float
    counts_hits: bool
    quota_headers: bool


class FaultFieldsOut(Schema):
    rules: list[Any]
    seed: int
    enabled: bool
    per_request: bool


class AccessOut(Schema):
    allow: list[str]
    block: list[str]


class TimeoutsOut(Schema):
    connect_s: float
    silence_s: float


class ProxyItem(Schema):
    """A proxy in a list. `desired_state` is what is wanted, `state` what is really so; `reason` says in words why they
    differ. `shown_model`: its own `model`, or its provider's example."""

    id: int
    name: str
    provider: str
    model: str
    shown_model: str
    description: str
    tags: list[str]
    bind: str
    port: int
    upstream: str
    base_url: str
    cache_mode: CacheMode
    desired_state: DesiredState
    state: ObservedState
    reason: str
    reason_code: str
    generation: int
    applied_generation: int
    in_flight: int
    restarts: int
    created_at: datetime
    updated_at: datetime


class ProxyOut(Schema):
    """A proxy with all its fields, and what is observed of it."""

    id: int
    name: str
    provider: str
    model: str
    shown_model: str
    description: str
    tags: list[str]
    bind: str
    port: int
    upstream: str
    credential: str
    region: str
    cache: CacheFieldsOut
    emulation: EmulationOut
    limits: LimitsOut
    faults: FaultFieldsOut
    access: AccessOut
    timeouts: TimeoutsOut
    base_url: str
    desired_state: DesiredState
    state: ObservedState
    reason: str
    reason_code: str
    generation: int
    applied_generation: int
    in_flight: int
    restarts: int
    created_at: datetime
    updated_at: datetime


class ProxyApplied(ProxyOut, AppliedOut): ...


def describe_item(proxy: Proxy, seen: Observation) -> dict[str, Any]:
    """As a ProxyItem."""
    plain = ("name", "provider", "model", "description", "tags", "bind", "port", "upstream", "cache_mode")
    return {**{name: getattr(proxy, name) for name in plain}, **_observed(proxy, seen)}


def describe_proxy(proxy: Proxy, seen: Observation) -> dict[str, Any]:
    """As a ProxyOut."""
    plain = {name: getattr(proxy, column) for name, column in COLUMNS.items() if "." not in name}
    groups: Mapping[str, Any] = {group: group_of(proxy, group) for group in GROUPS}
    return {**plain, **groups, **_observed(proxy, seen)}


def describe_applied(proxy: Proxy, progress: Progress) -> dict[str, Any]:
    """As a ProxyApplied."""
    return {**describe_proxy(proxy, progress.seen), "applied": progress.applied}


def applied_members(proxy: Proxy, progress: Progress) -> dict[str, Any]:
    """Those of an AppliedOut."""
    return {"generation": proxy.generation, "applied": progress.applied, "reason": progress.reason}


def _observed(proxy: Proxy, seen: Observation) -> dict[str, Any]:
    return {
        "id": proxy.pk,
        "shown_model": shown_model(proxy),
        "base_url": base_url(proxy),
        "desired_state": proxy.desired_state,
        "state": seen.state,
        "reason": seen.reason,
        "reason_code": seen.reason_code,
        "generation": proxy.generation,
        "applied_generation": seen.applied_generation,
        "in_flight": seen.in_flight,
        "restarts": seen.restarts,
        "created_at": proxy.created_at,
        "updated_at": proxy.updated_at,
    }
