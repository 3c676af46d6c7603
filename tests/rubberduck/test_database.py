"""DATABASE_URL: SQLite by default, PostgreSQL by URL, errors that name the part."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from rubberduck.database import database

DATA = Path("/data")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("", "/data/db.sqlite3"),
        ("sqlite:///other.db", "/data/other.db"),
        ("sqlite:////tmp/a%20b.db", "/tmp/a b.db"),
    ],
)
def test_sqlite_files_lie_in_the_data_directory_unless_absolute(url: str, name: str) -> None:
    found = database(url, DATA)
    assert found["NAME"] == Path(name)
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in found["OPTIONS"]["init_command"]
    assert found["OPTIONS"]["timeout"] == 20


def test_postgresql_urls_are_taken_apart() -> None:
    found = database("postgres://us%40er:p%2Fw@db.example.com:5433/name?sslmode=require", DATA)
    assert found == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "name",
        "USER": "us@er",
        "PASSWORD": "p/w",
        "HOST": "db.example.com",
        "PORT": "5433",
        "OPTIONS": {"connect_timeout": "5", "sslmode": "require"},
    }
    assert database("postgresql:///name?host=/run/postgresql", DATA)["HOST"] == "/run/postgresql"


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("mysql://x/y", "scheme"),
        ("db.sqlite3", "scheme"),
        ("postgres://h:port/name", "port"),
        ("postgres://h:99999/name", "port"),
        ("postgres://h/", "the name of the database is missing"),
        ("postgres://h/name?ssl=1", "query: 'ssl' is not known"),
        ("sqlite://host/file.db", "path"),
        ("sqlite:///", "path"),
    ],
)
def test_an_error_names_the_part_that_is_wrong(url: str, part: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        database(url, DATA)
    assert str(caught.value).startswith("DATABASE_URL: ")
    assert part in str(caught.value)


def test_an_error_never_shows_the_password() -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        database("postgres://user:hunter2@h:port/name", DATA)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgres://user:pass/word@host/name", "postgres://u:p@h:s3cret/name"])
def test_an_error_never_repeats_a_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        database(url, DATA)
    assert "host and port" in str(caught.value)
    assert not any(part in str(caught.value) for part in ("user", "pass'", "s3cret"))
