"""The faults a request asks for itself: `x-rubberduck-fault`, a list of RFC 9651 whose parameters are the settings.

delay;seconds=2, error;status=429
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

import http_sf

from proxies.dataplane.faults.base import Fault, Stage
from proxies.dataplane.faults.registry import PASS, all_faults
from proxies.dataplane.faults.settings import InvalidField, number, read_settings, unknown, write_settings

FAULT_HEADER = "x-rubberduck-fault"
MAX_FAULTS = 20  # in one header
_LONGEST_REMEMBERED = 500


class InvalidFaultHeader(ValueError):
    """An `x-rubberduck-fault` header nobody can obey; the text is for the client's 400."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{FAULT_HEADER}: {reason}")


def read_header(value: bytes) -> tuple[Fault, ...] | None:
    """The faults of a header value, several fields joined by commas: none for `pass`; None for an empty header, which
    says nothing. Raises InvalidFaultHeader."""
    return _remembered(value) if len(value) <= _LONGEST_REMEMBERED else _read(value)


def _read(value: bytes) -> tuple[Fault, ...] | None:
    members = _parse(value)
    if not members:
        return None
    if len(members) > MAX_FAULTS:
        raise InvalidFaultHeader(f"use at most {MAX_FAULTS} faults")
    faults = []
    for member in members:
        kind, parameters = member if isinstance(member, tuple) else (member, {})
        if not isinstance(kind, http_sf.Token):
            raise InvalidFaultHeader("use the names of faults, as in delay;seconds=2, error;status=429")
        if kind == PASS:
            if len(members) > 1 or parameters:
                raise InvalidFaultHeader(f"{PASS} stands alone: it means that nothing is to happen")
            return ()
        faults.append(_read_fault(str(kind), parameters))
    replacing = [fault.kind for fault in faults if fault.stage is Stage.REPLACE]
    damaging = [fault.kind for fault in faults if fault.stage is Stage.DAMAGE]
    if len(replacing) > 1:
        raise InvalidFaultHeader(f"use only one of {', '.join(replacing)}: each takes the place of the reply")
    if replacing and damaging:
        raise InvalidFaultHeader(f"{damaging[0]} has no reply to damage: {replacing[0]} takes its place")
    return tuple(faults)


_remembered = lru_cache(maxsize=1024)(_read)


def write_header(faults: tuple[Fault, ...]) -> str:
    """The header value that asks for these faults, `pass` for none."""
    if not faults:
        return PASS
    return str(http_sf.ser([(http_sf.Token(fault.kind), _parameters(fault)) for fault in faults]))


def _parse(value: bytes) -> list[Any]:
    def refuse(name: str, _: str) -> None:
        raise InvalidFaultHeader(f"{name} stands there twice")

    try:
        members = http_sf.parse(value, tltype="list", on_duplicate_key=refuse)
    except http_sf.StructuredFieldError as error:
        raise InvalidFaultHeader(f"not a list as RFC 9651 has it: {error}") from None
    assert isinstance(members, list)
    return members


def _read_fault(kind: str, parameters: Mapping[str, Any]) -> Fault:
    known = all_faults()
    cls = known.get(kind)
    if cls is None:
        raise InvalidFaultHeader(f"{kind}: {unknown(kind, 'fault', [*known, PASS])}")
    try:
        return read_settings(cls, {name: _plain(value) for name, value in parameters.items()})
    except InvalidField as error:
        raise InvalidFaultHeader(f"{kind};{error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (http_sf.Token, http_sf.DisplayString)):
        return str(value)
    return value


def _parameters(fault: Fault) -> dict[str, Any]:
    return {name: _item(value) for name, value in write_settings(fault).items() if value is not None}


def _item(value: Any) -> Any:
    if isinstance(value, float):
        return number(round(value, 3))  # as many places as RFC 9651 has
    if isinstance(value, str) and not (value.isascii() and value.isprintable()):
        return http_sf.DisplayString(value)
    return value
