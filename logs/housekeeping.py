"""What the tasks process does now and then for the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone

from accounts.selectors import effective_site_settings
from logs.models import RequestLog

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
