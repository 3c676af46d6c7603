"""The formats of texts and numbers: tells whether a text has one, and makes texts that have."""

from __future__ import annotations

import binascii
import datetime
import hashlib
import ipaddress
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from uuid import UUID

from providers.emulated.json_schema.document import Unsatisfiable
from providers.emulated.json_schema.regular_expression import read

_LONGEST = 2_000
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"P(?!$)(?:\d+W|(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*", re.ASCII)
_POINTER = re.compile(r"(?:/(?:[^~/]|~0|~1)*)*")
_RELATIVE = re.compile(r"(?:0|[1-9]\d*)(?:#|(?:/(?:[^~/]|~0|~1)*)*)", re.ASCII)


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, binascii.Error, Unsatisfiable):
            return False
        return True

    return check


def _is_date(text: str) -> bool:
    return bool(_DATE.fullmatch(text)) and _parses(datetime.date.fromisoformat)(text)


def _is_time(text: str) -> bool:
    return bool(_TIME.fullmatch(text)) and _is_moment(f"1970-01-01T{text}")


def _is_moment(text: str) -> bool:
    if not _DATE.match(text) or text[10:11] not in ("T", "t") or not _TIME.fullmatch(text[11:]):
        return False
    clock, fraction, zone = text[:19], text[19:], text[-6:]
    shift = "+00:00" if fraction[-1:] in "Zz" else zone
    return _parses(datetime.datetime.fromisoformat)(clock.upper() + shift)


def _is_host(text: str) -> bool:
    return 0 < len(text) < 254 and all(_LABEL.fullmatch(label) for label in text.split("."))


def _is_email(text: str) -> bool:
    name, at, host = text.rpartition("@")
    return bool(at and name and host) and not set(" \n\t") & set(text)


def _is_uuid(text: str) -> bool:
    return len(text) == 36 and [text[at] for at in (8, 13, 18, 23)] == ["-"] * 4 and _parses(UUID)(text)


_CHECKS: dict[str, Callable[[str], bool]] = {
    "date": _is_date,
    "time": _is_time,
    "date-time": _is_moment,
    "duration": lambda text: bool(_DURATION.fullmatch(text)) and text[-1] not in "PT",
    "email": _is_email,
    "idn-email": _is_email,
    "hostname": _is_host,
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": lambda text: "%" not in text and _parses(ipaddress.IPv6Address)(text),
    "uri": lambda text: bool(_URI.fullmatch(text)),
    "url": lambda text: bool(_URI.fullmatch(text)),
    "iri": lambda text: bool(_URI.match(text)),
    "uri-reference": lambda text: bool(_REFERENCE.fullmatch(text)),
    "uuid": _is_uuid,
    "json-pointer": lambda text: bool(_POINTER.fullmatch(text)),
    "relative-json-pointer": lambda text: bool(_RELATIVE.fullmatch(text)),
    "regex": _parses(read),
    "byte": _parses(lambda text: b64decode(text, validate=True)),
    "base64": _parses(lambda text: b64decode(text, validate=True)),
}


def has_format(text: str, name: str) -> bool:
    """Whether the text has the format; every text has one that is not known."""
    check = _CHECKS.get(name)
    return check is None or (len(text) <= _LONGEST and check(text))


def _date(at: int) -> str:
    return (datetime.date(2026, 1, 15) + datetime.timedelta(days=at)).isoformat()


def _uuid(at: int, seed: bytes) -> str:
    return str(UUID(bytes=hashlib.sha256(seed + at.to_bytes(8, "big")).digest()[:16], version=4))


_NAMES = ("ada", "alan", "grace", "emmy")


def _name(at: int) -> str:
    return _NAMES[at] if at < len(_NAMES) else f"example{at}"


def _path(at: int) -> str:
    return "" if at == 0 else str(at)


_MAKERS: dict[str, Callable[[int], str]] = {
    "date": _date,
    "time": lambda at: f"{12 + at // 60 % 12:02}:{at % 60:02}:00Z" if at < 720 else f"12:00:00.{at}Z",
    "date-time": lambda at: f"{_date(at)}T12:00:00Z",
    "duration": lambda at: f"P{1 + at}D",
    "email": lambda at: f"{_name(at)}@example.com",
    "idn-email": lambda at: f"{_name(at)}@example.com",
    "hostname": lambda at: "example.com" if at == 0 else f"{_name(at)}.example.com",
    "idn-hostname": lambda at: "example.com" if at == 0 else f"{_name(at)}.example.com",
    "ipv4": lambda at: str(ipaddress.IPv4Address(0xC0000201 + at)),
    "ipv6": lambda at: str(ipaddress.IPv6Address((0x20010DB8 << 96) + 1 + at)),
    "ipv4network": lambda at: f"192.0.{2 + at % 200}.0/24",
    "ipv6network": lambda at: f"2001:db8:{at:x}::/48",
    "cidrv4": lambda at: f"192.0.{2 + at % 200}.0/24",
    "cidrv6": lambda at: f"2001:db8:{at:x}::/48",
    "ipvanyaddress": lambda at: str(ipaddress.IPv4Address(0xC0000201 + at)),
    "uri": lambda at: f"https://example.com/{_path(at)}",
    "url": lambda at: f"https://example.com/{_path(at)}",
    "iri": lambda at: f"https://example.com/{_path(at)}",
    "uri-reference": lambda at: f"/example{_path(at)}",
    "iri-reference": lambda at: f"/example{_path(at)}",
    "uri-template": lambda at: f"https://example.com/{{id}}{_path(at)}",
    "json-pointer": lambda at: f"/example{_path(at)}",
    "relative-json-pointer": lambda at: f"{at}/example",
    "regex": lambda at: f"^example{_path(at)}$",
    "byte": lambda at: b64encode(f"example{_path(at)}".encode()).decode(),
    "base64": lambda at: b64encode(f"example{_path(at)}".encode()).decode(),
    "base64url": lambda at: b64encode(f"example{_path(at)}".encode()).decode().rstrip("="),
    "color": lambda at: ("blue", "green", "red", "black", "white", "gray")[at % 6],
    "json-string": lambda at: f'{{"example": {at}}}',
    "json": lambda at: f'{{"example": {at}}}',
}
# The shortest texts of a format: for schemas that leave little room.
_SHORT = {
    "email": "a@b.co", "hostname": "a", "uri": "a:b", "url": "a:b", "iri": "a:b", "uri-reference": "",
    "json-pointer": "", "iri-reference": "", "regex": "", "ipv6": "::", "ipv4": "1.1.1.1", "byte": "", "base64": "",
    "idn-email": "a@b.co", "idn-hostname": "a", "relative-json-pointer": "0", "uri-template": "", "duration": "P1D",
}  # fmt: skip
# Formats of which a text can be as long as one likes: what to put where to make it so.
_GROWING: dict[str, Callable[[int], str]] = {
    "email": lambda length: f"{'a' * (length - 12)}@example.com",
    "uri": lambda length: f"https://example.com/{'a' * (length - 20)}",
    "url": lambda length: f"https://example.com/{'a' * (length - 20)}",
    "iri": lambda length: f"https://example.com/{'a' * (length - 20)}",
    "uri-reference": lambda length: f"/{'a' * (length - 1)}",
    "iri-reference": lambda length: f"/{'a' * (length - 1)}",
    "uri-template": lambda length: f"/{'a' * (length - 1)}",
    "json-pointer": lambda length: f"/{'a' * (length - 1)}",
    "relative-json-pointer": lambda length: f"0/{'a' * (length - 2)}",
    "regex": lambda length: "a" * length,
    "hostname": lambda length: ("a" * 50 + ".") * (length // 51) + "a" * (length % 51 or 0),
    "date-time": lambda length: f"2026-01-15T12:00:00.{'0' * (length - 21)}Z",
    "time": lambda length: f"12:00:00.{'0' * (length - 10)}Z",
    "duration": lambda length: f"P{'1' * (length - 2)}D",
    "base64": lambda length: "ZXhh" * (-(-length // 4)),
    "byte": lambda length: "ZXhh" * (-(-length // 4)),
}


def texts_of(name: str, variation: int, seed: bytes, low: int) -> list[str]:
    """Texts of the format, the best first; none of a format that is not known. `low`: one of at least this length."""
    if name.startswith("uuid"):
        return [_uuid(variation, seed)]
    make = _MAKERS.get(name)
    if make is None:
        return []
    found = [make(variation)]
    if name in _SHORT:
        found.append(_SHORT[name])
    if low > len(found[0]) and name in _GROWING:
        found.append(_GROWING[name](min(low, _LONGEST)))
        found.append(_GROWING[name](min(low + 1, _LONGEST)))
    return found


WIDTHS: dict[str, tuple[int, int]] = {
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}
"""The least and the greatest number of a numeric format."""
