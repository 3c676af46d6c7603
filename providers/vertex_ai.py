"""Google Vertex AI, and the Gemini API with the same shapes: hosts by location, Google's errors, uploads, Claude."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson

from providers.base import (
    BodyFacts,
    Call,
    Condition,
    ErrorReply,
    Header,
    Operation,
    Origin,
    OriginUnknown,
    Provider,
    Snippet,
    UsageReader,
)
from providers.wire import anthropic_usage, gemini_usage, openai_usage
from providers.wire.json_body import count, mapping, number, text
from providers.wire.routes import decode_segment, join_prefix

_VERSION = rb"/v1(?:alpha|beta1?)?"
_IN_LOCATION = _VERSION + rb"/projects/[^/]+/locations/[^/]+"
_GEMINI_MODEL = _VERSION + rb"/(?:models|tunedModels)/(?P<model>[^/]+)"
_PUBLISHED_MODEL = rb"(?:" + _IN_LOCATION + rb"|" + _VERSION + rb")/publishers/[^/]+/models/(?P<model>[^/]+)"
_CLAUDE = rb"(?:" + _IN_LOCATION + rb"|" + _VERSION + rb")/publishers/anthropic/models/"
_ENDPOINT = _IN_LOCATION + rb"/(?:endpoints|models)/(?P<model>[^/]+)"
# The OpenAI-compatible routes: Vertex' endpoint "openapi", and the Gemini API's.
_OPENAI = rb"(?:" + _IN_LOCATION + rb"/endpoints/[^/]+|" + _VERSION + rb"/openai)"


def _model_calls(name: str, verb: bytes, **facts: Any) -> list[Operation]:
    """One operation for each kind of name a model goes by; the verb follows a colon."""
    return [
        Operation(name, "POST", re.compile(parent + b":" + verb), **facts)
        for parent in (_PUBLISHED_MODEL, _GEMINI_MODEL, _ENDPOINT)
    ]


def _call(name: str, method: str, pattern: bytes, **facts: Any) -> Operation:
    return Operation(name, method, re.compile(pattern), **facts)


_GENERATES: dict[str, Any] = {"is_cacheable": True, "is_sampling": True, "flavor": "generate"}
_CLAUDES: dict[str, Any] = {"is_cacheable": True, "is_sampling": True, "flavor": "messages"}
_CHATS: dict[str, Any] = {"is_cacheable": True, "is_sampling": True, "flavor": "chat"}
_RESOURCE = rb"(?:" + _IN_LOCATION + rb"|" + _VERSION + rb")"

# Source: google-genai 3.4.0 (models.py, caches.py, files.py, _gaos/interactions.py) and anthropic 2.12.0
# lib/vertex/_client.py, read November 2026. The first match wins. Jobs and stored objects are never recorded.
_OPERATIONS: tuple[Operation, ...] = (
    *_model_calls("generate_content", b"generateContent", **_GENERATES),
    *_model_calls("generate_content.stream", b"streamGenerateContent", streams="always", **_GENERATES),
    *_model_calls("count_tokens", b"countTokens", is_cacheable=True, is_free=True, flavor="count_tokens"),
    *_model_calls("compute_tokens", b"computeTokens", is_cacheable=True, is_free=True, flavor="plain"),
    *_model_calls("embed_content", b"embedContent", is_cacheable=True, flavor="embed"),
    *_model_calls("batch_embed_contents", b"batchEmbedContents", is_cacheable=True, flavor="embed"),
    *_model_calls("predict", b"predict", is_cacheable=True, flavor="predict"),
    *_model_calls("predict_long_running", b"predictLongRunning"),
    *_model_calls("fetch_predict_operation", b"fetchPredictOperation"),
    *_model_calls("batches.create", rb"(?:batchGenerateContent|asyncBatchEmbedContent)"),
    _call("messages.count_tokens", "POST", _CLAUDE + rb"count-tokens:rawPredict",
          is_cacheable=True, is_free=True, flavor="count_tokens.claude"),
    _call("raw_predict", "POST", _CLAUDE + rb"(?P<model>[^/]+):rawPredict", streams="body", **_CLAUDES),
    _call("raw_predict.stream", "POST", _CLAUDE + rb"(?P<model>[^/]+):streamRawPredict",
          streams="always", **_CLAUDES),
    *_model_calls("raw_predict", b"rawPredict", streams="body", **_CHATS),
    *_model_calls("raw_predict.stream", b"streamRawPredict", streams="always", **_CHATS),
    _call("interactions.create", "POST", _RESOURCE + rb"/interactions",
          streams="body", is_cacheable=True, is_sampling=True, flavor="interaction"),
    _call("interactions.get", "GET", _RESOURCE + rb"/interactions/[^/]+"),
    _call("interactions.cancel", "POST", _RESOURCE + rb"/interactions/[^/]+/cancel"),
    _call("interactions.delete", "DELETE", _RESOURCE + rb"/interactions/[^/]+"),
    _call("chat.completions", "POST", _OPENAI + rb"/chat/completions", streams="body", **_CHATS),
    _call("embeddings", "POST", _OPENAI + rb"/embeddings", is_cacheable=True, flavor="embeddings"),
    _call("images.generations", "POST", _OPENAI + rb"/images/generations", is_cacheable=True, flavor="images"),
    _call("models.list", "GET", _OPENAI + rb"/models", is_cacheable=True, is_free=True, flavor="plain"),
    _call("models.get", "GET", _OPENAI + rb"/models/(?P<model>.+)"),
    _call("models.list", "GET", _RESOURCE + rb"/publishers/[^/]+/models",
          is_cacheable=True, is_free=True, flavor="plain"),
    _call("models.list", "GET", _VERSION + rb"/models", is_cacheable=True, is_free=True, flavor="plain"),
    _call("models.get", "GET", _PUBLISHED_MODEL),
    _call("models.get", "GET", _GEMINI_MODEL),
    _call("cached_contents.create", "POST", _RESOURCE + rb"/cachedContents"),
    _call("cached_contents.list", "GET", _RESOURCE + rb"/cachedContents"),
    _call("cached_contents.get", "GET", _RESOURCE + rb"/cachedContents/[^/]+"),
    _call("cached_contents.update", "PATCH", _RESOURCE + rb"/cachedContents/[^/]+"),
    _call("cached_contents.delete", "DELETE", _RESOURCE + rb"/cachedContents/[^/]+"),
    _call("files.upload", "POST", rb"/upload" + _VERSION + rb"/files"),
    _call("files.list", "GET", _VERSION + rb"/files"),
    _call("files.get", "GET", _VERSION + rb"/files/[^/]+"),
    _call("files.delete", "DELETE", _VERSION + rb"/files/[^/]+"),
    _call("batches.create", "POST", _IN_LOCATION + rb"/batchPredictionJobs"),
    _call("batches.list", "GET", rb"(?:" + _IN_LOCATION + rb"/batchPredictionJobs|" + _VERSION + rb"/batches)"),
)  # fmt: skip

# How Gemini, Claude and the OpenAI-shaped calls name the most tokens an answer may have.
_LIMITS = ("maxOutputTokens", "max_output_tokens", "max_tokens", "max_completion_tokens")

# Clients leave the version out when they expect it in the base URL; AnthropicVertex does.
_BARE_VERTEX = re.compile(rb"/(?:projects|publishers)/")
_BARE_GEMINI = re.compile(rb"/(?:models|tunedModels|openai)(?:/|$)")

_LOCATION = re.compile(rb"/projects/[^/]+/locations/(?P<location>[^/:]+)")
_NAME = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_VERTEX_PATH = re.compile(
    rb"(?:/upload)?(?:/v1beta1(?:/|$)|(?:/v1(?:alpha|beta)?)?/(?:projects|publishers|endpoints|reasoningEngines)/)"
)
_MULTI_REGIONS = frozenset({"us", "eu"})
_GLOBAL_HOST = "aiplatform.googleapis.com"
_GEMINI_HOST = "generativelanguage.googleapis.com"
_REAL_HOST = re.compile(
    r"(?:[a-z](?:[a-z0-9-]*[a-z0-9])?-)?aiplatform\.googleapis\.com"
    r"|aiplatform\.(?:us|eu)\.rep\.googleapis\.com|generativelanguage\.googleapis\.com"
)

# Source: google.rpc.Code and its HTTP mapping. Google's front end makes 408, 413 and 502 in HTML.
_STATUSES: Mapping[Condition, str] = {
    Condition.BLOCKED: "PERMISSION_DENIED",
    Condition.LIMITED: "RESOURCE_EXHAUSTED",
    Condition.BAD_REQUEST: "INVALID_ARGUMENT",
    Condition.REQUEST_TIMEOUT: "DEADLINE_EXCEEDED",
    Condition.TOO_LARGE: "INVALID_ARGUMENT",
    Condition.NO_CREDENTIALS: "PERMISSION_DENIED",
    Condition.NO_RECORDING: "NOT_FOUND",
    Condition.INTERNAL: "INTERNAL",
    Condition.BAD_GATEWAY: "UNAVAILABLE",
    Condition.GATEWAY_TIMEOUT: "DEADLINE_EXCEEDED",
}


class VertexAI(Provider):
    """Vertex AI of every location, and the Gemini API, told apart by their paths."""

    id = "vertex_ai"
    label = "Google Vertex AI and Gemini"
    example_model = "gemini-2.5-flash"
    default_upstream = None
    derives_upstream = True
    price_provider = "google"
    operations = _OPERATIONS
    key_headers = frozenset(
        {
            b"accept",
            b"anthropic-beta",
            b"anthropic-version",
            b"x-vertex-ai-llm-request-type",
            b"x-vertex-ai-llm-shared-request-type",
        }
    )
    secret_query = frozenset({b"key", b"access_token", b"oauth_token", b"quotaUser"})
    unsafe_reply_headers = frozenset({b"retry-after", b"server-timing"})
    rewritten_reply_headers = frozenset({b"x-goog-upload-url", b"x-goog-upload-control-url"})

    def match(self, method: str, path: bytes) -> Call:
        full = path
        if _BARE_VERTEX.match(path):
            full = b"/v1" + path
        elif _BARE_GEMINI.match(path):
            full = b"/v1beta" + path
        for operation in _OPERATIONS:
            if operation.method == method:
                found = operation.pattern.fullmatch(full)
                if found:
                    model = found.groupdict().get("model")
                    return Call(operation, full, decode_segment(model) if model else None)
        return Call(None, path)

    def read_body(self, call: Call, body: Any) -> BodyFacts:
        body = mapping(body)
        operation = call.operation
        is_streaming = False
        if operation is not None and operation.streams == "always":
            is_streaming = body.get("stream") is not False  # streamRawPredict obeys the body
        elif operation is not None and operation.streams == "body":
            is_streaming = body.get("stream") is True
        temperature = most = None
        for holder in (body, mapping(body, "generationConfig"), mapping(body, "generation_config")):
            temperature = number(holder.get("temperature")) if temperature is None else temperature
            for name in _LIMITS:
                most = count(holder.get(name)) if most is None else most
        return BodyFacts(call.model or text(body.get("model")), is_streaming, temperature, max_output_tokens=most)

    def origin(
        self, call: Call, headers: Sequence[Header], upstream: Origin | None, default_region: str = ""
    ) -> Origin:
        if upstream is not None:
            return upstream
        for name, value in headers:
            if name == b"host" and value.lower().endswith((b"googleapis.com", b"googleapis.com:443")):
                host = value.decode("latin-1").lower().removesuffix(":443")
                if _REAL_HOST.fullmatch(host):
                    return Origin("https", host, 443)
        return Origin("https", _host(call.path, default_region), 443)

    def upstream_path(self, call: Call, origin: Origin) -> bytes:
        prefix = origin.prefix.encode("ascii")
        if prefix and call.path.startswith(prefix + b"/upload/"):
            return call.path  # an upload address the upstream gave out, its own prefix in it
        return join_prefix(origin.prefix, call.path)

    def rewrite_reply_header(self, name: bytes, value: bytes, base_url: str) -> bytes:
        """An upload address on the proxy: the client sends the file's bytes wherever this header says."""
        address = urlsplit(value)
        if address.scheme not in (b"http", b"https"):
            return value
        target = address.path + (b"?" + address.query if address.query else b"")
        return base_url.encode("ascii") + target

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
        details: list[dict[str, Any]] = []
        if code is not None:
            # google.rpc.ErrorInfo wants its reason in capitals; the word itself stands beside it.
            details.append(
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": code.upper(),
                    "domain": "rubberduck",
                    "metadata": {"code": code},
                }
            )
        headers: list[Header] = [(b"content-type", b"application/json; charset=UTF-8")]
        if retry_after_s is not None:
            seconds = max(0, -int(-retry_after_s // 1))
            details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds}s"})
            headers.append((b"retry-after", str(seconds).encode("ascii")))  # for the OpenAI and Anthropic clients
        error: dict[str, Any] = {"code": condition.status, "message": message, "status": _STATUSES[condition]}
        if details:
            error["details"] = details
        body: Any = {"error": error}
        if call.operation is not None and call.operation.name == "generate_content.stream" and not _is_sse(query):
            body = [body]  # without alt=sse the reply is a JSON array, an error too
        return ErrorReply(condition.status, tuple(headers), orjson.dumps(body))

    def usage_reader(self, call: Call, facts: BodyFacts, status: int, headers: Sequence[Header]) -> UsageReader | None:
        operation = call.operation
        if operation is None or not operation.flavor or not 200 <= status < 300:
            return None
        flavor = operation.flavor
        if flavor in ("messages", "count_tokens.claude"):
            claude = flavor.removesuffix(".claude")
            return anthropic_usage.usage_reader(claude, headers, is_streaming=facts.is_streaming)
        if flavor in ("chat", "embeddings", "images"):
            return openai_usage.usage_reader(flavor, headers, is_streaming=facts.is_streaming)
        return gemini_usage.usage_reader(flavor, headers, is_streaming=facts.is_streaming)

    def snippets(self, base_url: str, model: str) -> Sequence[Snippet]:
        claude = model if model.startswith("claude") else _EXAMPLE_CLAUDE
        gemini = self.example_model if model.startswith("claude") else model
        filled = {"BASE_URL": base_url, "CLAUDE": claude, "MODEL": gemini}
        return tuple(
            Snippet(id_, label, language, re.sub("|".join(filled), lambda name: filled[name[0]], code))
            for id_, label, language, code in _SNIPPETS
        )


def _host(path: bytes, default_region: str) -> str:
    """The host of a path. Source: google-genai 3.4.0 _api_client.py, anthropic 2.12.0 lib/vertex/_client.py."""
    found = _LOCATION.search(path)
    if found is None and not _VERTEX_PATH.match(path):
        return _GEMINI_HOST
    location = decode_segment(found["location"]) if found else default_region or "global"
    if not _NAME.fullmatch(location):
        raise OriginUnknown(
            "The location in this request's path is not a Google Cloud location. "
            "Use one like us-central1, us, eu or global, or set the proxy's upstream URL."
        )
    if location == "global":
        return _GLOBAL_HOST
    if location in _MULTI_REGIONS:
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-aiplatform.googleapis.com"


def _is_sse(query: bytes) -> bool:
    return any(field in (b"alt=sse", b"%24alt=sse", b"$alt=sse") for field in query.split(b"&"))


_EXAMPLE_CLAUDE = "claude-haiku-4-5@20251001"

_SNIPPETS: tuple[tuple[str, str, str, str], ...] = (
    ("vertex-genai-python", "Google Gen AI Python, Vertex AI", "python", """\
import os

from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

# A token from `gcloud auth print-access-token`; without `credentials` the SDK uses your default ones.
client = genai.Client(
    vertexai=True,
    project=os.environ.get("GOOGLE_CLOUD_PROJECT", "my-project"),
    location="us-central1",
    credentials=Credentials(token=os.environ.get("GOOGLE_ACCESS_TOKEN", "dummy")),
    http_options=types.HttpOptions(base_url="BASE_URL"),
)
print(client.models.generate_content(model="MODEL", contents="Say hello.").text)
"""),
    ("gemini-genai-python", "Google Gen AI Python, Gemini API", "python", """\
import os

from google import genai
from google.genai import types

client = genai.Client(
    api_key=os.environ.get("GEMINI_API_KEY", "dummy"), http_options=types.HttpOptions(base_url="BASE_URL")
)
print(client.models.generate_content(model="MODEL", contents="Say hello.").text)
"""),
    ("vertex-genai-javascript", "Google Gen AI JavaScript, Vertex AI", "javascript", """\
import { GoogleGenAI } from "@google/genai";
import { OAuth2Client } from "google-auth-library";

// A token from `gcloud auth print-access-token`; without `googleAuthOptions` the SDK uses your default ones.
const authClient = new OAuth2Client();
authClient.setCredentials({ access_token: process.env.GOOGLE_ACCESS_TOKEN ?? "dummy" });
const ai = new GoogleGenAI({
  vertexai: true,
  project: process.env.GOOGLE_CLOUD_PROJECT ?? "my-project",
  location: "us-central1",
  googleAuthOptions: { authClient },
  httpOptions: { baseUrl: "BASE_URL" },
});
const reply = await ai.models.generateContent({ model: "MODEL", contents: "Say hello." });
console.log(reply.text);
"""),
    ("gemini-genai-javascript", "Google Gen AI JavaScript, Gemini API", "javascript", """\
import { GoogleGenAI } from "@google/genai";

const ai = new GoogleGenAI({
  apiKey: process.env.GEMINI_API_KEY ?? "dummy",
  httpOptions: { baseUrl: "BASE_URL" },
});
const reply = await ai.models.generateContent({ model: "MODEL", contents: "Say hello." });
console.log(reply.text);
"""),
    ("vertex-anthropic-python", "AnthropicVertex", "python", """\
import os

from anthropic import AnthropicVertex

client = AnthropicVertex(
    region="us-east5",
    project_id=os.environ.get("GOOGLE_CLOUD_PROJECT", "my-project"),
    access_token=os.environ.get("GOOGLE_ACCESS_TOKEN", "dummy"),
    base_url="BASE_URL/v1",
)
message = client.messages.create(
    model="CLAUDE", max_tokens=256, messages=[{"role": "user", "content": "Say hello."}]
)
print(message.content[0].text)
"""),
    ("vertex-curl", "curl, Vertex AI", "shell", """\
project="${GOOGLE_CLOUD_PROJECT:-my-project}"
curl -sS "BASE_URL/v1/projects/$project/locations/us-central1/publishers/google/models/MODEL:generateContent" \\
  -H "Authorization: Bearer ${GOOGLE_ACCESS_TOKEN:-dummy}" \\
  -H "Content-Type: application/json" \\
  -d '{"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]}'
"""),
    ("gemini-curl", "curl, Gemini API", "shell", """\
curl -sS "BASE_URL/v1beta/models/MODEL:generateContent" \\
  -H "x-goog-api-key: ${GEMINI_API_KEY:-dummy}" \\
  -H "Content-Type: application/json" \\
  -d '{"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]}'
"""),
)  # fmt: skip

PROVIDER = VertexAI()
