"""What a replay miss tells the client, and what it does not tell the log."""

from __future__ import annotations

import pytest

from proxies.dataplane.config import CacheMode
from tests.proxies.dataplane.proxying import SECRET, UVLOOP, chat, completion, ok, proxying, request

LOOP_FACTORIES = UVLOOP


async def test_a_miss_names_what_was_asked_and_the_nearest_recording_and_where_it_differs() -> None:
    async with proxying() as proxy:
        proxy.upstream.count()
        await proxy.ask(chat("hello", seed=1))
        await proxy.ask(chat("something else", seed=2, temperature=0.5))
        proxy.swap(cache={"mode": CacheMode.REPLAY})
        got = await proxy.ask(chat("hello", seed=3))
        error = got.json["error"]
        assert (got.status, error["code"]) == (404, "no_recording")
        for words in ("chat.completions", "gpt-4o-mini", proxy.records[-1]["prompt_hash"][:16], "/seed", "replay mode"):
            assert words in error["message"]
        assert "/messages" not in error["message"]
        assert len(proxy.upstream.asked) == 2


async def test_a_miss_without_any_recording_says_so() -> None:
    async with proxying(cache={"mode": CacheMode.REPLAY}) as proxy:
        message = (await proxy.ask(chat())).json["error"]["message"]
        assert "There is no recording of chat.completions at all" in message


async def test_only_says_who_asked_for_it() -> None:
    async with proxying() as proxy:
        got = await proxy.ask(chat(headers=[("X-Rubberduck-Cache", "only")]))
        assert (got.status, "the request asked for a recording only" in got.json["error"]["message"]) == (404, True)


@pytest.mark.parametrize(
    ("target", "word"), [("/v1/chat/completions?x=2", "query"), ("/v1/embeddings", "no recording")]
)
async def test_a_miss_shows_differences_beside_the_body_too(target: str, word: str) -> None:
    async with proxying() as proxy:
        proxy.upstream.count()
        body = b'{"model":"m","input":"hi"}'
        await proxy.ask(request(body=body))
        proxy.swap(cache={"mode": CacheMode.REPLAY})
        assert word in (await proxy.ask(request(target=target, body=body))).json["error"]["message"]


async def test_neither_the_message_nor_the_record_holds_a_value_of_the_request() -> None:
    async with proxying() as proxy:
        proxy.upstream.always(ok(completion()))
        headers = [("Authorization", f"Bearer {SECRET}")]
        await proxy.ask(chat("one", headers=headers, user=SECRET))
        proxy.swap(cache={"mode": CacheMode.REPLAY})
        got = await proxy.ask(chat(f"tell {SECRET}", headers=headers, metadata={SECRET: 1}, user=SECRET + "2"))
        assert got.status == 404
        assert SECRET.encode() not in b"".join(proxy.sink.lines)
        recording, _ = next(iter(proxy.memory._recordings.values()))
        assert SECRET not in repr(recording)
