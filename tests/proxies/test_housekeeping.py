"""Recordings that can never answer again are deleted, others are not, and the tasks process is told to do it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Success
from django_q.scheduler import scheduler
from pytest_django import DjangoAssertNumQueries, Settings

from proxies.housekeeping import recordings_expire
from proxies.models import Proxy, Recording
from rubberduck.schedules import ensure_schedules

pytestmark = pytest.mark.django_db
Make = Callable[..., Proxy]


def record(proxy: Proxy, key: str, *, age_s: float = 10, expires_in_s: float | None = None, epoch: int = 0) -> str:
    now = timezone.now()
    Recording.objects.create(
        proxy=proxy, epoch=epoch, key=key, status=200, headers=[], body=b"{}", frame_sizes=[2], delays_ms=[1],
        size_bytes=2, recorded_at=now - timedelta(seconds=age_s),
        expires_at=None if expires_in_s is None else now + timedelta(seconds=expires_in_s),
    )  # fmt: skip
    return key


def keys() -> set[str]:
    return set(Recording.objects.values_list("key", flat=True))


def test_recordings_past_their_time_go_and_the_others_stay(make_proxy: Make) -> None:
    proxy = make_proxy("p")
    record(proxy, "expired", expires_in_s=-1)
    kept = {record(proxy, "still good", expires_in_s=60), record(proxy, "for ever", age_s=10**8)}
    assert recordings_expire() == 1
    assert keys() == kept
    assert recordings_expire() == 0


def test_recordings_older_than_the_time_to_live_in_force_now_go(make_proxy: Make) -> None:
    bound, free = make_proxy("bound"), make_proxy("free")
    Proxy.objects.filter(pk=bound.pk).update(cache_ttl_s=100)
    record(bound, "old", age_s=101)
    record(bound, "old, made for longer", age_s=101, expires_in_s=1000)
    kept = {record(bound, "young", age_s=50), record(free, "old, of another", age_s=101)}
    assert recordings_expire() == 2
    assert keys() == kept


def test_recordings_of_past_epochs_that_a_purge_has_left_go(make_proxy: Make) -> None:
    purged, other = make_proxy("purged"), make_proxy("other")
    Proxy.objects.filter(pk=purged.pk).update(cache_epoch=2)
    record(purged, "first epoch", epoch=0)
    record(purged, "second epoch", epoch=1)
    kept = {record(purged, "this epoch", epoch=2), record(other, "first epoch of another", epoch=0)}
    assert recordings_expire() == 2
    assert keys() == kept


def test_many_rows_are_deleted_in_small_portions(
    make_proxy: Make, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr("proxies.housekeeping.PURGE_ROWS", 3)
    proxy = make_proxy("p")
    for number in range(7):
        record(proxy, str(number), expires_in_s=-1)
    # Three portions, each found and deleted, and a look that finds nothing; then the proxies, and one's old epochs.
    with django_assert_num_queries(3 * 2 + 1 + 2):
        assert recordings_expire() == 7
    assert keys() == set()


def test_the_scheduler_of_the_tasks_process_runs_it(
    make_proxy: Make, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_schedules()
    proxy = make_proxy("p")
    record(proxy, "expired", expires_in_s=-1)
    monkeypatch.setattr("django_q.conf.Conf.SYNC", True)  # the worker's code, in this process
    scheduler()
    assert keys() == set()
    assert Success.objects.get(func="proxies.housekeeping.recordings_expire").result == 1
    assert Schedule.objects.get(name="recordings expire").next_run > timezone.now() + timedelta(minutes=10)
    assert not OrmQ.objects.exists()
