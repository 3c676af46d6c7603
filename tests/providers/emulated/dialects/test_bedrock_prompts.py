from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.emulated.answer import Stop
from providers.emulated.dialects.bedrock_errors import Refusal
from providers.emulated.dialects.bedrock_prompts import CLAUDE_PROMPT, DEEPSEEK, LLAMA, MISTRAL, TITAN
from providers.emulated.dialects.bedrock_schema import Family
from tests.providers.emulated.dialects.test_bedrock_converse_reply import answer

MODEL = "some.model"
LLAMA_3 = (
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nHi.<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
)


@pytest.mark.parametrize(
    ("family", "body", "turns"),
    [
        (LLAMA, {"prompt": LLAMA_3}, [("system", "Be brief."), ("user", "Hi.")]),
        (
            LLAMA,
            {"prompt": "<|header_start|>user<|header_end|>\n\nHi.<|eot|><|header_start|>assistant<|header_end|>"},
            [("user", "Hi.")],
        ),
        (LLAMA, {"prompt": "Hi."}, [("user", "Hi.")]),
        (
            MISTRAL,
            {"prompt": "<s>[INST] Hi. [/INST] Hello.</s>[INST] How are you? [/INST]"},
            [("user", "Hi."), ("assistant", "Hello."), ("user", "How are you?")],
        ),
        (MISTRAL, {"prompt": "Hi."}, [("user", "Hi.")]),
        (
            DEEPSEEK,
            {"prompt": "<\uff5cbegin\uff5c><\uff5cUser\uff5c>Hi.<\uff5cAssistant\uff5c><think>\n"},
            [("user", "Hi.")],
        ),
        (TITAN, {"inputText": "User: Hi.\nBot:"}, [("user", "Hi.")]),
        (TITAN, {"inputText": "Hi."}, [("user", "Hi.")]),
        (
            CLAUDE_PROMPT,
            {"prompt": "\n\nHuman: Hi.\n\nAssistant:", "max_tokens_to_sample": 10},
            [("user", "Hi.")],
        ),
    ],
)
def test_the_turns_are_found_in_the_prompt_s_template(
    family: Family, body: dict[str, Any], turns: list[tuple[str, str]]
) -> None:
    question = family.read(body, "invoke", MODEL)
    assert [(turn.role, turn.text) for turn in question.turns] == turns
    assert (question.operation, question.model, question.caches) == ("invoke", MODEL, ())


@pytest.mark.parametrize(
    ("family", "body"),
    [
        (LLAMA, {"prompt": "Hi.", "max_gen_len": 9, "temperature": 0.3}),
        (MISTRAL, {"prompt": "Hi.", "max_tokens": 9, "temperature": 0.3, "stop": ["END"]}),
        (DEEPSEEK, {"prompt": "Hi.", "max_tokens": 9, "temperature": 0.3, "stop": ["END"]}),
        (
            TITAN,
            {"inputText": "Hi.", "textGenerationConfig": {
                "maxTokenCount": 9, "temperature": 0.3, "stopSequences": ["END"], "topP": 1}},
        ),
        (
            CLAUDE_PROMPT,
            {"prompt": "Hi.", "max_tokens_to_sample": 9, "temperature": 0.3, "stop_sequences": ["END"]},
        ),
    ],
)  # fmt: skip
def test_limits_are_read_in_each_family_s_way(family: Family, body: dict[str, Any]) -> None:
    question = family.read(body, "invoke", MODEL)
    assert (question.max_tokens, question.temperature) == (9, 0.3)
    assert question.stops == (() if family is LLAMA else ("END",))


def test_images_for_llama_are_seen() -> None:
    assert LLAMA.read({"prompt": "Look.", "images": ["aGk="]}, "invoke", MODEL).turns[-1].attachments == ("image",)


@pytest.mark.parametrize(
    ("family", "body", "said"),
    [
        (LLAMA, {}, "#: required key [prompt] not found"),
        (LLAMA, {"prompt": "Hi.", "stop": ["END"]}, "#: extraneous key [stop] is not permitted"),
        (LLAMA, {"prompt": "Hi.", "max_gen_len": "9"}, "#/max_gen_len: expected type: Integer, found: String"),
        (TITAN, {"inputText": "Hi.", "textGenerationConfig": {"topP": 2}}, "#/textGenerationConfig/topP: 2 is not"),
        (MISTRAL, {"prompt": "Hi.", "stop": [1]}, "#/stop/0: expected type: String"),
        (CLAUDE_PROMPT, {"prompt": "Hi."}, "#: required key [max_tokens_to_sample] not found"),
    ],
)
def test_a_body_of_another_family_is_refused(family: Family, body: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        family.read(body, "invoke", MODEL)
    assert said in refusal.value.message


REASONS = {
    "results": ("completionReason", {Stop.END: "FINISH", Stop.LENGTH: "LENGTH", Stop.SEQUENCE: "STOP_CRITERIA_MET"}),
    "generation": ("stop_reason", {Stop.END: "stop", Stop.LENGTH: "length", Stop.SEQUENCE: "stop"}),
    "outputs": ("stop_reason", {Stop.END: "stop", Stop.LENGTH: "length", Stop.SEQUENCE: "stop"}),
    "choices": ("stop_reason", {Stop.END: "stop", Stop.LENGTH: "length", Stop.SEQUENCE: "stop"}),
    "completion": (
        "stop_reason",
        {Stop.END: "stop_sequence", Stop.LENGTH: "max_tokens", Stop.SEQUENCE: "stop_sequence"},
    ),
}


def flat(reply: dict[str, Any]) -> tuple[str, str, str | None]:
    """The member that holds the text, the text, and the reason to stop."""
    member = next(name for name in (*REASONS, "outputText") if name in reply)
    held = reply[member][0] if isinstance(reply[member], list) else reply
    text = held.get("text", held.get("outputText", held.get("generation", held.get("completion"))))
    name = REASONS.get(member, REASONS["results"])[0]
    return member, text, held[name]


@pytest.mark.parametrize("stop", [Stop.END, Stop.LENGTH, Stop.SEQUENCE])
@pytest.mark.parametrize("family", [LLAMA, MISTRAL, DEEPSEEK, TITAN, CLAUDE_PROMPT])
def test_what_is_streamed_adds_up_to_the_whole_reply(family: Family, stop: Stop) -> None:
    said = answer(stop=stop)
    member, text, reason = flat(family.reply({"prompt": "Hi."}, MODEL, said))
    events = [flat(orjson.loads(event)) for event, _, _ in family.events({"prompt": "Hi."}, MODEL, said)]
    assert text == said.text == "".join(event[1] for event in events)
    assert [event[2] for event in events[:-1]] == [None] * (len(events) - 1)
    assert events[-1][2] == reason == REASONS[member][1][stop]
    assert sum(tokens for _, tokens, _ in family.events({}, MODEL, said)) == len(said.pieces)


def test_an_empty_answer_ends_all_the_same() -> None:
    (event,) = LLAMA.events({}, MODEL, answer(pieces=[], output_tokens=0))
    assert orjson.loads(event[0])["prompt_token_count"] == 100
