"""Upstream URLs and the addresses that are refused."""

from __future__ import annotations

import pytest

from providers.base import EMULATED, Origin
from proxies.dataplane.addresses import (
    InvalidUpstream,
    address_refusal,
    host_refusal,
    is_own_address,
    parse_upstream,
)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://api.openai.com", Origin("https", "api.openai.com", 443)),
        ("http://API.Example.COM:8080/", Origin("http", "api.example.com", 8080)),
        ("HTTPS://x.openai.azure.com./openai/", Origin("https", "x.openai.azure.com", 443, "/openai")),
        ("http://[::1]:9/a/b%2Fc", Origin("http", "::1", 9, "/a/b%2Fc")),
        ("http://127.0.0.1", Origin("http", "127.0.0.1", 80)),
        ("http://my_host", Origin("http", "my_host", 80)),
    ],
)
def test_an_upstream_is_a_scheme_a_host_and_perhaps_a_path(text: str, origin: Origin) -> None:
    assert parse_upstream(text) == origin


def test_the_emulated_upstream_is_one_that_no_url_can_name() -> None:
    assert parse_upstream("emulated") == EMULATED
    assert parse_upstream("http://emulated") != EMULATED
    with pytest.raises(InvalidUpstream):
        parse_upstream("emulated://emulated")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("api.openai.com", "Begin with http"),
        ("ftp://x", "Begin with http"),
        ("https://", "host is missing"),
        ("https:///path", "host is missing"),
        ("https://user:pass@x", "Leave out user and password"),
        ("https://@x", "Leave out user and password"),
        ("https://x?a=1", "query"),
        ("https://x/?", "query"),
        ("https://x#a", "fragment"),
        ("https://x:0", "from 1 to 65535"),
        ("https://x:", "port after the colon is missing"),
        ("http://127.0.0.1:/v1", "port after the colon is missing"),
        ("https://x:99999", "no URL"),
        ("https://x:abc", "no URL"),
        ("https://user:s3cret", "no URL: look at its host and port."),
        ("https://[::1", "no URL"),
        ("https://[fe80::1%25eth0]", "network interface"),
        ("https://bücher.example", "xn--"),
        ("https://a b", "blanks"),
        ("https://a\r\nHost: b", "printable"),
        ("https://a\\b", "blanks"),
        ("https://127.1", "four decimal numbers"),
        ("https://2130706433", "four decimal numbers"),
        ("https://0x7f.1", "four decimal numbers"),
        ("https://0177.0.0.1", "four decimal numbers"),
        ("https://-x.com", "no valid name"),
        ("https://a..b", "no valid name"),
        ("https://x//y", "path"),
        ("https://x/a/../b", "path"),
        ("https://x/a;b|c", "path"),
    ],
)
def test_what_is_no_upstream_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidUpstream) as caught:
        parse_upstream(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "ip",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "::a9fe:a9fe",
        "::ffff:0:a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "224.0.0.1",
        "255.255.255.255",
        "ff02::1",
        "not an address",
    ],
)
def test_metadata_and_link_local_addresses_are_refused_always(ip: str) -> None:
    assert address_refusal(ip, may_reach_private=True)
    assert address_refusal(ip, may_reach_private=False)


@pytest.mark.parametrize(
    "ip",
    [
        *("127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0.0.0.0"),
        *("::1", "::", "fd12::1", "fec0::1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::10.0.0.1"),
        *("64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1::8.8.8.8", "::10.0.0.1", "::ffff:0:10.0.0.1"),
        *("3fff::1", "5f00::1"),
    ],
)
def test_private_addresses_depend_on_the_site(ip: str) -> None:
    assert address_refusal(ip, may_reach_private=True) is None
    assert "private upstreams are switched off" in (address_refusal(ip, may_reach_private=False) or "")


@pytest.mark.parametrize("ip", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_public_addresses_are_fine(ip: str) -> None:
    assert address_refusal(ip, may_reach_private=False) is None


def test_well_known_names_are_judged_as_they_are_written() -> None:
    assert host_refusal("metadata.google.internal", may_reach_private=True)
    assert host_refusal("169.254.169.254", may_reach_private=True)
    assert host_refusal("localhost", may_reach_private=True) is None
    assert host_refusal("localhost", may_reach_private=False)
    assert host_refusal("a.localhost", may_reach_private=False)
    assert host_refusal("api.openai.com", may_reach_private=False) is None


@pytest.mark.parametrize(
    ("host", "bind", "is_own"),
    [
        ("localhost", "127.0.0.1", True),
        ("127.0.0.5", "0.0.0.0", True),
        ("::ffff:127.0.0.1", "127.0.0.1", True),
        ("0.0.0.0", "127.0.0.1", True),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.8", "192.0.2.7", False),
        ("api.openai.com", "127.0.0.1", False),
    ],
)
def test_a_proxy_knows_its_own_address(host: str, bind: str, is_own: bool) -> None:
    assert is_own_address(host, bind) is is_own
