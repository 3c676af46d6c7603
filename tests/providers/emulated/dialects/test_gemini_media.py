from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

from providers.emulated.dialects.gemini_media import size_of
from tests.providers.emulated.google_asking import generate, says


@pytest.mark.parametrize(
    ("ratio", "size"),
    [("1:1", (1024, 1024)), ("21:9", (1536, 672)), ("7:1", (1024, 1024)), (None, (1024, 1024)), ([], (1024, 1024))],
)
def test_a_ratio_has_a_size(ratio: Any, size: tuple[int, int]) -> None:
    assert size_of(ratio) == size


def parts(config: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = generate(says("A duck.", generationConfig=config))["candidates"][0]["content"][
        "parts"
    ]
    return found


def test_a_picture_alone_comes_without_text() -> None:
    (part,) = parts({"responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": "16:9"}})
    data = base64.b64decode(part["inlineData"]["data"])
    assert part["inlineData"]["mimeType"] == "image/png"
    assert data.startswith(b"\x89PNG")
    assert struct.unpack(">II", data[16:24]) == (1344, 768)


def test_a_picture_beside_text_comes_after_it() -> None:
    first, second = parts({"responseModalities": ["TEXT", "IMAGE"]})
    assert "text" in first
    assert "inlineData" in second


def test_speech_is_raw_samples() -> None:
    (part,) = parts({"responseModalities": ["AUDIO"], "speechConfig": {"voiceConfig": {}}})
    assert part["inlineData"]["mimeType"] == "audio/L16;codec=pcm;rate=24000"
    data = base64.b64decode(part["inlineData"]["data"])
    assert len(data) > 2
    assert len(data) % 2 == 0
