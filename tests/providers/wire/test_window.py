"""The bounded window on a byte stream."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from providers.wire import window
from providers.wire.window import Window


def fed(data: bytes, size: int) -> Window:
    held = Window()
    for start in range(0, len(data), size):
        held.feed(data[start : start + size])
    return held


def test_a_short_stream_is_held_whole() -> None:
    held = fed(b"abc" * 1000, 7)
    assert held.tail() == held.head() == b"abc" * 1000
    assert not held.has_gap
    assert held.mark() == b""


def test_an_empty_stream_is_empty() -> None:
    assert (Window().head(), Window().tail(), Window().has_gap) == (b"", b"", False)


def test_a_long_stream_keeps_its_beginning_and_its_end_in_bounded_memory() -> None:
    data = b"".join(b"%09d\n" % n for n in range(1_000_000))
    held = fed(data, 4096)
    assert held.has_gap
    assert held.head() == data[: window.HEAD_BYTES]
    assert data.endswith(held.tail())
    assert window.TAIL_BYTES - 2 <= len(held.tail()) <= 5 * window.TAIL_BYTES


def test_one_giant_chunk_is_cut_down_at_once() -> None:
    held = fed(b"x" * 5_000_000, 5_000_000)
    assert len(held.tail()) == window.TAIL_BYTES


@given(
    blocks=st.lists(
        st.binary(min_size=1, max_size=30).map(lambda b: b.replace(b"\n", b"-").replace(b"\r", b"-")), max_size=20
    ),
    separator=st.sampled_from([b"\n\n", b"\r\n\r\n"]),
    size=st.integers(1, 40),
)
def test_the_mark_is_how_the_block_open_at_the_start_of_the_tail_began(
    blocks: list[bytes], separator: bytes, size: int
) -> None:
    data = separator.join(blocks)
    with patch.multiple(window, HEAD_BYTES=8, TAIL_BYTES=16, MARK_BYTES=6, _MOST_BYTES=40):
        held = fed(data, size)
        tail, mark = held.tail(), held.mark()
    assert data.endswith(tail)
    if held.has_gap:
        assert held.head() == data[:8]
        cut = len(data) - len(tail)
        start = data.rfind(separator, 0, cut)
        block = data[start + len(separator) if start >= 0 else 0 :]
        assert block.startswith(mark)
        assert len(mark) == min(6, len(block))
