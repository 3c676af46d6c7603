"""Reads requests for images: what they ask, or why OpenAI refuses them.

Source: openai-python 3.54.0 `types/image_generate_params.py` and `types/image_edit_params.py`, and refusals quoted in
public issue reports, read November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.emulated.dialects import openai_checks as checks
from providers.emulated.dialects.openai_errors import Invalid, Shape, missing, unsupported_value
from providers.emulated.dialects.openai_forms import Form

_USUAL_MODEL = "gpt-image-1.5"
_SIZES = {
    "dall-e-2": ("256x256", "512x512", "1024x1024"),
    "dall-e-3": ("1024x1024", "1024x1792", "1792x1024"),
}
_GPT_SIZES = ("1024x1024", "1024x1536", "1536x1024", "auto")
_ANY_SIZE = re.compile(r"([1-9]\d{1,3})x([1-9]\d{1,3})")
_MOST_SIDE = 3840
_SMALL_PROMPT = {"dall-e-2": 1000, "dall-e-3": 4000}


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """A request that is in order. `given`: how many images came with it. `is_gpt`: not one of the DALL-E models."""

    model: str
    prompt: str
    count: int
    width: int
    height: int
    size: str
    form: str
    quality: str
    background: str
    is_base64: bool
    is_streaming: bool
    partial_images: int
    given: int
    is_gpt: bool


_SHARED: Mapping[str, checks.Check] = {
    "model": checks.text,
    "n": checks.integer(1, 10),
    "prompt": checks.text,
    "size": checks.text,
    "user": checks.text,
}
_OLD: Mapping[str, checks.Check] = {
    **_SHARED,
    "quality": checks.one_of("standard", "hd", "auto"),
    "response_format": checks.one_of("url", "b64_json"),
    "style": checks.one_of("vivid", "natural"),
}
_GPT: Mapping[str, checks.Check] = {
    **_SHARED,
    "background": checks.one_of("transparent", "opaque", "auto"),
    "complexity": checks.one_of("low", "medium", "high"),
    "frame_count": checks.integer(2, 16),
    "frame_duration_ms": checks.integer(1),
    "moderation": checks.one_of("low", "auto"),
    "output_compression": checks.integer(0, 100),
    "output_format": checks.one_of("png", "webp", "jpeg", "gif", "svg"),
    "partial_images": checks.integer(0, 3),
    "quality": checks.one_of("low", "medium", "high", "xhigh", "max", "auto"),
    "safety_identifier": checks.text,
    "stream": checks.boolean,
    "svg": checks.mapping,
}
_OF_EDITS: Mapping[str, checks.Check] = {
    "images": checks.array("an array of objects", checks.mapping, minimum=1, maximum=16),
    "input_fidelity": checks.one_of("high", "low"),
    "mask": checks.mapping,
    "markup": checks.mapping,
}
_INTEGERS = ("frame_count", "frame_duration_ms", "n", "output_compression", "partial_images")


def read_image_request(
    operation: str, body: Mapping[str, Any], form: Form | None, shape: Shape, path_model: str | None
) -> ImageRequest:
    """`form`: the multipart body that `body` are the fields of. Raises Invalid."""
    if form is not None:
        body = _typed(body)
    named = body.get("model")
    if named is not None:
        checks.text(named, "model")
    model = str(path_model or named or ("dall-e-2" if operation == "images.variations" else _USUAL_MODEL))
    # On Azure a deployment's name need not tell; only older models give URLs.
    is_old = model.startswith("dall-e") or (shape.filters_content and body.get("response_format") is not None)
    is_gpt = not is_old
    table = {**(_GPT if is_gpt else _OLD), **(_OF_EDITS if operation == "images.edits" else {})}
    if operation != "images.variations" and body.get("prompt") is None:
        raise missing("prompt")
    given = _given(operation, body, form)
    checks.check_members(body, table, is_lenient=shape.is_lenient)
    prompt = str(body.get("prompt") or "")
    checks.check_text_length(prompt, "prompt", _SMALL_PROMPT.get(model, 32_000))
    count = body.get("n") or 1
    if model == "dall-e-3" and count != 1:
        raise Invalid("You must provide n=1 for this model.", "n", "invalid_n")
    size, width, height = _read_size(body.get("size"), model, is_gpt=is_gpt)
    kind = str(body.get("output_format") or "png")
    background = str(body.get("background") or "auto")
    if background == "transparent" and kind not in ("png", "webp", "svg"):
        raise Invalid(f"Transparent background is not supported for {kind} output.", "background", "invalid_value")
    is_streaming = body.get("stream") is True
    partial_images = body.get("partial_images") or 0
    if partial_images and not is_streaming:
        raise Invalid("The 'partial_images' parameter is only allowed when 'stream' is enabled.", "partial_images")
    quality = body.get("quality") or "auto"
    return ImageRequest(
        model=model,
        prompt=prompt,
        count=count,
        width=width,
        height=height,
        size=size,
        form=kind,
        quality="medium" if quality not in ("low", "medium", "high", "xhigh", "max") else quality,
        background=background,
        is_base64=body.get("response_format") == "b64_json",
        is_streaming=is_streaming,
        partial_images=partial_images,
        given=given,
        is_gpt=is_gpt,
    )


def _typed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A form's fields as the JSON values they stand for."""
    found: dict[str, Any] = dict(fields)
    for name in _INTEGERS:
        value = found.get(name)
        if isinstance(value, str) and value.isascii() and value.lstrip("-").isdigit() and len(value) < 18:
            found[name] = int(value)
    stream = found.get("stream")
    if isinstance(stream, str) and stream.lower() in ("true", "false"):
        found["stream"] = stream.lower() == "true"
    return found


def _given(operation: str, body: Mapping[str, Any], form: Form | None) -> int:
    """How many images came with the request."""
    if operation == "images.generations":
        return 0
    if form is None:
        images = body.get("images")
        if images is None:
            raise missing("images")
        return len(images) if isinstance(images, list) else 0
    files = form.files.get("image")
    if not files:
        raise missing("image")
    if any(not file.content for file in files):
        raise Invalid("Invalid image: the file is empty.", "image", "invalid_image_file")
    checks.check_length(list(files), "image", 1, 16)
    return len(files)


def _read_size(value: Any, model: str, *, is_gpt: bool) -> tuple[str, int, int]:
    """The size by name, its width and its height."""
    size = "1024x1024" if value in (None, "auto") and (is_gpt or value is None) else str(value)
    found = _ANY_SIZE.fullmatch(size)
    if not is_gpt:
        supported = _SIZES.get(model, _SIZES["dall-e-2"])
        if size not in supported:
            raise unsupported_value("size", value, supported)
    elif model.startswith(("gpt-image-1", "chatgpt-image")):
        if size not in _GPT_SIZES:
            raise unsupported_value("size", value, _GPT_SIZES)
    elif found is None or max(int(found[1]), int(found[2])) > _MOST_SIDE:
        raise unsupported_value("size", value, _GPT_SIZES)
    assert found is not None
    return size, int(found[1]), int(found[2])
