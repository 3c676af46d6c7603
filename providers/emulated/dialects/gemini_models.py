"""Google's models: the lists of both services, and which names strict mode knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.google_errors import html_not_found, is_gemini, json_reply, missing_model, refuse

_GENERATES = ("generateContent", "countTokens", "createCachedContent", "batchGenerateContent")
_EMBEDS = ("embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent")

# Name, display name, version, input and output token limits, methods. Source: models.list of the Gemini API and the
# model pages of Vertex AI, read November 2026.
_MODELS: tuple[tuple[str, str, str, int, int, Sequence[str]], ...] = (
    ("gemini-3.1-pro-preview", "Gemini 3.1 Pro Preview", "3.1-pro-preview", 1048576, 65536, _GENERATES),
    ("gemini-3-pro-preview", "Gemini 3 Pro Preview", "3-pro-preview-11-2025", 1048576, 65536, _GENERATES),
    ("gemini-3-flash-preview", "Gemini 3 Flash Preview", "3-flash-preview-12-2025", 1048576, 65536, _GENERATES),
    ("gemini-3.8-flash", "Gemini 3.8 Flash", "3.8-flash", 1048576, 65536, _GENERATES),
    ("gemini-3.5-flash", "Gemini 3.5 Flash", "3.5-flash", 1048576, 65536, _GENERATES),
    ("gemini-3-pro-image-preview", "Nano Banana Pro", "3.0", 131072, 32768, _GENERATES),
    ("gemini-3.1-flash-image", "Nano Banana 2", "3.1", 131072, 32768, _GENERATES),
    ("gemini-2.5-pro", "Gemini 2.5 Pro", "2.5", 1048576, 65536, _GENERATES),
    ("gemini-2.5-flash", "Gemini 2.5 Flash", "001", 1048576, 65536, _GENERATES),
    ("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", "001", 1048576, 65536, _GENERATES),
    ("gemini-2.5-flash-image", "Nano Banana", "2.0", 32768, 32768, _GENERATES),
    ("gemini-2.5-flash-preview-tts", "Gemini 2.5 Flash Preview TTS", "tts-2025-05", 8192, 16384, _GENERATES),
    ("gemini-2.5-pro-preview-tts", "Gemini 2.5 Pro Preview TTS", "tts-2025-05", 8192, 16384, _GENERATES),
    ("gemini-2.0-flash", "Gemini 2.0 Flash", "2.0", 1048576, 8192, _GENERATES),
    ("gemini-2.0-flash-001", "Gemini 2.0 Flash 001", "2.0", 1048576, 8192, _GENERATES),
    ("gemini-2.0-flash-lite", "Gemini 2.0 Flash-Lite", "2.0", 1048576, 8192, _GENERATES),
    ("gemini-flash-latest", "Gemini Flash Latest", "latest", 1048576, 65536, _GENERATES),
    ("gemini-pro-latest", "Gemini Pro Latest", "latest", 1048576, 65536, _GENERATES),
    ("gemini-embedding-001", "Gemini Embedding 001", "001", 2048, 1, _EMBEDS),
    ("gemini-embedding-2", "Gemini Embedding 2", "2", 8192, 1, _EMBEDS),
    ("text-embedding-005", "Text Embedding 005", "005", 2048, 1, _EMBEDS),
    ("text-embedding-004", "Text Embedding 004", "004", 2048, 1, _EMBEDS),
    ("text-multilingual-embedding-002", "Text Multilingual Embedding 002", "002", 2048, 1, _EMBEDS),
    ("multimodalembedding@001", "Multimodal Embedding", "001", 2048, 1, ("predict",)),
    ("imagen-4.0-generate-001", "Imagen 4", "001", 480, 8192, ("predict",)),
    ("imagen-4.0-fast-generate-001", "Imagen 4 Fast", "001", 480, 8192, ("predict",)),
    ("imagen-4.0-ultra-generate-001", "Imagen 4 Ultra", "001", 480, 8192, ("predict",)),
    ("imagen-3.0-generate-002", "Imagen 3", "002", 480, 8192, ("predict",)),
)
_KNOWN = {model[0]: model for model in _MODELS}


def known_names() -> list[str]:
    return list(_KNOWN)


def is_known(name: str) -> bool:
    return name in _KNOWN


def check_model(request: EmulatedRequest, desk: Desk, model: str) -> None:
    """Raises Refused in strict mode for a model that Google does not have. Tuned ones and other publishers' pass."""
    if not desk.is_strict or model in _KNOWN or not _is_published(request.call.path):
        return
    raise _unknown(request, model)


def list_models(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """`models` of the Gemini API or `publisherModels` of Vertex AI, a page at a time."""
    query = parse_qs(request.query.decode("latin-1"))
    made = [_gemini_model(model) for model in _MODELS]
    member, most = "models", 1000
    if not is_gemini(request.call.path):
        made = [_vertex_model(model) for model in _MODELS]
        member, most = "publisherModels", 100
        if not request.call.path.endswith(b"/publishers/google/models"):
            made = []
    return json_reply(
        request, page(request, query, made, member, default=50 if member == "models" else most, most=most)
    )


def get_model(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """One model; one that is not listed is described in general terms, unless the proxy is strict."""
    name = request.call.model or ""
    if ":" in name:  # a custom verb, which no method has
        return html_not_found(request)
    known = _KNOWN.get(name)
    if known is None:
        if desk.is_strict or not name:
            raise _unknown(request, name)
        known = (name, name, "001", 1048576, 65536, _GENERATES)
    shape = _gemini_model(known) if is_gemini(request.call.path) else _vertex_model(known)
    return json_reply(request, shape)


def page(
    request: EmulatedRequest, query: dict[str, list[str]], items: list[Any], member: str, *, default: int, most: int
) -> dict[str, Any]:
    """A page of a list as `pageSize` and `pageToken` ask for it. The token is the place to go on from. Raises
    Refused."""
    size_text = (query.get("pageSize") or query.get("page_size") or [""])[0]
    token = (query.get("pageToken") or query.get("page_token") or [""])[0]
    if size_text and not (size_text.isascii() and size_text.removeprefix("-").isdigit() and len(size_text) < 10):
        raise refuse(request, f"Invalid value at 'page_size' (TYPE_INT32), \"{size_text[:64]}\"")
    if token and not (token.isascii() and token.isdigit() and len(token) < 10):
        raise refuse(request, "Invalid page token.")
    size = int(size_text or 0)
    if size < 0:
        raise refuse(request, "page_size must be non-negative.")
    size = min(size or default, most)
    begins = int(token or 0)
    found: dict[str, Any] = {}
    if items[begins : begins + size]:
        found[member] = items[begins : begins + size]
    if begins + size < len(items):
        found["nextPageToken"] = str(begins + size)
    return found


def _is_published(path: bytes) -> bool:
    return b"/publishers/google/" in path or (is_gemini(path) and b"/tunedModels/" not in path)


def _unknown(request: EmulatedRequest, model: str) -> Exception:
    return refuse(request, missing_model(request.call.path, model), 404)


def _gemini_model(model: tuple[str, str, str, int, int, Sequence[str]]) -> dict[str, Any]:
    name, label, version, takes, gives, methods = model
    shape: dict[str, Any] = {
        "name": f"models/{name}",
        "version": version,
        "displayName": label,
        "description": label,
        "inputTokenLimit": takes,
        "outputTokenLimit": gives,
        "supportedGenerationMethods": list(methods),
    }
    if methods is _GENERATES:
        shape |= {"temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2}
        if name.startswith(("gemini-2.5", "gemini-3")):
            shape["thinking"] = True
    return shape


def _vertex_model(model: tuple[str, str, str, int, int, Sequence[str]]) -> dict[str, Any]:
    name, _, version, _, _, _ = model
    return {
        "name": f"publishers/google/models/{name}",
        "versionId": "default" if "latest" in version else version,
        "openSourceCategory": "PROPRIETARY",
        "launchStage": "PUBLIC_PREVIEW" if "preview" in name else "GA",
        "publisherModelTemplate": f"projects/{{project}}/locations/{{location}}/publishers/google/models/{name}",
    }
