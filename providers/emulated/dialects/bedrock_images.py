"""InvokeModel for images: Titan Image, Nova Canvas and Stability AI, answered with pictures of a few colours.

Source: AWS "Inference request parameters and response fields for foundation models", read November 2026.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from providers.emulated import tokens
from providers.emulated.base import digest_of
from providers.emulated.dialects.bedrock_embeddings import Made
from providers.emulated.dialects.bedrock_schema import Member, check, malformed
from providers.emulated.media import jpeg, png, webp
from providers.wire.json_body import mapping, text

_PARAMETERS = {
    "TEXT_IMAGE": "textToImageParams",
    "IMAGE_VARIATION": "imageVariationParams",
    "INPAINTING": "inPaintingParams",
    "OUTPAINTING": "outPaintingParams",
    "COLOR_GUIDED_GENERATION": "colorGuidedGenerationParams",
    "BACKGROUND_REMOVAL": "backgroundRemovalParams",
    "VIRTUAL_TRY_ON": "virtualTryOnParams",
}
_CONFIG = (
    Member("numberOfImages", "Integer", least=1, most=5),
    Member("width", "Integer", least=256, most=4096),
    Member("height", "Integer", least=256, most=4096),
    Member("cfgScale", "Number", least=1.0, most=10.0),
    Member("seed", "Integer", least=0, most=2147483646),
    Member("quality", "String"),
)


def amazon(body: dict[str, Any], model: str) -> Made:
    """Titan Image Generator and Nova Canvas."""
    check(body, (Member("taskType", "String", is_required=True), Member("imageGenerationConfig", "JSONObject")))
    name = _PARAMETERS.get(body["taskType"])
    if name is None:
        raise malformed(f"#/taskType: {body['taskType']} is not a valid enum value")
    check(body, (Member(name, "JSONObject", is_required=True),))
    prompt = body[name].get("text")
    if body["taskType"] == "TEXT_IMAGE":
        check(body[name], (Member("text", "String", is_required=True),), f"#/{name}")
    config = body.get("imageGenerationConfig") or {}
    check(config, _CONFIG, "#/imageGenerationConfig")
    width, height = config.get("width", 1024), config.get("height", 1024)
    digest = digest_of(body, model)
    images = [_encoded(width, height, digest, number) for number in range(config.get("numberOfImages", 1))]
    said = prompt if type(prompt) is str else ""
    return Made({"images": images}, said, tokens.count(said))


def stability(body: dict[str, Any], model: str) -> Made:
    """Stable Image and Stable Diffusion 3; Stable Diffusion XL by its `text_prompts`."""
    digest = digest_of(body, model)
    seed = body.get("seed") or int.from_bytes(digest[:4], "big") >> 1
    if "text_prompts" in body:
        check(body, (Member("text_prompts", "JSONArray"), Member("width", "Integer", least=128, most=2048),
                     Member("height", "Integer", least=128, most=2048)))  # fmt: skip
        prompt = " ".join([text(mapping(entry).get("text")) or "" for entry in body["text_prompts"]])
        image = _encoded(body.get("width", 1024), body.get("height", 1024), digest)
        artifact = {"seed": seed, "base64": image, "finishReason": "SUCCESS"}
        return Made({"result": "success", "artifacts": [artifact]}, prompt, tokens.count(prompt))
    is_upscaler = any(
        word in model for word in ("upscale", "remove", "erase", "search", "style", "sketch", "structure")
    )
    check(
        body,
        (Member("prompt", "String", is_required=not is_upscaler), Member("seed", "Integer", least=0),
         Member("output_format", "String")),
    )  # fmt: skip
    format = body.get("output_format", "png")
    if format not in _FORMATS:
        raise malformed(f"#/output_format: {format} is not a valid enum value")
    prompt = body.get("prompt", "")
    reply = {"seeds": [seed], "finish_reasons": [None], "images": [_encoded(1024, 1024, digest, format=format)]}
    return Made(reply, prompt, tokens.count(prompt))


def _encoded(width: int, height: int, digest: bytes, number: int = 0, format: str = "png") -> str:
    draw = _FORMATS.get(format, png)
    return b64encode(draw(digest[number:] + digest[:number], width, height)).decode()


_FORMATS: Mapping[str, Callable[[bytes, int, int], bytes]] = {"png": png, "jpeg": jpeg, "webp": webp}
