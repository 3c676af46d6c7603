"""What services refuse: errors with a code and the fields they concern. `rubberduck.api` alone turns them into HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class DomainError(Exception):
    """Something asked for cannot be done. `code` is for programs, the text and `fields` (name -> reason) are for
    people."""

    code: ClassVar[str] = "refused"

    def __init__(self, message: str = "", *, fields: Mapping[str, str] | None = None) -> None:
        self.fields = dict(fields or {})
        self.message = message or " ".join(f"{name}: {reason}" for name, reason in self.fields.items())
        super().__init__(self.message)


class Invalid(DomainError):
    """Fields that are not accepted."""

    code = "invalid"


class NotAllowed(DomainError):
    code = "not_allowed"


class NotFound(DomainError):
    code = "not_found"


class Ambiguous(DomainError):
    """A name that fits several objects."""

    code = "ambiguous"


class LastStaff(Invalid):
    """It would leave nobody who can sign in and change the site settings."""

    code = "last_staff"


class Conflict(DomainError):
    """What was asked for does not fit to how things are now."""

    code = "conflict"


class TooManyAttempts(DomainError):
    """Wrong guesses; to be tried again later."""

    code = "too_many_attempts"


class NotSignedIn(DomainError):
    """A credential that is not accepted."""

    code = "not_signed_in"
