"""Guardrails, which find nothing to object to here.

Source: bedrock-runtime service-2.json (botocore 1.44.5), ApplyGuardrailRequest and InvokeGuardrailChecksRequest.
"""

from __future__ import annotations

from typing import Any

from providers.emulated.dialects.bedrock_embeddings import Made
from providers.emulated.dialects.bedrock_errors import constraint, wrong_format
from providers.wire.json_body import mapping

_UNIT = 1000  # characters
_UNITS = (
    "topicPolicyUnits", "contentPolicyUnits", "wordPolicyUnits", "sensitiveInformationPolicyUnits",
    "sensitiveInformationPolicyFreeUnits", "contextualGroundingPolicyUnits",
)  # fmt: skip


def apply_guardrail(body: dict[str, Any]) -> Made:
    """The reply of ApplyGuardrail. Raises Refusal."""
    source = body.get("source")
    if source not in ("INPUT", "OUTPUT"):
        rule = "Member must not be null" if source is None else "Member must satisfy enum value set: [INPUT, OUTPUT]"
        raise constraint("source", source, rule)
    text = "\n".join(_texts(body.get("content"), "content", "text"))
    usage = dict.fromkeys(_UNITS, 0) | {"contentPolicyUnits": _units(text), "contentPolicyImageUnits": 0}
    coverage = {"textCharacters": {"guarded": len(text), "total": len(text)}}
    metrics = {"guardrailProcessingLatency": 100, "usage": usage, "guardrailCoverage": coverage}
    reply: dict[str, Any] = {
        "usage": usage,
        "action": "NONE",
        "actionReason": "No action.",
        "outputs": [{"text": text}] if body.get("outputScope") == "FULL" else [],
        "assessments": [{"invocationMetrics": metrics}],
        "guardrailCoverage": coverage,
    }
    return Made(reply, text, 0)


def check_content(body: dict[str, Any]) -> Made:
    """The reply of InvokeGuardrailChecks: every category with the lowest score. Raises Refusal."""
    messages = body.get("messages")
    if type(messages) is not list:
        raise constraint("messages", None, "Member must not be null")
    checks = body.get("checks")
    if type(checks) is not dict:
        raise constraint("checks", None, "Member must not be null")
    texts = [
        text for message in messages for text in _texts(mapping(message).get("content"), "messages.content", None)
    ]  # fmt: skip
    text = "\n".join(texts)
    results: dict[str, Any] = {}
    for name in ("contentFilter", "promptAttack"):
        if type(checks.get(name)) is dict:
            asked = checks[name].get("categories")
            found = [mapping(entry).get("category") for entry in (asked if type(asked) is list else ())]
            results[name] = {"results": [{"category": one, "severityScore": 0.0} for one in found if one]}
    if type(checks.get("sensitiveInformation")) is dict:
        results["sensitiveInformation"] = {"results": [], "truncated": False}
    usage = {name: {"textUnits": _units(text)} for name in results}
    return Made({"results": results, "usage": usage}, text, 0)


def _texts(blocks: Any, path: str, member: str | None) -> list[str]:
    """The texts of blocks; `member` holds them one level deeper."""
    if blocks is None:
        raise constraint(path, None, "Member must not be null")
    if type(blocks) is not list:
        raise wrong_format(path, "a list")
    found = [(mapping(block, member) if member else mapping(block)).get("text") for block in blocks]
    return [text for text in found if type(text) is str]


def _units(text: str) -> int:
    return -(-len(text) // _UNIT)
