"""A slow reply comes at the pace that was asked for, and never later than that."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from proxies.dataplane.faults.slow import DEFAULT_TOKENS_PER_SECOND, Slow
from tests.proxies.dataplane.faults.skipping import SKIPPING, since, slowed
from tests.proxies.dataplane.proxying import DONE, LAST_CHUNK, SSE_HEAD, Proxying, chat, chunked, completion, event, ok

LOOP_FACTORIES = SKIPPING
SLACK_S = 0.01


def word(number: int) -> bytes:
    """An event of one token."""
    return event(number, choices=[{"index": 0, "delta": {"content": " word"}}])


def stream(*events: bytes) -> bytes:
    return SSE_HEAD + b"".join(map(chunked, events)) + LAST_CHUNK


WORDS = [word(number) for number in range(4)]


async def times(proxy: Proxying, raw: bytes) -> tuple[float, list[float], list[bytes]]:
    """When the head came and when each chunk did, on the loop's clock."""
    began_at = asyncio.get_running_loop().time()
    client = await proxy.send(raw)
    received: list[tuple[float, bytes]] = []
    loop = asyncio.get_running_loop()
    while not received or not received[-1][1].endswith(LAST_CHUNK):
        data = await asyncio.wait_for(loop.sock_recv(client.sock, 65536), 4000)
        assert data
        received.append((since(began_at), data))
    moments: list[float] = []
    chunks: list[bytes] = []
    head_at = received[0][0]
    for moment, data in received:
        client.received += data
        if not chunks and b"\r\n\r\n" in client.received:
            await client.head()
        while b"\r\n" in client.received:
            chunk = await client.chunk()
            if chunk:
                moments.append(moment)
                chunks.append(chunk)
            else:
                break
    return head_at, moments, chunks


async def test_a_stream_begins_after_its_time_to_first_token_and_goes_on_at_its_pace() -> None:
    async with slowed(Slow(ttft=3, tokens_per_second=2)) as proxy:
        role = event(0, choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}}])
        proxy.upstream.always(stream(role, *WORDS, DONE))
        head_at, moments, chunks = await times(proxy, chat(stream=True))
        assert b"".join(chunks) == role + b"".join(WORDS) + DONE
        assert [head_at, *moments[:6]] == pytest.approx([3, 3, 3, 3.5, 4, 4.5, 4.5], abs=SLACK_S)
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("fault", "slow")


async def test_events_of_several_tokens_take_as_long_as_those() -> None:
    async with slowed(Slow(tokens_per_second=1)) as proxy:
        long = event(9, choices=[{"index": 0, "delta": {"content": " one two three four five"}}])
        proxy.upstream.always(stream(WORDS[0], long, WORDS[1]))
        _, moments, _ = await times(proxy, chat(stream=True))
        assert moments == pytest.approx([0, 5, 6], abs=SLACK_S)


async def test_a_slow_stream_with_no_more_said_has_ten_tokens_a_second() -> None:
    async with slowed(Slow()) as proxy:
        proxy.upstream.always(stream(*WORDS))
        _, moments, _ = await times(proxy, chat(stream=True))
        assert moments == pytest.approx([number / DEFAULT_TOKENS_PER_SECOND for number in range(4)], abs=SLACK_S)


async def test_with_a_time_to_first_token_alone_the_rest_comes_as_it_comes() -> None:
    async with slowed(Slow(ttft=5)) as proxy:
        proxy.upstream.always(stream(*WORDS))
        _, moments, _ = await times(proxy, chat(stream=True))
        assert moments == pytest.approx([5, 5, 5, 5], abs=SLACK_S)


async def test_the_time_the_upstream_takes_is_part_of_the_time_to_first_token() -> None:
    async with slowed(Slow(ttft=5)) as proxy:
        asking = asyncio.ensure_future(times(proxy, chat(stream=True)))
        asked = await proxy.upstream.next()
        await asyncio.sleep(4)
        await asked.answer(stream(*WORDS))
        head_at, _, _ = await asking
        assert head_at == pytest.approx(5, abs=SLACK_S)


async def test_what_comes_later_than_the_pace_asks_is_not_held_back_and_not_made_up_for() -> None:
    async with slowed(Slow(ttft=1, tokens_per_second=2)) as proxy:
        asking = asyncio.ensure_future(times(proxy, chat(stream=True)))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(WORDS[0]))
        await asyncio.sleep(20)
        await asked.answer(b"".join(map(chunked, WORDS[1:])) + LAST_CHUNK)
        _, moments, _ = await asking
        assert moments == pytest.approx([1, 20, 20.5, 21], abs=SLACK_S)


async def test_jitter_varies_each_wait_and_is_drawn_by_the_seed() -> None:
    runs = []
    for _ in range(2):
        async with slowed(Slow(tokens_per_second=1, jitter=1)) as proxy:
            proxy.upstream.always(stream(*(word(number) for number in range(20))))
            _, moments, _ = await times(proxy, chat(stream=True))
            runs.append(moments)
    waits = [later - earlier for earlier, later in zip(runs[0], runs[0][1:], strict=False)]
    assert min(waits) < 0.5
    assert max(waits) > 1.5
    assert max(waits) < 2 + SLACK_S
    assert runs[1] == pytest.approx(runs[0], abs=SLACK_S)


async def test_nothing_is_held_but_one_event_and_the_upstream_waits() -> None:
    async with slowed(Slow(tokens_per_second=0.001)) as proxy:
        await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD)
        big = chunked(event(1, choices=[{"index": 0, "delta": {"content": "word " * 20_000}}]))
        sent = 0
        try:
            while sent < 1000 * len(big):
                await asked.answer(big)
                sent += len(big)
        except TimeoutError:  # nobody takes more
            pass
        assert sent < 200 * len(big)


async def test_any_other_reply_comes_when_its_tokens_would_have_been_written() -> None:
    async with slowed(Slow(ttft=2, tokens_per_second=0.5)) as proxy:
        body = completion(filler="x" * 500)  # says that it has 4 tokens
        asking = asyncio.ensure_future(arrival(proxy))
        asked = await proxy.upstream.next()
        await asked.answer(ok(body)[:-10])
        await asyncio.sleep(1)
        await asked.answer(ok(body)[-10:])
        head_at, end_at, got = await asking
        assert got == body
        assert [head_at, end_at] == pytest.approx([10, 10], abs=SLACK_S)
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("fault", "slow")


async def test_sound_begins_after_its_time_to_first_token_and_then_comes_as_it_comes() -> None:
    async with slowed(Slow(ttft=2, tokens_per_second=0.5)) as proxy:
        asking = asyncio.ensure_future(arrival(proxy))
        asked = await proxy.upstream.next()
        reply = ok(b"\xff" * 900, content_type="audio/mpeg")
        await asked.answer(reply[:-300])
        await asyncio.sleep(1)
        await asked.answer(reply[-300:])
        head_at, end_at, got = await asking
        assert got == b"\xff" * 900
        assert [head_at, end_at] == pytest.approx([2, 2], abs=SLACK_S)


async def arrival(proxy: Proxying, raw: bytes | None = None) -> tuple[float, float, bytes]:
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    client = await proxy.send(chat() if raw is None else raw)
    client.received = await asyncio.wait_for(loop.sock_recv(client.sock, 65536), 4000)
    head_at = since(began_at)
    head = await client.head()
    length = int(head.value(b"content-length") or b"0")
    while len(client.received) < length:
        client.received += await asyncio.wait_for(loop.sock_recv(client.sock, 65536), 4000)
    return head_at, since(began_at), client.received


async def test_a_reply_that_does_not_tell_its_tokens_is_estimated() -> None:
    async with slowed(Slow(tokens_per_second=1)) as proxy:
        body = b'{"choices": [{"message": {"content": "one two three four five six"}}]}'
        proxy.upstream.always(ok(body))
        _, end_at, got = await arrival(proxy)
        assert got == body
        assert end_at == pytest.approx(6, abs=SLACK_S)


async def test_a_recording_is_as_slow_as_a_new_reply() -> None:
    async with slowed(Slow(ttft=2, tokens_per_second=2)) as proxy:
        proxy.upstream.always(stream(*WORDS, DONE))
        first = await times(proxy, chat(stream=True))
        second = await times(proxy, chat(stream=True))
        assert [record["cache"] for record in proxy.records] == ["miss", "hit"]
        assert second[1] == pytest.approx(first[1], abs=SLACK_S)
        assert b"".join(second[2]) == b"".join(first[2])


async def test_what_is_slower_by_itself_was_no_fault() -> None:
    async with slowed(Slow(ttft=1, tokens_per_second=5)) as proxy:
        asking: Any = asyncio.ensure_future(times(proxy, chat(stream=True)))
        asked = await proxy.upstream.next()
        await asyncio.sleep(2)
        await asked.answer(SSE_HEAD + chunked(WORDS[0]))
        await asyncio.sleep(2)
        await asked.answer(chunked(WORDS[1]) + chunked(DONE) + LAST_CHUNK)
        await asking
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("miss", "")


async def test_a_client_that_leaves_while_it_waits_for_the_head_drops_the_upstream() -> None:
    async with slowed(Slow(ttft=600)) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(WORDS[0]))
        await asyncio.sleep(10)
        client.close()
        assert await asked.peer.at_end()
        record = await proxy.record()
        assert (record["outcome"], record["status"]) == ("fault", None)
