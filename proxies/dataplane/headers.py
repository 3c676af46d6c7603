"""Which header fields travel: the hop-by-hop rules of HTTP and Rubberduck's own control headers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from providers.base import Header

CONTROL_PREFIX = b"x-rubberduck-"

# Source: RFC 9110 section 7.6.1; `proxy-connection` is what old clients send in its place.
HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization",
        b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
_NO_NAMES = frozenset({b"keep-alive", b"close", b"Keep-Alive", b"Close"})
NOT_FORWARDED = HOP_BY_HOP | {b"host", b"expect", b"http2-settings"}


def named_by_connection(value: bytes) -> frozenset[bytes]:
    """The header names a Connection field lists, lower case, options that name no header included."""
    return frozenset(name.strip().lower() for name in value.split(b",") if name.strip())


def forwardable(raw_headers: Iterable[Header], not_forwarded: frozenset[bytes]) -> list[Header]:
    """The fields that go on, in order, duplicates and the case of names kept.

    Left out: control headers, those in `not_forwarded` (lower case, `connection` among them), and those that a
    Connection field names.
    """
    kept = []
    named: frozenset[bytes] = frozenset()
    for field in raw_headers:
        lower = field[0].lower()
        if lower in not_forwarded:
            if lower == b"connection" and field[1] not in _NO_NAMES:
                named |= named_by_connection(field[1])
        elif not lower.startswith(CONTROL_PREFIX):
            kept.append(field)
    return [field for field in kept if field[0].lower() not in named] if named else kept


def joined_fields(headers: list[Header]) -> dict[bytes, bytes]:
    """The fields by name, those of one name joined by commas. Source: RFC 9110 section 5.3."""
    fields = dict(headers)
    if len(fields) != len(headers):
        for name in fields:
            fields[name] = b", ".join([value for other, value in headers if other == name])
    return fields


def field_value(headers: Iterable[Header], name: bytes) -> bytes | None:
    """The value of the first field of a (lower-case) name, which the headers may write in any case."""
    return next((value for key, value in headers if key.lower() == name), None)


def with_field(headers: Iterable[Header], name: bytes, value: bytes | None) -> list[Header]:
    """Other headers, with this value in the place of any there was for a (lower-case) name; None: without."""
    changed = [field for field in headers if field[0].lower() != name]
    if value is not None:
        changed.append((name, value))
    return changed


def base_url(host: bytes | None, default: str) -> str:
    """The proxy's base URL as a client sees it, from its Host header; `default` if that is none we can repeat."""
    if host is None or not _HOST.fullmatch(host):
        return default
    return "http://" + host.decode("ascii")


_HOST = re.compile(rb"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
