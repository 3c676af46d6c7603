"""REDIS_URL: what it makes of the caches, and what is refused."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from rubberduck.caches import caches


def test_without_redis_attempts_are_counted_in_the_database() -> None:
    found = caches("")
    assert found.keys() == {"default"}
    assert found["default"]["BACKEND"] == "django.core.cache.backends.db.DatabaseCache"


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1",
        "redis://:p%40ss@redis.example.com:6380/3",
        "rediss://u:p@[::1]:6379/0",
        "unix:///run/r.sock?db=1",
    ],
)
def test_with_redis_the_database_stands_behind_it(url: str) -> None:
    found = caches(url)
    assert found["default"]["LOCATION"] == [url]
    assert found["database"] == caches("")["default"]


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("127.0.0.1:6379", "scheme"),
        ("http://:secret@127.0.0.1", "scheme"),
        ("redis://", "host"),
        ("redis://:secret@:6379/0", "host"),
        ("redis://:sec/ret@127.0.0.1:6379", "host and port"),
        ("redis://:secret@127.0.0.1:port", "host and port"),
        ("redis://:secret@127.0.0.1/zero", "path"),
        ("unix://", "path"),
    ],
)
def test_a_bad_url_is_refused_by_its_part_and_not_repeated(url: str, part: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^REDIS_URL: {part}: ") as refusal:
        caches(url)
    assert "secret" not in str(refusal.value)
