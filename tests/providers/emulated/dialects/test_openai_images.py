from __future__ import annotations

import base64
import struct
from typing import Any

import pytest
from openai.types import ImageEditStreamEvent, ImageGenStreamEvent, ImagesResponse

from tests.providers.emulated.asking import Asker, header
from tests.providers.emulated.openai_asking import ask_form, events, refused, typed, validated

GENERATE = "/v1/images/generations"
EDIT = "/v1/images/edits"
STARTS = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF", "gif": b"GIF89a", "svg": b"<svg "}


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def generate(asker: Asker, **members: Any) -> ImagesResponse:
    body = {"model": "gpt-image-1.5", "prompt": "A duck", **members}
    return typed(ImagesResponse, asker.send("POST", GENERATE, body))


def decoded(made: ImagesResponse, number: int = 0) -> bytes:
    assert made.data
    return base64.b64decode(made.data[number].b64_json or "")


@pytest.mark.parametrize("size", ["1024x1024", "1536x1024", "1024x1536"])
def test_a_png_of_the_size_asked_for_comes_in_base64(asker: Asker, size: str) -> None:
    made = generate(asker, size=size)
    image = decoded(made)
    width, height = struct.unpack(">II", image[16:24])
    assert image.startswith(STARTS["png"])
    assert f"{width}x{height}" == made.size == size
    assert (made.output_format, made.background, made.quality) == ("png", "opaque", "medium")
    assert made.usage is not None
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
    assert made.usage.input_tokens_details.text_tokens == made.usage.input_tokens


@pytest.mark.parametrize("form", STARTS)
def test_every_format_is_made(asker: Asker, form: str) -> None:
    made = generate(asker, output_format=form)
    assert decoded(made).startswith(STARTS[form])
    assert made.output_format == form


def test_several_images_differ_and_cost_each(asker: Asker) -> None:
    one, made = generate(asker), generate(asker, n=3, model="gpt-image-2")
    assert len({decoded(made, number) for number in range(3)}) == 3
    assert one.usage is not None
    assert made.usage is not None
    assert made.usage.output_tokens == 3 * one.usage.output_tokens
    assert decoded(generate(asker)) == decoded(generate(asker))
    assert generate(asker, model="gpt-image-2", size="1536x864").size == "1536x864"


def test_older_models_give_a_url_that_opens_or_base64(asker: Asker) -> None:
    made = generate(asker, model="dall-e-3")
    assert made.data
    assert made.data[0].revised_prompt == "A duck"
    kind, _, data = (made.data[0].url or "").partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data).startswith(STARTS["png"])
    assert decoded(generate(asker, model="dall-e-2", response_format="b64_json", size="256x256")).startswith(
        STARTS["png"]
    )


def test_partial_images_come_before_the_whole_one(asker: Asker) -> None:
    body = {"model": "gpt-image-1.5", "prompt": "A duck", "stream": True, "partial_images": 2}
    reply = asker.send("POST", GENERATE, body)
    assert header(reply, "content-type") == "text/event-stream; charset=utf-8"
    found = [validated(ImageGenStreamEvent, event) for event in events(reply)]  # type: ignore[arg-type]
    assert [event.type for event in found] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert not isinstance(reply.body, bytes)
    assert reply.body[0].data.startswith(b"event: image_generation.partial_image\ndata: {")
    last = found[-1]
    assert last.type == "image_generation.completed"
    whole = generate(asker, stream=None, partial_images=None)
    assert whole.usage is not None
    assert last.usage.total_tokens == whole.usage.total_tokens


def test_images_are_edited_from_forms_and_from_references(asker: Asker) -> None:
    one = ask_form(asker, EDIT, {"model": "gpt-image-1.5", "prompt": "Blue"}, image=("a.png", b"x"))
    made = typed(ImagesResponse, one)
    assert made.usage is not None
    several = ask_form(asker, EDIT, {"prompt": "Blue", "n": "2"}, image=[("a.png", b"x"), ("b.png", b"y")])
    both = typed(ImagesResponse, several)
    assert both.data is not None
    assert len(both.data) == 2
    assert both.usage is not None
    assert both.usage.input_tokens_details.image_tokens == 2 * made.usage.input_tokens_details.image_tokens > 0
    body = {"model": "gpt-image-2", "prompt": "Blue", "images": [{"image_url": "data:image/png;base64,AA=="}]}
    assert typed(ImagesResponse, asker.send("POST", EDIT, body)).data
    streamed = ask_form(asker, EDIT, {"prompt": "Blue", "stream": "true", "partial_images": "1"}, image=("a.png", b"x"))
    found = [validated(ImageEditStreamEvent, event) for event in events(streamed)]  # type: ignore[arg-type]
    assert [event.type for event in found] == ["image_edit.partial_image", "image_edit.completed"]


def test_variations_are_made(asker: Asker) -> None:
    fields = {"n": "2", "response_format": "b64_json", "size": "512x512"}
    made = typed(ImagesResponse, ask_form(asker, "/v1/images/variations", fields, image=("a.png", b"x")))
    assert made.data is not None
    assert len(made.data) == 2


def test_it_is_refused_in_openais_words(asker: Asker) -> None:
    def error(**members: Any) -> dict[str, Any]:
        return refused(asker.send("POST", GENERATE, {"model": "gpt-image-1.5", "prompt": "A duck", **members}))

    assert error(response_format="url")["message"] == "Unknown parameter: 'response_format'."
    assert error(style="vivid")["code"] == "unknown_parameter"
    assert error(prompt=None)["code"] == "missing_required_parameter"
    assert error(size="512x512")["message"] == (
        "Invalid value: '512x512'. Supported values are: '1024x1024', '1024x1536', '1536x1024', and 'auto'."
    )
    assert error(model="gpt-image-2", size="9999x1")["param"] == "size"
    assert error(model="dall-e-3", n=2)["code"] == "invalid_n"
    assert error(model="dall-e-2", size="1792x1024")["param"] == "size"
    assert error(model="dall-e-2", prompt="x" * 1001)["code"] == "string_above_max_length"
    assert error(n=11)["code"] == "integer_above_max_value"
    assert error(partial_images=1)["param"] == "partial_images"
    assert error(background="transparent", output_format="jpeg")["param"] == "background"
    assert refused(ask_form(asker, EDIT, {"prompt": "x"}))["param"] == "image"
    assert refused(ask_form(asker, EDIT, {"prompt": "x"}, image=("a.png", b"")))["code"] == "invalid_image_file"
    assert refused(ask_form(asker, EDIT, {"prompt": "x", "n": "many"}, image=("a.png", b"x")))["code"] == "invalid_type"
    assert refused(asker.send("POST", EDIT, {"prompt": "x"}))["param"] == "images"
