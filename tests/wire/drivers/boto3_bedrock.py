"""Drives `boto3`'s bedrock-runtime client, set up in each of the ways that reach a proxy."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from driver import WEATHER, Chunks, Driver, Observed, arguments

MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0"
TOOLS = {"tools": [{"toolSpec": {"name": "get_weather", "description": "Weather", "inputSchema": {"json": WEATHER}}}]}
STYLES = ("endpoint", "unsigned", "bearer-hook", "forward-proxy", "hook", "aws-headers")


class BedrockDriver(Driver):
    """The scenarios of a bedrock-runtime client."""

    def __init__(self, salt: str, make_client: Callable[..., Any]) -> None:
        super().__init__(salt)
        self.make_client = make_client
        self.client = make_client("bedrock-runtime")
        self.once = make_client("bedrock-runtime", total_max_attempts=1)
        for client in (self.client, self.once):
            client.meta.events.register("after-call.bedrock-runtime.*", self.after_call)

    def after_call(self, http_response: Any, **_: Any) -> None:
        self.headers = {name.lower(): value for name, value in http_response.headers.items()}

    def scenarios(self) -> dict[str, Callable[[], Observed]]:
        return {
            "unary": self.converse,
            "unary_again": self.converse,
            "stream": self.converse_stream,
            "stream_again": self.converse_stream,
            "stream_paced": lambda: self.converse_stream("Say it paced 60ms."),
            "stream_cut": lambda: self.converse_stream("Please die mid-stream."),
            "stream_error": lambda: self.converse_stream("Please fail mid-stream."),
            "tool": self.tool,
            "tool_again": self.tool,
            "tool_stream": self.tool_stream,
            "tool_stream_again": self.tool_stream,
            "error_400": lambda: self.converse("please fail 400"),
            "error_403": lambda: self.converse("please fail 403"),
            "error_429": lambda: self.converse("please fail 429", self.once),
            "error_500": lambda: self.converse("please fail 500", self.once),
            "invoke": self.invoke,
            "invoke_again": self.invoke,
            "invoke_stream": self.invoke_stream,
            "invoke_stream_again": self.invoke_stream,
            "profile_arn": lambda: self.converse("Say hello, by profile.", model=PROFILE),
            "embeddings": self.embeddings,
            "embeddings_again": self.embeddings,
            "count_tokens": self.count_tokens,
            "count_tokens_again": self.count_tokens,
            "models": self.models,
            "models_again": self.models,
        }

    def messages(self, text: str) -> list[dict[str, Any]]:
        return [{"role": "user", "content": [{"text": self.prompt(text)}]}]

    def converse(self, text: str = "Say hello.", client: Any = None, model: str = MODEL) -> Observed:
        made = (client or self.client).converse(modelId=model, messages=self.messages(text))
        text = made["output"]["message"]["content"][0]["text"]
        return {"text": text, "usage": made["usage"], "request_id": made["ResponseMetadata"].get("RequestId")}

    def converse_stream(self, text: str = "Say hello.") -> Observed:
        seen, usage = Chunks(), None
        made = self.client.converse_stream(modelId=MODEL, messages=self.messages(text))
        for event in made["stream"]:
            seen.came(next(iter(event)))
            seen.text += event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
            usage = event.get("metadata", {}).get("usage", usage)
        return seen.observed(usage=usage, request_id=made["ResponseMetadata"].get("RequestId"))

    def tool(self) -> Observed:
        made = self.client.converse(modelId=MODEL, messages=self.messages("Weather in Paris?"), toolConfig=TOOLS)
        use = made["output"]["message"]["content"][0]["toolUse"]
        return {"tool": {"name": use["name"], "arguments": use["input"]}, "usage": made["usage"]}

    def tool_stream(self) -> Observed:
        seen, name = Chunks(), None
        made = self.client.converse_stream(modelId=MODEL, messages=self.messages("Weather?"), toolConfig=TOOLS)
        for event in made["stream"]:
            seen.came(next(iter(event)))
            name = event.get("contentBlockStart", {}).get("start", {}).get("toolUse", {}).get("name", name)
            seen.arguments += event.get("contentBlockDelta", {}).get("delta", {}).get("toolUse", {}).get("input", "")
        return seen.observed(tool={"name": name, "arguments": seen.arguments})

    def claude(self, text: str) -> str:
        message = {"role": "user", "content": self.prompt(text)}
        return json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 64, "messages": [message]})

    def invoke(self) -> Observed:
        made = self.client.invoke_model(modelId=MODEL, body=self.claude("Say hello, invoked."))
        whole = json.loads(made["body"].read())
        request_id = made["ResponseMetadata"].get("RequestId")
        return {"text": whole["content"][0]["text"], "usage": whole["usage"], "request_id": request_id}

    def invoke_stream(self) -> Observed:
        seen, usage = Chunks(), None
        made = self.client.invoke_model_with_response_stream(modelId=MODEL, body=self.claude("Say hello, invoked."))
        for event in made["body"]:
            value = json.loads(event["chunk"]["bytes"])
            seen.came(value["type"])
            seen.text += value.get("delta", {}).get("text", "")
            usage = value.get("amazon-bedrock-invocationMetrics", usage)
        return seen.observed(usage=usage)

    def embeddings(self) -> Observed:
        body = json.dumps({"inputText": self.prompt("one")})
        made = self.client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=body)
        whole = json.loads(made["body"].read())
        return {"value": whole["embedding"], "usage": {"inputTextTokenCount": whole["inputTextTokenCount"]}}

    def count_tokens(self) -> Observed:
        made = self.client.count_tokens(modelId=MODEL, input={"converse": {"messages": self.messages("Count this.")}})
        return {"value": made["inputTokens"]}

    def models(self) -> Observed:
        made = self.make_client("bedrock").list_foundation_models()
        self.headers = made["ResponseMetadata"]["HTTPHeaders"]
        return {"value": [model["modelId"] for model in made["modelSummaries"]]}

    def describe(self, error: BaseException) -> Observed:
        if not isinstance(error, ClientError):
            return {}
        metadata, body = error.response.get("ResponseMetadata", {}), error.response.get("Error", {})
        self.headers = metadata.get("HTTPHeaders", self.headers)
        found = {"status": metadata.get("HTTPStatusCode"), "code": body.get("Code"), "message": body.get("Message")}
        return {**found, "request_id": metadata.get("RequestId")}


def client_factory(base_url: str, style: str, key: str, secret: str) -> Callable[..., Any]:
    """How clients are made in one style; see the recipes in the README's Bedrock section."""
    keys = {"aws_access_key_id": key, "aws_secret_access_key": secret, "region_name": "us-east-1"}

    def make(service: str, **retries: int) -> Any:
        config = Config(retries={"mode": "standard", **retries})
        if style == "endpoint":
            return boto3.client(service, endpoint_url=base_url, config=config, **keys)
        if style == "forward-proxy":
            through = config.merge(Config(proxies={"http": base_url}))
            return boto3.client(service, use_ssl=False, config=through, **keys)
        unsigned = config.merge(Config(signature_version=UNSIGNED))
        if style == "hook":
            client = boto3.client(service, config=config, **keys)
        elif style == "unsigned":
            return boto3.client(service, region_name="us-east-1", endpoint_url=base_url, config=unsigned)
        else:
            client = boto3.client(service, region_name="us-east-1", endpoint_url=base_url, config=unsigned)

        def before_send(request: Any, **_: Any) -> None:
            if style == "hook":
                real = urlsplit(request.url).netloc
                request.headers["Host"] = real
                request.url = request.url.replace(f"https://{real}", base_url)
            elif style == "bearer-hook":
                request.headers["Authorization"] = f"Bearer {key}"
            else:
                request.headers["X-AWS-Access-Key"], request.headers["X-AWS-Secret-Key"] = key, secret

        client.meta.events.register(f"before-send.{service}.*", before_send)
        return client

    return make


if __name__ == "__main__":
    given = arguments(styles=STYLES)
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    bearer = "bedrock-api-key-standin" if given.style == "bearer-hook" else "AKIASTANDIN000000001"
    secret = given.secret or "standin-secret-key-number-one"
    BedrockDriver(given.salt, client_factory(given.base_url, given.style, given.key or bearer, secret)).run(
        given.scenarios
    )
