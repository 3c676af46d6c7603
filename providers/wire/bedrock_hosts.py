"""Bedrock's services and their hosts: which one a path belongs to, and which host names are theirs.

Source: botocore/data/bedrock*/*/service-2.json and endpoint-rule-set-1.json (1.44.5); for bedrock-mantle, which speaks
OpenAI's and Anthropic's own dialects, openai 3.54.0 providers/bedrock.py and anthropic 2.12.0 lib/bedrock/_mantle.py;
read November 2026.
"""

from __future__ import annotations

import re

from providers.base import Call
from providers.wire import aws

# Which service a path belongs to, first match wins; what none matches is bedrock-runtime's.
_SERVICES: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("bedrock-runtime", re.compile(rb"/(?:model|guardrail|guardrail-checks|async-invoke)(?:/|$)")),
    (
        "bedrock-agent-runtime",
        re.compile(
            rb"/(?:retrieveAndGenerate(?:Stream)?|agenticRetrieveStream|generateQuery|optimize-prompt|rerank)$"
            rb"|/sessions(?:/|$)"
            rb"|/agents/[^/]+$|/agents/[^/]+/agentAliases/"
            rb"|/knowledgebases/[^/]+/retrieve$"
            rb"|/knowledgebases/[^/]+/datasources/[^/]+/(?:check|get)-ingested-document-acl$"
            rb"|/knowledgebases/[^/]+/datasources/[^/]+/documents/[^/]+/content$"
            rb"|/flows/[^/]+/executions$|/flows/[^/]+/aliases/[^/]+/executions(?:/|$)"
        ),
    ),
    (
        "bedrock-agent",
        re.compile(rb"/(?:agents|flows|knowledgebases|prompts|resourcepolicy|retrievalinstructions|tags)(?:/|$)"),
    ),
    (
        "bedrock",
        re.compile(
            rb"/(?:advanced-prompt-optimization-jobs?|automated-reasoning-policies|create-foundation-model-agreement"
            rb"|custom-models|data-retention|delete-foundation-model-agreement|enforcedGuardrailsConfiguration"
            rb"|evaluation-jobs?|foundation-models|foundation-model-availability|guardrails|imported-models"
            rb"|inference-profiles|list-foundation-model-agreement-offers|listTagsForResource|logging|marketplace-model"
            rb"|model-copy-jobs|model-customization|model-customization-jobs|model-import-jobs|model-invocation-jobs?"
            rb"|prompt-routers|provisioned-model-throughputs?|resource-policy|tagResource|untagResource"
            rb"|use-case-for-model-access)(?:/|$)"
        ),
    ),
)
_RUNTIME = "bedrock-runtime"
MANTLE = "bedrock-mantle"
_MANTLE_DOMAIN = "api.aws"
_MANTLE_PATH = re.compile(rb"/anthropic/|/openai/")
_AGENT_RUNTIME_NAMES = frozenset({"flows.invoke"})  # the method alone tells it from reading an alias

_HOST = re.compile(
    r"(?P<service>bedrock|bedrock-runtime|bedrock-agent|bedrock-agent-runtime|bedrock-mantle)(?:-fips)?"
    r"\.(?P<region>[a-z0-9-]+)\.(?P<suffix>[a-z0-9.-]+)"
)


def host(call: Call, region: str, signed_service: str) -> str | None:
    """The host that serves a call, None for a word that is no region.

    `signed_service`: the service the client's signature names, or "".
    """
    suffix = aws.dns_suffix(region)
    if suffix is None:
        return None
    name = service(call, signed_service)
    return f"{name}.{region}.{_MANTLE_DOMAIN if name == MANTLE else suffix}"


def service(call: Call, signed_service: str) -> str:
    """The first label of the host that serves a call."""
    if _MANTLE_PATH.match(call.path):
        # Both services have /openai/v1; who signed for the runtime meant it.
        return _RUNTIME if signed_service == "bedrock" and call.path.startswith(b"/openai/") else MANTLE
    if call.operation is not None and call.operation.name in _AGENT_RUNTIME_NAMES:
        return "bedrock-agent-runtime"
    for name, pattern in _SERVICES:
        if pattern.match(call.path):
            return name
    return _RUNTIME


def real_host(host: bytes) -> str | None:
    """The host a Host header names if it is one of Bedrock's own (a forward-proxy or hook recipe), else None."""
    if not host.startswith((b"bedrock", b"Bedrock")):
        return None
    name = host.decode("latin-1").lower().removesuffix(":443").removesuffix(":80")
    match = _HOST.fullmatch(name)
    if match is None:
        return None
    suffix = aws.dns_suffix(match["region"])
    if match["service"] == MANTLE:
        suffix = suffix and _MANTLE_DOMAIN
    return name if match["suffix"] == suffix else None
