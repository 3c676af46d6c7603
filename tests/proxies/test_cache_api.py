"""The REST API of the cache: settings, numbers, entries."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from model_bakery import baker

from accounts.models import User
from logs.models import RequestLog
from proxies.cursors import write_cursor
from proxies.models import Proxy, Recording

pytestmark = pytest.mark.django_db


@pytest.fixture
def proxy(make_proxy: Callable[..., Proxy], owner: User) -> Proxy:
    return make_proxy("mine", owner)


def record(proxy: Proxy, number: int, **fields: Any) -> Recording:
    return Recording.objects.create(
        **{
            "proxy": proxy,
            "epoch": proxy.cache_epoch,
            "key": f"{number:064x}",
            "status": 200,
            "operation": "chat.completions",
            "model": "gpt-4o",
            "prompt_hash": f"{number:064x}",
            "body": b"SECRET-BODY",
            "headers": ["x", "SECRET-HEADER"],
            "frame_sizes": [11],
            "delays_ms": [0],
            "size_bytes": 100 + number,
            "recorded_at": timezone.now() - timedelta(minutes=number),
            "expires_at": None,
            **fields,
        },
    )


def url(proxy: Proxy, rest: str = "") -> str:
    return f"/api/v1/proxies/{proxy.pk}/cache{rest}"


def test_numbers_are_of_what_can_serve_and_of_what_was_asked(ada: Client, proxy: Proxy) -> None:
    for number in (1, 2):
        record(proxy, number)
    record(proxy, 3, epoch=proxy.cache_epoch + 1)
    record(proxy, 4, expires_at=timezone.now() - timedelta(seconds=1))
    for cache in ("hit", "hit", "hit", "miss", "bypass"):
        baker.make(RequestLog, proxy_id=proxy.pk, started_at=timezone.now(), cache=cache)
    baker.make(RequestLog, proxy_id=proxy.pk, started_at=timezone.now() - timedelta(days=2), cache="miss")
    found = ada.get(url(proxy)).json()
    assert (found["mode"], found["single_flight"]) == ("on", True)
    stats = found["stats"]
    assert (stats["entries"], stats["size_bytes"]) == (2, 203)
    assert stats["oldest_at"] < stats["newest_at"]
    assert (stats["requests"], stats["hits"], stats["misses"], stats["hit_rate"]) == (5, 3, 1, 0.75)


def test_an_empty_cache_has_no_rate(ada: Client, proxy: Proxy) -> None:
    assert ada.get(url(proxy)).json()["stats"] == {
        "entries": 0, "size_bytes": 0, "oldest_at": None, "newest_at": None,
        "requests": 0, "hits": 0, "misses": 0, "hit_rate": None,
    }  # fmt: skip


def test_settings_are_set_whole_and_may_be_sent_back(ada: Client, proxy: Proxy) -> None:
    def put(body: Any) -> Any:
        return ada.put(url(proxy), json.dumps(body), content_type="application/json")

    reply = put({"mode": "replay", "ttl_s": 60})
    assert (reply.status_code, reply.json()["generation"], reply.json()["applied"]) == (200, 2, "stopped")
    assert put(reply.json()).json() == reply.json()
    assert put({}).json()["mode"] == "on"
    refused = put({"mode": "sometimes"})
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["cache.mode"])


def test_invalidating_leaves_nothing_to_serve(ada: Client, proxy: Proxy) -> None:
    record(proxy, 1)
    reply = ada.post(url(proxy, "/invalidate"))
    assert (reply.status_code, reply.json()["stats"]["entries"], reply.json()["generation"]) == (200, 0, 2)
    assert ada.get(url(proxy, "/entries")).json() == {"items": [], "next_cursor": None}


def test_entries_come_newest_first_page_by_page_without_their_contents(ada: Client, proxy: Proxy) -> None:
    for number in range(5):
        record(proxy, number)
    record(proxy, 5, recorded_at=Recording.objects.get(key=f"{4:064x}").recorded_at)  # of the same moment
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        reply = ada.get(url(proxy, "/entries"), {"limit": 2, "cursor": cursor})
        assert "SECRET" not in reply.content.decode()
        found += [item["key"][-1] for item in reply.json()["items"]]
        cursor = reply.json()["next_cursor"]
    assert found == ["0", "1", "2", "3", "5", "4"]


def test_entries_are_filtered(ada: Client, proxy: Proxy) -> None:
    record(proxy, 1)
    record(proxy, 2, operation="embeddings", model="e")
    for question in ({"operation": "embeddings"}, {"model": "e"}, {"prompt_hash": f"{2:064x}"}):
        items = ada.get(url(proxy, "/entries"), question).json()["items"]
        assert [item["operation"] for item in items] == ["embeddings"]


@pytest.mark.parametrize(
    "place",
    [
        ["entries", "x", 1],
        ["entries", "2026-11-21T00:00:00", 1],
        ["entries", "2026-11-21T00:00:00Z", 2**63],
        ["entries", "0001-01-01T00:00:00+23:59", 1],
        ["name", "2026-11-21T00:00:00Z", 1],
    ],
)
def test_a_cursor_that_leads_nowhere_is_refused(ada: Client, proxy: Proxy, place: list[Any]) -> None:
    reply = ada.get(url(proxy, "/entries"), {"cursor": write_cursor(*place)})
    assert (reply.status_code, list(reply.json()["error"]["fields"])) == (400, ["cursor"])


def test_one_entry_is_deleted_and_no_other_proxys(ada: Client, proxy: Proxy, make_proxy: Callable[..., Proxy]) -> None:
    entry, kept = record(proxy, 1), record(proxy, 2)
    foreign = record(make_proxy("other"), 3)
    reply = ada.delete(url(proxy, f"/entries/{entry.pk}"))
    assert (reply.status_code, reply.json()) == (200, {"generation": 2, "applied": "stopped", "reason": ""})
    for gone in (entry, foreign):
        assert ada.delete(url(proxy, f"/entries/{gone.pk}")).status_code == 404
    assert set(Recording.objects.values_list("pk", flat=True)) == {kept.pk, foreign.pk}
