"""An answer that stops where a token limit would have stopped it."""

from __future__ import annotations

import orjson

from proxies.dataplane.faults.length_stop import LengthStop
from tests.proxies.dataplane.faults.faulty import faulty
from tests.proxies.dataplane.faults.streams import MESSAGES, asking
from tests.proxies.dataplane.faults.test_editing import ANSWER
from tests.proxies.dataplane.proxying import UVLOOP, chat, ok

LOOP_FACTORIES = UVLOOP


async def test_half_of_the_text_is_left_and_the_reason_says_length() -> None:
    async with faulty(LengthStop()) as proxy:
        proxy.upstream.always(ok(orjson.dumps(ANSWER)))
        (choice,) = (await proxy.ask(chat())).json["choices"]
        text = choice["message"]["content"]
        assert choice["finish_reason"] == "length"
        assert 0 < len(text) < len("One two three four five")
        assert "One two three four five".startswith(text)


async def test_anthropic_calls_it_max_tokens() -> None:
    async with faulty(LengthStop(), provider="anthropic") as proxy:
        proxy.upstream.always(ok(b"".join(MESSAGES), content_type="text/event-stream"))
        body = (await proxy.ask(asking("messages"))).body
        assert b'"max_tokens"' in body
        assert b"event: message_stop" in body
