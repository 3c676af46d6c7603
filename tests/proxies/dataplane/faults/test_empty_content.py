"""A success without content."""

from __future__ import annotations

import orjson

from proxies.dataplane.faults.empty_content import EmptyContent
from tests.proxies.dataplane.faults.faulty import faulty
from tests.proxies.dataplane.faults.streams import GEMINI, asking
from tests.proxies.dataplane.faults.test_editing import ANSWER
from tests.proxies.dataplane.proxying import UVLOOP, chat, ok

LOOP_FACTORIES = UVLOOP


async def test_nothing_is_written_and_all_is_well() -> None:
    async with faulty(EmptyContent()) as proxy:
        proxy.upstream.always(ok(orjson.dumps(ANSWER)))
        got = (await proxy.ask(chat())).json
        (choice,) = got["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == ("", "stop")
        assert got["usage"] == ANSWER["usage"]


async def test_a_stream_of_gemini_ends_without_a_part_of_text() -> None:
    async with faulty(EmptyContent(), provider="vertex_ai") as proxy:
        proxy.upstream.always(ok(b"".join(GEMINI), content_type="text/event-stream"))
        body = (await proxy.ask(asking("gemini"))).body
        assert b'"text"' not in body
        assert b'"STOP"' in body
