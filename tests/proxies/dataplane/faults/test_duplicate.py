"""One event arrives twice."""

from __future__ import annotations

import orjson
import pytest

from proxies.dataplane.faults.duplicate import Duplicate
from tests.proxies.dataplane.faults.faulty import faulty
from tests.proxies.dataplane.faults.streams import ARRAY, CHAT, DIALECTS, asking
from tests.proxies.dataplane.proxying import UVLOOP, ok

LOOP_FACTORIES = UVLOOP


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_third_event_with_text_arrives_twice(dialect: str) -> None:
    provider, content_type, events = DIALECTS[dialect]
    async with faulty(Duplicate(), provider=provider) as proxy:
        proxy.upstream.always(ok(b"".join(events), content_type=content_type))
        got = await proxy.ask(asking(dialect))
        at = next(place for place, event in enumerate(events) if b" three" in event)
        assert got.body == b"".join([*events[: at + 1], *events[at:]])
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("fault", "duplicate")


async def test_the_first_element_of_an_array_stays_an_element() -> None:
    async with faulty(Duplicate(event=1), provider="vertex_ai") as proxy:
        proxy.upstream.always(ok(b"".join(ARRAY), content_type="application/json"))
        got = (await proxy.ask(asking("array"))).json
        assert [got[0], *got[2:]] == orjson.loads(b"".join(ARRAY))
        assert got[1] == got[0]


async def test_a_stream_with_fewer_events_stays_as_it_is() -> None:
    async with faulty(Duplicate(event=6)) as proxy:
        proxy.upstream.always(ok(b"".join(CHAT), content_type="text/event-stream"))
        assert (await proxy.ask(asking("chat"))).body == b"".join(CHAT)
        assert (await proxy.record())["fault"] == ""
