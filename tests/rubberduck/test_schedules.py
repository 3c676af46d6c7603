from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule

from rubberduck.schedules import SCHEDULES, ensure_schedules

pytestmark = pytest.mark.django_db


def test_the_schedule_is_there_after_migrations_however_often_they_run() -> None:
    for _ in range(2):
        call_command("migrate", verbosity=0)
    assert set(Schedule.objects.values_list("name", "schedule_type", "minutes", "repeats")) == {
        ("sessions expire", Schedule.DAILY, None, -1),
        ("recordings expire", Schedule.MINUTES, 15, -1),
        ("log records expire", Schedule.MINUTES, 30, -1),
    }
    assert Schedule.objects.count() == len(SCHEDULES)


@pytest.mark.parametrize("name", SCHEDULES)
def test_what_is_scheduled_is_there_to_be_called(name: str) -> None:
    ensure_schedules()
    assert import_string(Schedule.objects.get(name=name).func)() == 0


def test_a_schedule_of_an_older_version_is_brought_up_to_date() -> None:
    Schedule.objects.all().delete()
    soon = timezone.now() + timedelta(minutes=3)
    Schedule.objects.create(name="recordings expire", func="gone.away", schedule_type=Schedule.DAILY, next_run=soon)
    ensure_schedules()
    schedule = Schedule.objects.get(name="recordings expire")
    assert (schedule.func, schedule.minutes) == ("proxies.housekeeping.recordings_expire", 15)
    assert schedule.next_run == soon
