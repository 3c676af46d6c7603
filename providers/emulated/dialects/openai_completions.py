"""Legacy completions in OpenAI's dialect: a prompt that is gone on with.

Source: openai-python 3.54.0 `types/completion.py`, and refusals quoted in public issue reports, read November 2026.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from providers.emulated.answer import Answer, Stop, alphanumeric, created_at
from providers.emulated.base import EmulatedReply, EmulatedRequest, Frame
from providers.emulated.desk import Desk
from providers.emulated.dialects import openai_checks as checks
from providers.emulated.dialects.openai_chat_request import check_stop
from providers.emulated.dialects.openai_chat_stream import DONE
from providers.emulated.dialects.openai_errors import (
    Invalid,
    Shape,
    digest,
    missing,
    read_object,
    stream_reply,
    wrong_type,
)
from providers.emulated.dialects.openai_filters import CHOICE_FILTERS, PROMPT_FILTERS
from providers.emulated.dialects.openai_logprobs import alternatives, probabilities
from providers.emulated.question import Question, Turn

_CHECKS: Mapping[str, checks.Check] = {
    "best_of": checks.integer(0, 20),
    "echo": checks.boolean,
    "frequency_penalty": checks.decimal(-2, 2),
    "logit_bias": checks.mapping,
    "logprobs": checks.integer(0, 5),
    "max_tokens": checks.integer(0),
    "model": checks.text,
    "n": checks.integer(1, 128),
    "presence_penalty": checks.decimal(-2, 2),
    "prompt": checks.anything,
    "seed": checks.integer(),
    "stop": check_stop,
    "stream": checks.boolean,
    "stream_options": checks.mapping,
    "suffix": checks.text,
    "temperature": checks.decimal(0, 2),
    "top_p": checks.decimal(0, 1),
    "user": checks.text,
}
_MOST_PROMPTS = 128


def answer_completions(
    request: EmulatedRequest, desk: Desk, *, shape: Shape, model: str | None = None
) -> EmulatedReply:
    """`completions`. `model`: the one the path names, if it does. Raises Invalid, Refused, CannedFailure."""
    body = read_object(request.body)
    model = checks.model_of(body) if model is None else model
    checks.check_members(body, _CHECKS, is_lenient=shape.is_lenient, unknown=checks.unrecognized_argument)
    shape.check_model(desk, model)
    if not shape.is_lenient and _is_chat_model(model):
        refusal = Invalid(
            "This is a chat model and not supported in the v1/completions endpoint. Did you mean to use "
            "v1/chat/completions?",
            "model",
            status=404,
        )
        raise shape.unfit("completion", model, refusal)
    prompts = _prompts(body.get("prompt"))
    count = body.get("n") or 1
    is_streaming = body.get("stream") is True
    options = body.get("stream_options")
    if options is not None and not is_streaming:
        raise Invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    best_of = body.get("best_of")
    if best_of is not None and best_of < count:
        raise Invalid(
            "You requested that the server return more choices than it will generate (HINT: set 'best_of' to at least "
            "'n')",
            "best_of",
        )
    stop = body.get("stop")
    most = body.get("max_tokens")
    answers: list[Answer] = []
    choices: list[dict[str, Any]] = []
    input_tokens = 0
    for number, prompt in enumerate(prompts):
        question = Question(
            operation="completions",
            model=model,
            digest=digest(body, model, str(number)),
            turns=[Turn("user", prompt)],
            max_tokens=16 if most is None else most,
            stops=() if stop is None else (stop,) if isinstance(stop, str) else tuple(stop),
            temperature=body.get("temperature"),
            seed=body.get("seed"),
        )
        for index in range(count):
            answer = desk.answer(question, index)
            if index == 0:
                input_tokens += answer.input_tokens
            answers.append(answer)
            choices.append(_choice(body, prompt, answer, number * count + index))
    output_tokens = sum([answer.output_tokens for answer in answers])
    total = input_tokens + output_tokens
    usage = {"prompt_tokens": input_tokens, "completion_tokens": output_tokens, "total_tokens": total}
    first = answers[0]
    head = {
        "id": "cmpl-" + alphanumeric(first.digest, "cmpl", 29),
        "object": "text_completion",
        "created": created_at(first.digest),
        "model": shape.model(request, model),
    }
    is_repeatable = all(answer.is_repeatable for answer in answers)
    if is_streaming:
        has_usage = isinstance(options, dict) and options.get("include_usage") is True
        frames = _frames(head, body, prompts, answers, choices, usage if has_usage else None)
        reply = stream_reply(shape, request, frames, total, is_repeatable=is_repeatable)
    else:
        if shape.filters_content:
            head["prompt_filter_results"] = PROMPT_FILTERS
            for choice in choices:
                choice["content_filter_results"] = CHOICE_FILTERS
        reply = EmulatedReply(
            200,
            shape.headers(request, total),
            orjson.dumps({**head, "choices": choices, "usage": usage}),
            tokens=output_tokens,
            is_repeatable=is_repeatable,
        )
    reply.delay_s = first.delay_s if is_streaming else first.whole_delay_s
    return reply


def _is_chat_model(model: str) -> bool:
    return model.startswith(("gpt-4", "gpt-5", "gpt-6", "o1", "o3", "o4", "chatgpt")) or (
        model.startswith("gpt-3.5-turbo") and "instruct" not in model
    )


def _prompts(value: Any) -> list[str]:
    """Texts; token ids stand for themselves."""
    if value is None:
        return ["<|endoftext|>"]
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise wrong_type("prompt", "one of a string, array of strings, array of integers, or array of arrays", value)
    if not value:
        raise missing("prompt")
    if all(type(entry) is int for entry in value):
        return [" ".join([str(entry) for entry in value])]
    checks.check_length(value, "prompt", 1, _MOST_PROMPTS)
    found = []
    for index, entry in enumerate(value):
        if isinstance(entry, str):
            found.append(entry)
        elif isinstance(entry, list) and all(type(token) is int for token in entry):
            found.append(" ".join([str(token) for token in entry]))
        else:
            raise wrong_type(f"prompt[{index}]", "a string", entry)
    return found


def _choice(body: Mapping[str, Any], prompt: str, answer: Answer, index: int) -> dict[str, Any]:
    echoed = prompt if body.get("echo") is True else ""
    logprobs = None
    if body.get("logprobs") is not None:
        pieces = [echoed] if echoed else []
        pieces += [piece.text for piece in answer.pieces]
        logprobs = _logprobs(answer.digest, pieces, body["logprobs"], 0)
    return {"text": echoed + answer.text, "index": index, "logprobs": logprobs, "finish_reason": _finish(answer)}


def _finish(answer: Answer) -> str:
    return "length" if answer.stop is Stop.LENGTH else "stop"


def _logprobs(digest: bytes, pieces: Sequence[str], top: int, offset: int) -> dict[str, Any]:
    found: dict[str, Any] = {"text_offset": [], "token_logprobs": [], "tokens": [], "top_logprobs": []}
    for piece in pieces:
        chances = probabilities(digest, piece, top)
        named = [piece, *alternatives(piece, top)]
        found["text_offset"].append(offset)
        found["token_logprobs"].append(round(math.log(chances[0]), 6))
        found["tokens"].append(piece)
        found["top_logprobs"].append(
            {name: round(math.log(chance), 6) for name, chance in zip(named[:top], chances, strict=False)}
        )
        offset += len(piece)
    return found


def _frames(
    head: Mapping[str, Any],
    body: Mapping[str, Any],
    prompts: Sequence[str],
    answers: Sequence[Answer],
    choices: Sequence[Mapping[str, Any]],
    usage: Mapping[str, Any] | None,
) -> list[Frame]:
    written = orjson.dumps(head)[:-1]
    null_usage = b"" if usage is None else b',"usage":null'
    top = body.get("logprobs")
    frames = []

    def add(index: int, text: str, logprobs: Any, finish: str | None, count: int = 0, delay_s: float = 0.0) -> None:
        choice = {"text": text, "index": index, "logprobs": logprobs, "finish_reason": finish}
        data = b'data: %b,"choices":[%b]%b}\n\n' % (written, orjson.dumps(choice), null_usage)
        frames.append(Frame(data, count, delay_s))

    for index, (answer, choice) in enumerate(zip(answers, choices, strict=True)):
        prompt = prompts[index * len(prompts) // len(answers)]
        offset = 0
        if body.get("echo") is True and prompt:
            add(index, prompt, None if top is None else _logprobs(answer.digest, [prompt], top, 0), None)
            offset = len(prompt)
        for piece in answer.pieces:
            logprobs = None if top is None else _logprobs(answer.digest, [piece.text], top, offset)
            add(index, piece.text, logprobs, None, 1, piece.delay_s)
            offset += len(piece.text)
        add(index, "", None, choice["finish_reason"])
    if usage is not None:
        frames.append(Frame(b'data: %b,"choices":[],"usage":%b}\n\n' % (written, orjson.dumps(usage))))
    frames.append(DONE)
    return frames
