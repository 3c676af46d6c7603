"""Where upstreams may be: the grammar of upstream URLs and the addresses that are refused, at write and at connect
time."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal
from urllib.parse import urlsplit

from providers.base import EMULATED, Origin

_IP = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where virtual machines get their metadata and containers their credentials; 169.254.0.0/16 and fe80::/10 are refused
# as a whole. fd00:ec2::254 and fd00:ec2::23 are in botocore's source (utils.py, 1.44.5), metadata.google.internal in
# google-auth's (compute_engine/_metadata.py, 2.62.2). The others are commonly documented for Google (fd20:ce::254),
# Alibaba (100.100.100.200), Azure (168.63.129.16) and Oracle (192.0.0.192), and were not verified at the vendors.
_METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(text)
    for text in (
        *("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"),
        *("100.100.100.200", "168.63.129.16", "192.0.0.192"),
    )
)
_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_6TO4 = ipaddress.IPv6Network("2002::/16")
# Others whose last 32 bits are an IPv4 address that a translator on the way may turn them into: of local translators
# (RFC 8215), IPv4-compatible (RFC 4291), IPv4-translated (RFC 2765).
_TRANSLATED = tuple(ipaddress.IPv6Network(text) for text in ("64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96"))
# Python counts as global what is not assigned, too. Source: iana.org/assignments/ipv6-address-space, RFC 9637 (3fff).
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_EXAMPLES_V6 = ipaddress.IPv6Network("3fff::/20")

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*")


class InvalidUpstream(ValueError):
    """An upstream URL that is not accepted; the text says why, for people."""


def parse_upstream(text: str) -> Origin:
    """`https://host[:port][/prefix]`, or `emulated`, as an Origin. Raises InvalidUpstream."""
    if text == "emulated":
        return EMULATED
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise InvalidUpstream("Use printable ASCII without blanks; write an international name in its xn-- form.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # whose text repeats what may be a password
        raise InvalidUpstream("This is no URL: look at its host and port.") from None
    if parts.scheme not in ("http", "https"):
        raise InvalidUpstream("Begin with http:// or https://, as in https://api.example.com; or write emulated.")
    if parts.username is not None or parts.password is not None:
        raise InvalidUpstream("Leave out user and password: credentials travel with each request.")
    if "?" in text or "#" in text:
        raise InvalidUpstream("Leave out the query and the fragment: only a path may follow the host.")
    host = (parts.hostname or "").removesuffix(".")
    if not host:
        raise InvalidUpstream("The host is missing, as in https://api.example.com.")
    if port is None and parts.netloc.endswith(":"):
        raise InvalidUpstream("The port after the colon is missing; leave the colon out for the usual one.")
    if port == 0:
        raise InvalidUpstream("Ports are numbers from 1 to 65535.")
    prefix = parts.path.rstrip("/")
    if not _PREFIX.fullmatch(prefix) or any(part in (".", "..") for part in prefix.split("/")):
        raise InvalidUpstream("The path after the host may hold no empty, '.' or '..' segment and no odd characters.")
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    return Origin(scheme, _host(host), port or (443 if scheme == "https" else 80), prefix)


def _host(host: str) -> str:
    """The host in its one canonical form. Other spellings of addresses (`127.1`, `0x7f000001`) are refused, not
    guessed."""
    if ":" in host:
        try:
            parsed = ipaddress.IPv6Address(host)
        except ValueError:
            raise InvalidUpstream("The host in brackets is no IPv6 address.") from None
        if parsed.scope_id:
            raise InvalidUpstream("Write the IPv6 address without a network interface.")
        return str(parsed)
    labels = host.split(".")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise InvalidUpstream("Write an IPv4 address as four decimal numbers.") from None
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidUpstream("The host is no valid name.")
    return host


def address_refusal(ip: str, *, may_reach_private: bool) -> str | None:
    """Why no connection is made to this address, in words; None when it is fine. Metadata and link-local are always
    refused."""
    try:
        address: _IP = ipaddress.ip_address(ip)
    except ValueError:
        return f"{ip} is no IP address"
    meant = _unwrap(address)
    if meant in _METADATA_ADDRESSES:
        return f"{ip} is a cloud metadata address"
    if meant.is_link_local:
        return f"{ip} is a link-local address, where cloud metadata lives"
    if meant.is_multicast or (meant.version == 4 and meant == ipaddress.IPv4Address("255.255.255.255")):
        return f"{ip} is not the address of one machine"
    if not may_reach_private and not (meant.is_global and _may_be_public(address)):
        return f"{ip} is a private or loopback address, and private upstreams are switched off"
    return None


def host_refusal(host: str, *, may_reach_private: bool) -> str | None:
    """The same for an Origin's host as it is written: addresses and well-known names. Other names are judged when
    they resolve."""
    if host in _METADATA_NAMES:
        return f"{host} is a cloud metadata service"
    if host == "localhost" or host.endswith(".localhost"):
        return None if may_reach_private else f"{host} is this machine, and private upstreams are switched off"
    if is_ip(host):
        return address_refusal(host, may_reach_private=may_reach_private)
    return None


def is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_own_address(host: str, bind: str) -> bool:
    """Whether an Origin's host, as it is written, is where a proxy bound to `bind` listens."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    if not is_ip(host):
        return False
    address = _unwrap(ipaddress.ip_address(host))
    return address.is_loopback or address.is_unspecified or address == ipaddress.ip_address(bind)


def _may_be_public(address: _IP) -> bool:
    """Whether an address of this form may lead to the internet; one that holds another is judged by that, too."""
    if isinstance(address, ipaddress.IPv4Address) or address.ipv4_mapped is not None or address in _NAT64:
        return True
    return address in _PUBLIC_V6 and address not in _EXAMPLES_V6


def _unwrap(address: _IP) -> _IP:
    """The IPv4 address inside an IPv6 one, for the forms that lead there."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    # ::/96 begins with :: and ::1, which are addresses of their own.
    if address in _NAT64 or (int(address) > 0xFFFF and any(address in network for network in _TRANSLATED)):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _6TO4:
        return ipaddress.IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return address
