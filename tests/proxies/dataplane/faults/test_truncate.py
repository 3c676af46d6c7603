"""Bodies that break off."""

from __future__ import annotations

import gzip

import h2.errors
import pytest

from proxies.dataplane.faults.rules import FaultConfig
from proxies.dataplane.faults.truncate import Truncate
from tests.proxies.dataplane.faults.faulty import ask, ask_http2, broken, faulty
from tests.proxies.dataplane.proxying import (
    DONE,
    LAST_CHUNK,
    SSE_HEAD,
    UVLOOP,
    Asked,
    chat,
    chunked,
    completion,
    event,
    ok,
    proxying,
    request,
    until,
)

LOOP_FACTORIES = UVLOOP
BODY = completion()
LENGTH = str(len(BODY)).encode()


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        (Truncate(), len(BODY) // 2),
        (Truncate(fraction=0.25), len(BODY) // 4),
        (Truncate(fraction=0), 0),
        (Truncate(fraction=1), len(BODY) - 1),
        (Truncate(bytes=0), 0),
        (Truncate(bytes=7), 7),
        (Truncate(bytes=10**6), len(BODY) - 1),
    ],
    ids=str,
)
async def test_as_much_arrives_as_was_said_and_never_all(fault: Truncate, kept: int) -> None:
    async with faulty(fault) as proxy:
        proxy.upstream.always(ok(BODY))
        end = await ask(proxy, chat())
        assert end.got is not None
        assert (end.got.status, end.got.value(b"content-length"), end.is_reset) == (200, LENGTH, False)
        assert end.body == BODY[:kept]
        record = await proxy.record()
        assert (record["outcome"], record["fault"], record["reply_bytes"]) == ("fault", "truncate", kept)


async def test_a_length_told_before_the_body_comes_is_kept() -> None:
    async with faulty(Truncate()) as proxy:
        client = await proxy.send(request("GET", "/v1/files/f/content"))
        asked = await proxy.upstream.next()
        await asked.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"a" * 100)
        await asked.answer(b"b" * 900)
        end = await broken(client)
        assert end.got is not None
        assert (end.got.value(b"content-length"), end.body) == (b"1000", b"a" * 100 + b"b" * 400)


async def test_a_chunked_body_ends_without_its_last_chunk() -> None:
    async with faulty(Truncate(bytes=3)) as proxy:
        proxy.upstream.always(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(BODY) + LAST_CHUNK)
        end = await ask(proxy, chat())
        assert end.got is not None
        assert end.got.value(b"transfer-encoding") == b"chunked"
        assert end.body == chunked(BODY[:3])


def unchunked(data: bytes) -> bytes:
    """What came of a chunked body."""
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        assert size != b"0"
        body, data = body + data[: int(size, 16)], data[int(size, 16) + 2 :]
    return body


async def stream(asked: Asked, *events: bytes) -> None:
    await asked.answer(SSE_HEAD)
    for one in events:
        await asked.answer(chunked(one))


async def test_where_a_stream_breaks_off_does_not_depend_on_how_it_arrives() -> None:
    for cuts in ([], [10], [len(event(1)) + 3]):
        async with faulty(Truncate(fraction=0.25)) as proxy:
            client = await proxy.send(chat(stream=True))
            asked = await proxy.upstream.next()
            whole = event(1) + event(2) + event(3) + DONE
            await stream(asked, *(whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)))
            assert (await client.head()).status == 200
            assert unchunked(await client.rest()) == event(1) + event(2)[: len(event(2)) // 4]


async def test_a_stream_breaks_off_in_the_middle_of_its_second_event() -> None:
    async with faulty(Truncate(fraction=0.5)) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await stream(asked, event(1))
        assert (await client.head()).status == 200
        assert await client.chunk() == event(1)[:-1]
        await asked.answer(chunked(event(2)))
        end = unchunked(await client.rest())
        assert end == event(1)[-1:] + event(2)[: len(event(2)) // 2]
        assert await asked.peer.at_end()
        record = await proxy.record()
        assert (record["outcome"], record["status"]) == ("fault", 200)


@pytest.mark.parametrize("count", [0, 1, 40, 41, 79, 80, 10_000])
async def test_a_stream_breaks_off_after_so_many_bytes_wherever_its_pieces_end(count: int) -> None:
    whole = b"".join(b"data: %02d\n\n" % number for number in range(8)) + DONE
    async with faulty(Truncate(bytes=count)) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await stream(asked, whole[:40], whole[40:79], whole[79:80], whole[80:])
        await asked.answer(LAST_CHUNK)
        end = await broken(client)
        assert end.got is not None
        assert unchunked(end.body) == whole[: min(count, len(whole) - 1)]


async def test_what_arrives_reaches_a_slow_client_before_the_end() -> None:
    size = 8 * 1024 * 1024
    async with faulty(Truncate()) as proxy:
        proxy.upstream.always(ok(b"x" * size, content_type="application/octet-stream"))
        client = await proxy.client(receive_buffer=4096)
        await client.send(request("GET", "/v1/files/f/content"))
        assert (await client.head()).value(b"content-length") == str(size).encode()
        assert len(await client.rest()) == size // 2


async def test_whoever_waits_for_the_same_reply_gets_all_of_it() -> None:
    asks = [("X-Rubberduck-Fault", "truncate;bytes=20")]
    async with proxying(faults=FaultConfig(allows_header=True)) as proxy:
        leading = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await stream(asked, event(1))
        assert await leading.head()
        assert await leading.chunk() == event(1)
        following = await broken(await proxy.send(chat(stream=True, headers=asks)))
        assert following.got is not None
        assert following.got.cache == b"hit"
        assert unchunked(following.body) == event(1)[:20]
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        assert await leading.chunk() == DONE
        assert await leading.chunk() == b""
        assert len(proxy.upstream.asked) == 1
        assert (await proxy.ask(chat(stream=True))).body == event(1) + DONE


async def test_nothing_of_a_truncated_reply_is_recorded() -> None:
    async with faulty(Truncate()) as proxy:
        proxy.upstream.always(ok(BODY))
        await ask(proxy, chat())
        proxy.swap(faults=FaultConfig())
        got = await proxy.ask(chat())
        assert (got.cache, got.body) == (b"miss", BODY)


async def test_a_recorded_reply_is_truncated_too_and_stays_whole_in_the_cache() -> None:
    async with faulty(Truncate()) as proxy:
        proxy.upstream.count()
        faults = proxy.config.faults
        proxy.swap(faults=FaultConfig())
        whole = await proxy.ask(chat())
        proxy.swap(faults=faults)
        end = await ask(proxy, chat())
        assert end.got is not None
        assert (end.got.cache, end.body) == (b"hit", whole.body[: len(whole.body) // 2])
        proxy.swap(faults=FaultConfig())
        again = await proxy.ask(chat())
        assert (again.cache, again.body) == (b"hit", whole.body)


async def test_an_encoded_reply_is_truncated_in_plain() -> None:
    async with faulty(Truncate()) as proxy:
        proxy.upstream.always(ok(gzip.compress(BODY), "Content-Encoding: gzip"))
        end = await ask(proxy, chat(headers=[("Accept-Encoding", "gzip")]))
        assert end.got is not None
        assert (end.got.values(b"content-encoding"), end.body) == ([], BODY[: len(BODY) // 2])


async def test_an_error_of_the_upstream_is_left_alone() -> None:
    async with faulty(Truncate()) as proxy:
        proxy.upstream.always(ok(b'{"error": {}}', status="500 Internal Server Error"))
        got = await proxy.ask(chat())
        assert (got.status, got.outcome, got.value(b"x-rubberduck-fault")) == (500, b"error", None)


async def test_over_http2_the_stream_is_reset_after_what_arrives() -> None:
    async with faulty(Truncate(bytes=5)) as proxy:
        proxy.upstream.always(ok(BODY))
        for seen in await ask_http2(proxy, b'{"model": "m", "messages": []}'):
            assert seen.head is not None
            assert (seen.head["content-length"], seen.body) == (LENGTH.decode(), BODY[:5])
            assert (seen.is_ended, seen.reset) == (False, h2.errors.ErrorCodes.INTERNAL_ERROR)


async def test_a_client_that_leaves_before_the_break_cancels_the_upstream() -> None:
    async with faulty(Truncate(bytes=10_000)) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await stream(asked, event(1))
        await client.head()
        client.close()
        assert await asked.peer.at_end()
        await until(lambda: len(proxy.records) == 1)
        assert proxy.records[0]["outcome"] == "client_left"


def test_fraction_and_bytes_exclude_each_other() -> None:
    assert Truncate(fraction=0.5, bytes=3).check() == "bytes: use fraction or bytes, not both"
    assert [Truncate().check(), Truncate(fraction=0.1).check(), Truncate(bytes=0).check()] == [None, None, None]
