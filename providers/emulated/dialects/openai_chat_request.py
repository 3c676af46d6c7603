"""Reads requests for chat completions: what they ask, or why OpenAI refuses them.

Source: openai-python 3.54.0 `types/chat/completion_create_params.py`, and refusals quoted in public issue reports, read
November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.emulated.desk import Desk
from providers.emulated.dialects import openai_checks as checks
from providers.emulated.dialects.openai_chat_messages import read_messages
from providers.emulated.dialects.openai_chat_tools import read_name, read_tool_choice, read_tools, required_object
from providers.emulated.dialects.openai_checks import check_members
from providers.emulated.dialects.openai_errors import Invalid, Shape, digest, missing, wrong_type
from providers.emulated.dialects.openai_models import (
    is_reasoning,
    most_output_tokens,
    reasons_unasked,
    refuses_sampling,
)
from providers.emulated.dialects.openai_strict import check_strict
from providers.emulated.question import AUTO, OutputFormat, Question


@dataclass(slots=True)
class ChatRequest:
    """A request that is in order. `logprobs`: how many alternatives to name, None: no probabilities at all.

    `custom`: names of tools that take plain text. `is_legacy`: tools came as `functions`. `audio_format` None: text
    only. `service_tier`: the one it is served with. `moderation_model` None: nothing is to be moderated.
    """

    question: Question
    body: Mapping[str, Any]
    choices: int
    is_streaming: bool
    includes_usage: bool
    obfuscates: bool
    logprobs: int | None
    service_tier: str
    custom: frozenset[str]
    is_legacy: bool
    is_tool_named: bool
    audio_format: str | None
    moderation_model: str | None


def check_stop(value: Any, param: str) -> None:
    """A text, or up to four of them."""
    if isinstance(value, list):
        checks.check_length(value, param, 1, 4)
        for index, entry in enumerate(value):
            checks.text(entry, f"{param}[{index}]")
    elif not isinstance(value, str):
        raise wrong_type(param, "one of a string or array of strings", value)


def _logit_bias(value: Any, param: str) -> None:
    checks.mapping(value, param)
    for token, bias in value.items():
        _BIAS(bias, f"{param}.{token}")


_BIAS = checks.decimal(-100, 100)

_CHECKS: Mapping[str, checks.Check] = {
    "audio": checks.mapping,
    "frequency_penalty": checks.decimal(-2, 2),
    "function_call": checks.anything,
    "functions": checks.array("an array of objects", minimum=1, maximum=128),
    "logit_bias": _logit_bias,
    "logprobs": checks.boolean,
    "max_completion_tokens": checks.integer(1),
    "max_tokens": checks.integer(1),
    "messages": checks.array("an array of objects", minimum=1),
    "metadata": checks.metadata,
    "modalities": checks.array("an array of strings", checks.one_of("text", "audio"), minimum=1),
    "model": checks.text,
    "moderation": checks.mapping,
    "n": checks.integer(1, 128),
    "parallel_tool_calls": checks.boolean,
    "prediction": checks.mapping,
    "presence_penalty": checks.decimal(-2, 2),
    "prompt_cache_key": checks.text,
    "prompt_cache_options": checks.mapping,
    "prompt_cache_retention": checks.one_of("in_memory", "in-memory", "24h"),
    "reasoning_effort": checks.one_of("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "response_format": checks.mapping,
    "safety_identifier": checks.text,
    "seed": checks.integer(-(2**63), 2**63 - 1),
    "service_tier": checks.one_of("auto", "default", "flex", "scale", "priority", "fast"),
    "stop": check_stop,
    "store": checks.boolean,
    "stream": checks.boolean,
    "stream_options": checks.mapping,
    "temperature": checks.decimal(0, 2),
    "tool_choice": checks.anything,
    "tools": checks.array("an array of objects", minimum=1, maximum=128),
    "top_logprobs": checks.integer(0, 20),
    "top_p": checks.decimal(0, 1),
    "user": checks.text,
    "verbosity": checks.one_of("low", "medium", "high"),
    "web_search_options": checks.mapping,
}

# Source: learn.microsoft.com/azure/ai-foundry/openai/reference, read November 2026.
_AZURE_CHECKS = {
    **_CHECKS,
    "data_sources": checks.array("an array of objects"),
    "user_security_context": checks.mapping,
}

# Names, and the values that change nothing.
_NOT_WITH_REASONING: tuple[tuple[str, Any], ...] = (
    ("frequency_penalty", 0),
    ("logit_bias", {}),
    ("logprobs", False),
    ("presence_penalty", 0),
    ("stop", []),
    ("top_logprobs", 0),
    ("top_p", 1),
)


def read_chat(body: Mapping[str, Any], desk: Desk, shape: Shape, model: str | None = None) -> ChatRequest:
    """`model`: the one the path names, if it does. Raises Invalid."""
    asked_model = body.get("model")
    if model is None:
        if not asked_model:
            raise Invalid("you must provide a model parameter")
        checks.text(asked_model, "model")
        model = str(asked_model)
    if body.get("messages") is None:
        raise missing("messages")
    table = _AZURE_CHECKS if shape.filters_content else _CHECKS
    check_members(body, table, is_lenient=shape.is_lenient, unknown=checks.unrecognized_argument)
    shape.check_model(desk, model)
    get = body.get
    effort = get("reasoning_effort")
    max_tokens = get("max_completion_tokens")
    if not shape.is_lenient:
        _check_model_members(body, model, effort, shape)
    if max_tokens is None:
        max_tokens = get("max_tokens")
    turns = read_messages(body["messages"])
    tools, custom, is_legacy = read_tools(body)
    tool_choice = AUTO
    if get("tool_choice") is not None or get("function_call") is not None:
        tool_choice, tools = read_tool_choice(body, tools)
    if get("parallel_tool_calls") is not None and not tools:
        raise Invalid(
            "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are "
            "specified.",
            "parallel_tool_calls",
        )
    stop = get("stop")
    is_streaming = get("stream") is True
    options = get("stream_options")
    if options is not None and not is_streaming:
        raise Invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    question = Question(
        operation="chat.completions",
        model=model,
        digest=digest(body, model),
        turns=turns,
        tools=tools,
        tool_choice=tool_choice,
        may_call_many=get("parallel_tool_calls") is not False and not is_legacy,
        output=None if get("response_format") is None else _read_format(body["response_format"], body["messages"]),
        max_tokens=max_tokens,
        stops=() if stop is None else (stop,) if isinstance(stop, str) else tuple(stop),
        temperature=get("temperature"),
        seed=get("seed"),
        thinks=effort not in ("none", "minimal") if effort is not None else reasons_unasked(model),
    )
    tier = get("service_tier")
    return ChatRequest(
        question=question,
        body=body,
        choices=get("n") or 1,
        is_streaming=is_streaming,
        includes_usage=options is not None and options.get("include_usage") is True,
        obfuscates=shape.obfuscates and not (options is not None and options.get("include_obfuscation") is False),
        logprobs=_read_logprobs(body),
        service_tier="default" if tier is None or tier == "auto" else tier,
        custom=custom,
        is_legacy=is_legacy,
        is_tool_named=tool_choice.mode == "named",
        audio_format=_read_audio(body, is_streaming=is_streaming),
        moderation_model=None if get("moderation") is None else _read_moderation(body["moderation"]),
    )


def _check_length(body: Mapping[str, Any], model: str) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        asked = body.get(name)
        if asked is None:
            continue
        most = most_output_tokens(model)
        if most is not None and asked > most:
            raise Invalid(
                f"{name} is too large: {asked}. This model supports at most {most} completion tokens, whereas you "
                f"provided {asked}.",
                name,
                "invalid_value",
            )


def _check_model_members(body: Mapping[str, Any], model: str, effort: str | None, shape: Shape) -> None:
    """Members that some models refuse. Raises Invalid."""
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise Invalid(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "max_tokens",
            "invalid_parameter_combination",
        )
    if model.startswith(("text-embedding", "tts-", "whisper", "dall-e", "gpt-image", "omni-moderation")) or (
        model in ("davinci-002", "babbage-002") or ("-instruct" in model and model.startswith("gpt-3.5"))
    ):
        refusal = Invalid(
            "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use "
            "v1/completions?",
            "model",
            status=404,
        )
        raise shape.unfit("chatCompletion", model, refusal)
    _check_length(body, model)
    if body.get("metadata") and body.get("store") is not True:
        raise Invalid("The 'metadata' parameter is only allowed when 'store' is enabled.", "metadata")
    if not is_reasoning(model):
        if effort is not None and model.startswith(("gpt-3", "gpt-4")):
            raise checks.unrecognized_argument("reasoning_effort")
        return
    if body.get("max_tokens") is not None:
        raise Invalid(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
            "instead.",
            "max_tokens",
            "unsupported_parameter",
        )
    if not refuses_sampling(model) and effort in (None, "none"):
        return
    temperature = body.get("temperature")
    if temperature is not None and temperature != 1:
        raise Invalid(
            f"Unsupported value: 'temperature' does not support {temperature} with this model. Only the default (1) "
            "value is supported.",
            "temperature",
            "unsupported_value",
        )
    for name, usual in _NOT_WITH_REASONING:
        value = body.get(name)
        if value is not None and value != usual:
            raise Invalid(
                f"Unsupported parameter: '{name}' is not supported with this model.", name, "unsupported_parameter"
            )


def _read_format(given: Mapping[str, Any], messages: Any) -> OutputFormat | None:
    kind = given.get("type")
    if kind is None:
        raise missing("response_format.type")
    _FORMAT_KIND(kind, "response_format.type")
    if kind == "text":
        return None
    if kind == "json_object":
        # The whole request is searched, as a model would be told of JSON anywhere in it.
        if not _mentions_json(messages):
            raise Invalid(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                "messages",
            )
        return OutputFormat()
    described = required_object(given, "json_schema", "response_format")
    name = read_name(described, "response_format.json_schema")
    schema = described.get("schema")
    if schema is None:
        return OutputFormat()
    checks.mapping(schema, "response_format.json_schema.schema")
    if described.get("strict") is True:
        check_strict(schema, f"response_format '{name}'", "response_format", None)
    return OutputFormat(schema)


_FORMAT_KIND = checks.one_of("json_object", "json_schema", "text")


def _mentions_json(messages: Any) -> bool:
    for message in messages:
        content = message.get("content")
        texts = [content] if isinstance(content, str) else [part.get("text") for part in content or ()]
        if any(isinstance(text, str) and "json" in text.lower() for text in texts):
            return True
    return False


def _read_logprobs(body: Mapping[str, Any]) -> int | None:
    top = body.get("top_logprobs")
    if body.get("logprobs") is True:
        return top or 0
    if top:
        raise Invalid("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", "top_logprobs")
    return None


def _read_moderation(given: Mapping[str, Any]) -> str:
    model = given.get("model")
    if model is None:
        raise missing("moderation.model")
    checks.text(model, "moderation.model")
    return str(model)


def _read_audio(body: Mapping[str, Any], *, is_streaming: bool) -> str | None:
    if "audio" not in (body.get("modalities") or ()):
        return None
    audio = body.get("audio")
    if audio is None:
        raise missing("audio")
    form = audio.get("format")
    if form is None:
        raise missing("audio.format")
    _AUDIO_FORMAT(form, "audio.format")
    if audio.get("voice") is None:
        raise missing("audio.voice")
    if is_streaming and form != "pcm16":
        raise Invalid(
            f"Unsupported value: 'audio.format' does not support '{form}' when stream=true. Supported values are: "
            "'pcm16'.",
            "audio.format",
            "unsupported_value",
        )
    return str(form)


_AUDIO_FORMAT = checks.one_of("wav", "aac", "mp3", "flac", "opus", "pcm16")
