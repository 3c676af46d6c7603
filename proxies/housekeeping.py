"""What the tasks process does now and then for the proxies, and the schedule by which it does."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet
from django.utils import timezone
from django_q.models import Schedule

from proxies.models import Proxy, Recording
from proxies.services import PURGE_ROWS, recordings_purge

EXPIRY_NAME: Final = "recordings expire"
EXPIRY_EVERY_MINUTES: Final = 15


def recordings_expire() -> int:
    """Deletes the recordings that can never answer again: past their time, older than the time to live their proxy has
    now, of an epoch that is over. How many there were.

    In short transactions: workers write to the same table. What an interrupted run leaves is the next one's.
    """
    now = timezone.now()
    deleted = _delete(Recording.objects.filter(expires_at__lt=now))
    for proxy_id, epoch, ttl_s in Proxy.objects.values_list("pk", "cache_epoch", "cache_ttl_s"):
        deleted += recordings_purge(proxy_id, epoch)
        if ttl_s is not None:
            oldest = now - timedelta(seconds=ttl_s)
            deleted += _delete(Recording.objects.filter(proxy_id=proxy_id, epoch=epoch, recorded_at__lt=oldest))
    return deleted


def _delete(rows: QuerySet[Recording]) -> int:
    deleted = 0
    while ids := list(rows.order_by().values_list("pk", flat=True)[:PURGE_ROWS]):
        # Asked again: a worker may have recorded anew what was out of date a moment ago.
        deleted += rows.filter(pk__in=ids).delete()[0]
    return deleted


def ensure_schedules(using: str = DEFAULT_DB_ALIAS) -> None:
    """Puts the tasks above on django-q's schedule, once however often it is called; to be called after migrations."""
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return  # only some apps were migrated
    schedules = Schedule.objects.using(using)
    wanted = {
        "func": f"{__name__}.{recordings_expire.__name__}",
        "schedule_type": Schedule.MINUTES,
        "minutes": EXPIRY_EVERY_MINUTES,
    }
    if not schedules.filter(name=EXPIRY_NAME).update(**wanted):
        schedules.create(name=EXPIRY_NAME, **wanted)
