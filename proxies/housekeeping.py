"""What the tasks process does now and then for the proxies."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from proxies.models import Proxy, Recording
from proxies.services import PURGE_ROWS, recordings_purge


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
