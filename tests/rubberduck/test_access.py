"""The global access lists on the web port: whoever is refused gets nothing of it."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import DatabaseError, connections
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import SiteSettings
from accounts.services import site_settings_update
from rubberduck.access import GlobalAccess
from rubberduck.asgi import application

pytestmark = pytest.mark.django_db
PATHS = ("/", "/admin/login/", "/healthz", "/readyz", "/api/v1/providers", "/static/admin/css/base.css", "/nothing")


def status(client: Client, path: str, **meta: str) -> int:
    reply = client.get(path, **meta)  # type: ignore[arg-type]
    if reply.streaming:
        assert b"".join(reply.streaming_content)
    return int(reply.status_code)


@pytest.mark.django_db(transaction=True)  # the page of health asks in a thread of its own
@pytest.mark.parametrize("path", PATHS)
def test_whom_the_lists_refuse_gets_a_plain_403_everywhere(client: Client, path: str) -> None:
    assert status(client, path) != 403
    site_settings_update({"global_block": ["127.0.0.0/8"]})
    reply = client.get(path)
    assert (reply.status_code, reply.content) == (403, b"403 Forbidden\n")
    assert reply["Content-Type"] == "text/plain; charset=utf-8"
    assert status(client, path, REMOTE_ADDR="192.0.2.1") != 403


def test_a_change_holds_from_the_next_request_on(client: Client) -> None:
    for changes, expected in (
        ({"global_allow": ["192.0.2.0/24"]}, 403),
        ({"global_allow": ["192.0.2.0/24", "127.0.0.1"]}, 200),
        ({"global_block": ["127.0.*"]}, 403),
        ({"global_block": []}, 200),
    ):
        site_settings_update(changes)
        assert status(client, "/api/v1/providers") == expected


def test_mapped_addresses_are_what_they_are(client: Client) -> None:
    site_settings_update({"global_block": ["192.0.2.7", "2001:db8::/32"]})
    for address in ("192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"):
        assert status(client, "/api/v1/providers", REMOTE_ADDR=address) == 403
    assert status(client, "/api/v1/providers", REMOTE_ADDR="::ffff:192.0.2.8") == 200


def test_forwarded_for_is_believed_of_trusted_proxies_only(client: Client) -> None:
    site_settings_update({"global_block": ["192.0.2.7"], "trusted_proxies": ["10.0.0.1"]})

    def forwarded(peer: str, header: str) -> int:
        return status(client, "/api/v1/providers", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=header)

    assert forwarded("10.0.0.1", "192.0.2.7") == 403
    assert forwarded("10.0.0.1", "192.0.2.7, 192.0.2.8") == 200
    assert forwarded("10.0.0.2", "192.0.2.7") == 200
    assert forwarded("192.0.2.7", "192.0.2.8") == 403


def test_the_environment_decides(client: Client, settings: Settings) -> None:
    assert status(client, "/api/v1/providers") == 200
    settings.SITE_OVERRIDES = {"global_block": ["127.0.0.1"]}
    assert status(client, "/api/v1/providers") == 403


def test_a_request_costs_one_small_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    site_settings_update({"global_block": ["192.0.2.7"]})
    lists = GlobalAccess()
    with django_assert_num_queries(2):
        assert lists.refuses("192.0.2.7", "")
    with django_assert_num_queries(1) as queries:
        assert not lists.refuses("192.0.2.8", "")
    assert "global_block" not in queries.captured_queries[0]["sql"]


def test_without_a_database_the_lists_known_last_hold_on(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    site_settings_update({"global_block": ["192.0.2.7"]})
    lists, newcomer = GlobalAccess(), GlobalAccess()
    assert lists.refuses("192.0.2.7", "")

    def fail(*args: object, **options: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(SiteSettings.objects, "filter", fail)
    assert lists.refuses("192.0.2.7", "")
    assert not lists.refuses("192.0.2.8", "")
    settings.SITE_OVERRIDES = {"global_allow": ["192.0.2.0/24"]}
    assert newcomer.refuses("198.51.100.1", "")
    assert not newcomer.refuses("192.0.2.7", "")


@pytest.mark.django_db(transaction=True)
async def test_a_websocket_is_refused_in_the_handshake() -> None:
    async def connect(peer: str) -> tuple[bool, int | str | None]:
        socket = WebsocketCommunicator(application, "/ws/nothing", headers=[(b"origin", b"http://localhost")])
        socket.scope["client"] = (peer, 1234)
        connected, code = await socket.connect()
        return connected, code

    await SiteSettings.objects.acreate(pk=1, global_block=["192.0.2.7"])
    assert await connect("192.0.2.7") == (False, 1000)
    assert await connect("192.0.2.8") == (False, 4404)
    await sync_to_async(connections.close_all)()  # channels' own communicator keeps them open
