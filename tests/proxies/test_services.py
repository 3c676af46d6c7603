"""The services of proxies: what they refuse, what they raise, what they wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import User
from accounts.services import site_settings_update
from proxies.errors import DomainError, Invalid, NotAllowed, NotFound
from proxies.models import Proxy, ProxyRuntime, Recording
from proxies.services import (
    proxy_create,
    proxy_delete,
    proxy_invalidate,
    proxy_kill,
    proxy_reset_faults,
    proxy_start,
    proxy_stop,
    proxy_update,
    recordings_delete,
    recordings_purge,
    wait_applied,
    wait_running,
    wait_site_applied,
    wait_stopped,
)
from proxies.wakeup import open_wakeup_socket

pytestmark = pytest.mark.django_db
Make = Callable[..., Proxy]
Observe = Callable[..., ProxyRuntime]


def record(proxy: Proxy, epoch: int = 0, count: int = 1) -> list[Recording]:
    made = [
        Recording(
            proxy=proxy, epoch=epoch, key=f"{epoch:032}{number:032}", status=200, headers=[], body=b"{}",
            frame_sizes=[2], delays_ms=[1], size_bytes=2, recorded_at=timezone.now(),
        )
        for number in range(count)
    ]  # fmt: skip
    return Recording.objects.bulk_create(made)


# --- faults and site settings


def test_a_run_of_faults_begins_with_other_rules_another_seed_and_on_demand(make_proxy: Make) -> None:
    proxy = make_proxy("mine")
    begun = []
    for changes in ({"faults.rules": [{"fault": "close"}]}, {"faults.seed": 7}, {"faults.seed": 7, "description": "x"}):
        begun.append(proxy_update(proxy=proxy, changes=changes).faults_reset_at)
    begun.append(proxy_reset_faults(proxy=proxy).faults_reset_at)
    assert None not in begun
    assert begun[0] < begun[1] == begun[2] < begun[3]
    proxy.refresh_from_db()
    assert (proxy.generation, proxy.faults_reset_at) == (5, begun[3])
    proxy.delete()
    with pytest.raises(NotFound, match="is gone"):
        proxy_reset_faults(proxy=Proxy(pk=10_000, name="mine"))


def test_the_same_rules_in_another_order_of_members_are_a_change_and_the_same_ones_are_none(make_proxy: Make) -> None:
    rules = [{"fault": "error", "status": 500}]
    proxy = make_proxy("mine", faults={"rules": rules})
    assert proxy_update(proxy=proxy, changes={"faults.rules": rules}).generation == 1
    assert proxy_update(proxy=proxy, changes={"faults.rules": [{"status": 500, "fault": "error"}]}).generation == 2


def test_site_settings_are_live_when_every_running_proxy_has_taken_them_up(make_proxy: Make, observed: Observe) -> None:
    one, two, idle = (make_proxy(name) for name in ("one", "two", "idle"))
    assert wait_site_applied(3) == "stopped"
    observed(idle, "stopped", applied_site_generation=1)
    observed(one, "running", applied_site_generation=3)
    observed(two, "running", applied_site_generation=2)
    assert wait_site_applied(3, timeout_s=0.01) == "applying"
    observed(two, "running", applied_site_generation=4)
    assert wait_site_applied(3) == "live"


# --- adopting


def test_the_first_account_adopts_the_proxies_without_an_owner_and_later_ones_none(make_proxy: Make) -> None:
    made = [make_proxy("one"), make_proxy("two")]
    first = User.objects.create_superuser("first@example.org", "quack")
    assert {Proxy.objects.get(pk=proxy.pk).owner for proxy in made} == {first}
    later = make_proxy("three")
    User.objects.create_user("second@example.org", "quack")
    assert Proxy.objects.get(pk=later.pk).owner is None
    first.save()
    assert Proxy.objects.get(pk=later.pk).owner is None


# --- making


def test_a_proxy_is_made_stopped_on_the_next_free_port(make_proxy: Make, settings: Settings) -> None:
    proxy = make_proxy("mine")
    low, high = settings.PROXY_PORTS
    assert low <= proxy.port <= high
    assert (proxy.desired_state, proxy.generation, proxy.cache_mode, proxy.owner) == ("stopped", 1, "on", None)
    assert Proxy.objects.get() == proxy


def test_time_outs_of_a_new_proxy_are_the_configured_ones(make_proxy: Make, settings: Settings) -> None:
    settings.CONNECT_S, settings.SILENCE_S = 3.0, 33.0
    proxy = make_proxy("mine", timeouts={"silence_s": 44})
    assert (proxy.connect_timeout_s, proxy.silence_timeout_s) == (3.0, 44.0)


def refusal(**fields: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        proxy_create(owner=fields.pop("owner", None), fields={"name": "mine", "provider": "openai", **fields})
    return caught.value.fields


def test_names_are_unique_per_owner_in_any_case(make_proxy: Make) -> None:
    ada, bob = User.objects.create_user("ada@example.com"), User.objects.create_user("bob@example.com")
    for owner in (None, ada, bob):
        make_proxy("mine", owner=owner)
        assert refusal(name="MINE", owner=owner) == {"name": "Another proxy of the same owner has this name."}


def test_a_port_belongs_to_one_proxy_whoever_owns_it(make_proxy: Make) -> None:
    ada, bob = User.objects.create_user("ada@example.com"), User.objects.create_user("bob@example.com")
    port = make_proxy("secret plan", owner=ada).port
    assert refusal(port=port, owner=ada) == {"port": f"Port {port} belongs to another proxy, 'secret plan'."}
    assert refusal(port=port, owner=bob) == {"port": f"Port {port} belongs to another proxy."}


def test_the_port_of_the_web_is_refused(settings: Settings) -> None:
    assert refusal(port=settings.WEB_BIND[1]) == {"port": "Port 8000 is the one of the web interface."}


def test_an_unknown_provider_is_refused_with_the_known_ones() -> None:
    assert "use one of anthropic, azure_openai, bedrock" in refusal(provider="opanai")["provider"]


def test_a_provider_without_an_upstream_of_its_own_needs_one(make_proxy: Make) -> None:
    assert "has no default upstream" in refusal(provider="azure_openai")["upstream"]
    assert make_proxy("azure", provider="azure_openai", upstream="https://x.openai.azure.com").pk
    assert make_proxy("aws", provider="bedrock").pk
    assert make_proxy("emulated", provider="azure_openai", upstream="emulated").pk


@pytest.mark.parametrize(
    ("upstream", "reason"),
    [
        ("http://169.254.169.254", "link-local"),
        ("http://metadata.google.internal/computeMetadata", "metadata"),
        ("http://[fd00:ec2::254]", "metadata"),
        ("http://localhost:8123", "its own upstream"),
        ("http://127.0.0.1:8123/v1", "its own upstream"),
        ("http://[::1]:8123", "its own upstream"),
        ("http://0.0.0.0:8123", "its own upstream"),
        (f"http://localhost:{settings.WEB_BIND[1]}", "the web interface of this installation"),
        (f"http://[::1]:{settings.WEB_BIND[1]}/api", "the web interface of this installation"),
    ],
)
def test_an_upstream_may_not_be_metadata_the_web_or_the_proxy_itself(upstream: str, reason: str) -> None:
    assert reason in refusal(port=8123, upstream=upstream)["upstream"]


def test_private_upstreams_are_the_sites_decision(make_proxy: Make) -> None:
    proxy = make_proxy("before", upstream="http://127.0.0.1:9")
    site_settings_update({"allow_private_upstreams": False})
    for upstream in ("http://127.0.0.1:9", "http://10.0.0.1", "http://localhost:9"):
        assert "switched off" in refusal(upstream=upstream)["upstream"]
    # what was allowed when it was written does not stand in the way of other changes
    assert proxy_update(proxy=proxy, changes={"description": "old"}).description == "old"


def test_a_port_chosen_later_may_not_make_a_loop(make_proxy: Make) -> None:
    proxy = make_proxy("mine", upstream="http://127.0.0.1:8125")
    with pytest.raises(Invalid, match="its own upstream"):
        proxy_update(proxy=proxy, changes={"port": 8125})


def test_proxies_may_lead_to_each_other_but_not_in_a_circle(make_proxy: Make) -> None:
    first = make_proxy("first", port=8131)
    second = make_proxy("second", port=8132, upstream="http://127.0.0.1:8131")
    make_proxy("third", port=8133, upstream="http://localhost:8132")
    with pytest.raises(Invalid) as caught:
        proxy_update(proxy=first, changes={"upstream": "http://127.0.0.1:8133/v1"})
    assert caught.value.fields == {"upstream": "The proxy would be its own upstream, by way of port 8132."}
    moved = proxy_update(proxy=first, changes={"port": 8134, "upstream": "http://127.0.0.1:8133"})
    with pytest.raises(Invalid, match="its own upstream"):
        proxy_update(proxy=second, changes={"upstream": f"http://[::1]:{moved.port}"})
    with pytest.raises(Invalid, match="its own upstream"):
        proxy_update(proxy=moved, changes={"port": 8131})
    # an older circle, from a database that was written by hand, ends the search
    Proxy.objects.filter(pk=second.pk).update(upstream="http://127.0.0.1:8133")
    assert make_proxy("fourth", upstream="http://127.0.0.1:8132").upstream


def test_a_circle_does_not_tell_where_other_peoples_proxies_lead(make_proxy: Make) -> None:
    ada, bob = (User.objects.create_user(f"{name}@example.com") for name in ("ada", "bob"))
    mine = make_proxy("mine", ada, port=8134)
    make_proxy("hers", bob, port=8135, upstream="http://127.0.0.1:8134")
    make_proxy("too", bob, port=8136, upstream="http://127.0.0.1:8135")
    with pytest.raises(Invalid) as caught:
        proxy_update(proxy=mine, changes={"upstream": "http://127.0.0.1:8136"})
    assert caught.value.fields == {"upstream": "The proxy would be its own upstream, by way of another proxy."}


def test_only_those_who_may_refer_to_credentials_do() -> None:
    fields = {"name": "aws", "provider": "bedrock", "credential": "os.environ/AWS"}
    with pytest.raises(NotAllowed) as caught:
        proxy_create(owner=None, fields=fields)
    assert list(caught.value.fields) == ["credential"]
    proxy = proxy_create(owner=None, fields=fields, may_reference_credentials=True)
    assert proxy.credential == "os.environ/AWS"
    # nor may they send what staff entrusted to one upstream to another
    for changes in ({"upstream": "https://evil.example.com"}, {"provider": "openai"}):
        with pytest.raises(NotAllowed, match="only staff may change this field"):
            proxy_update(proxy=proxy, changes=changes)
    assert proxy_update(proxy=proxy, changes={"description": "fine"}).description == "fine"
    assert proxy_update(proxy=proxy, changes={"credential": None, "upstream": "https://x.example.com"}).credential == ""


def test_fields_that_would_do_nothing_with_a_provider_are_refused() -> None:
    def refusal(**fields: str) -> dict[str, str]:
        with pytest.raises(Invalid) as caught:
            proxy_create(owner=None, fields={"name": "p", **fields}, may_reference_credentials=True)
        return caught.value.fields

    for provider in ("openai", "anthropic", "vertex_ai"):
        assert "leave this empty" in refusal(provider=provider, credential="os.environ/X")["credential"]
    assert list(refusal(provider="openai", region="us-east-1")) == ["region"]
    fields = {"name": "aws", "provider": "bedrock", "credential": "os.environ/X", "region": "us-east-1"}
    proxy = proxy_create(owner=None, fields=fields, may_reference_credentials=True)
    with pytest.raises(Invalid) as caught:
        proxy_update(proxy=proxy, changes={"provider": "openai"}, may_reference_credentials=True)
    assert caught.value.fields.keys() == {"credential", "region"}
    fields = {"provider": "openai", "credential": "", "region": ""}
    assert proxy_update(proxy=proxy, changes=fields, may_reference_credentials=True).provider == "openai"


# --- changing


def test_a_change_raises_the_generation_and_the_same_again_does_not(make_proxy: Make) -> None:
    proxy = make_proxy("mine")
    changed = proxy_update(proxy=proxy, changes={"cache": {"mode": "replay"}, "access.block": ["10.0.0.1"]})
    assert (changed.generation, changed.cache_mode, changed.block) == (2, "replay", ["10.0.0.1"])
    assert proxy_update(proxy=proxy, changes={"cache.mode": "replay"}).generation == 2
    assert proxy_update(proxy=proxy, changes={"port": proxy.port}).generation == 2
    assert Proxy.objects.get().block == ["10.0.0.1"]


def test_canned_replies_change_when_what_is_sent_does(make_proxy: Make) -> None:
    def change(value: Any) -> int:
        return proxy_update(proxy=proxy, changes={"emulation.replies": [{"reply": {"json": value}}]}).generation

    proxy = make_proxy("mine", upstream="emulated")
    values = [1, 1, True, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"b": 2, "a": 1}]
    assert [change(value) for value in values] == [2, 2, 3, 4, 5, 5]
    assert list(Proxy.objects.get().emulation_replies[0]["reply"]["json"]) == ["b", "a"]


def test_a_refused_change_changes_nothing(make_proxy: Make) -> None:
    proxy, other = make_proxy("mine"), make_proxy("other")
    with pytest.raises(Invalid) as caught:
        proxy_update(proxy=proxy, changes={"description": "x", "port": other.port, "name": "OTHER"})
    assert caught.value.fields.keys() == {"port", "name"}
    stored = Proxy.objects.get(pk=proxy.pk)
    assert (stored.description, stored.generation) == ("", 1)


def test_a_port_that_is_taken_back_is_assigned_anew(make_proxy: Make) -> None:
    proxy = make_proxy("mine", port=9871)
    assert proxy_update(proxy=proxy, changes={"port": None}).port != 9871


def test_a_proxy_that_is_gone_is_not_found(make_proxy: Make) -> None:
    proxy = make_proxy("mine")
    Proxy.objects.all().delete()
    for service in (proxy_start, proxy_stop, proxy_invalidate):
        with pytest.raises(NotFound, match="'mine' is gone"):
            service(proxy=proxy)
    with pytest.raises(NotFound):
        proxy_update(proxy=proxy, changes={"description": "x"})


def test_every_change_wakes_the_supervisor_after_its_commit(
    make_proxy: Make, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with open_wakeup_socket() as wakeup:
        proxy = make_proxy("mine")
        steps: list[Callable[[], Any]] = [
            lambda: make_proxy("second"),
            lambda: proxy_update(proxy=proxy, changes={"description": "x"}),
            lambda: proxy_start(proxy=proxy),
            lambda: proxy_stop(proxy=proxy),
            lambda: proxy_kill(proxy=proxy),
            lambda: proxy_invalidate(proxy=proxy),
            lambda: proxy_delete(proxy=proxy),
            lambda: site_settings_update({"global_block": ["10.0.0.1"]}),
        ]
        for step in steps:
            with django_capture_on_commit_callbacks(execute=True):
                step()
                with pytest.raises(BlockingIOError):
                    wakeup.recv(16)
            assert wakeup.recv(16) == b"!"


# --- running


def test_desired_states_are_what_was_asked_for(make_proxy: Make) -> None:
    proxy = make_proxy("mine")
    assert proxy_start(proxy=proxy).desired_state == "running"
    assert proxy_stop(proxy=proxy).desired_state == "stopped"
    assert proxy_kill(proxy=proxy).desired_state == "killed"
    assert Proxy.objects.get().generation == 1


@pytest.mark.parametrize("state", ["failed", "backing_off"])
def test_a_proxy_in_trouble_is_tried_again_at_once(make_proxy: Make, observed: Observe, state: str) -> None:
    proxy = proxy_start(proxy=make_proxy("mine"))
    observed(proxy, state)
    assert proxy_start(proxy=proxy).generation == 2


def test_waiting_says_live_when_the_generation_serves(make_proxy: Make, observed: Observe) -> None:
    proxy = proxy_start(proxy=make_proxy("mine"))
    assert wait_applied(proxy).applied == "failed"
    assert "supervisor is not running" in wait_applied(proxy).reason
    observed(proxy, "running")
    assert (wait_applied(proxy).applied, wait_applied(proxy).reason) == ("live", "")
    assert wait_running(proxy) is None
    changed = proxy_update(proxy=proxy, changes={"description": "x"})
    assert wait_applied(changed, timeout_s=0.06).applied == "applying"
    observed(proxy, "running")
    assert wait_applied(changed).applied == "live"


def test_waiting_says_why_a_proxy_does_not_serve(make_proxy: Make, observed: Observe) -> None:
    proxy = proxy_start(proxy=make_proxy("mine"))
    reason = {"reason": "Port 8001 is in use.", "reason_code": "port_taken"}
    observed(proxy, "failed", **reason)
    assert (wait_applied(proxy).applied, wait_applied(proxy).reason) == ("failed", "Port 8001 is in use.")
    assert wait_running(proxy) == "Port 8001 is in use."
    # a reason that is older than the change says nothing of it
    observed(proxy, "failed", applied_generation=0, **reason)
    old = wait_applied(proxy, timeout_s=0.06)
    assert (old.applied, old.reason) == ("applying", "")
    observed(proxy, "running", applied_generation=0, reason_code="reload_failed", reason="bad row")
    broken = wait_applied(proxy, timeout_s=0.06)
    assert (broken.applied, broken.reason) == ("failed", "bad row")


def test_waiting_is_no_use_for_what_is_not_wanted_running(make_proxy: Make, observed: Observe) -> None:
    proxy = make_proxy("mine")
    assert wait_applied(proxy).applied == "stopped"
    observed(proxy, "draining", in_flight=1)
    assert wait_applied(proxy, timeout_s=60).applied == "draining"  # at once
    observed(proxy, "starting")
    assert "still starting after 0.06 s" in (wait_running(proxy, timeout_s=0.06) or "")
    assert not wait_stopped(proxy, timeout_s=0.06)
    observed(proxy, "stopped")
    assert wait_stopped(proxy, timeout_s=0.06)


def test_without_a_supervisor_nothing_runs(make_proxy: Make) -> None:
    proxy = proxy_start(proxy=make_proxy("mine"))
    assert "supervisor is not running" in (wait_running(proxy) or "")
    assert wait_stopped(proxy, timeout_s=0)


# --- recordings


def test_invalidating_raises_epoch_and_generation_and_leaves_the_rows_to_a_task(
    make_proxy: Make, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    proxy, other = make_proxy("mine"), make_proxy("other")
    record(proxy)
    record(other)
    with django_capture_on_commit_callbacks(execute=True):
        changed = proxy_invalidate(proxy=proxy)
    assert (changed.cache_epoch, changed.generation) == (1, 2)
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"]) == ("proxies.services.recordings_purge", (proxy.pk, 1))
    record(proxy, epoch=1)  # recorded since
    assert recordings_purge(*task["args"]) == 1
    assert sorted(Recording.objects.values_list("proxy_id", "epoch")) == sorted([(proxy.pk, 1), (other.pk, 0)])


def test_a_purge_works_in_chunks(make_proxy: Make) -> None:
    proxy = make_proxy("mine")
    record(proxy, count=1203)
    assert recordings_purge(proxy.pk) == 1203
    assert not Recording.objects.exists()


def test_deleting_a_proxy_takes_its_recordings(make_proxy: Make, observed: Observe) -> None:
    proxy, other = make_proxy("mine"), make_proxy("other")
    record(proxy, count=3)
    record(other)
    observed(proxy, "running")
    proxy_delete(proxy=proxy)
    assert list(Proxy.objects.all()) == [other]
    assert Recording.objects.count() == 1
    assert not ProxyRuntime.objects.exists()


def test_deleting_single_recordings_raises_the_generation_of_their_proxies(make_proxy: Make) -> None:
    proxy, other = make_proxy("mine"), make_proxy("other")
    first, second = record(proxy, count=2)
    assert recordings_delete(ids=[first.pk]) == 1
    assert list(Recording.objects.all()) == [second]
    assert (Proxy.objects.get(pk=proxy.pk).generation, Proxy.objects.get(pk=other.pk).generation) == (2, 1)


# --- races


@pytest.mark.django_db(transaction=True)
def test_proxies_made_at_the_same_time_get_different_ports() -> None:
    errors: list[Exception] = []
    barrier = threading.Barrier(8)

    def make(number: int) -> None:
        try:
            barrier.wait()
            proxy_create(owner=None, fields={"name": f"proxy {number}", "provider": "openai"})
        except (DomainError, DatabaseError) as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(Proxy.objects.values_list("port", flat=True))) == 8
    Proxy.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_of_two_with_the_same_name_at_the_same_time_one_is_refused() -> None:
    refused: list[dict[str, str]] = []
    barrier = threading.Barrier(4)

    def make() -> None:
        barrier.wait()
        try:
            proxy_create(owner=None, fields={"name": "mine", "provider": "openai"})
        except Invalid as error:
            refused.append(error.fields)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == [{"name": "Another proxy of the same owner has this name."}] * 3
    Proxy.objects.all().delete()
