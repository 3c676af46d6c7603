"""Edits of Gemini's replies on plain bytes: what a proxy with emulated replies never sees."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.faults.base import Edit
from providers.faults.replies.gemini import GeminiEditor
from providers.wire import sse


def candidate(*parts: dict[str, Any], index: int | None = None, finish: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}}
    if finish:
        made["finishReason"] = finish
    if index is not None:
        made["index"] = index
    return made


def chunk(*candidates: dict[str, Any], written: int = 0) -> dict[str, Any]:
    usage = {"promptTokenCount": 9, "totalTokenCount": 9 + written}
    if written:
        usage["candidatesTokenCount"] = written
    return {"candidates": list(candidates), "usageMetadata": usage, "modelVersion": "gemini"}


def text(said: str, **more: Any) -> dict[str, Any]:
    return {"text": said, **more}


def whole(edit: Edit, reply: Any) -> Any:
    made = GeminiEditor(edit).whole(orjson.dumps(reply))
    return None if made is None else orjson.loads(made)


def streamed(edit: Edit, *chunks: Any, words: str | None = None) -> tuple[list[Any], GeminiEditor]:
    """As server-sent events; the elements of an array must come out the same."""
    editor, other = GeminiEditor(edit, words), GeminiEditor(edit, words)
    data = b"".join(part for each in chunks for part in editor.event(b"data: " + orjson.dumps(each) + b"\r\n\r\n"))
    sent = [event.json() for event in sse.events(data)]
    assert [orjson.loads(part) for each in chunks for part in other.event(orjson.dumps(each))] == sent
    assert editor.finish() == other.finish() == ()
    return sent, editor


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"{}", b'{"promptFeedback":{"blockReason":"SAFETY"}}'])
@pytest.mark.parametrize("edit", Edit)
def test_what_is_no_answer_is_left_alone(edit: Edit, body: bytes) -> None:
    editor = GeminiEditor(edit)
    assert editor.whole(body) is None
    frame = b"data: " + body + b"\n\n"
    assert editor.event(frame) == (frame,)
    assert not editor.has_edited


def test_thoughts_are_kept_and_text_is_halved_and_calls_are_gone() -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    parts = (text("Hmm.", thought=True), text("01234567"), text("89"), call)
    made = whole(Edit.LENGTH, chunk(candidate(*parts, finish="STOP"), written=7))
    assert made["candidates"][0]["content"]["parts"] == [text("Hmm.", thought=True), text("01234")]
    assert made["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert made["usageMetadata"] == {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12}


def test_an_answer_of_nothing_but_calls_ends_before_them() -> None:
    made = whole(Edit.LENGTH, chunk(candidate({"functionCall": {"name": "f"}}, finish="STOP")))
    assert made["candidates"][0] == {"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}


def test_a_stream_of_one_chunk_is_cut_within_it() -> None:
    sent, editor = streamed(Edit.LENGTH, chunk(candidate(text("0123456789"), finish="STOP"), written=8))
    assert editor.has_edited
    assert sent[0]["candidates"][0]["content"]["parts"] == [text("01234")]
    assert sent[0]["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert sent[0]["usageMetadata"]["candidatesTokenCount"] == 4


@pytest.mark.parametrize("count", [2, 3, 10, 11])
def test_a_stream_ends_half_way(count: int) -> None:
    chunks = [chunk(candidate(text(str(number)))) for number in range(count - 1)]
    sent, _ = streamed(Edit.LENGTH, *chunks, chunk(candidate(text("end"), finish="STOP"), written=100))
    assert [each["candidates"][0]["content"]["parts"][0]["text"] for each in sent] == [
        str(number) for number in range(len(sent))
    ]
    assert len(sent) in (count // 2, count // 2 + 1)
    assert [each["candidates"][0].get("finishReason") for each in sent] == [None] * (len(sent) - 1) + ["MAX_TOKENS"]
    assert 0 < sent[-1]["usageMetadata"]["candidatesTokenCount"] < 100


def test_candidates_are_cut_off_by_themselves() -> None:
    chunks = [chunk(candidate(text(f"{number}-{index}"), index=index)) for number in range(4) for index in (0, 1)]
    ends = [chunk(candidate(text("end"), index=index, finish="STOP"), written=9) for index in (0, 1)]
    sent, _ = streamed(Edit.LENGTH, *chunks, *ends)
    for index in (0, 1):
        own = [each["candidates"][0] for each in sent if each["candidates"][0]["index"] == index]
        assert [each["content"]["parts"][0]["text"] for each in own] == [f"{number}-{index}" for number in range(3)]
        assert own[-1]["finishReason"] == "MAX_TOKENS"


def test_a_refusal_is_the_first_chunk_and_the_last() -> None:
    chunks = [chunk(candidate(text("a"))), chunk(candidate(text("b"))), chunk(candidate(text("c"), finish="STOP"))]
    sent, editor = streamed(Edit.REFUSAL, *chunks)
    assert editor.has_edited
    (only,) = sent
    assert only["candidates"][0].keys() == {"finishReason", "safetyRatings"}
    sent, _ = streamed(Edit.REFUSAL, *chunks, words="No, really not.")
    assert sent[0]["candidates"][0]["content"] == {"parts": [{"text": "No, really not."}], "role": "model"}
    assert sent[0]["usageMetadata"] == {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13}


def test_counts_of_thoughts_go_with_the_thoughts() -> None:
    reply = chunk(candidate(text("a"), finish="STOP"), written=5)
    reply["usageMetadata"] |= {"thoughtsTokenCount": 30, "toolUsePromptTokenCount": 2, "totalTokenCount": 46}
    assert whole(Edit.EMPTY_CONTENT, reply)["usageMetadata"] == {
        "promptTokenCount": 9, "toolUsePromptTokenCount": 2, "totalTokenCount": 11,
    }  # fmt: skip
    assert whole(Edit.LENGTH, reply)["usageMetadata"]["totalTokenCount"] == 43


def test_arguments_are_spoilt_wherever_they_come() -> None:
    call = {"functionCall": {"name": "f", "args": {"city": "Paris", "days": [1]}}, "thoughtSignature": "s"}
    chunks = [chunk(candidate(text("a"))), chunk(candidate(call, finish="STOP"))]
    sent, editor = streamed(Edit.INVALID_TOOL_ARGUMENTS, *chunks)
    assert editor.has_edited
    assert sent[0] == chunks[0]
    (part,) = sent[1]["candidates"][0]["content"]["parts"]
    assert part["functionCall"] == {"name": "f", "args": {"city": ["Paris"], "days": {"value": [1]}}}
    assert part["thoughtSignature"] == "s"
    assert whole(Edit.INVALID_TOOL_ARGUMENTS, chunk(candidate(text("a"), finish="STOP"))) is None
