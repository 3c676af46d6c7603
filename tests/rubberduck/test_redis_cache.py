"""The cache in Redis, with a real server that is there, hangs, refuses, goes and comes back."""

from __future__ import annotations

import logging
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest
from django.core.cache import caches as django_caches
from django.core.cache.backends.base import BaseCache
from pytest_django import Settings
from redis import Redis

from rubberduck import redis_cache
from rubberduck.caches import caches
from tests.accounts.provider import Provider
from tests.accounts.serving import Browser, Web
from tests.rubberduck.servers import free_port, redis_command, running

pytestmark = pytest.mark.django_db
PASSWORD = "p@ss"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def redis(port: int) -> Iterator[subprocess.Popen[bytes]]:
    with running(redis_command(port, "--requirepass", PASSWORD), port) as server:
        yield server


@pytest.fixture
def cache_at(settings: Settings) -> Iterator[Callable[[str], BaseCache]]:
    def make(url: str) -> BaseCache:
        settings.CACHES = caches(url)
        return django_caches["default"]

    yield make
    redis_cache.server.cache_clear()


@pytest.fixture
def cache(cache_at: Callable[[str], BaseCache], port: int, redis: subprocess.Popen[bytes]) -> BaseCache:
    return cache_at(f"redis://:p%40ss@127.0.0.1:{port}/0")


def test_what_sign_in_asks_of_a_cache_is_done_in_redis(cache: BaseCache) -> None:
    assert cache.add("lock", True, 60)
    assert not cache.add("lock", True, 60)
    assert cache.delete("lock")
    assert cache.add("lock", True, 60)
    cache.set("history", [2.5, 1.0], 60)
    assert cache.get("history", []) == [2.5, 1.0]
    assert cache.get("nothing", []) == []
    cache.set_many({"one": 1, "two": 2}, 60)
    assert cache.incr("one") == 2
    assert cache.get_many(["one", "two", "three"]) == {"one": 2, "two": 2}
    assert cache.touch("two", 60)
    cache.delete_many(["one"])
    assert (cache.has_key("one"), cache.has_key("two")) == (False, True)
    cache.clear()
    assert cache.get("history") is None
    assert django_caches["database"].get("history") is None


def test_values_are_not_pickled(cache: BaseCache) -> None:
    cache.set("history", [1.5], 60)
    assert isinstance(cache, redis_cache.RedisElseDatabase)
    client = cache._cache.get_client()
    (key,) = client.keys("*")
    assert key == b"rubberduck:1:history"
    assert client.get(key) == b"[1.5]"


def test_while_redis_hangs_the_database_counts_and_redis_is_left_alone(
    cache: BaseCache, redis: subprocess.Popen[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    cache.set("history", [1.0], 60)
    redis.send_signal(signal.SIGSTOP)
    with caplog.at_level(logging.WARNING):
        assert cache.add("lock", True, 60)
        assert not cache.add("lock", True, 60)
        assert cache.get("history") is None
        cache.set("history", [2.0], 60)
        assert cache.get("history") == [2.0]
    (said,) = [record.getMessage() for record in caplog.records if record.name == "rubberduck.redis_cache"]
    assert said == "Redis cannot be asked (TimeoutError): sign-in attempts are counted in the database."
    redis.send_signal(signal.SIGCONT)
    assert cache.get("history") == [2.0]
    assert isinstance(cache, redis_cache.RedisElseDatabase)
    cache._server.away_until = 0.0  # as if the seconds had passed
    assert cache.get("history") == [1.0]


def test_a_redis_that_was_restarted_is_asked_at_once(cache_at: Callable[[str], BaseCache], port: int) -> None:
    cache = cache_at(f"redis://127.0.0.1:{port}/0")
    with running(redis_command(port), port):
        cache.set("history", [1.0], 60)
    with running(redis_command(port), port):
        cache.set("history", [2.0], 60)
    assert django_caches["database"].get("history") is None


def test_a_password_that_redis_refuses_is_not_repeated(
    cache_at: Callable[[str], BaseCache], port: int, redis: subprocess.Popen[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    cache = cache_at(f"redis://:se-cret@127.0.0.1:{port}/0")
    with caplog.at_level(logging.WARNING):
        assert cache.add("lock", True, 60)
    assert django_caches["database"].get("lock") is True
    assert "Redis cannot be asked" in caplog.text
    assert "se-cret" not in caplog.text


def test_sign_in_counts_in_redis_and_goes_on_counting_without(
    tmp_path_factory: pytest.TempPathFactory, port: int
) -> None:
    web = Web(tmp_path_factory.mktemp("web"), Provider(url="http://127.0.0.1:9"), "")
    web.environment["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"

    def attempts_until_refused() -> int:
        """Wrong passwords for one address, until the right one is refused, too."""
        address = web.add_account(f"ada-{free_port()}@example.com")
        with Browser(web) as browser:
            for number in range(1, 20):
                reply = browser.log_in(address, "wrong")
                if "too_many_login_attempts" in [code for _, code in reply.errors] or reply.status == 429:
                    return number
        return 0

    try:
        with running(redis_command(port), port) as server:
            web.start()
            with_redis = attempts_until_refused()
            assert with_redis
            with Redis(port=port) as client:
                assert client.keys("rubberduck:1:allauth:rl:*")
            server.terminate()
            server.wait()
            assert attempts_until_refused() == with_redis
        assert "Redis cannot be asked (ConnectionError)" in web.log
        assert "Traceback" not in web.log
    finally:
        web.close()
