"""The events that end a stream in its dialect are missing, and only those."""

from __future__ import annotations

import pytest

from proxies.dataplane.faults.no_terminator import NoTerminator
from tests.proxies.dataplane.faults.faulty import faulty
from tests.proxies.dataplane.faults.streams import ARRAY, CHAT, CONVERSE, DIALECTS, GEMINI, MESSAGES, asking
from tests.proxies.dataplane.proxying import UVLOOP, ok

LOOP_FACTORIES = UVLOOP

LEFT = {"chat": CHAT[:-1], "messages": MESSAGES[:-1]}


@pytest.mark.parametrize("dialect", LEFT)
async def test_the_last_event_is_missing_and_the_stream_ends_cleanly(dialect: str) -> None:
    provider, content_type, events = DIALECTS[dialect]
    async with faulty(NoTerminator(), provider=provider) as proxy:
        proxy.upstream.always(ok(b"".join(events), content_type=content_type))
        got = await proxy.ask(asking(dialect))
        assert got.chunks == LEFT[dialect]
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("fault", "no_terminator")


async def test_of_an_event_stream_the_frames_that_end_it_are_missing() -> None:
    async with faulty(NoTerminator(), provider="bedrock") as proxy:
        proxy.upstream.always(ok(b"".join(CONVERSE), content_type=DIALECTS["converse"][1]))
        got = await proxy.ask(asking("converse"))
        assert got.chunks is not None
        assert got.chunks[:7] == CONVERSE[:7]
        assert CONVERSE[7] not in got.chunks


@pytest.mark.parametrize(("dialect", "events"), [("gemini", GEMINI), ("array", ARRAY)])
async def test_gemini_says_that_it_is_done_in_its_last_chunk(dialect: str, events: list[bytes]) -> None:
    async with faulty(NoTerminator(), provider="vertex_ai") as proxy:
        proxy.upstream.always(ok(b"".join(events), content_type=DIALECTS[dialect][1]))
        got = await proxy.ask(asking(dialect))
        kept = [event for event in events if b"finishReason" not in event]
        assert got.body == b"".join(kept)
        assert (await proxy.record())["fault"] == "no_terminator"


async def test_a_stream_without_terminator_has_none_to_lose() -> None:
    async with faulty(NoTerminator()) as proxy:
        proxy.upstream.always(ok(b"".join(CHAT[:-1]), content_type="text/event-stream"))
        assert (await proxy.ask(asking("chat"))).body == b"".join(CHAT[:-1])
        assert (await proxy.record())["fault"] == ""
