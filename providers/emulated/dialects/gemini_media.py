"""Pictures and speech as parts of a candidate."""

from __future__ import annotations

import base64
from typing import Any

from providers.emulated import media
from providers.emulated.answer import Answer
from providers.emulated.dialects.gemini_question import Asked

# Source: "Aspect ratios" of ai.google.dev/gemini-api/docs/image-generation, read November 2026.
_SIZES = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}


def size_of(aspect_ratio: Any) -> tuple[int, int]:
    """Width and height in pixels; a square one for a ratio that Google does not have."""
    return _SIZES.get(aspect_ratio, (1024, 1024)) if isinstance(aspect_ratio, str) else (1024, 1024)


def media_part(asked: Asked, answer: Answer) -> list[dict[str, Any]]:
    """The part that `responseModalities` asks for beside text: one picture, or the text read aloud; else none."""
    if "IMAGE" in asked.modalities:
        width, height = size_of(asked.image.get("aspectRatio", asked.image.get("aspect_ratio")))
        data = media.png(answer.digest, width, height)
        kind = "image/png"
    elif "AUDIO" in asked.modalities:
        data, _ = media.speech("pcm", answer.text)
        kind = "audio/L16;codec=pcm;rate=24000"
    else:
        return []
    return [{"inlineData": {"mimeType": kind, "data": base64.b64encode(data).decode()}}]
