"""ORM rows into a ProxyConfig: the only reader of configuration rows for the data plane."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from django.conf import settings

from accounts.selectors import EffectiveSiteSettings, effective_site_settings
from providers.emulated.canned_grammar import read_replies
from providers.registry import get_provider
from proxies.dataplane.access import AccessList
from proxies.dataplane.addresses import parse_upstream
from proxies.dataplane.config import (
    BodyLimits,
    CacheConfig,
    CacheMode,
    EmulationConfig,
    LimitScope,
    OverLimit,
    Pace,
    PaceKind,
    ProxyConfig,
    RateLimitConfig,
    TemperatureRule,
    Timeouts,
)
from proxies.dataplane.faults.grammar import read_rules
from proxies.dataplane.faults.rules import FaultConfig
from proxies.models import Proxy


def load_config(proxy_id: int) -> ProxyConfig:
    """One proxy's configuration as it is stored now. Blocks on the database; raises Proxy.DoesNotExist."""
    return build_config(Proxy.objects.get(pk=proxy_id), effective_site_settings())


def load_all(proxy_ids: Iterable[int]) -> dict[int, ProxyConfig]:
    """The configurations of the proxies that exist, by id, in two queries."""
    proxies = list(Proxy.objects.filter(pk__in=list(proxy_ids)))
    site = effective_site_settings()
    return {proxy.pk: build_config(proxy, site) for proxy in proxies}


def build_config(proxy: Proxy, site: EffectiveSiteSettings) -> ProxyConfig:
    """Raises KeyError for a provider that does not exist, ValueError for an address or list that services would
    refuse."""
    return ProxyConfig(
        proxy_id=proxy.pk,
        name=proxy.name,
        provider=get_provider(proxy.provider),
        bind=proxy.bind or settings.PROXY_BIND,
        port=proxy.port,
        generation=proxy.generation,
        site_generation=site.generation,
        upstream=parse_upstream(proxy.upstream) if proxy.upstream else None,
        credential=proxy.credential,
        region=proxy.region,
        global_access=AccessList.parse(site.global_allow, site.global_block),
        access=AccessList.parse(proxy.allow, proxy.block),
        trusted_proxies=AccessList.parse(site.trusted_proxies),
        may_reach_private=site.allow_private_upstreams,
        web_port=settings.WEB_BIND[1],
        cache=CacheConfig(
            mode=CacheMode(proxy.cache_mode),
            epoch=proxy.cache_epoch,
            ttl_s=proxy.cache_ttl_s,
            temperature_rule=TemperatureRule(proxy.cache_temperature),
            pace=Pace(PaceKind(proxy.cache_pace), proxy.cache_pace_min_s, proxy.cache_pace_max_s),
            is_single_flight=proxy.cache_single_flight,
            obeys_upstream=proxy.cache_obeys_upstream,
            ignored_pointers=tuple(proxy.cache_ignored_pointers),
        ),
        limits=BodyLimits(
            hash_bytes=settings.HASH_BYTES,
            max_bytes=settings.MAX_BODY_BYTES,
            recording_bytes=settings.RECORDING_BYTES,
        ),
        timeouts=Timeouts(connect_s=proxy.connect_timeout_s, silence_s=proxy.silence_timeout_s),
        connect_to=settings.CONNECT_TO,
        emulation=_emulation(proxy),
        rate_limit=RateLimitConfig(
            rpm=proxy.limits_rpm,
            tpm=proxy.limits_tpm,
            scope=LimitScope(proxy.limits_per),
            over_limit=OverLimit(proxy.limits_over_limit),
            hold_s=proxy.limits_hold_s,
            counts_hits=proxy.limits_counts_hits,
            shows_quota=proxy.limits_quota_headers,
        ),
        faults=FaultConfig(
            rules=read_rules(proxy.faults_rules),
            seed=proxy.faults_seed,
            is_on=proxy.faults_enabled,
            allows_header=proxy.faults_per_request,
            run=proxy.faults_reset_at.isoformat() if proxy.faults_reset_at else "",
        ),
    )


def _emulation(proxy: Proxy) -> EmulationConfig:
    """A proxy with a real upstream has none: its canned replies need not be read."""
    if proxy.upstream != "emulated":
        return EmulationConfig()
    decides = {"strict": proxy.emulation_strict, "replies": proxy.emulation_replies}
    return EmulationConfig(
        is_strict=proxy.emulation_strict,
        ttft_s=proxy.emulation_ttft_s,
        tokens_per_s=proxy.emulation_tokens_per_s,
        jitter=proxy.emulation_jitter,
        canned=read_replies(proxy.emulation_replies),
        digest=hashlib.sha256(json.dumps(decides).encode()).digest() if any(decides.values()) else b"",
    )
