"""A database that another program has locked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection


@contextmanager
def database_locked() -> Iterator[None]:
    """Nobody else can write to the log; our own connection gives up after 50 ms. May be left in another thread."""
    settings = connection.settings_dict
    options = settings["OPTIONS"]
    settings["OPTIONS"] = {**options}
    if connection.vendor == "sqlite":
        settings["OPTIONS"]["timeout"] = 0.05
        other = sqlite3.connect(settings["NAME"], isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
    else:
        settings["OPTIONS"]["options"] = "-c lock_timeout=50ms"
        given = connection.get_connection_params()
        names = ("dbname", "user", "password", "host", "port")
        other = psycopg.connect(**{name: given[name] for name in names if name in given})
        other.execute("LOCK TABLE logs_requestlog IN ACCESS EXCLUSIVE MODE")
    connection.close()
    try:
        yield
    finally:
        settings["OPTIONS"] = options
        other.rollback()
        other.close()
