"""What the services of proxies refuse, beyond the general `accounts.errors`."""

from __future__ import annotations

from accounts.errors import Ambiguous, DomainError, Invalid, NotAllowed, NotFound

__all__ = [
    "Ambiguous",
    "DomainError",
    "Invalid",
    "Malformed",
    "NoFreePort",
    "NotAllowed",
    "NotFound",
    "TooLarge",
    "UnsupportedType",
]


class NoFreePort(Invalid):
    """Every port of the configured range is taken."""

    code = "no_free_port"


class Malformed(Invalid):
    """A document that is neither JSON nor YAML."""

    code = "malformed"


class TooLarge(Invalid):
    """A document of more bytes than are read."""

    code = "too_large"


class UnsupportedType(DomainError):
    """A body of another kind than the ones that are read."""

    code = "unsupported_media_type"
