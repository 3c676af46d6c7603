"""DATABASE_URL as an entry of Django's DATABASES."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_SQLITE_OPTIONS = {
    "timeout": 20,  # seconds a writer waits for another
    "transaction_mode": "IMMEDIATE",  # a transaction that begins by reading may not fail when it comes to write
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
_POSTGRES_OPTIONS = frozenset(
    {"sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name", "options"}
)


def database(url: str, data_dir: Path) -> dict[str, Any]:
    """The settings of one database; "" is SQLite in the data directory. Errors name the part of the URL that is wrong.

    `sqlite:///relative.db` (to `data_dir`), `sqlite:////absolute.db`,
    `postgresql://user:password@host:5432/name?sslmode=require`; a PostgreSQL socket directory is given as
    `?host=/run/postgresql`.
    """
    if not url:
        return _sqlite(data_dir / "db.sqlite3")
    scheme, colon, _ = url.partition("://")
    if not colon or scheme not in ("sqlite", "postgres", "postgresql"):
        raise ImproperlyConfigured(
            "DATABASE_URL: scheme: use sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # whose text may repeat a part of the password
        raise ImproperlyConfigured(
            "DATABASE_URL: host and port: use HOST:PORT; in a password write / as %2F, @ as %40, # as %23, ? as %3F."
        ) from None
    if scheme == "sqlite":
        if parts.netloc or not parts.path.strip("/"):
            raise ImproperlyConfigured(
                "DATABASE_URL: path: use sqlite:///FILE or, absolute, sqlite:////DIRECTORY/FILE."
            )
        return _sqlite(data_dir / unquote(parts.path.removeprefix("/")))
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    if unknown := sorted(options.keys() - _POSTGRES_OPTIONS):
        accepted = ", ".join(sorted(_POSTGRES_OPTIONS | {"host"}))
        raise ImproperlyConfigured(f"DATABASE_URL: query: {unknown[0]!r} is not known; use {accepted}.")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured("DATABASE_URL: path: the name of the database is missing.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or ""),
        "OPTIONS": {"connect_timeout": "5", **options},
    }


def _sqlite(path: Path) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": dict(_SQLITE_OPTIONS)}
