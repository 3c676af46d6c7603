"""The REST API of a proxy's cache: its settings, numbers and entries."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Query, Router, Schema

from accounts.authentication import api_auth
from logs.selectors import cache_counts
from proxies.api_replies import AppliedOut, CacheFieldsOut, applied_members
from proxies.cursors import MAX_CURSOR, MAX_PAGE, read_cursor, write_cursor
from proxies.errors import NotFound
from proxies.field_schemas import body
from proxies.group_changes import replace_group
from proxies.models import Proxy
from proxies.recordings import cache_size, recordings_after, recordings_of
from proxies.requests import documented, user_of
from proxies.schemas import group_of
from proxies.selectors import proxy_owned_by
from proxies.services import proxy_invalidate, recordings_delete, wait_applied

router = Router(tags=["cache"], auth=api_auth)
_PLAIN: Final = r"^[^\x00-\x1f\x7f]*$"


class CacheStats(Schema):
    """`hits`, `misses` and their `hit_rate` (null: neither) are of the `requests` newest requests of the last day."""

    entries: int
    size_bytes: int
    oldest_at: datetime | None
    newest_at: datetime | None
    requests: int
    hits: int
    misses: int
    hit_rate: float | None


class CacheOut(CacheFieldsOut):
    stats: CacheStats


class CacheApplied(CacheOut, AppliedOut): ...


class EntryOut(Schema):
    """What is known of a recording; never its contents."""

    id: int
    key: str
    status: int
    operation: str
    model: str
    prompt_hash: str
    is_streaming: bool
    size_bytes: int
    recorded_at: datetime
    expires_at: datetime | None


class EntryPage(Schema):
    items: list[EntryOut]
    next_cursor: str | None


@router.get("/proxies/{int:proxy_id}/cache", response=CacheOut, summary="Mode, settings and numbers")
def cache_show(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """What is cached, and how often it served."""
    return _cache(proxy_owned_by(user_of(request), proxy_id))


@router.put(
    "/proxies/{int:proxy_id}/cache",
    response=CacheApplied,
    openapi_extra=documented(body("CacheSettings")),
    summary="Set mode and settings",
)
def cache_replace(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Sets all of it, JSON or YAML: what is left out goes back to its default."""
    proxy, applied = replace_group(request, proxy_id, "cache", "stats")
    return {**_cache(proxy), **applied}


@router.post("/proxies/{int:proxy_id}/cache/invalidate", response=CacheApplied, summary="Forget all recordings")
def cache_invalidate(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """At once: not even a reply that is on its way brings an old one back."""
    proxy = proxy_invalidate(proxy=proxy_owned_by(user_of(request), proxy_id))
    return {**_cache(proxy), **applied_members(proxy, wait_applied(proxy))}


@router.get("/proxies/{int:proxy_id}/cache/entries", response=EntryPage, summary="The recordings, newest first")
def entry_list(
    request: HttpRequest,
    proxy_id: int,
    operation: Annotated[str, Query(max_length=300, pattern=_PLAIN)] = "",
    model: Annotated[str, Query(max_length=300, pattern=_PLAIN)] = "",
    prompt_hash: Annotated[str, Query(max_length=300, pattern=_PLAIN)] = "",
    cursor: Annotated[str, Query(max_length=MAX_CURSOR)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> dict[str, Any]:
    """Without their bodies."""
    proxy = proxy_owned_by(user_of(request), proxy_id)
    place = read_cursor(cursor, "entries", str, int)
    given = {"operation": operation, "model": model, "prompt_hash": prompt_hash}
    found = recordings_after(proxy, place, limit + 1, **{name: value for name, value in given.items() if value})
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    return {
        "items": page,
        "next_cursor": write_cursor("entries", last["recorded_at"].isoformat(), last["id"]) if last else None,
    }


@router.delete(
    "/proxies/{int:proxy_id}/cache/entries/{int:entry_id}", response=AppliedOut, summary="Delete one recording"
)
def entry_remove(request: HttpRequest, proxy_id: int, entry_id: int) -> dict[str, Any]:
    """The same request is a miss from then on."""
    proxy = proxy_owned_by(user_of(request), proxy_id)
    entry = recordings_of(proxy).filter(pk=entry_id).values_list("pk", flat=True).first()
    if entry is None or not recordings_delete(ids=[entry]):
        raise NotFound("There is no such recording.")
    progress = wait_applied(proxy)
    return applied_members(proxy, progress)


def _cache(proxy: Proxy) -> dict[str, Any]:
    counts = cache_counts(proxy.pk)
    hits, misses = counts["hit"], counts["miss"]
    stats = {
        **cache_size(proxy),
        "requests": counts.total(),
        "hits": hits,
        "misses": misses,
        "hit_rate": hits / (hits + misses) if hits + misses else None,
    }
    return {**group_of(proxy, "cache"), "stats": stats}
