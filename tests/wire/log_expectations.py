"""What the request log must say of every scenario: exact tokens, and the cost the price library gives for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from genai_prices import Usage, calc_price

from tests.wire.sdks import Result, Setup

# input, output, read from the prompt cache, written to it, reasoning; as the stand-in reports them, inputs summed up.
Tokens = tuple[int | None, int | None, int | None, int | None, int | None]
_UNKNOWN: Tokens = (None, None, None, None, None)
_EMBEDDED: Tokens = (1000, 0, None, None, None)
_OPENAI_CHAT: Tokens = (1000, 100, 400, None, 20)
_OPENAI_RESPONSES: Tokens = (1000, 100, 400, 0, 20)
_OPENAI_MEDIA: Tokens = (1000, 100, None, None, None)
_CLAUDE: Tokens = (1500, 100, 300, 200, None)
_GEMINI: Tokens = (1000, 100, 400, None, 20)
# A stream that fails on its way has told its input already, except where all usage comes at the end.
_CLAUDE_BEGUN: Tokens = (1500, None, 300, 200, None)
_GEMINI_BEGUN: Tokens = (1000, None, None, None, None)

_FAILING = {"stream_cut", "stream_error"}
# No stream_options.include_usage: nowhere on the wire.
_UNTOLD_STREAMS = {"stream", "stream_paced", "gzip_stream", "tool_stream"}
_OPENAI_TOKENS = {
    "embeddings": _EMBEDDED,
    "embeddings_float": _EMBEDDED,
    "responses": _OPENAI_RESPONSES,
    "responses_stream": _OPENAI_RESPONSES,
    "responses_tool": _OPENAI_RESPONSES,
    "transcription": _OPENAI_MEDIA,
    "image": _OPENAI_MEDIA,
}
# What the provider never charges for. Speech is charged by characters, so its cost is unknown.
_FREE = {"models", "moderation", "count_tokens"}
_WITHOUT_USAGE = {"models", "moderation", "speech", "files", "upload"}
_PRICE_PROVIDERS = {
    "openai": "openai",
    "azure_openai": "azure",
    "anthropic": "anthropic",
    "bedrock": "aws",
    "vertex_ai": "google",
}


@dataclass(frozen=True, slots=True)
class Logged:
    """A scenario's row: its tokens, and what an upstream reply costs (None: not known)."""

    tokens: Tokens
    cost_usd: Decimal | None


def expected(setup: Setup, result: Result, row: dict[str, Any]) -> Logged:
    """What the row of a scenario must say; `row` gives model and time, which decide the price."""
    scenario = result["scenario"].removesuffix("_again")
    if scenario.startswith("error"):
        # A prompt that the content filter of Azure refuses is charged for, by an amount that no reply tells.
        is_charged = setup.provider == "azure_openai" and row["status"] == 400
        return Logged(_UNKNOWN, None if is_charged else Decimal(0))
    tokens = _tokens(setup, scenario, result)
    if scenario in _FREE:
        return Logged(tokens, Decimal(0))
    if tokens[0] is None or tokens[1] is None:
        return Logged(tokens, None)
    model = row["model"]
    if model == "my-deployment":
        # Only chat replies of Azure name the model behind a deployment.
        if scenario.startswith("responses"):
            return Logged(tokens, None)
        model = "gpt-4o-mini"
    usage = Usage(
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cache_read_tokens=tokens[2] or 0,
        cache_write_tokens=tokens[3] or 0,
    )
    priced = calc_price(
        usage,
        model,
        provider_id=_PRICE_PROVIDERS[setup.provider],
        genai_request_timestamp=datetime.fromisoformat(row["started_at"]),
    )
    return Logged(tokens, priced.total_price)


def _tokens(setup: Setup, scenario: str, result: Result) -> Tokens:
    if scenario == "count_tokens":
        return result["value"], 0, None, None, None
    if scenario in _WITHOUT_USAGE:
        return _UNKNOWN
    if setup.family in {"openai", "azure"}:
        is_untold = scenario in _UNTOLD_STREAMS | _FAILING
        return _UNKNOWN if is_untold else _OPENAI_TOKENS.get(scenario, _OPENAI_CHAT)
    if setup.family == "genai":
        if scenario == "embeddings":
            return _UNKNOWN if setup.style == "gemini" else _EMBEDDED
        return _GEMINI_BEGUN if scenario in _FAILING else _GEMINI
    if setup.family == "bedrock":
        if scenario in _FAILING:
            return _UNKNOWN
        return _EMBEDDED if scenario == "embeddings" else _CLAUDE
    return _CLAUDE_BEGUN if scenario in _FAILING else _CLAUDE
