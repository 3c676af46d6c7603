"""The provider's own error is told in the middle of a stream, which then ends."""

from __future__ import annotations

import orjson
import pytest

from providers.faults.base import Reason
from providers.wire import event_stream, sse
from proxies.dataplane.faults.stream_error import StreamError
from tests.proxies.dataplane.faults.faulty import broken, faulty
from tests.proxies.dataplane.faults.streams import ARRAY, CHAT, CONVERSE, DIALECTS, GEMINI, MESSAGES, asking
from tests.proxies.dataplane.proxying import SSE_HEAD, UVLOOP, chunked, ok

LOOP_FACTORIES = UVLOOP


async def told(dialect: str, fault: StreamError) -> list[bytes]:
    provider, content_type, events = DIALECTS[dialect]
    async with faulty(fault, provider=provider) as proxy:
        proxy.upstream.always(ok(b"".join(events), content_type=content_type))
        got = await proxy.ask(asking(dialect))
        assert got.status == 200
        assert got.chunks is not None
        record = await proxy.record()
        assert (record["outcome"], record["fault"], record["status"]) == ("fault", "stream_error", 200)
        return got.chunks


async def test_openai_tells_it_as_an_error_object() -> None:
    *before, error = await told("chat", StreamError(events=3, message="Out of luck."))
    assert before == CHAT[:3]
    assert next(sse.events(error)).object()["error"]["message"] == "Out of luck."


async def test_anthropic_tells_it_as_an_error_event() -> None:
    *before, error = await told("messages", StreamError(reason=Reason.OVERLOADED))
    assert before == MESSAGES[:1]
    (event,) = sse.events(error)
    assert (event.name, event.object()["error"]["type"]) == ("error", "overloaded_error")


async def test_bedrock_tells_it_as_an_exception_frame() -> None:
    *before, error = await told("converse", StreamError(reason=Reason.THROTTLING))
    assert before == CONVERSE[:1]
    frame = event_stream.parse(error)
    assert (frame.message_type, frame.event_type) == ("exception", "throttlingException")


async def test_gemini_tells_it_as_an_error_object() -> None:
    *before, error = await told("gemini", StreamError(status=503))
    assert before == GEMINI[:1]
    assert next(sse.events(error)).object()["error"]["code"] == 503


@pytest.mark.parametrize("events", [0, 2])
async def test_in_an_array_it_is_the_last_element(events: int) -> None:
    got = orjson.loads(b"".join(await told("array", StreamError(events=events, status=503))))
    assert got[:-1] == orjson.loads(b"".join(ARRAY))[:events]
    assert got[-1]["error"]["code"] == 503


async def test_it_can_be_the_first_event() -> None:
    (error,) = await told("chat", StreamError(events=0))
    assert next(sse.events(error)).object()["error"]["message"]


async def test_the_upstream_is_dropped_and_nothing_recorded() -> None:
    async with faulty(StreamError()) as proxy:
        client = await proxy.send(asking("chat"))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(CHAT[0]))
        got = await client.reply()
        assert len(got.chunks or ()) == 2
        assert await asked.peer.at_end()
        proxy.swap(faults=type(proxy.config.faults)())
        proxy.upstream.always(ok(b"".join(CHAT), content_type="text/event-stream"))
        assert (await proxy.ask(asking("chat"))).cache == b"miss"


async def test_a_stream_that_ends_before_tells_none() -> None:
    async with faulty(StreamError(events=50)) as proxy:
        proxy.upstream.always(ok(b"".join(CHAT), content_type="text/event-stream"))
        assert (await proxy.ask(asking("chat"))).body == b"".join(CHAT)
        assert (await proxy.record())["fault"] == ""


async def test_a_stream_of_sound_has_no_place_for_it() -> None:
    async with faulty(StreamError(events=0)) as proxy:
        proxy.upstream.always(ok(b"\xff\xfb", content_type="audio/mpeg"))
        assert (await proxy.ask(asking("chat"))).body == b"\xff\xfb"


async def test_an_upstream_that_dies_before_the_error_cuts_the_client() -> None:
    async with faulty(StreamError(events=3)) as proxy:
        client = await proxy.send(asking("chat"))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(CHAT[0]) + chunked(CHAT[1][:20]))
        asked.peer.close()
        end = await broken(client)
        assert end.body == chunked(CHAT[0]) + chunked(CHAT[1][:20])
