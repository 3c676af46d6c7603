"""Sessions in the database, asked for only by keys that they can have."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore


class SessionStore(DatabaseSessionStore):
    """A key that is anything but letters and digits is none: PostgreSQL breaks on a NUL, which a quoted cookie can
    hold."""

    def _validate_session_key(self, key: Any) -> bool:
        is_plain = isinstance(key, str) and key.isascii() and key.isalnum()
        return is_plain and super()._validate_session_key(key)  # type: ignore[misc]  # the stubs leave it out
