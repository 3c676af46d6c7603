"""Successful replies with nothing in them."""

from __future__ import annotations

from proxies.dataplane.faults.empty_body import EmptyBody
from proxies.dataplane.faults.rules import FaultConfig
from tests.proxies.dataplane.faults.faulty import ask_http2, faulty
from tests.proxies.dataplane.proxying import SSE_HEAD, UVLOOP, chat, chunked, completion, event, ok

LOOP_FACTORIES = UVLOOP


async def test_a_whole_reply_has_a_head_and_no_body() -> None:
    async with faulty(EmptyBody()) as proxy:
        proxy.upstream.always(ok(completion(), "x-request-id: req_1"))
        client = await proxy.client()
        got = await client.ask(chat())
        assert (got.status, got.values(b"content-length"), got.body) == (200, [b"0"], b"")
        assert (got.value(b"x-request-id"), got.outcome) == (b"req_1", b"fault")
        assert (await client.ask(chat("more"))).body == b""  # over the same connection
        record = await proxy.record()
        assert (record["outcome"], record["fault"], record["reply_bytes"]) == ("fault", "empty_body", 0)


async def test_the_genuine_reply_is_recorded() -> None:
    async with faulty(EmptyBody()) as proxy:
        proxy.upstream.always(ok(completion()))
        await proxy.ask(chat())
        proxy.swap(faults=FaultConfig())
        got = await proxy.ask(chat())
        assert (got.cache, got.body) == (b"hit", completion())


async def test_a_stream_ends_at_once_and_cleanly() -> None:
    async with faulty(EmptyBody()) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))  # and no end yet
        got = await client.reply()
        assert (got.status, got.value(b"content-type"), got.chunks) == (200, b"text/event-stream", [])
        assert await asked.peer.at_end()
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("fault", "empty_body")


async def test_a_stream_that_was_given_up_is_not_recorded() -> None:
    async with faulty(EmptyBody()) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await client.reply()
        proxy.swap(faults=FaultConfig())
        again = await proxy.send(chat(stream=True))
        other = await proxy.upstream.next()
        await other.answer(SSE_HEAD + chunked(event(2)) + b"0\r\n\r\n")
        assert (await again.reply()).cache == b"miss"


async def test_over_http2_the_stream_ends_cleanly() -> None:
    async with faulty(EmptyBody()) as proxy:
        proxy.upstream.always(ok(completion()))
        for seen in await ask_http2(proxy, b'{"model": "m", "messages": []}'):
            assert seen.head is not None
            assert (seen.head[":status"], seen.head["content-length"], seen.body) == ("200", "0", b"")
            assert (seen.is_ended, seen.reset) == (True, None)
