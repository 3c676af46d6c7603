"""boto3 and the AWS SDK for JavaScript over an emulated proxy: every reply fits the service's own model."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError
from openai import BadRequestError, OpenAI

from providers.emulated.canned_grammar import read_replies
from tests.emulated.serving import EmulatedProxies, EmulatedProxy
from tests.providers.emulated.bedrock_shapes import WEATHER, assembled, event_faults, faults_of, tool, user

ROOT = Path(__file__).resolve().parents[2]
MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
PROFILE = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{MODEL}"
HELLO = {"modelId": MODEL, "messages": [user("Say hello.")]}
CLAUDE = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Say hello."}],
}
PLACE = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "size": {"type": "string", "enum": ["small", "large"]}},
    "required": ["city", "size"],
    "additionalProperties": False,
}


def connect(url: str, service: str = "bedrock-runtime", region: str = "us-east-1") -> BaseClient:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id="dummy",
        aws_secret_access_key="dummy",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def client(emulated: EmulatedProxies) -> Iterator[Any]:
    made = connect(emulated.url("bedrock"))
    yield made
    made.close()


def plain(reply: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in reply.items() if name != "ResponseMetadata"}


def refused(work: Any, **given: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as failure:
        work(**given)
    error = failure.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"]


# --- Converse


CONVERSATIONS: list[dict[str, Any]] = [
    HELLO,
    {**HELLO, "modelId": PROFILE},
    {**HELLO, "modelId": "us.amazon.nova-pro-v1:0", "inferenceConfig": {"maxTokens": 4}},
    {**HELLO, "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}}},
    {**HELLO, "toolConfig": {"tools": [WEATHER], "toolChoice": {"tool": {"name": "get_weather"}}}},
    {**HELLO, "serviceTier": {"type": "flex"}, "performanceConfig": {"latency": "optimized"}},
    {
        **HELLO,
        "messages": [user("What is this?", {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}})],
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "inferenceConfig": {"stopSequences": ["zebra"], "topP": 0.9},
        "guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1"},
        "requestMetadata": {"team": "a"},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
    },
]


@pytest.mark.parametrize("given", CONVERSATIONS)
def test_what_is_streamed_adds_up_to_what_comes_at_once(client: Any, given: dict[str, Any]) -> None:
    reply = client.converse(**given)
    events = list(client.converse_stream(**given)["stream"])
    assert faults_of(plain(reply), "Converse") == []
    assert [fault for event in events for fault in event_faults(event)] == []
    assert assembled(events) == plain(reply)
    assert reply["ResponseMetadata"]["RequestId"]


def test_a_loop_of_tools_ends(client: Any) -> None:
    tools = {"tools": [WEATHER, tool("get_time", {"zone": {"type": "string"}})]}
    messages = [user("What is the weather in Paris?")]
    reasons = []
    while len(reasons) < 5:
        reply = client.converse(modelId=MODEL, messages=messages, toolConfig=tools)
        messages.append(reply["output"]["message"])
        reasons.append(reply["stopReason"])
        if reasons[-1] != "tool_use":
            break
        uses = [block["toolUse"] for block in messages[-1]["content"] if "toolUse" in block]
        assert [type(use["input"]["city"]) for use in uses if use["name"] == "get_weather"] == [str]
        messages.append(
            user(*[{"toolResult": {"toolUseId": use["toolUseId"], "content": [{"json": {"c": 21}}]}} for use in uses])
        )
    assert reasons == ["tool_use", "end_turn"]
    assert messages[-1]["content"][0]["text"]


def test_a_structured_output_fits_its_schema(client: Any) -> None:
    schema = {"schema": json.dumps(PLACE), "name": "place"}
    wanted = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}
    reply = client.converse(**HELLO, outputConfig=wanted)
    made = json.loads(reply["output"]["message"]["content"][0]["text"])
    assert set(made) == {"city", "size"}
    assert made["size"] in ("small", "large")


def test_counted_tokens_are_the_ones_of_usage(client: Any) -> None:
    asked = {"messages": HELLO["messages"], "system": [{"text": "Be brief."}]}
    counted = client.count_tokens(modelId=MODEL, input={"converse": asked})["inputTokens"]
    assert counted == client.converse(modelId=MODEL, **asked)["usage"]["inputTokens"]
    body = {"invokeModel": {"body": json.dumps(CLAUDE)}}
    assert client.count_tokens(modelId=MODEL, input=body)["inputTokens"] > 0


# --- InvokeModel


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (MODEL, CLAUDE),
        (PROFILE, CLAUDE),
        ("amazon.nova-lite-v1:0", {"messages": [user("Say hello.")]}),
        ("amazon.titan-text-express-v1", {"inputText": "Say hello."}),
        ("meta.llama3-8b-instruct-v1:0", {"prompt": "Say hello."}),
        ("mistral.mistral-7b-instruct-v0:2", {"prompt": "<s>[INST] Say hello. [/INST]"}),
        ("cohere.command-r-v1:0", {"message": "Say hello."}),
        ("openai.gpt-oss-20b-1:0", {"messages": [{"role": "user", "content": "Say hello."}]}),
    ],
)
def test_every_family_says_hello_at_once_and_streamed(client: Any, model: str, body: dict[str, Any]) -> None:
    reply = client.invoke_model(modelId=model, body=json.dumps(body))
    assert "Hello" in reply["body"].read().decode()
    assert reply["contentType"] == "application/json"
    counted = reply["ResponseMetadata"]["HTTPHeaders"]
    streamed = client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))
    assert streamed["contentType"] == "application/json"
    chunks = [json.loads(event["chunk"]["bytes"]) for event in streamed["body"]]
    assert "Hello" in json.dumps(chunks)
    metrics = chunks[-1]["amazon-bedrock-invocationMetrics"]
    assert counted["x-amzn-bedrock-output-token-count"] == str(metrics["outputTokenCount"])


def test_embeddings_of_like_texts_are_near_each_other(client: Any) -> None:
    def embed(text: str) -> list[float]:
        body = json.dumps({"inputText": text, "dimensions": 512})
        found: list[float] = json.loads(
            client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=body)["body"].read()
        )["embedding"]
        return found

    def near(one: list[float], other: list[float]) -> float:
        return sum(left * right for left, right in zip(one, other, strict=True))

    cat, cats, weather = (embed(text) for text in ("A black cat sleeps.", "The black cat sleeps now.", "Rain in Oslo"))
    assert len(cat) == 512
    assert near(cat, cats) > near(cat, weather)


# --- the other services


def test_guardrails_let_everything_through(client: Any) -> None:
    given = {"guardrailIdentifier": "abc", "guardrailVersion": "DRAFT"}
    reply = client.apply_guardrail(**given, source="INPUT", content=[{"text": {"text": "Hi."}}])
    assert faults_of(plain(reply), "ApplyGuardrail") == []
    assert reply["action"] == "NONE"


def test_the_control_plane_lists_models_and_profiles(emulated: EmulatedProxies) -> None:
    control = connect(emulated.url("bedrock"), "bedrock", "eu-west-1")
    models = control.list_foundation_models(byProvider="Anthropic")["modelSummaries"]
    assert {model["providerName"] for model in models} == {"Anthropic"}
    assert ":eu-west-1:" in models[0]["modelArn"]
    assert control.get_foundation_model(modelIdentifier=models[0]["modelId"])["modelDetails"] == models[0]
    pages = control.get_paginator("list_inference_profiles").paginate(PaginationConfig={"PageSize": 10})
    profiles = [profile for page in pages for profile in page["inferenceProfileSummaries"]]
    assert len(profiles) > 10
    assert {profile["status"] for profile in profiles} == {"ACTIVE"}
    control.close()


def test_the_agents_runtime_reranks(emulated: EmulatedProxies) -> None:
    agents = connect(emulated.url("bedrock"), "bedrock-agent-runtime")
    texts = ["Dogs bark.", "Cats purr.", "It rains."]
    arn = "arn:aws:bedrock:us-east-1::foundation-model/amazon.rerank-v1:0"
    reply = agents.rerank(
        queries=[{"type": "TEXT", "textQuery": {"text": "cats"}}],
        sources=[
            {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}}
            for text in texts
        ],
        rerankingConfiguration={
            "type": "BEDROCK_RERANKING_MODEL",
            "bedrockRerankingConfiguration": {
                "numberOfResults": 2,
                "modelConfiguration": {"modelArn": arn},
            },
        },
    )
    assert faults_of(plain(reply), "Rerank", "bedrock-agent-runtime") == []
    assert [result["index"] for result in reply["results"]][:1] == [1]
    agents.close()


def test_openai_s_client_is_answered_on_its_own_path(emulated: EmulatedProxies) -> None:
    given: Any = {"model": "openai.gpt-oss-20b-1:0", "messages": [{"role": "user", "content": "Say hello."}]}
    with OpenAI(base_url=emulated.url("bedrock") + "/openai/v1", api_key="bedrock-api-key", max_retries=0) as client:
        whole = client.chat.completions.create(**given)
        with client.chat.completions.stream(**given) as stream:
            assert stream.get_final_completion().choices[0].message.content == whole.choices[0].message.content
        assert client.responses.create(model=given["model"], input="Say hello.").output_text
        assert "openai.gpt-oss-20b-1:0" in [model.id for model in client.models.list()]
        with pytest.raises(BadRequestError) as failure:
            client.chat.completions.create(**given, temperature=9)
    assert failure.value.param == "temperature"
    assert failure.value.response.headers["x-amzn-requestid"]


# --- refusals


def test_a_request_that_is_not_in_order_is_refused_as_by_the_genuine_service(client: Any) -> None:
    start = (
        "A conversation must start with a user message. Try again with a conversation that starts with a user message."
    )
    assert refused(client.converse, modelId=MODEL, messages=[]) == (400, "ValidationException", start)
    assert refused(client.converse_stream, modelId=MODEL, messages=[])[:2] == (400, "ValidationException")
    assert refused(client.invoke_model, modelId=MODEL, body="{}") == (
        400,
        "ValidationException",
        "Malformed input request: #: minimum size: 1, found: 0, please reformat your input and try again.",
    )
    assert refused(client.list_async_invokes)[:2] == (404, "UnknownOperationException")
    with pytest.raises(client.exceptions.ValidationException):
        client.converse(**HELLO, inferenceConfig={"temperature": 2.0})


@pytest.fixture(scope="module")
def failing(emulated: EmulatedProxies) -> EmulatedProxy:
    replies = [
        {"match": {"prompt_contains": str(status)}, "reply": {"error": {"status": status}}}
        for status in (403, 404, 408, 424, 429, 500, 503)
    ]
    return emulated.proxy("bedrock", canned=read_replies(replies))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, "AccessDeniedException"),
        (404, "ResourceNotFoundException"),
        (408, "ModelTimeoutException"),
        (424, "ModelErrorException"),
        (429, "ThrottlingException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
    ],
)
def test_every_status_raises_the_class_of_the_service(failing: EmulatedProxy, status: int, kind: str) -> None:
    client = connect(failing.url)
    given = {"modelId": MODEL, "messages": [user(f"Please fail with {status}.")]}
    with pytest.raises(getattr(client.exceptions, kind)):
        client.converse(**given)
    with pytest.raises(getattr(client.exceptions, kind)):
        client.converse_stream(**given)
    client.close()


def test_a_strict_proxy_knows_its_models(emulated: EmulatedProxies) -> None:
    proxy = emulated.proxy("bedrock", is_strict=True, canned=read_replies([{"reply": {"text": "Canned."}}]))
    client = connect(proxy.url)
    assert refused(client.converse, **{**HELLO, "modelId": "acme.unknown-v1:0"}) == (
        404,
        "ResourceNotFoundException",
        "Could not resolve the foundation model from the provided model identifier.",
    )
    assert client.converse(**HELLO)["output"]["message"]["content"] == [{"text": "Canned."}]
    client.close()


def test_what_is_recorded_is_replayed_frame_by_frame(emulated: EmulatedProxies) -> None:
    proxy = emulated.proxy("bedrock", cache="on")
    client = connect(proxy.url)
    first, second = (list(client.converse_stream(**HELLO)["stream"]) for _ in range(2))
    client.close()
    assert first == second
    rows = proxy.records.all
    assert [(row["model"], row["cache"]) for row in rows] == [(MODEL, "miss"), (MODEL, "hit")], rows
    assert rows[0]["output_tokens"] == rows[1]["output_tokens"] > 0


# --- JavaScript


def test_the_javascript_sdk_gets_the_same(emulated: EmulatedProxies, client: Any) -> None:
    modules = ROOT / "tests" / "wire" / "node_modules"
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "bedrock.mjs"), emulated.url("bedrock")],
        env={
            **os.environ,
            "SDK_NODE_MODULES": os.environ.get("SDK_NODE_MODULES", str(modules)),
            "NODE_NO_WARNINGS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = {line["name"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}
    assert found["whole"] == plain(client.converse(**HELLO)) == found["streamed"] == found["bearer"]
    assert found["thought_streamed"] == found["thought"]
    assert found["tool_streamed"] == found["tool"]
    assert [block["toolUse"]["name"] for block in found["tool"]["output"]["message"]["content"]] == ["get_weather"]
    assert (found["loop"]["turns"], found["loop"]["reason"]) == (2, "end_turn")
    text = found["invoked"]["content"][0]["text"]
    chunks = found["invoked_streamed"]["chunks"]
    assert "".join([chunk["delta"].get("text", "") for chunk in chunks if "delta" in chunk]) == text
    assert found["invoked_streamed"]["type"] == "application/json"
    assert found["counted"] == found["whole"]["usage"]["inputTokens"]
    assert found["guarded"] == "NONE"
    assert (found["refused"]["name"], found["refused"]["status"]) == ("ValidationException", 400)
    assert found["refused_stream"]["name"] == "ValidationException"
