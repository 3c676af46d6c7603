"""What canned replies give: answers with counted tokens, errors, raw bodies."""

from __future__ import annotations

import pytest

from providers.emulated.acting import count_input
from providers.emulated.answer import Answer, Stop, alphanumeric
from providers.emulated.base import CannedFailure, Refused
from providers.emulated.canned_grammar import read_replies
from providers.emulated.tokens import count
from tests.providers.emulated.questions import ask


def give(reply: dict[str, object], index: int = 0, *, is_repeatable: bool = True) -> Answer:
    (entry,) = read_replies([{"reply": reply}])
    return entry.reply.give(ask(), index, is_repeatable=is_repeatable)


def test_a_text_is_said_as_it_is_and_counted() -> None:
    answer = give({"text": "Here is what I was told to say."})
    assert answer.text == "Here is what I was told to say."
    assert answer.output_tokens == len(answer.pieces) == count(answer.text)
    assert answer.input_tokens == count_input(ask())
    assert (answer.stop, answer.tool_uses, answer.thinking, answer.reasoning_tokens) == (Stop.END, [], "", 0)


def test_json_is_a_text_whose_members_stay_in_their_order() -> None:
    assert give({"json": {"b": 1, "a": [None, "ü"]}}).text == '{"b":1,"a":[null,"ü"]}'
    assert give({"json": None}).text == "null"


def test_thinking_counts_as_output() -> None:
    answer = give({"text": "Yes.", "thinking": "Let me see whether that is so."})
    assert answer.thinking == "Let me see whether that is so."
    assert answer.reasoning_tokens == len(answer.thinking_pieces) == count(answer.thinking)
    assert answer.output_tokens == answer.reasoning_tokens + count("Yes.")


def test_tool_calls_have_ids_of_their_own_for_every_choice() -> None:
    calls = [{"name": "get_weather", "arguments": {"city": "Paris"}}, {"name": "now"}]
    first, second = give({"tool_calls": calls}), give({"tool_calls": calls}, 1)
    assert [(use.name, use.arguments) for use in first.tool_uses] == [
        ("get_weather", '{"city":"Paris"}'),
        ("now", "{}"),
    ]
    assert first.tool_uses[1].id == alphanumeric(ask().digest, "tool 0 1", 24)
    assert len({use.id for use in first.tool_uses + second.tool_uses}) == 4
    assert first.stop is Stop.TOOLS
    assert first.output_tokens > 0
    assert give({"tool_calls": calls, "text": "One moment."}).text == "One moment."


def test_chunks_keep_their_borders_and_their_waits() -> None:
    answer = give({"chunks": ["one ", {"text": "two", "delay_s": 0.5}], "delay_s": 2})
    assert [(piece.text, piece.delay_s) for piece in answer.pieces] == [("one ", 0), ("two", 0.5)]
    assert (answer.text, answer.delay_s) == ("one two", 2)
    assert answer.output_tokens == count("one ") + count("two")


def test_how_it_ends_and_what_it_cost_can_be_chosen() -> None:
    usage = {"input_tokens": 1000, "output_tokens": 2}
    answer = give({"text": "This is cut", "thinking": "a b c d e", "finish": "length", "usage": usage})
    assert (answer.stop, answer.input_tokens, answer.output_tokens) == (Stop.LENGTH, 1000, 2)
    assert answer.reasoning_tokens == 2  # they are part of the output
    assert give({"text": "No.", "finish": "refusal"}).stop is Stop.REFUSAL


def test_every_answer_is_one_of_its_own() -> None:
    (entry,) = read_replies([{"reply": {"text": "x", "thinking": "y"}}])
    first = entry.reply.give(ask(), 0, is_repeatable=True)
    first.pieces.clear()
    first.thinking_pieces.clear()
    assert entry.reply.give(ask(), 0, is_repeatable=True).text == "x"


def test_an_error_carries_all_that_was_said_of_it() -> None:
    error = {"status": 429, "message": "Slow down.", "type": "t", "code": "c", "headers": {"Retry-After": 7}}
    with pytest.raises(CannedFailure) as caught:
        give({"error": error, "delay_s": 1}, is_repeatable=False)
    failure = caught.value
    assert (failure.status, failure.message, failure.type, failure.code) == (429, "Slow down.", "t", "c")
    assert (failure.headers, failure.delay_s) == (((b"retry-after", b"7"),), 1)
    assert not failure.is_repeatable
    with pytest.raises(CannedFailure) as caught:
        give({"error": {"status": 500}})
    assert (caught.value.message, caught.value.type, caught.value.code) == (None, None, None)


def test_a_body_is_sent_as_it_is() -> None:
    with pytest.raises(Refused) as caught:
        give({"body": '{"half": ', "status": 201, "content_type": "text/plain", "headers": {"x-a": "b"}, "delay_s": 3})
    reply = caught.value.reply
    assert (reply.status, reply.body, reply.delay_s) == (201, b'{"half": ', 3)
    assert reply.headers == ((b"content-type", b"text/plain"), (b"x-a", b"b"))
    with pytest.raises(Refused) as caught:
        give({"body": {"a": [1, "ü"]}})
    assert caught.value.reply.body == '{"a":[1,"ü"]}'.encode()
    assert caught.value.reply.headers == ((b"content-type", b"application/json"),)
    assert caught.value.reply.is_repeatable


def test_raw_chunks_are_a_body_in_parts() -> None:
    with pytest.raises(Refused) as caught:
        give(
            {
                "raw": True,
                "chunks": ["data: a\n\n", {"text": "data: b", "delay_s": 1}],
                "content_type": "text/event-stream",
            }
        )
    frames = caught.value.reply.body
    assert not isinstance(frames, bytes)
    assert [(frame.data, frame.delay_s, frame.tokens) for frame in frames] == [
        (b"data: a\n\n", 0, 0),
        (b"data: b", 1, 0),
    ]
