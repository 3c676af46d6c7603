"""`:predict`: embeddings and pictures, told apart by what the instances hold."""

from __future__ import annotations

import base64
from typing import Any

from providers.emulated import media
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.gemini_embeddings import intercept, predict_multimodal, predict_texts
from providers.emulated.dialects.gemini_fields import PREDICT
from providers.emulated.dialects.gemini_media import size_of
from providers.emulated.dialects.gemini_models import check_model
from providers.emulated.dialects.google_errors import json_reply, refuse
from providers.emulated.dialects.google_json import digest, read_body


def predict(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """Raises Refused, CannedFailure."""
    body = read_body(request, PREDICT)
    instances: list[dict[str, Any]] = body.get("instances", [])
    parameters = body.get("parameters") or {}
    if not instances:
        raise refuse(request, "Empty instances.")
    if not all(isinstance(instance, dict) and instance for instance in instances):
        raise refuse(request, "Invalid instance: each must be an object that is not empty.")
    if all("content" in instance for instance in instances):
        return predict_texts(request, desk, instances, parameters)
    if all("prompt" in instance for instance in instances):
        return _predict_images(request, desk, instances, parameters)
    if all({"text", "image", "video"} & instance.keys() for instance in instances):
        return predict_multimodal(request, desk, instances, parameters)
    raise refuse(
        request,
        "Rubberduck's emulation of this provider answers instances with content, prompt, or text, image and video "
        "only.",
    )


def _predict_images(
    request: EmulatedRequest, desk: Desk, instances: list[dict[str, Any]], parameters: dict[str, Any]
) -> EmulatedReply:
    """Imagen. Source: its API reference, read November 2026."""
    check_model(request, desk, request.call.model or "")
    prompt = instances[0]["prompt"]
    if not isinstance(prompt, str) or not prompt:
        raise refuse(request, "Text prompt is required and must not be empty.")
    count = parameters.get("sampleCount", 4)
    if type(count) is not int or not 1 <= count <= 8:
        raise refuse(request, "sampleCount must be between 1 and 8, inclusive.")
    made_from = digest(request, {"instances": instances, "parameters": parameters}, request.call.model or "")
    is_repeatable = intercept(request, desk, made_from, prompt)
    width, height = size_of(parameters.get("aspectRatio"))
    predictions = []
    for number in range(count):
        data = media.png(bytes([made_from[0] ^ number]) + made_from[1:], width, height)
        predictions.append({"mimeType": "image/png", "bytesBase64Encoded": base64.b64encode(data).decode()})
    return json_reply(request, {"predictions": predictions}, is_repeatable=is_repeatable)
