"""InvokeModel bodies with one text in and one text out: Titan Text, Llama, Mistral, DeepSeek, the first Claudes.

Source: AWS "Inference request parameters and response fields for foundation models", read November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from providers.emulated.answer import Answer, Stop
from providers.emulated.dialects.bedrock_schema import Event, Family, Member, ask, check, strings
from providers.emulated.question import Question, Turn

_PROMPT = Member("prompt", "String", is_required=True)
_TEMPERATURE = Member("temperature", "Number", least=0)
_TOP_P = Member("top_p", "Number", least=0, most=1)


# --- Titan Text

_TITAN = (Member("inputText", "String", is_required=True), Member("textGenerationConfig", "JSONObject"))
_TITAN_CONFIG = (
    Member("maxTokenCount", "Integer", least=0),
    Member("stopSequences", "JSONArray"),
    Member("temperature", "Number", least=0, most=1),
    Member("topP", "Number", least=0, most=1),
)
_TITAN_REASONS = {Stop.LENGTH: "LENGTH", Stop.SEQUENCE: "STOP_CRITERIA_MET", Stop.REFUSAL: "CONTENT_FILTERED"}


def _read_titan(body: dict[str, Any], operation: str, model: str) -> Question:
    check(body, _TITAN, is_closed=True)
    config = body.get("textGenerationConfig") or {}
    check(config, _TITAN_CONFIG, "#/textGenerationConfig", is_closed=True)
    text: str = body["inputText"]
    said = text.removeprefix("User:").removesuffix("Bot:").strip() if text.startswith("User:") else text
    return ask(
        operation, model, body, [Turn("user", said)],
        max_tokens=config.get("maxTokenCount") or None,
        stops=strings(config.get("stopSequences"), "#/textGenerationConfig/stopSequences"),
        temperature=config.get("temperature"),
    )  # fmt: skip


def _reply_titan(body: dict[str, Any], model: str, answer: Answer) -> dict[str, Any]:
    reason = _TITAN_REASONS.get(answer.stop, "FINISH")
    result = {"tokenCount": answer.output_tokens, "outputText": answer.text, "completionReason": reason}
    return {"inputTextTokenCount": answer.input_tokens, "results": [result]}


def _stream_titan(body: dict[str, Any], model: str, answer: Answer) -> Iterator[Event]:
    after = b',"index":0,"totalOutputTextTokenCount":null,"completionReason":null,"inputTextTokenCount":%d}'
    after %= answer.input_tokens
    for piece in answer.pieces:
        yield b'{"outputText":%b%b' % (orjson.dumps(piece.text), after), 1, piece.delay_s
    end = {
        "outputText": "",
        "index": 0,
        "totalOutputTextTokenCount": answer.output_tokens,
        "completionReason": _TITAN_REASONS.get(answer.stop, "FINISH"),
        "inputTextTokenCount": answer.input_tokens,
    }
    yield orjson.dumps(end), 0, 0.0


# --- Llama

_LLAMA = (
    _PROMPT,
    Member("max_gen_len", "Integer", least=1, most=8192),
    Member("temperature", "Number", least=0, most=1),
    _TOP_P,
    Member("images", "JSONArray"),
)


def _read_llama(body: dict[str, Any], operation: str, model: str) -> Question:
    check(body, _LLAMA, is_closed=True)
    turns = _headed_turns(body["prompt"])
    if body.get("images"):
        turns[-1].attachments = ("image",) * len(body["images"])
    return ask(
        operation, model, body, turns, max_tokens=body.get("max_gen_len"), temperature=body.get("temperature")
    )  # fmt: skip


def _headed_turns(prompt: str) -> list[Turn]:
    """The turns of a prompt in Llama's template, the whole as one if it is in none."""
    if "<|header_start|>" in prompt:
        start, end, over = "<|header_start|>", "<|header_end|>", "<|eot|>"
    else:
        start, end, over = "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"
    turns = []
    for part in prompt.split(start)[1:]:
        role, _, text = part.partition(end)
        said = text.partition(over)[0].strip()
        if role in ("system", "user", "assistant") and said:
            turns.append(Turn(role, said))  # type: ignore[arg-type]  # mypy does not narrow by `in`
    return turns or [Turn("user", prompt)]


def _length_or_stop(answer: Answer) -> str:
    return "length" if answer.stop is Stop.LENGTH else "stop"


def _reply_llama(body: dict[str, Any], model: str, answer: Answer) -> dict[str, Any]:
    return {
        "generation": answer.text,
        "prompt_token_count": answer.input_tokens,
        "generation_token_count": answer.output_tokens,
        "stop_reason": _length_or_stop(answer),
    }


def _stream_llama(body: dict[str, Any], model: str, answer: Answer) -> Iterator[Event]:
    prompt = b"%d" % answer.input_tokens
    number = 0
    for number, piece in enumerate(answer.pieces, 1):
        yield (
            b'{"generation":%b,"prompt_token_count":%b,"generation_token_count":%d,"stop_reason":null}'
            % (orjson.dumps(piece.text), prompt, number),
            1,
            piece.delay_s,
        )
        prompt = b"null"
    end = {
        "generation": "",
        "prompt_token_count": None if number else answer.input_tokens,
        "generation_token_count": answer.output_tokens,
        "stop_reason": _length_or_stop(answer),
    }
    yield orjson.dumps(end), 0, 0.0


# --- Mistral and DeepSeek: a list with one output

_SAMPLED = (
    _PROMPT, Member("max_tokens", "Integer", least=1), _TEMPERATURE, _TOP_P, Member("stop", "JSONArray"),
    Member("top_k", "Integer", least=0),
)  # fmt: skip


_THINK = "<think>"  # what AWS has prompts for DeepSeek-R1 end with, so that the reply begins with thoughts


def _one_output(outer: str, marks: tuple[str, str]) -> Family:
    """Replies like `{"outputs": [{"text": "Hi", "stop_reason": "stop"}]}`; `marks` stand in prompts before what the
    user and the model say."""

    def read(body: dict[str, Any], operation: str, model: str) -> Question:
        check(body, _SAMPLED, is_closed=True)
        return ask(
            operation, model, body, _marked_turns(body["prompt"], *marks),
            max_tokens=body.get("max_tokens"), stops=strings(body.get("stop"), "#/stop"),
            temperature=body.get("temperature"),
        )  # fmt: skip

    def reply(body: dict[str, Any], model: str, answer: Answer) -> dict[str, Any]:
        return {outer: [{"text": answer.text, "stop_reason": _length_or_stop(answer)}]}

    def events(body: dict[str, Any], model: str, answer: Answer) -> Iterator[Event]:
        before = b'{"%b":[{"text":' % outer.encode()
        for piece in answer.pieces:
            yield b'%b%b,"stop_reason":null}]}' % (before, orjson.dumps(piece.text)), 1, piece.delay_s
        yield orjson.dumps({outer: [{"text": "", "stop_reason": _length_or_stop(answer)}]}), 0, 0.0

    return Family(read, reply, events)


def _marked_turns(prompt: str, user: str, assistant: str) -> list[Turn]:
    """The turns of a prompt in a template of two marks, the whole as one if it is in none."""
    turns = []
    for part in prompt.split(user)[1:]:
        asked, _, replied = part.partition(assistant)
        turns.append(Turn("user", asked.strip()))
        said = replied.partition("</s>")[0].strip()
        if said and said != _THINK:
            turns.append(Turn("assistant", said))
    return turns or [Turn("user", prompt)]


# --- Claude before its messages

_CLAUDE = (
    _PROMPT, Member("max_tokens_to_sample", "Integer", is_required=True, least=1), _TEMPERATURE, _TOP_P,
    Member("top_k", "Integer", least=0), Member("stop_sequences", "JSONArray"), Member("anthropic_version", "String"),
)  # fmt: skip


def _read_claude(body: dict[str, Any], operation: str, model: str) -> Question:
    check(body, _CLAUDE)
    return ask(
        operation, model, body, _marked_turns(body["prompt"], "\n\nHuman:", "\n\nAssistant:"),
        max_tokens=body["max_tokens_to_sample"], stops=strings(body.get("stop_sequences"), "#/stop_sequences"),
        temperature=body.get("temperature"),
    )  # fmt: skip


def _reply_claude(body: dict[str, Any], model: str, answer: Answer, text: str | None = None) -> dict[str, Any]:
    return {
        "type": "completion",
        "completion": answer.text if text is None else text,
        "stop_reason": "max_tokens" if answer.stop is Stop.LENGTH else "stop_sequence",
        "stop": None if answer.stop is Stop.LENGTH else answer.stop_sequence or "\n\nHuman:",
    }


def _stream_claude(body: dict[str, Any], model: str, answer: Answer) -> Iterator[Event]:
    for piece in answer.pieces:
        said = orjson.dumps(piece.text)
        yield b'{"type":"completion","completion":%b,"stop_reason":null,"stop":null}' % said, 1, piece.delay_s
    yield orjson.dumps(_reply_claude(body, model, answer, "")), 0, 0.0


TITAN = Family(_read_titan, _reply_titan, _stream_titan)
LLAMA = Family(_read_llama, _reply_llama, _stream_llama)
MISTRAL = _one_output("outputs", ("[INST]", "[/INST]"))
DEEPSEEK = _one_output("choices", ("<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>"))
CLAUDE_PROMPT = Family(_read_claude, _reply_claude, _stream_claude)
