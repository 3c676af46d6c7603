"""InvokeModel for embeddings: Titan, Nova and Cohere.

Source: AWS "Inference request parameters and response fields for foundation models", November 2026.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from providers.emulated import tokens
from providers.emulated.answer import hexadecimal
from providers.emulated.base import digest_of
from providers.emulated.dialects.bedrock_errors import Refusal
from providers.emulated.dialects.bedrock_schema import Member, check, malformed, strings
from providers.emulated.embedding import embed
from providers.wire.json_body import mapping


class Made(NamedTuple):
    """A reply without prose, what it was made of, and how many tokens that has."""

    reply: dict[str, Any]
    prompt: str
    input_tokens: int


Maker = Callable[[dict[str, Any], str], Made]
"""Takes the body and the model's id. Raises Refusal."""

# --- Titan

_TITAN_2 = (
    Member("inputText", "String", is_required=True),
    Member("dimensions", "Integer"),
    Member("normalize", "Boolean"),
    Member("embeddingTypes", "JSONArray"),
)
_TITAN_IMAGE = (
    Member("inputText", "String"),
    Member("inputImage", "String"),
    Member("embeddingConfig", "JSONObject"),
)


def titan_1(body: dict[str, Any], model: str) -> Made:
    """Titan Embeddings G1 - Text."""
    check(body, _TITAN_2[:1], is_closed=True)
    text = _filled(body["inputText"])
    count = tokens.count(text)
    return Made({"embedding": embed(text, 1536), "inputTextTokenCount": count}, text, count)


def titan_2(body: dict[str, Any], model: str) -> Made:
    """Titan Text Embeddings V2."""
    check(body, _TITAN_2, is_closed=True)
    text = _filled(body["inputText"])
    dimensions = _one_of(body.get("dimensions", 1024), (256, 512, 1024), "#/dimensions")
    kinds = body.get("embeddingTypes") or ["float"]
    made = embed(text, dimensions)
    by_kind: dict[str, Any] = {}
    for kind in kinds:
        if _one_of(kind, ("float", "binary"), "#/embeddingTypes") == "float":
            by_kind["float"] = made
        else:
            by_kind["binary"] = [1 if value > 0 else 0 for value in made]
    count = tokens.count(text)
    reply: dict[str, Any] = {"embeddingsByType": by_kind, "inputTextTokenCount": count}
    if "float" in by_kind:
        reply["embedding"] = made
    return Made(reply, text, count)


def titan_image(body: dict[str, Any], model: str) -> Made:
    """Titan Multimodal Embeddings G1."""
    check(body, _TITAN_IMAGE, is_closed=True)
    text = body.get("inputText") or ""
    image = body.get("inputImage") or ""
    if not text and not image:
        raise malformed("#: required key [inputText] not found", "#: required key [inputImage] not found")
    length = mapping(body, "embeddingConfig").get("outputEmbeddingLength", 1024)
    length = _one_of(length, (256, 384, 1024), "#/embeddingConfig/outputEmbeddingLength")
    count = tokens.count(text)
    made = embed(f"{text} {_name_of_image(image)}".strip(), length)
    return Made({"embedding": made, "inputTextTokenCount": count, "message": None}, text, count)


# --- Nova

_NOVA = (
    Member("schemaVersion", "String"),
    Member("taskType", "String", is_required=True),
    Member("singleEmbeddingParams", "JSONObject", is_required=True),
)


def nova(body: dict[str, Any], model: str) -> Made:
    """Nova Multimodal Embeddings, of one text, image, video or sound."""
    check(body, _NOVA)
    _one_of(body["taskType"], ("SINGLE_EMBEDDING",), "#/taskType")
    asked = body["singleEmbeddingParams"]
    check(asked, (Member("embeddingPurpose", "String", is_required=True),), "#/singleEmbeddingParams")
    sizes = (256, 384, 1024, 3072)
    size = _one_of(asked.get("embeddingDimension", 3072), sizes, "#/singleEmbeddingParams/embeddingDimension")
    for kind in ("text", "image", "video", "audio"):
        given = asked.get(kind)
        if type(given) is dict:
            text = given.get("value") if kind == "text" else None
            words = text if type(text) is str else _name_of_image(str(given.get("source"))[:4096])
            made: dict[str, Any] = {"embeddingType": kind.upper(), "embedding": embed(words, size)}
            if kind == "text":
                made["truncatedCharLength"] = len(words)
            said = text if type(text) is str else ""
            return Made({"embeddings": [made]}, said, tokens.count(said))
    raise malformed("#/singleEmbeddingParams: required key [text] not found")


# --- Cohere

_COHERE = (
    Member("texts", "JSONArray"),
    Member("images", "JSONArray"),
    Member("inputs", "JSONArray"),
    Member("input_type", "String", is_required=True),
    Member("truncate", "String"),
    Member("embedding_types", "JSONArray"),
    Member("output_dimension", "Integer"),
    Member("max_tokens", "Integer", least=1),
)
_PURPOSES = ("search_document", "search_query", "classification", "clustering", "image")
_MOST_TEXTS = 96


def cohere(body: dict[str, Any], model: str) -> Made:
    """Embed 3 and 4."""
    check(body, _COHERE, is_closed=True)
    _one_of(body["input_type"], _PURPOSES, "#/input_type")
    if "truncate" in body:
        _one_of(body["truncate"], ("NONE", "START", "END", "LEFT", "RIGHT"), "#/truncate")
    texts = [*strings(body.get("texts"), "#/texts"), *_inputs(body.get("inputs"))]
    images = strings(body.get("images"), "#/images")
    given = [*texts, *[_name_of_image(image) for image in images]]
    if not given:
        raise malformed("#: required key [texts] not found")
    if len(given) > _MOST_TEXTS:
        raise malformed(f"#/texts: expected maximum item count: {_MOST_TEXTS}, found: {len(given)}")
    dimensions = 1024
    if "v4" in model:
        dimensions = _one_of(body.get("output_dimension", 1536), (256, 512, 1024, 1536), "#/output_dimension")
    made = [embed(text, dimensions) for text in given]
    kinds = body.get("embedding_types")
    reply: dict[str, Any] = {"id": _uuid(digest_of(body, model))}
    if kinds:
        by_kind = {_one_of(kind, tuple(_COHERE_KINDS), "#/embedding_types"): None for kind in kinds}
        reply["response_type"] = "embeddings_by_type"
        reply["embeddings"] = {kind: [_COHERE_KINDS[kind](one) for one in made] for kind in by_kind}
    else:
        reply["response_type"] = "embeddings_floats"
        reply["embeddings"] = made
    reply["texts"] = [text.lower() if "v3" in model else text for text in texts]
    prompt = "\n".join(texts)
    return Made(reply, prompt, sum([tokens.count(text) for text in texts]))


def _inputs(value: Any) -> list[str]:
    """The texts of Embed 4's mixed inputs, one for each input."""
    found = []
    for entry in value or ():
        content = mapping(entry).get("content")
        parts = content if type(content) is list else []
        texts = [mapping(part).get("text") or _name_of_image(str(part)[:4096]) for part in parts]
        found.append(" ".join([text for text in texts if type(text) is str]))
    return found


def _int8(one: Sequence[float]) -> list[int]:
    return [round(value * 127) for value in one]


def _uint8(one: Sequence[float]) -> list[int]:
    return [round(value * 127) + 128 for value in one]


def _packed(one: Sequence[float]) -> list[int]:
    """One bit for each value, eight to a byte."""
    bits = [value > 0 for value in one]
    return [sum([128 >> place for place in range(8) if bits[start + place]]) for start in range(0, len(bits), 8)]


_COHERE_KINDS: dict[str, Callable[[Sequence[float]], list[Any]]] = {
    "float": list,
    "int8": _int8,
    "uint8": _uint8,
    "binary": lambda one: [byte - 128 for byte in _packed(one)],
    "ubinary": _packed,
}


def _filled(text: str) -> str:
    if not text:
        raise Refusal(
            "Malformed input request: expected minLength: 1, actual: 0, please reformat your input and try again."
        )
    return text


def _one_of(value: Any, allowed: tuple[Any, ...], at: str) -> Any:
    if type(value) not in (str, int) or value not in allowed:
        raise malformed(f"{at}: {value if type(value) in (str, int) else 'the value'} is not a valid enum value")
    return value


def _name_of_image(data: str) -> str:
    """A word that stands for an image: another one for another image."""
    return hashlib.blake2b(data.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest() if data else ""


def _uuid(digest: bytes) -> str:
    digits = hexadecimal(digest, "reply", 32)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
