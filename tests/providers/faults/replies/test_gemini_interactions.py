"""Edits of Gemini's interactions on plain bytes: what a proxy with emulated replies never sees."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.faults.base import Edit
from providers.faults.replies.gemini_interactions import InteractionEditor
from providers.wire import sse


def output(*texts: str) -> dict[str, Any]:
    return {"type": "model_output", "content": [{"type": "text", "text": text} for text in texts]}


def whole(edit: Edit, *steps: dict[str, Any]) -> Any:
    usage = {"total_input_tokens": 5, "total_output_tokens": 20, "total_thought_tokens": 4, "total_tokens": 29}
    body = {"id": "v1_1", "status": "completed", "steps": list(steps), "usage": usage}
    made = InteractionEditor(edit).whole(orjson.dumps(body))
    return None if made is None else orjson.loads(made)


def streamed(edit: Edit, *events: dict[str, Any]) -> list[Any]:
    editor = InteractionEditor(edit)
    frames = [sse.encode(orjson.dumps(event), event["event_type"]) for event in events]
    return [event.json() for event in sse.events(b"".join(part for each in frames for part in editor.event(each)))]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"error":{"message":"m","code":"c"}}'])
@pytest.mark.parametrize("edit", Edit)
def test_what_is_no_interaction_is_left_alone(edit: Edit, body: bytes) -> None:
    editor = InteractionEditor(edit)
    assert editor.whole(body) is None
    for frame in (b"event: done\ndata: [DONE]\n\n", b": comment\n\n", b"data: " + body + b"\n\n"):
        assert editor.event(frame) == (frame,)
    assert not editor.has_edited


def test_the_first_half_of_the_text_stays_and_nothing_after_it() -> None:
    call = {"type": "function_call", "name": "f", "arguments": {}}
    made = whole(Edit.LENGTH, {"type": "thought"}, output("0123", "45"), output("6789"), call)
    assert made["steps"] == [{"type": "thought"}, output("0123", "4")]
    assert made["status"] == "incomplete"
    assert made["usage"]["total_tokens"] == 5 + 10 + 4


def test_without_text_the_first_half_of_the_steps_stays() -> None:
    call = {"type": "function_call", "name": "f", "arguments": {}}
    assert whole(Edit.LENGTH, {"type": "thought"}, call)["steps"] == [{"type": "thought"}]
    assert whole(Edit.LENGTH) is None


def test_a_refusal_has_usual_words() -> None:
    made = whole(Edit.REFUSAL, output("Ducks."))
    assert "not able to help" in made["steps"][0]["content"][0]["text"]
    assert made["usage"]["total_thought_tokens"] == 0


def test_a_step_that_is_cut_off_is_closed() -> None:
    events: list[dict[str, Any]] = [{"event_type": "step.start", "index": 0, "step": {"type": "model_output"}}]
    events += [{"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": str(n)}} for n in range(4)]
    events += [{"event_type": "step.stop", "index": 0}]
    events += [{"event_type": "interaction.completed", "interaction": {"id": "v1_1", "status": "completed"}}]
    sent = streamed(Edit.LENGTH, *events)
    assert [event["event_type"] for event in sent] == [
        "step.start", "step.delta", "step.delta", "step.stop", "interaction.completed",
    ]  # fmt: skip
    assert sent[-1]["interaction"]["status"] == "incomplete"


def test_an_empty_interaction_has_no_steps() -> None:
    completed = {"event_type": "interaction.completed", "interaction": {"id": "v1_1", "status": "requires_action"}}
    step = {"event_type": "step.start", "index": 0, "step": {"type": "function_call"}}
    (sent,) = streamed(Edit.EMPTY_CONTENT, step, {"event_type": "step.stop", "index": 0}, completed)
    assert sent["interaction"]["status"] == "completed"


def test_arguments_break_off_once_for_each_call() -> None:
    events = [
        {"event_type": "step.delta", "index": index, "delta": {"type": "arguments_delta", "arguments": text}}
        for index, text in ((0, '{"a": 1'), (0, "}"), (1, '{"b": 2}'))
    ]
    sent = streamed(Edit.INVALID_TOOL_ARGUMENTS, *events)
    assert [(event["index"], event["delta"]["arguments"]) for event in sent] == [(0, '{"a'), (1, '{"b"')]
