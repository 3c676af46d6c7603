"""What all faults of streams do alike: they close what they take over, on every way out and over every protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import h2.errors
import pytest

from proxies.dataplane.faults.cut import CutStream
from proxies.dataplane.faults.stream import MadeBody
from tests.proxies.dataplane.faults.faulty import ask_http2, broken, faulty
from tests.proxies.dataplane.proxying import DONE, LAST_CHUNK, SSE_HEAD, UVLOOP, chat, chunked, event

LOOP_FACTORIES = UVLOOP


class Source:
    """A body that tells when it is closed; opened as the data plane opens its bodies."""

    def __init__(self) -> None:
        self.is_closed = False

    async def opened(self) -> AsyncGenerator[bytes, None]:
        body = self._run()
        await anext(body)
        return body

    async def _run(self) -> AsyncGenerator[bytes, None]:
        try:
            yield b""
            yield b"1"
            yield b"2"
        finally:
            self.is_closed = True


async def passing(body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async for chunk in body:
        yield chunk


async def failing() -> AsyncGenerator[bytes, None]:
    try:
        yield b"1"
    finally:
        raise RuntimeError("closing failed")


async def test_a_body_nobody_has_read_of_closes_what_it_is_made_of() -> None:
    source = Source()
    body = await source.opened()
    await MadeBody(passing(body), b"whole", body).aclose()
    assert source.is_closed


async def test_a_body_half_read_closes_what_it_is_made_of() -> None:
    source = Source()
    body = await source.opened()
    made = MadeBody(passing(body), body)
    assert [await anext(made), await made.asend(None)] == [b"1", b"2"]
    await made.aclose()
    assert source.is_closed


async def test_what_fails_to_close_keeps_nothing_else_open() -> None:
    source = Source()
    body = await source.opened()
    made = MadeBody(failing(), body)
    await anext(made)
    with pytest.raises(RuntimeError, match="closing failed"):
        await made.aclose()
    assert source.is_closed


async def test_an_error_thrown_into_a_body_reaches_what_makes_it() -> None:
    source = Source()
    body = await source.opened()
    made = MadeBody(passing(body), body)
    await anext(made)
    with pytest.raises(KeyError):
        await made.athrow(KeyError("k"))
    await made.aclose()
    assert source.is_closed


async def test_over_http2_a_cut_stream_is_reset_and_the_connection_lives_on() -> None:
    async with faulty(CutStream(events=1)) as proxy:
        proxy.upstream.always(SSE_HEAD + chunked(event(1)) + chunked(DONE) + LAST_CHUNK)
        streams = await ask_http2(proxy, b'{"model": "m", "messages": [], "stream": true}')
        assert [(stream.body, stream.reset) for stream in streams] == [
            (event(1), h2.errors.ErrorCodes.INTERNAL_ERROR)
        ] * 2


@pytest.mark.parametrize("is_reset", [False, True])
async def test_what_was_sent_before_a_cut_arrives(is_reset: bool) -> None:
    async with faulty(CutStream(events=3, reset=is_reset)) as proxy:
        events = [event(number, filler="x" * 50_000) for number in range(5)]
        proxy.upstream.always(SSE_HEAD + b"".join(map(chunked, events)) + LAST_CHUNK)
        end = await broken(await proxy.send(chat(stream=True)))
        assert end.body == b"".join(map(chunked, events[:3]))
        assert end.is_reset is is_reset
