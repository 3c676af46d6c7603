from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.emulated.canned_grammar import read_replies
from providers.wire.bedrock_usage import usage_reader
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.bedrock_shapes import chunks_of, refusal, user

CHAT = {"messages": [{"role": "user", "content": "Say hello."}]}
CLAUDE_BODY = {**CHAT, "anthropic_version": "bedrock-2023-05-31", "max_tokens": 90}
NOVA_BODY = {"messages": [user("Say hello.")], "inferenceConfig": {"maxTokens": 90}}
OPAQUE = "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123"
WRITERS: list[tuple[str, dict[str, Any]]] = [
    ("us.anthropic.claude-haiku-4-5-20251001-v1%3A0", CLAUDE_BODY),
    ("us.anthropic.claude-haiku-4-5-20251001-v1:0", CLAUDE_BODY),
    (
        "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-opus-5",
        CLAUDE_BODY,
    ),
    ("anthropic.claude-v2:1", {"prompt": "\n\nHuman: Say hello.\n\nAssistant:", "max_tokens_to_sample": 90}),
    ("amazon.nova-lite-v1%3A0", NOVA_BODY),
    ("amazon.titan-text-express-v1", {"inputText": "Say hello."}),
    ("us.meta.llama3-3-70b-instruct-v1%3A0", {"prompt": "Say hello."}),
    ("mistral.mistral-7b-instruct-v0%3A2", {"prompt": "<s>[INST] Say hello. [/INST]"}),
    ("mistral.mistral-large-2402-v1%3A0", CHAT),
    ("us.mistral.pixtral-large-2502-v1%3A0", CHAT),
    ("cohere.command-r-v1%3A0", {"message": "Say hello."}),
    ("ai21.jamba-1-5-mini-v1%3A0", CHAT),
    ("us.deepseek.r1-v1%3A0", {"prompt": "Say hello."}),
    ("deepseek.v3-v1%3A0", CHAT),
    ("openai.gpt-oss-20b-1%3A0", CHAT),
    ("qwen.qwen3-32b-v1%3A0", CHAT),
    (OPAQUE, CLAUDE_BODY),
    (OPAQUE, NOVA_BODY),
    (OPAQUE, {"prompt": "Say hello.", "max_gen_len": 90}),
    (OPAQUE, {"inputText": "Say hello."}),
    (OPAQUE, {"message": "Say hello."}),
    (OPAQUE, {"prompt": "Say hello."}),
    (OPAQUE, CHAT),
]
MAKERS: list[tuple[str, dict[str, Any], str]] = [
    ("amazon.titan-embed-text-v1", {"inputText": "A cat"}, "embedding"),
    ("amazon.titan-embed-text-v2%3A0", {"inputText": "A cat"}, "embedding"),
    ("amazon.titan-embed-image-v1", {"inputText": "A cat"}, "embedding"),
    ("cohere.embed-english-v3", {"texts": ["A cat"], "input_type": "search_query"}, "embeddings"),
    ("us.cohere.embed-v4%3A0", {"texts": ["A cat"], "input_type": "search_query"}, "embeddings"),
    ("cohere.rerank-v3-5%3A0", {"query": "a", "documents": ["a"], "api_version": 2}, "results"),
    ("amazon.rerank-v1%3A0", {"query": "a", "documents": ["a"]}, "results"),
    ("amazon.nova-canvas-v1%3A0", {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "A cat"}}, "images"),
    ("stability.sd3-5-large-v1%3A0", {"prompt": "A cat"}, "images"),
    (OPAQUE, {"texts": ["A cat"], "input_type": "search_query"}, "embeddings"),
]


def words_of(value: Any) -> str:
    """All that is said in a reply or an event of any family, wherever it stands."""
    if isinstance(value, dict):
        if value.get("event_type") == "stream-end":
            return ""
        names = ("text", "content", "outputText", "generation", "completion", "delta", "message", "output", "results")
        names += ("outputs", "choices", "contentBlockDelta")
        return "".join([words_of(value[name]) for name in names if name in value])
    if isinstance(value, list):
        return "".join([words_of(entry) for entry in value])
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(("model", "body"), WRITERS)
def test_every_family_says_streamed_what_it_says_at_once(model: str, body: dict[str, Any]) -> None:
    asker = Asker("bedrock")
    reply = asker.send("POST", f"/model/{model}/invoke", body)
    streamed = asker.send("POST", f"/model/{model}/invoke-with-response-stream", body)
    assert (reply.status, streamed.status) == (200, 200), whole(reply)
    events = chunks_of(streamed)
    assert words_of(orjson.loads(whole(reply))) == "".join([words_of(event) for event in events]) != ""
    assert header(streamed, "x-amzn-bedrock-content-type") == "application/json"
    metrics = events[-1]["amazon-bedrock-invocationMetrics"]
    for name, member in (
        ("input-token-count", "inputTokenCount"),
        ("output-token-count", "outputTokenCount"),
        ("invocation-latency", "invocationLatency"),
    ):
        assert header(reply, f"x-amzn-bedrock-{name}") == str(metrics[member])
    assert [event for event in events[:-1] if "amazon-bedrock-invocationMetrics" in event] == []
    assert reply.tokens == metrics["outputTokenCount"] > 0
    assert isinstance(streamed.body, list)
    assert sum(frame.tokens for frame in streamed.body) > 0


@pytest.mark.parametrize(("model", "body"), WRITERS)
def test_the_usage_of_every_family_is_the_one_that_is_logged(model: str, body: dict[str, Any]) -> None:
    asker = Asker("bedrock")
    found = []
    for path, flavor in (("invoke", "invoke"), ("invoke-with-response-stream", "invoke_stream")):
        reply = asker.send("POST", f"/model/{model}/{path}", body)
        reader = usage_reader(flavor, reply.headers, reads_model=False)
        assert reader is not None
        reader.feed(whole(reply))
        found.append(reader.finish())
        assert reader.is_whole
    assert found[0].input_tokens == found[1].input_tokens
    assert found[0].output_tokens == found[1].output_tokens
    assert None not in (found[0].input_tokens, found[0].output_tokens)


@pytest.mark.parametrize(("model", "body", "member"), MAKERS)
def test_models_that_do_not_write_answer_at_once_and_never_stream(
    model: str, body: dict[str, Any], member: str
) -> None:
    asker = Asker("bedrock")
    reply = asker.send("POST", f"/model/{model}/invoke", body)
    assert reply.status == 200, whole(reply)
    assert orjson.loads(whole(reply))[member]
    assert (header(reply, "x-amzn-bedrock-input-token-count") or "").isdigit()
    assert refusal(asker, body, f"/model/{model}/invoke-with-response-stream") == (
        "The model is unsupported for streaming"
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"no", b'{"a": NaN}', {}])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    assert refusal(Asker("bedrock"), body, "/model/meta.llama3-8b-instruct-v1%3A0/invoke").startswith(
        "Malformed input request"
    )


def test_how_a_request_is_served_is_told_in_headers() -> None:
    asked = {"x-amzn-bedrock-performanceconfig-latency": "optimized", "x-amzn-bedrock-service-tier": "flex"}
    reply = Asker("bedrock").send("POST", "/model/meta.llama3-8b-instruct-v1%3A0/invoke", {"prompt": "Hi."}, asked)
    assert {name: header(reply, name) for name in asked} == asked


def test_the_prompt_cache_shows_in_headers_and_metrics() -> None:
    asker = Asker("bedrock")
    system = [{"type": "text", "text": "Remember this. " * 2000, "cache_control": {"type": "ephemeral"}}]
    body = {**CLAUDE_BODY, "system": system}
    model = "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0"
    first = asker.send("POST", f"{model}/invoke", body)
    again = asker.send("POST", f"{model}/invoke-with-response-stream", body)
    written = int(header(first, "x-amzn-bedrock-cache-write-input-token-count") or 0)
    metrics = chunks_of(again)[-1]["amazon-bedrock-invocationMetrics"]
    assert written == metrics["cacheReadInputTokenCount"] > 1000
    assert header(first, "x-amzn-bedrock-input-token-count") == str(metrics["inputTokenCount"])


def test_a_canned_error_takes_the_place_of_an_embedding() -> None:
    canned = read_replies([{"match": {"prompt_contains": "cat"}, "reply": {"error": {"status": 429}}}])
    asker = Asker("bedrock", canned=canned)
    reply = asker.send("POST", "/model/amazon.titan-embed-text-v1/invoke", {"inputText": "A cat"})
    assert (reply.status, header(reply, "x-amzn-errortype")) == (429, "ThrottlingException")
    assert asker.send("POST", "/model/amazon.titan-embed-text-v1/invoke", {"inputText": "A dog"}).status == 200
