"""Reads what is recorded for a proxy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.utils import timezone

from proxies.errors import Invalid
from proxies.models import Proxy, Recording

_SUMMARY = (
    *("id", "key", "status", "operation", "model", "prompt_hash", "is_streaming", "size_bytes"),
    *("recorded_at", "expires_at"),
)


def recordings_of(proxy: Proxy) -> QuerySet[Recording]:
    """Those that can serve now: of the present epoch, and not expired."""
    lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return Recording.objects.filter(lasting, proxy=proxy, epoch=proxy.cache_epoch)


def cache_size(proxy: Proxy) -> dict[str, Any]:
    """entries, size_bytes, oldest_at, newest_at."""
    found = recordings_of(proxy).aggregate(
        entries=Count("pk"), size_bytes=Sum("size_bytes"), oldest_at=Min("recorded_at"), newest_at=Max("recorded_at")
    )
    return {**found, "size_bytes": found["size_bytes"] or 0}


def recordings_after(proxy: Proxy, place: tuple[str, int] | None, most: int, **equal: str) -> list[dict[str, Any]]:
    """At most so many, newest first, without their contents; `place` is (recorded_at, id) of the one they follow.

    Raises Invalid for a place that is none.
    """
    rows = recordings_of(proxy).filter(**equal)
    if place is not None:
        moment = _moment(place[0])
        if moment is None or not 0 <= place[1] < 2**63:
            raise Invalid(fields={"cursor": "Take it from `next_cursor` of a reply to the same question."})
        rows = rows.filter(Q(recorded_at__lt=moment) | Q(recorded_at=moment, pk__lt=place[1]))
    return list(rows.order_by("-recorded_at", "-pk").values(*_SUMMARY)[:most])


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):  # no moment, or none that UTC has
        return None
