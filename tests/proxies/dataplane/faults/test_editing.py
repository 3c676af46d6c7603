"""What the provider's editor makes of a reply reaches the client in sound framing, what it leaves alone as it was."""

from __future__ import annotations

import gzip
import itertools

import orjson
import pytest

from providers.wire.event_stream import FrameSplitter
from proxies.dataplane.faults.editing import Editing
from proxies.dataplane.faults.empty_content import EmptyContent
from proxies.dataplane.faults.invalid_tool_arguments import InvalidToolArguments
from proxies.dataplane.faults.length_stop import LengthStop
from proxies.dataplane.faults.refusal import Refusal
from tests.proxies.dataplane.faults.faulty import faulty
from tests.proxies.dataplane.faults.streams import ARRAY, CHAT, CONVERSE, DIALECTS, asking
from tests.proxies.dataplane.proxying import SSE_HEAD, UVLOOP, chat, chunked, ok, request

LOOP_FACTORIES = UVLOOP

ANSWER = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
    "choices": [
        {
            "index": 0, "finish_reason": "stop", "logprobs": None,
            "message": {"role": "assistant", "content": "One two three four five", "refusal": None},
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
}  # fmt: skip
EDITS: list[Editing] = [Refusal(text="No."), LengthStop(), EmptyContent()]


@pytest.mark.parametrize("fault", EDITS, ids=lambda fault: fault.kind)
@pytest.mark.parametrize("is_gzipped", [False, True])
async def test_a_whole_reply_is_edited_and_its_length_is_right(fault: Editing, is_gzipped: bool) -> None:
    async with faulty(fault) as proxy:
        body = orjson.dumps(ANSWER)
        proxy.upstream.always(ok(gzip.compress(body), "Content-Encoding: gzip") if is_gzipped else ok(body))
        got = await proxy.ask(chat(headers=[("accept-encoding", "gzip")]))
        assert got.json != ANSWER
        assert got.values(b"content-length") == [str(len(got.body)).encode()]
        assert got.value(b"content-encoding") is None
        record = await proxy.record()
        assert (record["outcome"], record["fault"], record["output_tokens"]) == ("fault", fault.kind, 4)


@pytest.mark.parametrize("fault", EDITS, ids=lambda fault: fault.kind)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_stream_is_edited_event_by_event(dialect: str, fault: Editing) -> None:
    provider, content_type, events = DIALECTS[dialect]
    async with faulty(fault, provider=provider) as proxy:
        proxy.upstream.always(ok(b"".join(events), content_type=content_type))
        got = await proxy.ask(asking(dialect))
        assert got.value(b"content-length") is None
        assert got.body != b"".join(events)
        assert b" five" not in got.body
        if dialect == "array":
            assert isinstance(got.json, list)
        elif dialect == "converse":
            splitter = FrameSplitter()
            assert splitter.feed(got.body)
            assert splitter.pending_bytes == 0
        else:
            assert got.body.endswith((b"\n\n", b"\r\n\r\n"))
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("fault", fault.kind)


async def test_an_event_is_edited_as_soon_as_it_comes() -> None:
    async with faulty(LengthStop()) as proxy:
        client = await proxy.send(asking("chat"))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(CHAT[0]))
        await client.head()
        assert await client.chunk() == CHAT[0]


async def test_an_answer_with_nothing_to_edit_passes_untouched() -> None:
    async with faulty(InvalidToolArguments()) as proxy:
        whole, stream = orjson.dumps(ANSWER, option=orjson.OPT_INDENT_2), b"".join(CHAT)
        proxy.upstream.always(ok(whole))
        assert (await proxy.ask(chat())).body == whole
        proxy.upstream.always(ok(stream, content_type="text/event-stream"))
        assert (await proxy.ask(asking("chat"))).body == stream
        assert [(record["outcome"], record["fault"]) for record in proxy.records] == [("miss", "")] * 2


async def test_an_array_nothing_was_edited_in_keeps_its_white_space() -> None:
    array = b"[ " + b"\n,\n".join(element.lstrip(b"[,\r\n") for element in ARRAY[:-1]) + b"\n]\n"
    async with faulty(InvalidToolArguments(), provider="vertex_ai") as proxy:
        proxy.upstream.always(ok(array, content_type="application/json"))
        assert (await proxy.ask(asking("array"))).body == array
        assert (await proxy.record())["fault"] == ""


@pytest.mark.parametrize("array", [b"[]", b" [ ]\n", ARRAY[0] + b"]"])
async def test_an_array_of_little_stays_one(array: bytes) -> None:
    async with faulty(EmptyContent(), provider="vertex_ai") as proxy:
        proxy.upstream.always(ok(array, content_type="application/json"))
        assert len((await proxy.ask(asking("array"))).json) == len(orjson.loads(array))


async def test_a_whole_answer_to_a_call_for_a_stream_is_edited_as_one() -> None:
    async with faulty(EmptyContent()) as proxy:
        client = await proxy.send(asking("chat"))
        asked = await proxy.upstream.next()
        reply = ok(orjson.dumps(ANSWER))
        await asked.answer(reply[:-20])
        await asked.answer(reply[-20:])
        assert (await client.reply()).json["choices"][0]["message"]["content"] == ""


async def test_of_an_array_every_cut_of_the_network_makes_the_same() -> None:
    bodies = set()
    whole = b"".join(ARRAY)
    for size in (1, 7, 100, len(whole)):
        async with faulty(EmptyContent(), provider="vertex_ai") as proxy:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            cuts = range(0, len(whole), size)
            proxy.upstream.always(head + b"".join(chunked(whole[at : at + size]) for at in cuts) + b"0\r\n\r\n")
            bodies.add((await proxy.ask(asking("array"))).body)
    assert len(bodies) == 1
    assert b"three" not in bodies.pop()


async def test_what_is_not_an_answer_of_a_model_passes_untouched() -> None:
    async with faulty(Refusal()) as proxy:
        models = b'{"object": "list", "data": []}'
        proxy.upstream.always(ok(models))
        assert (await proxy.ask(request("GET", "/v1/models"))).body == models
        proxy.upstream.always(ok(b"\xff\xfb" * 10, content_type="audio/mpeg"))
        assert (await proxy.ask(chat())).body == b"\xff\xfb" * 10
        assert [record["fault"] for record in proxy.records] == ["", ""]


async def test_edits_add_up_with_other_damage() -> None:
    async with faulty(LengthStop(), Refusal(text="No."), provider="bedrock") as proxy:
        proxy.upstream.always(ok(b"".join(CONVERSE), content_type=DIALECTS["converse"][1]))
        got = await proxy.ask(asking("converse"))
        assert got.body != b"".join(CONVERSE)
        assert sorted((await proxy.record())["fault"].split(",")) == ["length_stop", "refusal"]


def test_each_edit_has_a_fault_of_its_own() -> None:
    faults = [*EDITS, InvalidToolArguments()]
    assert all(one.edit is not other.edit for one, other in itertools.combinations(faults, 2))
