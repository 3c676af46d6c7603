"""What tests of proxies in the database need."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from proxies.models import Proxy, ProxyRuntime, SupervisorHeartbeat
from proxies.services import proxy_create


@pytest.fixture
def owner(db: None) -> User:
    user: User = User.objects.create_user("ada@example.com")
    return user


@pytest.fixture
def ada(owner: User) -> Client:
    """Her browser, signed in."""
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def make_proxy(db: None) -> Callable[..., Proxy]:
    """Makes a proxy by the service; the provider is `openai` unless said otherwise."""

    def make(name: str = "mine", owner: Any = None, **fields: Any) -> Proxy:
        return proxy_create(owner=owner, fields={"name": name, "provider": "openai", **fields})

    return make


@pytest.fixture
def observed(db: None) -> Callable[..., ProxyRuntime]:
    """Writes what a supervisor on this machine would: a heartbeat, and the state of a proxy."""

    def write(proxy: Proxy, state: str, **fields: Any) -> ProxyRuntime:
        now = timezone.now()
        SupervisorHeartbeat.objects.update_or_create(
            host=socket.gethostname(), defaults={"pid": os.getpid(), "started_at": now, "heartbeat_at": now}
        )
        proxy.refresh_from_db(fields=["generation"])
        row, _ = ProxyRuntime.objects.update_or_create(
            proxy=proxy,
            host=socket.gethostname(),
            defaults={"state": state, "applied_generation": proxy.generation, **fields},
        )
        return row

    return write
