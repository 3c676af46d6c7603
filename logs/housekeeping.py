"""What the tasks process does now and then for the log, and the schedule by which it does."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone
from django_q.models import Schedule

from accounts.selectors import effective_site_settings
from logs.models import RequestLog

RETENTION_NAME: Final = "log records expire"
RETENTION_EVERY_MINUTES: Final = 30
PURGE_ROWS: Final = 500


def records_expire() -> int:
    """Deletes the records that are older than the site settings keep them; how many there were.

    In short transactions: the log writer writes to the same table. What an interrupted run leaves is the next one's.
    """
    days = effective_site_settings().retention_days
    if days is None:
        return 0
    old = RequestLog.objects.filter(started_at__lt=timezone.now() - timedelta(days=days))
    deleted = 0
    while rows := list(old.order_by("started_at").values_list("seq", flat=True)[:PURGE_ROWS]):
        deleted += RequestLog.objects.filter(seq__in=rows).delete()[0]
    return deleted


def ensure_schedule(using: str = DEFAULT_DB_ALIAS) -> None:
    """Puts the task above on django-q's schedule, once however often it is called; to be called after migrations."""
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return  # only some apps were migrated
    schedules = Schedule.objects.using(using)
    wanted = {
        "func": f"{__name__}.{records_expire.__name__}",
        "schedule_type": Schedule.MINUTES,
        "minutes": RETENTION_EVERY_MINUTES,
    }
    if not schedules.filter(name=RETENTION_NAME).update(**wanted):
        schedules.create(name=RETENTION_NAME, **wanted)
