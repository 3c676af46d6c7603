"""Two events arrive in the wrong order."""

from __future__ import annotations

import orjson
import pytest

from proxies.dataplane.faults.reorder import Reorder
from tests.proxies.dataplane.faults.faulty import faulty
from tests.proxies.dataplane.faults.streams import ARRAY, CHAT, DIALECTS, asking
from tests.proxies.dataplane.proxying import UVLOOP, ok

LOOP_FACTORIES = UVLOOP


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_third_event_with_text_comes_after_the_fourth(dialect: str) -> None:
    provider, content_type, events = DIALECTS[dialect]
    async with faulty(Reorder(), provider=provider) as proxy:
        proxy.upstream.always(ok(b"".join(events), content_type=content_type))
        got = await proxy.ask(asking(dialect))
        at = next(place for place, event in enumerate(events) if b" three" in event)
        assert got.body == b"".join([*events[:at], events[at + 1], events[at], *events[at + 2 :]])
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("fault", "reorder")


@pytest.mark.parametrize("number", [1, 4, 5])
async def test_an_array_stays_an_array(number: int) -> None:
    async with faulty(Reorder(event=number), provider="vertex_ai") as proxy:
        proxy.upstream.always(ok(b"".join(ARRAY), content_type="application/json"))
        expected = orjson.loads(b"".join(ARRAY))
        expected[number - 1 : number + 1] = reversed(expected[number - 1 : number + 1])
        assert (await proxy.ask(asking("array"))).json == expected
        assert (await proxy.record())["fault"] == ("" if number == 5 else "reorder")


async def test_comments_in_between_do_not_count() -> None:
    events = [*CHAT[:4], b": ping\n\n", *CHAT[4:]]
    async with faulty(Reorder()) as proxy:
        proxy.upstream.always(ok(b"".join(events), content_type="text/event-stream"))
        got = await proxy.ask(asking("chat"))
        assert got.body == b"".join([*CHAT[:3], b": ping\n\n", CHAT[4], CHAT[3], *CHAT[5:]])


async def test_an_event_with_none_behind_it_keeps_its_place() -> None:
    async with faulty(Reorder()) as proxy:
        proxy.upstream.always(ok(b"".join(CHAT[:4]), content_type="text/event-stream"))
        assert (await proxy.ask(asking("chat"))).body == b"".join(CHAT[:4])
        assert (await proxy.record())["fault"] == ""
