"""Who may use a proxy, seen from a client: refusals come before the body, in the right shape, and are recorded as
blocked."""

from __future__ import annotations

import pytest

from proxies.dataplane.access import AccessList
from tests.proxies.dataplane.proxying import UVLOOP, chat, proxying

LOOP_FACTORIES = UVLOOP
NOBODY_LOCAL = AccessList.parse([], ["127.0.0.0/8"])
ONLY_OTHERS = AccessList.parse(["203.0.113.0/24"])


async def test_the_global_list_refuses_plainly() -> None:
    async with proxying(global_access=NOBODY_LOCAL, access=NOBODY_LOCAL) as proxy:
        got = await proxy.ask(chat())
        assert (got.status, got.body, got.outcome) == (403, b"403 Forbidden\n", b"blocked")
        record = proxy.records[0]
        assert (record["outcome"], record["access"], record["access_list"]) == (
            "blocked",
            "blocked",
            "global: block 127.0.0.0/8",
        )
        assert (record["status"], record["client_ip"], record["error"]) == (403, "127.0.0.1", "")


async def test_the_proxys_own_list_refuses_in_the_providers_shape() -> None:
    async with proxying(access=ONLY_OTHERS) as proxy:
        got = await proxy.ask(chat())
        assert (got.status, got.json["error"]["code"], got.outcome) == (403, "ip_not_authorized", b"blocked")
        assert proxy.records[0]["access_list"] == "proxy: not in the allow list"
        assert proxy.upstream.peers == []


@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
async def test_a_refusal_comes_before_a_byte_of_the_body_is_read(framing: str) -> None:
    async with proxying(access=ONLY_OTHERS) as proxy:
        head = f"POST /v1/files HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n{framing}\r\n\r\n"
        client = await proxy.send(head.encode())
        got = await client.reply()
        assert (got.status, got.value(b"connection")) == (403, b"close")
        assert proxy.records[0]["request_bytes"] == 0


async def test_an_address_must_pass_both_allow_lists() -> None:
    local = AccessList.parse(["127.*.*.*"])
    async with proxying(global_access=local, access=local) as proxy:
        proxy.upstream.count()
        assert (await proxy.ask(chat())).status == 200
        proxy.swap(access=ONLY_OTHERS)
        assert (await proxy.ask(chat())).status == 403


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        ([], "203.0.113.9", "127.0.0.1"),
        (["10.0.0.1"], "203.0.113.9", "127.0.0.1"),
        (["127.0.0.1"], "203.0.113.9", "203.0.113.9"),
        (["127.0.0.1"], "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (["127.0.0.1", "203.0.113.0/24"], "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (["127.0.0.1"], "not an address", "127.0.0.1"),
    ],
)
async def test_forwarded_for_counts_only_from_trusted_proxies(trusted: list[str], forwarded: str, address: str) -> None:
    async with proxying(trusted_proxies=AccessList.parse(trusted), access=ONLY_OTHERS) as proxy:
        proxy.upstream.count()
        got = await proxy.ask(chat(headers=[("X-Forwarded-For", forwarded)]))
        assert got.status == (200 if address.startswith("203.0.113.") else 403)
        assert proxy.records[0]["client_ip"] == address


async def test_forwarded_for_in_several_fields_is_one_list() -> None:
    async with proxying(trusted_proxies=AccessList.parse(["127.0.0.1"])) as proxy:
        proxy.upstream.count()
        await proxy.ask(chat(headers=[("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-For", "203.0.113.9")]))
        assert proxy.records[0]["client_ip"] == "203.0.113.9"
        assert proxy.upstream.asked[0].values(b"x-forwarded-for") == [b"198.51.100.1", b"203.0.113.9"]
