"""Everything at once, at random: clients that leave, upstreams that break off, invalidations. Nothing may leak, hang,
be counted twice or be handed to the wrong client."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from proxies.dataplane.config import BodyLimits, TemperatureRule
from tests.proxies.dataplane.proxying import (
    DONE,
    LAST_CHUNK,
    SSE_HEAD,
    UVLOOP,
    Asked,
    Proxying,
    chat,
    chunked,
    event,
    ok,
    proxying,
    until,
)

LOOP_FACTORIES = UVLOOP
KEYS = 4
EXCHANGES = 150


def whole(key: str) -> bytes:
    return b"".join(event(number, key=key, x="y" * 900) for number in range(4)) + DONE


async def upstream(dice: random.Random, asked: Asked) -> None:
    key = next(f"key-{number}" for number in range(KEYS) if f"key-{number}".encode() in asked.body)
    ending = dice.random()
    try:
        await asyncio.sleep(dice.random() * 0.004)
        if ending < 0.1:
            await asked.answer(ok(b'{"error":{}}', status="500 Oops"))
            return
        if ending < 0.15:
            asked.peer.reset()
            return
        if ending < 0.3:
            await asked.answer(ok(whole(key), content_type="text/event-stream"))
            return
        await asked.answer(SSE_HEAD)
        for number in range(4):
            await asked.answer(chunked(event(number, key=key, x="y" * 900)))
            await asyncio.sleep(dice.random() * 0.004)
            if ending > 0.95:
                asked.peer.close()
                return
        await asked.answer(chunked(DONE) + LAST_CHUNK)
    except OSError:  # the proxy has closed the connection
        asked.peer.close()


async def customer(dice: random.Random, proxy: Proxying, number: int) -> str:
    """One request; returns how it ended for the client."""
    await asyncio.sleep(dice.random() * 0.2)
    key = f"key-{dice.randrange(KEYS)}"
    headers = dice.choice([[], [], [], [("X-Rubberduck-Cache", "refresh")], [("Accept-Encoding", "gzip")]])
    client = await proxy.send(chat(key, stream=True, headers=headers))
    try:
        if dice.random() < 0.35:
            await asyncio.sleep(dice.random() * 0.012)
            if dice.random() < 0.5:
                client.reset()
            else:
                client.close()
            return "left"
        try:
            got = await client.reply()
        except AssertionError:
            return "cut"
        if got.status == 200:
            assert got.body == whole(key)
            return "whole"
        assert got.status in (500, 502)
        return "error"
    finally:
        client.close()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("recording_bytes", [1_000_000, 2_000])
async def test_disorder_leaves_one_record_an_exchange_and_nothing_else(seed: int, recording_bytes: int) -> None:
    dice = random.Random(seed)
    async with proxying(
        cache={"temperature_rule": TemperatureRule.ALWAYS}, limits=BodyLimits(recording_bytes=recording_bytes)
    ) as proxy:
        proxy.upstream.script = lambda asked: upstream(dice, asked)

        async def invalidate() -> None:
            for epoch in range(1, 20):
                await asyncio.sleep(0.012)
                proxy.swap(cache={"epoch": epoch})

        customers = [customer(dice, proxy, number) for number in range(EXCHANGES)]
        *endings, _ = await asyncio.gather(*customers, invalidate())
        await until(lambda: proxy.server.in_flight == 0)
        records: list[dict[str, Any]] = proxy.records
        # a client that left before its request was read is none of the proxy's business
        assert EXCHANGES - endings.count("left") <= len(records) <= EXCHANGES
        counts = {
            outcome: sum(record["outcome"] == outcome for record in records) for outcome in ("hit", "miss", "error")
        }
        assert counts["hit"] + counts["miss"] >= endings.count("whole")
        assert sum(record["error_kind"] == "internal" for record in records) == 0
        assert all(record["attempts"] <= 1 for record in records)
        assert endings.count("whole") > 10
