"""Streams: every event goes on as it comes, a slow client slows the upstream, and a stream that breaks off never looks
finished."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from providers.wire.event_stream import build_event
from proxies.dataplane import exchange
from proxies.dataplane.config import BodyLimits, Timeouts
from proxies.dataplane.transport import TransportLimits
from tests.proxies.dataplane.proxying import (
    DONE,
    LAST_CHUNK,
    SSE_HEAD,
    UVLOOP,
    chat,
    chunked,
    event,
    proxying,
    request,
    until,
)
from tests.proxies.dataplane.raw_upstream import send_until_stalled
from tests.proxies.supervisor.h2_client import H2Client
from tests.proxies.supervisor.serving import RawClient

LOOP_FACTORIES = UVLOOP


async def test_each_event_reaches_the_client_before_the_upstream_sends_the_next() -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD)
        head = await client.head()
        assert (head.status, head.value(b"content-type")) == (200, b"text/event-stream")
        for number in range(5):
            await asked.answer(chunked(event(number)))
            assert await client.chunk() == event(number)
        await asked.answer(chunked(DONE))
        assert await client.chunk() == DONE
        assert proxy.records == []
        await asked.answer(LAST_CHUNK)
        assert await client.chunk() == b""
        record = proxy.records[0]
        assert (record["outcome"], record["is_streaming"], record["input_tokens"]) == ("miss", True, 3)


async def test_events_sent_apart_arrive_as_far_apart() -> None:
    async with proxying() as proxy:
        loop = asyncio.get_running_loop()
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD)
        await client.head()
        sent, got = [], []
        for number in range(4):
            await asyncio.sleep(0.02)
            sent.append(loop.time())
            await asked.answer(chunked(event(number)))
            await client.chunk()
            got.append(loop.time())
        assert all(after < following for after, following in zip(got, sent[1:], strict=False))
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        assert await client.chunk() == DONE


async def test_event_stream_frames_pass_one_by_one() -> None:
    frames = [build_event("contentBlockDelta", b'{"n":%d}' % number) for number in range(3)]
    async with proxying("bedrock") as proxy:
        raw = request(target="/model/m/converse-stream", body=b"{}", headers=[("Authorization", "Bearer key")])
        client = await proxy.send(raw)
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD.replace(b"text/event-stream", b"application/vnd.amazon.eventstream"))
        await client.head()
        for frame in frames:
            await asked.answer(chunked(frame))
            assert await client.chunk() == frame
        await asked.answer(LAST_CHUNK)
        assert await client.chunk() == b""
        assert (await proxy.record())["is_streaming"] is True


async def test_a_reply_without_length_or_chunks_is_framed_so_that_a_cut_shows() -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + event(1) + DONE)
        await until(lambda: True)
        asked.peer.close()
        got = await client.reply()
        assert got.body == event(1) + DONE
        assert got.chunks is not None


@pytest.mark.parametrize("is_chunked", [True, False])
@pytest.mark.parametrize("is_reset", [True, False])
async def test_a_cut_upstream_cuts_the_client_records_nothing_and_the_next_request_goes_up(
    is_chunked: bool, is_reset: bool
) -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        if is_chunked:
            await asked.answer(SSE_HEAD + chunked(event(1)))
        else:
            await asked.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + event(1))
        await client.head()
        assert (await client.chunk() if is_chunked else await client.read_exactly(len(event(1)))) == event(1)
        if is_reset:
            asked.peer.reset()
        else:
            asked.peer.close()
        assert await client.rest() == b""
        record = await proxy.record()
        assert (record["outcome"], record["error_kind"]) == ("error", "upstream_cut")
        assert (record["status"], record["reply_bytes"]) == (200, len(event(1)))
        proxy.upstream.always(SSE_HEAD + chunked(DONE) + LAST_CHUNK)
        assert (await proxy.ask(chat(stream=True))).cache == b"miss"


async def test_an_upstream_that_falls_silent_mid_stream_is_cut_off() -> None:
    async with proxying(timeouts=Timeouts(silence_s=0.1)) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await client.head()
        assert await client.chunk() == event(1)
        assert await client.rest() == b""
        record = await proxy.record()
        assert (record["outcome"], record["error_kind"]) == ("error", "timeout")
        assert "silent" in record["error"]
        assert await asked.peer.at_end()


async def test_garbage_in_the_framing_cuts_the_client() -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)) + b"zz\r\nnot a chunk\r\n")
        await client.head()
        assert await client.chunk() == event(1)
        assert await client.rest() == b""
        assert (await proxy.record())["error_kind"] == "upstream_cut"


async def test_a_client_that_reads_nothing_stalls_the_upstream_and_costs_bounded_memory() -> None:
    limits = TransportLimits(buffer_bytes=65536)
    async with proxying(transport_limits=limits) as proxy:
        client = await proxy.client(receive_buffer=4096)
        await client.send(request("GET", "/v1/files/f/content"))
        asked = await proxy.upstream.next()
        await asked.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        sent = await send_until_stalled(asked.peer, bytes(65536), 60_000_000)
        assert sent < 30_000_000  # what the kernel's buffers hold, and a little of ours
        (exchange,) = proxy.server.exchanges
        assert exchange.transport.get_write_buffer_size() < 1_000_000
        client.close()
        assert await asked.peer.at_end()
        assert (await proxy.record())["outcome"] == "client_left"


async def test_a_slow_client_still_gets_every_byte() -> None:
    block = bytes(range(256)) * 256
    async with proxying() as proxy:
        client = await proxy.client(receive_buffer=4096)
        await client.send(request("GET", "/v1/files/f/content"))
        asked = await proxy.upstream.next()
        await asked.answer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(block) * 64))
        sending = asyncio.create_task(asked.answer(block * 64))
        await client.head()
        body = bytearray()
        while len(body) < len(block) * 64:
            body += await client.recv() if not client.received else client.received
            client.received = b""
        await sending
        assert body == block * 64
        assert (await proxy.record())["outcome"] == "bypass"


@pytest.mark.parametrize("how", ["close", "reset", "half_close"])
async def test_a_client_that_leaves_before_the_head_cancels_the_upstream(how: str) -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat())
        asked = await proxy.upstream.next()
        _leave(client, how)
        assert await asked.peer.at_end()
        record = await proxy.record()
        assert (record["outcome"], record["status"], record["first_byte_ms"]) == ("client_left", None, None)


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("is_single_flight", [True, False])
async def test_a_client_that_leaves_mid_stream_cancels_the_upstream(how: str, is_single_flight: bool) -> None:
    async with proxying(cache={"is_single_flight": is_single_flight}) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await client.head()
        assert await client.chunk() == event(1)
        _leave(client, how)
        assert await asked.peer.at_end()
        record = await proxy.record()
        assert (record["outcome"], record["status"], record["cache"]) == ("client_left", 200, "miss")
        proxy.upstream.always(SSE_HEAD + chunked(DONE) + LAST_CHUNK)
        assert (await proxy.ask(chat(stream=True))).cache == b"miss"


@pytest.mark.parametrize("is_single_flight", [True, False])
async def test_a_client_that_hangs_up_at_the_last_event_has_had_all_and_its_reply_is_recorded(
    is_single_flight: bool,
) -> None:
    async with proxying(cache={"is_single_flight": is_single_flight}) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1) + DONE))
        await client.head()
        assert await client.chunk() == event(1) + DONE
        client.close()
        await until(lambda: not proxy.server.connections)
        await asked.answer(LAST_CHUNK)
        record = await proxy.record()
        assert (record["outcome"], record["input_tokens"], record["cache"]) == ("miss", 3, "miss")
        again = await proxy.ask(chat(stream=True))
        assert (again.cache, again.body) == (b"hit", event(1) + DONE)


async def test_an_upstream_that_never_ends_a_finished_stream_is_given_up_soon_after_its_client_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exchange, "LINGER_S", 0.05)
    async with proxying() as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(DONE))
        await client.head()
        assert await client.chunk() == DONE
        client.close()
        assert await asked.peer.at_end()
        assert (await proxy.record())["outcome"] == "miss"
        proxy.upstream.always(SSE_HEAD + chunked(DONE) + LAST_CHUNK)
        assert (await proxy.ask(chat(stream=True))).cache == b"miss"


async def test_a_client_that_leaves_during_its_upload_cancels_the_upstream() -> None:
    async with proxying() as proxy:
        proxy.upstream.is_manual = True
        upload = request("POST", "/v1/files", bytes(1000), content_type="application/octet-stream")
        client = await proxy.send(upload[:-500])
        peer = await proxy.upstream.caller()
        await peer.read_until(b"\r\n\r\n")
        await peer.read_exactly(500)
        client.close()
        assert await peer.at_end()
        record = await proxy.record()
        assert (record["outcome"], record["request_bytes"]) == ("client_left", 500)


async def test_a_request_whose_sender_is_gone_already_gets_no_recording() -> None:
    async with proxying() as proxy:
        client = await proxy.client()
        client.sock.send(chat())
        client.reset()
        assert (await proxy.record())["outcome"] == "client_left"
        proxy.upstream.count()
        assert (await proxy.ask(chat())).outcome == b"miss"


def _leave(client: Any, how: str) -> None:
    if how == "reset":
        client.reset()
    elif how == "close":
        client.close()
    else:
        client.sock.shutdown(1)


async def test_a_reply_longer_than_a_recording_may_be_streams_on_and_is_not_recorded() -> None:
    async with proxying(limits=BodyLimits(recording_bytes=1000)) as proxy:
        proxy.upstream.always(SSE_HEAD + chunked(event(1, x="y" * 1000)) + chunked(DONE) + LAST_CHUNK)
        got = [await proxy.ask(chat(stream=True)) for _ in range(2)]
        assert [one.cache for one in got] == [b"miss", b"miss"]
        assert got[0].body == event(1, x="y" * 1000) + DONE


async def test_thousand_events_arrive_as_thousand_chunks() -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD)
        await client.head()
        for number in range(1000):
            await asked.answer(chunked(event(number)))
            assert await client.chunk() == event(number)
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        assert await client.chunk() == DONE
        assert await client.chunk() == b""
        replay = await proxy.ask(chat(stream=True))
        assert replay.chunks == [event(number) for number in range(1000)] + [DONE]


async def test_a_cut_upstream_resets_an_http2_stream() -> None:
    def ask(port: int) -> tuple[bytes, int]:
        with H2Client(OnPort(port)) as client:  # type: ignore[arg-type]
            body = chat(stream=True).partition(b"\r\n\r\n")[2]
            asks = [(":method", "POST"), (":scheme", "http"), (":authority", "h:1"), (":path", "/v1/chat/completions")]
            stream = client.ask([*asks, ("content-type", "application/json")], body)
            client.until(lambda: stream in client.resets or stream in client.ended)
            return b"".join(client.bodies.get(stream, [])), client.resets[stream]

    async with proxying() as proxy:
        asking = asyncio.create_task(asyncio.to_thread(ask, proxy.port))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await until(lambda: any(one.is_started for one in proxy.server.exchanges))
        asked.peer.reset()
        got, code = await asking
        assert (got in (b"", event(1)), code) == (True, 2)
        assert (await proxy.record())["error_kind"] == "upstream_cut"


async def test_a_request_taken_back_at_once_never_goes_up() -> None:
    def ask(port: int) -> None:
        with H2Client(OnPort(port)) as client:  # type: ignore[arg-type]
            stream = client.engine.get_next_available_stream_id()
            asks = [(":method", "GET"), (":scheme", "http"), (":authority", "h:1"), (":path", "/v1/models")]
            client.engine.send_headers(stream, asks, end_stream=True)
            client.engine.reset_stream(stream)
            client.flush()
            following = client.ask(asks)
            assert client.reply(following) == b"{}"

    async with proxying() as proxy:
        proxy.upstream.always(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await asyncio.to_thread(ask, proxy.port)
        await until(lambda: len(proxy.records) == 2)
        assert [record["outcome"] for record in proxy.records] == ["client_left", "miss"]
        assert [record["attempts"] for record in proxy.records] == [0, 1]


class OnPort:
    """As much of a server as the HTTP/2 client asks for."""

    def __init__(self, port: int) -> None:
        self.port = port

    def client(self) -> RawClient:
        return RawClient(self.port)
