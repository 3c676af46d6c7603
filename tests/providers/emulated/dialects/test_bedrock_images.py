from __future__ import annotations

from base64 import b64decode
from struct import unpack
from typing import Any

import pytest

from providers.emulated.dialects import bedrock_images as images
from providers.emulated.dialects.bedrock_embeddings import Maker
from providers.emulated.dialects.bedrock_errors import Refusal

CANVAS, CORE, XL = "amazon.nova-canvas-v1:0", "stability.stable-image-core-v1:1", "stability.stable-diffusion-xl-v1"
TEXT = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "A cat"}}


def size_of(encoded: str) -> tuple[int, int]:
    data = b64decode(encoded, validate=True)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = unpack(">II", data[16:24])
    return width, height


def test_amazon_s_models_give_as_many_images_as_asked_for() -> None:
    config = {"numberOfImages": 2, "width": 512, "height": 256, "cfgScale": 8, "seed": 1, "quality": "standard"}
    made = images.amazon({**TEXT, "imageGenerationConfig": config}, CANVAS)
    first, second = made.reply["images"]
    assert size_of(first) == size_of(second) == (512, 256)
    assert first != second
    assert made.prompt == "A cat"


@pytest.mark.parametrize("task", ["IMAGE_VARIATION", "BACKGROUND_REMOVAL", "INPAINTING"])
def test_other_tasks_of_amazon_s_models_have_parameters_of_their_own(task: str) -> None:
    name = {"IMAGE_VARIATION": "imageVariationParams", "BACKGROUND_REMOVAL": "backgroundRemovalParams"}
    body = {"taskType": task, name.get(task, "inPaintingParams"): {"image": "aGk="}}
    assert size_of(images.amazon(body, CANVAS).reply["images"][0]) == (1024, 1024)


@pytest.mark.parametrize(
    ("format", "start"), [("png", b"\x89PNG"), ("jpeg", b"\xff\xd8\xff"), ("webp", b"RIFF")]
)  # fmt: skip
def test_stability_s_models_give_the_format_asked_for(format: str, start: bytes) -> None:
    made = images.stability({"prompt": "A cat", "output_format": format, "seed": 7}, CORE)
    assert b64decode(made.reply["images"][0]).startswith(start)
    assert (made.reply["seeds"], made.reply["finish_reasons"], made.prompt) == ([7], [None], "A cat")


def test_the_first_stable_diffusion_has_artifacts() -> None:
    made = images.stability({"text_prompts": [{"text": "A cat"}], "width": 512, "height": 512}, XL)
    (artifact,) = made.reply["artifacts"]
    assert artifact["finishReason"] == "SUCCESS"
    assert size_of(artifact["base64"]) == (512, 512)


def test_the_same_request_gets_the_same_image() -> None:
    assert images.amazon(TEXT, CANVAS) == images.amazon(TEXT, CANVAS)
    assert images.amazon(TEXT, CANVAS) != images.amazon(
        {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "A dog"}}, CANVAS
    )


@pytest.mark.parametrize(
    ("make", "body", "said"),
    [
        (images.amazon, {}, "required key [taskType] not found"),
        (images.amazon, {"taskType": "PAINT"}, "#/taskType: PAINT is not a valid enum value"),
        (images.amazon, {"taskType": "TEXT_IMAGE"}, "required key [textToImageParams] not found"),
        (
            images.amazon,
            {"taskType": "TEXT_IMAGE", "textToImageParams": {}},
            "#/textToImageParams: required key [text] not found",
        ),
        (images.amazon, {**TEXT, "imageGenerationConfig": {"width": 9000}}, "9000 is not less or equal to 4096"),
        (images.stability, {}, "required key [prompt] not found"),
        (images.stability, {"prompt": "a", "output_format": "gif"}, "gif is not a valid enum value"),
        (images.stability, {"text_prompts": "a"}, "#/text_prompts: expected type: JSONArray"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(make: Maker, body: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        make(body, CORE)
    assert said in refusal.value.message
