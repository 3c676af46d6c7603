from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.emulated.answer import Stop
from providers.emulated.dialects.bedrock_cohere import COMMAND_R
from providers.emulated.dialects.bedrock_errors import Refusal
from providers.emulated.question import ToolResult
from tests.providers.emulated.dialects.test_bedrock_converse_reply import CALLS, answer

MODEL = "cohere.command-r-v1:0"
TOOL = {
    "name": "get_weather",
    "description": "The weather",
    "parameter_definitions": {
        "city": {"type": "str", "required": True},
        "days": {"type": "int"},
        "hours": {"type": "List[int]"},
    },
}


def test_a_question_holds_what_a_body_asks() -> None:
    question = COMMAND_R.read(
        {
            "message": "And now?",
            "chat_history": [{"role": "USER", "message": "Hi."}, {"role": "CHATBOT", "message": "Hello."}],
            "preamble": "Be brief.",
            "documents": [{"title": "a", "snippet": "b"}],
            "max_tokens": 9,
            "temperature": 0.3,
            "stop_sequences": ["END"],
            "seed": 4,
            "tools": [TOOL],
        },
        "invoke",
        MODEL,
    )
    assert [(turn.role, turn.text) for turn in question.turns] == [
        ("system", "Be brief."),
        ("user", "Hi."),
        ("assistant", "Hello."),
        ("user", "And now?"),
    ]
    assert question.turns[-1].attachments == ("document",)
    assert (question.max_tokens, question.temperature, question.stops, question.seed) == (9, 0.3, ("END",), 4)
    assert question.tools[0].schema == {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "hours": {"type": "array"}},
        "required": ["city"],
    }


def test_results_of_tools_end_the_conversation() -> None:
    result = {"call": {"name": "get_weather", "parameters": {"city": "Paris"}}, "outputs": [{"c": 20}]}
    question = COMMAND_R.read({"message": "Weather?", "tools": [TOOL], "tool_results": [result]}, "invoke", MODEL)
    assert question.has_tool_result
    assert question.turns[-1].tool_results == (ToolResult("call_0", "get_weather", '{"c":20}'),)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "#: required key [message] not found"),
        ({"message": "Hi.", "messages": []}, "#: extraneous key [messages] is not permitted"),
        ({"message": "Hi.", "chat_history": ["Hi."]}, "#/chat_history/0: expected type: JSONObject"),
        ({"message": "Hi.", "chat_history": [{"role": "user", "message": ""}]}, "#/chat_history/0/role"),
        ({"message": "Hi.", "tools": [{"name": "x"}]}, "#/tools/0: required key [description] not found"),
        ({"message": "Hi.", "tools": [1]}, "#/tools/0: expected type: JSONObject"),
        ({"message": "Hi.", "tool_results": [{}]}, "#/tool_results/0: required key [call] not found"),
        ({"message": "Hi.", "tool_results": [[]]}, "#/tool_results/0: expected type: JSONObject"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(body: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        COMMAND_R.read(body, "invoke", MODEL)
    assert said in refusal.value.message


def test_what_is_streamed_adds_up_to_the_whole_reply() -> None:
    body = {"message": "Hi.", "chat_history": [{"role": "USER", "message": "Ho."}]}
    said = answer(tool_uses=CALLS, stop=Stop.LENGTH)
    whole = orjson.loads(orjson.dumps(COMMAND_R.reply(body, MODEL, said)))
    events = [orjson.loads(event) for event, _, _ in COMMAND_R.events(body, MODEL, said)]
    assert "".join(event.get("text", "") for event in events) == whole["text"] == said.text
    assert events[-1]["response"] == whole
    assert events[-1]["is_finished"]
    assert whole["finish_reason"] == "MAX_TOKENS"
    assert whole["tool_calls"][0] == {"name": "get_weather", "parameters": {"city": "Zürich", "days": 3}}
    assert [entry["role"] for entry in whole["chat_history"]] == ["USER", "USER", "CHATBOT"]
    assert [event["tool_calls"] for event in events if event["event_type"] == "tool-calls-generation"] == [
        whole["tool_calls"]
    ]
