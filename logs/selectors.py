"""Reads the log."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery

from logs.models import RequestLog


def last_request_at(proxy_pk: str) -> Subquery:
    """When a proxy was last called, to annotate a queryset with; `proxy_pk` names the column with the proxy's id."""
    newest = RequestLog.objects.filter(proxy_id=OuterRef(proxy_pk)).order_by("-seq")
    return Subquery(newest.values("started_at")[:1])
