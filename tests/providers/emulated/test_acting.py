"""An emulated model's answer: what it holds, where it is cut, what is counted."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.emulated import tokens
from providers.emulated.acting import act, count_input, limited
from providers.emulated.answer import Stop, alphanumeric
from providers.emulated.question import OutputFormat, Question, Tool, ToolChoice, ToolResult, ToolUse, Turn
from tests.providers.emulated.conversations import ADD, ANY, CITY, FINAL, WEATHER, calls, say, talk, with_results

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


# --- the limit


@pytest.mark.parametrize("prompt", ["Explain how sails work.", "What is the weather in Paris and Rome?"])
@pytest.mark.parametrize("thinks", [False, True])
def test_an_answer_cut_by_max_tokens_has_exactly_that_many(prompt: str, thinks: bool) -> None:
    whole = act(talk(prompt, tools=[WEATHER], thinks=thinks))
    for most in range(whole.output_tokens):
        answer = limited(talk(prompt, max_tokens=most), whole.pieces, whole.thinking_pieces, list(whole.tool_uses))
        assert answer.output_tokens == most
        assert answer.stop is Stop.LENGTH
        assert whole.text.startswith(answer.text)
        assert whole.thinking.startswith(answer.thinking)
        for kept, use in zip(answer.tool_uses, whole.tool_uses, strict=False):
            assert use.arguments.startswith(kept.arguments)
    same = limited(
        talk(prompt, max_tokens=whole.output_tokens), whole.pieces, whole.thinking_pieces, list(whole.tool_uses)
    )
    assert same.stop is whole.stop
    assert same.output_tokens == whole.output_tokens


def test_a_call_cut_by_max_tokens_keeps_the_beginning_of_its_arguments() -> None:
    use = ToolUse("1", "get_weather", '{"city":"Paris"}')
    answer = limited(talk("?", max_tokens=tokens.count(use.name) + 3), [], [], [use])
    assert answer.tool_uses == [ToolUse("1", "get_weather", '{"city')]
    assert answer.stop is Stop.LENGTH


@pytest.mark.parametrize("most", [0, -1, -(10**9)])
def test_no_room_at_all_leaves_nothing(most: int) -> None:
    answer = act(talk("Say hello.", max_tokens=most))
    assert (answer.text, answer.output_tokens, answer.stop) == ("", 0, Stop.LENGTH)


# --- stop sequences


def test_an_answer_ends_before_the_first_stop_sequence() -> None:
    answer = act(talk("Count to 9", stops=("7", "4,", "")))
    assert answer.text == "1, 2, 3, "
    assert (answer.stop, answer.stop_sequence) == (Stop.SEQUENCE, "4,")
    assert answer.output_tokens == len(answer.pieces)


def test_a_stop_sequence_cuts_within_a_piece_and_at_the_very_start() -> None:
    assert act(talk("Reply with exactly: banana", stops=("nana",))).text == "ba"
    answer = act(talk("Reply with exactly: banana", stops=("b",)))
    assert (answer.pieces, answer.output_tokens, answer.stop) == ([], 0, Stop.SEQUENCE)


def test_a_stop_sequence_that_does_not_occur_changes_nothing() -> None:
    answer = act(talk("Count to 5", stops=("never",)))
    assert (answer.text, answer.stop, answer.stop_sequence) == ("1, 2, 3, 4, 5", Stop.END, None)


def test_what_max_tokens_cuts_before_the_stop_sequence_ends_by_length() -> None:
    answer = act(talk("Count to 9", stops=("9",), max_tokens=2))
    assert (answer.text, answer.stop, answer.stop_sequence) == ("1,", Stop.LENGTH, None)


# --- thoughts


def test_thoughts_come_only_when_asked_for_and_count_as_reasoning() -> None:
    plain, thinking = act(talk("Why is the sky blue?")), act(talk("Why is the sky blue?", thinks=True))
    assert plain.thinking_pieces == []
    assert plain.reasoning_tokens == 0
    assert "sky blue" in thinking.thinking
    assert thinking.reasoning_tokens == len(thinking.thinking_pieces)
    assert thinking.output_tokens == len(thinking.pieces) + thinking.reasoning_tokens


# --- tools and structured output


def test_a_call_has_an_id_of_its_own_made_from_the_request() -> None:
    question = talk("weather in Paris and Rome", tools=[WEATHER])
    answer = act(question)
    assert [use.id for use in answer.tool_uses] == [alphanumeric(question.digest, f"tool 0 {n}", 24) for n in (0, 1)]
    assert act(question, 1).tool_uses[0].id != answer.tool_uses[0].id


def test_a_call_counts_as_output() -> None:
    answer = act(talk("weather in Paris", tools=[WEATHER]))
    assert answer.stop is Stop.TOOLS
    assert answer.output_tokens == sum(map(tokens.count_tool_use, answer.tool_uses)) > 0


def test_structured_output_is_json_of_the_schema() -> None:
    answer = act(talk("Ann is 31 years old.", output=OutputFormat(PERSON)))
    value = orjson.loads(answer.text)
    assert set(value) == {"name", "age"}
    assert value["age"] == 31
    assert answer.stop is Stop.END


def test_structured_output_without_a_schema_is_an_object() -> None:
    assert isinstance(orjson.loads(say("Describe a duck", output=OutputFormat())), dict)


def test_structured_output_that_is_cut_ends_by_length() -> None:
    answer = act(talk("Ann is 31 years old.", output=OutputFormat(PERSON), max_tokens=4))
    assert (answer.output_tokens, answer.stop) == (4, Stop.LENGTH)


def test_a_tool_asked_for_comes_before_structured_output() -> None:
    question = talk("What is the weather in Paris?", tools=[WEATHER], output=OutputFormat(dict(FINAL.schema)))
    first = act(question)
    assert calls(first) == [("get_weather", '{"city":"Paris"}')]
    second = act(with_results(question, first, '{"temperature": 23.5}'))
    assert second.tool_uses == []
    assert orjson.loads(second.text) == {"temperature": 23.5}


def test_a_schema_nothing_can_satisfy_still_gets_an_answer() -> None:
    impossible = {"type": "object", "properties": {"a": False}, "required": ["a"]}
    assert say("Hello", output=OutputFormat(impossible)) == "{}"
    assert calls(act(talk("Hello", tools=[Tool("x", "", impossible)], tool_choice=ANY))) == [("x", "{}")]


def test_an_answer_goes_on_from_where_the_request_begins_it() -> None:
    assert isinstance(orjson.loads("{" + say("Describe a duck", "{")), dict)
    assert say("Reply with exactly: one two three", "one two") == "three"
    assert isinstance(orjson.loads("[" + say("Describe a duck", "[")), list)


# --- choices


def test_temperature_zero_gives_one_wording_whatever_the_seed_and_the_index() -> None:
    wordings = {
        act(talk("Explain how sails work.", temperature=0, seed=seed), index).text
        for seed in range(5)
        for index in range(3)
    }
    assert len(wordings) == 1


def test_without_temperature_and_seed_the_first_answer_is_the_canonical_one() -> None:
    assert say("Explain how sails work.", model="a") == say("Explain how sails work.", model="b", temperature=0)


def test_seeds_and_indices_choose_other_wordings_and_always_the_same() -> None:
    question = talk("Explain how sails work.", temperature=1.0)
    assert len({act(question, index).text for index in range(3)}) == 3
    assert [act(question, index) for index in range(3)] == [act(question, index) for index in range(3)]
    seeded = [say("Explain how sails work.", seed=seed) for seed in range(20)]
    assert len(set(seeded)) > 3
    assert seeded == [say("Explain how sails work.", seed=seed) for seed in range(20)]


# --- what is counted


def test_the_input_counts_system_turns_tools_attachments_and_results() -> None:
    bare = count_input(talk("Hello"))
    assert count_input(talk(Turn("system", "Be brief."), Turn("user", "Hello"))) > bare
    assert count_input(talk("Hello", tools=[WEATHER])) > bare
    assert count_input(talk(Turn("user", "Hello", ("image",)))) > bare
    assert count_input(talk("Hello", Turn("tool", tool_results=(ToolResult("1", "", "sunny"),)))) > bare
    assert act(talk("Hello", tools=[WEATHER])).input_tokens == count_input(talk("Hello", tools=[WEATHER]))


# --- anything


TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)
SAYINGS = (
    "say hello repeat count to 5 7 2+2 list three fruits translate my name is Ann what json keys in a poem about"
    " weather Paris and Rome, summarise: write code 100 words the capital of France? remember yes or no add ( ) - ^"
)
WORDS = st.lists(st.sampled_from(SAYINGS.split()), max_size=14).map(" ".join)
TOOL = st.sampled_from(
    [
        WEATHER,
        ADD,
        FINAL,
        Tool("x"),
        Tool("", "", {"type": "string"}),
        Tool("🦆", "\ud800", {"enum": []}),
        Tool("y", "", CITY),
    ]
)
TURN = st.builds(
    Turn,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    text=TEXT | WORDS,
    attachments=st.lists(st.sampled_from(["image", "audio", "video", "document", "?"]), max_size=3).map(tuple),
    tool_uses=st.lists(st.builds(ToolUse, id=TEXT, name=TEXT, arguments=TEXT), max_size=2).map(tuple),
    tool_results=st.lists(
        st.builds(ToolResult, id=TEXT, name=TEXT, text=TEXT | WORDS, is_error=st.booleans()), max_size=2
    ).map(tuple),
)
QUESTION = st.builds(
    Question,
    operation=st.just("chat.completions"),
    model=TEXT,
    digest=st.binary(min_size=32, max_size=32),
    turns=st.lists(TURN, max_size=5) | st.builds(lambda turn, many: [turn] * many, TURN, st.integers(100, 400)),
    tools=st.lists(TOOL, max_size=3),
    tool_choice=st.sampled_from(
        [ToolChoice(), ToolChoice("none"), ANY, ToolChoice("named", ("add",)), ToolChoice("named")]
    ),
    may_call_many=st.booleans(),
    output=st.sampled_from([None, None, OutputFormat(), OutputFormat(PERSON), OutputFormat({"enum": []})]),
    max_tokens=st.none() | st.integers(-5, 60),
    stops=st.lists(st.sampled_from(["", "a", "e ", ".", "\n", "\ud800"]), max_size=2).map(tuple),
    temperature=st.none() | st.floats(allow_nan=True),
    seed=st.none() | st.integers(),
    thinks=st.booleans(),
    thinking_tokens=st.none() | st.integers(-5, 50),
)


@given(QUESTION, st.integers(0, 5))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_any_question_gets_an_answer_that_agrees_with_itself(question: Question, index: int) -> None:
    answer = act(question, index)
    assert answer == act(question, index)
    answer.text.encode()
    answer.thinking.encode()
    assert answer.input_tokens == count_input(question)
    assert answer.reasoning_tokens == len(answer.thinking_pieces)
    assert all(piece.text for piece in answer.pieces)
    if answer.stop is Stop.LENGTH:
        assert answer.output_tokens == max(question.max_tokens or 0, 0)
    else:
        spoken = len(answer.pieces) + len(answer.thinking_pieces)
        assert answer.output_tokens == spoken + sum(map(tokens.count_tool_use, answer.tool_uses))
        assert all(isinstance(orjson.loads(use.arguments), dict) for use in answer.tool_uses)
    assert (answer.stop is Stop.SEQUENCE) == (answer.stop_sequence is not None)
    assert answer.stop is not Stop.TOOLS or answer.tool_uses
