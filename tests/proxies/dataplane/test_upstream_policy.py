"""The address policy at work: a proxy never connects to itself, to metadata services, or where the settings of the
moment forbid it."""

from __future__ import annotations

import pytest

from providers.base import Origin
from tests.proxies.dataplane.proxying import UVLOOP, Proxying, chat, completion, ok, proxying, until

LOOP_FACTORIES = UVLOOP


async def refused(proxy: Proxying, kind: str, *words: str) -> None:
    """The next request is refused for that reason, in words."""
    got = await proxy.ask(chat("refused"))
    record = proxy.records[-1]
    assert (got.status, record["outcome"], record["error_kind"]) == (502, "error", kind)
    assert record["error"] == got.json["error"]["message"]
    for word in words:
        assert word in record["error"]


@pytest.mark.parametrize("how", ["bind", "wildcard"])
async def test_a_proxy_that_is_its_own_upstream_is_refused(how: str) -> None:
    async with proxying() as proxy:
        proxy.swap(
            upstream=Origin("http", "127.0.0.1", proxy.port), bind="0.0.0.0" if how == "wildcard" else "127.0.0.1"
        )
        await refused(proxy, "loop", "this proxy itself")
        assert len(proxy.records) == 1


async def test_a_metadata_address_is_never_connected_to() -> None:
    async with proxying(upstream=Origin("http", "169.254.169.254", 80)) as proxy:
        await refused(proxy, "address_refused", "169.254.169.254", "link-local")


async def test_switching_private_upstreams_off_holds_at_once_also_for_connections_that_are_open() -> None:
    async with proxying() as proxy:
        proxy.upstream.count()
        assert (await proxy.ask(chat("one"))).status == 200
        await until(lambda: proxy.transport.stats()["idle"] == 1)
        proxy.swap(may_reach_private=False)
        await refused(proxy, "address_refused", "private upstreams are switched off")
        assert proxy.transport.stats()["open"] == 0
        proxy.swap(may_reach_private=True)
        assert (await proxy.ask(chat("three"))).status == 200


async def test_an_exchange_under_way_outlives_the_switch_but_not_its_connection() -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat())
        asked = await proxy.upstream.next()
        proxy.swap(may_reach_private=False)
        await asked.answer(ok(completion()))
        assert (await client.reply()).status == 200
        assert await asked.peer.at_end()


async def test_the_policy_knows_the_proxys_own_address_under_every_name() -> None:
    async with proxying() as proxy:
        check = proxy.policy.check
        own = ("127.0.0.1", "::ffff:127.0.0.1", "::1", "0.0.0.0")
        assert [check(ip, proxy.port) is not None for ip in own] == [True] * 4
        assert check("127.0.0.1", proxy.port + 1) is None
        assert check("203.0.113.7", proxy.port) is None


async def test_the_web_of_this_installation_is_no_upstream_under_any_of_its_addresses() -> None:
    """It may believe what whoever comes from this machine says of where they come from."""
    async with proxying() as proxy:
        proxy.swap(web_port=proxy.upstream.port)
        await refused(proxy, "address_refused", "the web interface of this installation")
        check = proxy.policy.check
        assert all(check(ip, proxy.upstream.port) for ip in ("127.0.0.2", "::ffff:127.0.0.1", "::1", "0.0.0.0"))
        assert check("203.0.113.7", proxy.upstream.port) is None
