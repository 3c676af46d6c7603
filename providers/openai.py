"""The OpenAI API: api.openai.com and servers that speak like it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from providers.base import BodyFacts, Call, Condition, ErrorReply, Header, Origin, Provider, Snippet, UsageReader
from providers.wire.openai_body import read_openai_body
from providers.wire.openai_operations import OPENAI_CALLS
from providers.wire.openai_usage import usage_reader
from providers.wire.routes import build_operations, join_prefix

CACHEABLE = frozenset({
    "audio.speech", "audio.transcriptions", "audio.translations", "chat.completions", "completions", "decisions",
    "embeddings", "images.edits", "images.generations", "images.variations", "models.list", "moderations", "responses",
    "responses.compact", "responses.input_tokens",
})  # fmt: skip

_OPERATIONS, _ROUTES = build_operations(OPENAI_CALLS, "/v1", CACHEABLE)
_DEFAULT_ORIGIN = Origin("https", "api.openai.com", 443, "/v1")

# Source: platform.openai.com/docs/guides/rate-limits and /error-codes, and public issue reports, read November 2026.
_KINDS: Mapping[Condition, tuple[str, str | None]] = {
    Condition.BLOCKED: ("request_forbidden", "ip_not_authorized"),
    Condition.LIMITED: ("requests", "rate_limit_exceeded"),
    Condition.BAD_REQUEST: ("invalid_request_error", None),
    Condition.REQUEST_TIMEOUT: ("invalid_request_error", "request_timeout"),
    Condition.TOO_LARGE: ("server_error", None),
    Condition.NO_CREDENTIALS: ("invalid_request_error", "no_credentials"),
    Condition.NO_RECORDING: ("invalid_request_error", "no_recording"),
    Condition.INTERNAL: ("server_error", None),
    Condition.BAD_GATEWAY: ("server_error", "bad_gateway"),
    Condition.GATEWAY_TIMEOUT: ("server_error", "gateway_timeout"),
}


class OpenAI(Provider):
    id = "openai"
    label = "OpenAI"
    example_model = "gpt-4o-mini"
    default_upstream = "https://api.openai.com/v1"
    price_provider = "openai"
    operations = _OPERATIONS
    # Organisation and project choose who pays, like the key: recordings are shared across them, as across keys.
    key_headers = frozenset({b"openai-beta"})
    unsafe_reply_headers = frozenset(
        {b"retry-after", b"retry-after-ms"}
        | {
            f"x-ratelimit-{what}-{unit}".encode()
            for what in ("limit", "remaining", "reset")
            for unit in ("requests", "tokens", "input-images", "project-requests", "project-tokens", "audio-tokens")
        }
    )

    def match(self, method: str, path: bytes) -> Call:
        below = path[3:] if path.startswith(b"/v1/") else path
        found = _ROUTES.find(method, below)
        if found is None:
            return Call(None, path)
        operation, model = found
        return Call(operation, b"/v1" + below, model)

    def read_body(self, call: Call, body: Any) -> BodyFacts:
        return read_openai_body(call, body)

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
        kind, own_code = _KINDS[condition]
        body = {"error": {"message": message, "type": kind, "param": None, "code": code or own_code}}
        headers: list[Header] = [
            (b"content-type", b"application/json"),
            (b"x-request-id", b"req_" + request_id.replace("-", "").encode()),
        ]
        if condition is Condition.LIMITED and retry_after_s is not None:
            headers.append((b"retry-after", str(max(1, math.ceil(retry_after_s))).encode()))
            headers.append((b"retry-after-ms", str(max(1, math.ceil(retry_after_s * 1000))).encode()))
        return ErrorReply(condition.status, tuple(headers), orjson.dumps(body))

    def usage_reader(self, call: Call, facts: BodyFacts, status: int, headers: Sequence[Header]) -> UsageReader | None:
        if call.operation is None or not call.operation.flavor or not 200 <= status < 300:
            return None
        return usage_reader(call.operation.flavor, headers, is_streaming=facts.is_streaming)

    def snippets(self, base_url: str, model: str) -> Sequence[Snippet]:
        values = {"base_url": base_url, "model": model}
        return (
            Snippet("openai-python", "OpenAI Python", "python", _PYTHON % values),
            Snippet("openai-javascript", "OpenAI JavaScript", "javascript", _JAVASCRIPT % values),
            Snippet("openai-curl", "curl", "shell", _CURL % values),
        )


_PYTHON = """\
import os

from openai import OpenAI

client = OpenAI(base_url="%(base_url)s/v1", api_key=os.environ.get("OPENAI_API_KEY", "unused"))
reply = client.chat.completions.create(
    model="%(model)s",
    messages=[{"role": "user", "content": "Say hello."}],
)
print(reply.choices[0].message.content)
"""

_JAVASCRIPT = """\
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "%(base_url)s/v1", apiKey: process.env.OPENAI_API_KEY ?? "unused" });
const reply = await client.chat.completions.create({
  model: "%(model)s",
  messages: [{ role: "user", content: "Say hello." }],
});
console.log(reply.choices[0].message.content);
"""

_CURL = """\
curl --fail-with-body %(base_url)s/v1/chat/completions \\
  -H "Authorization: Bearer ${OPENAI_API_KEY:-unused}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "%(model)s", "messages": [{"role": "user", "content": "Say hello."}]}'
"""

PROVIDER = OpenAI()
