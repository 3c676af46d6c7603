"""Reads the log."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from logs.models import RequestLog
from logs.verdicts import Attempt, Verdicts, judge

JUDGED_ROWS = 20_000
JUDGED_TIME = timedelta(days=1)


def last_request_at(proxy_pk: str) -> Subquery:
    """When a proxy was last called, to annotate a queryset with; `proxy_pk` names the column with the proxy's id."""
    newest = RequestLog.objects.filter(proxy_id=OuterRef(proxy_pk)).order_by("-seq")
    return Subquery(newest.values("started_at")[:1])


def client_verdicts(proxy_id: int, since: datetime | None = None) -> Verdicts:
    """How a proxy's clients have dealt with failures in the last day, or since a later moment; of its newest requests
    only, when there were more than can be judged at once."""
    now = timezone.now()
    start = max(now - JUDGED_TIME, since) if since is not None else now - JUDGED_TIME
    rows = (
        RequestLog.objects.filter(proxy_id=proxy_id, started_at__gte=start)
        .exclude(prompt_hash="")
        .order_by("-seq")
        .values_list(
            "client_ip", "prompt_hash", "started_at", "latency_ms", "status", "client_attempt", "retry_after_ms"
        )[:JUDGED_ROWS]
    )
    attempts = [
        Attempt(
            client=client_ip,
            prompt_hash=prompt_hash,
            started_at=started_at.timestamp(),
            ended_at=started_at.timestamp() + latency_ms / 1000,
            status=status,
            number=number,
            told_wait_s=told_ms / 1000 if told_ms is not None else None,
        )
        for client_ip, prompt_hash, started_at, latency_ms, status, number, told_ms in rows
    ]
    attempts.sort(key=lambda attempt: attempt.started_at)
    return judge(attempts, now.timestamp())


def cache_counts(proxy_id: int) -> Counter[str]:
    """How often the cache answered what ("hit", "miss", "bypass", "refresh", "off") in the last day; of a proxy's
    newest requests only, when there were many."""
    rows = RequestLog.objects.filter(proxy_id=proxy_id, started_at__gte=timezone.now() - JUDGED_TIME)
    return Counter(rows.order_by("-seq").values_list("cache", flat=True)[:JUDGED_ROWS])


def newest_decision(proxy_id: int, since: datetime | None) -> int:
    """The number of the last exchange that a proxy's fault stage has seen in the present run; 0 for none.

    A worker that was started anew begins a run of its own: its numbers are the newest.
    """
    rows = RequestLog.objects.filter(proxy_id=proxy_id, decision__isnull=False)
    if since is not None:
        rows = rows.filter(started_at__gte=since)
    newest = rows.order_by("-seq").values_list("decision", flat=True).first()
    return newest or 0
