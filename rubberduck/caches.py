"""REDIS_URL as Django's CACHES: where sign-in attempts and used one-time codes are counted."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_ADDRESS = "use redis://:PASSWORD@HOST:6379/0, rediss:// for TLS, or unix:///SOCKET"


def caches(url: str) -> dict[str, dict[str, Any]]:
    """Caches by name; "" is the database, where all processes of an installation see the same.

    `redis://:password@host:6379/0`, `rediss://` for TLS, `unix:///run/redis.sock?db=0`. Errors name the part of the URL
    that is wrong and never repeat it: it may hold a password.
    """
    database = {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "rubberduck_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},  # past so many, those that have run out go first
    }
    if not url:
        return {"default": database}
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # whose text may repeat a part of the password
        raise ImproperlyConfigured(
            "REDIS_URL: host and port: use HOST:PORT; in a password write / as %2F, @ as %40, # as %23, ? as %3F."
        ) from None
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ImproperlyConfigured(f"REDIS_URL: scheme: {_ADDRESS}.")
    if parts.scheme == "unix" and not parts.path.strip("/"):
        raise ImproperlyConfigured(f"REDIS_URL: path: the socket is missing; {_ADDRESS}.")
    if parts.scheme != "unix":
        if not parts.hostname:
            raise ImproperlyConfigured(f"REDIS_URL: host: the name of the server is missing; {_ADDRESS}.")
        if parts.path.strip("/") and not parts.path.strip("/").isdigit():
            raise ImproperlyConfigured(f"REDIS_URL: path: the database is a number; {_ADDRESS}.")
    return {
        "default": {
            "BACKEND": "rubberduck.redis_cache.RedisElseDatabase",
            "LOCATION": [url],
            "KEY_PREFIX": "rubberduck",
        },
        "database": database,
    }
