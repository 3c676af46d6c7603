"""Azure OpenAI: OpenAI's calls under a customer's own resource, by deployment or in the v1 style."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from providers.base import (
    BodyFacts,
    Call,
    Condition,
    ErrorReply,
    Header,
    Origin,
    OriginUnknown,
    Provider,
    Snippet,
    UsageReader,
)
from providers.wire.openai_body import read_openai_body
from providers.wire.openai_operations import OPENAI_CALLS
from providers.wire.openai_usage import usage_reader
from providers.wire.routes import build_operations, decode_segment, join_prefix

CACHEABLE = frozenset({
    "audio.speech", "audio.transcriptions", "audio.translations", "chat.completions", "completions", "decisions",
    "embeddings", "images.edits", "images.generations", "images.variations", "models.list", "moderations", "responses",
    "responses.compact", "responses.input_tokens",
})  # fmt: skip

_OPERATIONS, _ROUTES = build_operations(OPENAI_CALLS, "/openai(?:/v1|/deployments/.+?)?", CACHEABLE)

_DEPLOYMENT = re.compile(rb"(/deployments/([^/]+))(/.+)")
# Source: openai-python 3.54.0 and 1.109.1 lib/azure.py: the calls whose path holds the deployment. 1.109.1 leaves a
# slash in its name as it is, so that it spans segments.
_DEPLOYMENT_WITH_SLASH = re.compile(
    rb"(/deployments/(.+?))(/(?:chat/completions|completions|embeddings|audio/(?:transcriptions|translations|speech)"
    rb"|images/(?:generations|edits)))"
)

# Source: learn.microsoft.com/azure/ai-foundry/openai reference, and public issue reports, read November 2026. The code
# is often the status as text.
_CODES: Mapping[Condition, str] = {
    Condition.BLOCKED: "AccessDenied",
    Condition.LIMITED: "429",
    Condition.BAD_REQUEST: "BadRequest",
    Condition.REQUEST_TIMEOUT: "Timeout",
    Condition.TOO_LARGE: "RequestEntityTooLarge",
    Condition.NO_CREDENTIALS: "PermissionDenied",
    Condition.NO_RECORDING: "no_recording",
    Condition.INTERNAL: "InternalServerError",
    Condition.BAD_GATEWAY: "BadGateway",
    Condition.GATEWAY_TIMEOUT: "GatewayTimeout",
}


class AzureOpenAI(Provider):
    id = "azure_openai"
    label = "Azure OpenAI"
    example_model = "gpt-4o-mini"
    default_upstream = None
    # A content filter or a time-out comes after the service has worked.
    # Source: learn.microsoft.com/azure/ai-services/openai/how-to/manage-costs ("HTTP Error response code and billing
    # status"), read November 2026.
    charged_errors = frozenset({400, 408})
    price_provider = "azure"
    operations = _OPERATIONS
    # The image deployment is named in a header: learn.microsoft.com/azure/ai-foundry/openai/how-to/responses.
    key_headers = frozenset({b"openai-beta", b"x-ms-enable-preview", b"x-ms-oai-image-generation-deployment"})
    # API Management takes the key from the query too.
    secret_query = frozenset({b"api-key", b"subscription-key"})
    unsafe_reply_headers = frozenset(
        {b"retry-after", b"retry-after-ms"}
        | {
            f"x-ratelimit-{what}-{unit}".encode()
            for what in ("limit", "remaining", "reset")
            for unit in ("requests", "tokens")
        }
    )

    def match(self, method: str, path: bytes) -> Call:
        # With and without /openai; below it /v1/..., /deployments/NAME/... or the call itself.
        below = path[7:] if path.startswith(b"/openai/") else path
        start, model = b"", None
        if below.startswith(b"/v1/"):
            start, below = b"/v1", below[3:]
        elif below.startswith(b"/deployments/"):
            split = _DEPLOYMENT.fullmatch(below)
            if split is None or _ROUTES.find(method, split[3]) is None:
                split = _DEPLOYMENT_WITH_SLASH.fullmatch(below)
            if split is None:
                return Call(None, path)
            start, model, below = split[1], decode_segment(split[2]), split[3]
        found = _ROUTES.find(method, below)
        if found is None:
            return Call(None, path)
        operation, named = found
        return Call(operation, b"/openai" + start + below, model or named)

    def read_body(self, call: Call, body: Any) -> BodyFacts:
        return read_openai_body(call, body)

    def origin(
        self, call: Call, headers: Sequence[Header], upstream: Origin | None, default_region: str = ""
    ) -> Origin:
        if upstream is None:
            raise OriginUnknown(
                "Azure OpenAI has no default upstream: set the proxy's upstream to your resource, "
                "for example https://RESOURCE.openai.azure.com"
            )
        return upstream

    def upstream_path(self, call: Call, origin: Origin) -> bytes:
        prefix = origin.prefix
        if call.path.startswith(b"/openai/"):
            # The resource's own base URL, in either style, is a natural thing to give as upstream.
            if prefix.endswith(("/openai", "/openai/v1")):
                prefix = prefix.removesuffix("/v1").removesuffix("/openai")
            return prefix.encode() + call.path
        return join_prefix(prefix, call.path)

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
        body = {"error": {"code": code or _CODES[condition], "message": message}}
        headers: list[Header] = [
            (b"content-type", b"application/json"),
            (b"apim-request-id", request_id.encode()),
            (b"x-request-id", request_id.encode()),
        ]
        if condition is Condition.LIMITED and retry_after_s is not None:
            seconds = str(max(1, math.ceil(retry_after_s))).encode()
            headers.append((b"retry-after", seconds))
            headers.append((b"retry-after-ms", str(max(1, math.ceil(retry_after_s * 1000))).encode()))
            headers.append((b"x-ratelimit-reset-requests", seconds))
        return ErrorReply(condition.status, tuple(headers), orjson.dumps(body))

    def usage_reader(self, call: Call, facts: BodyFacts, status: int, headers: Sequence[Header]) -> UsageReader | None:
        if call.operation is None or not call.operation.flavor or not 200 <= status < 300:
            return None
        return usage_reader(call.operation.flavor, headers, is_streaming=facts.is_streaming)

    def snippets(self, base_url: str, model: str) -> Sequence[Snippet]:
        values = {"base_url": base_url, "model": model}
        return (
            Snippet("azure-openai-python", "AzureOpenAI Python", "python", _PYTHON % values),
            Snippet("azure-openai-python-v1", "OpenAI Python, v1 style", "python", _PYTHON_V1 % values),
            Snippet("azure-openai-javascript", "AzureOpenAI JavaScript", "javascript", _JAVASCRIPT % values),
            Snippet("azure-openai-javascript-v1", "OpenAI JavaScript, v1 style", "javascript", _JAVASCRIPT_V1 % values),
            Snippet("azure-openai-curl", "curl", "shell", _CURL % values),
        )


_PYTHON = """\
import os

from openai import AzureOpenAI

client = AzureOpenAI(
    azure_endpoint="%(base_url)s",
    api_key=os.environ.get("AZURE_OPENAI_API_KEY", "unused"),
    api_version="2024-10-21",
)
reply = client.chat.completions.create(
    model="%(model)s",  # the name of your deployment
    messages=[{"role": "user", "content": "Say hello."}],
)
print(reply.choices[0].message.content)
"""

_PYTHON_V1 = """\
import os

from openai import OpenAI

client = OpenAI(base_url="%(base_url)s/openai/v1/", api_key=os.environ.get("AZURE_OPENAI_API_KEY", "unused"))
reply = client.chat.completions.create(
    model="%(model)s",  # the name of your deployment
    messages=[{"role": "user", "content": "Say hello."}],
)
print(reply.choices[0].message.content)
"""

_JAVASCRIPT = """\
import { AzureOpenAI } from "openai";

const client = new AzureOpenAI({
  endpoint: "%(base_url)s",
  apiKey: process.env.AZURE_OPENAI_API_KEY ?? "unused",
  apiVersion: "2024-10-21",
});
const reply = await client.chat.completions.create({
  model: "%(model)s", // the name of your deployment
  messages: [{ role: "user", content: "Say hello." }],
});
console.log(reply.choices[0].message.content);
"""

_JAVASCRIPT_V1 = """\
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "%(base_url)s/openai/v1/",
  apiKey: process.env.AZURE_OPENAI_API_KEY ?? "unused",
});
const reply = await client.chat.completions.create({
  model: "%(model)s", // the name of your deployment
  messages: [{ role: "user", content: "Say hello." }],
});
console.log(reply.choices[0].message.content);
"""

_CURL = """\
curl --fail-with-body "%(base_url)s/openai/deployments/%(model)s/chat/completions?api-version=2024-10-21" \\
  -H "api-key: ${AZURE_OPENAI_API_KEY:-unused}" \\
  -H "Content-Type: application/json" \\
  -d '{"messages": [{"role": "user", "content": "Say hello."}]}'
"""

PROVIDER = AzureOpenAI()
