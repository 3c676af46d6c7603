"""Access lists: the grammar, who wins, and who is believed about X-Forwarded-For."""

from __future__ import annotations

import ipaddress
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxies.dataplane.access import AccessList, InvalidAccessEntry, client_address


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
        ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
        ("10.1.*.*", "10.1.200.3", "10.2.0.1"),
        ("10.1.*", "10.1.200.3", "10.2.0.1"),
        ("10.*.0.1", "10.77.0.1", "10.77.0.2"),
        ("*.*.*.1", "9.8.7.1", "9.8.7.2"),
        ("2001:db8::7", "2001:db8:0::7", "2001:db8::8"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
        ("2001:db8:*", "2001:db8:1:2:3:4:5:6", "2001:db9::1"),
        ("2001:db8:*:*:*:*:*:1", "2001:db8:9::1", "2001:db8:9::2"),
        ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.1"),
        ("10.0.0.1", "::ffff:10.0.0.1", "::ffff:10.0.0.2"),
        ("fe80::1", "fe80::1%eth0", "fe80::2%eth0"),
        ("::/0", "2001:db8::1", "10.0.0.1"),
    ],
)
def test_an_entry_covers_what_it_says_and_no_more(entry: str, inside: str, outside: str) -> None:
    allow, block = AccessList.parse([entry]), AccessList.parse([], [entry])
    assert allow.check(inside) is None
    assert allow.check(outside) == "not in the allow list"
    assert block.check(inside) == f"block {entry}"
    assert block.check(outside) is None


def test_an_empty_list_lets_everybody_pass_and_matches_nobody() -> None:
    assert AccessList().check("10.0.0.1") is None
    assert AccessList().check("not an address") is None
    assert not AccessList().matches("10.0.0.1")


def test_a_block_wins_over_an_allow_however_exact_the_allow_is() -> None:
    rules = AccessList.parse(["10.0.0.7"], ["10.0.0.0/8"])
    assert rules.check("10.0.0.7") == "block 10.0.0.0/8"
    assert not rules.matches("10.0.0.7")


def test_what_is_no_address_does_not_pass_a_list() -> None:
    for text in ("", "unix:", "10.0.0", "10.0.0.1 ", "１0.0.0.1", "10.0.0.1\x00"):
        assert AccessList.parse(["0.0.0.0/0", "::/0"]).check(text) == "not an IP address"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("", "is not an IP address"),
        ("localhost", "is not an IP address"),
        ("10.0.0.256", "is not an IP address"),
        ("010.0.0.1", "is not an IP address"),
        ("10.0.0.0/33", "from 0 to 32"),
        ("10.0.0.0/", "from 0 to 32"),
        ("10.0.0.0/-1", "from 0 to 32"),
        ("10.0.0.0/255.0.0.0", "from 0 to 32"),
        ("::/129", "from 0 to 128"),
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("10.1*.0.0", "a star stands for one whole group"),
        ("10.*.3", "4 groups"),
        ("10.*.0.0/16", "a star stands for one whole group"),
        ("10.+1.*.*", "a star stands for one whole group"),
        ("2001::*:*:*:*:*:*:*:*", "8 groups"),
        ("fe80::1%eth0", "network interface"),
    ],
)
def test_a_bad_entry_is_refused_with_its_line_and_the_reason(entry: str, reason: str) -> None:
    with pytest.raises(InvalidAccessEntry) as caught:
        AccessList.parse(["10.0.0.1", entry])
    assert str(caught.value).startswith("line 2: ")
    assert reason in str(caught.value)
    assert caught.value.line == 2


def test_an_entry_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidAccessEntry, match="line 1: '7' is not text"):
        AccessList.parse([7])  # type: ignore[list-item]


def test_thousands_of_entries_need_one_table_per_mask() -> None:
    entries = [str(ipaddress.IPv4Address(0x0A000000 + number)) for number in range(20_000)]
    rules = AccessList.parse([], [*entries, "192.168.0.0/16"])
    assert len(rules._blocked[4]) == 2
    assert rules.check("10.0.78.31") == "block 10.0.78.31"
    assert rules.check("10.0.78.32") is None


def test_remembered_verdicts_are_bounded() -> None:
    rules = AccessList.parse([], ["10.0.0.1"])
    for number in range(10_000):
        rules.check(str(ipaddress.IPv4Address(number)))
    assert len(rules._remembered) <= 4096
    assert rules.check("10.0.0.1") == "block 10.0.0.1"


@given(st.lists(st.ip_addresses(v=4), max_size=5), st.integers(0, 32), st.ip_addresses(v=4))
def test_the_lookup_agrees_with_the_ipaddress_module(
    networks: list[ipaddress.IPv4Address], length: int, client: ipaddress.IPv4Address
) -> None:
    ranges = [ipaddress.ip_network(f"{address}/{length}", strict=False) for address in networks]
    expected = any(client in network for network in ranges)
    assert AccessList.parse([str(network) for network in ranges]).matches(str(client)) == expected


def mapped(address: ipaddress.IPv4Address) -> str:
    return f"::ffff:{address}"


@given(
    st.lists(st.tuples(st.ip_addresses(v=4), st.integers(0, 32)), max_size=20),
    st.lists(
        st.tuples(st.ip_addresses(v=6).filter(lambda six: six.ipv4_mapped is None), st.integers(0, 128)), max_size=20
    ),
    st.ip_addresses(v=4),
    st.ip_addresses(v=6),
    st.data(),
)
def test_ranges_of_both_versions_and_of_any_length_live_in_one_list(
    fours: list[tuple[ipaddress.IPv4Address, int]],
    sixes: list[tuple[ipaddress.IPv6Address, int]],
    four: ipaddress.IPv4Address,
    six: ipaddress.IPv6Address,
    data: st.DataObject,
) -> None:
    ranges4 = [ipaddress.ip_network(f"{address}/{length}", strict=False) for address, length in fours]
    ranges6 = [ipaddress.ip_network(f"{address}/{length}", strict=False) for address, length in sixes]
    if ranges4 and data.draw(st.booleans()):  # else hardly any address is inside
        four = ranges4[0].broadcast_address
    if ranges6 and data.draw(st.booleans()):
        six = ranges6[0].broadcast_address
    rules = AccessList.parse([], [str(each) for each in [*ranges4, *ranges6]])
    inside4 = any(four in each for each in ranges4)
    assert (rules.check(str(four)) is not None) == inside4
    assert (rules.check(mapped(four)) is not None) == inside4
    if six.ipv4_mapped is None:
        assert (rules.check(str(six)) is not None) == any(six in each for each in ranges6)


def test_ten_thousand_ranges_of_every_length_cost_a_lookup_one_step_a_length() -> None:
    dice = random.Random(4)
    lengths = [8 + number % 25 for number in range(10_000)]
    ranges = [ipaddress.ip_network((dice.getrandbits(31) >> 32 - n << 32 - n, n)) for n in lengths]
    rules = AccessList.parse([], [str(each) for each in ranges])
    assert len(rules._blocked[4]) == 25
    for _ in range(50):
        four = ipaddress.IPv4Address(dice.getrandbits(32))
        assert (rules.check(str(four)) is not None) == any(four in each for each in ranges)


TRUSTED = AccessList.parse(["127.0.0.1", "10.0.0.0/8"])


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # the peer is not trusted: its header is ignored
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # what the client wrote itself is not believed
        ("127.0.0.1", "198.51.100.1, 10.0.0.3", "198.51.100.1"),
        ("127.0.0.1", "10.0.0.4, 10.0.0.3", "10.0.0.4"),
        ("127.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, unknown, 10.0.0.3", "10.0.0.3"),
        ("127.0.0.1", "<script>", "127.0.0.1"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),  # as a socket for both versions shows it
        ("::ffff:127.0.0.1", "198.51.100.1, ::ffff:10.0.0.3", "198.51.100.1"),
        ("127.0.0.1", " , ", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.4", "10.0.0.4"),
    ],
)
def test_forwarded_addresses_are_believed_from_trusted_proxies_only(peer: str, header: str, client: str) -> None:
    assert client_address(peer, header, TRUSTED) == client


@pytest.mark.parametrize("ip", ["192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "::1"])
def test_a_star_alone_is_everybody_whatever_their_family(ip: str) -> None:
    assert AccessList.parse(["*"]).check(ip) is None
    assert AccessList.parse([], ["*"]).check(ip) == "block *"
