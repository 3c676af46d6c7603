"""Usage in Google's own reply shapes: generateContent (JSON, server-sent events, JSON array), embeddings, interactions.

Source: google-genai 3.4.0 `types.py` (GenerateContentResponseUsageMetadata) and `_gaos/types/interactions/usage.py`;
for the sums, the extractors of genai-prices 0.2.3; read November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from providers.base import Header, Usage, UsageReader
from providers.wire.json_body import JsonReader, count, find_member, is_json, mapping, media_type, parse, text
from providers.wire.sse import SseReader
from providers.wire.window import Window

_LOOK_BACK_EVENTS = 16
_MEMBERS = ("usageMetadata", "modelVersion", "usage", "model")
# What a modality is called in the price library's names. Source: genai-prices 0.2.3, google extractors.
# Video costs what text costs, so it has no name here, nor has what was read from the cache except audio.
_MODALITIES = {"AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image"}
_STANDARD_TIERS = frozenset(
    {"ON_DEMAND", "TRAFFIC_TYPE_UNSPECIFIED", "STANDARD", "UNSPECIFIED", "SERVICE_TIER_UNSPECIFIED", ""}
)
_FINISHED = re.compile(rb'"(?:finishReason|blockReason)"\s*:\s*"')
_ERROR = re.compile(rb'"error"\s*:\s*\{')


def usage_reader(flavor: str, headers: Sequence[Header], *, is_streaming: bool) -> UsageReader | None:
    """The reader for a 2xx reply of a flavor ("generate", "predict", "embed", "count_tokens", "interaction", "plain").

    A stream is server-sent events or a JSON array, as its content type says; None for a reply that is neither.
    """
    if media_type(headers) == b"text/event-stream":
        return InteractionStream() if flavor == "interaction" else GenerateStream()
    if media_type(headers) and not is_json(headers):
        return None
    if is_streaming and flavor == "generate":
        return GenerateArray()
    read = _UNARY.get(flavor)
    if read is None:
        return None
    return JsonReader(read, _is_finished if flavor == "interaction" else None, _MEMBERS)


def generate_usage(body: Any, *, is_final: bool = True) -> Usage:
    """Usage of a generateContent reply, or of one chunk of its stream.

    Google leaves counts of 0 out: a missing output count is 0 in a `is_final` reply and unknown in any other.
    """
    body = mapping(body)
    usage = mapping(body, "usageMetadata")
    prompt, tools = count(usage.get("promptTokenCount")), count(usage.get("toolUsePromptTokenCount"))
    written, thoughts = count(usage.get("candidatesTokenCount")), count(usage.get("thoughtsTokenCount"))
    if written is None and thoughts is None:
        output = 0 if is_final and prompt is not None else None
    else:
        output = (written or 0) + (thoughts or 0)
    return Usage(
        input_tokens=None if prompt is None else prompt + (tools or 0),
        output_tokens=output,
        cached_tokens=count(usage.get("cachedContentTokenCount")),
        reasoning_tokens=thoughts,
        model=text(body.get("modelVersion")),
        service_tier=_tier(usage),
        details=_details(usage),
    )


def embed_usage(body: Any) -> Usage:
    """Usage of embedContent and batchEmbedContents: nothing is written. Replies without `usageMetadata` are unknown."""
    tokens = count(mapping(body, "usageMetadata").get("promptTokenCount"))
    return Usage(input_tokens=tokens, output_tokens=None if tokens is None else 0)


def predict_usage(body: Any) -> Usage:
    """Usage of `:predict`: embeddings say how many tokens each instance had, images say nothing."""
    predictions = mapping(body).get("predictions")
    if not isinstance(predictions, list) or not predictions:
        return Usage()
    total = 0
    for prediction in predictions:
        tokens = mapping(prediction, "embeddings", "statistics").get("token_count")
        # Protobuf numbers arrive as floats from some models.
        if not isinstance(tokens, int | float) or isinstance(tokens, bool) or tokens < 0:
            return Usage()
        total += int(tokens)
    return Usage(input_tokens=total, output_tokens=0)


def interaction_usage(body: Any) -> Usage:
    """Usage of an interaction; thoughts and tool use are counted beside input and output."""
    body = mapping(body)
    usage = mapping(body, "usage")
    prompt, tools = count(usage.get("total_input_tokens")), count(usage.get("total_tool_use_tokens"))
    written, thoughts = count(usage.get("total_output_tokens")), count(usage.get("total_thought_tokens"))
    return Usage(
        input_tokens=None if prompt is None else prompt + (tools or 0),
        output_tokens=None if written is None else written + (thoughts or 0),
        cached_tokens=count(usage.get("total_cached_tokens")),
        reasoning_tokens=thoughts,
        model=text(body.get("model")),
        service_tier=_named_tier(text(body.get("service_tier"))),
    )


def _count_tokens_usage(body: Any) -> Usage:
    return Usage(input_tokens=count(mapping(body).get("totalTokens")), output_tokens=0)


_UNARY: Mapping[str, Callable[[Any], Usage]] = {
    "generate": generate_usage,
    "predict": predict_usage,
    "embed": embed_usage,
    "count_tokens": _count_tokens_usage,
    "interaction": interaction_usage,
    "plain": lambda body: Usage(),
}
_UNFINISHED_STATUSES = frozenset({"in_progress", "queued", "failed", "cancelled"})


def _is_finished(body: Any) -> bool:
    body = mapping(body)
    return not body.get("error") and body.get("status") not in _UNFINISHED_STATUSES


def _details(usage: Mapping[str, Any]) -> dict[str, float]:
    """Tokens by modality, under the price library's names; text is the rest."""
    found: dict[str, float] = {}
    for member, name in (
        ("promptTokensDetails", "input_{}_tokens"),
        ("toolUsePromptTokensDetails", "input_{}_tokens"),
        ("candidatesTokensDetails", "output_{}_tokens"),
        ("cacheTokensDetails", "cache_{}_read_tokens"),
    ):
        entries = usage.get(member)
        for entry in entries if isinstance(entries, list) else ():
            modality = _MODALITIES.get(str(mapping(entry).get("modality")))
            tokens = count(mapping(entry).get("tokenCount"))
            if modality and tokens and (modality == "audio" or member != "cacheTokensDetails"):
                key = name.format(modality)
                found[key] = found.get(key, 0) + tokens
    return found


def _tier(usage: Mapping[str, Any]) -> str | None:
    return _named_tier(text(usage.get("serviceTier")) or text(usage.get("trafficType")))


def _named_tier(tier: str | None) -> str | None:
    """The tier in lower case without Google's prefix, None for the standard one."""
    if tier is None or tier.upper() in _STANDARD_TIERS:
        return None
    return tier.lower().removeprefix("on_demand_")


class GenerateStream(SseReader):
    """`alt=sse`: every chunk is a whole reply, the last `usageMetadata` counts; a finish reason is the only end."""

    __slots__ = ()

    def read(self) -> tuple[Usage, bool]:
        is_finished = False
        usage = Usage()
        for event in islice(self.last(), _LOOK_BACK_EVENTS):
            is_finished = is_finished or bool(_FINISHED.search(event.data))
            if usage.input_tokens is None:
                body = event.object("usageMetadata", "modelVersion")
                if body.get("usageMetadata"):
                    usage = generate_usage(body, is_final=is_finished)
            if is_finished and usage.input_tokens is not None:
                break
        # An error may come as bare JSON, outside any frame.
        last_block = self.tail().rstrip().replace(b"\r\n", b"\n").rpartition(b"\n\n")[2]
        return usage, is_finished and not last_block.lstrip().startswith((b"{", b"["))


class GenerateArray(Window):
    """Without `alt=sse`: one JSON array, its elements as they become ready."""

    __slots__ = ("is_whole",)

    def __init__(self) -> None:
        super().__init__()
        self.is_whole = False

    def finish(self) -> Usage:
        tail = self.tail()
        if not self.has_gap:
            chunks = parse(tail)
            if isinstance(chunks, list):
                return self._of_chunks([mapping(chunk) for chunk in chunks])
        head = self.head()
        self.is_whole = (
            self.has_gap
            and head.lstrip()[:1] + tail.rstrip()[-1:] == b"[]"
            and bool(_FINISHED.search(tail))
            and not (_ERROR.search(tail) or _ERROR.search(head))
        )
        found = {name: find_member(tail, name) for name in ("usageMetadata", "modelVersion")}
        return generate_usage(found, is_final=self.is_whole)

    def _of_chunks(self, chunks: list[Mapping[str, Any]]) -> Usage:
        self.is_whole = any(map(_has_finished, chunks)) and not any(chunk.get("error") for chunk in chunks)
        last: Mapping[str, Any] = next((chunk for chunk in reversed(chunks) if chunk.get("usageMetadata")), {})
        return generate_usage(last, is_final=self.is_whole)


def _has_finished(chunk: Mapping[str, Any]) -> bool:
    candidates = chunk.get("candidates")
    return bool(mapping(chunk, "promptFeedback").get("blockReason")) or any(
        mapping(candidate).get("finishReason") for candidate in (candidates if isinstance(candidates, list) else ())
    )


class InteractionStream(SseReader):
    """Interactions: `interaction.completed` holds the usage; then `[DONE]`, which not every version sends."""

    __slots__ = ()

    def read(self) -> tuple[Usage, bool]:
        for event in islice(self.last(), _LOOK_BACK_EVENTS):
            body = event.object()
            if body.get("event_type") == "interaction.completed":
                interaction = mapping(body, "interaction")
                return interaction_usage(interaction), _is_finished(interaction)
            if body.get("event_type") == "error":
                return Usage(), False
        return Usage(), False
