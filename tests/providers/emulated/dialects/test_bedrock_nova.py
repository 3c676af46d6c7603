from __future__ import annotations

import orjson
import pytest

from providers.emulated.dialects.bedrock_errors import Refusal
from providers.emulated.dialects.bedrock_nova import NOVA
from tests.providers.emulated.bedrock_shapes import WEATHER, assembled, user
from tests.providers.emulated.dialects.test_bedrock_converse_reply import ALL, answer

BODY = {
    "schemaVersion": "messages-v1",
    "system": [{"text": "Be brief."}],
    "messages": [user("Hi.")],
    "inferenceConfig": {"max_new_tokens": 20, "temperature": 0.1, "topK": 5, "stopSequences": ["END"]},
    "toolConfig": {"tools": [WEATHER]},
    "amazon-bedrock-guardrailConfig": {"tagSuffix": "x"},
}


def test_a_body_is_read_as_converse_reads_it() -> None:
    question = NOVA.read(BODY, "invoke", "amazon.nova-lite-v1:0")
    assert (question.prompt, question.max_tokens, question.stops) == ("Hi.", 20, ("END",))
    assert [tool.name for tool in question.tools] == ["get_weather"]


def test_reasoning_is_asked_for_beside_the_messages() -> None:
    body = {"messages": [user("Hi.")], "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}
    assert NOVA.read(body, "invoke", "amazon.nova-2-lite-v1:0").thinks


def test_a_text_where_blocks_belong_is_refused() -> None:
    with pytest.raises(Refusal, match=r"messages\.0\.content is invalid"):
        NOVA.read({"messages": [{"role": "user", "content": "Hi."}]}, "invoke", "amazon.nova-lite-v1:0")


def test_what_is_streamed_adds_up_to_the_whole_reply() -> None:
    said = answer(**ALL, cached_tokens=10)
    whole = orjson.loads(orjson.dumps(NOVA.reply(BODY, "", said)))
    events = [orjson.loads(event) for event, _, _ in NOVA.events(BODY, "", said)]
    made = assembled(events)
    assert made["output"] == whole["output"]
    assert made["stopReason"] == whole["stopReason"] == "tool_use"
    assert made["usage"] == whole["usage"]
    assert whole["usage"]["cacheReadInputTokenCount"] == 10
    assert whole["usage"]["inputTokens"] == 90
