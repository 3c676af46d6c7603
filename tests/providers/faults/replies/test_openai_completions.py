"""Edited replies of the legacy completions API are what the SDK says a reply is."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types import Completion

from providers.faults.base import Edit
from providers.faults.registry import get_faults
from providers.faults.replies.openai_chunks import REFUSAL
from providers.faults.replies.openai_completions import CompletionsEditor
from tests.providers.emulated.asking import Asker
from tests.providers.emulated.openai_asking import validated
from tests.providers.faults.openai_replies import COMPLETIONS, asked, edit_stream, edit_whole

BODY: dict[str, Any] = {"model": "gpt-3.5-turbo-instruct", "prompt": "Tell me about ducks.", "n": 2, "best_of": 2}


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def both(asker: Asker, edit: Edit, text: str | None = None) -> list[tuple[str, str | None]]:
    """Text and finish reason of every choice: whole, then streamed."""
    whole = validated(Completion, edit_whole(asker, COMPLETIONS, BODY, edit, text))
    found = [(choice.text, choice.finish_reason) for choice in whole.choices]
    made, has_edited = edit_stream(asker, COMPLETIONS, BODY, edit, text)
    assert has_edited
    chunks = [validated(Completion, _finished(data)) for data in made]
    for index in range(2):
        told = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
        found.append(("".join(choice.text for choice in told), told[-1].finish_reason))
    return found


def _finished(data: dict[str, Any]) -> dict[str, Any]:
    # The SDK's one type for both has no name for the finish reason of a choice that goes on.
    for choice in data["choices"]:
        choice["finish_reason"] = choice["finish_reason"] or "stop"
    return data


def test_a_refusal_is_plain_text(asker: Asker) -> None:
    assert both(asker, Edit.REFUSAL) == [(REFUSAL, "stop")] * 4
    assert both(asker, Edit.REFUSAL, "No way.") == [("No way.", "stop")] * 4


def test_an_answer_without_content_is_a_success(asker: Asker) -> None:
    assert both(asker, Edit.EMPTY_CONTENT) == [("", "stop")] * 4


def test_a_text_stops_half_way(asker: Asker) -> None:
    full = [choice["text"] for choice in asker.json("POST", COMPLETIONS, BODY)["choices"]]
    found = both(asker, Edit.LENGTH)
    for (text, finish), whole in zip(found, full * 2, strict=True):
        assert whole.startswith(text)
        assert 0.3 * len(whole) < len(text) < 0.7 * len(whole)
        assert finish == "length"


def test_one_piece_is_cut_within_it() -> None:
    editor = CompletionsEditor(Edit.LENGTH)
    assert list(editor.event(b'data: {"choices":[{"index":0,"text":"Quack!","finish_reason":null}]}\n\n')) == []
    first, last = editor.event(b'data: {"choices":[{"index":0,"text":"","finish_reason":"stop"}]}\n\n')
    assert b'"Qua"' in first
    assert b'"length"' in last


def test_there_are_no_arguments_to_spoil(asker: Asker) -> None:
    faults = get_faults("openai")
    assert faults.editor(asked(asker, COMPLETIONS), Edit.INVALID_TOOL_ARGUMENTS, b"application/json") is None
