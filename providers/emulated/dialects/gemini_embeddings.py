"""Embeddings: embedContent and batchEmbedContents of both services, and the instances of `:predict`.

Source: google-genai 3.4.0 `models.py` (its converters of embedContent) and Vertex AI's text and multimodal embeddings
references, read November 2026.
"""

from __future__ import annotations

from typing import Any

from providers.emulated import tokens
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.gemini_fields import BATCH_EMBED_CONTENTS, EMBED_CONTENT
from providers.emulated.dialects.gemini_models import check_model
from providers.emulated.dialects.google_errors import is_gemini, json_reply, refuse
from providers.emulated.dialects.google_json import digest, read_body
from providers.emulated.embedding import embed
from providers.emulated.question import Question, Turn

_BATCH_LIMIT = 100
_INSTANCE_LIMIT = 250
_MULTIMODAL = (128, 256, 512, 1408)


def embed_content(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """One embedding. Raises Refused, CannedFailure."""
    body = read_body(request, EMBED_CONTENT)
    texts = [_text(request, body, "EmbedContentRequest.content")]
    dimensions = _dimensions(request, body)
    is_repeatable = _intercept(request, desk, body, texts)
    found: dict[str, Any] = {"embedding": {"values": embed(texts[0], dimensions)}}
    if not is_gemini(request.call.path):
        found["truncated"] = False
    found["usageMetadata"] = _usage(texts)
    return json_reply(request, found, is_repeatable=is_repeatable)


def batch_embed_contents(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """An embedding for each request. Raises Refused, CannedFailure."""
    body = read_body(request, BATCH_EMBED_CONTENTS)
    wanted = body.get("requests", ())
    if not wanted:
        raise refuse(request, "* BatchEmbedContentsRequest.requests: requests is not specified\n")
    if len(wanted) > _BATCH_LIMIT:
        raise refuse(
            request,
            f"* BatchEmbedContentsRequest.requests: at most {_BATCH_LIMIT} requests can be in one batch\n",
        )
    texts = [
        _text(request, one, f"BatchEmbedContentsRequest.requests[{place}].content") for place, one in enumerate(wanted)
    ]
    sizes = [_dimensions(request, one) for one in wanted]
    is_repeatable = _intercept(request, desk, body, texts)
    embeddings = [{"values": embed(text, size)} for text, size in zip(texts, sizes, strict=True)]
    return json_reply(request, {"embeddings": embeddings, "usageMetadata": _usage(texts)}, is_repeatable=is_repeatable)


def predict_texts(
    request: EmulatedRequest, desk: Desk, instances: list[dict[str, Any]], parameters: dict[str, Any]
) -> EmulatedReply:
    """`:predict` of a text embedding model: instances with `content`. Raises Refused, CannedFailure."""
    if len(instances) > _INSTANCE_LIMIT:
        raise refuse(request, f"{_INSTANCE_LIMIT} instance(s) is allowed per prediction. Actual: {len(instances)}.")
    texts = [instance["content"] for instance in instances]
    if not all(isinstance(text, str) and text for text in texts):
        raise refuse(request, "The text content is empty.")
    size = _size(request, parameters.get("outputDimensionality"), default_size(request.call.model or ""))
    is_repeatable = _intercept(request, desk, {"instances": instances, "parameters": parameters}, texts)
    predictions = [
        {
            "embeddings": {
                "values": embed(text, size),
                "statistics": {"truncated": False, "token_count": tokens.count(text)},
            }
        }
        for text in texts
    ]
    billable = sum(len("".join(text.split())) for text in texts)
    found = {"predictions": predictions, "metadata": {"billableCharacterCount": billable}}
    return json_reply(request, found, is_repeatable=is_repeatable)


def predict_multimodal(
    request: EmulatedRequest, desk: Desk, instances: list[dict[str, Any]], parameters: dict[str, Any]
) -> EmulatedReply:
    """`:predict` of the multimodal embedding model: instances with `text`, `image` or `video`. Raises Refused,
    CannedFailure."""
    size = parameters.get("dimension", _MULTIMODAL[-1])
    if size not in _MULTIMODAL or type(size) is not int:
        raise refuse(request, f"Invalid dimension. Supported dimensions are {list(_MULTIMODAL)}.")
    texts = [text for instance in instances for text in (instance.get("text"),) if isinstance(text, str)]
    body = {"instances": instances, "parameters": parameters}
    made_from = digest(request, body).hex()
    is_repeatable = _intercept(request, desk, body, texts)
    predictions = []
    for instance in instances:
        prediction: dict[str, Any] = {}
        if isinstance(instance.get("text"), str):
            prediction["textEmbedding"] = embed(instance["text"], size)
        if instance.get("image"):
            prediction["imageEmbedding"] = embed(f"image {made_from}", size)
        if instance.get("video"):
            span = {"startOffsetSec": 0, "endOffsetSec": 5, "embedding": embed(f"video {made_from}", size)}
            prediction["videoEmbeddings"] = [span]
        predictions.append(prediction)
    return json_reply(request, {"predictions": predictions, "deployedModelId": _DEPLOYED}, is_repeatable=is_repeatable)


_DEPLOYED = "1234567890123456789"


def intercept(request: EmulatedRequest, desk: Desk, made_from: bytes, prompt: str) -> bool:
    """Lets a canned reply take the place of one that is not prose: `Desk.intercept`."""
    operation = request.call.operation
    name = "" if operation is None else operation.name
    turns = [Turn("user", prompt)] if prompt else []
    return desk.intercept(Question(name, request.call.model or "", made_from, turns))


def _intercept(request: EmulatedRequest, desk: Desk, body: dict[str, Any], texts: list[str]) -> bool:
    check_model(request, desk, request.call.model or "")
    return intercept(request, desk, digest(request, body, request.call.model or ""), "\n".join(texts))


def _text(request: EmulatedRequest, body: dict[str, Any], field: str) -> str:
    """What is embedded; pictures and the like have their share in it."""
    parts = body.get("content", {}).get("parts", ())
    if not parts or not any(parts):
        raise refuse(request, f"* {field}: content is empty or not specified\n")
    held = []
    for part in parts:
        blob = part.get("inlineData") or {}
        file = part.get("fileData") or {}
        held.append(part.get("text", "") or f"{blob.get('data', '')}{file.get('fileUri', '')}")
    return " ".join(held)


def _dimensions(request: EmulatedRequest, body: dict[str, Any]) -> int:
    config = body.get("embedContentConfig") or {}
    wanted = body.get("outputDimensionality", config.get("outputDimensionality"))
    return _size(request, wanted, default_size(request.call.model or ""))


def default_size(model: str) -> int:
    """How many numbers an embedding has when the request does not say."""
    return 3072 if model.startswith("gemini") else 768


def _size(request: EmulatedRequest, wanted: Any, default: int) -> int:
    if wanted is None:
        return default
    if type(wanted) is not int or not 1 <= wanted <= default:
        raise refuse(request, f"The output_dimensionality must be between 1 and {default}, got {str(wanted)[:64]}.")
    return wanted


def _usage(texts: list[str]) -> dict[str, Any]:
    total = sum(map(tokens.count, texts))
    details = [{"modality": "TEXT", "tokenCount": total}]
    return {"promptTokenCount": total, "totalTokenCount": total, "promptTokensDetails": details}
