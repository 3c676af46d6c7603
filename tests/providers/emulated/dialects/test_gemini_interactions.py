from __future__ import annotations

from typing import Any

import orjson
import pytest
from google.genai._gaos.types.interactions.interaction import Interaction
from google.genai._gaos.types.interactions.interactionsseevent import InteractionSSEEvent
from pydantic import TypeAdapter

from providers.base import BodyFacts
from providers.vertex_ai import PROVIDER
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.google_asking import LOCATION

EVENT: TypeAdapter[Any] = TypeAdapter(InteractionSSEEvent)
MODEL = "gemini-3-flash-preview"
TOOLS = [
    {
        "type": "function",
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]
CASES: dict[str, dict[str, Any]] = {
    "prose": {"input": "Say hello."},
    "a tool": {"input": "Weather in Paris?", "tools": TOOLS, "generation_config": {"tool_choice": "any"}},
    "thoughts": {"input": "How many ducks?", "generation_config": {"thinking_summaries": "auto"}},
    "few tokens": {"input": "Tell me a long story.", "generation_config": {"max_output_tokens": 3}},
}


def create(asker: Asker, body: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = asker.json("POST", "/v1beta/interactions", {"model": MODEL, **body})
    return made


def events(asker: Asker, body: dict[str, Any]) -> list[dict[str, Any]]:
    reply = asker.send("POST", "/v1beta/interactions", {"model": MODEL, "stream": True, **body})
    assert header(reply, "content-type") == "text/event-stream"
    *frames, end, rest = whole(reply).decode().split("\n\n")
    assert (end, rest) == ("event: done\ndata: [DONE]", "")
    found = []
    for frame in frames:
        name, data = frame.split("\n")
        event = orjson.loads(data.removeprefix("data: "))
        assert name == f"event: {event['event_type']}"
        assert not getattr(EVENT.validate_python(event), "is_unknown", False)
        found.append(event)
    return found


def assembled(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps that a stream's events build up."""
    steps: list[dict[str, Any]] = []
    for event in found:
        if event["event_type"] == "step.start":
            steps.append(dict(event["step"]))
        elif event["event_type"] == "step.delta":
            step, delta = steps[event["index"]], event["delta"]
            if delta["type"] == "text":
                step["content"] = [
                    {"type": "text", "text": step.get("content", [{"text": ""}])[0]["text"] + delta["text"]}
                ]
            elif delta["type"] == "thought_summary":
                before = step.get("summary", [{"text": ""}])[0]["text"]
                step["summary"] = [{"type": "text", "text": before + delta["content"]["text"]}]
            elif delta["type"] == "thought_signature":
                step["signature"] = delta["signature"]
            else:
                step["arguments"] = orjson.loads(delta["arguments"])
    return steps


@pytest.mark.parametrize("case", CASES)
def test_an_interaction_is_the_sdks_type_and_its_events_are_the_same(case: str) -> None:
    asker = Asker("vertex_ai")
    made = create(asker, CASES[case])
    Interaction.model_validate(made)
    known = {field.alias or name for name, field in Interaction.model_fields.items()}
    assert made.keys() - known == {"object"}
    found = events(asker, CASES[case])
    assert assembled(found) == made["steps"]
    assert found[0]["event_type"] == "interaction.created"
    assert found[-1]["event_type"] == "interaction.completed"
    for name in ("id", "status", "usage", "model", "created"):
        assert found[-1]["interaction"][name] == made[name]


@pytest.mark.parametrize(
    ("case", "status"), [("prose", "completed"), ("a tool", "requires_action"), ("few tokens", "incomplete")]
)
def test_the_status_says_how_it_ended(case: str, status: str) -> None:
    assert create(Asker("vertex_ai"), CASES[case])["status"] == status


@pytest.mark.parametrize("is_streaming", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_usage_is_what_the_log_reads(case: str, is_streaming: bool) -> None:
    usage = create(Asker("vertex_ai"), CASES[case])["usage"]
    body = {"model": MODEL, "stream": is_streaming, **CASES[case]}
    reply = Asker("vertex_ai").send("POST", "/v1beta/interactions", body)
    call = PROVIDER.match("POST", b"/v1beta/interactions")
    reader = PROVIDER.usage_reader(call, BodyFacts(is_streaming=is_streaming), 200, reply.headers)
    assert reader is not None
    reader.feed(whole(reply))
    read = reader.finish()
    assert reader.is_whole
    assert read.input_tokens == usage["total_input_tokens"]
    assert read.output_tokens == usage["total_output_tokens"] + usage["total_thought_tokens"]
    assert usage["total_tokens"] == (read.input_tokens or 0) + (read.output_tokens or 0)


def test_an_interaction_goes_on_from_another() -> None:
    asker = Asker("vertex_ai")
    first = create(asker, {"input": "My name is Ada."})
    second = create(asker, {"input": "What is my name?", "previous_interaction_id": first["id"]})
    alone = create(asker, {"input": "What is my name?"})
    assert second["previous_interaction_id"] == first["id"]
    assert second["usage"]["total_input_tokens"] > alone["usage"]["total_input_tokens"]
    assert "Ada" in second["steps"][-1]["content"][0]["text"]


def test_an_agents_loop_ends() -> None:
    asker = Asker("vertex_ai")
    first = create(asker, CASES["a tool"])
    call = first["steps"][-1]
    assert call["arguments"].keys() == {"city"}
    result = {"type": "function_result", "call_id": call["id"], "name": call["name"], "result": "17 degrees"}
    second = create(asker, {"input": [result], "tools": TOOLS, "previous_interaction_id": first["id"]})
    assert second["status"] == "completed"


@pytest.mark.parametrize("home", ["/v1beta", LOCATION])
def test_a_stored_interaction_can_be_had_again_and_deleted(home: str) -> None:
    asker = Asker("vertex_ai")
    made = asker.json("POST", f"{home}/interactions", {"model": MODEL, "input": "Hi"})
    path = f"{home}/interactions/{made['id']}"
    assert asker.json("GET", path) == made
    assert asker.json("GET", f"{path}?include_input=true") == made | {"input": "Hi"}
    assert asker.send("POST", f"{path}/cancel", {}).status == 400
    assert asker.json("DELETE", path) == {}
    error = orjson.loads(whole(asker.send("GET", path)))["error"]
    assert error["code"] == "not_found"


def test_an_interaction_that_is_not_stored_is_gone() -> None:
    asker = Asker("vertex_ai")
    made = create(asker, {"input": "Hi", "store": False})
    assert asker.send("GET", f"/v1beta/interactions/{made['id']}").status == 404
