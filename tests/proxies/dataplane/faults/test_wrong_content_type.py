"""Replies that claim to be something else, or are."""

from __future__ import annotations

import pytest

from proxies.dataplane.faults.rules import FaultConfig
from proxies.dataplane.faults.wrong_content_type import PAGE, WrongContentType
from tests.proxies.dataplane.faults.faulty import ask_http2, faulty
from tests.proxies.dataplane.proxying import DONE, LAST_CHUNK, SSE_HEAD, UVLOOP, chat, chunked, completion, event, ok

LOOP_FACTORIES = UVLOOP
HTML = b"text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("fault", "content_type"),
    [(WrongContentType(), HTML), (WrongContentType(content_type="text/plain"), b"text/plain")],
    ids=["html", "plain"],
)
async def test_the_genuine_body_comes_under_another_type(fault: WrongContentType, content_type: bytes) -> None:
    async with faulty(fault) as proxy:
        proxy.upstream.always(ok(completion()))
        got = await proxy.ask(chat())
        assert (got.status, got.values(b"content-type"), got.body) == (200, [content_type], completion())
        record = await proxy.record()
        assert (record["outcome"], record["fault"]) == ("fault", "wrong_content_type")


async def test_the_body_may_be_a_page_as_well() -> None:
    async with faulty(WrongContentType(html=True)) as proxy:
        proxy.upstream.always(ok(completion()))
        got = await proxy.ask(chat())
        assert (got.status, got.values(b"content-type"), got.body) == (200, [HTML], PAGE)
        assert got.values(b"content-length") == [str(len(PAGE)).encode()]


async def test_a_stream_under_another_type_is_passed_on_event_by_event() -> None:
    async with faulty(WrongContentType()) as proxy:
        client = await proxy.send(chat(stream=True))
        asked = await proxy.upstream.next()
        await asked.answer(SSE_HEAD + chunked(event(1)))
        assert (await client.head()).values(b"content-type") == [HTML]
        assert await client.chunk() == event(1)
        await asked.answer(chunked(DONE) + LAST_CHUNK)
        assert [await client.chunk(), await client.chunk()] == [DONE, b""]


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("streams", [False, True])
async def test_the_genuine_reply_is_recorded(html: bool, streams: bool) -> None:
    async with faulty(WrongContentType(html=html)) as proxy:
        genuine = SSE_HEAD + chunked(event(1)) + chunked(DONE) + LAST_CHUNK if streams else ok(completion())
        proxy.upstream.always(genuine)
        faulted = await proxy.ask(chat(stream=streams))
        assert (faulted.value(b"content-type"), faulted.body == PAGE) == (HTML, html)
        proxy.swap(faults=FaultConfig())
        got = await proxy.ask(chat(stream=streams))
        assert (got.cache, got.body) == (b"hit", event(1) + DONE if streams else completion())
        assert got.value(b"content-type") == (b"text/event-stream" if streams else b"application/json")


async def test_over_http2_it_is_the_same() -> None:
    async with faulty(WrongContentType(html=True)) as proxy:
        proxy.upstream.always(ok(completion()))
        for seen in await ask_http2(proxy, b'{"model": "m", "messages": []}'):
            assert seen.head is not None
            assert (seen.head["content-type"], seen.body, seen.is_ended) == (HTML.decode(), PAGE, True)


@pytest.mark.parametrize("value", ["", " text/html", "text/html\r\nset-cookie: a=b", "text/html\n", "tëxt"])
def test_no_type_smuggles_in_another_header(value: str) -> None:
    complaint = "content_type: use printable ASCII characters, such as text/plain"
    assert WrongContentType(content_type=value).check() == complaint


def test_usual_types_are_taken() -> None:
    types = ("text/html", "application/json; charset=utf-8", "x")
    assert [WrongContentType(content_type=value).check() for value in types] == [None, None, None]
