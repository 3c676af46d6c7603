"""Whatever a fault makes of a reply, the genuine one is recorded, or nothing; and nobody else sees the fault."""

from __future__ import annotations

import orjson
import pytest

from proxies.dataplane.faults.base import Fault
from proxies.dataplane.faults.cut import CutStream
from proxies.dataplane.faults.duplicate import Duplicate
from proxies.dataplane.faults.empty_content import EmptyContent
from proxies.dataplane.faults.invalid_tool_arguments import InvalidToolArguments
from proxies.dataplane.faults.length_stop import LengthStop
from proxies.dataplane.faults.no_terminator import NoTerminator
from proxies.dataplane.faults.refusal import Refusal
from proxies.dataplane.faults.reorder import Reorder
from proxies.dataplane.faults.rules import FaultConfig, Rule, When
from proxies.dataplane.faults.slow import Slow
from proxies.dataplane.faults.stall import Stall
from proxies.dataplane.faults.stream_error import StreamError
from tests.proxies.dataplane.faults.faulty import broken, faulty
from tests.proxies.dataplane.faults.skipping import SKIPPING, slowed
from tests.proxies.dataplane.faults.streams import CALLING, CHAT, asking
from tests.proxies.dataplane.faults.test_editing import ANSWER
from tests.proxies.dataplane.proxying import LAST_CHUNK, SSE_HEAD, chat, chunked, ok, proxying, until

LOOP_FACTORIES = SKIPPING

STALL, SLOW = Stall(seconds=5), Slow(ttft=2, tokens_per_second=3)
OF_STREAMS: list[Fault] = [
    STALL,
    SLOW,
    NoTerminator(),
    Duplicate(),
    Reorder(),
    Refusal(),
    LengthStop(),
    InvalidToolArguments(),
    EmptyContent(),
]
OF_REPLIES: list[Fault] = [STALL, SLOW, Refusal(), LengthStop(), EmptyContent()]


@pytest.mark.parametrize("fault", OF_STREAMS, ids=lambda fault: fault.kind)
async def test_a_damaged_stream_is_recorded_as_it_came(fault: Fault) -> None:
    events = CALLING if isinstance(fault, InvalidToolArguments) else CHAT
    stream = SSE_HEAD + b"".join(map(chunked, events)) + LAST_CHUNK
    async with slowed(fault) as proxy:
        proxy.upstream.always(stream)
        damaged = await proxy.ask(asking("chat"))
        assert (await proxy.record())["fault"] == fault.kind
        assert (damaged.body == b"".join(events)) is (fault in (STALL, SLOW))
        proxy.swap(faults=FaultConfig())
        genuine = await proxy.ask(asking("chat"))
        assert (genuine.cache, genuine.body) == (b"hit", b"".join(events))
        assert len(proxy.upstream.asked) == 1


@pytest.mark.parametrize("fault", OF_REPLIES, ids=lambda fault: fault.kind)
async def test_a_damaged_reply_is_recorded_as_it_came(fault: Fault) -> None:
    async with slowed(fault) as proxy:
        body = orjson.dumps(ANSWER, option=orjson.OPT_INDENT_2)
        proxy.upstream.always(ok(body))
        await proxy.ask(chat())
        assert (await proxy.record())["fault"] == fault.kind
        proxy.swap(faults=FaultConfig())
        genuine = await proxy.ask(chat())
        assert (genuine.cache, genuine.body) == (b"hit", body)
        assert genuine.value(b"content-length") == str(len(body)).encode()


@pytest.mark.parametrize(
    "fault", [CutStream(events=2), CutStream(seconds=0), StreamError()], ids=lambda fault: fault.kind
)
async def test_of_a_stream_that_was_ended_early_nothing_is_recorded(fault: Fault) -> None:
    async with faulty(fault) as proxy:
        proxy.upstream.always(ok(b"".join(CHAT), content_type="text/event-stream"))
        client = await proxy.send(asking("chat"))
        if isinstance(fault, StreamError):
            await client.reply()
        else:
            await broken(client)
        proxy.swap(faults=FaultConfig())
        assert (await proxy.ask(asking("chat"))).cache == b"miss"


@pytest.mark.parametrize("fault", OF_STREAMS[:-2] + OF_STREAMS[-1:], ids=lambda fault: fault.kind)
async def test_a_damaged_hit_leaves_its_recording_as_it_is(fault: Fault) -> None:
    async with faulty(fault) as proxy:
        proxy.swap(faults=FaultConfig())
        proxy.upstream.always(SSE_HEAD + b"".join(map(chunked, CHAT)) + LAST_CHUNK)
        first = await proxy.ask(asking("chat"))
        proxy.swap(faults=FaultConfig(rules=(Rule("1", fault),)))
        damaged = await proxy.ask(asking("chat"))
        assert (damaged.cache, damaged.outcome) == (b"hit", b"fault")
        proxy.swap(faults=FaultConfig())
        again = await proxy.ask(asking("chat"))
        assert (again.cache, again.chunks) == (b"hit", first.chunks)


async def test_of_two_that_share_a_reply_the_one_that_is_cut_leaves_the_other_all_of_it() -> None:
    async with proxying(faults=FaultConfig(rules=(Rule("1", CutStream(events=2), when=When(after=1)),))) as proxy:
        leader = await proxy.send(asking("chat"))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(CHAT[0]))
        await leader.head()
        cut = await proxy.send(asking("chat"))
        await asked.answer(chunked(CHAT[1]))
        end = await broken(cut)
        assert end.body == chunked(CHAT[0]) + chunked(CHAT[1])
        await asked.answer(b"".join(map(chunked, CHAT[2:])) + LAST_CHUNK)
        body = b""
        while chunk := await leader.chunk():
            body += chunk
        assert body == b"".join(CHAT)
        assert [record["outcome"] for record in proxy.records] == ["fault", "miss"]
        proxy.swap(faults=FaultConfig())
        assert (await proxy.ask(asking("chat"))).cache == b"hit"


async def test_whoever_waits_for_a_reply_that_is_cut_gets_all_of_it() -> None:
    async with proxying(faults=FaultConfig(rules=(Rule("1", CutStream(events=1), when=When(first=1)),))) as proxy:
        cut = await proxy.send(asking("chat"))
        asked = await proxy.upstream.next()
        other = await proxy.send(asking("chat"))
        await until(lambda: proxy.server.in_flight == 2)
        await asked.answer(SSE_HEAD + chunked(CHAT[0]))
        assert (await broken(cut)).body == chunked(CHAT[0])
        await asked.answer(b"".join(map(chunked, CHAT[1:])) + LAST_CHUNK)
        assert (await other.reply()).body == b"".join(CHAT)
        assert len(proxy.upstream.asked) == 1
