"""JSON that no parser takes: in whole bodies, and in one event of a stream."""

from __future__ import annotations

import asyncio
import json

import orjson
import pytest

from providers.wire import event_stream
from providers.wire.event_stream import FrameSplitter
from proxies.dataplane.faults.events import Framing
from proxies.dataplane.faults.malformed_json import MalformedJson, broken_event, broken_json
from proxies.dataplane.faults.rules import FaultConfig
from tests.proxies.dataplane.faults.faulty import ask_http2, faulty
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


def is_json(text: bytes) -> bool:
    seen = set()
    for loads in (json.loads, orjson.loads):
        try:
            loads(text)
            seen.add(True)
        except ValueError:
            seen.add(False)
    assert len(seen) == 1, text
    return seen.pop()


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b"[]",
        b"[{}]",
        b'{"a": 1}',
        b' {"a": "}"}\n',
        b'{"a": "b\\""}',
        b'[1, "]"]\r\n\r\n\r\n\r\n',
        b'{"a": {}}',
        completion(),
        b'{"deep": ' + b"[" * 50 + b"]" * 50 + b"}",
    ],
)
def test_what_is_left_of_an_object_or_array_is_no_json(text: bytes) -> None:
    broken = broken_json(text)
    assert is_json(text)
    assert broken is not None
    assert len(broken) < len(text)
    assert not is_json(broken)


@pytest.mark.parametrize("text", [b"", b"true", b'"text"', b"12", b"}{", b"data"])
def test_what_is_neither_object_nor_array_is_left_alone(text: bytes) -> None:
    assert broken_json(text) is None


async def test_a_whole_body_is_malformed_and_of_the_length_it_says() -> None:
    async with faulty(MalformedJson()) as proxy:
        proxy.upstream.always(ok(completion()))
        client = await proxy.client()
        got = await client.ask(chat())
        assert (got.status, got.value(b"content-type")) == (200, b"application/json")
        assert got.values(b"content-length") == [str(len(got.body)).encode()]
        assert completion().startswith(got.body)
        assert not is_json(got.body)
        assert (await client.ask(chat("more"))).outcome == b"fault"  # over the same connection
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("fault", "malformed_json")


@pytest.mark.parametrize("is_sized", [True, False])
async def test_a_reply_that_comes_late_is_malformed_too(is_sized: bool) -> None:
    body = completion(text="x" * 1000)
    framing = f"Content-Length: {len(body)}".encode() if is_sized else b"Transfer-Encoding: chunked"
    parts = [body[:500], body[500:-3], body[-3:]]
    async with faulty(MalformedJson()) as proxy:
        client = await proxy.send(chat())
        asked = await proxy.upstream.next()
        await asked.answer(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + framing + b"\r\n\r\n")
        for part in parts:
            await asked.answer(part if is_sized else chunked(part))
        await asked.answer(b"" if is_sized else LAST_CHUNK)
        got = await client.reply()
        assert got.outcome == b"fault"
        assert not is_json(got.body)


@pytest.mark.parametrize("is_sized", [True, False])
async def test_a_reply_too_long_to_wait_for_loses_its_last_bracket(is_sized: bool) -> None:
    body = b'{"data": "' + b"x" * (9 * 1024 * 1024) + b'"}\n'
    framing = f"Content-Length: {len(body)}".encode() if is_sized else b"Transfer-Encoding: chunked"
    async with faulty(MalformedJson()) as proxy:
        client = await proxy.send(request("GET", "/v1/files"))
        asked = await proxy.upstream.next()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + framing + b"\r\n\r\n"
        sending = asked.answer(head + (body if is_sized else chunked(body) + LAST_CHUNK))
        got, _ = await asyncio.gather(client.reply(), sending)
        assert got.body == body[:-2] + b" \n"
        assert not is_json(got.body)


async def test_the_genuine_reply_is_recorded() -> None:
    async with faulty(MalformedJson()) as proxy:
        proxy.upstream.always(ok(completion()))
        await proxy.ask(chat())
        proxy.swap(faults=FaultConfig())
        got = await proxy.ask(chat())
        assert (got.cache, got.body) == (b"hit", completion())


async def test_one_event_in_the_middle_of_a_stream_is_malformed() -> None:
    events = [event(number, text="some words") for number in range(1, 5)]
    async with faulty(MalformedJson()) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(
            SSE_HEAD + b"".join(chunked(one) for one in (b": a comment\n\n", *events, DONE)) + LAST_CHUNK
        )
        got = await client.reply()
        blocks = got.body.split(b"\n\n")
        assert [is_json(block.removeprefix(b"data: ")) for block in blocks[1:6]] == [True, False, True, True, True]
        assert blocks[6:] == [b"data: [DONE]", b""]
        assert got.body.replace(blocks[2], events[1].strip()) == b": a comment\n\n" + b"".join(events) + DONE
        proxy.swap(faults=FaultConfig())
        again = await proxy.ask(chat(stream=True))
        assert (again.cache, again.body) == (b"hit", b": a comment\n\n" + b"".join(events) + DONE)


async def test_a_stream_with_nothing_to_break_is_no_fault() -> None:
    async with faulty(MalformedJson()) as proxy:
        whole = b"data: {}\n\ndata: [DONE]\n\n"
        proxy.upstream.always(SSE_HEAD + chunked(whole) + LAST_CHUNK)
        assert (await proxy.ask(chat(stream=True))).body == whole
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("miss", "")


async def test_a_frame_of_an_event_stream_keeps_its_checksums_and_headers() -> None:
    frames = [event_stream.build_event("contentBlockDelta", b'{"delta": {"text": "%d"}}' % n) for n in range(4)]
    async with faulty(MalformedJson(), provider="bedrock") as proxy:
        body = b"".join(frames)
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        proxy.upstream.always(head + chunked(body[:70]) + chunked(body[70:]) + LAST_CHUNK)
        asked = request(
            target="/model/m/converse-stream", body=b'{"messages": []}', headers=[("Authorization", "Bearer k")]
        )
        got = await proxy.ask(asked)
        seen = FrameSplitter().feed(got.body)
        assert [frame == frames[n] for n, frame in enumerate(seen)] == [True, False, True, True]
        assert event_stream.header_block(seen[1]) == event_stream.header_block(frames[1])
        assert not is_json(event_stream.payload(seen[1]))


def test_an_element_of_a_json_array_is_broken_within() -> None:
    element = b',\r\n{"candidates": [{"index": 0}]}'
    broken = broken_event(element, Framing.JSON_ARRAY)
    assert broken is not None
    assert broken.startswith(b',\r\n{"candidates"')
    assert not is_json(b"[1" + broken + b"]")


@pytest.mark.parametrize("piece", [b"", b"no frame", b"\0" * 15])
def test_what_is_no_frame_is_left_alone(piece: bytes) -> None:
    assert broken_event(piece, Framing.AWS) is None


async def test_a_reply_without_json_stays_as_it_is() -> None:
    async with faulty(MalformedJson()) as proxy:
        proxy.upstream.always(ok(b"{sound}", content_type="audio/mpeg"))
        got = await proxy.ask(chat())
        assert (got.body, got.outcome, got.value(b"x-rubberduck-fault")) == (b"{sound}", b"miss", None)


async def test_over_http2_it_ends_cleanly() -> None:
    async with faulty(MalformedJson()) as proxy:
        proxy.upstream.always(ok(completion()))
        for seen in await ask_http2(proxy, b'{"model": "m", "messages": []}'):
            assert (seen.is_ended, is_json(seen.body)) == (True, False)
