"""A cache in Redis that carries on in the database while Redis is away."""

from __future__ import annotations

import functools
import json
import logging
import time
from typing import Any, Final

from django.core.cache import BaseCache, caches
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)

PATIENCE_S: Final = 1.0  # for a connection, and for an answer: somebody waits to sign in
AWAY_S: Final = 10.0  # how long a Redis that has failed is not asked again


class JSONSerializer:
    """Instead of pickle, by which whoever can write to Redis could run code here."""

    def dumps(self, obj: Any) -> bytes:
        return json.dumps(obj).encode()

    def loads(self, data: Any) -> Any:
        return json.loads(data)


class _Server:
    """One Redis, shared by the threads of a process: Django makes a cache object per request."""

    def __init__(self, urls: tuple[str, ...]) -> None:
        self.client = RedisCacheClient(
            list(urls),
            serializer=JSONSerializer,
            socket_connect_timeout=PATIENCE_S,
            socket_timeout=PATIENCE_S,
            retry=Retry(NoBackoff(), 1),  # a connection that a restart has cut
        )
        self.away_until = 0.0  # monotonic

    def note_failure(self, error: RedisError) -> None:
        if time.monotonic() >= self.away_until:
            # Its text may name the address, and with it the password.
            log.warning(
                "Redis cannot be asked (%s): sign-in attempts are counted in the database.", type(error).__name__
            )
        self.away_until = time.monotonic() + AWAY_S


@functools.cache
def server(*urls: str) -> _Server:
    return _Server(urls)


class RedisElseDatabase(RedisCache):
    """Django's cache in Redis; each call that Redis fails, and those of the next seconds, go to the cache `database`.

    Limits hold on while Redis is away, but count from nothing: what has been counted does not move between the two.
    """

    def __init__(self, urls: list[str], params: dict[str, Any]) -> None:
        super().__init__(urls, params)
        self._server = server(*urls)

    @property
    def _cache(self) -> RedisCacheClient:
        return self._server.client

    def _ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= self._server.away_until:
            try:
                return getattr(super(), method)(*args, **kwargs)
            except RedisError as error:
                self._server.note_failure(error)
        database: BaseCache = caches["database"]
        return getattr(database, method)(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("add", *args, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("get", *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("set", *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("touch", *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("delete", *args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("get_many", *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("has_key", *args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("incr", *args, **kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("set_many", *args, **kwargs)

    def delete_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("delete_many", *args, **kwargs)

    def clear(self) -> Any:
        return self._ask("clear")
