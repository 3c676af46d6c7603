"""Server-sent events: frames out of bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import Usage
from providers.wire import sse
from providers.wire.sse import Event, SseReader

STREAM = b': ping\n\nevent: a\ndata: {"x":1}\n\ndata:1\ndata: 2\nid: 7\n\nevent: silent\n\ndata: [DONE]\n\n'
EVENTS = [Event("a", b'{"x":1}'), Event("", b"1\n2"), Event("", b"[DONE]")]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_frames_are_read_with_any_line_end(line_end: bytes) -> None:
    assert list(sse.events(STREAM.replace(b"\n", line_end))) == EVENTS


def test_frames_are_read_backwards_too() -> None:
    assert list(sse.last_events(STREAM)) == EVENTS[::-1]


@given(st.binary(max_size=200) | st.text("dataevn: \n\r{}", max_size=200).map(str.encode))
def test_both_directions_see_the_same_frames_in_any_bytes(data: bytes) -> None:
    assert list(sse.last_events(data)) == list(sse.events(data))[::-1]


def test_an_encoded_frame_is_read_back() -> None:
    assert list(sse.events(sse.encode(b"{}", "ping") + sse.encode(b"[DONE]"))) == [
        Event("ping", b"{}"),
        Event("", b"[DONE]"),
    ]


@pytest.mark.parametrize(
    "frame",
    [
        b'event: error\ndata: {"message":"x"}\n\n',
        b"event: error\ndata: overloaded\n\n",
        b'data: {"error":{"message":"boom"}}\n\n',
        b'data: {"error" : "boom"}\n\n',
        b'data: {"type":"error","code":"x"}\n\n',
    ],
)
def test_an_error_frame_is_seen(frame: bytes) -> None:
    assert sse.carries_error(b"data: {}\n\n" + frame + b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"error":null}\n\n',
        b'data: {"delta":"\\"error\\": {\\"type\\": \\"error\\"}"}\n\n',
        b'data: {"response":{"output":[{"error":{"message":"a tool failed"}}]}}\n\n',
        b'data: {"errors":[]}\n\n',
    ],
)
def test_talk_about_errors_is_not_an_error(frame: bytes) -> None:
    assert not sse.carries_error(frame)


class LastEvents(SseReader):
    """Remembers what `last` and `first` showed."""

    def read(self) -> tuple[Usage, bool]:
        self.seen = list(self.last())
        self.opening = next(self.first(), None)
        return Usage(), True


def read(data: bytes, size: int) -> LastEvents:
    reader = LastEvents()
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    reader.finish()
    return reader


def test_a_frame_longer_than_the_window_is_partial_and_keeps_its_name() -> None:
    giant = b'event: big\ndata: {"a":"' + b"x" * 3_000_000 + b'","usage":{"n":1}}\n\n'
    reader = read(b"event: start\ndata: {}\n\n" + giant, 65_536)
    [event] = reader.seen
    assert event.is_partial
    assert event.name == "big"
    assert event.object("usage", "absent") == {"usage": {"n": 1}}
    assert reader.opening == Event("start", b"{}")
    assert reader.opened().startswith(b'event: big\ndata: {"a":"xxx')


def test_frames_after_a_giant_one_are_whole() -> None:
    giant = b'data: {"a":"' + b"x" * 3_000_000 + b'"}\n\n'
    reader = read(giant + b"data: 1\n\ndata: [DONE]\n\n", 100_000)
    assert reader.seen[:2] == [Event("", b"[DONE]"), Event("", b"1")]
    assert reader.seen[2].is_partial


def test_an_error_frame_makes_a_stream_not_whole() -> None:
    reader = read(b'data: {"error":{"message":"boom"}}\n\ndata: [DONE]\n\n', 10)
    assert not reader.is_whole
    assert read(b"data: [DONE]\n\n", 10).is_whole
