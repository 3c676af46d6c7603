"""Tool calls whose arguments nobody can use."""

from __future__ import annotations

import orjson
import pytest

from proxies.dataplane.faults.invalid_tool_arguments import InvalidToolArguments
from tests.proxies.dataplane.faults.faulty import faulty
from tests.proxies.dataplane.faults.streams import CALLING, asking
from tests.proxies.dataplane.proxying import UVLOOP, ok

LOOP_FACTORIES = UVLOOP


async def test_the_arguments_of_a_streamed_call_do_not_parse() -> None:
    async with faulty(InvalidToolArguments()) as proxy:
        proxy.upstream.always(ok(b"".join(CALLING), content_type="text/event-stream"))
        got = await proxy.ask(asking("chat"))
        arguments = "".join(
            call["function"].get("arguments", "")
            for event in got.body.split(b"\n\n")
            if event.startswith(b"data: {")
            for choice in orjson.loads(event[6:])["choices"]
            for call in choice["delta"].get("tool_calls", ())
        )
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(arguments)
        assert (await proxy.record())["fault"] == "invalid_tool_arguments"
