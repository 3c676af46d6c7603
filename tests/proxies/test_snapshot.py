"""Rows into a ProxyConfig."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.services import site_settings_update
from providers.base import EMULATED, Origin
from providers.emulated.canned_grammar import read_replies
from proxies.dataplane.access import AccessList
from proxies.dataplane.config import (
    BodyLimits,
    CacheConfig,
    CacheMode,
    EmulationConfig,
    LimitScope,
    OverLimit,
    Pace,
    PaceKind,
    RateLimitConfig,
    TemperatureRule,
    Timeouts,
)
from proxies.dataplane.faults.grammar import read_rules
from proxies.dataplane.faults.rules import FaultConfig
from proxies.models import Proxy
from proxies.services import proxy_create, proxy_invalidate, proxy_reset_faults, proxy_update
from proxies.snapshot import load_all, load_config

pytestmark = pytest.mark.django_db
RULES = [{"fault": "error", "status": 503, "rate": 0.5}, {"script": [{"fault": "hang", "for_s": 60}], "repeat": True}]


def test_every_field_arrives(settings: Settings) -> None:
    settings.HASH_BYTES, settings.MAX_BODY_BYTES, settings.RECORDING_BYTES = 11, 12, 13
    settings.CONNECT_TO = {("a", 1): ("127.0.0.1", 2)}
    site_settings_update(
        {
            "global_allow": ["10.0.0.0/8"],
            "global_block": ["10.0.0.1"],
            "trusted_proxies": ["::1"],
            "allow_private_upstreams": False,
        }
    )
    proxy = proxy_create(
        owner=None,
        fields={
            "name": "mine",
            "provider": "bedrock",
            "bind": "127.0.0.2",
            "port": 9876,
            "upstream": "https://api.example.com:8443/prefix/",
            "credential": "profile:test",
            "region": "eu-west-1",
            "cache": {
                "mode": "refresh",
                "ttl_s": 60,
                "temperature": "only_deterministic",
                "pace": "random",
                "pace_min_s": 1,
                "pace_max_s": 2,
                "single_flight": False,
                "obeys_upstream": True,
                "ignored_pointers": ["/metadata"],
            },
            "limits": {
                "rpm": 60,
                "tpm": 4000,
                "per": "credential",
                "over_limit": "hold",
                "hold_s": 2,
                "counts_hits": False,
                "quota_headers": True,
            },
            "faults": {"rules": RULES, "seed": 7, "enabled": False, "per_request": True},
            "access": {"allow": ["10.1.*.*"], "block": ["10.1.0.1"]},
            "timeouts": {"connect_s": 1, "silence_s": 2},
        },
        may_reference_credentials=True,
    )
    proxy = proxy_invalidate(proxy=proxy)
    config = load_config(proxy.pk)
    assert config.provider.id == "bedrock"
    assert (config.proxy_id, config.name, config.bind, config.port) == (proxy.pk, "mine", "127.0.0.2", 9876)
    assert (config.generation, config.site_generation) == (2, 2)
    assert config.upstream == Origin("https", "api.example.com", 8443, "/prefix")
    assert (config.credential, config.region) == ("profile:test", "eu-west-1")
    assert config.global_access == AccessList.parse(["10.0.0.0/8"], ["10.0.0.1"])
    assert config.access == AccessList.parse(["10.1.*.*"], ["10.1.0.1"])
    assert config.trusted_proxies == AccessList.parse(["::1"])
    assert not config.may_reach_private
    assert config.cache == CacheConfig(
        mode=CacheMode.REFRESH,
        epoch=1,
        ttl_s=60,
        temperature_rule=TemperatureRule.ONLY_DETERMINISTIC,
        pace=Pace(PaceKind.RANDOM, 1, 2),
        is_single_flight=False,
        obeys_upstream=True,
        ignored_pointers=("/metadata",),
    )
    assert config.limits == BodyLimits(11, 12, 13)
    assert config.timeouts == Timeouts(1, 2)
    assert config.rate_limit == RateLimitConfig(
        rpm=60,
        tpm=4000,
        scope=LimitScope.CREDENTIAL,
        over_limit=OverLimit.HOLD,
        hold_s=2,
        counts_hits=False,
        shows_quota=True,
    )
    assert config.faults == FaultConfig(rules=read_rules(RULES), seed=7, is_on=False, allows_header=True)
    assert config.connect_to == {("a", 1): ("127.0.0.1", 2)}
    assert config.base_url == "http://127.0.0.2:9876"


def test_a_new_run_is_marked(make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy("mine", faults={"rules": RULES})
    assert load_config(proxy.pk).faults.run == ""
    runs = set()
    for change in (
        lambda: proxy_update(proxy=proxy, changes={"faults.seed": 1}),
        lambda: proxy_update(proxy=proxy, changes={"faults.rules": [{"fault": "close"}]}),
        lambda: proxy_reset_faults(proxy=proxy),
    ):
        change()
        runs.add(load_config(proxy.pk).faults.run)
    assert len(runs) == 3
    proxy_update(proxy=proxy, changes={"faults.enabled": False, "limits.rpm": 5})
    assert load_config(proxy.pk).faults.run in runs


def test_a_plain_proxy_has_the_defaults_of_config(make_proxy: Callable[..., Proxy], settings: Settings) -> None:
    proxy = make_proxy("mine")
    config = load_config(proxy.pk)
    assert config.web_port == settings.WEB_BIND[1]
    plain = type(config)(
        proxy_id=proxy.pk, name="mine", provider=config.provider, bind="127.0.0.1", port=proxy.port, generation=1
    )
    assert dataclasses.replace(config, connect_to={}, web_port=0) == plain


def test_an_emulated_proxy_has_its_own_settings(make_proxy: Callable[..., Proxy]) -> None:
    replies = [{"match": {"model": "gpt-*"}, "reply": {"json": {"b": "\x00ü", "a": 1}}}]
    fields = {"strict": True, "ttft_s": 0.5, "tokens_per_s": 20, "jitter": 0.1, "replies": replies}
    config = load_config(make_proxy("mine", upstream="emulated", emulation=fields).pk)
    assert config.upstream == EMULATED
    emulation = config.emulation
    assert (emulation.is_strict, emulation.ttft_s, emulation.tokens_per_s, emulation.jitter) == (True, 0.5, 20, 0.1)
    assert emulation.canned == read_replies(replies)
    elsewhere = load_config(make_proxy("other", upstream="https://api.example.com", emulation=fields).pk)
    assert elsewhere.emulation == EmulationConfig()


def test_what_decides_the_answers_of_an_emulated_proxy_is_in_its_digest(make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy("mine", upstream="emulated")

    def digest(**changes: object) -> bytes:
        proxy_update(proxy=proxy, changes={f"emulation.{name}": value for name, value in changes.items()})
        return load_config(proxy.pk).emulation.digest

    plain = digest()
    strict = digest(strict=True)
    canned = digest(strict=False, replies=[{"reply": {"json": {"a": 1, "b": 2}}}])
    reordered = digest(replies=[{"reply": {"json": {"b": 2, "a": 1}}}])
    assert plain == b""
    assert len({plain, strict, canned, reordered}) == 4
    assert digest(ttft_s=1, replies=[]) == plain


def test_the_environment_reaches_the_workers(make_proxy: Callable[..., Proxy], settings: Settings) -> None:
    settings.SITE_OVERRIDES = {"global_block": ["10.9.9.9"]}
    assert load_config(make_proxy("mine").pk).global_access.check("10.9.9.9") == "block 10.9.9.9"


def test_many_are_read_in_two_queries(
    make_proxy: Callable[..., Proxy], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ids = [make_proxy(f"proxy {number}").pk for number in range(3)]
    with django_assert_num_queries(2):
        found = load_all([*ids, 10_000])
    assert found.keys() == set(ids)


def test_a_proxy_that_is_gone_is_said_to_be() -> None:
    with pytest.raises(Proxy.DoesNotExist):
        load_config(10_000)
