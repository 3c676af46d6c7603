"""Azure's content filter results: nothing was found.

Source: learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter, read November 2026.
"""

from __future__ import annotations

from typing import Any

_SAFE = {"filtered": False, "severity": "safe"}
_UNDETECTED = {"filtered": False, "detected": False}

CHOICE_FILTERS: dict[str, Any] = {
    "hate": _SAFE,
    "protected_material_code": _UNDETECTED,
    "protected_material_text": _UNDETECTED,
    "self_harm": _SAFE,
    "sexual": _SAFE,
    "violence": _SAFE,
}
"""`content_filter_results` of a choice."""

DELTA_FILTERS: dict[str, Any] = {"hate": _SAFE, "self_harm": _SAFE, "sexual": _SAFE, "violence": _SAFE}
"""`content_filter_results` of a chunk."""

PROMPT_FILTERS: list[dict[str, Any]] = [
    {
        "prompt_index": 0,
        "content_filter_results": {
            "hate": _SAFE,
            "jailbreak": _UNDETECTED,
            "self_harm": _SAFE,
            "sexual": _SAFE,
            "violence": _SAFE,
        },
    }
]
"""`prompt_filter_results` of a reply."""
