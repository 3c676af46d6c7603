"""Records and the bytes that end a reply: exactly one record an exchange, written before the client can see the end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from proxies.dataplane.access import AccessList
from proxies.dataplane.config import CacheMode
from proxies.dataplane.faults.rules import FaultConfig, Rule
from proxies.dataplane.faults.slow import Slow
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
    proxying,
    request,
)

# uvloop writes at the end of a turn, asyncio at once: there the order of record and bytes shows
LOOP_FACTORIES = UVLOOP | {"asyncio": asyncio.new_event_loop}
BODY = completion(1, filler="x" * 100_000)

ENDINGS: list[tuple[str, bytes, bytes]] = [
    ("a unary reply", chat(), ok(completion())),
    ("a long reply with a length", chat(), ok(BODY)),
    ("a chunked reply", chat(), SSE_HEAD + chunked(event(1)) + chunked(DONE) + LAST_CHUNK),
    ("no content", request("DELETE", "/v1/files/f"), b"HTTP/1.1 204 No Content\r\n\r\n"),
    ("a head alone", request("HEAD", "/v1/x"), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
    ("an empty body", request("GET", "/v1/x"), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("an empty chunked body", request("GET", "/v1/x"), SSE_HEAD + LAST_CHUNK),
    ("an upstream error", chat(), ok(b"{}", status="503 No")),
    ("garbage", chat(), b"garbage\r\n\r\n"),
]


@pytest.mark.parametrize(("raw", "reply"), [ending[1:] for ending in ENDINGS], ids=[ending[0] for ending in ENDINGS])
async def test_the_record_is_there_when_the_client_has_the_last_byte(raw: bytes, reply: bytes) -> None:
    async with proxying() as proxy:
        proxy.upstream.always(reply)
        client = await proxy.client()
        seen: list[bytes] = []

        def peek() -> None:
            try:
                seen.append(client.sock.recv(1 << 20, socket.MSG_PEEK))
            except BlockingIOError:
                seen.append(b"")

        proxy.sink.watch = peek
        for number in range(1, 3):
            got = await client.ask(raw)
            assert len(proxy.records) == number
            assert not _is_complete(seen[-1], raw)
            record = proxy.records[-1]
            assert (record["status"], record["reply_bytes"]) == (got.status, len(got.body))
            assert record["id"].encode() == got.value(b"x-rubberduck-request-id")
            assert record["outcome"].encode() == got.outcome
            assert record["cache"].encode() == got.cache


def _is_complete(arrived: bytes, raw: bytes) -> bool:
    head, end, body = arrived.partition(b"\r\n\r\n")
    if not end or raw.startswith(b"HEAD") or b" 204 " in head[:14]:
        return bool(end)
    if b"transfer-encoding" in head:
        return arrived.endswith(b"0\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return len(body) >= int(length)


async def test_the_record_comes_before_the_bytes_that_complete_a_length() -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat())
        asked = await proxy.upstream.next()
        reply = ok(BODY)
        await asked.answer(reply[:-10])
        await client.head()
        await client.read_exactly(len(BODY) - 10)
        assert proxy.records == []
        await asked.answer(reply[-10:])
        await client.read_exactly(10)
        assert [record["reply_bytes"] for record in proxy.records] == [len(BODY)]


async def test_durations_are_in_order_and_every_figure_is_there() -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await client.head()
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        await client.chunk()
        await client.chunk()
        await client.chunk()
        record = proxy.records[0]
        assert 0 < record["first_byte_ms"] <= record["upstream_ms"] + record["first_byte_ms"]
        assert record["upstream_ms"] <= record["latency_ms"]
        assert record["started_at_us"] == 1_790_000_000_000_000
        expected: dict[str, Any] = {
            "proxy_id": 1, "proxy_name": "test", "provider": "openai", "client_ip": "127.0.0.1", "method": "POST",
            "path": "/v1/chat/completions", "operation": "chat.completions", "model": "gpt-4o-mini", "status": 200,
            "outcome": "miss", "is_streaming": True, "cache": "miss", "rate_limit": "passed", "access": "passed",
            "fault": "", "attempts": 1, "input_tokens": 3, "output_tokens": 4, "reply_model": "gpt-4o-mini-2024-07-18",
            "error_kind": "", "error": "", "request_bytes": len(asked.body), "reply_bytes": len(event(1) + DONE),
        }  # fmt: skip
        assert {name: record[name] for name in expected} == expected
        assert len(record["prompt_hash"]) == 64


async def test_usage_that_is_not_told_is_unknown() -> None:
    async with proxying() as proxy:
        proxy.upstream.always(SSE_HEAD + chunked(event(1) + b"data: [DONE]\n\n") + LAST_CHUNK)
        for _ in range(2):
            await proxy.ask(chat(stream=True))
        assert [(record["input_tokens"], record["output_tokens"]) for record in proxy.records] == [(None, None)] * 2


PRECEDENCE: list[tuple[dict[str, Any], bytes, bytes, str]] = [
    ({"access": AccessList.parse(["10.0.0.1"])}, chat(), ok(b"{}"), "blocked"),
    ({}, chat(), ok(b"{}", status="500 Oops"), "error"),
    ({"cache": {"mode": CacheMode.OFF}}, chat(), ok(b"{}", status="400 Bad"), "error"),
    ({"cache": {"mode": CacheMode.OFF}}, chat(), ok(b"{}"), "bypass"),
    ({"cache": {"mode": CacheMode.REFRESH}}, chat(), ok(b"{}"), "miss"),
    ({}, request("GET", "/v1/x"), ok(b"{}", status="302 Found"), "bypass"),
    ({}, chat(), ok(b"{}"), "miss"),
]


@pytest.mark.parametrize(("settings", "raw", "reply", "outcome"), PRECEDENCE)
async def test_the_outcome_is_the_first_that_applies(
    settings: dict[str, Any], raw: bytes, reply: bytes, outcome: str
) -> None:
    async with proxying(**settings) as proxy:
        proxy.upstream.always(reply)
        got = await proxy.ask(raw)
        assert (got.outcome, proxy.records[0]["outcome"]) == (outcome.encode(), outcome)


async def test_a_client_that_leaves_an_erring_upstream_has_left() -> None:
    async with proxying() as proxy:
        client = await proxy.send(chat())
        asked = await proxy.upstream.next()
        await asked.answer(b"HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nbegin")
        await client.head()
        client.close()
        assert (await proxy.record())["outcome"] == "client_left"
        assert await asked.peer.at_end()


async def test_a_reply_may_have_its_head_wait_for_something() -> None:
    async with proxying(faults=FaultConfig(rules=(Rule("1", Slow(ttft=0.02)),))) as proxy:
        for raw, reply in ((chat(), ok(completion())), (chat(stream=True), ENDINGS[2][2])):
            proxy.upstream.always(reply)
            assert (await proxy.ask(raw)).outcome == b"fault"
        first, second = proxy.records
        assert first["first_byte_ms"] is not None
        assert second["first_byte_ms"] is not None


async def test_a_client_that_leaves_before_the_head_lets_the_reply_go() -> None:
    async with proxying(faults=FaultConfig(rules=(Rule("1", Slow(ttft=3600)),))) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        client.close()
        assert await asked.peer.at_end()
        assert (await proxy.record())["status"] is None
