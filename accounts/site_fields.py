"""The fields of the site settings: what each accepts, and how it is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from proxies.dataplane.access import AccessList, InvalidAccessEntry

MAX_ADDRESSES: Final = 50_000  # of one list; every worker holds them
MAX_SIGN_UP_ENTRIES: Final = 10_000
MAX_RETENTION_DAYS: Final = 36_500


def site_field_clean(name: str, value: Any) -> Any:
    """The value as it is stored. Raises ValueError with the reason, KeyError for a field that does not exist."""
    return _CLEAN[name](value)


def address_list_error(entries: Any) -> str | None:
    """Why a list of client addresses is not accepted, with the line; None when it is."""
    if not isinstance(entries, list | tuple):
        return "Use a list of addresses."
    if len(entries) > MAX_ADDRESSES:
        return f"The list has {len(entries)} entries; {MAX_ADDRESSES} is the most. A range such as 10.0.0.0/8 is one."
    try:
        AccessList.parse(entries)
    except InvalidAccessEntry as error:
        return f"{error}."
    return None


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Use true or false.")
    return value


def _addresses(value: Any) -> list[str]:
    if reason := address_list_error(value):
        raise ValueError(reason)
    return list(value)


def _emails(value: Any) -> list[str]:
    """Lower-case, as users' addresses are stored."""
    return _entries(value, "addresses", _email_reason)


def _domains(value: Any) -> list[str]:
    return _entries(value, "domains", _domain_reason)


def _entries(value: Any, what: str, reason_for: Callable[[str], str | None]) -> list[str]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"Use a list of {what}.")
    if len(value) > MAX_SIGN_UP_ENTRIES:
        raise ValueError(f"The list has {len(value)} entries; {MAX_SIGN_UP_ENTRIES} is the most.")
    clean = []
    for line, entry in enumerate(value, 1):
        text = entry.strip().lower() if isinstance(entry, str) else ""
        if reason := reason_for(text):
            raise ValueError(f"line {line}: {str(entry)[:60]!r} {reason}.")
        clean.append(text)
    return clean


def _email_reason(text: str) -> str | None:
    return None if _is_email(text) else "is not an e-mail address"


def _domain_reason(text: str) -> str | None:
    if "@" in text:
        return "is not a domain; write what stands behind the @ alone, as in example.com"
    return None if _is_email(f"x@{text}") else "is not a domain, as in example.com"


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _days(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_RETENTION_DAYS:
        raise ValueError(f"Use a whole number of days from 1 to {MAX_RETENTION_DAYS}, or null to keep log records.")
    return value


_CLEAN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "allow_registration": _boolean,
    "allow_social_login": _boolean,
    "allow_password_login": _boolean,
    "allowed_emails": _emails,
    "allowed_domains": _domains,
    "global_allow": _addresses,
    "global_block": _addresses,
    "trusted_proxies": _addresses,
    "allow_private_upstreams": _boolean,
    "retention_days": _days,
}
SITE_FIELDS: Final = tuple(_CLEAN)
