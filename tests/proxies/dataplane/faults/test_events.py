"""Bodies are cut into whole events and nothing of them is lost, however they arrive."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable

import pytest

from providers.wire.event_stream import build_event
from proxies.dataplane.errors import ErrorKind, UpstreamError
from proxies.dataplane.faults.events import MOST_EVENT_BYTES, Framing, framing, is_event, whole_events

FRAMES = [build_event("contentBlockDelta", b'{"delta":{"text":"%d"}}' % number) for number in range(3)]
STREAMS: dict[str, tuple[Framing, list[bytes]]] = {
    "LF": (Framing.SSE, [b"data: 1\n\n", b": ping\n\n", b"event: x\ndata: 2\ndata: 3\n\n", b"data: [DONE]\n\n"]),
    "CRLF": (Framing.SSE, [b"data: 1\r\n\r\n", b"data: 2\r\ndata: 3\r\n\r\n", b": c\r\n\r\n"]),
    "CR": (Framing.SSE, [b"data: 1\r\r", b"id: 4\rdata: 2\r\r"]),
    "mixed": (Framing.SSE, [b"data: 1\n\r\n", b"data: 2\r\n\n", b"data: 3\n\r", b"data: 4\n\n"]),
    "unfinished": (Framing.SSE, [b"data: 1\n\n", b"data: 2"]),
    "AWS": (Framing.AWS, FRAMES),
    "AWS, unfinished": (Framing.AWS, [FRAMES[0], FRAMES[1][:-3]]),
    "array": (
        Framing.JSON_ARRAY,
        [b'[{"a": [1, {"b": "}]\\""}]}', b',\r\n{"c": "\\\\"}', b' , {"d": {}}', b"\n]"],
    ),
    "empty array": (Framing.JSON_ARRAY, [b"[]"]),
}


async def flow(chunks: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        yield chunk


async def split(chunks: Iterable[bytes], kind: Framing) -> list[bytes]:
    return [event async for event in whole_events(flow(chunks), kind)]


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_is_the_same_events_wherever_it_was_cut(name: str) -> None:
    kind, events = STREAMS[name]
    body = b"".join(events)
    assert await split([body], kind) == events
    assert [event async for event in whole_events(body, kind)] == events
    for cut in range(1, len(body)):
        assert await split([body[:cut], body[cut:]], kind) == events
    assert await split([body[at : at + 1] for at in range(len(body))], kind) == events


async def test_a_line_feed_that_comes_late_stands_before_the_next_event() -> None:
    assert await split([b"data: 1\r\r", b"\ndata: 2\n\n"], Framing.SSE) == [b"data: 1\r\r", b"\ndata: 2\n\n"]


async def test_an_event_is_passed_on_as_soon_as_it_is_whole() -> None:
    fed: list[bytes] = []

    async def watched() -> AsyncGenerator[bytes, None]:
        for chunk in (b"data: 1\n", b"\ndata: 2\n\nda", b"ta: 3\n\n"):
            fed.append(chunk)
            yield chunk

    events = whole_events(watched(), Framing.SSE)
    assert await anext(events) == b"data: 1\n\n"
    assert len(fed) == 2
    assert await anext(events) == b"data: 2\n\n"
    assert len(fed) == 2
    await events.aclose()


async def test_what_has_no_events_passes_in_the_pieces_it_came_in() -> None:
    chunks = [b"ID3", b"\n\n\n\n", b"\xff"]
    assert await split(chunks, Framing.CHUNKS) == chunks


@pytest.mark.parametrize("kind", list(Framing))
async def test_a_body_of_any_length_is_passed_on_whole(kind: Framing) -> None:
    _, events = STREAMS["array"] if kind is Framing.JSON_ARRAY else STREAMS["AWS" if kind is Framing.AWS else "LF"]
    body = b"".join(events[:3]) * (1 if kind is Framing.JSON_ARRAY else 5000)
    assert b"".join([event async for event in whole_events(body, kind)]) == body
    assert [event async for event in whole_events(b"", kind)] == []


async def test_what_is_no_event_stream_passes_as_it_comes() -> None:
    chunks = [FRAMES[0], b"<html>no frames here</html>", b"data: 1\n\n"]
    assert await split(chunks, Framing.AWS) == chunks
    damaged = FRAMES[1][:-1] + bytes([FRAMES[1][-1] ^ 1])
    assert b"".join(await split([FRAMES[0] + damaged, FRAMES[2]], Framing.AWS)) == FRAMES[0] + damaged + FRAMES[2]


async def test_what_is_no_array_passes_as_it_comes() -> None:
    chunks = [b" ", b'{"error":', b'{"code": 400}}']
    assert await split(chunks, Framing.JSON_ARRAY) == [b' {"error":', b'{"code": 400}}']


@pytest.mark.parametrize("kind", [Framing.SSE, Framing.JSON_ARRAY])
async def test_an_event_without_end_is_not_held(kind: Framing) -> None:
    start = b"data: " if kind is Framing.SSE else b'[{"text": "'
    chunk = b"x" * 65536
    count = MOST_EVENT_BYTES // len(chunk)
    events = await split([start, *[chunk] * (count + 3), b"\n\n"], kind)
    assert [len(event) for event in events] == [len(start) + len(chunk) * count, 65536, 65536, 65536, 2]


async def test_a_frame_without_end_is_not_held() -> None:
    frame = build_event("chunk", b"x" * (MOST_EVENT_BYTES + 200_000))
    parts = [frame[at : at + 65536] for at in range(0, len(frame), 65536)]
    events = await split(parts, Framing.AWS)
    assert b"".join(events) == frame
    assert len(events) > 2


async def test_what_had_come_of_an_event_precedes_the_error_that_ended_it() -> None:
    async def dying() -> AsyncGenerator[bytes, None]:
        yield b"data: 1\n\ndata: 2"
        raise UpstreamError(ErrorKind.UPSTREAM_CUT, "cut", is_retryable=False)

    events = whole_events(dying(), Framing.SSE)
    assert [await anext(events), await anext(events)] == [b"data: 1\n\n", b"data: 2"]
    with pytest.raises(UpstreamError):
        await anext(events)


@pytest.mark.parametrize(
    ("content_type", "is_streaming", "kind"),
    [
        (b"text/event-stream; charset=utf-8", False, Framing.SSE),
        (b"application/vnd.amazon.eventstream", False, Framing.AWS),
        (b"application/json; charset=UTF-8", True, Framing.JSON_ARRAY),
        (b"application/json", False, None),
        (b"audio/mpeg", True, Framing.CHUNKS),
        (b"", False, None),
    ],
)
def test_the_framing_follows_the_content_type(content_type: bytes, is_streaming: bool, kind: Framing | None) -> None:
    assert framing(content_type, is_streaming=is_streaming) is kind


@pytest.mark.parametrize(
    ("piece", "kind", "counts"),
    [
        (b"data: 1\n\n", Framing.SSE, True),
        (b"event: ping\r\ndata: {}\r\n\r\n", Framing.SSE, True),
        (b"\ndata\n\n", Framing.SSE, True),
        (b": data\n\n", Framing.SSE, False),
        (b"retry: 3\n\n", Framing.SSE, False),
        (b"\n\n", Framing.SSE, False),
        (b'[{"a": 1}', Framing.JSON_ARRAY, True),
        (b"\r\n]", Framing.JSON_ARRAY, False),
        (b"[]", Framing.JSON_ARRAY, False),
        (FRAMES[0], Framing.AWS, True),
    ],
)
def test_comments_and_brackets_are_no_events(piece: bytes, kind: Framing, counts: bool) -> None:
    assert is_event(piece, kind) is counts
