"""Allow and block lists for client addresses: their grammar, their lookup, and whose X-Forwarded-For is believed."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

_V4_ALL = (1 << 32) - 1
_V6_ALL = (1 << 128) - 1
_MAPPED = 0xFFFF << 32  # ::ffff:0:0/96, IPv4 addresses as an IPv6 socket shows them
_REMEMBERED = 4096
_EVERYBODY = ((4, 0, 0), (6, 0, 0))

_Address = tuple[int, int]
"""IP version (4 or 6) and the address as a number. Mapped addresses are version 4."""
_Table = dict[int, dict[int, str]]
"""Mask -> masked address -> the entry as it was written. A CIDR range and a wildcard are both nothing but a mask."""


class InvalidAccessEntry(ValueError):
    """An entry that is not an address, range or wildcard. `line` counts from 1; the text holds line and reason."""

    def __init__(self, line: int, entry: str, reason: str) -> None:
        super().__init__(f"line {line}: {entry[:60]!r} {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AccessList:
    """Rules for client addresses: a block wins over an allow; an address must pass a non-empty allow list.

    Entries: `192.0.2.7`, `2001:db8::7`, `10.0.0.0/8`, `2001:db8::/32`, `10.1.*.*`, `10.*.0.1`, `10.1.*` (a last star
    covers the rest), `2001:db8:*`, `*` (everybody). A lookup costs one dict access per distinct mask, one alone for an
    address seen before.
    """

    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    _allowed: dict[int, _Table] = field(init=False, repr=False, compare=False)
    _blocked: dict[int, _Table] = field(init=False, repr=False, compare=False)
    _remembered: dict[str, str | None] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_allowed", _compile(self.allow))
        object.__setattr__(self, "_blocked", _compile(self.block))

    @classmethod
    def parse(cls, allow: Sequence[str], block: Sequence[str] = ()) -> AccessList:
        """Raises InvalidAccessEntry."""
        return cls(tuple(allow), tuple(block))

    def check(self, ip: str) -> str | None:
        """None when the address passes, else what decided: "block 10.0.0.0/8" or "not in the allow list"."""
        if not self.allow and not self.block:
            return None
        try:
            return self._remembered[ip]
        except KeyError:
            pass
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        verdict = self._remembered[ip] = self._decide(ip)
        return verdict

    def matches(self, ip: str) -> bool:
        """Whether an allow entry covers the address and no block entry does. An empty list matches nobody."""
        return bool(self.allow) and self.check(ip) is None

    def _decide(self, ip: str) -> str | None:
        address = _parse_address(ip)
        if address is None:
            return "not an IP address"
        if (entry := _find(self._blocked, address)) is not None:
            return f"block {entry}"
        if self.allow and _find(self._allowed, address) is None:
            return "not in the allow list"
        return None


def client_address(peer: str, forwarded_for: str, trusted: AccessList) -> str:
    """Who is calling: `peer`, or, behind trusted proxies, the last address of X-Forwarded-For that is not one of them.

    `forwarded_for` is the header's value, several fields joined by commas. What a client wrote itself stands further
    left than what a trusted proxy added, so the list is read from its end, up to the first thing that is no address.
    """
    if not forwarded_for or not trusted.matches(peer):
        return peer
    client = peer
    for part in reversed(forwarded_for.split(",")):
        text = part.strip()
        if text.startswith("["):
            text = text[1:].partition("]")[0]
        elif text.count(":") == 1:
            text = text.partition(":")[0]
        address = _parse_address(text)
        if address is None:
            return client
        client = _text(address)
        if not trusted.matches(client):
            return client
    return client


def _find(tables: dict[int, _Table], address: _Address) -> str | None:
    version, number = address
    for mask, entries in tables[version].items():
        entry = entries.get(number & mask)
        if entry is not None:
            return entry
    return None


def _compile(entries: Sequence[str]) -> dict[int, _Table]:
    tables: dict[int, _Table] = {4: {}, 6: {}}
    for line, entry in enumerate(entries, 1):
        try:
            if not isinstance(entry, str):
                raise ValueError("is not text")
            parsed = _EVERYBODY if entry.strip() == "*" else (_parse_entry(entry.strip()),)
        except ValueError as error:
            raise InvalidAccessEntry(line, str(entry), str(error)) from None
        for version, value, mask in parsed:
            tables[version].setdefault(mask, {}).setdefault(value, entry.strip())
    return tables


def _parse_entry(entry: str) -> tuple[int, int, int]:
    """IP version, masked address, mask. Raises ValueError with the reason, worded to follow the entry."""
    if "*" in entry:
        return _parse_wildcard(entry)
    address_text, slash, prefix = entry.partition("/")
    try:
        parsed = ipaddress.ip_address(address_text)
    except ValueError:
        raise ValueError("is not an IP address, a CIDR range or a wildcard such as 10.1.*.*") from None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.scope_id:
        raise ValueError("names a network interface; write the address without %")
    bits: int = parsed.max_prefixlen
    if not slash:
        length = bits
    elif prefix.isascii() and prefix.isdigit() and int(prefix) <= bits:
        length = int(prefix)
    else:
        raise ValueError(f"has a bad range: use a number from 0 to {bits} after the slash")
    everything = _V4_ALL if parsed.version == 4 else _V6_ALL
    mask = everything ^ (everything >> length)
    value = int(parsed)
    if value & ~mask:
        network = ipaddress.ip_network(f"{address_text}/{length}", strict=False)
        raise ValueError(f"is an address inside a range; write {network}, or drop the slash to mean one address")
    if parsed.version == 6 and length >= 96 and value >> 32 == 0xFFFF:
        return 4, value & _V4_ALL, mask & _V4_ALL
    return parsed.version, value, mask


def _parse_wildcard(entry: str) -> tuple[int, int, int]:
    version, separator, count, bits, base = (6, ":", 8, 16, 16) if ":" in entry else (4, ".", 4, 8, 10)
    groups = entry.split(separator)
    if groups[-1] == "*":
        groups += ["*"] * (count - len(groups))
    if len(groups) != count:
        raise ValueError(f"is not a wildcard: use {count} groups, or end with a star that covers the rest")
    value = mask = 0
    for group in groups:
        value, mask = value << bits, mask << bits
        if group == "*":
            continue
        try:
            number = int(group, base) if group.isascii() and group.isalnum() else -1
        except ValueError:
            number = -1
        if not 0 <= number < 1 << bits:
            raise ValueError("is not a wildcard: a star stands for one whole group, as in 10.1.*.*")
        value, mask = value | number, mask | (1 << bits) - 1
    return version, value, mask


def _parse_address(text: str) -> _Address | None:
    try:
        return 4, int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except (OSError, ValueError):
        pass
    try:
        number = int.from_bytes(socket.inet_pton(socket.AF_INET6, text.partition("%")[0]), "big")
    except (OSError, ValueError):
        return None
    return (4, number & _V4_ALL) if number & ~_V4_ALL == _MAPPED else (6, number)


def _text(address: _Address) -> str:
    version, number = address
    return str(ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number))
