"""Proxies and what is observed of them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import pytest
from django.utils import timezone
from model_bakery import baker
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from proxies.errors import Ambiguous, NotFound
from proxies.models import Proxy, ProxyRuntime, SupervisorHeartbeat
from proxies.selectors import base_url, live_supervisor, observe, observe_one, proxies_of, proxy_by_name, shown_model

pytestmark = pytest.mark.django_db
Make = Callable[..., Proxy]


def test_a_name_is_enough_while_it_is_unambiguous(make_proxy: Make) -> None:
    ada, bob = User.objects.create_user("ada@example.com"), User.objects.create_user("bob@example.com")
    first = make_proxy("Mine", owner=ada)
    assert proxy_by_name("mine") == first
    second = make_proxy("mine", owner=bob)
    with pytest.raises(Ambiguous, match=r"owned by ada@example.com, bob@example.com; say whose with --owner"):
        proxy_by_name("mine")
    assert proxy_by_name("mine", owner_email="BOB@example.com") == second
    with pytest.raises(NotFound, match="no proxy named 'other'"):
        proxy_by_name("other")
    assert list(proxies_of(ada)) == [first]


def test_what_is_observed_here_counts_and_what_others_left_does_not(
    make_proxy: Make, observed: Callable[..., ProxyRuntime], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    running, unknown = make_proxy("running"), make_proxy("unknown")
    observed(running, "running", in_flight=3, restarts=1)
    baker.make(ProxyRuntime, proxy=unknown, host="elsewhere", state="running")
    with django_assert_num_queries(2):
        seen = observe([running, unknown])
    assert (seen[running.pk].state, seen[running.pk].in_flight, seen[running.pk].restarts) == ("running", 3, 1)
    assert seen[unknown.pk].state == "stopped"


def test_a_supervisor_on_another_machine_is_seen_when_there_is_none_here(make_proxy: Make) -> None:
    now = timezone.now()
    baker.make(SupervisorHeartbeat, host="elsewhere", pid=1, started_at=now, heartbeat_at=now)
    proxy = make_proxy("mine")
    baker.make(ProxyRuntime, proxy=proxy, host="elsewhere", state="running", applied_generation=1)
    assert observe_one(proxy).state == "running"
    baker.make(SupervisorHeartbeat, host=socket.gethostname(), pid=os.getpid(), started_at=now, heartbeat_at=now)
    supervisor = live_supervisor()
    assert supervisor is not None
    assert supervisor.host == socket.gethostname()
    assert observe_one(proxy).state == "stopped"


def test_rows_a_dead_supervisor_left_are_not_believed(make_proxy: Make, observed: Callable[..., ProxyRuntime]) -> None:
    proxy = make_proxy("mine")
    observed(proxy, "running")
    SupervisorHeartbeat.objects.update(pid=2**22 + 1)
    assert observe_one(proxy).state == "stopped"
    assert observe_one(proxy).reason == ""
    Proxy.objects.update(desired_state="running")
    proxy.refresh_from_db()
    assert "supervisor is not running" in observe_one(proxy).reason


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("", "http://127.0.0.1:9"),
        ("0.0.0.0", "http://127.0.0.1:9"),
        ("::", "http://127.0.0.1:9"),
        ("::1", "http://[::1]:9"),
        ("10.0.0.1", "http://10.0.0.1:9"),
    ],
)
def test_the_base_url_is_one_this_machine_can_use(bind: str, url: str) -> None:
    assert base_url(Proxy(bind=bind, port=9)) == url


def test_the_model_shown_is_the_providers_example_unless_one_is_named() -> None:
    assert shown_model(Proxy(provider="openai", model="mine")) == "mine"
    assert shown_model(Proxy(provider="openai"))
    assert shown_model(Proxy(provider="gone")) == ""
