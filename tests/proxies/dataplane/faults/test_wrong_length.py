"""Lengths that are not those of the body."""

from __future__ import annotations

import h2.errors

from proxies.dataplane.faults.rules import FaultConfig
from proxies.dataplane.faults.wrong_length import WrongLength
from tests.proxies.dataplane.faults.faulty import ask, ask_http2, broken, faulty
from tests.proxies.dataplane.proxying import (
    DONE,
    LAST_CHUNK,
    SSE_HEAD,
    UVLOOP,
    chat,
    chunked,
    completion,
    event,
    ok,
    request,
)

LOOP_FACTORIES = UVLOOP
BODY = completion()
HELLO = b'{"model": "m", "messages": []}'


async def test_too_large_a_length_leaves_the_client_waiting_until_the_connection_closes() -> None:
    async with faulty(WrongLength(difference=20)) as proxy:
        proxy.upstream.always(ok(BODY))
        end = await ask(proxy, chat())
        assert end.got is not None
        assert end.got.values(b"content-length") == [str(len(BODY) + 20).encode()]
        assert (end.body, end.is_reset) == (BODY, False)
        record = await proxy.record()
        assert (record["outcome"], record["status"], record["reply_bytes"]) == ("fault", 200, len(BODY))


async def test_too_small_a_length_ends_body_and_connection_early() -> None:
    async with faulty(WrongLength(difference=-20)) as proxy:
        proxy.upstream.always(ok(BODY))
        end = await ask(proxy, chat())
        assert end.got is not None
        assert end.got.values(b"content-length") == [str(len(BODY) - 20).encode()]
        assert end.got.value(b"connection") == b"close"
        assert end.body == BODY[:-20]
        assert (await proxy.record())["outcome"] == "fault"


async def test_no_length_is_below_nothing() -> None:
    async with faulty(WrongLength(difference=-100_000)) as proxy:
        proxy.upstream.always(ok(BODY))
        end = await ask(proxy, chat())
        assert end.got is not None
        assert (end.got.value(b"content-length"), end.body) == (b"0", b"")


async def test_a_reply_that_comes_late_and_in_chunks_gets_a_length_all_the_same() -> None:
    async with faulty(WrongLength(difference=1)) as proxy:
        client = await proxy.send(chat())
        asked = await proxy.upstream.next()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        await asked.answer(head + chunked(BODY[:10]))
        await asked.answer(chunked(BODY[10:]) + LAST_CHUNK)
        end = await broken(client)
        assert end.got is not None
        assert (end.got.value(b"content-length"), end.body) == (str(len(BODY) + 1).encode(), BODY)


async def test_a_long_body_that_is_no_json_is_not_waited_for() -> None:
    for difference, size in ((5, 1000), (-400, 600)):
        async with faulty(WrongLength(difference=difference)) as proxy:
            client = await proxy.send(request("GET", "/v1/files/f/content"))
            asked = await proxy.upstream.next()
            await asked.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"a" * 500)
            assert (await client.head()).value(b"content-length") == str(1000 + difference).encode()
            assert await client.read_exactly(500) == b"a" * 500
            await asked.answer(b"b" * 500)
            assert await client.rest() == b"b" * (size - 500)


async def test_the_genuine_reply_is_recorded() -> None:
    async with faulty(WrongLength(difference=-1)) as proxy:
        proxy.upstream.always(ok(BODY))
        await ask(proxy, chat())
        proxy.swap(faults=FaultConfig())
        got = await proxy.ask(chat())
        assert (got.cache, got.body, got.value(b"content-length")) == (b"hit", BODY, str(len(BODY)).encode())


async def test_a_stream_has_no_length_to_be_wrong() -> None:
    async with faulty(WrongLength()) as proxy:
        proxy.upstream.always(SSE_HEAD + chunked(event(1)) + chunked(DONE) + LAST_CHUNK)
        got = await proxy.ask(chat(stream=True))
        assert (got.body, got.outcome) == (event(1) + DONE, b"miss")
        assert (await proxy.record())["fault"] == ""


async def test_over_http2_too_large_a_length_ends_in_a_reset_stream() -> None:
    async with faulty(WrongLength(difference=2)) as proxy:
        proxy.upstream.always(ok(BODY))
        for seen in await ask_http2(proxy, HELLO):
            assert seen.head is not None
            assert (seen.head["content-length"], seen.body) == (str(len(BODY) + 2), BODY)
            assert seen.reset == h2.errors.ErrorCodes.INTERNAL_ERROR


async def test_over_http2_too_small_a_length_ends_the_body_cleanly() -> None:
    async with faulty(WrongLength(difference=-2)) as proxy:
        proxy.upstream.always(ok(BODY))
        for seen in await ask_http2(proxy, HELLO):
            assert (seen.body, seen.is_ended, seen.reset) == (BODY[:-2], True, None)


def test_a_length_that_is_right_is_no_fault() -> None:
    assert WrongLength(difference=0).check() == "difference: use a whole number other than 0"
    assert WrongLength().check() is None
