"""A refusal in the provider's own form."""

from __future__ import annotations

import orjson

from proxies.dataplane.faults.refusal import Refusal
from tests.proxies.dataplane.faults.faulty import faulty
from tests.proxies.dataplane.faults.streams import CHAT, asking
from tests.proxies.dataplane.faults.test_editing import ANSWER
from tests.proxies.dataplane.proxying import UVLOOP, chat, ok

LOOP_FACTORIES = UVLOOP


async def test_the_model_declines_in_the_words_that_were_asked_for() -> None:
    async with faulty(Refusal(text="Not today.")) as proxy:
        proxy.upstream.always(ok(orjson.dumps(ANSWER)))
        (choice,) = (await proxy.ask(chat())).json["choices"]
        assert (choice["message"]["refusal"], choice["message"]["content"]) == ("Not today.", None)


async def test_without_words_it_says_what_is_usual() -> None:
    async with faulty(Refusal()) as proxy:
        proxy.upstream.always(ok(b"".join(CHAT), content_type="text/event-stream"))
        got = await proxy.ask(asking("chat"))
        pieces = [
            choice["delta"].get("refusal") or ""
            for event in got.body.split(b"\n\n")
            if event.startswith(b"data: {")
            for choice in orjson.loads(event[6:])["choices"]
        ]
        assert len("".join(pieces)) > 10
        assert got.body.endswith(b"data: [DONE]\n\n")
