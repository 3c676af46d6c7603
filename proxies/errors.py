"""What the services of proxies refuse, beyond the general `accounts.errors`."""

from __future__ import annotations

from accounts.errors import Ambiguous, DomainError, Invalid, NotAllowed, NotFound

__all__ = ["Ambiguous", "DomainError", "Invalid", "NoFreePort", "NotAllowed", "NotFound"]


class NoFreePort(Invalid):
    """Every port of the configured range is taken."""

    code = "no_free_port"
