from __future__ import annotations

from base64 import b64encode

import orjson
import pytest

from providers.emulated.dialects.bedrock_frames import PADDINGS, Framer, chunk
from providers.wire.event_stream import FrameSplitter, build_event


@pytest.mark.parametrize("size", [0, 1, 50, 1023, 1024, 70_000])
def test_a_frame_is_the_one_that_is_built_step_by_step(size: int) -> None:
    framer = Framer("contentBlockDelta")
    payload = b"x" * size
    assert framer.frame(payload) == framer.frame(payload) == build_event("contentBlockDelta", payload)


def test_a_chunk_wraps_a_model_s_own_event() -> None:
    frame = chunk(b'{"generation":"Hi"}', PADDINGS[5])
    (whole,) = FrameSplitter().feed(frame)
    payload = orjson.dumps({"bytes": b64encode(b'{"generation":"Hi"}').decode(), "p": "abcdef"})
    assert whole == build_event("chunk", payload)


def test_every_byte_has_a_padding() -> None:
    assert len(PADDINGS) == 256
    assert all(padding.isalnum() for padding in PADDINGS)
