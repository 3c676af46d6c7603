"""The Anthropic API: api.anthropic.com and gateways that speak like it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from providers.base import BodyFacts, Call, Condition, ErrorReply, Header, Origin, Provider, Snippet, UsageReader
from providers.wire.anthropic_operations import ANTHROPIC_CALLS
from providers.wire.anthropic_usage import usage_reader
from providers.wire.json_body import count, number, text
from providers.wire.routes import build_operations, join_prefix

CACHEABLE = frozenset({"completions", "messages", "messages.count_tokens", "models.list"})

_OPERATIONS, _ROUTES = build_operations(ANTHROPIC_CALLS, "/v1", CACHEABLE)
_DEFAULT_ORIGIN = Origin("https", "api.anthropic.com", 443)

# Source: docs.anthropic.com/en/api/errors, read November 2026: the type of every status.
_TYPES: Mapping[Condition, str] = {
    Condition.BLOCKED: "permission_error",
    Condition.LIMITED: "rate_limit_error",
    Condition.BAD_REQUEST: "invalid_request_error",
    Condition.REQUEST_TIMEOUT: "timeout_error",
    Condition.TOO_LARGE: "request_too_large",
    Condition.NO_CREDENTIALS: "permission_error",
    Condition.NO_RECORDING: "not_found_error",
    Condition.INTERNAL: "api_error",
    Condition.BAD_GATEWAY: "api_error",
    Condition.GATEWAY_TIMEOUT: "timeout_error",
}
_CODES: Mapping[Condition, str] = {
    Condition.NO_RECORDING: "no_recording",
    Condition.BAD_GATEWAY: "bad_gateway",
}


class Anthropic(Provider):
    id = "anthropic"
    label = "Anthropic"
    example_model = "claude-haiku-4-5"
    default_upstream = "https://api.anthropic.com"
    price_provider = "anthropic"
    operations = _OPERATIONS
    key_headers = frozenset({b"anthropic-version", b"anthropic-beta"})
    unsafe_reply_headers = frozenset(
        {b"retry-after", b"retry-after-ms"}
        | {
            f"anthropic-ratelimit-{unit}-{what}".encode()
            for unit in ("requests", "tokens", "input-tokens", "output-tokens")
            for what in ("limit", "remaining", "reset")
        }
        | {
            f"anthropic-{tier}-{unit}-{what}".encode()
            for tier in ("priority", "fast")
            for unit in ("input-tokens", "output-tokens")
            for what in ("limit", "remaining", "reset")
        }
    )

    def match(self, method: str, path: bytes) -> Call:
        below = path
        while below.startswith(b"/v1/"):
            below = below[3:]
        found = _ROUTES.find(method, below)
        if found is None:
            return Call(None, path)
        operation, model = found
        return Call(operation, b"/v1" + below, model)

    def read_body(self, call: Call, body: Any) -> BodyFacts:
        if not isinstance(body, dict):
            return BodyFacts(model=call.model)
        return BodyFacts(
            model=text(body.get("model")) or call.model,
            is_streaming=body.get("stream") is True and call.operation is not None and call.operation.streams == "body",
            temperature=number(body.get("temperature")),
            max_output_tokens=count(body.get("max_tokens")),
        )

    def origin(
        self, call: Call, headers: Sequence[Header], upstream: Origin | None, default_region: str = ""
    ) -> Origin:
        return upstream or _DEFAULT_ORIGIN

    def upstream_path(self, call: Call, origin: Origin) -> bytes:
        return join_prefix(origin.prefix, call.path)

    def error(
        self,
        condition: Condition,
        message: str,
        *,
        request_id: str,
        call: Call,
        is_streaming: bool = False,
        model: str | None = None,
        retry_after_s: float | None = None,
        code: str | None = None,
        query: bytes = b"",
    ) -> ErrorReply:
        own_id = "req_" + request_id.replace("-", "")
        error: dict[str, Any] = {"type": _TYPES[condition], "message": message}
        code = code or _CODES.get(condition)
        if code:
            # Where the 2.x Python SDK looks for what the type leaves open: anthropic-sdk-python 2.12.0, _exceptions.py.
            error["details"] = {"error_code": code}
        body = {"type": "error", "error": error, "request_id": own_id}
        headers: list[Header] = [(b"content-type", b"application/json"), (b"request-id", own_id.encode())]
        if condition is Condition.LIMITED and retry_after_s is not None:
            headers.append((b"retry-after", str(max(1, math.ceil(retry_after_s))).encode()))
        return ErrorReply(condition.status, tuple(headers), orjson.dumps(body))

    def usage_reader(self, call: Call, facts: BodyFacts, status: int, headers: Sequence[Header]) -> UsageReader | None:
        if call.operation is None or not call.operation.flavor or not 200 <= status < 300:
            return None
        return usage_reader(call.operation.flavor, headers, is_streaming=facts.is_streaming)

    def snippets(self, base_url: str, model: str) -> Sequence[Snippet]:
        values = {"base_url": base_url, "model": model}
        return (
            Snippet("anthropic-python", "Anthropic Python", "python", _PYTHON % values),
            Snippet("anthropic-javascript", "Anthropic JavaScript", "javascript", _JAVASCRIPT % values),
            Snippet("anthropic-curl", "curl", "shell", _CURL % values),
        )


_PYTHON = """\
import os

from anthropic import Anthropic

client = Anthropic(base_url="%(base_url)s", api_key=os.environ.get("ANTHROPIC_API_KEY", "unused"))
reply = client.messages.create(
    model="%(model)s",
    max_tokens=100,
    messages=[{"role": "user", "content": "Say hello."}],
)
print(reply.content[0].text)
"""

_JAVASCRIPT = """\
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ baseURL: "%(base_url)s", apiKey: process.env.ANTHROPIC_API_KEY ?? "unused" });
const reply = await client.messages.create({
  model: "%(model)s",
  max_tokens: 100,
  messages: [{ role: "user", content: "Say hello." }],
});
console.log(reply.content[0].text);
"""

_CURL = """\
curl --fail-with-body %(base_url)s/v1/messages \\
  -H "X-Api-Key: ${ANTHROPIC_API_KEY:-unused}" \\
  -H "anthropic-version: 2023-06-01" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "%(model)s", "max_tokens": 100, "messages": [{"role": "user", "content": "Say hello."}]}'
"""

PROVIDER = Anthropic()
