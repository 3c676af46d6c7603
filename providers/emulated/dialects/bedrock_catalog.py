"""The models of Bedrock: their ids in all the forms a request may name them by, and the lists of the control plane.

Source: AWS "Supported foundation models in Amazon Bedrock" and genai-prices 0.2.3 (aws), read November 2026.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from providers.emulated.dialects.anthropic_models import model_info
from providers.emulated.dialects.bedrock_claude import own_name
from providers.emulated.dialects.bedrock_errors import Refusal

_PROVIDERS = {
    "ai21": "AI21 Labs", "amazon": "Amazon", "anthropic": "Anthropic", "cohere": "Cohere", "deepseek": "DeepSeek",
    "google": "Google", "meta": "Meta", "minimax": "MiniMax", "mistral": "Mistral AI", "moonshotai": "Moonshot AI",
    "nvidia": "NVIDIA", "openai": "OpenAI", "qwen": "Qwen", "stability": "Stability AI", "writer": "Writer",
    "zai": "Z.AI",
}  # fmt: skip
_PROFILES = ("us.", "eu.", "global.", "apac.", "jp.", "au.", "ca.", "us-gov.")
# A line: what the models take in and give out, whether they stream, whether they are reached by inference profiles
# (P) or directly (D), and their ids.
_LISTED = """
TEXT,IMAGE TEXT stream P anthropic.claude-fable-5-2 anthropic.claude-mythos-5-2 anthropic.claude-haiku-5-5
TEXT,IMAGE TEXT stream P anthropic.claude-sonnet-5-5 anthropic.claude-opus-5-5 anthropic.claude-fable-5-1-v1:0
TEXT,IMAGE TEXT stream P anthropic.claude-opus-5 anthropic.claude-sonnet-5-v1:0 anthropic.claude-fable-5-v1:0
TEXT,IMAGE TEXT stream P anthropic.claude-opus-4-8-v1:0 anthropic.claude-opus-4-7-v1:0 anthropic.claude-opus-4-6-v1:0
TEXT,IMAGE TEXT stream P anthropic.claude-sonnet-4-6-v1:0 anthropic.claude-opus-4-5-20251101-v1:0
TEXT,IMAGE TEXT stream P anthropic.claude-opus-4-5-v1:0 anthropic.claude-haiku-4-5-20251001-v1:0
TEXT,IMAGE TEXT stream P anthropic.claude-sonnet-4-5-20250929-v1:0 anthropic.claude-opus-4-1-20250805-v1:0
TEXT,IMAGE TEXT stream P anthropic.claude-sonnet-4-20250514-v1:0 anthropic.claude-opus-4-20250514-v1:0
TEXT,IMAGE TEXT stream P anthropic.claude-3-7-sonnet-20250219-v1:0 anthropic.claude-3-5-sonnet-20241022-v2:0
TEXT,IMAGE TEXT stream D anthropic.claude-3-5-sonnet-20240620-v1:0 anthropic.claude-3-5-haiku-20241022-v1:0
TEXT,IMAGE TEXT stream D anthropic.claude-3-haiku-20240307-v1:0 anthropic.claude-3-sonnet-20240229-v1:0
TEXT,IMAGE TEXT stream D anthropic.claude-3-opus-20240229-v1:0
TEXT TEXT stream D anthropic.claude-v2:1 anthropic.claude-v2 anthropic.claude-instant-v1
TEXT,IMAGE TEXT stream P amazon.nova-premier-v1:0 amazon.nova-2-lite-v1:0
TEXT,IMAGE TEXT stream D amazon.nova-pro-v1:0 amazon.nova-lite-v1:0
TEXT TEXT stream D amazon.nova-micro-v1:0 amazon.titan-text-premier-v1:0 amazon.titan-text-express-v1
TEXT TEXT stream D amazon.titan-text-lite-v1
TEXT EMBEDDING whole D amazon.titan-embed-text-v1 amazon.titan-embed-text-v2:0
TEXT,IMAGE EMBEDDING whole D amazon.titan-embed-image-v1 amazon.nova-2-multimodal-embeddings-v1:0
TEXT,IMAGE IMAGE whole D amazon.nova-canvas-v1:0 amazon.titan-image-generator-v1 amazon.titan-image-generator-v2:0
TEXT TEXT whole D amazon.rerank-v1:0 cohere.rerank-v3-5:0
TEXT TEXT stream D ai21.jamba-1-5-large-v1:0 ai21.jamba-1-5-mini-v1:0
TEXT TEXT stream D cohere.command-r-v1:0 cohere.command-r-plus-v1:0
TEXT EMBEDDING whole D cohere.embed-english-v3 cohere.embed-multilingual-v3
TEXT,IMAGE EMBEDDING whole P cohere.embed-v4:0
TEXT TEXT stream P deepseek.r1-v1:0 meta.llama3-1-405b-instruct-v1:0 meta.llama3-1-70b-instruct-v1:0
TEXT TEXT stream P meta.llama3-1-8b-instruct-v1:0 meta.llama3-2-1b-instruct-v1:0 meta.llama3-2-3b-instruct-v1:0
TEXT,IMAGE TEXT stream P meta.llama3-2-11b-instruct-v1:0 meta.llama3-2-90b-instruct-v1:0
TEXT TEXT stream P meta.llama3-3-70b-instruct-v1:0
TEXT,IMAGE TEXT stream P meta.llama4-maverick-17b-instruct-v1:0 meta.llama4-scout-17b-instruct-v1:0
TEXT TEXT stream D meta.llama3-70b-instruct-v1:0 meta.llama3-8b-instruct-v1:0 deepseek.v3-v1:0 deepseek.v3.2
TEXT TEXT stream D mistral.mistral-7b-instruct-v0:2 mistral.mixtral-8x7b-instruct-v0:1
TEXT TEXT stream D mistral.mistral-large-2402-v1:0 mistral.mistral-large-2407-v1:0 mistral.mistral-small-2402-v1:0
TEXT,IMAGE TEXT stream P mistral.pixtral-large-2502-v1:0
TEXT TEXT stream D mistral.devstral-2-123b mistral.magistral-small-2509 mistral.ministral-3-14b-instruct
TEXT TEXT stream D mistral.ministral-3-3b-instruct mistral.ministral-3-8b-instruct
TEXT TEXT stream D mistral.mistral-large-3-675b-instruct mistral.voxtral-mini-3b-2507 mistral.voxtral-small-24b-2507
TEXT,IMAGE TEXT stream D google.gemma-3-4b-it google.gemma-3-12b-it google.gemma-3-27b-it
TEXT TEXT stream D minimax.minimax-m2 moonshot.kimi-k2-thinking nvidia.nemotron-nano-9b-v2:0
TEXT TEXT stream D nvidia.nemotron-nano-3-30b:0 nvidia.nemotron-super-3-120b:0
TEXT TEXT stream P moonshotai.kimi-k3 moonshotai.kimi-k3.1 zai.glm-5.3
TEXT TEXT stream D openai.gpt-oss-120b-1:0 openai.gpt-oss-20b-1:0 openai.gpt-5.4 openai.gpt-5.5
TEXT,IMAGE TEXT stream P openai.gpt-5.6-luna openai.gpt-5.6-sol openai.gpt-5.6-terra openai.gpt-6-astra
TEXT,IMAGE TEXT stream P openai.gpt-6-luna openai.gpt-6-sol openai.gpt-6.1-sol openai.gpt-6.1-terra
TEXT TEXT stream D qwen.qwen3-32b-v1:0 qwen.qwen3-coder-30b-a3b-v1:0 qwen.qwen3-coder-480b-a35b-v1:0
TEXT,IMAGE TEXT stream D qwen.qwen3-vl-235b-a22b-v1:0
TEXT,IMAGE IMAGE whole D stability.sd3-5-large-v1:0 stability.stable-image-core-v1:1 stability.stable-image-ultra-v1:1
TEXT TEXT stream P writer.palmyra-x4-v1:0 writer.palmyra-x5-v1:0
"""


class Model(NamedTuple):
    """`inputs` and `outputs`: TEXT, IMAGE, EMBEDDING. `has_profiles`: it is called by way of inference profiles."""

    id: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    streams: bool
    has_profiles: bool

    @property
    def vendor(self) -> str:
        """The provider's name, as it is written."""
        prefix = self.id.partition(".")[0]
        return _PROVIDERS.get(prefix, prefix.title())

    @property
    def label(self) -> str:
        """The model's name, as it is written."""
        words = self.id.partition(".")[2].partition(":")[0].replace("-v1", "").split("-")
        return " ".join([word if any(map(str.isdigit, word)) else word.capitalize() for word in words])[:20].strip()


def _models() -> dict[str, Model]:
    found = {}
    for line in _LISTED.strip().splitlines():
        inputs, outputs, streams, reach, *ids = line.split()
        for id in ids:
            found[id] = Model(
                id, tuple(inputs.split(",")), tuple(outputs.split(",")), streams == "stream", reach == "P"
            )
    return found


MODELS = _models()


@lru_cache(1024)
def base_id(model: str) -> str:
    """The foundation model's own id: without an ARN around it and without an inference profile's prefix."""
    name = model.rpartition("/")[2] if model.startswith("arn:") else model
    for prefix in _PROFILES:
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name


def check_model(model: str, *, is_strict: bool) -> None:
    """Raises Refusal for what cannot be a model's id; if `is_strict` also for a model that is not listed."""
    if not model or not model.isascii() or not model.isprintable() or " " in model:
        raise Refusal("The provided model identifier is invalid.")
    if is_strict and base_id(model) not in MODELS and not _is_own(model):
        raise Refusal("Could not resolve the foundation model from the provided model identifier.", 404)


def check_converses(model: str) -> None:
    """Raises Refusal for a model that is known to do something else: to embed, to draw, to rerank."""
    found = MODELS.get(base_id(model))
    if found is not None and ("TEXT" not in found.outputs or ".rerank" in found.id):
        raise Refusal(
            "This action doesn't support the model that you provided. "
            "Try again with a supported text or chat model."
        )  # fmt: skip


def _is_own(model: str) -> bool:
    """Whether it is the ARN of a resource of the caller's own, behind which there may be any model."""
    return model.startswith("arn:") and "foundation-model/" not in model and ":inference-profile/" not in model


def list_models(query: bytes, region: str) -> dict[str, Any]:
    """ListFoundationModels, with its filters."""
    wanted = {name: values[-1] for name, values in parse_qs(query.decode("latin-1")).items()}
    vendor, output = wanted.get("byProvider", "").lower(), wanted.get("byOutputModality")
    kind = wanted.get("byInferenceType")
    found = [
        _summary(model, region)
        for model in MODELS.values()
        if (not vendor or vendor in (model.vendor.lower(), model.id.partition(".")[0]))
        and (not output or output in model.outputs)
        and (not kind or kind in _inference_types(model))
    ]
    return {"modelSummaries": [] if "byCustomizationType" in wanted else found}


def get_model(model: str, region: str) -> dict[str, Any]:
    """GetFoundationModel. Raises Refusal."""
    found = MODELS.get(base_id(model))
    if found is None:
        raise Refusal("Could not resolve the foundation model from the provided model identifier.", 404)
    return {"modelDetails": _summary(found, region)}


def list_profiles(query: bytes, region: str) -> dict[str, Any]:
    """ListInferenceProfiles: those of the system, of the caller's geography and of the world."""
    wanted = {name: values[-1] for name, values in parse_qs(query.decode("latin-1")).items()}
    geography = {"us": "us", "eu": "eu", "ap": "apac", "ca": "ca"}.get(region[:2], "us")
    models = [model for model in MODELS.values() if model.has_profiles]
    found = [
        _profile(model, place, region)
        for place in (geography, "global")
        for model in models
        if wanted.get("type", "SYSTEM_DEFINED") == "SYSTEM_DEFINED"
    ]
    start = wanted.get("nextToken", "0")
    start_at = int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 0
    size = wanted.get("maxResults", "1000")
    end = start_at + (max(1, int(size)) if size.isascii() and size.isdigit() and len(size) < 9 else 1000)
    reply: dict[str, Any] = {"inferenceProfileSummaries": found[start_at:end]}
    if end < len(found):
        reply["nextToken"] = str(end)
    return reply


def _inference_types(model: Model) -> list[str]:
    return ["INFERENCE_PROFILE"] if model.has_profiles else ["ON_DEMAND"]


def _summary(model: Model, region: str) -> dict[str, Any]:
    return {
        "modelArn": _arn(model.id, region),
        "modelId": model.id,
        "modelName": model.label,
        "providerName": model.vendor,
        "inputModalities": list(model.inputs),
        "outputModalities": list(model.outputs),
        "responseStreamingSupported": model.streams,
        "customizationsSupported": [],
        "inferenceTypesSupported": _inference_types(model),
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _arn(model: str, region: str) -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{model}"


def _profile(model: Model, place: str, region: str) -> dict[str, Any]:
    id = f"{place}.{model.id}"
    label = place.upper() if len(place) == 2 else place.capitalize()
    return {
        "inferenceProfileId": id,
        "inferenceProfileName": f"{label} {model.label.replace('.', ' ')}",
        "inferenceProfileArn": f"arn:aws:bedrock:{region}:123456789012:inference-profile/{id}",
        "description": f"Routes requests to {model.label} in {label}.",
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
        "models": [{"modelArn": _arn(model.id, region)}],
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }


def openai_list() -> dict[str, Any]:
    """The list as OpenAI's clients read it: the models that answer them."""
    found = [
        {"id": model.id, "object": "model", "created": 1767225600, "owned_by": model.id.partition(".")[0]}
        for model in MODELS.values()
        if model.id.startswith("openai.")
    ]
    return {"object": "list", "data": found}


def anthropic_list() -> dict[str, Any]:
    """The list as Anthropic's clients read it: Claude."""
    found = []
    for model in MODELS:
        info = model_info(own_name(model)) if model.startswith("anthropic.") else None
        if info is not None:
            found.append({**info, "id": model})
    return {"data": found, "has_more": False, "first_id": found[0]["id"], "last_id": found[-1]["id"]}
