from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.bedrock import PROVIDER
from providers.emulated.bedrock import EMULATOR
from providers.emulated.canned_grammar import read_replies
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.bedrock_shapes import (
    CLAUDE,
    WEATHER,
    assembled,
    assistant,
    event_faults,
    events_of,
    faults_of,
    refusal,
    tool,
    user,
)

HELLO = {"messages": [user("Say hello.")]}
THINKS = {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2048}}}
PLACE = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["city", "population"],
    "additionalProperties": False,
}
STRUCTURED = {
    "outputConfig": {
        "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": orjson.dumps(PLACE).decode()}}}
    }
}
BODIES: list[dict[str, Any]] = [
    HELLO,
    {**HELLO, **THINKS},
    {**HELLO, **STRUCTURED},
    {**HELLO, "inferenceConfig": {"maxTokens": 3}},
    {**HELLO, "toolConfig": {"tools": [WEATHER], "toolChoice": {"any": {}}}},
    {"messages": [user("What is the weather in Paris?")], "toolConfig": {"tools": [WEATHER]}},
    {"messages": [user("Hi.", {"image": {"format": "png", "source": {"bytes": "aGk="}}})]},
]


@pytest.mark.parametrize("body", BODIES)
def test_converse_says_streamed_what_it_says_at_once(body: dict[str, Any]) -> None:
    asker = Asker("bedrock")
    reply = asker.json("POST", f"{CLAUDE}/converse", body)
    streamed = asker.send("POST", f"{CLAUDE}/converse-stream", body)
    events = events_of(streamed)
    assert faults_of(reply, "Converse") == []
    assert [fault for event in events for fault in event_faults(event)] == []
    assert assembled(events) == reply
    assert header(streamed, "content-type") == "application/vnd.amazon.eventstream"


def test_the_same_request_gets_the_same_bytes() -> None:
    first, second = Asker("bedrock"), Asker("bedrock")
    for path in ("converse", "converse-stream"):
        asked = [asker.send("POST", f"{CLAUDE}/{path}", HELLO) for asker in (first, first, second)]
        assert len({whole(reply) for reply in asked}) == 1
        assert len({header(reply, "x-amzn-requestid") for reply in asked[:2]}) == 2


def test_an_answer_that_is_cut_says_so() -> None:
    reply = Asker("bedrock").json("POST", f"{CLAUDE}/converse", BODIES[3])
    assert reply["stopReason"] == "max_tokens"
    assert reply["usage"]["outputTokens"] == 3


def test_a_structured_output_fits_its_schema() -> None:
    reply = Asker("bedrock").json("POST", f"{CLAUDE}/converse", {**HELLO, **STRUCTURED})
    made = orjson.loads(reply["output"]["message"]["content"][0]["text"])
    assert set(made) == {"city", "population"}
    assert type(made["city"]) is str
    assert type(made["population"]) is int


def test_thoughts_come_before_the_text_with_a_signature() -> None:
    reply = Asker("bedrock").json("POST", f"{CLAUDE}/converse", {**HELLO, **THINKS})
    thought, said = reply["output"]["message"]["content"]
    assert thought["reasoningContent"]["reasoningText"]["text"]
    assert thought["reasoningContent"]["reasoningText"]["signature"]
    assert said["text"]


def test_a_loop_of_tools_ends() -> None:
    asker = Asker("bedrock")
    tools = {"toolConfig": {"tools": [WEATHER, tool("get_time")]}}
    messages = [user("What is the weather in Paris?")]
    for _ in range(5):
        reply = asker.json("POST", f"{CLAUDE}/converse", {"messages": messages, **tools})
        messages.append(reply["output"]["message"])
        if reply["stopReason"] != "tool_use":
            break
        uses = [block["toolUse"] for block in messages[-1]["content"] if "toolUse" in block]
        assert all(use["toolUseId"].startswith("tooluse_") for use in uses)
        results = [
            {"toolResult": {"toolUseId": use["toolUseId"], "content": [{"text": "Sunny, 21 degrees"}]}} for use in uses
        ]
        messages.append(user(*results))
    assert reply["stopReason"] == "end_turn"
    assert len(messages) == 4
    assert messages[-1]["content"][0]["text"]


def test_what_is_marked_is_written_to_the_prompt_cache_and_read_from_it() -> None:
    asker = Asker("bedrock")
    body = {**HELLO, "system": [{"text": "Remember this. " * 2000}, {"cachePoint": {"type": "default"}}]}
    first = asker.json("POST", f"{CLAUDE}/converse", body)["usage"]
    second = assembled(events_of(asker.send("POST", f"{CLAUDE}/converse-stream", body)))["usage"]
    assert first["cacheWriteInputTokens"] == second["cacheReadInputTokens"] > 1000
    assert first["cacheReadInputTokens"] == second["cacheWriteInputTokens"] == 0
    assert first["totalTokens"] == second["totalTokens"]
    plain = asker.json("POST", f"{CLAUDE}/converse", HELLO)["usage"]
    assert (plain["cacheWriteInputTokens"], plain["cacheReadInputTokens"]) == (0, 0)


def test_counted_tokens_are_the_ones_of_usage() -> None:
    asker = Asker("bedrock")
    converse = {
        "messages": [user("How are you?")],
        "system": [{"text": "Be brief."}],
        "toolConfig": {"tools": [WEATHER]},
    }
    counted = asker.json("POST", f"{CLAUDE}/count-tokens", {"input": {"converse": converse}})
    used = asker.json("POST", f"{CLAUDE}/converse", converse)["usage"]["inputTokens"]
    assert faults_of(counted, "CountTokens") == []
    assert counted["inputTokens"] == used > 0
    claude = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "How are you?"}],
    }
    for path, body in (
        (CLAUDE, claude),
        ("/model/meta.llama3-8b-instruct-v1%3A0", {"prompt": "How are you?"}),
        ("/model/openai.gpt-oss-20b-1%3A0", {"messages": claude["messages"]}),
    ):
        encoded = b64encode(orjson.dumps(body)).decode()
        counted = asker.json("POST", f"{path}/count-tokens", {"input": {"invokeModel": {"body": encoded}}})
        used = header(asker.send("POST", f"{path}/invoke", body), "x-amzn-bedrock-input-token-count")
        assert str(counted["inputTokens"]) == used


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "Value null at 'input'"),
        ({"input": {}}, "must set one of the following keys: invokeModel, converse"),
        ({"input": {"invokeModel": {"body": "%"}}}, "required key [anthropic_version] not found"),
        ({"input": {"invokeModel": {"body": b64encode(b"[]").decode()}}}, "Malformed input request"),
        ({"input": {"converse": {"messages": []}}}, "A conversation must start with a user message."),
    ],
)
def test_what_cannot_be_counted_is_refused(body: dict[str, Any], said: str) -> None:
    assert said in refusal(Asker("bedrock"), body, f"{CLAUDE}/count-tokens")


@pytest.mark.parametrize(
    ("method", "target", "body", "operation", "service"),
    [
        ("GET", "/foundation-models", None, "ListFoundationModels", "bedrock"),
        ("GET", "/foundation-models/amazon.nova-lite-v1%3A0", None, "GetFoundationModel", "bedrock"),
        ("GET", "/inference-profiles?maxResults=3", None, "ListInferenceProfiles", "bedrock"),
        (
            "POST", "/guardrail/abc/version/1/apply", {"source": "INPUT", "content": [{"text": {"text": "Hi."}}]},
            "ApplyGuardrail", "bedrock-runtime",
        ),
        (
            "POST", "/guardrail-checks/invoke",
            {"messages": [user("Hi.")], "checks": {"contentFilter": {"categories": [{"category": "HATE"}]}}},
            "InvokeGuardrailChecks", "bedrock-runtime",
        ),
        (
            "POST", "/rerank",
            {
                "queries": [{"type": "TEXT", "textQuery": {"text": "cats"}}],
                "sources": [{
                    "type": "INLINE",
                    "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": "Cats purr."}},
                }],
                "rerankingConfiguration": {
                    "type": "BEDROCK_RERANKING_MODEL",
                    "bedrockRerankingConfiguration": {"modelConfiguration": {"modelArn": "amazon.rerank-v1:0"}},
                },
            },
            "Rerank", "bedrock-agent-runtime",
        ),
    ],
)  # fmt: skip
def test_the_other_services_answer_in_their_shapes(
    method: str, target: str, body: Any, operation: str, service: str
) -> None:
    assert faults_of(Asker("bedrock").json(method, target, body), operation, service) == []


def test_lists_name_the_region_of_the_signature() -> None:
    scope = "AKIA/20261121/eu-west-3/bedrock/aws4_request"
    signed = {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"}
    reply = Asker("bedrock").json("GET", "/foundation-models", None, signed)
    assert ":eu-west-3:" in reply["modelSummaries"][0]["modelArn"]


def test_other_vendors_paths_speak_their_dialects() -> None:
    asker = Asker("bedrock")
    hello = [{"role": "user", "content": "Say hello."}]
    chat = asker.json("POST", "/openai/v1/chat/completions", {"model": "openai.gpt-oss-20b-1:0", "messages": hello})
    assert chat["choices"][0]["message"]["content"]
    response = asker.json("POST", "/openai/v1/responses", {"model": "openai.gpt-oss-20b-1:0", "input": "Say hello."})
    assert response["output"]
    body = {"model": "anthropic.claude-haiku-4-5-20251001-v1:0", "max_tokens": 50, "messages": hello}
    message = asker.json("POST", "/anthropic/v1/messages", body)
    assert message["content"][0]["text"]
    events = whole(asker.send("POST", "/anthropic/v1/messages", body | {"stream": True}))
    assert events.startswith(b"event: message_start\n")
    counted = asker.json("POST", "/anthropic/v1/messages/count_tokens", {"model": body["model"], "messages": hello})
    assert counted["input_tokens"] == message["usage"]["input_tokens"]
    assert asker.json("GET", "/openai/v1/models")["object"] == "list"
    assert asker.json("GET", "/anthropic/v1/models")["data"]


@pytest.mark.parametrize(
    "credential",
    [
        {"authorization": "Bearer bedrock-api-key-x"},
        {"authorization": "AWS4-HMAC-SHA256 Credential=A/b/c/bedrock/aws4_request, SignedHeaders=a, Signature=0"},
        {"x-aws-access-key": "AKIA", "x-aws-secret-key": "secret"},
        {"x-api-key": "bedrock-api-key-x"},
    ],
)
def test_any_credential_will_do(credential: dict[str, str]) -> None:
    assert Asker("bedrock").send("POST", f"{CLAUDE}/converse", HELLO, credential, has_key=False).status == 200


def test_a_presigned_request_will_do() -> None:
    target = f"{CLAUDE}/converse?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"
    assert Asker("bedrock").send("POST", target, HELLO, has_key=False).status == 200


@pytest.mark.parametrize("credential", [{}, {"authorization": ""}, {"x-aws-access-key": "AKIA"}])
def test_no_credential_is_refused(credential: dict[str, str]) -> None:
    reply = Asker("bedrock").send("POST", f"{CLAUDE}/converse", HELLO, credential, has_key=False)
    assert (reply.status, header(reply, "x-amzn-errortype")) == (403, "MissingAuthenticationTokenException")
    assert orjson.loads(whole(reply)) == {"message": "Missing Authentication Token"}


def test_unknown_models_are_refused_when_strict() -> None:
    canned = read_replies([{"reply": {"text": "Hello."}}])
    for path in ("converse", "converse-stream", "invoke", "invoke-with-response-stream", "count-tokens"):
        body = HELLO | {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5} if "invoke" in path else HELLO
        reply = Asker("bedrock", is_strict=True, canned=canned).send("POST", f"/model/acme.unknown/{path}", body)
        assert (reply.status, header(reply, "x-amzn-errortype")) == (404, "ResourceNotFoundException")
        assert b"Could not resolve the foundation model" in whole(reply)
    assert Asker("bedrock", is_strict=True, canned=canned).send("POST", f"{CLAUDE}/converse", HELLO).status == 200
    assert Asker("bedrock").send("POST", "/model/acme.unknown/converse", HELLO).status == 200


@pytest.mark.parametrize(
    ("method", "target"), [("POST", "/none"), ("GET", "/"), ("PUT", f"{CLAUDE}/converse"), ("POST", "/async-invoke")]
)  # fmt: skip
def test_what_is_not_answered_is_an_unknown_operation(method: str, target: str) -> None:
    reply = Asker("bedrock").send(method, target, {})
    assert (reply.status, header(reply, "x-amzn-errortype")) == (404, "UnknownOperationException")
    assert orjson.loads(whole(reply))["message"]


def test_a_conversation_both_ways_at_once_is_said_not_to_be_answered() -> None:
    reply = Asker("bedrock").send("POST", "/model/amazon.nova-sonic-v1%3A0/invoke-with-bidirectional-stream", b"")
    assert reply.status == 404
    assert b"emulation does not answer InvokeModelWithBidirectionalStream" in whole(reply)


def test_a_model_that_embeds_holds_no_conversation() -> None:
    for path in ("converse", "converse-stream"):
        said = refusal(Asker("bedrock"), HELLO, f"/model/amazon.titan-embed-text-v1/{path}")
        assert said.startswith("This action doesn't support the model that you provided.")


def test_every_operation_is_answered_or_said_not_to_be() -> None:
    asker = Asker("bedrock")
    unanswered = set()
    for operation in PROVIDER.operations:
        path = operation.pattern.pattern.decode().replace("(?P<model>[^/]+)", "amazon.nova-lite-v1%3A0")
        path = path.replace("(?:openai|anthropic)", "openai").replace("[^/]+", "abc")
        reply = asker.send(operation.method, path, {} if operation.method == "POST" else None)
        if b"emulation does not answer" in whole(reply):
            unanswered.add(operation.name.partition(".")[0])
        assert reply.status in (200, 400, 404), (operation.name, whole(reply))
    assert unanswered == {"async_invoke", "knowledge_bases", "agents", "flows"}


def test_a_canned_error_has_the_service_s_shape() -> None:
    canned = read_replies([{"reply": {"error": {"status": 503, "message": "Busy."}}}])
    reply = Asker("bedrock", canned=canned).send("POST", f"{CLAUDE}/converse-stream", HELLO)
    assert (reply.status, header(reply, "x-amzn-errortype")) == (503, "ServiceUnavailableException")
    assert orjson.loads(whole(reply)) == {"message": "Busy."}


def test_it_answers_for_bedrock() -> None:
    assert EMULATOR.provider == PROVIDER.id


# --- whatever comes

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)  # fmt: skip
TARGETS = [
    *(f"{CLAUDE}/{path}" for path in ("converse", "converse-stream", "invoke", "count-tokens")),
    *(
        f"/model/{model}/{path}"
        for model in (
            "amazon.nova-lite-v1%3A0", "amazon.titan-text-express-v1", "meta.llama3-8b-instruct-v1%3A0", "custom",
            "mistral.mistral-7b-instruct-v0%3A2", "mistral.mistral-large-2402-v1%3A0", "cohere.command-r-v1%3A0",
            "openai.gpt-oss-20b-1%3A0", "amazon.titan-embed-text-v2%3A0", "cohere.embed-english-v3",
            "amazon.nova-2-multimodal-embeddings-v1%3A0", "amazon.nova-canvas-v1%3A0", "stability.sd3-5-large-v1%3A0",
            "cohere.rerank-v3-5%3A0", "anthropic.claude-v2", "us.deepseek.r1-v1%3A0", "amazon.titan-embed-image-v1",
        )
        for path in ("invoke", "invoke-with-response-stream")
    ),
    "/guardrail/a/version/1/apply", "/guardrail-checks/invoke", "/rerank", "/anthropic/v1/messages",
    "/openai/v1/chat/completions", "/openai/v1/responses", "/anthropic/v1/messages/count_tokens",
]  # fmt: skip
SEEDS: list[dict[str, Any]] = [
    {
        "messages": [
            user("Hi.", {"image": {"format": "png", "source": {"bytes": "aGk="}}}),
            assistant({"toolUse": {"toolUseId": "t", "name": "get_weather", "input": {"city": "x"}}}),
            user({"toolResult": {"toolUseId": "t", "content": [{"json": {"a": 1}}], "status": "success"}}),
        ],
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "inferenceConfig": {"maxTokens": 5, "temperature": 0.5, "topP": 0.5, "stopSequences": ["a"]},
        "toolConfig": {"tools": [WEATHER], "toolChoice": {"auto": {}}},
        "additionalModelRequestFields": {"thinking": {"type": "adaptive"}, "seed": 1},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
        "performanceConfig": {"latency": "standard"},
        **STRUCTURED,
    },
    {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi."}]},
    {"inputText": "Hi.", "textGenerationConfig": {"maxTokenCount": 5, "stopSequences": ["a"]}},
    {"inputText": "Hi.", "dimensions": 256, "embeddingTypes": ["float"], "embeddingConfig": {"a": 1}},
    {"prompt": "Hi.", "max_gen_len": 5, "max_tokens": 5, "stop": ["a"], "output_format": "png", "seed": 3},
    {"prompt": "Hi.", "max_tokens_to_sample": 5},
    {"text_prompts": [{"text": "a"}], "width": 128, "height": 128},
    {
        "message": "Hi.",
        "chat_history": [{"role": "USER", "message": "Hi."}],
        "tools": [{"name": "a", "description": "b", "parameter_definitions": {"c": {"type": "str"}}}],
        "tool_results": [{"call": {"name": "a"}, "outputs": [{"a": 1}]}],
    },
    {
        "texts": ["a"], "input_type": "search_query", "embedding_types": ["float"], "images": [],
        "inputs": [{"content": [{"type": "text", "text": "a"}]}],
    },
    {"query": "a", "documents": ["a", {"text": "b"}], "top_n": 1},
    {
        "taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a"},
        "imageGenerationConfig": {"numberOfImages": 1, "width": 256, "height": 256},
    },
    {
        "taskType": "SINGLE_EMBEDDING",
        "singleEmbeddingParams": {"embeddingPurpose": "a", "text": {"value": "a"}, "embeddingDimension": 256},
    },
    {"input": {"converse": {"messages": [user("Hi.")]}}},
    {"source": "INPUT", "content": [{"text": {"text": "Hi."}}], "outputScope": "FULL"},
    {"messages": [user("Hi.")], "checks": {"contentFilter": {"categories": [{"category": "HATE"}]}}},
    {
        "queries": [{"textQuery": {"text": "a"}}],
        "sources": [{"inlineDocumentSource": {"textDocument": {"text": "a"}}}],
        "rerankingConfiguration": {
            "bedrockRerankingConfiguration": {"modelConfiguration": {"modelArn": "a"}, "numberOfResults": 1}
        },
    },
]  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """A body that is in order for some operation, one place of it replaced by anything."""
    body = orjson.loads(orjson.dumps(draw(st.sampled_from(SEEDS))))
    holder: Any = body
    while True:
        names = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not names:
            return body
        name = draw(st.sampled_from(names))
        inner = holder[name]
        if isinstance(inner, dict | list) and inner and draw(st.booleans()):
            holder = inner
            continue
        holder[name] = draw(VALUES)
        return body


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(TARGETS), spoiled() | st.dictionaries(st.text(max_size=6), VALUES, max_size=3) | VALUES)
def test_whatever_comes_is_answered_or_refused(target: str, body: Any) -> None:
    try:
        data = orjson.dumps(body)
    except TypeError:  # numbers beyond 64 bits
        return
    reply = Asker("bedrock").send("POST", target, data)
    assert reply.status in (200, 400, 404)
    assert reply.body


ODD_BYTES = [
    b"", b"\x00", b"\xff\xfe", b"null", b"[]", b"[" * 5000, b'{"a":' * 300 + b"1" + b"}" * 300,
    b'{"messages":[{"role":"user","content":[{"text":"\\ud800"}]}]}',
    b'{"messages":' + b"[" * 220 + b"]" * 220 + b',"prompt":"a","inputText":"a","message":"a"}',
    b'{"prompt":"a","inputText":"a","seed":1e308,"max_tokens":99999999999999999999999}',
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_bytes_of_any_kind_are_answered_or_refused(target: str) -> None:
    replies = [Asker("bedrock").send("POST", target, data) for data in ODD_BYTES]
    assert {reply.status for reply in replies} <= {200, 400, 404}, [whole(reply) for reply in replies]


@given(st.binary(max_size=30))
def test_any_path_is_answered_or_refused(path: bytes) -> None:
    target = "/model/" + path.decode("latin-1") + "/converse"
    reply = Asker("bedrock").send("POST", target.replace("?", "%3F"), HELLO)
    assert reply.status in (200, 400, 404)
