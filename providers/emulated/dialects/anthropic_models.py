"""The models Anthropic offers, and how it lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from providers.emulated.dialects.anthropic_pages import Page, page_reply

_M = 1_000_000
_K = 1_000


class _Model(NamedTuple):
    """`id` is the one in the list, `aliases` are others it answers to. `thinking`: what `thinking.type` may be."""

    id: str
    display_name: str
    created_at: str
    line: str
    max_input_tokens: int
    max_tokens: int
    efforts: tuple[str, ...]
    thinking: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    deprecated_at: str | None = None
    retires_at: str | None = None


_ALL = ("low", "medium", "high", "xhigh", "max")
_NO_XHIGH = ("low", "medium", "high", "max")
_ADAPTIVE = ("adaptive",)
_EITHER = ("adaptive", "disabled")
_ANY = ("adaptive", "disabled", "enabled")
_CLASSIC = ("disabled", "enabled")

# Source: anthropic-sdk-python 2.12.0 `types/model.py` and `resources/messages/messages.py` (ids, retirement),
# anthropic-sdk-typescript 1.12.0 `CHANGELOG.md` (dates; 1970 where it tells none, as the service does), genai-prices
# 0.2.3 (context windows); read November 2026. Efforts and kinds of thinking of models without published tables are
# those of their predecessors.
_MODELS = (
    _Model("claude-fable-5-2", "Claude Fable 5.2", "2026-11-09", "fable", _M, 128 * _K, _ALL, _ADAPTIVE),
    _Model("claude-mythos-5-2", "Claude Mythos 5.2", "2026-11-09", "mythos", _M, 128 * _K, _ALL, _ADAPTIVE),
    _Model("claude-haiku-5-5", "Claude Haiku 5.5", "2026-10-07", "haiku", _M, 128 * _K, _ALL, _EITHER),
    _Model("claude-sonnet-5-5", "Claude Sonnet 5.5", "2026-09-28", "sonnet", _M, 128 * _K, _ALL, _EITHER),
    _Model("claude-opus-5-5", "Claude Opus 5.5", "2026-09-22", "opus", _M, 128 * _K, _ALL, _ADAPTIVE),
    _Model("claude-fable-5-1", "Claude Fable 5.1", "1970-01-01", "fable", _M, 128 * _K, _ALL, _ADAPTIVE),
    _Model("claude-mythos-5-1", "Claude Mythos 5.1", "1970-01-01", "mythos", _M, 128 * _K, _ALL, _ADAPTIVE),
    _Model("claude-opus-5", "Claude Opus 5", "2026-07-24", "opus", _M, 128 * _K, _ALL, _EITHER),
    _Model("claude-sonnet-5", "Claude Sonnet 5", "2026-06-30", "sonnet", _M, 128 * _K, _ALL, _EITHER),
    _Model("claude-fable-5", "Claude Fable 5", "2026-06-09", "fable", _M, 128 * _K, _ALL, _ADAPTIVE),
    _Model("claude-mythos-5", "Claude Mythos 5", "2026-06-09", "mythos", _M, 128 * _K, _ALL, _ADAPTIVE),
    _Model("claude-opus-4-8", "Claude Opus 4.8", "2026-05-28", "opus", _M, 128 * _K, _ALL, _EITHER),
    _Model("claude-opus-4-7", "Claude Opus 4.7", "2026-04-16", "opus", _M, 128 * _K, _ALL, _EITHER),
    _Model("claude-sonnet-4-6", "Claude Sonnet 4.6", "2026-02-17", "sonnet", _M, 128 * _K, _NO_XHIGH, _ANY),
    _Model("claude-opus-4-6", "Claude Opus 4.6", "2026-02-05", "opus", _M, 128 * _K, _NO_XHIGH, _ANY),
    _Model(
        "claude-opus-4-5-20251101", "Claude Opus 4.5", "2025-11-24", "opus", 200 * _K, 64 * _K,
        ("low", "medium", "high"), _CLASSIC, ("claude-opus-4-5",),
    ),
    _Model(
        "claude-haiku-4-5-20251001", "Claude Haiku 4.5", "2025-10-15", "haiku", 200 * _K, 64 * _K, (), _CLASSIC,
        ("claude-haiku-4-5",),
    ),
    _Model(
        "claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", "2025-09-29", "sonnet", 200 * _K, 64 * _K, (), _CLASSIC,
        ("claude-sonnet-4-5",), "2026-09-30", "2026-11-30",
    ),
)  # fmt: skip


def _support(is_supported: bool) -> dict[str, bool]:
    return {"supported": is_supported}


def _info(model: _Model) -> dict[str, Any]:
    yes = _support(True)
    efforts: dict[str, Any] = {name: _support(name in model.efforts) for name in _ALL}
    types = {
        name: _support(name in model.thinking or (name == "between_tools" and "disabled" in model.thinking))
        for name in ("adaptive", "between_tools", "disabled", "enabled")
    }
    contexts = ("clear_thinking_20251015", "clear_tool_uses_20250919", "compact_20260112")
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.display_name,
        "created_at": f"{model.created_at}T00:00:00Z",
        "line": model.line,
        "lifecycle": "deprecated" if model.deprecated_at else "active",
        "deprecated_at": f"{model.deprecated_at}T00:00:00Z" if model.deprecated_at else None,
        "retires_at": f"{model.retires_at}T00:00:00Z" if model.retires_at else None,
        "max_input_tokens": model.max_input_tokens,
        "max_tokens": model.max_tokens,
        "capabilities": {
            "batch": yes,
            "citations": yes,
            "code_execution": yes,
            "context_management": {"supported": True} | dict.fromkeys(contexts, yes),
            "effort": {"supported": bool(model.efforts)} | efforts,
            "image_input": yes,
            "pdf_input": yes,
            "server_tools": {"supported": True, "code_execution": yes, "web_search": yes},
            "structured_outputs": yes,
            "thinking": {"supported": True, "types": types},
        },
    }


_INFOS: Mapping[str, Mapping[str, Any]] = {model.id: _info(model) for model in _MODELS}
_BY_NAME: Mapping[str, Mapping[str, Any]] = {
    **_INFOS,
    **{alias: _INFOS[model.id] for model in _MODELS for alias in model.aliases},
}


def is_known(model: str) -> bool:
    """Whether Anthropic has a model of this name; what a strict emulation asks."""
    return model in _BY_NAME


def model_info(model: str) -> Mapping[str, Any] | None:
    """One model as its own page shows it; None for an unknown one."""
    return _BY_NAME.get(model)


# Source: docs.claude.com/en/docs/about-claude/models/overview, "Model comparison", 2025.
_FORMER_LIMITS = (
    ("claude-3-opus", 4096), ("claude-3-sonnet", 4096), ("claude-3-haiku", 4096), ("claude-3-5-", 8192),
    ("claude-3-7-sonnet", 128_000), ("claude-opus-4-1", 32_000), ("claude-opus-4-2", 32_000),
    ("claude-sonnet-4-2", 64_000),
)  # fmt: skip


def output_limit(model: str) -> tuple[int, str] | None:
    """The most output tokens a model gives, and its full name; None for an unknown one."""
    info = _BY_NAME.get(model)
    if info is not None:
        return info["max_tokens"], info["id"]
    return next(((limit, model) for start, limit in _FORMER_LIMITS if model.startswith(start)), None)


def model_list(page: Page, lifecycles: frozenset[str]) -> dict[str, Any]:
    """One page of the list, newest first. `lifecycles`: the stages asked for."""
    return page_reply([info for info in _INFOS.values() if info["lifecycle"] in lifecycles], page)
