from __future__ import annotations

from typing import Any

import pytest
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from providers.emulated.dialects.bedrock_claude import own_name
from tests.providers.emulated.asking import Asker
from tests.providers.emulated.bedrock_shapes import CLAUDE, chunks_of, refusal

BODY: dict[str, Any] = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Say hello."}],
}


@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001"),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20241022"),
        ("global.anthropic.claude-opus-5-5", "claude-opus-5-5"),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-5", "claude-opus-5"),
        ("anthropic.claude-v2:1", "claude"),
        ("arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc", "claude-sonnet-4-5-20250929"),
    ],
)
def test_a_reply_names_the_model_as_anthropic_does(id: str, name: str) -> None:
    assert own_name(id) == name


def test_a_reply_is_anthropic_s_message() -> None:
    message = Message.model_validate(Asker("bedrock").json("POST", f"{CLAUDE}/invoke", BODY))
    assert message.id.startswith("msg_bdrk_01")
    assert message.model == "claude-haiku-4-5-20251001"


def test_what_is_streamed_are_anthropic_s_events() -> None:
    asker = Asker("bedrock")
    whole = asker.json("POST", f"{CLAUDE}/invoke", BODY)
    events = chunks_of(asker.send("POST", f"{CLAUDE}/invoke-with-response-stream", BODY))
    metrics = events[-1].pop("amazon-bedrock-invocationMetrics")
    for event in events:
        TypeAdapter(RawMessageStreamEvent).validate_python(event)
    text = "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")
    assert text == whole["content"][0]["text"]
    assert metrics["outputTokenCount"] == whole["usage"]["output_tokens"]
    assert events[0]["message"]["id"] == whole["id"]
    assert "ping" not in {event["type"] for event in events}


def test_a_guardrail_s_settings_are_for_bedrock_alone() -> None:
    guarded = BODY | {"amazon-bedrock-guardrailConfig": {"tagSuffix": "x"}}
    asker = Asker("bedrock")
    assert asker.json("POST", f"{CLAUDE}/invoke", guarded) == asker.json("POST", f"{CLAUDE}/invoke", BODY)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"max_tokens": None}, "Malformed input request: #/max_tokens: expected type: Integer, found: Null"),
        ({"model": "claude"}, "Malformed input request: #: extraneous key [model] is not permitted"),
        ({"stream": True}, "Malformed input request: #: extraneous key [stream] is not permitted"),
        ({"temperature": 3}, "temperature: range: 0..1"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_in_bedrock_s_shape(change: dict[str, Any], said: str) -> None:
    assert refusal(Asker("bedrock"), BODY | change, f"{CLAUDE}/invoke").startswith(said)


@pytest.mark.parametrize("name", ["anthropic_version", "max_tokens", "messages"])
def test_what_must_be_there_is_missed(name: str) -> None:
    body = {member: value for member, value in BODY.items() if member != name}
    assert refusal(Asker("bedrock"), body, f"{CLAUDE}/invoke") == (
        f"Malformed input request: #: required key [{name}] not found, please reformat your input and try again."
    )
