"""Log records are kept as long as the site settings say, and the tasks process is told to look."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import Success
from django_q.scheduler import scheduler
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.services import site_settings_update
from logs.housekeeping import records_expire
from logs.models import RequestLog
from rubberduck.schedules import ensure_schedules

pytestmark = pytest.mark.django_db


def log(name: str, *, days_ago: float) -> None:
    RequestLog.objects.create(
        id=uuid.uuid4(),
        started_at=timezone.now() - timedelta(days=days_ago),
        proxy_id=1,
        proxy_name=name,
        latency_ms=1,
        outcome="miss",
    )


def names() -> list[str]:
    return sorted(RequestLog.objects.values_list("proxy_name", flat=True))


def test_records_are_kept_unless_somebody_says_otherwise() -> None:
    log("ancient", days_ago=10_000)
    assert records_expire() == 0
    assert names() == ["ancient"]


def test_older_ones_go_and_younger_ones_stay() -> None:
    log("old", days_ago=30.1)
    log("young", days_ago=29.9)
    site_settings_update({"retention_days": 30})
    assert records_expire() == 1
    assert names() == ["young"]


def test_the_environment_decides_where_it_is_set(settings: Settings) -> None:
    site_settings_update({"retention_days": 1})
    log("two days old", days_ago=2)
    settings.SITE_OVERRIDES = {"retention_days": None}
    assert records_expire() == 0
    settings.SITE_OVERRIDES = {"retention_days": 1}
    assert records_expire() == 1


def test_many_are_deleted_in_small_portions(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr("logs.housekeeping.PURGE_ROWS", 3)
    for number in range(7):
        log(str(number), days_ago=9)
    site_settings_update({"retention_days": 7})
    with django_assert_num_queries(1 + 3 * 2 + 1):  # the settings; three portions, and a look that finds nothing
        assert records_expire() == 7
    assert names() == []


def test_the_scheduler_of_the_tasks_process_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_schedules()
    log("old", days_ago=9)
    site_settings_update({"retention_days": 7})
    monkeypatch.setattr("django_q.conf.Conf.SYNC", True)  # the worker's code, in this process
    scheduler()
    assert names() == []
    assert Success.objects.get(func="logs.housekeeping.records_expire").result == 1
