"""A stream is cut where it was asked for, and whoever waits for nothing any more lets the upstream go."""

from __future__ import annotations

import pytest

from proxies.dataplane.faults.cut import DEFAULT_EVENTS, CutStream
from tests.proxies.dataplane.faults.faulty import broken, faulty
from tests.proxies.dataplane.faults.skipping import SKIPPING
from tests.proxies.dataplane.proxying import DONE, LAST_CHUNK, SSE_HEAD, chat, chunked, completion, event, ok

LOOP_FACTORIES = SKIPPING


def stream(count: int = 5) -> bytes:
    return SSE_HEAD + b"".join(chunked(event(number)) for number in range(1, count + 1)) + chunked(DONE) + LAST_CHUNK


@pytest.mark.parametrize("is_reset", [False, True])
async def test_a_stream_is_cut_after_so_many_events(is_reset: bool) -> None:
    async with faulty(CutStream(events=2, reset=is_reset)) as proxy:
        proxy.upstream.always(stream())
        end = await broken(await proxy.send(chat(stream=True)))
        assert end.got is not None
        assert end.got.status == 200
        assert end.body == chunked(event(1)) + chunked(event(2))
        assert end.is_reset is is_reset
        record = await proxy.record()
        assert (record["outcome"], record["fault"], record["status"]) == ("fault", "cut", 200)


async def test_events_that_come_in_one_piece_are_counted_one_by_one() -> None:
    async with faulty(CutStream()) as proxy:
        proxy.upstream.always(ok(b": hello\n\n" + b"".join(map(event, range(6))), content_type="text/event-stream"))
        end = await broken(await proxy.send(chat(stream=True)))
        assert end.body == chunked(b": hello\n\n") + b"".join(
            chunked(event(number)) for number in range(DEFAULT_EVENTS)
        )


async def test_a_stream_can_be_cut_right_behind_its_head() -> None:
    async with faulty(CutStream(events=0)) as proxy:
        proxy.upstream.always(stream())
        end = await broken(await proxy.send(chat(stream=True)))
        assert end.got is not None
        assert (end.got.status, end.body) == (200, b"")


async def test_a_stream_is_cut_after_its_last_event_instead_of_ending() -> None:
    async with faulty(CutStream(events=4)) as proxy:
        proxy.upstream.always(stream(2))
        end = await broken(await proxy.send(chat(stream=True)))
        assert end.body.endswith(b"data: [DONE]\n\n\r\n")
        assert (await proxy.record())["fault"] == "cut"


async def test_a_stream_shorter_than_that_ends_as_ever() -> None:
    async with faulty(CutStream(events=50)) as proxy:
        proxy.upstream.always(stream())
        assert (await proxy.ask(chat(stream=True))).body.endswith(DONE)
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("miss", "")


async def test_a_stream_is_cut_after_seconds_in_the_middle_of_a_silence() -> None:
    async with faulty(CutStream(seconds=10)) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        end = await broken(client)
        assert end.body == chunked(event(1))
        assert await asked.peer.at_end()
        assert (await proxy.record())["fault"] == "cut"


async def test_the_upstream_is_dropped_at_once_and_nothing_recorded() -> None:
    async with faulty(CutStream(events=1)) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        await broken(client)
        assert await asked.peer.at_end()
        proxy.swap(faults=type(proxy.config.faults)())
        proxy.upstream.always(stream())
        assert (await proxy.ask(chat(stream=True))).cache == b"miss"


async def test_a_recording_is_cut_too_and_stays_whole() -> None:
    async with faulty(CutStream(events=1)) as proxy:
        faults = proxy.config.faults
        proxy.swap(faults=type(faults)())
        proxy.upstream.always(stream())
        whole = await proxy.ask(chat(stream=True))
        proxy.swap(faults=faults)
        assert (await broken(await proxy.send(chat(stream=True)))).body == chunked(event(1))
        proxy.swap(faults=type(faults)())
        again = await proxy.ask(chat(stream=True))
        assert (again.cache, again.chunks) == (b"hit", whole.chunks)


async def test_what_is_no_stream_is_not_cut() -> None:
    async with faulty(CutStream(events=0)) as proxy:
        proxy.upstream.always(ok(completion()))
        assert (await proxy.ask(chat())).body == completion()
        assert (await proxy.ask(chat("streaming asked for, none given", stream=True))).body == completion()
        assert [record["fault"] for record in proxy.records] == ["", ""]


def test_events_and_seconds_exclude_each_other() -> None:
    assert CutStream(events=1).check() is None
    assert CutStream(seconds=1).check() is None
    assert (CutStream(events=1, seconds=1).check() or "").startswith("seconds: ")
