"""Images in OpenAI's dialect: generations, edits and variations, unary and streamed.

Source: openai-python 3.54.0 `types/image_generate_params.py`, `types/images_response.py` and
`types/image_gen_stream_event.py`, and platform.openai.com/docs/guides/image-generation, read November 2026.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from providers.emulated import tokens
from providers.emulated.answer import created_at
from providers.emulated.base import EmulatedReply, EmulatedRequest, Frame
from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_errors import Shape, digest, dump, intercept, stream_reply
from providers.emulated.dialects.openai_forms import Form, read_form, read_form_or_object
from providers.emulated.dialects.openai_image_request import ImageRequest, read_image_request
from providers.emulated.dialects.openai_pictures import picture
from providers.wire.sse import encode

# Quality -> tokens of a square, an upright and a wide image.
_TOKENS = {
    "low": (272, 408, 400),
    "medium": (1056, 1584, 1568),
    "high": (4160, 6240, 6208),
    "xhigh": (8320, 12480, 12416),
    "max": (16640, 24960, 24832),
}
_TOKENS_PER_GIVEN_IMAGE = 323


@dataclass(frozen=True, slots=True)
class _Made:
    """Pictures, and what is told of them."""

    pictures: list[str]
    usage: dict[str, Any]
    created: int


def answer_images(request: EmulatedRequest, desk: Desk, *, shape: Shape, model: str | None = None) -> EmulatedReply:
    """`images.generations`, `.edits`, `.variations`. `model`: the one the path names, if it does. Raises Invalid,
    Refused, CannedFailure."""
    assert request.call.operation is not None
    operation = request.call.operation.name
    form: Form | None
    body: Mapping[str, Any]
    if operation == "images.variations":
        form = read_form(request)
        body = form.fields
    else:
        body, form = read_form_or_object(request)
    asked = read_image_request(operation, body, form, shape, model)
    shape.check_model(desk, asked.model)
    is_repeatable = intercept(desk, operation, asked.model, request, asked.prompt)
    seed = digest(body, operation) if form is None else form.digest
    made = _make(asked, seed)
    if asked.is_streaming:
        frames = _frames(operation, asked, made, seed)
        return stream_reply(shape, request, frames, made.usage["total_tokens"], is_repeatable=is_repeatable)
    reply: dict[str, Any] = {"created": made.created}
    if asked.is_gpt:
        reply["background"] = "transparent" if asked.background == "transparent" else "opaque"
        reply["data"] = [{"b64_json": data} for data in made.pictures]
        reply |= {"output_format": asked.form, "quality": asked.quality, "size": asked.size, "usage": made.usage}
    else:
        member, start = ("b64_json", "") if asked.is_base64 else ("url", "data:image/png;base64,")
        reply["data"] = [{member: start + data} for data in made.pictures]
        if asked.model == "dall-e-3":
            for entry in reply["data"]:
                entry["revised_prompt"] = asked.prompt
    headers = shape.headers(request, made.usage["total_tokens"])
    return EmulatedReply(200, headers, dump(reply), tokens=made.usage["output_tokens"], is_repeatable=is_repeatable)


def _make(asked: ImageRequest, seed: bytes) -> _Made:
    # A URL of the genuine service leads to a file that is there for an hour. Nobody keeps one here, so the image is in
    # the URL itself: any browser opens it.
    pictures = [_encoded(asked, seed, number) for number in range(asked.count)]
    side = 0 if asked.width == asked.height else 1 if asked.width < asked.height else 2
    output = _TOKENS[asked.quality][side] * asked.count if asked.is_gpt else 0
    text = tokens.count(asked.prompt)
    given = _TOKENS_PER_GIVEN_IMAGE * asked.given
    usage = {
        "input_tokens": text + given,
        "input_tokens_details": {"image_tokens": given, "text_tokens": text},
        "output_tokens": output,
        "output_tokens_details": {"image_tokens": output, "text_tokens": 0},
        "total_tokens": text + given + output,
    }
    return _Made(pictures, usage, created_at(seed))


def _encoded(asked: ImageRequest, seed: bytes, number: int) -> str:
    own = hashlib.sha256(seed + bytes([number])).digest()
    return base64.b64encode(picture(asked.form, own, asked.width, asked.height)).decode()


def _frames(operation: str, asked: ImageRequest, made: _Made, seed: bytes) -> list[Frame]:
    kind = "image_generation" if operation == "images.generations" else "image_edit"
    told: dict[str, Any] = {
        "background": "transparent" if asked.background == "transparent" else "opaque",
        "created_at": made.created,
        "output_format": asked.form,
        "quality": asked.quality,
        "size": asked.size,
    }
    frames = []
    for number in range(asked.partial_images):
        event = {
            "type": f"{kind}.partial_image",
            "partial_image_index": number,
            "b64_json": _encoded(asked, seed, 255 - number),
            **told,
        }
        frames.append(Frame(encode(orjson.dumps(event), f"{kind}.partial_image")))
    usage = {name: value for name, value in made.usage.items() if name != "output_tokens_details"}
    for data in made.pictures:
        event = {"type": f"{kind}.completed", "b64_json": data, **told, "usage": usage}
        frames.append(Frame(encode(orjson.dumps(event), f"{kind}.completed"), made.usage["output_tokens"]))
    return frames
