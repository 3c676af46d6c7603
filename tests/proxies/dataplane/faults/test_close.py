"""Connections closed without a reply."""

from __future__ import annotations

import h2.errors

from proxies.dataplane.faults.close import Close
from tests.proxies.dataplane.faults.faulty import ask, ask_http2, faulty
from tests.proxies.dataplane.proxying import UVLOOP, chat, request

LOOP_FACTORIES = UVLOOP


async def test_the_connection_ends_orderly_without_a_byte() -> None:
    async with faulty(Close()) as proxy:
        end = await ask(proxy, chat())
        assert (end.got, end.is_reset) == (None, False)
        assert proxy.upstream.peers == []
        record = await proxy.record()
        assert (record["outcome"], record["status"], record["fault"]) == ("fault", None, "close")


async def test_a_request_without_a_body_meets_it_too() -> None:
    async with faulty(Close()) as proxy:
        end = await ask(proxy, request("GET", "/v1/models"))
        assert (end.got, end.is_reset) == (None, False)


async def test_over_http2_the_stream_is_reset_and_the_connection_lives_on() -> None:
    async with faulty(Close()) as proxy:
        streams = await ask_http2(proxy, b'{"model": "m", "messages": []}')
        assert [(stream.head, stream.reset) for stream in streams] == [(None, h2.errors.ErrorCodes.INTERNAL_ERROR)] * 2
