"""AWS Bedrock: InvokeModel and Converse with their streams, hosts by region, SigV4 or bearer credentials."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import orjson

from providers.base import (
    PASS_CREDENTIALS,
    BodyFacts,
    Call,
    Condition,
    CredentialAction,
    CredentialPlan,
    ErrorReply,
    Header,
    Operation,
    Origin,
    OriginUnknown,
    Provider,
    Snippet,
    UsageReader,
)
from providers.wire import anthropic_usage, aws, bedrock_hosts, bedrock_usage, openai_usage
from providers.wire.json_body import count, mapping, number, text


def _operation(name: str, method: str, pattern: bytes, **facts: Any) -> Operation:
    return Operation(name, method, re.compile(pattern), **facts)


_MODEL = rb"/model/(?P<model>[^/]+)"

# Source: botocore/data/bedrock-runtime, bedrock and bedrock-agent-runtime, service-2.json (1.44.5), read November 2026.
# InvokeModelWithBidirectionalStream is missing on purpose: it needs HTTP/2 both ways at once, so it is passed through.
_OPERATIONS: tuple[Operation, ...] = (
    _operation("invoke", "POST", _MODEL + rb"/invoke", is_cacheable=True, is_sampling=True, flavor="invoke"),
    _operation(
        "invoke.stream", "POST", _MODEL + rb"/invoke-with-response-stream",
        streams="always", is_cacheable=True, is_sampling=True, flavor="invoke_stream",
    ),
    _operation("converse", "POST", _MODEL + rb"/converse", is_cacheable=True, is_sampling=True, flavor="converse"),
    _operation(
        "converse.stream", "POST", _MODEL + rb"/converse-stream",
        streams="always", is_cacheable=True, is_sampling=True, flavor="converse_stream",
    ),
    _operation("count_tokens", "POST", _MODEL + rb"/count-tokens",
               is_cacheable=True, is_free=True, flavor="count_tokens"),
    _operation("guardrails.apply", "POST", rb"/guardrail/[^/]+/version/[^/]+/apply",
               is_cacheable=True, flavor="plain"),
    _operation("guardrails.check", "POST", rb"/guardrail-checks/invoke", is_cacheable=True, flavor="plain"),
    _operation("async_invoke.start", "POST", rb"/async-invoke"),
    _operation("async_invoke.list", "GET", rb"/async-invoke"),
    _operation("async_invoke.get", "GET", rb"/async-invoke/[^/]+"),
    _operation("models.list", "GET", rb"/foundation-models", is_cacheable=True, is_free=True, flavor="plain"),
    _operation("models.get", "GET", rb"/foundation-models/(?P<model>[^/]+)"),
    _operation("inference_profiles.list", "GET", rb"/inference-profiles"),
    # Knowledge bases, agents and flows change behind the request, so their replies are never recorded.
    _operation("rerank", "POST", rb"/rerank", is_cacheable=True, flavor="plain"),
    _operation("knowledge_bases.retrieve", "POST", rb"/knowledgebases/[^/]+/retrieve"),
    _operation("knowledge_bases.generate", "POST", rb"/retrieveAndGenerate"),
    _operation("knowledge_bases.generate.stream", "POST", rb"/retrieveAndGenerateStream", streams="always"),
    _operation("agents.invoke", "POST", rb"/agents/[^/]+/agentAliases/[^/]+/sessions/[^/]+/text", streams="always"),
    _operation("agents.invoke_inline", "POST", rb"/agents/[^/]+", streams="always"),
    _operation("messages", "POST", rb"/anthropic/v1/messages",
               streams="body", is_cacheable=True, is_sampling=True, flavor="messages"),
    _operation("messages.count_tokens", "POST", rb"/anthropic/v1/messages/count_tokens",
               is_cacheable=True, is_free=True, flavor="messages.count_tokens"),
    _operation("chat.completions", "POST", rb"/openai/v1/chat/completions",
               streams="body", is_cacheable=True, is_sampling=True, flavor="chat"),
    _operation("responses", "POST", rb"/openai/v1/responses",
               streams="body", is_cacheable=True, is_sampling=True, flavor="responses"),
    _operation("models.list", "GET", rb"/(?:openai|anthropic)/v1/models",
               is_cacheable=True, is_free=True, flavor="plain"),
    _operation("flows.invoke", "POST", rb"/flows/[^/]+/aliases/[^/]+", streams="always"),
)  # fmt: skip

_Read = TypeVar("_Read")
# How the model families name the most tokens an answer may have; `providers/emulated/dialects` has their sources.
_LIMITS = (
    "maxTokens", "max_tokens", "max_completion_tokens", "max_output_tokens", "max_gen_len", "max_tokens_to_sample",
    "maxTokenCount",
)  # fmt: skip
_CREDENTIAL_PREFIX = b"x-aws-"
_ACCESS_KEY, _SECRET_KEY, _SESSION_TOKEN = b"x-aws-access-key", b"x-aws-secret-key", b"x-aws-session-token"
# What a new signature replaces. `accept-encoding` is the client's wish and is not signed by us, so it stays.
_RESIGNED = frozenset({b"authorization", b"x-amz-date", b"x-amz-security-token", b"x-amz-content-sha256", b"date"})
_AUTHORITY = b":authority"

_NO_CREDENTIALS = (
    "This request brings no credentials that AWS would accept: it has no signature made for {host}. "
    "Give the proxy a credential reference (os.environ/NAME or profile:NAME), "
    "or send a Bedrock API key (Authorization: Bearer), or the headers x-aws-access-key and x-aws-secret-key "
    "(and x-aws-session-token), or sign the request for {host}."
)
_HALF_CREDENTIALS = "The headers x-aws-access-key and x-aws-secret-key belong together; {missing} is missing."
_NO_REGION = (
    "The AWS region of this request is not known. Set the proxy's region, or its upstream URL, "
    "or name a region in the request: in its signature, in the Host header, or by a model ARN."
)

_FOREIGN_FLAVORS = frozenset({"messages", "messages.count_tokens", "chat", "responses"})

# Source: bedrock-runtime service-2.json (1.44.5) for the modelled ones; 408 and 413 have no type of their own there.
_ERROR_TYPES: Mapping[Condition, str] = {
    Condition.BLOCKED: "AccessDeniedException",
    Condition.LIMITED: "ThrottlingException",
    Condition.BAD_REQUEST: "ValidationException",
    Condition.REQUEST_TIMEOUT: "RequestTimeoutException",
    Condition.TOO_LARGE: "RequestEntityTooLargeException",
    Condition.NO_CREDENTIALS: "AccessDeniedException",
    Condition.NO_RECORDING: "ResourceNotFoundException",
    Condition.INTERNAL: "InternalServerException",
    Condition.BAD_GATEWAY: "ServiceUnavailableException",
    Condition.GATEWAY_TIMEOUT: "ModelTimeoutException",
}


class Bedrock(Provider):
    """The runtime, and by their paths the control plane and the agents' services, all of one region."""

    id = "bedrock"
    label = "AWS Bedrock"
    example_model = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
    default_upstream = None
    derives_upstream = True
    takes_credential = True
    price_provider = "aws"
    operations = _OPERATIONS
    # Source: bedrock-runtime service-2.json (1.44.5), InvokeModelRequest: all that is not the body.
    key_headers = frozenset(
        {
            b"accept",
            b"anthropic-beta",
            b"anthropic-version",
            b"x-amzn-bedrock-trace",
            b"x-amzn-bedrock-guardrailidentifier",
            b"x-amzn-bedrock-guardrailversion",
            b"x-amzn-bedrock-performanceconfig-latency",
            b"x-amzn-bedrock-service-tier",
            b"x-amzn-bedrock-request-metadata",
        }
    )
    # A presigned request carries its credentials in the query.
    secret_query = frozenset(
        {b"x-amz-signature", b"x-amz-credential", b"x-amz-security-token", b"x-amz-date", b"x-amz-expires",
         b"x-amz-algorithm", b"x-amz-signedheaders"}
    )  # fmt: skip
    unsafe_reply_headers = frozenset({b"retry-after", b"x-amz-retry-after"})
    needs_http2 = True

    def match(self, method: str, path: bytes) -> Call:
        for operation in _OPERATIONS:
            if operation.method == method:
                found = operation.pattern.fullmatch(path)
                if found:
                    model = found.groupdict().get("model")
                    return Call(operation, path, unquote_to_bytes(model).decode("utf-8", "replace") if model else None)
        return Call(None, path)

    def read_body(self, call: Call, body: Any) -> BodyFacts:
        operation = call.operation
        is_streaming = False
        if operation is not None and operation.streams != "never":
            is_streaming = operation.streams == "always" or mapping(body).get("stream") is True
        return BodyFacts(
            call.model or text(mapping(body).get("model")),
            is_streaming,
            _first(body, number, "temperature"),
            max_output_tokens=_first(body, count, *_LIMITS),
        )

    def volatile_pointers(self, operation: Operation) -> tuple[str, ...]:
        # Source: botocore fills members marked idempotencyToken with a random one.
        return ("/clientRequestToken",)

    def origin(
        self, call: Call, headers: Sequence[Header], upstream: Origin | None, default_region: str = ""
    ) -> Origin:
        if upstream is not None:
            return upstream
        host = authorization = b""
        for name, value in headers:
            if name == b"host":
                host = value
            elif name == b"authorization":
                authorization = value
        named = bedrock_hosts.real_host(host)
        if named is not None:
            return Origin("https", named, 443)
        signature = aws.read_signature(authorization)
        region = _region(call, signature, authorization) or default_region
        derived = bedrock_hosts.host(call, region, signature.service if signature else "")
        if derived is None:
            raise OriginUnknown(_NO_REGION)
        return Origin("https", derived, 443)

    def upstream_path(self, call: Call, origin: Origin) -> bytes:
        return origin.prefix.encode("ascii") + call.path if origin.prefix else call.path

    def credentials(self, call: Call, headers: Sequence[Header], origin: Origin, *, is_http2: bool) -> CredentialPlan:
        if origin.scheme == "emulated":  # goes nowhere, and looks at them
            return PASS_CREDENTIALS
        host = authorization = access_key = secret_key = session_token = b""
        secrets: list[bytes] = []
        for name, value in headers:
            if name == b"host":
                host = value
            elif name == b"authorization":
                authorization = value
            elif name.startswith(_CREDENTIAL_PREFIX):
                secrets.append(name)
                if name == _ACCESS_KEY:
                    access_key = value
                elif name == _SECRET_KEY:
                    secret_key = value
                elif name == _SESSION_TOKEN:
                    session_token = value
        drop = frozenset(secrets)
        if not aws.is_aws_host(origin.host) or aws.bearer_token(authorization):
            return CredentialPlan(drop=drop)
        signature = aws.read_signature(authorization)
        if access_key or secret_key:
            if not (access_key and secret_key):
                missing = "x-aws-secret-key" if access_key else "x-aws-access-key"
                return CredentialPlan(CredentialAction.REFUSE, drop, message=_HALF_CREDENTIALS.format(missing=missing))
        elif signature is not None and _survives(signature, host, origin, drop):
            return CredentialPlan(drop=drop)
        region = aws.region_in_host(origin.host) or _region(call, signature, authorization)
        if not region:
            return CredentialPlan(CredentialAction.REFUSE, drop, message=_NO_REGION)
        return CredentialPlan(
            CredentialAction.SIGN,
            drop | _RESIGNED,
            region=region,
            service=bedrock_hosts.MANTLE if origin.host.startswith(bedrock_hosts.MANTLE) else "bedrock",
            access_key=access_key.decode("latin-1"),
            secret_key=secret_key.decode("latin-1"),
            session_token=session_token.decode("latin-1") if access_key else "",
            message=_NO_CREDENTIALS.format(host=origin.authority),
        )

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
        headers = [
            (b"content-type", b"application/json"),
            (b"x-amzn-requestid", request_id.encode("ascii")),
            (b"x-amzn-errortype", _ERROR_TYPES[condition].encode("ascii")),
        ]
        if retry_after_s is not None:
            # Source: botocore/retries/standard.py (1.44.5) reads the one in milliseconds; the JavaScript SDK both.
            headers.append((b"x-amz-retry-after", str(max(0, round(retry_after_s * 1000))).encode("ascii")))
            headers.append((b"retry-after", str(max(0, -int(-retry_after_s // 1))).encode("ascii")))
        body: dict[str, Any] = {"message": message}
        if call.operation is not None and call.operation.flavor in _FOREIGN_FLAVORS:
            # The OpenAI and Anthropic clients look for the message in here.
            body["error"] = {"message": message, "type": _ERROR_TYPES[condition], "code": code}
        if code is not None:
            # SDKs choose the class by the header, so that stays a type they know.
            body["code"] = code
        return ErrorReply(condition.status, tuple(headers), orjson.dumps(body))

    def usage_reader(self, call: Call, facts: BodyFacts, status: int, headers: Sequence[Header]) -> UsageReader | None:
        operation = call.operation
        if operation is None or not 200 <= status < 300:
            return None
        if operation.flavor.startswith("messages"):
            claude = "count_tokens" if operation.flavor.endswith("count_tokens") else "messages"
            return anthropic_usage.usage_reader(claude, headers, is_streaming=facts.is_streaming)
        if operation.flavor in _FOREIGN_FLAVORS:
            return openai_usage.usage_reader(operation.flavor, headers, is_streaming=facts.is_streaming)
        return bedrock_usage.usage_reader(operation.flavor, headers, reads_model=_is_opaque(call.model or ""))

    def snippets(self, base_url: str, model: str) -> Sequence[Snippet]:
        filled = {
            "BASE_URL": base_url,
            "CLAUDE": model if "anthropic" in model else self.example_model,
            "ENCODED": model.replace(":", "%3A").replace("/", "%2F"),
            "MODEL": model,
        }
        return tuple(
            Snippet(id_, label, language, re.sub("|".join(filled), lambda name: filled[name[0]], code))
            for id_, label, language, code in _SNIPPETS
        )


def _first(body: Any, read: Callable[[Any], _Read | None], *names: str) -> _Read | None:
    """A setting of a Converse request or of an InvokeModel body, whichever family it is for."""
    for holder in (
        mapping(body),
        mapping(body, "inferenceConfig"),  # Converse, Nova
        mapping(body, "additionalModelRequestFields"),
        mapping(body, "textGenerationConfig"),  # Titan
        mapping(body, "inferenceConfiguration"),
    ):
        for name in names:
            value = read(holder.get(name))
            if value is not None:
                return value
    return None


def _region(call: Call, signature: aws.Signature | None, authorization: bytes) -> str | None:
    """The region a request names: in its signature's scope, in its bearer token, in a model ARN; in this order."""
    if signature is not None:
        if signature.region:
            return signature.region
    elif authorization:
        token = aws.bearer_token(authorization)
        region = aws.region_in_token(token) if token else None
        if region:
            return region
    return aws.region_in_arn(call.model) if call.model else None


def _survives(signature: aws.Signature, host: bytes, origin: Origin, drop: frozenset[bytes]) -> bool:
    """Whether a client's signature is still right at `origin`: made for that host, over nothing that is taken away.

    A signature over `:authority` is not: HTTP/1.1 has no such header.
    """
    return (
        b"host" in signature.signed
        and _AUTHORITY not in signature.signed
        and host.lower() == origin.authority.encode("ascii")
        and signature.signed.isdisjoint(drop)
    )


def _is_opaque(model: str) -> bool:
    """Whether a model id is the name of somebody's own resource, so that only the reply can tell what answered."""
    return model.startswith("arn:") and "foundation-model/" not in model and ":inference-profile/" not in model


_SNIPPETS: tuple[tuple[str, str, str, str], ...] = (
    ("bedrock-boto3", "boto3", "python", """\
import boto3

# The region travels in the signature. The proxy signs anew with its own credential, so any keys will do here.
client = boto3.client(
    "bedrock-runtime",
    region_name="us-east-1",
    endpoint_url="BASE_URL",
    aws_access_key_id="dummy",
    aws_secret_access_key="dummy",
)
reply = client.converse(
    modelId="MODEL",
    messages=[{"role": "user", "content": [{"text": "Say hello."}]}],
)
print(reply["output"]["message"]["content"][0]["text"])
"""),
    ("bedrock-anthropic-python", "AnthropicBedrock", "python", """\
from anthropic import AnthropicBedrock

# The proxy signs anew with its own credential. With a Bedrock API key of your own: api_key="..." and no AWS keys.
client = AnthropicBedrock(
    aws_region="us-east-1", aws_access_key="dummy", aws_secret_key="dummy", base_url="BASE_URL"
)
message = client.messages.create(
    model="CLAUDE",
    max_tokens=256,
    messages=[{"role": "user", "content": "Say hello."}],
)
print(message.content[0].text)
"""),
    ("bedrock-aws-javascript", "AWS SDK for JavaScript", "javascript", """\
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";

// The proxy signs anew with its own credential, so any keys will do here.
const client = new BedrockRuntimeClient({
  region: "us-east-1",
  endpoint: "BASE_URL",
  credentials: { accessKeyId: "dummy", secretAccessKey: "dummy" },
});
const reply = await client.send(
  new ConverseCommand({
    modelId: "MODEL",
    messages: [{ role: "user", content: [{ text: "Say hello." }] }],
  }),
);
console.log(reply.output.message.content[0].text);
"""),
    ("bedrock-curl", "curl", "shell", """\
# A Bedrock API key passes through as it is; the Host header names the region.
curl -sS "BASE_URL/model/ENCODED/converse" \\
  -H "Host: bedrock-runtime.us-east-1.amazonaws.com" \\
  -H "Authorization: Bearer ${AWS_BEARER_TOKEN_BEDROCK:-dummy}" \\
  -H "Content-Type: application/json" \\
  -d '{"messages": [{"role": "user", "content": [{"text": "Say hello."}]}]}'
"""),
)  # fmt: skip

PROVIDER = Bedrock()
